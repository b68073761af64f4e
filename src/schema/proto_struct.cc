#include "schema/proto_struct.h"

#include <bit>
#include <cstring>
#include <map>
#include <optional>
#include <vector>

#include "base/box.h"
#include "base/check.h"
#include "object/quantity.h"
#include "object/types.h"
#include "schema/field_cursor.h"
#include "schema/limits.h"

namespace schema {
namespace internal {

bool plain_quantity(std::string_view text) {
  size_t digits = 0;
  while (digits < text.size() && text[digits] >= '0' && text[digits] <= '9') ++digits;
  if (digits == 0 || digits > 15) return false;
  if (text == "0") return true;
  if (text[0] == '0') return false;
  std::string_view suffix = text.substr(digits);
  if (suffix.empty() || suffix == "m" || suffix == "k" || suffix == "M" || suffix == "G") {
    return digits < 3 || text.substr(digits - 3, 3) != "000";
  }
  // Below 1024 nothing divides by 1024, and from 1Ki on the binary form stays.
  if (suffix == "Ki" || suffix == "Mi" || suffix == "Gi") return digits <= 3;
  return false;
}

}  // namespace internal

namespace {
using codec::ReverseWireWriter;
using codec::WireReader;
using codec::WireType;
using internal::FieldCursor;

template <typename T>
const T& as(const void* member) {
  return *static_cast<const T*>(member);
}
template <typename T>
T& as(void* member) {
  return *static_cast<T*>(member);
}

// ---- encoding, from the last byte to the first ----

void write_message(const Message& message, const void* object, ReverseWireWriter& out);

// One field of the message that is being written.
struct Member {
  const Message& message;
  const FieldStep& step;
  const void* value;

  const Field& field() const { return message.fields[step.field]; }
};

template <typename T>
uint64_t varint_of(T value) {
  return static_cast<uint64_t>(static_cast<int64_t>(value));  // negative int32 take ten bytes, as upstream's
}

template <typename T>
void write_varints(const Member& member, ReverseWireWriter& out) {
  const FieldStep& step = member.step;
  if (step.card == Card::kRepeated) {
    const auto& values = as<std::vector<T>>(member.value);
    for (size_t i = values.size(); i-- > 0;) out.varint_field(step.number, varint_of<T>(values[i]));
  } else if (step.presence) {
    const auto& value = as<std::optional<T>>(member.value);
    if (value) out.varint_field(step.number, varint_of(*value));
  } else {
    out.varint_field(step.number, varint_of(as<T>(member.value)));
  }
}

void write_double(const Member& member, ReverseWireWriter& out) {
  const FieldStep& step = member.step;
  CHECK(step.card == Card::kSingular);
  if (!step.presence) return out.fixed64_field(step.number, std::bit_cast<uint64_t>(as<double>(member.value)));
  const auto& value = as<std::optional<double>>(member.value);
  if (value) out.fixed64_field(step.number, std::bit_cast<uint64_t>(*value));
}

void write_strings(const Member& member, ReverseWireWriter& out) {
  const FieldStep& step = member.step;
  if (step.card == Card::kRepeated) {
    const auto& values = as<std::vector<std::string>>(member.value);
    for (size_t i = values.size(); i-- > 0;) out.bytes_field(step.number, values[i]);
  } else if (step.card == Card::kMap) {
    const auto& values = as<std::map<std::string, std::string>>(member.value);
    for (auto at = values.rbegin(); at != values.rend(); ++at) {
      size_t mark = out.size();
      out.bytes_field(2, at->second);
      out.bytes_field(1, at->first);
      out.message_header(step.number, mark);
    }
  } else if (step.presence) {
    const auto& value = as<std::optional<std::string>>(member.value);
    if (value) out.bytes_field(step.number, *value);
  } else {
    out.bytes_field(step.number, as<std::string>(member.value));
  }
}

void write_nested(const Field& field, uint32_t number, const void* object, ReverseWireWriter& out) {
  size_t mark = out.size();
  write_message(*field.message, object, out);
  out.message_header(number, mark);
}

// Most members of most messages are empty, which a Box of any type shows alike: no need for its table's functions.
bool is_empty_box(const Member& member) {
  static_assert(sizeof(base::Box<int>) == sizeof(void*));
  if (member.step.card != Card::kSingular || !member.step.presence) return false;
  const void* pointer;
  std::memcpy(static_cast<void*>(&pointer), member.value, sizeof(pointer));
  return pointer == nullptr;
}

void write_messages(const Member& to, ReverseWireWriter& out) {
  if (is_empty_box(to)) return;
  const Field& field = to.field();
  const void* member = to.value;
  if (field.card == Card::kRepeated) {
    for (size_t i = field.vector_ops->size(member); i-- > 0;) {
      write_nested(field, field.number, field.vector_ops->at(member, i), out);
    }
  } else if (field.card == Card::kMap) {
    struct Context {
      const Field& field;
      ReverseWireWriter& out;
    } context{field, out};
    field.map_ops->each_reverse(member, &context, [](void* untyped, std::string_view key, const void* value) {
      auto& [map_field, writer] = *static_cast<Context*>(untyped);
      size_t mark = writer.size();
      write_nested(map_field, 2, value, writer);
      writer.bytes_field(1, key);
      writer.message_header(map_field.number, mark);
    });
  } else if (field.presence) {
    const void* nested = field.message->ops->box_get(member);
    if (nested) write_nested(field, field.number, nested, out);
  } else {
    write_nested(field, field.number, member, out);
  }
}

void write_time(int64_t seconds, int32_t nanos, ReverseWireWriter& out) {
  out.varint_field(2, varint_of(nanos));
  out.varint_field(1, varint_of(seconds));
}

void write_message(const Message& message, const void* object, ReverseWireWriter& out) {
  if (message.special == Special::kTime) {
    const auto& time = as<object::Time>(object);
    if (!time.zero()) write_time(time.seconds, 0, out);
    return;
  }
  if (message.special == Special::kMicroTime) {
    const auto& time = as<object::MicroTime>(object);
    if (!time.zero()) write_time(time.seconds, time.nanos / 1000 * 1000, out);
    return;
  }
  if (message.special == Special::kQuantity) {
    const std::string& text = as<object::Quantity>(object).string;
    return out.bytes_field(1, text.empty() ? std::string_view("0") : std::string_view(text));
  }
  for (size_t i = message.by_number.size(); i-- > 0;) {
    const FieldStep& step = message.by_number[i];
    const Member member{message, step, static_cast<const char*>(object) + step.offset};
    switch (step.type) {
      case Type::kBool:
        if (step.presence) {
          const auto& value = as<std::optional<bool>>(member.value);
          if (value) out.varint_field(step.number, *value);
        } else {
          out.varint_field(step.number, as<bool>(member.value));
        }
        break;
      case Type::kInt32:
        write_varints<int32_t>(member, out);
        break;
      case Type::kInt64:
        write_varints<int64_t>(member, out);
        break;
      case Type::kDouble:
        write_double(member, out);
        break;
      case Type::kString:
      case Type::kBytes:
        write_strings(member, out);
        break;
      case Type::kMessage:
        write_messages(member, out);
        break;
    }
  }
}

// ---- decoding ----

class Decoder {
 public:
  // False: malformed; `error_` says more when it is not empty.
  bool message(const Message& message, std::string_view bytes, void* object, int depth);
  std::string& error() { return error_; }

 private:
  bool field(const Message& message, const FieldStep& step, WireType type, WireReader& reader, void* member, int depth);
  // `rest` stands behind `bytes`.
  bool bytes_field(const Field& field, std::string_view bytes, const WireReader& rest, void* member, int depth);
  bool map_entry(const Field& field, std::string_view bytes, void* member, int depth);
  bool packed(const FieldStep& field, std::string_view bytes, void* member);
  bool quantity(std::string_view bytes, object::Quantity& quantity);

  std::string error_;
};

void set_varint(const FieldStep& field, uint64_t value, void* member) {
  switch (field.type) {
    case Type::kBool:
      if (field.presence) {
        as<std::optional<bool>>(member) = value != 0;
      } else {
        as<bool>(member) = value != 0;
      }
      return;
    case Type::kInt32:
      if (field.card == Card::kRepeated) {
        as<std::vector<int32_t>>(member).push_back(static_cast<int32_t>(value));
      } else if (field.presence) {
        as<std::optional<int32_t>>(member) = static_cast<int32_t>(value);
      } else {
        as<int32_t>(member) = static_cast<int32_t>(value);
      }
      return;
    default:
      if (field.card == Card::kRepeated) {
        as<std::vector<int64_t>>(member).push_back(static_cast<int64_t>(value));
      } else if (field.presence) {
        as<std::optional<int64_t>>(member) = static_cast<int64_t>(value);
      } else {
        as<int64_t>(member) = static_cast<int64_t>(value);
      }
  }
}

bool Decoder::packed(const FieldStep& field, std::string_view bytes, void* member) {
  WireReader reader(bytes);
  while (!reader.done()) {
    uint64_t value;
    if (!reader.read_varint(value)) return false;
    set_varint(field, value, member);
  }
  return true;
}

bool Decoder::quantity(std::string_view bytes, object::Quantity& quantity) {
  internal::MapEntry entry;  // a message of one string has the shape of a map entry's key
  if (!internal::read_map_entry(bytes, entry)) return false;
  if (entry.key.data() == nullptr) return true;  // unset
  if (internal::plain_quantity(entry.key)) {
    quantity.string.assign(entry.key);
    return true;
  }
  auto parsed = object::parse_quantity(entry.key);
  if (!parsed) {
    error_ = parsed.error().message;
    return false;
  }
  quantity = *std::move(parsed);
  return true;
}

bool Decoder::map_entry(const Field& field, std::string_view bytes, void* member, int depth) {
  internal::MapEntry entry;
  if (!internal::read_map_entry(bytes, entry)) return false;
  if (field.type == Type::kMessage) {
    return message(*field.message, entry.value, field.map_ops->emplace(member, entry.key), depth);
  }
  auto& map = as<std::map<std::string, std::string>>(member);
  map.insert_or_assign(map.end(), std::string(entry.key), std::string(entry.value));
  return true;
}

// How many elements of the field stand at the reader, up to a bound that hostile bytes cannot make costly.
size_t count_run(const Field& field, WireReader reader) {
  constexpr size_t kBound = 64;
  size_t count = 0;
  uint32_t number;
  WireType type;
  std::string_view skipped;
  while (count < kBound && !reader.done() && reader.read_tag(number, type) && number == field.number &&
         type == WireType::kBytes && reader.read_bytes(skipped)) {
    ++count;
  }
  return count;
}

// A new element; the first one makes room for those that follow it.
void* append(const Field& field, void* vector, const WireReader& rest) {
  if (field.vector_ops->size(vector) == 0) field.vector_ops->reserve(vector, 1 + count_run(field, rest));
  return field.vector_ops->append(vector);
}

bool set_text(const FieldStep& field, std::string_view bytes, void* member) {
  if (field.card == Card::kRepeated) {
    as<std::vector<std::string>>(member).emplace_back(bytes);
  } else if (field.presence) {
    as<std::optional<std::string>>(member).emplace(bytes);
  } else {
    as<std::string>(member).assign(bytes);
  }
  return true;
}

bool Decoder::bytes_field(const Field& field, std::string_view bytes, const WireReader& rest, void* member, int depth) {
  if (field.card == Card::kMap) return map_entry(field, bytes, member, depth);
  void* nested = field.card == Card::kRepeated ? append(field, member, rest)
                 : field.presence              ? field.message->ops->box_ensure(member)
                                               : member;
  return message(*field.message, bytes, nested, depth);
}

bool Decoder::field(const Message& message, const FieldStep& step, WireType type, WireReader& reader, void* member,
                    int depth) {
  if (type == WireType::kVarint) {
    uint64_t value;
    if (internal::wire_type(step) != type || !reader.read_varint(value)) return false;
    set_varint(step, value, member);
    return true;
  }
  if (type == WireType::kBytes) {
    std::string_view bytes;
    if (!reader.read_bytes(bytes)) return false;
    if (internal::wire_type(step) != type)
      return step.card == Card::kRepeated && step.type != Type::kDouble && packed(step, bytes, member);
    if (step.type != Type::kMessage && step.card != Card::kMap) return set_text(step, bytes, member);
    return bytes_field(message.fields[step.field], bytes, reader, member, depth);
  }
  uint64_t bits;
  if (step.type != Type::kDouble || type != WireType::kFixed64 || !reader.read_fixed64(bits)) return false;
  if (step.presence) {
    as<std::optional<double>>(member) = std::bit_cast<double>(bits);
  } else {
    as<double>(member) = std::bit_cast<double>(bits);
  }
  return true;
}

template <typename T>
bool read_time(std::string_view bytes, T& time) {
  if (bytes.empty()) {
    time = {};
    return true;
  }
  return internal::read_timestamp(bytes, time.seconds, time.nanos);
}

bool Decoder::message(const Message& message, std::string_view bytes, void* object, int depth) {
  switch (message.special) {
    case Special::kTime:
      if (!read_time(bytes, as<object::Time>(object))) return false;
      as<object::Time>(object).nanos = 0;
      return true;
    case Special::kMicroTime: {
      auto& time = as<object::MicroTime>(object);
      if (!read_time(bytes, time)) return false;
      time.nanos = time.nanos / 1000 * 1000;
      return true;
    }
    case Special::kQuantity:
      return quantity(bytes, as<object::Quantity>(object));
    default:
      break;
  }
  if (depth >= kMaxDepth) {
    error_ = "proto: exceeded max depth";
    return false;
  }
  WireReader reader(bytes);
  FieldCursor cursor(message);
  while (!reader.done()) {
    uint32_t number;
    WireType type;
    if (!reader.read_tag(number, type)) return false;
    const FieldStep* known = cursor.find(number);
    if (!known) {
      if (!reader.skip(number, type)) return false;
    } else if (!field(message, *known, type, reader, static_cast<char*>(object) + known->offset, depth + 1)) {
      return false;
    }
  }
  return true;
}
}  // namespace

void encode_struct(const Message& message, const void* object, std::string& out) {
  CHECK(message.ops != nullptr);
  constexpr size_t kUsualBytes = 8192;  // a Pod with its managed fields
  ReverseWireWriter writer(kUsualBytes);
  write_message(message, object, writer);
  out.append(writer.view());
}

base::Result<void> decode_struct(const Message& message, std::string_view bytes, void* object) {
  CHECK(message.ops != nullptr);
  Decoder decoder;
  if (bytes.size() <= kMaxMessageBytes && decoder.message(message, bytes, object, 0)) return {};
  if (!decoder.error().empty()) return base::fail(base::Reason::kBadRequest, std::move(decoder.error()));
  return internal::malformed(message, base::Reason::kBadRequest);
}

}  // namespace schema
