#include "kv/watch_hub.h"

#include <algorithm>
#include <utility>

#include "base/check.h"
#include "kv/limits.h"

namespace kv {

struct WatchHub::Watcher {
  std::string start, end;
  int64_t from_revision;
  WatchSink* sink;
  std::vector<HistoryPiece> backlog;  // history at registration; the dispatch strand's from then on
  size_t replayed = 0;                // of the backlog; the dispatch strand's, like the next
  std::vector<Event> scratch;         // events of the batch in delivery
  bool cancelled = false;             // guarded by the hub's mutex
  bool indexed = false;               // guarded by the hub's mutex

  bool wants(const Event& event) const {
    std::string_view key = event.kv->key.view();
    return event.revision() >= from_revision && key >= start && (end.empty() || key < end);
  }
  bool is_exact() const { return end.size() == start.size() + 1 && end.back() == '\0' && end.starts_with(start); }
  bool is_prefix() const { return end == prefix_end(start); }
};

class WatchHub::Handle final : public Watch {
 public:
  Handle(WatchHub& hub, WatcherPtr watcher) : hub_(hub), watcher_(std::move(watcher)) {}
  ~Handle() override { hub_.cancel(watcher_); }
  void request_progress() override { hub_.request_progress(watcher_); }

 private:
  WatchHub& hub_;
  const WatcherPtr watcher_;
};

WatchHub::~WatchHub() {
  base::MutexLock lock(mutex_);
  CHECK(watches_ == 0);  // a Watch is destroyed before its store
}

base::Result<std::unique_ptr<Watch>> WatchHub::add(std::string_view start, std::string_view end, int64_t from_revision,
                                                   WatchSink* sink) {
  auto watcher = std::make_shared<Watcher>();
  watcher->start = start;
  watcher->end = end;
  watcher->from_revision = from_revision;
  watcher->sink = sink;
  TRY_ASSIGN(watcher->backlog, history_.from(from_revision));
  {
    base::MutexLock lock(mutex_);
    joining_.push_back(watcher);
    ++watches_;
  }
  wake_();
  return std::make_unique<Handle>(*this, std::move(watcher));
}

void WatchHub::catch_up(int64_t revision) {
  std::vector<WatcherPtr> joining, want_progress;
  {
    base::MutexLock lock(mutex_);
    joining.swap(joining_);
    want_progress.swap(want_progress_);
  }
  replay(joining, revision);
  for (const WatcherPtr& watcher : joining) {
    base::MutexLock lock(mutex_);
    if (!watcher->cancelled) index(watcher);
  }
  for (const WatcherPtr& watcher : want_progress) {
    call_sink(*watcher, [&](WatchSink& sink) { sink.on_progress(revision); });
  }
}

// History as it was at registration may lack what was published since; that is in history now, unless it was compacted
// in the meantime.
bool WatchHub::complete_backlog(Watcher& watcher, int64_t revision) {
  const int64_t next = watcher.backlog.empty() ? watcher.from_revision : watcher.backlog.back().last_revision + 1;
  if (next > revision) return true;
  base::Result<std::vector<HistoryPiece>> rest = history_.from(next);
  if (rest) {
    watcher.backlog.insert(watcher.backlog.end(), rest->begin(), rest->end());
    return true;
  }
  call_sink(watcher, [&](WatchSink& sink) { sink.on_cancelled(rest.error()); });
  base::MutexLock lock(mutex_);
  watcher.cancelled = true;
  return false;
}

// All together, piece by piece: so each piece of history is opened once, however many watch again after a break.
void WatchHub::replay(const std::vector<WatcherPtr>& joining, int64_t revision) {
  std::vector<WatcherPtr> behind;
  for (const WatcherPtr& watcher : joining) {
    if (complete_backlog(*watcher, revision)) behind.push_back(watcher);
  }
  for (;;) {
    std::erase_if(behind, [&](const WatcherPtr& watcher) {
      if (watcher->replayed < watcher->backlog.size()) return false;
      finish_replay(*watcher, revision);
      return true;
    });
    if (behind.empty()) return;
    auto next_of = [](const WatcherPtr& watcher) -> const HistoryPiece& { return watcher->backlog[watcher->replayed]; };
    const HistoryPiece piece = next_of(*std::ranges::min_element(
        behind, {}, [&](const WatcherPtr& watcher) { return next_of(watcher).first_revision; }));
    const EventBatchPtr batch = piece.open();
    std::erase_if(behind, [&](const WatcherPtr& watcher) {
      return next_of(watcher).same(piece) && !replay_piece(*watcher, piece, *batch);
    });
  }
}

// False when the watch has ended.
bool WatchHub::replay_piece(Watcher& watcher, const HistoryPiece& piece, const EventBatch& batch) {
  watcher.backlog[watcher.replayed++] = {};
  std::ranges::copy_if(batch.events, std::back_inserter(watcher.scratch),
                       [&](const Event& event) { return watcher.wants(event); });
  // A later piece may begin earlier, when pieces were packed into one meanwhile.
  watcher.from_revision = std::max(watcher.from_revision, piece.last_revision + 1);
  // What was unpacked is not kept for longer than needed.
  if (watcher.scratch.empty() || (!piece.packed && watcher.scratch.size() < kWatchReplayEvents)) return true;
  const bool alive = call_sink(watcher, [&](WatchSink& sink) { sink.on_events(watcher.scratch, piece.last_revision); });
  watcher.scratch.clear();
  return alive;
}

void WatchHub::finish_replay(Watcher& watcher, int64_t revision) {
  watcher.backlog = {};
  bool alive = true;
  if (!watcher.scratch.empty()) {
    alive = call_sink(watcher, [&](WatchSink& sink) { sink.on_events(watcher.scratch, revision); });
    watcher.scratch.clear();
  }
  if (alive) call_sink(watcher, [&](WatchSink& sink) { sink.on_progress(revision); });
}

void WatchHub::deliver(const EventBatch& batch) {
  std::vector<WatcherPtr> matched, of_event;
  {
    base::MutexLock lock(mutex_);
    for (const Event& event : batch.events) {
      of_event.clear();
      match(event, of_event);
      for (const WatcherPtr& watcher : of_event) {
        if (!watcher->wants(event)) continue;
        if (watcher->scratch.empty()) matched.push_back(watcher);
        watcher->scratch.push_back(event);
        ++delivered_;
      }
    }
  }
  for (const WatcherPtr& watcher : matched) {
    call_sink(*watcher, [&](WatchSink& sink) { sink.on_events(watcher->scratch, batch.last_revision()); });
    watcher->scratch.clear();
  }
}

void WatchHub::match(const Event& event, std::vector<WatcherPtr>& matched) {
  std::string key(event.kv->key.view());
  if (auto found = by_exact_key_.find(key); found != by_exact_key_.end()) matched = found->second;
  matched.insert(matched.end(), by_range_.begin(), by_range_.end());
  for (auto of_length = by_prefix_.rbegin(); of_length != by_prefix_.rend(); ++of_length) {
    if (of_length->first > key.size()) continue;
    key.resize(of_length->first);
    auto found = of_length->second.find(key);
    if (found != of_length->second.end()) matched.insert(matched.end(), found->second.begin(), found->second.end());
  }
}

void WatchHub::index(const WatcherPtr& watcher) {
  watcher->indexed = true;
  if (watcher->is_exact()) {
    by_exact_key_[watcher->start].push_back(watcher);
  } else if (watcher->is_prefix()) {
    by_prefix_[watcher->start.size()][watcher->start].push_back(watcher);
  } else {
    by_range_.push_back(watcher);
  }
}

void WatchHub::unindex(const Watcher& watcher) {
  auto drop = [&](std::vector<WatcherPtr>& from) {
    std::erase_if(from, [&](const WatcherPtr& other) { return other.get() == &watcher; });
    return from.empty();
  };
  if (watcher.is_exact()) {
    if (drop(by_exact_key_[watcher.start])) by_exact_key_.erase(watcher.start);
  } else if (watcher.is_prefix()) {
    ByKey& of_length = by_prefix_[watcher.start.size()];
    if (drop(of_length[watcher.start])) of_length.erase(watcher.start);
    if (of_length.empty()) by_prefix_.erase(watcher.start.size());
  } else {
    drop(by_range_);
  }
}

bool WatchHub::call_sink(Watcher& watcher, FunctionRef<void(WatchSink&)> call) {
  {
    base::MutexLock lock(mutex_);
    if (watcher.cancelled) return false;
    in_call_ = &watcher;
    call_thread_ = std::this_thread::get_id();
  }
  call(*watcher.sink);
  bool alive;
  {
    base::MutexLock lock(mutex_);
    in_call_ = nullptr;
    alive = !watcher.cancelled;
  }
  call_done_.notify_all();
  return alive;
}

void WatchHub::cancel(const WatcherPtr& watcher) {
  base::UniqueLock lock(mutex_);
  watcher->cancelled = true;
  if (watcher->indexed) unindex(*watcher);
  std::erase(joining_, watcher);
  std::erase(want_progress_, watcher);
  --watches_;
  if (call_thread_ == std::this_thread::get_id()) return;  // from within the sink's own call
  call_done_.wait(lock.native(), [&]() NO_THREAD_SAFETY_ANALYSIS { return in_call_ != watcher.get(); });
}

void WatchHub::request_progress(const WatcherPtr& watcher) {
  {
    base::MutexLock lock(mutex_);
    want_progress_.push_back(watcher);
  }
  wake_();
}

uint64_t WatchHub::watches() const {
  base::MutexLock lock(mutex_);
  return watches_;
}

uint64_t WatchHub::events_delivered() const {
  base::MutexLock lock(mutex_);
  return delivered_;
}

}  // namespace kv
