#include "controllers/runtime/engine.h"

#include <atomic>
#include <condition_variable>
#include <utility>

#include "base/log.h"
#include "base/mutex.h"
#include "client/workqueue.h"

namespace controllers {
namespace {

// One controller with its queue and its share of the pool. Tasks in the pool hold it; stop() waits until none runs.
class Runner : public std::enable_shared_from_this<Runner> {
 public:
  Runner(std::unique_ptr<Controller> controller, base::Executor* pool, const base::Clock* clock)
      : controller_(std::move(controller)), pool_(pool), clock_(clock) {}

  void wire() {
    queue_ =
        std::make_unique<client::Workqueue>(std::string(controller_->name()), pool_, clock_, [weak = weak_from_this()] {
          if (auto self = weak.lock()) self->wake();
        });
    controller_->attach([weak = weak_from_this()](std::string key) {
      if (auto self = weak.lock()) self->queue_->add(std::move(key));
    });
    std::vector<WatchSpec> watches = controller_->watches();
    waiting_for_ = watches.size();
    for (WatchSpec& watch : watches) {
      watch.informer->add_handler([weak = weak_from_this(), map = std::move(watch.map)](const client::Change& change) {
        auto self = weak.lock();
        if (self) map(change, [&](std::string key) { self->queue_->add(std::move(key)); });
      });
    }
    if (watches.empty()) open();
    for (const WatchSpec& watch : watches) {
      watch.informer->when_synced([weak = weak_from_this()] {
        auto self = weak.lock();
        if (self && --self->waiting_for_ == 0) self->open();
      });
    }
  }

  void stop() {
    {
      base::MutexLock lock(mutex_);
      open_ = false;
    }
    if (queue_) queue_->stop();
    {
      base::UniqueLock lock(mutex_);
      idle_.wait(lock.native(), [this]() NO_THREAD_SAFETY_ANALYSIS { return running_ == 0; });
    }
    controller_->detach();
  }

  bool idle() const {
    base::MutexLock lock(mutex_);
    return running_ == 0 && active_ == 0 && queue_->ready() == 0;
  }

 private:
  void open() {
    for (std::string& key : controller_->initial_keys()) queue_->add(std::move(key));
    {
      base::MutexLock lock(mutex_);
      open_ = true;
    }
    for (int i = 0; i < controller_->workers(); ++i) wake();
  }

  // A key became ready: one more worker, if there may be one.
  void wake() {
    {
      base::MutexLock lock(mutex_);
      if (!open_ || active_ >= controller_->workers()) return;
      ++active_;
    }
    pool_->post([self = shared_from_this()] { self->work(); });
  }

  // One key, then back into the pool's line, so that a busy controller does not starve the others.
  void work() {
    std::optional<std::string> key;
    {
      base::MutexLock lock(mutex_);
      if (open_) key = queue_->try_get();
      if (!key) {
        --active_;
        return;
      }
      ++running_;
    }
    process(*key);
    bool again = false;
    {
      base::MutexLock lock(mutex_);
      --running_;
      again = open_;
      if (!again) --active_;
      // Under the lock: once stop() sees no reconcile running it may destroy the runner's owner.
      idle_.notify_all();
    }
    if (again) pool_->post([self = shared_from_this()] { self->work(); });
  }

  // The one place that decides what follows an outcome.
  void process(const std::string& key) {
    const base::Result<Requeue> outcome = controller_->reconcile(key);
    if (outcome) {
      queue_->forget(key);
      queue_->done(key);
      if (outcome->after) queue_->add_after(key, *outcome->after);
      return;
    }
    const base::Error& error = outcome.error();
    // Somebody else wrote in between: the next look, from a newer cache, is no failure worth a warning.
    const auto level = error.reason == base::Reason::kConflict ? base::log::Level::kDebug : base::log::Level::kWarning;
    base::log::write(level, "reconcile failed",
                     {{"controller", controller_->name()}, {"key", key}, {"error", error.message}});
    queue_->add_rate_limited(key);
    queue_->done(key);
  }

  const std::unique_ptr<Controller> controller_;
  base::Executor* const pool_;
  const base::Clock* const clock_;
  std::unique_ptr<client::Workqueue> queue_;
  std::atomic<size_t> waiting_for_ = 0;
  mutable base::Mutex mutex_;
  std::condition_variable idle_;
  bool open_ GUARDED_BY(mutex_) = false;
  int active_ GUARDED_BY(mutex_) = 0;   // tasks in the pool
  int running_ GUARDED_BY(mutex_) = 0;  // of them, in reconcile
};

}  // namespace

class Engine::Impl {
 public:
  Impl(base::Executor* pool, const base::Clock* clock) : pool_(pool), clock_(clock) {}
  void add(std::unique_ptr<Controller> controller) {
    runners_.push_back(std::make_shared<Runner>(std::move(controller), pool_, clock_));
  }
  void start() {
    for (const auto& runner : runners_) runner->wire();
  }
  void stop() {
    for (auto at = runners_.rbegin(); at != runners_.rend(); ++at) (*at)->stop();
  }
  bool idle() const {
    for (const auto& runner : runners_) {
      if (!runner->idle()) return false;
    }
    return true;
  }

 private:
  base::Executor* const pool_;
  const base::Clock* const clock_;
  std::vector<std::shared_ptr<Runner>> runners_;
};

Engine::Engine(base::Executor* pool, const base::Clock* clock) : impl_(std::make_unique<Impl>(pool, clock)) {}
Engine::~Engine() { stop(); }
void Engine::add(std::unique_ptr<Controller> controller) { impl_->add(std::move(controller)); }
void Engine::start() { impl_->start(); }
void Engine::stop() { impl_->stop(); }
bool Engine::idle() const { return impl_->idle(); }

}  // namespace controllers
