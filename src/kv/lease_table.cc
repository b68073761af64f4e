#include "kv/lease_table.h"

#include <algorithm>
#include <utility>

#include "base/check.h"

namespace kv {

namespace {
using std::chrono::milliseconds;

int64_t unix_ms(base::WallTime time) {
  return std::chrono::duration_cast<milliseconds>(time.time_since_epoch()).count();
}
}  // namespace

const LeaseRecord* LeaseTable::find(int64_t id) const {
  auto found = leases_.find(id);
  return found == leases_.end() ? nullptr : &found->second.record;
}

const std::vector<base::SharedBytes>& LeaseTable::keys(int64_t id) const { return leases_.at(id).keys; }

base::Duration LeaseTable::remaining(int64_t id) const {
  return std::max(base::Duration::zero(), leases_.at(id).deadline - clock_.mono_now());
}

LeaseRecord LeaseTable::fresh(int64_t id, int64_t ttl_seconds) const {
  return {id, ttl_seconds, unix_ms(clock_.wall_now()) + ttl_seconds * 1000};
}

LeaseChange LeaseTable::put(LeaseRecord lease) {
  LeaseChange change{LeaseChange::Kind::kPut, lease, {}, {}};
  auto [found, inserted] = leases_.try_emplace(lease.id);
  Entry& entry = found->second;
  if (!inserted) {
    change.before = entry.record;
    deadlines_.erase({entry.deadline, lease.id});
  }
  // The deadline is kept as wall time across restarts. A clock set back must not lengthen it beyond the full length.
  constexpr int64_t kLongestMs = int64_t{100} * 365 * 86'400'000;  // nanoseconds would overflow
  int64_t full_ms = std::min(lease.ttl_seconds, kLongestMs / 1000) * 1000;
  int64_t left_ms = std::clamp(lease.deadline_unix_ms - unix_ms(clock_.wall_now()), int64_t{0}, full_ms);
  entry.record = lease;
  entry.deadline = clock_.mono_now() + milliseconds(left_ms);
  deadlines_.insert({entry.deadline, lease.id});
  return change;
}

LeaseChange LeaseTable::end(int64_t id) {
  auto found = leases_.find(id);
  CHECK(found != leases_.end());
  LeaseRecord record = found->second.record;
  LeaseChange change{LeaseChange::Kind::kEnd, record, record, std::move(found->second.keys)};
  deadlines_.erase({found->second.deadline, id});
  leases_.erase(found);
  return change;
}

void LeaseTable::undo(LeaseChange change) {
  if (!change.before) {
    end(change.lease.id);
    return;
  }
  put(*change.before);
  if (change.kind == LeaseChange::Kind::kEnd) leases_.at(change.lease.id).keys = std::move(change.keys_before);
}

void LeaseTable::attach(int64_t id, base::SharedBytes key) {
  auto found = leases_.find(id);
  if (found != leases_.end()) found->second.keys.push_back(std::move(key));
}

std::vector<int64_t> LeaseTable::due(base::MonoTime now) const {
  std::vector<int64_t> result;
  for (const auto& [deadline, id] : deadlines_) {
    if (deadline > now) break;
    result.push_back(id);
  }
  return result;
}

std::optional<base::MonoTime> LeaseTable::earliest() const {
  if (deadlines_.empty()) return std::nullopt;
  return deadlines_.begin()->first;
}

}  // namespace kv
