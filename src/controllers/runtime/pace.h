// Pace: a key with thousands of dependents is looked at a few times a second, not once for each of their changes, so
// that the work of counting stays small beside theirs. Small keys never wait. Thread: any.
#pragma once

#include <optional>
#include <string>
#include <unordered_map>

#include "base/clock.h"
#include "base/mutex.h"

namespace controllers {

class Pace {
 public:
  static constexpr size_t kSmall = 200;                                           // dependents; below: no pace
  static constexpr base::Duration kPerDependent = std::chrono::microseconds(30);  // of distance between two looks

  // How long to wait before the next look; nothing = look now.
  std::optional<base::Duration> wait(const std::string& key, base::MonoTime now) {
    base::MutexLock lock(mutex_);
    const auto found = next_.find(key);
    if (found == next_.end() || found->second <= now) return std::nullopt;
    return found->second - now;
  }
  void note(const std::string& key, size_t dependents, base::MonoTime now) {
    base::MutexLock lock(mutex_);
    if (dependents < kSmall)
      next_.erase(key);
    else
      next_[key] = now + kPerDependent * static_cast<int64_t>(dependents);
  }
  void forget(const std::string& key) {
    base::MutexLock lock(mutex_);
    next_.erase(key);
  }

 private:
  base::Mutex mutex_;
  std::unordered_map<std::string, base::MonoTime> next_ GUARDED_BY(mutex_);
};

}  // namespace controllers
