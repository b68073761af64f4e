// Internal to the codecs: the field of a message by number, fast when numbers ascend as encoders write them.
#pragma once

#include "base/result.h"
#include "codec/wire.h"
#include "object/types.h"
#include "schema/tables.h"

namespace schema::internal {

class FieldCursor {
 public:
  explicit FieldCursor(const Message& message)
      : begin_(message.by_number.data()), end_(begin_ + message.by_number.size()), at_(begin_) {}

  // Null for an unknown number.
  const FieldStep* find(uint32_t number) {
    if (at_ == end_ || at_->number > number) at_ = begin_;
    while (at_ != end_ && at_->number < number) ++at_;
    return at_ != end_ && at_->number == number ? at_ : nullptr;
  }

 private:
  const FieldStep* begin_;
  const FieldStep* end_;
  const FieldStep* at_;
};

// The wire type of one element of the field.
template <typename FieldOrStep>
inline codec::WireType wire_type(const FieldOrStep& field) {
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
