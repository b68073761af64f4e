#include "schema/apply/type.h"

#include <charconv>

namespace schema {
namespace {

class DeducedModel final : public TypeModel {
 public:
  TypeInfo info(const TypeRef& type) const override {
    TypeInfo info;
    info.scalar = ScalarType::kUntyped;
    info.list = ListRelation::kAtomic;
    info.map = MapRelation::kGranular;
    info.item = type;
    info.value = type;
    return info;
  }
  std::optional<MemberType> find_member(const TypeRef&, std::string_view, size_t&) const override {
    return std::nullopt;
  }
  std::optional<Scalar> key_default(const TypeRef&, std::string_view) const override { return std::nullopt; }
};

constinit const DeducedModel kDeducedModel;

// Reads the generated tables. A node is a Message (kMessage), or a Field: its value (kField), or its items (kItem).
class MessageModel final : public TypeModel {
 public:
  enum Tag : uint32_t { kMessage, kField, kItem };

  TypeInfo info(const TypeRef& type) const override {
    if (type.tag == kMessage) return message_info(*static_cast<const Message*>(type.node), Granularity::kUnset);
    const Field& field = *static_cast<const Field*>(type.node);
    if (type.tag == kItem)
      return field.message ? message_info(*field.message, Granularity::kUnset) : scalar_info(field);
    if (field.card == Card::kRepeated) return list_info(field);
    if (field.card == Card::kMap) {
      TypeInfo info;
      info.map = field.map_type == Granularity::kAtomic ? MapRelation::kAtomic : MapRelation::kGranular;
      info.value = {this, &field, kItem};
      return info;
    }
    if (!field.message) return scalar_info(field);
    const bool atomic = field.struct_type == Granularity::kAtomic || field.map_type == Granularity::kAtomic;
    return message_info(*field.message, atomic ? Granularity::kAtomic : field.struct_type);
  }

  std::optional<MemberType> find_member(const TypeRef& type, std::string_view name, size_t& hint) const override {
    const Message* message = message_of(type);
    if (!message) return std::nullopt;
    if (message->type_meta && (name == "kind" || name == "apiVersion")) {
      return MemberType{{this, &kStringField, kField}, WhenAbsent::kNothing};
    }
    const Field* field = find(*message, name, hint);
    if (!field) return std::nullopt;
    return member(*field);
  }
  MemberType member(const Field& field) const { return {{this, &field, kField}, when_absent(field)}; }

  std::optional<Scalar> key_default(const TypeRef& item, std::string_view name) const override {
    const Message* message = message_of(item);
    const Field* field = message ? find_json_field(*message, name) : nullptr;
    if (!field || field->message || field->card != Card::kSingular) return std::nullopt;
    Scalar scalar;
    if (!field->default_json.empty()) return parse_default(field->default_json);
    // Compat: a member that JSON always writes has its zero value as default in upstream's OpenAPI.
    if (field->omit != JsonOmit::kNever || field->presence) return std::nullopt;
    switch (field->type) {
      case Type::kBool:
        scalar.kind = Scalar::Kind::kBool;
        return scalar;
      case Type::kInt32:
      case Type::kInt64:
      case Type::kDouble:
        scalar.kind = Scalar::Kind::kInt;
        return scalar;
      default:
        scalar.kind = Scalar::Kind::kString;
        return scalar;
    }
  }

 private:
  static constexpr Field kStringField = {.type = Type::kString};

  static const Message* message_of(const TypeRef& type) {
    return type.tag == kMessage ? static_cast<const Message*>(type.node)
                                : static_cast<const Field*>(type.node)->message;
  }

  static const Field* find(const Message& message, std::string_view name, size_t& hint) {
    const auto fields = message.fields;
    for (size_t step = 0, i = hint; step < fields.size(); ++step, ++i) {
      if (i >= fields.size()) i = 0;
      if (fields[i].inlined) {
        if (const Field* inner = find_json_field(*fields[i].message, name)) return inner;
      } else if (fields[i].json == name && !name.empty()) {
        hint = i + 1;
        return &fields[i];
      }
    }
    return nullptr;
  }

  static WhenAbsent when_absent(const Field& field) {
    if (field.omit != JsonOmit::kNever) return WhenAbsent::kNothing;
    if (field.presence || field.card != Card::kSingular) return WhenAbsent::kNull;
    if (field.message) {
      switch (field.message->special) {
        case Special::kNone:
          return field.message->alias ? WhenAbsent::kNull : WhenAbsent::kEmptyObject;
        case Special::kTime:
        case Special::kMicroTime:
        case Special::kRawExtension:
          return WhenAbsent::kNull;
        default:
          return WhenAbsent::kNothing;
      }
    }
    switch (field.type) {
      case Type::kBool:
        return WhenAbsent::kFalse;
      case Type::kInt32:
      case Type::kInt64:
      case Type::kDouble:
        return WhenAbsent::kZero;
      case Type::kBytes:
        return WhenAbsent::kNull;
      default:
        return WhenAbsent::kEmptyString;
    }
  }

  static TypeInfo scalar_info(const Field& field) {
    TypeInfo info;
    switch (field.type) {
      case Type::kBool:
        info.scalar = ScalarType::kBoolean;
        break;
      case Type::kInt32:
      case Type::kInt64:
      case Type::kDouble:
        info.scalar = ScalarType::kNumeric;
        break;
      default:
        info.scalar = ScalarType::kString;
    }
    return info;
  }

  // Compat: without a listType the patch strategy says it: merge with a key is a keyed list, merge a set.
  TypeInfo list_info(const Field& field) const {
    TypeInfo info;
    info.item = {this, &field, kItem};
    info.list = ListRelation::kAtomic;
    if (field.list_type == ListType::kSet) {
      info.list = ListRelation::kSet;
    } else if (field.list_type == ListType::kMap) {
      info.list = ListRelation::kKeyed;
      info.list_keys = field.list_keys;
    } else if (field.list_type == ListType::kUnset && (field.patch & kPatchMerge)) {
      info.list = field.patch_key.empty() ? ListRelation::kSet : ListRelation::kKeyed;
      if (!field.patch_key.empty()) info.list_keys = {&field.patch_key, 1};
    }
    return info;
  }

  TypeInfo message_info(const Message& message, Granularity granularity) const {
    switch (message.special) {
      case Special::kNone:
        break;
      case Special::kTime:
      case Special::kMicroTime:
      case Special::kDuration:
      case Special::kQuantity:
      case Special::kIntOrString: {
        TypeInfo info;
        info.scalar = ScalarType::kUntyped;
        return info;
      }
      case Special::kRawExtension:
      case Special::kUnknown: {
        TypeInfo info = type_info(deduced_type());
        info.map = MapRelation::kAtomic;
        return info;
      }
      case Special::kFieldsV1: {
        TypeInfo info;
        info.map = MapRelation::kGranular;
        info.value = deduced_type();
        return info;
      }
      default:
        return type_info(deduced_type());
    }
    if (message.alias) {
      TypeInfo info = list_info(message.fields[0]);
      info.list = ListRelation::kAtomic;
      return info;
    }
    TypeInfo info;
    if (granularity == Granularity::kUnset) granularity = message.struct_type;
    info.map = granularity == Granularity::kAtomic ? MapRelation::kAtomic : MapRelation::kGranular;
    info.has_members = true;
    if (message.fields.empty() && !message.type_meta) info.value = deduced_type();
    return info;
  }

  static std::optional<Scalar> parse_default(std::string_view json) {
    Scalar scalar;
    if (json.size() >= 2 && json.front() == '"') {
      scalar.kind = Scalar::Kind::kString;
      scalar.text = json.substr(1, json.size() - 2);
      return scalar;
    }
    if (json == "true" || json == "false") {
      scalar.kind = Scalar::Kind::kBool;
      scalar.boolean = json == "true";
      return scalar;
    }
    scalar.kind = Scalar::Kind::kInt;
    const auto [end, error] = std::from_chars(json.data(), json.data() + json.size(), scalar.integer);
    if (error != std::errc() || end != json.data() + json.size()) return std::nullopt;
    return scalar;
  }
};

constinit const MessageModel kMessageModel;

}  // namespace

TypeRef message_type(const Message& message) { return {&kMessageModel, &message, MessageModel::kMessage}; }
MemberType message_member(const Field& field) { return kMessageModel.member(field); }
TypeRef deduced_type() { return {&kDeducedModel, nullptr, 0}; }

}  // namespace schema
