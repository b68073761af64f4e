// WriteBarrier: keeps a reconcile from planning on a cache that does not show its own writes yet, so that nothing is
// made twice. In process a cache always does; over HTTPS it follows a moment later. Thread: any.
#pragma once

#include <algorithm>
#include <string>
#include <unordered_map>

#include "base/mutex.h"
#include "client/informer.h"

namespace controllers {

class WriteBarrier {
 public:
  static constexpr base::Duration kRetry = std::chrono::milliseconds(5);

  // The key's reconcile wrote at that revision.
  void note(const std::string& key, int64_t revision) {
    base::MutexLock lock(mutex_);
    int64_t& newest = written_[key];
    newest = std::max(newest, revision);
  }
  // True when the cache shows what was noted; forgets it then.
  bool passed(const std::string& key, const client::Informer& informer) {
    base::MutexLock lock(mutex_);
    const auto found = written_.find(key);
    if (found == written_.end()) return true;
    if (informer.revision() < found->second) return false;
    written_.erase(found);
    return true;
  }

 private:
  base::Mutex mutex_;
  std::unordered_map<std::string, int64_t> written_ GUARDED_BY(mutex_);
};

}  // namespace controllers
