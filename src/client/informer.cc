#include "client/informer.h"

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <deque>
#include <set>
#include <thread>
#include <utility>

#include "base/check.h"
#include "base/log.h"
#include "base/mutex.h"
#include "client/cache.h"
#include "schema/metadata_view.h"

namespace client {
namespace {

constexpr base::Duration kFirstRetry = std::chrono::milliseconds(50);
constexpr base::Duration kMaxRetry = std::chrono::seconds(30);
// How often a resource that the server does not have is asked for again.
constexpr base::Duration kUnservedRetry = std::chrono::seconds(30);

ObjectKey key_of(const RawObject& object) {
  auto view = schema::view_metadata(object.payload());
  if (!view) return {};
  return {std::string(view->namespace_), std::string(view->name)};
}

}  // namespace

std::string to_string(const ObjectKey& key) { return key.ns.empty() ? key.name : key.ns + "/" + key.name; }

ObjectKey parse_key(std::string_view text) {
  const size_t slash = text.find('/');
  if (slash == std::string_view::npos) return {"", std::string(text)};
  return {std::string(text.substr(0, slash)), std::string(text.substr(slash + 1))};
}

// The cache changes on the transport's thread, so that a write that the transport has answered in process is visible
// here before its caller goes on; the handlers follow on a strand of the executor.
class Informer::Impl final : public WatchReceiver, public std::enable_shared_from_this<Impl> {
 public:
  Impl(std::shared_ptr<Transport> transport, InformerOptions options)
      : transport_(std::move(transport)), options_(std::move(options)) {}

  void add_handler(ChangeHandler handler) { handlers_.push_back(std::move(handler)); }
  void add_index(std::string name, IndexFunction function) {
    base::MutexLock lock(mutex_);
    cache_.add_index(std::move(name), std::move(function));
  }

  void start() {
    {
      base::MutexLock lock(mutex_);
      if (started_) return;
      started_ = true;
    }
    post_cycle(base::Duration::zero());
  }

  void stop() {
    std::unique_ptr<WatchHandle> handle;
    {
      base::MutexLock lock(mutex_);
      stopped_ = true;
      handle = std::move(handle_);
    }
    handle.reset();
    base::UniqueLock lock(mutex_);
    pending_.clear();
    if (drainer_ == std::this_thread::get_id()) return;
    idle_.wait(lock.native(), [this]() NO_THREAD_SAFETY_ANALYSIS { return !calling_out_; });
  }

  bool has_synced() const {
    base::MutexLock lock(mutex_);
    return synced_;
  }
  int64_t revision() const {
    base::MutexLock lock(mutex_);
    return revision_;
  }
  void when_synced(base::Task callback) {
    {
      base::MutexLock lock(mutex_);
      if (!synced_) {
        on_synced_.push_back(std::move(callback));
        return;
      }
    }
    callback();
  }
  RawObject get(const ObjectKey& key) const {
    base::MutexLock lock(mutex_);
    return cache_.get(key);
  }
  std::vector<RawObject> list(std::string_view ns) const {
    base::MutexLock lock(mutex_);
    return cache_.list(ns);
  }
  std::vector<RawObject> by_index(std::string_view index, std::string_view value) const {
    base::MutexLock lock(mutex_);
    return cache_.by_index(index, value);
  }
  size_t size() const {
    base::MutexLock lock(mutex_);
    return cache_.size();
  }
  const schema::Resource& resource() const { return *options_.scope.resource; }

  void on_event(const WatchEvent& event) override {
    bool drain = false;
    {
      base::MutexLock lock(mutex_);
      if (stopped_) return;
      retry_ = kFirstRetry;
      if (event.type != WatchType::kBookmark) {
        drain = apply_locked(key_of(event.object), event.type == WatchType::kDeleted ? RawObject() : event.object,
                             event.object);
      }
      revision_ = std::max(revision_, event.revision);
    }
    if (drain) post_drain();
  }

  void on_end(const base::Error& error) override {
    const bool relist = error.reason == base::Reason::kExpired || error.reason == base::Reason::kGone;
    const bool gone = error.reason == base::Reason::kNotFound;
    {
      base::MutexLock lock(mutex_);
      if (stopped_) return;
      if (relist || gone) must_list_ = true;
      ended_ = true;
      if (!watching_) return;  // cycle() is still returning from watch() and will see ended_
      watching_ = false;
    }
    // The server's or the network's doing; a watch that just reached its time says kTimeout, and the next list tells
    // whether the resource has gone.
    if (!relist && !gone && error.reason != base::Reason::kTimeout)
      base::log::warning("watch ended", {{"resource", resource().name}, {"error", error.message}});
    const base::Duration asked = std::chrono::seconds(error.details ? error.details->retry_after_seconds : 0);
    post_cycle(std::max(next_retry(), asked));
  }

 private:
  struct Pending {
    ObjectKey key;
    RawObject before;
    RawObject after;
    bool synced_marker = false;
  };

  // Puts the change into the cache and the queue. True when the queue must be drained by a new task.
  bool apply_locked(ObjectKey key, const RawObject& object, const RawObject& last_state) REQUIRES(mutex_) {
    Pending change;
    change.before = cache_.put(key, object);
    if (!object && !change.before) return false;
    // The last state of a deleted object may be newer than what the cache had.
    if (!object && last_state) change.before = last_state;
    if (handlers_.empty()) return false;
    change.key = std::move(key);
    change.after = object;
    return enqueue_locked(std::move(change));
  }
  bool enqueue_locked(Pending change) REQUIRES(mutex_) {
    pending_.push_back(std::move(change));
    return !std::exchange(draining_, true);
  }

  void post_drain() {
    options_.executor->post([weak = weak_from_this()] {
      if (auto self = weak.lock()) self->drain();
    });
  }

  void drain() {
    for (;;) {
      std::deque<Pending> batch;
      {
        base::MutexLock lock(mutex_);
        if (stopped_ || pending_.empty()) {
          draining_ = false;
          return;
        }
        batch.swap(pending_);
        calling_out_ = true;
        drainer_ = std::this_thread::get_id();
      }
      for (const Pending& change : batch) deliver(change);
      base::MutexLock lock(mutex_);
      calling_out_ = false;
      drainer_ = {};
      idle_.notify_all();
    }
  }

  void deliver(const Pending& change) {
    std::vector<base::Task> callbacks;
    {
      base::MutexLock lock(mutex_);
      if (stopped_) return;
      if (change.synced_marker) {
        synced_ = true;
        callbacks.swap(on_synced_);
      }
    }
    for (base::Task& callback : callbacks) callback();
    if (change.synced_marker) return;
    for (const ChangeHandler& handler : handlers_) handler({change.key, change.before, change.after});
  }

  base::Duration next_retry() {
    base::MutexLock lock(mutex_);
    return std::exchange(retry_, std::min(retry_ * 2, kMaxRetry));
  }

  void post_cycle(base::Duration delay) {
    auto task = [weak = weak_from_this()] {
      if (auto self = weak.lock()) self->cycle();
    };
    if (delay <= base::Duration::zero()) return options_.executor->post(std::move(task));
    options_.executor->post_after(delay, std::move(task));
  }

  // One list (when needed) and the start of one watch.
  void cycle() {
    std::unique_ptr<WatchHandle> old;
    bool must_list = false;
    {
      base::MutexLock lock(mutex_);
      if (stopped_) return;
      old = std::move(handle_);
      must_list = must_list_;
      ended_ = false;
      watching_ = false;
    }
    old.reset();
    if (must_list) {
      const Listed listed = list_all();
      if (listed == Listed::kUnserved) return post_cycle(kUnservedRetry);
      if (listed == Listed::kFailed) return post_cycle(next_retry());
    }
    auto watch = transport_->watch(options_.scope, revision(), this);
    if (!watch) {
      const base::Reason reason = watch.error().reason;
      if (reason == base::Reason::kExpired || reason == base::Reason::kGone || reason == base::Reason::kNotFound) {
        base::MutexLock lock(mutex_);
        must_list_ = true;
      } else {
        base::log::warning("watch failed", {{"resource", resource().name}, {"error", watch.error().message}});
      }
      return post_cycle(next_retry());
    }
    bool again = false;
    {
      base::MutexLock lock(mutex_);
      if (!stopped_) {
        handle_ = std::move(*watch);
        again = ended_;
        watching_ = !again;
      }
    }
    if (again) post_cycle(next_retry());
  }

  enum class Listed : uint8_t { kDone, kFailed, kUnserved };
  Listed list_all() {
    auto listed = transport_->list(options_.scope);
    if (!listed && listed.error().reason == base::Reason::kNotFound) {
      note_unserved();
      return Listed::kUnserved;
    }
    if (!listed) {
      base::log::warning("list failed", {{"resource", resource().name}, {"error", listed.error().message}});
      return Listed::kFailed;
    }
    bool drain = false;
    {
      base::MutexLock lock(mutex_);
      unserved_ = false;
      drain = replace_locked(*listed);
    }
    if (drain) post_drain();
    return Listed::kDone;
  }

  // The server does not have the resource. What is known of its objects stays: nobody said that they are gone. Whoever
  // waits for the first list need not wait.
  void note_unserved() {
    bool drain = false;
    {
      base::MutexLock lock(mutex_);
      if (stopped_ || std::exchange(unserved_, true)) return;
      drain = mark_listed_locked();
    }
    if (drain) post_drain();
    base::log::info("the server does not serve a resource that is followed",
                    {{"resource", resource().name}, {"group", resource().group}, {"version", resource().version}});
  }

  // True when the queue must be drained by a new task.
  bool mark_listed_locked() REQUIRES(mutex_) {
    if (std::exchange(listed_once_, true)) return false;
    Pending marker;
    marker.synced_marker = true;
    return enqueue_locked(std::move(marker));
  }

  // Hands on the difference between the cache and a new list.
  bool replace_locked(const ListResult& listed) REQUIRES(mutex_) {
    bool drain = false;
    std::set<ObjectKey> gone;
    for (ObjectKey& key : cache_.keys()) gone.insert(std::move(key));
    for (const RawObject& object : listed.items) {
      ObjectKey key = key_of(object);
      gone.erase(key);
      const RawObject known = cache_.get(key);
      if (known && known.revision == object.revision) continue;
      drain |= apply_locked(std::move(key), object, object);
    }
    for (const ObjectKey& key : gone) drain |= apply_locked(key, {}, {});
    revision_ = listed.revision;
    must_list_ = false;
    drain |= mark_listed_locked();
    return drain;
  }

  const std::shared_ptr<Transport> transport_;
  const InformerOptions options_;
  std::vector<ChangeHandler> handlers_;  // fixed once started

  mutable base::Mutex mutex_;
  std::condition_variable idle_;
  Cache cache_ GUARDED_BY(mutex_);
  std::deque<Pending> pending_ GUARDED_BY(mutex_);
  std::vector<base::Task> on_synced_ GUARDED_BY(mutex_);
  std::unique_ptr<WatchHandle> handle_ GUARDED_BY(mutex_);
  std::thread::id drainer_ GUARDED_BY(mutex_);
  base::Duration retry_ GUARDED_BY(mutex_) = kFirstRetry;
  int64_t revision_ GUARDED_BY(mutex_) = 0;
  bool started_ GUARDED_BY(mutex_) = false;
  bool stopped_ GUARDED_BY(mutex_) = false;
  bool must_list_ GUARDED_BY(mutex_) = true;
  bool listed_once_ GUARDED_BY(mutex_) = false;
  bool unserved_ GUARDED_BY(mutex_) = false;  // as of the last list
  bool synced_ GUARDED_BY(mutex_) = false;
  bool watching_ GUARDED_BY(mutex_) = false;
  bool ended_ GUARDED_BY(mutex_) = false;
  bool draining_ GUARDED_BY(mutex_) = false;     // a drain task is posted or running
  bool calling_out_ GUARDED_BY(mutex_) = false;  // it is in handlers
};

Informer::Informer(std::shared_ptr<Transport> transport, InformerOptions options)
    : impl_(std::make_shared<Impl>(std::move(transport), std::move(options))) {}
Informer::~Informer() { stop(); }
void Informer::add_handler(ChangeHandler handler) { impl_->add_handler(std::move(handler)); }
void Informer::add_index(std::string name, IndexFunction function) {
  impl_->add_index(std::move(name), std::move(function));
}
void Informer::start() { impl_->start(); }
void Informer::stop() { impl_->stop(); }
bool Informer::has_synced() const { return impl_->has_synced(); }
int64_t Informer::revision() const { return impl_->revision(); }
void Informer::when_synced(base::Task callback) { impl_->when_synced(std::move(callback)); }
RawObject Informer::get(const ObjectKey& key) const { return impl_->get(key); }
std::vector<RawObject> Informer::list(std::string_view ns) const { return impl_->list(ns); }
std::vector<RawObject> Informer::by_index(std::string_view index, std::string_view value) const {
  return impl_->by_index(index, value);
}
size_t Informer::size() const { return impl_->size(); }
const schema::Resource& Informer::resource() const { return impl_->resource(); }

class InformerFactory::Impl {
 public:
  Impl(std::shared_ptr<Transport> transport, base::Executor* executor)
      : transport_(std::move(transport)), executor_(executor) {}

  Informer& get(const schema::Resource& resource) {
    auto& informer = informers_[&resource];
    if (!informer) {
      InformerOptions options;
      options.scope.resource = &resource;
      options.executor = executor_;
      informer = std::make_unique<Informer>(transport_, std::move(options));
    }
    return *informer;
  }
  void start() {
    for (auto& [resource, informer] : informers_) informer->start();
  }
  void stop() {
    for (auto& [resource, informer] : informers_) informer->stop();
  }
  bool all_synced() const {
    return std::ranges::all_of(informers_, [](const auto& entry) { return entry.second->has_synced(); });
  }
  void when_all_synced(base::Task callback) {
    struct Waiting {
      std::atomic<size_t> left;
      base::Task callback;
    };
    if (informers_.empty()) return callback();
    auto waiting = std::make_shared<Waiting>();
    waiting->left = informers_.size();
    waiting->callback = std::move(callback);
    for (auto& [resource, informer] : informers_) {
      informer->when_synced([waiting] {
        if (--waiting->left == 0) waiting->callback();
      });
    }
  }

 private:
  const std::shared_ptr<Transport> transport_;
  base::Executor* const executor_;
  std::map<const schema::Resource*, std::unique_ptr<Informer>> informers_;
};

InformerFactory::InformerFactory(std::shared_ptr<Transport> transport, base::Executor* executor)
    : impl_(std::make_unique<Impl>(std::move(transport), executor)) {}
InformerFactory::~InformerFactory() = default;
Informer& InformerFactory::get(const schema::Resource& resource) { return impl_->get(resource); }
void InformerFactory::start() { impl_->start(); }
void InformerFactory::stop() { impl_->stop(); }
bool InformerFactory::all_synced() const { return impl_->all_synced(); }
void InformerFactory::when_all_synced(base::Task callback) { impl_->when_all_synced(std::move(callback)); }

}  // namespace client
