// Leases and the keys attached to them. Attachment is remembered loosely: a key is listed from when it took the lease,
// and whoever ends the lease checks that the key still has it. Thread: none of its own; the owner locks.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <unordered_map>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "kv/store.h"

namespace kv {

// What is durable of a lease.
struct LeaseRecord {
  int64_t id = 0;
  int64_t ttl_seconds = 0;
  int64_t deadline_unix_ms = 0;
};

// One change, with what undoes it.
struct LeaseChange {
  enum class Kind : uint8_t { kPut, kEnd };
  Kind kind = Kind::kPut;
  LeaseRecord lease;
  std::optional<LeaseRecord> before;
  std::vector<base::SharedBytes> keys_before;  // of an ended lease
};

class LeaseTable {
 public:
  explicit LeaseTable(const base::Clock& clock) : clock_(clock) {}
  bool contains(int64_t id) const { return leases_.contains(id); }
  size_t size() const { return leases_.size(); }
  // Null when there is no such lease.
  const LeaseRecord* find(int64_t id) const;
  const std::vector<base::SharedBytes>& keys(int64_t id) const;  // the lease exists
  base::Duration remaining(int64_t id) const;                    // the lease exists
  // A record of full length from now.
  LeaseRecord fresh(int64_t id, int64_t ttl_seconds) const;
  LeaseChange put(LeaseRecord lease);
  LeaseChange end(int64_t id);  // the lease exists
  void undo(LeaseChange change);
  void attach(int64_t id, base::SharedBytes key);
  std::vector<int64_t> due(base::MonoTime now) const;
  std::optional<base::MonoTime> earliest() const;

 private:
  struct Entry {
    LeaseRecord record;
    base::MonoTime deadline;
    std::vector<base::SharedBytes> keys;
  };
  const base::Clock& clock_;
  std::unordered_map<int64_t, Entry> leases_;
  std::set<std::pair<base::MonoTime, int64_t>> deadlines_;
};

}  // namespace kv
