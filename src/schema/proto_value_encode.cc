// encode_value: Value → protobuf, written from the last byte to the first. This pass only finds that something is
// wrong; what and where, in the order of the document, is told by value_diagnosis.cc.
#include <algorithm>
#include <array>
#include <bit>
#include <type_traits>
#include <utility>

#include "base/check.h"
#include "codec/base64.h"
#include "object/json.h"
#include "object/quantity.h"
#include "object/text_tree.h"
#include "object/time.h"
#include "schema/custom_content.h"
#include "schema/field_cursor.h"
#include "schema/json_locate.h"
#include "schema/limits.h"
#include "schema/proto_value.h"
#include "schema/value_diagnosis.h"

namespace schema {
namespace {
using codec::ReverseWireWriter;
using object::Value;

constexpr size_t kMaxFields = 64;

// Where in the document the encoder is: a chain of stack frames, made into a path only when one is needed.
struct Place {
  const Place* parent = nullptr;
  internal::JsonStep step;
  int depth = 0;

  Place member(std::string_view key) const { return {this, {key, 0}, depth + 1}; }
  Place element(size_t index) const { return {this, {{}, index}, depth + 1}; }
  // The same object, one message deeper.
  Place inlined() const { return {parent, step, depth + 1}; }
  std::vector<internal::JsonStep> path() const {
    std::vector<internal::JsonStep> steps;
    for (const Place* at = this; at->parent; at = at->parent) steps.push_back(at->step);
    std::ranges::reverse(steps);
    return steps;
  }
};

// The names of what a document is made of: of Values, or of TextValues.
template <typename Node>
struct Parts;
template <>
struct Parts<Value> {
  using Object = object::Object;
  using Member = object::Member;
};
template <>
struct Parts<object::TextValue> {
  using Object = object::TextObject;
  using Member = object::TextMember;
};

// What a raw extension keeps of the client's text is lost in a Value only where there are such numbers: 1.50, 1e3.
template <typename Node>
bool holds_double(const Node& value) {
  if (const auto* array = value.array_if()) return std::ranges::any_of(*array, holds_double<Node>);
  if (const auto* object = value.object_if()) {
    return std::ranges::any_of(*object, [](const auto& member) { return holds_double(member.value); });
  }
  return value.double_if() != nullptr;
}

template <typename Node>
class Encoder {
 public:
  explicit Encoder(std::string_view source_json) : source_json_(source_json) {}

  // Each is false when the value does not fit; what was written is then garbage.
  bool message(const Message& message, const Node* value, const Place& at);
  ReverseWireWriter& out() { return out_; }
  bool unknown_members() const { return unknown_; }

 private:
  using Object = typename Parts<Node>::Object;
  using Member = typename Parts<Node>::Member;
  using Slots = std::array<const Node*, kMaxFields>;

  // kParent: the message is inlined, its members stand in its parent's object, among others.
  enum class Holder : uint8_t { kOwn, kParent };

  bool members(const Message& message, const Object& object, Holder holder, const Place& at);
  void fill(const Message& message, const Object& object, Holder holder, Slots& slots);
  bool field(const Field& field, const Node* value, const Place& at);
  bool singular(const Field& field, const Node* value, const Place& at);
  bool scalar(const Field& field, uint32_t number, const Node* value);
  bool nested(const Field& field, uint32_t number, const Node* value, const Place& at);
  bool list(const Field& field, const Node& value, const Place& at);
  bool map(const Field& field, const Node& value, const Place& at);
  bool special(const Message& message, const Node* value, const Place& at);
  bool time(const Message& message, const Node& value);
  bool quantity(const Node* value, const Place& at);
  bool int_or_string(const Node* value);
  bool schema_or(const Message& message, const Node* value, const Place& at);
  bool custom_object(const Message& message, const Node* value, const Place& at);
  void timestamp(int64_t seconds, int32_t nanos) {
    out_.varint_field(2, static_cast<uint64_t>(nanos));
    out_.varint_field(1, static_cast<uint64_t>(seconds));
  }

  // JSON text of a value, as the client wrote it where that is known.
  std::string text_of(const Node& value, const Place& at) const;

  ReverseWireWriter out_;
  std::string_view source_json_;
  bool unknown_ = false;
  bool lenient_ = false;  // inside a type that decodes itself: upstream reports no unknown members there
};

template <typename Object>
const Object& empty_object() {
  static const Object kEmpty;
  return kEmpty;
}

// The value of each field, by its place in the table. Members that are null count as absent.
template <typename Node>
void Encoder<Node>::fill(const Message& message, const Object& object, Holder holder, Slots& slots) {
  CHECK(message.fields.size() <= kMaxFields);
  std::fill_n(slots.begin(), message.fields.size(), nullptr);
  size_t next = 0;  // members mostly come in schema order
  size_t count = message.fields.size();
  for (const Member& member : object) {
    size_t tried = 0;
    for (; tried < count; ++tried, ++next) {
      if (next >= count) next = 0;
      if (message.fields[next].json == member.key && !message.fields[next].json.empty()) break;
    }
    if (tried < count) {
      slots[next++] = member.value.is_null() ? nullptr : &member.value;
    } else if (holder == Holder::kOwn && !find_json_field(message, member.key) &&
               !(message.type_meta && (member.key == "kind" || member.key == "apiVersion"))) {
      unknown_ = unknown_ || !lenient_;
    }
  }
}

template <typename Node>
bool Encoder<Node>::members(const Message& message, const Object& object, Holder holder, const Place& at) {
  if (at.depth >= kMaxDepth) return false;
  Slots slots;
  fill(message, object, holder, slots);
  if (message.type_meta && holder == Holder::kOwn) {
    for (std::string_view name : {"kind", "apiVersion"}) {
      const Node* value = object.find(name);
      if (value && !value->is_string() && !value->is_null()) return false;
    }
  }
  for (size_t i = message.by_number.size(); i-- > 0;) {
    const FieldStep& step = message.by_number[i];
    const Node* value = slots[step.field];
    if (!value && !step.inlined && (step.presence || step.card != Card::kSingular)) continue;
    const Field& next = message.fields[step.field];
    if (next.inlined) {
      size_t mark = out_.size();
      if (!members(*next.message, object, Holder::kParent, at.inlined())) return false;
      out_.message_header(next.number, mark);
    } else if (!field(next, value, at.member(next.json))) {
      return false;
    }
  }
  return true;
}

template <typename Node>
bool Encoder<Node>::message(const Message& message, const Node* value, const Place& at) {
  if (at.depth >= kMaxDepth) return false;
  if (message.special != Special::kNone) return special(message, value, at);
  if (message.alias) return !value || list(message.fields[0], *value, at);
  if (!value) return members(message, empty_object<Object>(), Holder::kOwn, at);
  const Object* object = value->object_if();
  return object && members(message, *object, Holder::kOwn, at);
}

template <typename Node>
bool Encoder<Node>::field(const Field& field, const Node* value, const Place& at) {
  switch (field.card) {
    case Card::kRepeated:
      return !value || list(field, *value, at);
    case Card::kMap:
      return !value || map(field, *value, at);
    case Card::kSingular:
      return singular(field, value, at);
  }
  return false;
}

template <typename Node>
bool Encoder<Node>::singular(const Field& field, const Node* value, const Place& at) {
  if (field.presence && !value) return true;
  if (field.type == Type::kMessage) return nested(field, field.number, value, at);
  return scalar(field, field.number, value);
}

template <typename Node>
bool Encoder<Node>::nested(const Field& field, uint32_t number, const Node* value, const Place& at) {
  size_t mark = out_.size();
  if (!message(*field.message, value, at)) return false;
  out_.message_header(number, mark);
  return true;
}

// One scalar; null `value` = its zero.
template <typename Node>
bool Encoder<Node>::scalar(const Field& field, uint32_t number, const Node* value) {
  switch (field.type) {
    case Type::kBool: {
      const bool* flag = value ? value->bool_if() : nullptr;
      out_.varint_field(number, flag && *flag);
      return flag || !value;
    }
    case Type::kInt32:
    case Type::kInt64: {
      const int64_t* integer = value ? value->int_if() : nullptr;
      if (value && (!integer || (field.type == Type::kInt32 && *integer != static_cast<int32_t>(*integer))))
        return false;
      out_.varint_field(number, integer ? static_cast<uint64_t>(*integer) : 0);
      return true;
    }
    case Type::kDouble: {
      const int64_t* integer = value ? value->int_if() : nullptr;
      const double* real = value ? value->double_if() : nullptr;
      out_.fixed64_field(number, std::bit_cast<uint64_t>(integer ? static_cast<double>(*integer) : real ? *real : 0.0));
      return integer || real || !value;
    }
    case Type::kString: {
      const auto* text = value ? value->string_if() : nullptr;
      out_.bytes_field(number, text ? std::string_view(*text) : std::string_view());
      return text || !value;
    }
    case Type::kBytes: {
      const auto* text = value ? value->string_if() : nullptr;
      if (value && !text) return false;
      auto bytes = codec::parse_base64(text ? std::string_view(*text) : std::string_view());
      if (bytes) out_.bytes_field(number, *bytes);
      return bytes.has_value();
    }
    case Type::kMessage:
      break;
  }
  return false;
}

template <typename Node>
bool Encoder<Node>::list(const Field& field, const Node& value, const Place& at) {
  const auto* array = value.array_if();
  if (!array) return false;
  for (size_t i = array->size(); i-- > 0;) {
    const Node* element = (*array)[i].is_null() ? nullptr : &(*array)[i];
    bool good = field.type == Type::kMessage ? nested(field, field.number, element, at.element(i))
                                             : scalar(field, field.number, element);
    if (!good) return false;
  }
  return true;
}

template <typename Node>
bool Encoder<Node>::map(const Field& field, const Node& value, const Place& at) {
  const Object* object = value.object_if();
  if (!object) return false;
  std::vector<const Member*> sorted;
  sorted.reserve(object->size());
  for (const Member& member : *object) sorted.push_back(&member);
  std::ranges::sort(sorted, {}, [](const Member* member) { return std::string_view(member->key); });
  for (size_t i = sorted.size(); i-- > 0;) {
    const Node* element = sorted[i]->value.is_null() ? nullptr : &sorted[i]->value;
    size_t mark = out_.size();
    if (field.type == Type::kMessage) {
      if (!nested(field, 2, element, at.member(sorted[i]->key))) return false;
    } else if (element || field.type != Type::kBytes) {
      if (!scalar(field, 2, element)) return false;
    }
    out_.bytes_field(1, sorted[i]->key);
    out_.message_header(field.number, mark);
  }
  return true;
}

template <typename Node>
std::string Encoder<Node>::text_of(const Node& value, const Place& at) const {
  if (!source_json_.empty()) {
    std::string_view written = internal::locate_json(source_json_, at.path());
    if (!written.empty()) return std::string(written);
  }
  return object::to_json(value);
}

// ---- types with an encoding of their own ----

template <typename Node>
bool Encoder<Node>::special(const Message& message, const Node* value, const Place& at) {
  switch (message.special) {
    case Special::kCustomObject:
      return custom_object(message, value, at);
    case Special::kTime:
    case Special::kMicroTime:
      return !value || time(message, *value);
    case Special::kDuration: {
      const auto* text = value ? value->string_if() : nullptr;
      if (value && !text) return false;
      auto parsed = text ? object::parse_duration(*text) : base::Result<object::Duration>(object::Duration());
      if (parsed) out_.varint_field(1, static_cast<uint64_t>(parsed->duration));
      return parsed.has_value();
    }
    case Special::kQuantity:
      return quantity(value, at);
    case Special::kIntOrString:
      return int_or_string(value);
    case Special::kSchemaOrBool:
    case Special::kSchemaOrArray:
    case Special::kSchemaOrStringArray: {
      bool outer = std::exchange(lenient_, true);
      bool good = schema_or(message, value, at);
      lenient_ = outer;
      return good;
    }
    case Special::kUnknown:
      out_.bytes_field(4, "application/json");
      out_.bytes_field(3, "");
      if (value) out_.bytes_field(2, holds_double(*value) ? text_of(*value, at) : object::to_json(*value));
      out_.bytes_field(1, std::string_view("\x0a\0\x12\0", 4));
      return true;
    case Special::kGroupVersion: {
      const auto* text = value ? value->string_if() : nullptr;
      size_t slash = text ? text->find('/') : std::string::npos;
      bool grouped = slash != std::string::npos;
      out_.bytes_field(2, text ? std::string_view(*text).substr(grouped ? slash + 1 : 0) : std::string_view());
      out_.bytes_field(1, grouped ? std::string_view(*text).substr(0, slash) : std::string_view());
      return text || !value;
    }
    default:  // RawExtension, FieldsV1, JSON
      // Compat: a raw extension keeps the client's very bytes.
      if (value) {
        const bool verbatim = message.special == Special::kRawExtension || holds_double(*value);
        out_.bytes_field(1, verbatim ? text_of(*value, at) : object::to_json(*value));
      }
      return true;
  }
}

template <typename Node>
bool Encoder<Node>::time(const Message& message, const Node& value) {
  const auto* text = value.string_if();
  if (!text) return false;
  if (message.special == Special::kTime) {
    auto parsed = object::parse_time(*text);
    if (parsed && !parsed->zero()) timestamp(parsed->seconds, 0);
    return parsed.has_value();
  }
  auto parsed = object::parse_micro_time(*text);
  if (parsed && !parsed->zero()) timestamp(parsed->seconds, parsed->nanos / 1000 * 1000);
  return parsed.has_value();
}

template <typename Node>
bool Encoder<Node>::quantity(const Node* value, const Place& at) {
  if (!value) {
    out_.bytes_field(1, "0");
    return true;
  }
  const auto* text = value->string_if();
  if (text && internal::plain_quantity(*text)) {
    out_.bytes_field(1, *text);
    return true;
  }
  if (!text && !value->is_number()) return false;
  auto parsed = object::parse_quantity(text ? *text : text_of(*value, at));
  if (parsed) out_.bytes_field(1, parsed->string);
  return parsed.has_value();
}

template <typename Node>
bool Encoder<Node>::int_or_string(const Node* value) {
  const auto* text = value ? value->string_if() : nullptr;
  const int64_t* integer = value ? value->int_if() : nullptr;
  if (value && !text && (!integer || *integer != static_cast<int32_t>(*integer))) return false;
  out_.bytes_field(3, text ? std::string_view(*text) : std::string_view());
  out_.varint_field(2, integer ? static_cast<uint64_t>(*integer) : 0);
  out_.varint_field(1, text ? 1 : 0);
  return true;
}

template <typename Node>
bool Encoder<Node>::custom_object(const Message& message, const Node* value, const Place& at) {
  const Object* object = value ? value->object_if() : nullptr;
  if (value && !object) return false;
  const Object& members = object ? *object : empty_object<Object>();
  for (std::string_view name : {"kind", "apiVersion"}) {
    const Node* type = members.find(name);
    if (type && !type->is_string() && !type->is_null()) return false;
  }
  if constexpr (std::is_same_v<Node, Value>) {
    out_.bytes_field(2, content_of(members));
  } else {
    return false;  // such documents are read into Values, which their schema cleans
  }
  const Node* metadata = members.find("metadata");
  if (metadata && metadata->is_null()) metadata = nullptr;
  return nested(message.fields[0], 1, metadata, at.member("metadata"));
}

template <typename Node>
bool Encoder<Node>::schema_or(const Message& message, const Node* value, const Place& at) {
  bool is_bool = message.special == Special::kSchemaOrBool;
  const Field& schema = message.fields[is_bool ? 1 : 0];
  if (value && value->is_object()) {
    if (!nested(schema, schema.number, value, at)) return false;
    if (is_bool) out_.varint_field(1, 1);
    return true;
  }
  if (is_bool) {
    const bool* allows = value ? value->bool_if() : nullptr;
    out_.varint_field(1, allows && *allows);
    return allows || !value;
  }
  if (value && value->is_array()) return list(message.fields[1], *value, at);
  return true;
}

}  // namespace

base::Result<void> encode_value(const Message& message, const Value& value, std::string& out,
                                const ValueEncodeOptions& options) {
  Encoder<Value> encoder(options.source_json);
  bool good = encoder.message(message, value.is_null() ? nullptr : &value, Place());
  if (!good || (encoder.unknown_members() && options.strict_issues)) {
    TRY(internal::diagnose_value(message, value, options));
    if (!good) return base::fail(base::Reason::kBadRequest, "json: exceeded max depth");
  }
  out.append(encoder.out().view());
  return {};
}

std::optional<std::string> encode_ordinary(const Message& message, const object::TextValue& value,
                                           std::string_view source_json) {
  Encoder<object::TextValue> encoder(source_json);
  if (!encoder.message(message, &value, Place()) || encoder.unknown_members()) return std::nullopt;
  return std::string(encoder.out().view());
}

}  // namespace schema
