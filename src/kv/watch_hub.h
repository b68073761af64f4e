// Delivers committed events to watchers. A watcher is found by its range: prefix ranges and single keys by hash, so an
// event costs the number of distinct prefix lengths plus its own watchers; ranges of other shapes are tried one by one.
// Threads: add() and the handle's members from any thread; catch_up() and deliver() from the dispatch strand only.
// No lock is held while a sink runs.
#pragma once

#include <condition_variable>
#include <map>
#include <memory>
#include <string>
#include <thread>
#include <unordered_map>
#include <vector>

#include "base/mutex.h"
#include "kv/history.h"
#include "kv/store.h"

namespace kv {

class WatchHub {
 public:
  // `wake` schedules the dispatch strand.
  WatchHub(History& history, std::function<void()> wake) : history_(history), wake_(std::move(wake)) {}
  ~WatchHub();

  base::Result<std::unique_ptr<Watch>> add(std::string_view start, std::string_view end, int64_t from_revision,
                                           WatchSink* sink);
  // Replays history to new watchers and answers requests for progress; `revision` is the visible one.
  void catch_up(int64_t revision);
  void deliver(const EventBatch& batch);

  uint64_t watches() const;
  uint64_t events_delivered() const;

 private:
  struct Watcher;
  class Handle;
  using WatcherPtr = std::shared_ptr<Watcher>;
  using ByKey = std::unordered_map<std::string, std::vector<WatcherPtr>>;

  bool complete_backlog(Watcher& watcher, int64_t revision);
  void replay(const std::vector<WatcherPtr>& joining, int64_t revision);
  bool replay_piece(Watcher& watcher, const HistoryPiece& piece, const EventBatch& batch);
  void finish_replay(Watcher& watcher, int64_t revision);
  void index(const WatcherPtr& watcher) REQUIRES(mutex_);
  void unindex(const Watcher& watcher) REQUIRES(mutex_);
  void cancel(const WatcherPtr& watcher);
  void request_progress(const WatcherPtr& watcher);
  void match(const Event& event, std::vector<WatcherPtr>& matched) REQUIRES(mutex_);
  // Runs `call` unless the watch has ended; the handle's destructor waits meanwhile. False when it has ended.
  bool call_sink(Watcher& watcher, FunctionRef<void(WatchSink&)> call);

  History& history_;
  const std::function<void()> wake_;
  mutable base::Mutex mutex_;
  std::condition_variable call_done_;
  std::vector<WatcherPtr> joining_ GUARDED_BY(mutex_);
  std::vector<WatcherPtr> want_progress_ GUARDED_BY(mutex_);
  std::map<size_t, ByKey> by_prefix_ GUARDED_BY(mutex_);  // prefix length → prefix → watchers
  ByKey by_exact_key_ GUARDED_BY(mutex_);
  std::vector<WatcherPtr> by_range_ GUARDED_BY(mutex_);
  const Watcher* in_call_ GUARDED_BY(mutex_) = nullptr;
  std::thread::id call_thread_ GUARDED_BY(mutex_);
  uint64_t watches_ GUARDED_BY(mutex_) = 0;
  uint64_t delivered_ GUARDED_BY(mutex_) = 0;
};

}  // namespace kv
