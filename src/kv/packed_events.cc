#include "kv/packed_events.h"

#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>

#include "base/check.h"
#include "kv/repeats.h"
#include "kv/wire.h"

namespace kv {

namespace {

constexpr uint64_t kEventBytes = 128;  // batch, event and record headers, about

// What an event replaced.
enum class Replaced : uint8_t {
  kNothing,
  kHere,     // a record follows
  kEarlier,  // what an earlier event of the pack wrote: its number follows
};

void put_record(std::string& out, const KeyValue& record) {
  put_varint(out, static_cast<uint64_t>(record.create_revision));
  put_varint(out, static_cast<uint64_t>(record.mod_revision));
  put_varint(out, static_cast<uint64_t>(record.version));
  put_varint(out, static_cast<uint64_t>(record.lease));
  put_string(out, record.value.view());
}

KeyValueRef read_record(Reader& reader, std::string_view key) {
  KeyValue record{.key = base::SharedBytes(key)};
  record.create_revision = static_cast<int64_t>(reader.varint());
  record.mod_revision = static_cast<int64_t>(reader.varint());
  record.version = static_cast<int64_t>(reader.varint());
  record.lease = static_cast<int64_t>(reader.varint());
  record.value = base::SharedBytes(reader.string());
  return KeyValueRef::make(std::move(record));
}

}  // namespace

uint64_t EventBatch::retained_bytes() const {
  uint64_t total = 0;
  for (const Event& event : events) {
    total += kEventBytes + (event.previous ? event.previous->key.size() + event.previous->value.size() : 0);
  }
  return total;
}

uint64_t PackedEvents::text_bytes(const EventBatch& batch) {
  uint64_t total = batch.retained_bytes();
  for (const Event& event : batch.events) total += event.kv->value.size();
  return total;
}

PackedEvents::PackedEvents(std::span<const EventBatchPtr> batches) {
  uint64_t bytes = 0;
  for (const EventBatchPtr& batch : batches) bytes += text_bytes(*batch);
  std::string text;
  text.reserve(bytes);
  std::unordered_map<std::string_view, std::pair<const KeyValue*, size_t>> written;  // last of each key, and by whom
  for (const EventBatchPtr& batch : batches) {
    for (const Event& event : batch->events) {
      const std::string_view key = event.kv->key.view();
      put_string(text, key);
      auto& [last, number] = written[key];
      if (!event.previous) {
        text.push_back(static_cast<char>(Replaced::kNothing));
      } else if (last == event.previous.get()) {
        text.push_back(static_cast<char>(Replaced::kEarlier));
        put_varint(text, number);
      } else {
        text.push_back(static_cast<char>(Replaced::kHere));
        put_record(text, *event.previous);
      }
      put_record(text, *event.kv);
      last = event.kv.get();
      number = count_++;
    }
  }
  text_bytes_ = text.size();
  packed_ = base::SharedBytes(pack_repeats(text));
}

EventBatchPtr PackedEvents::unpack() const {
  const std::string text = unpack_repeats(packed_.view(), text_bytes_);
  auto batch = std::make_shared<EventBatch>();
  batch->events.reserve(count_);
  for (Reader reader(text); batch->events.size() < count_;) {
    const std::string_view key = reader.string();
    Event event;
    const auto replaced = static_cast<Replaced>(reader.byte());
    if (replaced == Replaced::kHere) event.previous = read_record(reader, key);
    if (replaced == Replaced::kEarlier) event.previous = batch->events[reader.varint()].kv;
    event.kv = read_record(reader, key);
    CHECK(reader.ok());
    batch->events.push_back(std::move(event));
  }
  return batch;
}

}  // namespace kv
