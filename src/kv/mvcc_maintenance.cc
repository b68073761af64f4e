// The part of MvccStore that is not the path of a write: leases, compaction, status.
#include <algorithm>
#include <utility>

#include "base/check.h"
#include "base/memory.h"
#include "kv/limits.h"
#include "kv/mvcc_store.h"

namespace kv {

using base::fail;
using base::Reason;
using base::Result;

namespace {
constexpr base::Duration kTimerGrain = std::chrono::milliseconds(100);
constexpr base::Duration kRetryExpiry = std::chrono::seconds(1);  // while the disk is full
}  // namespace

Result<LeaseGrant> MvccStore::grant_lease(std::chrono::seconds ttl, int64_t id) {
  if (ttl.count() < kMinLeaseSeconds || ttl.count() > kMaxLeaseSeconds) {
    return fail(Reason::kInvalid, "a lease lasts " + std::to_string(kMinLeaseSeconds) + " to " +
                                      std::to_string(kMaxLeaseSeconds) + " seconds");
  }
  LeaseGrant grant{id, {}};
  {
    base::MutexLock lock(mutex_);
    if (auto failure = refusal()) return fail(std::move(failure->error));
    if (leases_.contains(id)) return fail(Reason::kAlreadyExists, "lease " + std::to_string(id) + " already exists");
    while (grant.id == 0 || leases_.contains(grant.id)) {
      grant.id = static_cast<int64_t>(environment_.rng.next() >> 1);
    }
    pending_.lease_changes.push_back(leases_.put(leases_.fresh(grant.id, ttl.count())));
    grant.ticket = seal();
  }
  commit_.schedule();
  arm_maintenance();
  return grant;
}

Result<void> MvccStore::lease_problem(int64_t id) const {
  if (auto failure = refusal()) return fail(std::move(failure->error));
  if (!leases_.contains(id)) return fail(Reason::kNotFound, "lease " + std::to_string(id) + " does not exist");
  return {};
}

Result<Ticket> MvccStore::keep_lease_alive(int64_t id) {
  Ticket ticket;
  {
    base::MutexLock lock(mutex_);
    TRY(lease_problem(id));
    pending_.lease_changes.push_back(leases_.put(leases_.fresh(id, leases_.find(id)->ttl_seconds)));
    ticket = seal();
  }
  commit_.schedule();
  arm_maintenance();
  return ticket;
}

Result<Ticket> MvccStore::revoke_lease(int64_t id) {
  Ticket ticket;
  {
    base::MutexLock lock(mutex_);
    TRY(lease_problem(id));
    end_lease(id);
    ticket = seal();
  }
  commit_.schedule();
  return ticket;
}

// Deletes the keys that still have the lease, under one revision, and then the lease.
void MvccStore::end_lease(int64_t id) {
  LeaseChange change = leases_.end(id);
  int64_t revision = accepted_revision_ + 1;
  for (const base::SharedBytes& key : change.keys_before) {
    const KeyValueRef* current = accepted_.find(key.view());
    if (!current || (*current)->lease != id) continue;
    accepted_revision_ = revision;
    apply(Write{.key = key}, revision);
    ++writes_;
  }
  pending_.lease_changes.push_back(std::move(change));
}

Result<LeaseInfo> MvccStore::lease(int64_t id) const {
  base::MutexLock lock(mutex_);
  const LeaseRecord* record = leases_.find(id);
  if (!record) return fail(Reason::kNotFound, "lease " + std::to_string(id) + " does not exist");
  LeaseInfo info{id, record->ttl_seconds, leases_.remaining(id), {}};
  for (const base::SharedBytes& key : leases_.keys(id)) {
    const KeyValueRef* current = accepted_.find(key.view());
    if (current && (*current)->lease == id) info.keys.push_back(key);
  }
  auto by_view = [](const base::SharedBytes& a, const base::SharedBytes& b) { return a.view() < b.view(); };
  std::ranges::sort(info.keys, by_view);
  auto same = [](const base::SharedBytes& a, const base::SharedBytes& b) { return a.view() == b.view(); };
  info.keys.erase(std::unique(info.keys.begin(), info.keys.end(), same), info.keys.end());
  return info;
}

Result<void> MvccStore::compact(int64_t revision) {
  int64_t visible = snapshot()->revision();
  if (revision > visible) {
    return fail(Reason::kTimeout, "cannot compact to revision " + std::to_string(revision) + ": the store is at " +
                                      std::to_string(visible));
  }
  if (revision <= history_.compacted_revision()) {
    return fail(Reason::kExpired, "revision " + std::to_string(revision) + " is compacted already");
  }
  history_.compact(revision);
  return {};
}

// The values of a burst of writes lie together; when history lets go of them, the allocator may keep their pages.
void MvccStore::forget(int64_t revision) {
  const uint64_t before = history_.retained_bytes();
  history_.compact(revision);
  if (before > history_.retained_bytes() + kGiveBackBytes) base::release_free_memory();
}

void MvccStore::pack() {
  history_.pack();
  uint64_t live_bytes = 0;
  {
    base::MutexLock lock(mutex_);
    live_bytes = live_bytes_;
  }
  history_.trim(std::clamp(packed_history_share(live_bytes), kLeastHistoryBytes, kHistoryBytes));
}

void MvccStore::maintain() {
  base::MonoTime now = environment_.clock.mono_now();
  int64_t compact_to = 0;
  bool accepted = false;
  {
    base::MutexLock lock(mutex_);
    if (timer_at_ > now) return;  // a timer that was overtaken: the right one is still to come
    timer_at_ = base::MonoTime::max();
    if (!refusal()) {
      for (int64_t id : leases_.due(now)) {
        end_lease(id);
        seal();
        accepted = true;
      }
    }
    if (compact_at_ <= now) {
      compact_to = std::exchange(compact_to_, snapshot()->revision());
      compact_at_ = base::MonoTime::max();
    }
  }
  if (accepted) commit_.schedule();
  if (compact_to > 0) forget(compact_to);
  if (!history_.empty()) {
    base::MutexLock lock(mutex_);
    if (compact_at_ == base::MonoTime::max()) compact_at_ = now + kCompactionInterval;
  }
  arm_maintenance();
}

// One timer at a time for whatever is due first. A timer that was overtaken by an earlier one finds nothing to do.
void MvccStore::arm_maintenance() {
  base::Duration delay;
  {
    base::MutexLock lock(mutex_);
    if (health_ == Health::kStopped) return;
    base::MonoTime now = environment_.clock.mono_now();
    base::MonoTime due = std::min(compact_at_, leases_.earliest().value_or(base::MonoTime::max()));
    if (due == base::MonoTime::max()) return;
    due = std::max(due, now + (health_ == Health::kDiskFull ? kRetryExpiry : kTimerGrain));
    if (due >= timer_at_) return;
    timer_at_ = due;
    delay = due - now;
  }
  maintenance_.schedule_after(delay);
}

StoreStatus MvccStore::status() const {
  StoreStatus status;
  status.revision = snapshot()->revision();
  status.compacted_revision = history_.compacted_revision();
  status.history_bytes = history_.retained_bytes();
  status.compactions_total = history_.compactions();
  status.watches = hub_.watches();
  status.watch_events_total = hub_.events_delivered();
  {
    base::MutexLock lock(mutex_);
    status.health = health_;
    status.problem = problem_;
    status.accepted_revision = accepted_revision_;
    status.keys = accepted_.size();
    status.live_bytes = live_bytes_;
    status.leases = leases_.size();
    status.writes_total = writes_;
    status.conflicts_total = conflicts_;
    status.batches_total = batches_;
  }
  if (log_) log_->describe(status);
  return status;
}

std::unique_ptr<Store> make_memory_store(Environment environment) {
  return std::make_unique<MvccStore>(environment, RecoveredState{.tree = Tree(environment.signer)}, nullptr);
}

}  // namespace kv
