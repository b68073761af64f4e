#include "kv/mvcc_store.h"

#include <algorithm>
#include <utility>

#include "base/check.h"
#include "base/log.h"
#include "kv/limits.h"

namespace kv {

using base::fail;
using base::Reason;
using base::Result;

namespace {

WriteFailure refuse(Reason reason, std::string message, size_t index = 0) {
  return {WriteFailure::Kind::kRefused, index, {}, base::Error(reason, std::move(message))};
}

uint64_t bytes_of(const KeyValueRef& record) { return record ? record->key.size() + record->value.size() : 0; }

std::optional<WriteFailure> check_size(const Write& write, size_t index) {
  if (write.key.empty() || write.key.size() > kMaxKeyBytes) {
    return refuse(Reason::kInvalid, "a key has 1 to " + std::to_string(kMaxKeyBytes) + " bytes", index);
  }
  if (write.value && write.value->size() > kMaxValueBytes) {
    return refuse(Reason::kRequestEntityTooLarge, "a value has at most " + std::to_string(kMaxValueBytes) + " bytes",
                  index);
  }
  return std::nullopt;
}

// A write that would change nothing: the deletion of a key that is not there.
bool is_idle(const Write& write, const Tree& tree) { return !write.value && !tree.find(write.key.view()); }

}  // namespace

MvccStore::MvccStore(Environment environment, RecoveredState initial, std::unique_ptr<CommitLog> log)
    : environment_(environment),
      log_(std::move(log)),
      history_(initial.compacted_revision),
      leases_(environment.clock),
      dispatch_(environment.executor, [this] { dispatch(); }),
      commit_(environment.executor, [this] { commit(); }),
      maintenance_(environment.executor, [this] { maintain(); }),
      packing_(environment.executor, [this] { pack(); }),
      hub_(history_, [this] { dispatch_.schedule(); }) {
  adopt(std::move(initial));
  arm_maintenance();
  if (history_.wants_packing()) packing_.schedule();
}

void MvccStore::adopt(RecoveredState initial) {
  for (EventBatchPtr& batch : initial.history) history_.append(std::move(batch));
  base::MutexLock lock(mutex_);
  for (const auto& [id, lease] : initial.leases) leases_.put(lease);
  for (auto at = initial.tree.seek(""); !at.at_end(); at.next()) {
    live_bytes_ += bytes_of(at.record());
    if (at.record()->lease != 0) leases_.attach(at.record()->lease, at.record()->key);
  }
  durable_live_bytes_ = live_bytes_;
  accepted_ = durable_ = initial.tree;
  accepted_revision_ = initial.revision;
  if (!history_.empty()) {
    compact_at_ = environment_.clock.mono_now() + kCompactionInterval;
    compact_to_ = initial.revision;
  }
  base::MutexLock published_lock(published_mutex_);
  published_ = std::make_shared<const Snapshot>(std::move(initial.tree), initial.revision);
}

MvccStore::~MvccStore() {
  maintenance_.close();
  packing_.close();
  commit_.close();
  dispatch_.close();
  commit();
  dispatch();
}

SnapshotPtr MvccStore::snapshot() const {
  base::MutexLock lock(published_mutex_);
  return published_;
}

Result<SnapshotPtr> MvccStore::snapshot_at(int64_t revision) {
  SnapshotPtr newest = snapshot();
  if (revision > newest->revision()) {
    return fail(Reason::kTimeout, "revision " + std::to_string(revision) + " is not reached yet: the store is at " +
                                      std::to_string(newest->revision()));
  }
  return history_.rebuild(revision, newest);
}

KeyValueRef MvccStore::latest(std::string_view key) const {
  base::MutexLock lock(mutex_);
  const KeyValueRef* found = accepted_.find(key);
  return found ? *found : KeyValueRef();
}

int64_t MvccStore::accepted_revision() const {
  base::MutexLock lock(mutex_);
  return accepted_revision_;
}

std::optional<WriteFailure> MvccStore::refusal() const {
  if (health_ == Health::kStopped) {
    return refuse(Reason::kInternalError, "the store has stopped accepting writes: " + problem_);
  }
  if (pending_.bytes > kMaxPendingBytes) {
    return refuse(Reason::kTooManyRequests, "the store is behind with writing to disk; try again");
  }
  return std::nullopt;
}

std::optional<WriteFailure> MvccStore::check(const Write& write, size_t index) const {
  if (write.expected_mod_revision) {
    const KeyValueRef* current = accepted_.find(write.key.view());
    if ((current ? (*current)->mod_revision : 0) != *write.expected_mod_revision) {
      return WriteFailure{WriteFailure::Kind::kConflict, index, current ? *current : KeyValueRef(), {}};
    }
  }
  if (write.value && write.lease != 0 && !leases_.contains(write.lease)) {
    return refuse(Reason::kNotFound, "lease " + std::to_string(write.lease) + " does not exist", index);
  }
  return std::nullopt;
}

void MvccStore::apply(Write write, int64_t revision) {
  KeyValueRef record;
  KeyValueRef previous;
  uint64_t written = write.key.size();
  if (write.value) {
    const KeyValueRef* current = accepted_.find(write.key.view());
    KeyValue next{.create_revision = current ? (*current)->create_revision : revision,
                  .mod_revision = revision,
                  .version = current ? (*current)->version + 1 : 1,
                  .lease = write.lease};
    if (next.lease != 0 && (!current || (*current)->lease != next.lease)) leases_.attach(next.lease, write.key);
    // A key of its own for each version: a shared one, small among large values, would pin the page it was made in
    // long after the values beside it are gone.
    next.key = std::move(write.key);
    next.value = *std::move(write.value);
    written += next.value.size();
    record = KeyValueRef::make(std::move(next));
    previous = accepted_.set(record);
  } else {
    previous = accepted_.erase(write.key.view());
    record = KeyValueRef::make({.key = previous->key, .mod_revision = revision});
  }
  if (record->version != 0) live_bytes_ += bytes_of(record);
  live_bytes_ -= bytes_of(previous);
  pending_.bytes += written;
  pending_.events.push_back({std::move(record), std::move(previous)});
}

// Gives what was just put into pending_ its place in the order of tickets.
Ticket MvccStore::seal() {
  ++accepted_sequence_;
  if (pending_.first_sequence == 0) pending_.first_sequence = accepted_sequence_;
  pending_.last_sequence = accepted_sequence_;
  return {accepted_revision_, accepted_sequence_};
}

WriteResult MvccStore::write(Write write) {
  if (auto failure = check_size(write, 0)) return std::unexpected(*std::move(failure));
  Ticket ticket;
  {
    base::MutexLock lock(mutex_);
    std::optional<WriteFailure> failure = refusal();
    if (!failure) failure = check(write, 0);
    if (!failure && is_idle(write, accepted_)) failure = WriteFailure{WriteFailure::Kind::kConflict};
    if (failure) {
      conflicts_ += failure->kind == WriteFailure::Kind::kConflict;
      return std::unexpected(*std::move(failure));
    }
    apply(std::move(write), ++accepted_revision_);
    ++writes_;
    ticket = seal();
    if (in_callbacks_) return ticket;
  }
  commit_.schedule();
  return ticket;
}

WriteResult MvccStore::write_batch(std::vector<Write> writes) {
  if (writes.size() > kMaxBatchWrites) {
    return std::unexpected(refuse(Reason::kBadRequest, "too many writes in one transaction"));
  }
  std::vector<std::string_view> keys;
  for (size_t i = 0; i < writes.size(); ++i) {
    if (auto failure = check_size(writes[i], i)) return std::unexpected(*std::move(failure));
    keys.push_back(writes[i].key.view());
  }
  std::ranges::sort(keys);
  if (std::ranges::adjacent_find(keys) != keys.end()) {
    return std::unexpected(refuse(Reason::kBadRequest, "a transaction writes a key twice"));
  }
  Ticket ticket;
  {
    base::MutexLock lock(mutex_);
    std::optional<WriteFailure> failure = refusal();
    for (size_t i = 0; i < writes.size() && !failure; ++i) failure = check(writes[i], i);
    if (failure) {
      conflicts_ += failure->kind == WriteFailure::Kind::kConflict;
      return std::unexpected(*std::move(failure));
    }
    std::erase_if(writes, [this](const Write& write) NO_THREAD_SAFETY_ANALYSIS { return is_idle(write, accepted_); });
    if (writes.empty()) return Ticket{accepted_revision_, accepted_sequence_};
    ++accepted_revision_;
    for (Write& write : writes) apply(std::move(write), accepted_revision_);
    writes_ += writes.size();
    ticket = seal();
  }
  commit_.schedule();
  return ticket;
}

void MvccStore::when_durable(Ticket ticket, DurableCallback callback) {
  {
    base::MutexLock lock(mutex_);
    callbacks_.emplace(ticket.sequence, std::move(callback));
    if (ticket.sequence > dispatched_sequence_) return;
  }
  dispatch_.schedule();
}

Result<std::unique_ptr<Watch>> MvccStore::watch(std::string_view start, std::string_view end, int64_t from_revision,
                                                WatchSink* sink) {
  return hub_.add(start, end, from_revision, sink);
}

// ---- commit strand

void MvccStore::commit() {
  for (;;) {
    CommitBatch batch;
    {
      base::MutexLock lock(mutex_);
      if (pending_.first_sequence == 0) return;
      batch = std::exchange(pending_, {});
      batch.tree = accepted_;
      batch.revision = accepted_revision_;
      batch.live_bytes = live_bytes_;
    }
    if (log_) {
      std::expected<void, CommitFailure> appended = log_->append(batch);
      if (!appended) {
        give_up(std::move(batch), std::move(appended).error());
        continue;
      }
    }
    complete(std::move(batch));
  }
}

void MvccStore::complete(CommitBatch batch) {
  Completed completed{batch.last_sequence, {}, std::make_shared<const Snapshot>(batch.tree, batch.revision), {}};
  if (!batch.events.empty()) {
    batch.events.shrink_to_fit();
    completed.events = std::make_shared<const EventBatch>(std::move(batch.events));
  }
  {
    base::MutexLock lock(mutex_);
    durable_ = std::move(batch.tree);
    durable_live_bytes_ = batch.live_bytes;
    completed_.push_back(std::move(completed));
    ++batches_;
    if (health_ == Health::kDiskFull) {
      health_ = Health::kServing;
      problem_.clear();
    }
  }
  dispatch_.schedule();
}

// The batch is not durable, and what was accepted after it was checked against it: all of it goes. Revisions are not
// given out again, so that a caller that saw one of them in latest() cannot take a later write for it.
void MvccStore::give_up(CommitBatch batch, CommitFailure failure) {
  base::log::error("the store could not make writes durable", {{"error", failure.error.message}});
  bool unknown = failure.kind == CommitFailure::Kind::kStopped;
  std::vector<CommitBatch> lost;
  {
    base::MutexLock lock(mutex_);
    lost.push_back(std::exchange(pending_, {}));
    lost.push_back(std::move(batch));
    for (CommitBatch& each : lost) {
      for (auto change = each.lease_changes.rbegin(); change != each.lease_changes.rend(); ++change) {
        leases_.undo(std::move(*change));
      }
    }
    accepted_ = durable_;
    live_bytes_ = durable_live_bytes_;
    health_ = unknown ? Health::kStopped : Health::kDiskFull;
    problem_ = failure.error.message;
    int64_t first = lost[1].first_sequence, last = accepted_sequence_;
    base::Error error = failure.error;
    if (!unknown) error.message = "nothing was changed: " + error.message;
    remember_rejection(first, last, error);
    completed_.push_back({last, {}, {}, std::unexpected(std::move(error))});
  }
  dispatch_.schedule();
  arm_maintenance();
}

// Runs of equal rejections are one entry, so that a long time on a full disk costs no memory.
void MvccStore::remember_rejection(int64_t first, int64_t last, const base::Error& error) {
  if (!rejections_.empty()) {
    auto latest = std::prev(rejections_.end());
    if (latest->first + 1 == first && latest->second.error.message == error.message) {
      first = latest->second.first_sequence;
      rejections_.erase(latest);
    }
  }
  rejections_.emplace(last, Rejection{first, error});
}

// ---- dispatch strand

void MvccStore::dispatch() {
  for (;;) {
    hub_.catch_up(snapshot()->revision());
    std::vector<std::pair<DurableCallback, Result<void>>> ready;
    Completed completed;
    {
      base::MutexLock lock(mutex_);
      for (auto at = callbacks_.begin(); at != callbacks_.end() && at->first <= dispatched_sequence_;) {
        auto rejection = rejections_.lower_bound(at->first);
        bool rejected = rejection != rejections_.end() && rejection->second.first_sequence <= at->first;
        ready.emplace_back(std::move(at->second),
                           rejected ? Result<void>(std::unexpected(rejection->second.error)) : Result<void>());
        at = callbacks_.erase(at);
      }
      in_callbacks_ = !ready.empty();
      if (ready.empty()) {
        if (completed_.empty()) return;
        completed = std::move(completed_.front());
        completed_.pop_front();
      }
    }
    ready.empty() ? publish(std::move(completed)) : run_callbacks(std::move(ready));
  }
}

// Who waited often writes again at once: those writes are committed together, when all have been called.
void MvccStore::run_callbacks(std::vector<std::pair<DurableCallback, Result<void>>> ready) {
  for (auto& [callback, outcome] : ready) callback(std::move(outcome));
  {
    base::MutexLock lock(mutex_);
    in_callbacks_ = false;
    if (pending_.first_sequence == 0) return;
  }
  commit_.schedule();
}

void MvccStore::publish(Completed completed) {
  if (completed.events) history_.append(completed.events);  // before the snapshot: rebuild() undoes from that
  if (completed.snapshot) {
    SnapshotPtr old = completed.snapshot;
    base::MutexLock lock(published_mutex_);
    published_.swap(old);
  }
  if (completed.events) {
    hub_.deliver(*completed.events);
    history_.trim(kHistoryBytes);
    if (history_.wants_packing()) packing_.schedule();
  }
  bool arm = false;
  {
    base::MutexLock lock(mutex_);
    dispatched_sequence_ = completed.last_sequence;
    if (completed.events && compact_at_ == base::MonoTime::max()) {
      compact_at_ = environment_.clock.mono_now() + kCompactionInterval;
      compact_to_ = 0;
      arm = true;
    }
  }
  if (arm) arm_maintenance();
}

}  // namespace kv
