#include "client/workqueue.h"

#include <algorithm>
#include <deque>
#include <map>
#include <unordered_map>
#include <unordered_set>
#include <utility>

#include "base/mutex.h"

namespace client {
namespace {

constexpr base::Duration kFirstBackoff = std::chrono::milliseconds(5);
constexpr base::Duration kMaxBackoff = std::chrono::seconds(1000);

base::Duration backoff(int failures) {
  base::Duration delay = kFirstBackoff;
  for (int i = 0; i < failures && delay < kMaxBackoff; ++i) delay *= 2;
  return std::min(delay, kMaxBackoff);
}

}  // namespace

class Workqueue::Impl : public std::enable_shared_from_this<Impl> {
 public:
  Impl(std::string name, base::Executor* timers, const base::Clock* clock, std::move_only_function<void()> wake)
      : name_(std::move(name)), timers_(timers), clock_(clock), wake_(std::move(wake)) {}

  void add(std::string key) {
    bool became_ready = false;
    {
      base::MutexLock lock(mutex_);
      became_ready = add_locked(std::move(key));
    }
    if (became_ready) wake_();
  }

  void add_after(std::string key, base::Duration delay) {
    if (delay <= base::Duration::zero()) return add(std::move(key));
    const base::MonoTime due = clock_->mono_now() + delay;
    {
      base::MutexLock lock(mutex_);
      if (stopped_) return;
      auto [at, inserted] = delayed_.try_emplace(key, due);
      if (!inserted && at->second <= due) return;  // comes back sooner anyhow
      at->second = due;
    }
    timers_->post_after(delay, [weak = weak_from_this(), key = std::move(key), due]() mutable {
      if (auto self = weak.lock()) self->expire(std::move(key), due);
    });
  }

  void add_rate_limited(std::string key) {
    int failures = 0;
    {
      base::MutexLock lock(mutex_);
      failures = failures_[key]++;
    }
    add_after(std::move(key), backoff(failures));
  }

  void forget(const std::string& key) {
    base::MutexLock lock(mutex_);
    failures_.erase(key);
  }

  int failures(const std::string& key) const {
    base::MutexLock lock(mutex_);
    const auto found = failures_.find(key);
    return found == failures_.end() ? 0 : found->second;
  }

  std::optional<std::string> try_get() {
    base::MutexLock lock(mutex_);
    if (stopped_ || ready_.empty()) return std::nullopt;
    std::string key = std::move(ready_.front());
    ready_.pop_front();
    dirty_.erase(key);
    processing_.insert(key);
    return key;
  }

  void done(const std::string& key) {
    bool became_ready = false;
    {
      base::MutexLock lock(mutex_);
      processing_.erase(key);
      if (!stopped_ && dirty_.contains(key)) {
        ready_.push_back(key);
        became_ready = true;
      }
    }
    if (became_ready) wake_();
  }

  size_t ready() const {
    base::MutexLock lock(mutex_);
    return ready_.size();
  }

  void stop() {
    base::MutexLock lock(mutex_);
    stopped_ = true;
    ready_.clear();
    dirty_.clear();
    delayed_.clear();
  }

 private:
  // True when the key can be handed out now.
  bool add_locked(std::string key) REQUIRES(mutex_) {
    if (stopped_ || !dirty_.insert(key).second) return false;
    if (processing_.contains(key)) return false;
    ready_.push_back(std::move(key));
    return true;
  }

  void expire(std::string key, base::MonoTime due) {
    bool became_ready = false;
    {
      base::MutexLock lock(mutex_);
      const auto found = delayed_.find(key);
      if (found == delayed_.end() || found->second != due) return;  // replaced by an earlier one
      delayed_.erase(found);
      became_ready = add_locked(std::move(key));
    }
    if (became_ready) wake_();
  }

  const std::string name_;
  base::Executor* const timers_;
  const base::Clock* const clock_;
  std::move_only_function<void()> wake_;
  mutable base::Mutex mutex_;
  std::deque<std::string> ready_ GUARDED_BY(mutex_);
  std::unordered_set<std::string> dirty_ GUARDED_BY(mutex_);  // to be processed: ready, or added while processing
  std::unordered_set<std::string> processing_ GUARDED_BY(mutex_);
  std::unordered_map<std::string, base::MonoTime> delayed_ GUARDED_BY(mutex_);
  std::unordered_map<std::string, int> failures_ GUARDED_BY(mutex_);
  bool stopped_ GUARDED_BY(mutex_) = false;
};

Workqueue::Workqueue(std::string name, base::Executor* timers, const base::Clock* clock,
                     std::move_only_function<void()> wake)
    : impl_(std::make_shared<Impl>(std::move(name), timers, clock, std::move(wake))) {}
Workqueue::~Workqueue() { stop(); }
void Workqueue::add(std::string key) { impl_->add(std::move(key)); }
void Workqueue::add_after(std::string key, base::Duration delay) { impl_->add_after(std::move(key), delay); }
void Workqueue::add_rate_limited(std::string key) { impl_->add_rate_limited(std::move(key)); }
void Workqueue::forget(const std::string& key) { impl_->forget(key); }
int Workqueue::failures(const std::string& key) const { return impl_->failures(key); }
std::optional<std::string> Workqueue::try_get() { return impl_->try_get(); }
void Workqueue::done(const std::string& key) { impl_->done(key); }
size_t Workqueue::ready() const { return impl_->ready(); }
void Workqueue::stop() { impl_->stop(); }

}  // namespace client
