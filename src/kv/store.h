// The store port: every object of the control plane lives behind this interface, whatever keeps it (a log on this
// machine, an etcd cluster, memory). One contract suite (contract_test.cc) runs on every implementation.
//
// Invariants: every write has one revision, growing by one per accepted write (a gap appears only after the disk was
// full); a write is visible to snapshots and watchers, and its callback runs, only when it is on stable storage; a
// watcher sees every change of its range once and in order; after a failed fsync nothing is accepted any more, reads go
// on. Threads: any thread may call anything. Sinks and callbacks run one at a time on the store's dispatch strand; they
// must not block, and may call back into the store. A Snapshot may outlive the store; a Watch may not.
#pragma once

#include <chrono>
#include <cstdint>
#include <expected>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "kv/tree.h"

namespace kv {

// A borrowed callable, for visitors: valid during the call it is passed to.
template <typename Signature>
class FunctionRef;
template <typename R, typename... Args>
class FunctionRef<R(Args...)> {
 public:
  template <typename F>
    requires(!std::is_same_v<std::remove_cvref_t<F>, FunctionRef>)
  FunctionRef(F&& callable)  // NOLINT(google-explicit-constructor): so that a lambda is passed as it is
      : object_(const_cast<void*>(static_cast<const void*>(&callable))), call_([](void* object, Args... args) -> R {
          return (*static_cast<std::remove_reference_t<F>*>(object))(std::forward<Args>(args)...);
        }) {}
  R operator()(Args... args) const { return call_(object_, std::forward<Args>(args)...); }

 private:
  void* object_;
  R (*call_)(void*, Args...);
};

enum class Visit : uint8_t { kContinue, kStop };
using Visitor = FunctionRef<Visit(const KeyValueRef&)>;

// The end of the range of all keys with this prefix: [prefix, prefix_end(prefix)). Empty ("no end") for an empty
// prefix.
std::string prefix_end(std::string_view prefix);

// The whole state at one revision, immutable. In every range an empty `end` means "to the last key".
class Snapshot {
 public:
  Snapshot(Tree tree, int64_t revision) : tree_(std::move(tree)), revision_(revision) {}
  int64_t revision() const { return revision_; }
  // Null when the key does not exist. Lives as long as the snapshot.
  const KeyValue* get(std::string_view key) const;
  // The same as a handle that may outlive the snapshot.
  KeyValueRef get_ref(std::string_view key) const;
  // Calls the visitor for the keys of [start, end) in order until it says stop.
  void range(std::string_view start, std::string_view end, Visitor visitor) const;
  // The same for the keys whose signatures cover one of `wanted`; the others are passed at a few nanoseconds each.
  void range_covering(std::string_view start, std::string_view end, std::span<const Signature> wanted,
                      Visitor visitor) const;
  // O(log n).
  size_t count(std::string_view start, std::string_view end) const { return tree_.count(start, end); }
  size_t size() const { return tree_.size(); }
  const Tree& tree() const { return tree_; }

 private:
  Tree tree_;
  int64_t revision_;
};
using SnapshotPtr = std::shared_ptr<const Snapshot>;

struct Write {
  base::SharedBytes key;
  std::optional<base::SharedBytes> value;  // none: delete
  // The mod_revision that the key must have; 0: it must not exist; none: whatever it has.
  std::optional<int64_t> expected_mod_revision;
  int64_t lease = 0;  // the key is deleted when this lease ends
};

// An accepted write. `sequence` orders everything accepted, leases too; use it only to pass the ticket back.
struct Ticket {
  int64_t revision = 0;
  int64_t sequence = 0;
};

// Why a write was not accepted. Nothing has changed.
struct WriteFailure {
  enum class Kind : uint8_t {
    kConflict,  // a precondition failed, or a delete found no key: `current` is what is there, null for nothing
    kRefused,   // `error` says why: a limit, an unknown lease, a store that has stopped
  };
  Kind kind = Kind::kRefused;
  size_t index = 0;     // which write of the batch
  KeyValueRef current;  // the newest accepted state of the key, for kConflict
  base::Error error;
};
using WriteResult = std::expected<Ticket, WriteFailure>;

using DurableCallback = std::move_only_function<void(base::Result<void>)>;

struct Event {
  KeyValueRef kv;        // a deletion has version 0, no value, and the revision of the deletion
  KeyValueRef previous;  // null when the key did not exist
  bool is_delete() const { return kv->version == 0; }
  int64_t revision() const { return kv->mod_revision; }
};

class WatchSink {
 public:
  virtual ~WatchSink() = default;
  // Events of the range, in order; afterwards everything of the range up to `revision` has been delivered.
  virtual void on_events(std::span<const Event> events, int64_t revision) = 0;
  // Everything of the range up to `revision` has been delivered: once when history is caught up with, and after each
  // Watch::request_progress().
  virtual void on_progress(int64_t revision) = 0;
  // The watch has ended: history it still needed is compacted (kExpired). Nothing follows.
  virtual void on_cancelled(const base::Error& error) = 0;
};

// Destroying it ends the watch: the sink is not called any more once the destructor has returned (from within the
// sink's own call, once that call has returned). Destroyed before the store.
class Watch {
 public:
  virtual ~Watch() = default;
  // Asks for one on_progress, soon.
  virtual void request_progress() = 0;
};

struct LeaseInfo {
  int64_t id = 0;
  int64_t ttl_seconds = 0;
  std::chrono::nanoseconds remaining{};
  std::vector<base::SharedBytes> keys;
};
struct LeaseGrant {
  int64_t id = 0;
  Ticket ticket;
};

enum class Health : uint8_t {
  kServing,
  kDiskFull,  // the last write failed for want of space; the next that fits ends this
  kStopped,   // a failed fsync or a broken log: reads only, until a restart
};

struct StoreStatus {
  Health health = Health::kServing;
  std::string problem;            // empty when serving
  int64_t revision = 0;           // visible
  int64_t accepted_revision = 0;  // newest handed out
  int64_t compacted_revision = 0;
  uint64_t keys = 0;
  uint64_t live_bytes = 0;     // keys and values of the newest state
  uint64_t history_bytes = 0;  // superseded values and event records
  uint64_t leases = 0;
  uint64_t watches = 0;
  uint64_t writes_total = 0;        // accepted
  uint64_t conflicts_total = 0;     // refused by a precondition
  uint64_t batches_total = 0;       // made durable, one fsync each
  uint64_t watch_events_total = 0;  // delivered
  uint64_t compactions_total = 0;
  uint64_t snapshots_total = 0;  // written to disk since start
  uint64_t log_bytes = 0;        // in the segments that recovery would read
  uint64_t disk_bytes = 0;       // all files of the data directory
  uint64_t last_sync_nanoseconds = 0;
};

class Store {
 public:
  virtual ~Store() = default;

  // The newest visible state. One short pointer copy; never waits for a writer.
  virtual SnapshotPtr snapshot() const = 0;
  // The state at an older revision, for continue tokens. kExpired: compacted. kTimeout: not reached yet.
  virtual base::Result<SnapshotPtr> snapshot_at(int64_t revision) = 0;
  // The newest accepted state of a key, durable or not; null when it does not exist. For preconditions, not for
  // answers.
  virtual KeyValueRef latest(std::string_view key) const = 0;
  virtual int64_t accepted_revision() const = 0;

  // Checks the precondition against the newest accepted state, gives the revision and returns at once.
  virtual WriteResult write(Write write) = 0;
  // All or nothing under one revision; every precondition is checked against the state before the batch. A key may
  // occur once. Unlike write(), an unconditional delete of a missing key is not a conflict but does nothing.
  virtual WriteResult write_batch(std::vector<Write> writes) = 0;
  // Calls back once what the ticket stands for is on stable storage, visible and delivered to watchers; with an error
  // if it was given up: kServiceUnavailable (certainly not written) or kOutcomeUnknown.
  virtual void when_durable(Ticket ticket, DurableCallback callback) = 0;

  // Changes of [start, end) with revision >= from_revision: history first, then live. kExpired: that is compacted.
  virtual base::Result<std::unique_ptr<Watch>> watch(std::string_view start, std::string_view end,
                                                     int64_t from_revision, WatchSink* sink) = 0;

  // Leases have no revision; the deletions that their end causes have. An id of 0 lets the store choose one.
  virtual base::Result<LeaseGrant> grant_lease(std::chrono::seconds ttl, int64_t id = 0) = 0;
  virtual base::Result<Ticket> keep_lease_alive(int64_t id) = 0;
  virtual base::Result<Ticket> revoke_lease(int64_t id) = 0;
  virtual base::Result<LeaseInfo> lease(int64_t id) const = 0;

  // Forgets history at or below the revision: reads and watches from before it get kExpired.
  virtual base::Result<void> compact(int64_t revision) = 0;
  virtual int64_t compacted_revision() const = 0;
  virtual StoreStatus status() const = 0;
};

}  // namespace kv
