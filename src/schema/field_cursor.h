// Internal to the codecs: the field of a message by number, fast when numbers ascend as encoders write them.
#pragma once

#include "base/result.h"
#include "codec/wire.h"
#include "object/types.h"
#include "schema/tables.h"

namespace schema::internal {

class FieldCursor {
 public:
  explicit FieldCursor(const Message& message) : message_(message) {}

  // Null for an unknown number.
  const Field* find(uint32_t number) {
    size_t size = message_.by_number.size();
    if (at_ >= size || number_at(at_) > number) at_ = 0;
    while (at_ < size && number_at(at_) < number) ++at_;
    return at_ < size && number_at(at_) == number ? &message_.fields[message_.by_number[at_]] : nullptr;
  }

 private:
  uint32_t number_at(size_t i) const { return message_.fields[message_.by_number[i]].number; }
  const Message& message_;
  size_t at_ = 0;
};

// The wire type of one element of the field.
inline codec::WireType wire_type(const Field& field) {
  if (field.card == Card::kMap) return codec::WireType::kBytes;
  switch (field.type) {
    case Type::kBool:
    case Type::kInt32:
    case Type::kInt64:
      return codec::WireType::kVarint;
    case Type::kDouble:
      return codec::WireType::kFixed64;
    default:
      return codec::WireType::kBytes;
  }
}

// One key and value of a map field. A missing value has a null `value.data()`.
struct MapEntry {
  std::string_view key;
  std::string_view value;
};
inline bool read_map_entry(std::string_view bytes, MapEntry& entry) {
  codec::WireReader reader(bytes);
  while (!reader.done()) {
    uint32_t number;
    codec::WireType type;
    if (!reader.read_tag(number, type)) return false;
    if (number == 1 || number == 2) {
      if (type != codec::WireType::kBytes) return false;
      if (!reader.read_bytes(number == 1 ? entry.key : entry.value)) return false;
    } else if (!reader.skip(number, type)) {
      return false;
    }
  }
  return true;
}

// Seconds and nanoseconds of a Time or MicroTime message that is not empty. False = malformed.
inline bool read_timestamp(std::string_view bytes, int64_t& seconds, int32_t& nanos) {
  codec::WireReader reader(bytes);
  seconds = 0;
  nanos = 0;
  while (!reader.done()) {
    uint32_t number;
    codec::WireType type;
    if (!reader.read_tag(number, type)) return false;
    if (number == 1 || number == 2) {
      uint64_t value;
      if (type != codec::WireType::kVarint || !reader.read_varint(value)) return false;
      if (number == 1) seconds = static_cast<int64_t>(value);
      if (number == 2) nanos = static_cast<int32_t>(value);
    } else if (!reader.skip(number, type)) {
      return false;
    }
  }
  return true;
}

inline std::unexpected<base::Error> malformed(const Message& message, base::Reason reason) {
  return base::fail(reason, std::string("proto: malformed message ").append(message.proto_name));
}

// True for texts that are certainly canonical quantities ("100m", "1500", "1Gi"): those need no parsing. Compat: the
// text-kept rule of upstream, for digits without a dot.
bool plain_quantity(std::string_view text);

}  // namespace schema::internal
