// The retained past: batches of events in revision order, each event with the value it replaced, so that a watcher can
// start in the past and an old state can be rebuilt by undoing. The latest batches are kept as they are, older ones are
// packed (packed_events.h). Bounded by compaction. Thread: any; pack() one at a time.
#pragma once

#include <deque>
#include <list>
#include <memory>
#include <vector>

#include "base/mutex.h"
#include "kv/packed_events.h"
#include "kv/store.h"

namespace kv {

// Consecutive batches of history, as they are kept.
struct HistoryPiece {
  int64_t first_revision = 0;
  int64_t last_revision = 0;
  uint64_t bytes = 0;                          // retained
  EventBatchPtr batch;                         // one of the two
  std::shared_ptr<const PackedEvents> packed;  //
  EventBatchPtr open() const { return packed ? packed->unpack() : batch; }
  bool same(const HistoryPiece& other) const { return batch == other.batch && packed == other.packed; }
};

class History {
 public:
  explicit History(int64_t compacted_revision) : compacted_(compacted_revision) {}

  void append(EventBatchPtr batch);
  // The pieces that hold a revision >= from_revision. kExpired when some of that is compacted.
  base::Result<std::vector<HistoryPiece>> from(int64_t from_revision) const;
  // The state at `revision`, by undoing from `newest`; remembered while it is among the last few asked for.
  base::Result<SnapshotPtr> rebuild(int64_t revision, const SnapshotPtr& newest);
  void compact(int64_t revision);
  // Compacts the oldest pieces until at most `limit` bytes are retained.
  void trim(uint64_t limit);

  // So much is unpacked that pack() is worth a call.
  bool wants_packing() const;
  // Packs all but the latest. Long; nothing waits for it.
  void pack();

  int64_t compacted_revision() const;
  uint64_t retained_bytes() const;
  uint64_t compactions() const;
  bool empty() const;

 private:
  struct Pinned {
    SnapshotPtr snapshot;
    uint64_t bytes = 0;  // of its own: values that came out of packed pieces
  };
  void compact_locked(int64_t revision) REQUIRES(mutex_);
  void pin(Pinned pinned) REQUIRES(mutex_);
  std::vector<EventBatchPtr> to_pack() const;
  void settle(std::span<const EventBatchPtr> batches, std::shared_ptr<const PackedEvents> packed);

  mutable base::Mutex mutex_;
  std::deque<HistoryPiece> pieces_ GUARDED_BY(mutex_);
  size_t settled_ GUARDED_BY(mutex_) = 0;            // pieces at the front that pack() has dealt with
  uint64_t unsettled_bytes_ GUARDED_BY(mutex_) = 0;  // of the others
  std::list<Pinned> pinned_ GUARDED_BY(mutex_);      // last used first
  int64_t compacted_ GUARDED_BY(mutex_);
  uint64_t bytes_ GUARDED_BY(mutex_) = 0;
  uint64_t compactions_ GUARDED_BY(mutex_) = 0;
};

}  // namespace kv
