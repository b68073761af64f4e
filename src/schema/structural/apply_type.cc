// What server-side apply sees of a custom resource. A TypeRef's node is a structural::Node; its tag says whether an
// outer part preserves unknown fields, whether the node is the root, and the one type that is no node, a string.
#include "schema/structural/compiled.h"

namespace schema {
namespace structural {
namespace {

enum Tag : uint32_t { kPlain = 0, kInheritsPreserve = 1, kIsRoot = 2, kStringMember = 4 };

ScalarType scalar_of(Type type) {
  switch (type) {
    case Type::kString:
      return ScalarType::kString;
    case Type::kInteger:
    case Type::kNumber:
      return ScalarType::kNumeric;
    case Type::kBoolean:
      return ScalarType::kBoolean;
    default:
      return ScalarType::kUntyped;
  }
}

ListRelation relation_of(ListKind kind) {
  switch (kind) {
    case ListKind::kSet:
      return ListRelation::kSet;
    case ListKind::kMap:
      return ListRelation::kKeyed;
    default:
      return ListRelation::kAtomic;
  }
}

uint32_t tag_below(const Node& node, uint32_t tag) {
  return node.is(kPreserve) || (tag & kInheritsPreserve) != 0 ? kInheritsPreserve : kPlain;
}

}  // namespace

TypeInfo Compiled::info(const TypeRef& type) const {
  TypeInfo info;
  if (type.tag & kStringMember) {
    info.scalar = ScalarType::kString;
    return info;
  }
  const Node& node = *static_cast<const Node*>(type.node);
  const uint32_t below = tag_below(node, type.tag);
  const auto part = [&](uint32_t index) { return TypeRef{this, this->node(index), below}; };
  const bool untyped = node.type == Type::kUnset || node.type == Type::kOther || node.is(kIntOrString);
  if (untyped || (node.type != Type::kObject && node.type != Type::kArray)) {
    info.scalar = untyped ? ScalarType::kUntyped : scalar_of(node.type);
  }
  if (untyped || node.type == Type::kArray) {
    info.list = relation_of(node.list_kind);
    if (info.list == ListRelation::kKeyed) info.list_keys = list_keys(node);
    info.item = node.items != 0 ? part(node.items) : deduced_type();
  }
  if (untyped || node.type == Type::kObject) {
    info.map = node.map_kind == MapKind::kAtomic ? MapRelation::kAtomic : MapRelation::kGranular;
    const bool resource = node.is(kEmbedded) || (type.tag & kIsRoot) != 0;
    info.has_members = node.properties.count != 0 || resource;
    if (node.is(kHasAdditional)) {
      if (node.additional != 0) {
        info.value = part(node.additional);
      } else if (node.is(kAdditionalAllowed)) {
        info.value = deduced_type();
      }
    } else if (below == kInheritsPreserve || !info.has_members) {
      info.value = deduced_type();
    }
  }
  return info;
}

std::optional<MemberType> Compiled::find_member(const TypeRef& type, std::string_view name, size_t& hint) const {
  if (type.tag & kStringMember) return std::nullopt;
  const Node& node = *static_cast<const Node*>(type.node);
  if (node.is(kEmbedded) || (type.tag & kIsRoot) != 0) {
    if (name == "metadata") return MemberType{message_type(*object_meta), WhenAbsent::kNothing};
    if (name == "apiVersion" || name == "kind") {
      return MemberType{{this, &node, kStringMember}, WhenAbsent::kNothing};
    }
  }
  const auto all = properties_of(node);
  const TypeRef found{this, nullptr, tag_below(node, type.tag)};
  if (hint < all.size() && all[hint].name == name) {
    const Node* below = this->node(all[hint++].node);
    return MemberType{{found.model, below, found.tag}, WhenAbsent::kNothing};
  }
  const Node* below = property(node, name);
  if (!below) return std::nullopt;
  return MemberType{{found.model, below, found.tag}, WhenAbsent::kNothing};
}

std::optional<Scalar> Compiled::key_default(const TypeRef& item, std::string_view name) const {
  if (item.tag & kStringMember) return std::nullopt;
  const Node* below = property(*static_cast<const Node*>(item.node), name);
  const object::Value* value = below ? default_of(*below) : nullptr;
  if (!value) return std::nullopt;
  Scalar scalar;
  if (const std::string* text = value->string_if()) {
    scalar.kind = Scalar::Kind::kString;
    scalar.text = *text;
  } else if (const int64_t* integer = value->int_if()) {
    scalar.kind = Scalar::Kind::kInt;
    scalar.integer = *integer;
  } else if (const double* real = value->double_if()) {
    scalar.kind = Scalar::Kind::kDouble;
    scalar.real = *real;
  } else if (const bool* boolean = value->bool_if()) {
    scalar.kind = Scalar::Kind::kBool;
    scalar.boolean = *boolean;
  } else {
    return std::nullopt;
  }
  return scalar;
}

}  // namespace structural

TypeRef StructuralSchema::apply_type() const {
  return {compiled_.get(), compiled_->node(compiled_->root), structural::kIsRoot};
}

}  // namespace schema
