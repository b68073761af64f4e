// The retained past: batches of events in revision order, each event with the value it replaced, so that a watcher can
// start in the past and an old state can be rebuilt by undoing. Bounded by compaction. Thread: any.
#pragma once

#include <deque>
#include <list>
#include <memory>
#include <vector>

#include "base/mutex.h"
#include "kv/store.h"

namespace kv {

struct EventBatch {
  std::vector<Event> events;  // not empty; revisions do not fall
  int64_t first_revision() const { return events.front().revision(); }
  int64_t last_revision() const { return events.back().revision(); }
  uint64_t retained_bytes() const;  // what keeping it costs: replaced values and a fixed part per event
};
using EventBatchPtr = std::shared_ptr<const EventBatch>;

class History {
 public:
  explicit History(int64_t compacted_revision) : compacted_(compacted_revision) {}

  void append(EventBatchPtr batch);
  // The batches that hold a revision >= from_revision. kExpired when some of that is compacted.
  base::Result<std::vector<EventBatchPtr>> from(int64_t from_revision) const;
  // The state at `revision`, by undoing from `newest`; remembered while it is among the last few asked for.
  base::Result<SnapshotPtr> rebuild(int64_t revision, const SnapshotPtr& newest);
  void compact(int64_t revision);
  // Compacts the oldest batches until at most `limit` bytes are retained.
  void trim(uint64_t limit);

  int64_t compacted_revision() const;
  uint64_t retained_bytes() const;
  uint64_t compactions() const;
  bool empty() const;

 private:
  void compact_locked(int64_t revision) REQUIRES(mutex_);
  mutable base::Mutex mutex_;
  std::deque<EventBatchPtr> batches_ GUARDED_BY(mutex_);
  std::list<SnapshotPtr> pinned_ GUARDED_BY(mutex_);  // last used first
  int64_t compacted_ GUARDED_BY(mutex_);
  uint64_t bytes_ GUARDED_BY(mutex_) = 0;
  uint64_t compactions_ GUARDED_BY(mutex_) = 0;
};

}  // namespace kv
