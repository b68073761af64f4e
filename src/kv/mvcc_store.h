// The core shared by the stores of this process: accepts writes against the newest state, hands batches to a commit
// log, and publishes what is durable to snapshots, history, watchers and callbacks, in that order.
//
// Two strands on the given executor: *commit* takes whatever has queued up and makes it durable with one fsync;
// *dispatch* publishes. A third, *maintenance*, runs lease expiry and compaction when a timer says so, and a fourth,
// *packing*, packs history that has grown; nothing runs when nothing is due. State is guarded by one mutex, which is
// never held while calling out.
#pragma once

#include <deque>
#include <limits>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/executor.h"
#include "base/mutex.h"
#include "base/rng.h"
#include "kv/history.h"
#include "kv/lease_table.h"
#include "kv/store.h"
#include "kv/strand.h"
#include "kv/watch_hub.h"

namespace kv {

// What a store needs from outside. All outlive the store. The executor has at least three threads for the store's use
// (one may wait for the disk while another publishes and a third writes a snapshot), or is a test's, run by hand.
struct Environment {
  base::Clock& clock;
  base::Executor& executor;
  base::Rng& rng;
  const Signer* signer = nullptr;  // null: every signature is unknown
};

// Everything that one fsync makes durable.
struct CommitBatch {
  std::vector<Event> events;
  std::vector<LeaseChange> lease_changes;
  uint64_t bytes = 0;          // of the keys and values written
  int64_t first_sequence = 0;  // tickets
  int64_t last_sequence = 0;
  int64_t revision = 0;  // of the state afterwards
  uint64_t live_bytes = 0;
  Tree tree;  // the state afterwards
};

struct CommitFailure {
  enum class Kind : uint8_t {
    kNothingWritten,  // for want of space: the batch is certainly not in the log, and later ones may fit
    kStopped,         // the outcome is not known, or the log cannot be trusted any more
  };
  Kind kind;
  base::Error error;
};

// Where batches become durable. Called from the commit strand only.
class CommitLog {
 public:
  virtual ~CommitLog() = default;
  virtual std::expected<void, CommitFailure> append(const CommitBatch& batch) = 0;
  // Adds what it knows to the status. Any thread.
  virtual void describe(StoreStatus& status) const = 0;
};

// What a store starts from: built by recovery, or empty.
struct RecoveredState {
  Tree tree;
  int64_t revision = 1;  // Compat: etcd's first write has revision 2
  int64_t compacted_revision = 0;
  std::deque<EventBatchPtr> history;  // revisions in (compacted_revision, revision]
  uint64_t history_bytes = 0;
  std::map<int64_t, LeaseRecord> leases;
};

class MvccStore final : public Store {
 public:
  // `log` null: memory only, every batch is "durable" at once.
  MvccStore(Environment environment, RecoveredState initial, std::unique_ptr<CommitLog> log);
  // Makes what was accepted durable, if it can, and calls every callback.
  ~MvccStore() override;

  SnapshotPtr snapshot() const override;
  base::Result<SnapshotPtr> snapshot_at(int64_t revision) override;
  KeyValueRef latest(std::string_view key) const override;
  int64_t accepted_revision() const override;
  WriteResult write(Write write) override;
  WriteResult write_batch(std::vector<Write> writes) override;
  void when_durable(Ticket ticket, DurableCallback callback) override;
  base::Result<std::unique_ptr<Watch>> watch(std::string_view start, std::string_view end, int64_t from_revision,
                                             WatchSink* sink) override;
  base::Result<LeaseGrant> grant_lease(std::chrono::seconds ttl, int64_t id) override;
  base::Result<Ticket> keep_lease_alive(int64_t id) override;
  base::Result<Ticket> revoke_lease(int64_t id) override;
  base::Result<LeaseInfo> lease(int64_t id) const override;
  base::Result<void> compact(int64_t revision) override;
  int64_t compacted_revision() const override { return history_.compacted_revision(); }
  StoreStatus status() const override;

 private:
  // A batch that is done with, for the dispatch strand.
  struct Completed {
    int64_t last_sequence;
    EventBatchPtr events;  // null: none, or given up
    SnapshotPtr snapshot;  // null: given up
    base::Result<void> outcome;
  };
  struct Rejection {
    int64_t first_sequence;
    base::Error error;
  };

  void adopt(RecoveredState initial);
  // --- accepting (any thread)
  std::optional<WriteFailure> refusal() const REQUIRES(mutex_);
  std::optional<WriteFailure> check(const Write& write, size_t index) const REQUIRES(mutex_);
  void apply(Write write, int64_t revision) REQUIRES(mutex_);
  Ticket seal() REQUIRES(mutex_);
  void end_lease(int64_t id) REQUIRES(mutex_);
  base::Result<void> lease_problem(int64_t id) const REQUIRES(mutex_);
  // --- commit strand
  void commit();
  void complete(CommitBatch batch);
  void give_up(CommitBatch batch, CommitFailure failure);
  void remember_rejection(int64_t first, int64_t last, const base::Error& error) REQUIRES(mutex_);
  // --- dispatch strand
  void dispatch();
  void publish(Completed completed);
  void run_callbacks(std::vector<std::pair<DurableCallback, base::Result<void>>> ready);
  // --- maintenance strand
  void maintain();
  void pack();
  void forget(int64_t revision);
  void arm_maintenance();

  const Environment environment_;
  const std::unique_ptr<CommitLog> log_;
  History history_;

  mutable base::Mutex published_mutex_;  // held for a pointer copy only
  SnapshotPtr published_ GUARDED_BY(published_mutex_);

  mutable base::Mutex mutex_;
  Tree accepted_ GUARDED_BY(mutex_);
  int64_t accepted_revision_ GUARDED_BY(mutex_) = 0;
  int64_t accepted_sequence_ GUARDED_BY(mutex_) = 0;
  uint64_t live_bytes_ GUARDED_BY(mutex_) = 0;
  CommitBatch pending_ GUARDED_BY(mutex_);
  Tree durable_ GUARDED_BY(mutex_);  // what accepted_ falls back to
  uint64_t durable_live_bytes_ GUARDED_BY(mutex_) = 0;
  LeaseTable leases_ GUARDED_BY(mutex_);
  std::deque<Completed> completed_ GUARDED_BY(mutex_);
  int64_t dispatched_sequence_ GUARDED_BY(mutex_) = 0;
  std::multimap<int64_t, DurableCallback> callbacks_ GUARDED_BY(mutex_);  // by sequence
  std::map<int64_t, Rejection> rejections_ GUARDED_BY(mutex_);            // by last sequence
  bool in_callbacks_ GUARDED_BY(mutex_) = false;  // the dispatch strand schedules the commit when they are done
  Health health_ GUARDED_BY(mutex_) = Health::kServing;
  std::string problem_ GUARDED_BY(mutex_);
  uint64_t writes_ GUARDED_BY(mutex_) = 0;
  uint64_t conflicts_ GUARDED_BY(mutex_) = 0;
  uint64_t batches_ GUARDED_BY(mutex_) = 0;
  base::MonoTime timer_at_ GUARDED_BY(mutex_) = base::MonoTime::max();
  base::MonoTime compact_at_ GUARDED_BY(mutex_) = base::MonoTime::max();
  int64_t compact_to_ GUARDED_BY(mutex_) = 0;  // the visible revision one interval ago

  Strand dispatch_;
  Strand commit_;
  Strand maintenance_;
  Strand packing_;
  WatchHub hub_;
};

// A store without a disk, for tests and throw-away clusters.
std::unique_ptr<Store> make_memory_store(Environment environment);

}  // namespace kv
