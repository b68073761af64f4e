#include "kv/batch_codec.h"

#include <algorithm>
#include <memory>
#include <string>
#include <utility>

#include "kv/limits.h"
#include "kv/wire.h"

namespace kv {

using base::fail;
using base::Reason;
using base::Result;

namespace {

enum class Operation : uint8_t { kPut = 1, kDelete = 2, kLeasePut = 3, kLeaseEnd = 4 };

void encode_event(std::string& out, const Event& event) {
  out.push_back(static_cast<char>(event.is_delete() ? Operation::kDelete : Operation::kPut));
  put_varint(out, static_cast<uint64_t>(event.revision()));
  put_string(out, event.kv->key.view());
  if (event.is_delete()) return;
  put_varint(out, static_cast<uint64_t>(event.kv->lease));
  put_string(out, event.kv->value.view());
}

void encode_lease_change(std::string& out, const LeaseChange& change) {
  bool put = change.kind == LeaseChange::Kind::kPut;
  out.push_back(static_cast<char>(put ? Operation::kLeasePut : Operation::kLeaseEnd));
  put_varint(out, static_cast<uint64_t>(change.lease.id));
  if (!put) return;
  put_varint(out, static_cast<uint64_t>(change.lease.ttl_seconds));
  put_varint(out, static_cast<uint64_t>(change.lease.deadline_unix_ms));
}

// Reads one operation after its code.
class Applier {
 public:
  Applier(Reader& reader, RecoveredState& state) : reader_(reader), state_(state) {}

  Result<void> event(Operation operation) {
    auto revision = static_cast<int64_t>(reader_.varint());
    std::string_view key = reader_.string();
    auto lease = operation == Operation::kPut ? static_cast<int64_t>(reader_.varint()) : 0;
    std::string_view value = operation == Operation::kPut ? reader_.string() : std::string_view();
    // Events of one transaction share a revision; otherwise revisions rise.
    if (!reader_.ok() || key.empty() || revision < std::max(state_.revision, first_allowed_)) {
      return fail(Reason::kInternalError, "a record holds an operation that cannot be");
    }
    state_.revision = revision;
    const KeyValueRef* current = state_.tree.find(key);
    if (operation == Operation::kDelete) return erase(current, key, revision);
    KeyValue next{.key = base::SharedBytes(key),  // its own, as in MvccStore::apply
                  .value = base::SharedBytes(value),
                  .create_revision = current ? (*current)->create_revision : revision,
                  .mod_revision = revision,
                  .version = current ? (*current)->version + 1 : 1,
                  .lease = lease};
    KeyValueRef record = KeyValueRef::make(std::move(next));
    KeyValueRef previous = state_.tree.set(record);
    events_.push_back({std::move(record), std::move(previous)});
    return {};
  }

  void lease_change(Operation operation) {
    LeaseRecord lease{.id = static_cast<int64_t>(reader_.varint())};
    if (operation == Operation::kLeaseEnd) {
      state_.leases.erase(lease.id);
      return;
    }
    lease.ttl_seconds = static_cast<int64_t>(reader_.varint());
    lease.deadline_unix_ms = static_cast<int64_t>(reader_.varint());
    if (reader_.ok()) state_.leases[lease.id] = lease;
  }

  std::vector<Event> take_events() { return std::move(events_); }

 private:
  Result<void> erase(const KeyValueRef* current, std::string_view key, int64_t revision) {
    if (!current) return fail(Reason::kInternalError, "a record deletes a key that does not exist");
    KeyValueRef record = KeyValueRef::make({.key = (*current)->key, .mod_revision = revision});
    events_.push_back({std::move(record), state_.tree.erase(key)});
    return {};
  }

  Reader& reader_;
  RecoveredState& state_;
  const int64_t first_allowed_ = state_.revision + 1;
  std::vector<Event> events_;
};

}  // namespace

void encode_batch(std::string& out, const CommitBatch& batch) {
  for (const Event& event : batch.events) encode_event(out, event);
  for (const LeaseChange& change : batch.lease_changes) encode_lease_change(out, change);
}

Result<void> apply_batch(std::string_view payload, RecoveredState& state) {
  Reader reader(payload);
  Applier applier(reader, state);
  while (!reader.at_end()) {
    auto operation = static_cast<Operation>(reader.byte());
    switch (operation) {
      case Operation::kPut:
      case Operation::kDelete:
        TRY(applier.event(operation));
        break;
      case Operation::kLeasePut:
      case Operation::kLeaseEnd:
        applier.lease_change(operation);
        break;
      default:
        return fail(Reason::kInternalError, "a record holds an operation of unknown kind");
    }
  }
  if (!reader.ok()) return fail(Reason::kInternalError, "a record ends within an operation");
  std::vector<Event> events = applier.take_events();
  if (events.empty()) return {};
  auto batch = std::make_shared<EventBatch>();
  batch->events = std::move(events);
  batch->events.shrink_to_fit();
  state.history_bytes += batch->retained_bytes();
  state.history.push_back(std::move(batch));
  while (state.history_bytes > kHistoryBytes) {
    state.history_bytes -= state.history.front()->retained_bytes();
    state.compacted_revision = state.history.front()->last_revision();
    state.history.pop_front();
  }
  return {};
}

}  // namespace kv
