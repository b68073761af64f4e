// Internal to the codecs: walks protobuf bytes in JSON order and tells a sink what JSON holds. The fields of a message
// are indexed first (a stack array of where each begins), because the wire has them in number order and JSON in the
// order of the Go struct. One walk serves the JSON text (transcode.cc), the Value tree (proto_value_decode.cc), two
// trees of what differs (proto_difference.cc) and field sets (apply/new_fields.cc).
//
// A sink has: begin_object, end_object, begin_array, end_array, key, string, integer, boolean, real, null, bytes
// (base64), raw_json (→ false when it is no JSON), time, micro_time (seconds, nanos), duration; and may have
// reserve(count), called after begin_object; key_of(field) in place of key where the table has the member;
// passes_over(message), true when nothing in it counts; and raw_members (JSON members without braces, → false like
// raw_json), without which it cannot walk custom objects.
#pragma once

#include <bit>
#include <cstdint>
#include <cstring>
#include <string_view>

#include "base/check.h"
#include "object/types.h"
#include "schema/custom_content.h"
#include "schema/field_cursor.h"
#include "schema/limits.h"
#include "schema/type_meta.h"

namespace schema::internal {

// Where a field's value stands. Singular: the payload, or the number in `value`. Lists and maps: from the first
// element's tag to the last one's end.
struct Slot {
  const char* data = nullptr;  // null = absent
  uint64_t value = 0;          // a number's bits, or a size
  bool present() const { return data != nullptr; }
  std::string_view bytes() const { return {data, static_cast<size_t>(value)}; }
};

template <typename Sink>
class WireWalk {
 public:
  using WireType = codec::WireType;
  using Reader = codec::WireReader;
  static constexpr size_t kMaxFields = 64;

  explicit WireWalk(Sink& sink) : sink_(sink) {}

  // The value of a message as JSON shows it. `resource_version` "" = as the bytes say. False: malformed.
  bool top(const Message& message, std::string_view bytes, const TypeMeta& type, std::string_view resource_version) {
    type_ = type;
    resource_version_ = resource_version;
    return value(message, bytes, 0);
  }
  void write_nested_types() { nested_types_ = true; }

  // The steps of the walk. A walk over two messages at once takes them one by one.

  // The slots of a message's fields, in the order of `message.fields`; `present` gets a bit for each that is there.
  bool index(const Message& message, std::string_view bytes, Slot* slots) {
    uint64_t present;
    return index(message, bytes, slots, present);
  }
  bool index(const Message& message, std::string_view bytes, Slot* slots, uint64_t& present) {
    CHECK(message.fields.size() <= kMaxFields);
    std::memset(static_cast<void*>(slots), 0, message.fields.size() * sizeof(Slot));
    present = 0;
    Reader reader(bytes);
    FieldCursor cursor(message);
    while (!reader.done()) {
      const char* start = reader.position();
      uint32_t number;
      WireType type;
      if (!reader.read_tag(number, type)) return false;
      const FieldStep* field = cursor.find(number);
      if (!field) {
        if (!reader.skip(number, type)) return false;
        continue;
      }
      present |= uint64_t{1} << field->field;
      if (!index_field(*field, type, start, reader, slots[field->field])) return false;
    }
    return true;
  }

  bool index_field(const FieldStep& field, WireType type, const char* start, Reader& reader, Slot& slot) {
    if (field.card == Card::kSingular) {
      if (type != wire_type(field)) return false;
      slot.data = start;
      if (type == WireType::kVarint) return reader.read_varint(slot.value);
      if (type == WireType::kFixed64) return reader.read_fixed64(slot.value);
      std::string_view payload;
      if (!reader.read_bytes(payload)) return false;
      slot = {payload.data(), payload.size()};
      return true;
    }
    if (type != wire_type(field) && type != WireType::kBytes) return false;
    if (!reader.skip(field.number, type)) return false;
    if (!slot.present()) slot.data = start;
    slot.value = static_cast<uint64_t>(reader.position() - slot.data);
    return true;
  }

  bool value(const Message& message, std::string_view bytes, int depth) {
    if (depth >= kMaxDepth) return false;
    if (message.special != Special::kNone) return special(message, bytes, depth);
    if constexpr (requires { sink_.passes_over(message); }) {
      if (sink_.passes_over(message)) return true;
    }
    Slot slots[kMaxFields];
    uint64_t present;
    if (!index(message, bytes, slots, present)) return false;
    if (message.alias) return array(message.fields[0], slots[0], depth);
    sink_.begin_object();
    if constexpr (requires { sink_.reserve(size_t()); }) sink_.reserve(count_present(present) + 2);
    // Objects of a list are below it directly, and have no type. What lies deeper is a claim template of a StatefulSet.
    if (message.type_meta && depth >= 2 && nested_types_) {
      sink_.key("kind");
      sink_.string(message.name);
      sink_.key("apiVersion");
      sink_.string(message.package.substr(message.package.rfind('.') + 1));
    }
    if (message.type_meta && depth == 0) {
      if (!type_.kind.empty()) {
        sink_.key("kind");
        sink_.string(type_.kind);
      }
      if (!type_.api_version.empty()) {
        sink_.key("apiVersion");
        sink_.string(type_.api_version);
      }
    }
    if (depth == 1 && inject_) {
      inject_ = false;
      for (size_t i = 0; i < message.fields.size(); ++i) {
        if (message.fields[i].json != "resourceVersion") continue;
        slots[i] = {resource_version_.data(), resource_version_.size()};
        present |= uint64_t{1} << i;
      }
    }
    if (!members(message, slots, present, depth)) return false;
    sink_.end_object();
    return true;
  }

  static size_t count_present(uint64_t present) { return static_cast<size_t>(std::popcount(present)); }

  // Most members of most messages are absent, and not looked at.
  bool members(const Message& message, const Slot* slots, uint64_t present, int depth) {
    for (uint64_t left = present | message.shown_absent; left != 0; left &= left - 1) {
      const auto i = static_cast<size_t>(std::countr_zero(left));
      const Field& field = message.fields[i];
      const Slot& slot = slots[i];
      if (field.inlined) {
        Slot inner[kMaxFields];
        uint64_t inside;
        if (depth + 1 >= kMaxDepth || !index(*field.message, slot.bytes(), inner, inside)) return false;
        if (!members(*field.message, inner, inside, depth + 1)) return false;
      } else if (!field.json.empty() && !omitted(field, slot)) {
        key(field);
        if (!member(field, slot, depth)) return false;
      }
    }
    return true;
  }
  void key(const Field& field) {
    if constexpr (requires { sink_.key_of(field); }) {
      sink_.key_of(field);
    } else {
      sink_.key(field.json);
    }
  }

  static bool omitted(const Field& field, const Slot& slot) {
    switch (field.omit) {
      case JsonOmit::kNever:
        return false;
      case JsonOmit::kNil:
        return !slot.present();
      case JsonOmit::kLen0:
        return slot.value == 0;
      case JsonOmit::kZero:
        return slot.value == 0 || (field.type == Type::kInt32 && static_cast<int32_t>(slot.value) == 0) ||
               (field.type == Type::kDouble && std::bit_cast<double>(slot.value) == 0);
      case JsonOmit::kIsZero:
        return slot.value == 0;  // an empty Time
    }
    return false;
  }

  bool member(const Field& field, const Slot& slot, int depth) {
    if (field.card == Card::kRepeated) {
      if (slot.present()) return array(field, slot, depth);
      sink_.null();
      return true;
    }
    if (field.card == Card::kMap) {
      if (slot.present()) return map(field, slot, depth);
      sink_.null();
      return true;
    }
    if (field.presence && !slot.present()) {
      sink_.null();
      return true;
    }
    switch (field.type) {
      case Type::kMessage:
        inject_ = depth == 0 && field.number == 1 && !resource_version_.empty();
        return value(*field.message, slot.bytes(), depth + 1);
      case Type::kString:
        sink_.string(slot.bytes());
        return true;
      case Type::kBytes:
        sink_.bytes(slot.bytes());
        return true;
      default:
        number(field, slot.value);
        return true;
    }
  }

  void number(const Field& field, uint64_t bits) {
    switch (field.type) {
      case Type::kBool:
        return sink_.boolean(bits != 0);
      case Type::kInt32:
        return sink_.integer(static_cast<int32_t>(bits));
      case Type::kInt64:
        return sink_.integer(static_cast<int64_t>(bits));
      default:
        return sink_.real(std::bit_cast<double>(bits));
    }
  }

  // Calls `element(payload)` or `number` for every element of a list or map.
  template <typename Element>
  bool each(const Field& field, const Slot& slot, Element element) {
    Reader reader(slot.bytes());
    while (!reader.done()) {
      uint32_t at;
      WireType type;
      if (!reader.read_tag(at, type)) return false;
      if (at != field.number) {
        if (!reader.skip(at, type)) return false;
        continue;
      }
      uint64_t bits;
      std::string_view payload;
      if (type == WireType::kVarint) {
        if (!reader.read_varint(bits)) return false;
        number(field, bits);
      } else if (type != WireType::kBytes || !reader.read_bytes(payload)) {
        return false;
      } else if (wire_type(field) == WireType::kVarint) {
        for (Reader packed(payload); !packed.done(); number(field, bits)) {
          if (!packed.read_varint(bits)) return false;
        }
      } else if (!element(payload)) {
        return false;
      }
    }
    return true;
  }

  bool array(const Field& field, const Slot& slot, int depth) {
    sink_.begin_array();
    bool good = each(field, slot, [&](std::string_view payload) {
      if (field.type == Type::kMessage) return value(*field.message, payload, depth + 1);
      field.type == Type::kBytes ? sink_.bytes(payload) : sink_.string(payload);
      return true;
    });
    if (good) sink_.end_array();
    return good;
  }

  bool map(const Field& field, const Slot& slot, int depth) {
    sink_.begin_object();
    bool good = each(field, slot, [&](std::string_view payload) {
      MapEntry entry;
      if (!read_map_entry(payload, entry)) return false;
      sink_.key_escaped(entry.key);
      if (field.type == Type::kMessage) return value(*field.message, entry.value, depth + 1);
      field.type == Type::kBytes ? sink_.bytes(entry.value) : sink_.string(entry.value);
      return true;
    });
    if (good) sink_.end_object();
    return good;
  }

  // ---- messages with an encoding of their own ----

  bool special(const Message& message, std::string_view bytes, int depth) {
    if (message.special == Special::kTime || message.special == Special::kMicroTime) return time(message, bytes);
    Slot slots[kMaxFields];
    if (!index(message, bytes, slots)) return false;
    switch (message.special) {
      case Special::kCustomObject:
        return custom_object(message, slots, depth);
      case Special::kDuration:
        sink_.duration(static_cast<int64_t>(slots[0].value));
        return true;
      case Special::kQuantity:
        sink_.string(slots[0].value == 0 ? std::string_view("0") : slots[0].bytes());
        return true;
      case Special::kIntOrString:
        return int_or_string(slots);
      case Special::kGroupVersion:
        return group_version(slots);
      case Special::kSchemaOrBool:
      case Special::kSchemaOrArray:
      case Special::kSchemaOrStringArray:
        return schema_or(message, slots, depth);
      default:
        return raw(message, slots);
    }
  }

  bool time(const Message& message, std::string_view bytes) {
    if (bytes.empty()) {
      sink_.null();
      return true;
    }
    int64_t seconds;
    int32_t nanos;
    if (!read_timestamp(bytes, seconds, nanos)) return false;
    bool micro = message.special == Special::kMicroTime;
    if (seconds == object::kZeroTimeSeconds && (!micro || nanos / 1000 == 0)) {
      sink_.null();
    } else {
      micro ? sink_.micro_time(seconds, nanos) : sink_.time(seconds);
    }
    return true;
  }

  bool int_or_string(const Slot* slots) {  // 1 type, 2 intVal, 3 strVal
    if (slots[0].value == 0) {
      sink_.integer(static_cast<int32_t>(slots[1].value));
    } else {
      sink_.string(slots[2].bytes());
    }
    return slots[0].value <= 1;
  }

  bool group_version(const Slot* slots) {
    std::string text(slots[0].bytes());
    if (!text.empty()) text += '/';
    sink_.string(text.append(slots[1].bytes()));
    return true;
  }

  // RawExtension, FieldsV1, JSON: the bytes field holds JSON text. Unknown: its second one does.
  bool raw(const Message& message, const Slot* slots) {
    size_t at = message.special == Special::kUnknown ? 1 : 0;
    if (slots[at].value == 0) {
      sink_.null();
      return true;
    }
    return sink_.raw_json(slots[at].bytes());
  }

  bool schema_or(const Message& message, const Slot* slots, int depth) {
    // SchemaOrBool: 1 allows, 2 schema; the others: 1 schema, 2 the list.
    size_t schema = message.special == Special::kSchemaOrBool ? 1 : 0;
    if (message.special != Special::kSchemaOrBool && slots[1].present())
      return array(message.fields[1], slots[1], depth);
    if (slots[schema].present()) return value(*message.fields[schema].message, slots[schema].bytes(), depth + 1);
    if (message.special == Special::kSchemaOrBool) {
      sink_.boolean(slots[0].value != 0);
    } else {
      sink_.null();
    }
    return true;
  }

  // 1 metadata, 2 content
  bool custom_object(const Message& message, const Slot* slots, int depth) {
    ContentRuns runs;
    if (!split_content(slots[1].bytes(), runs)) return false;
    sink_.begin_object();
    if (!members_of(runs.before_version)) return false;
    if (depth == 0 && !type_.api_version.empty()) {
      sink_.key("apiVersion");
      sink_.string(type_.api_version);
    }
    if (!members_of(runs.before_kind)) return false;
    if (depth == 0 && !type_.kind.empty()) {
      sink_.key("kind");
      sink_.string(type_.kind);
    }
    if (!members_of(runs.before_metadata)) return false;
    sink_.key("metadata");
    if (!member(message.fields[0], slots[0], depth) || !members_of(runs.rest)) return false;
    sink_.end_object();
    return true;
  }
  bool members_of(std::string_view run) {
    if constexpr (requires { sink_.raw_members(run); }) return run.empty() || sink_.raw_members(run);
    return run.empty();
  }

 private:
  Sink& sink_;
  TypeMeta type_;
  std::string_view resource_version_;
  bool inject_ = false;
  bool nested_types_ = false;  // the message that comes next is the top one's metadata
};

}  // namespace schema::internal
