// JSONSchemaProps as JSON to the compiled form. Names are views of the JSON until freeze() copies each once.
#include <algorithm>
#include <cmath>
#include <unordered_map>

#include "schema/structural/compiled.h"
#include "schema/structural/limits.h"
#include "schema/structural/members.h"

namespace schema {
namespace structural {
namespace {

using object::Array;
using object::Object;
using object::Value;

// What has no place in a schema of a custom resource; first found, first reported.
std::string_view unsupported_member(const Object& json) {
  const auto filled = [&](std::string_view name) {
    const Value* value = json.find(name);
    if (!value || value->is_null()) return false;
    if (const std::string* text = value->string_if()) return !text->empty();
    if (const Object* members = value->object_if()) return !members->empty();
    return true;
  };
  if (filled("id")) return "id";
  if (filled("$schema")) return "schema";
  if (filled("$ref")) return "$ref";
  if (filled("patternProperties")) return "patternProperties";
  if (filled("dependencies")) return "dependencies";
  const Value* additional_items = json.find("additionalItems");
  if (additional_items && !additional_items->is_null()) return "additionalItems";
  if (filled("definitions")) return "definitions";
  return "";
}

Type type_by_name(std::string_view name) {
  if (name.empty()) return Type::kUnset;
  if (name == "object") return Type::kObject;
  if (name == "array") return Type::kArray;
  if (name == "string") return Type::kString;
  if (name == "integer") return Type::kInteger;
  if (name == "number") return Type::kNumber;
  if (name == "boolean") return Type::kBoolean;
  return Type::kOther;
}

ListKind list_kind_by_name(std::string_view name) {
  if (name == "atomic") return ListKind::kAtomic;
  if (name == "set") return ListKind::kSet;
  return name == "map" ? ListKind::kMap : ListKind::kUnknown;
}

MapKind map_kind_by_name(std::string_view name) {
  if (name == "atomic") return MapKind::kAtomic;
  return name == "granular" ? MapKind::kGranular : MapKind::kUnknown;
}

class Builder {
 public:
  Builder(Compiled& out, int max_depth) : out_(out), max_depth_(max_depth) {
    out_.nodes.resize(1);
    out_.checks.resize(1);
    out_.values.resize(1);
    out_.patterns.resize(1);
  }

  base::Result<uint32_t> add(const Object& json, int depth) {
    if (depth > max_depth_ || out_.nodes.size() >= kMaxSchemaNodes) {
      return base::fail(base::Reason::kInvalid, "OpenAPIV3Schema is too deep or too large");
    }
    if (const std::string_view name = unsupported_member(json); !name.empty()) {
      return base::fail(base::Reason::kInvalid, "OpenAPIV3Schema '" + std::string(name) + "' is not supported");
    }
    const auto index = static_cast<uint32_t>(out_.nodes.size());
    out_.nodes.emplace_back();
    Node node;
    TRY(add_checks(json, node, depth));
    TRY(add_extensions(json, node));
    TRY(add_children(json, node, depth));
    if (const Value* value = json.find("default"); value && !value->is_null()) {
      node.default_value = static_cast<uint32_t>(out_.values.size());
      out_.values.push_back(*value);
      node.flags |= kDefaultsBelow;
    }
    out_.nodes[index] = node;
    return index;
  }

  void freeze() {
    std::unordered_map<std::string_view, size_t> places;
    size_t size = 0;
    const auto place = [&](std::string_view name) {
      if (!name.empty() && places.try_emplace(name, size).second) size += name.size();
    };
    for (const Property& property : out_.properties) place(property.name);
    for (const std::string_view name : out_.names) place(name);
    for (const Checks& checks : out_.checks) place(checks.format_text);
    out_.text.resize(size);
    for (const auto& [name, offset] : places) name.copy(out_.text.data() + offset, name.size());
    const auto move = [&](std::string_view& name) {
      if (!name.empty()) name = {out_.text.data() + places.at(name), name.size()};
    };
    // `places` is keyed by views of the JSON, which outlives this function; the views below are replaced one by one.
    for (Property& property : out_.properties) move(property.name);
    for (std::string_view& name : out_.names) move(name);
    for (Checks& checks : out_.checks) move(checks.format_text);
    out_.nodes.shrink_to_fit();
    out_.properties.shrink_to_fit();
    out_.checks.shrink_to_fit();
    out_.values.shrink_to_fit();
    out_.names.shrink_to_fit();
    out_.branches.shrink_to_fit();
    out_.patterns.shrink_to_fit();
  }

 private:
  Range add_names(const Array* list) {
    Range range{static_cast<uint32_t>(out_.names.size()), 0};
    if (!list) return range;
    for (const Value& name : *list) {
      if (const std::string* text = name.string_if()) {
        out_.names.push_back(*text);
        ++range.count;
      }
    }
    return range;
  }

  base::Result<Range> add_branches(const Array* list, int depth) {
    Range range;
    if (!list || list->empty()) return range;
    std::vector<uint32_t> added;
    for (const Value& schema : *list) {
      if (!schema.is_object()) continue;
      TRY_ASSIGN(const uint32_t node, add(*schema.object_if(), depth + 1));
      added.push_back(node);
    }
    range = {static_cast<uint32_t>(out_.branches.size()), static_cast<uint32_t>(added.size())};
    out_.branches.insert(out_.branches.end(), added.begin(), added.end());
    return range;
  }

  bool number(const Object& json, std::string_view name, double& out) const {
    const Value* value = json.find(name);
    if (!value || !value->is_number()) return false;
    out = value->int_if() ? static_cast<double>(*value->int_if()) : *value->double_if();
    return true;
  }
  bool number(const Object& json, std::string_view name, int64_t& out) const {
    const Value* value = json.find(name);
    if (!value || !value->is_number()) return false;
    if (value->int_if()) {
      out = *value->int_if();
    } else {
      const double real = std::clamp(*value->double_if(), -9e18, 9e18);
      out = static_cast<int64_t>(real);
    }
    return true;
  }

  void add_limits(const Object& json, Checks& checks) {
    const auto flag = [&](bool present, CheckFlag bit) {
      if (present) checks.flags |= bit;
    };
    flag(number(json, "maximum", checks.maximum), kMaximum);
    flag(number(json, "minimum", checks.minimum), kMinimum);
    flag(number(json, "multipleOf", checks.multiple_of), kMultipleOf);
    flag(number(json, "maxLength", checks.max_length), kMaxLength);
    flag(number(json, "minLength", checks.min_length), kMinLength);
    flag(number(json, "maxItems", checks.max_items), kMaxItems);
    flag(number(json, "minItems", checks.min_items), kMinItems);
    flag(number(json, "maxProperties", checks.max_properties), kMaxProperties);
    flag(number(json, "minProperties", checks.min_properties), kMinProperties);
    flag(checks.is(kMaximum) && true_at(json, "exclusiveMaximum"), kExclusiveMaximum);
    flag(checks.is(kMinimum) && true_at(json, "exclusiveMinimum"), kExclusiveMinimum);
  }

  base::Result<void> add_checks(const Object& json, Node& node, int depth) {
    Checks checks;
    add_limits(json, checks);
    if (const Object* negated = object_at(json, "not")) {
      TRY_ASSIGN(checks.not_node, add(*negated, depth + 1));
    }
    TRY_ASSIGN(checks.all_of, add_branches(array_at(json, "allOf"), depth));
    TRY_ASSIGN(checks.any_of, add_branches(array_at(json, "anyOf"), depth));
    TRY_ASSIGN(checks.one_of, add_branches(array_at(json, "oneOf"), depth));
    checks.required = add_names(array_at(json, "required"));
    if (const Array* values = array_at(json, "enum"); values && !values->empty()) {
      checks.enums = {static_cast<uint32_t>(out_.values.size()), static_cast<uint32_t>(values->size())};
      out_.values.insert(out_.values.end(), values->begin(), values->end());
    }
    if (const std::string_view pattern = text_at(json, "pattern"); !pattern.empty()) {
      checks.pattern = static_cast<uint32_t>(out_.patterns.size());
      out_.patterns.push_back(std::make_unique<Pattern>(std::string(pattern)));
    }
    const std::string_view format = text_at(json, "format");
    checks.format = format_by_name(format);
    if (checks.format != Format::kNone) checks.format_text = format;
    const bool any = checks.flags != 0 || checks.not_node != 0 || checks.all_of.count + checks.any_of.count != 0 ||
                     checks.one_of.count + checks.required.count + checks.enums.count != 0 || checks.pattern != 0 ||
                     checks.format != Format::kNone;
    if (any) {
      node.checks = static_cast<uint32_t>(out_.checks.size());
      out_.checks.push_back(checks);
    }
    return {};
  }

  base::Result<void> add_extensions(const Object& json, Node& node) {
    node.type = type_by_name(text_at(json, "type"));
    if (true_at(json, "nullable")) node.flags |= kNullable;
    if (true_at(json, "x-kubernetes-embedded-resource")) node.flags |= kEmbedded | kEmbeddedBelow;
    if (true_at(json, "x-kubernetes-int-or-string")) node.flags |= kIntOrString;
    if (const Value* preserve = json.find("x-kubernetes-preserve-unknown-fields"); preserve && preserve->bool_if()) {
      if (!*preserve->bool_if()) {
        return base::fail(base::Reason::kInvalid,
                          "internal error: 'x-kubernetes-preserve-unknown-fields' must be true or undefined");
      }
      node.flags |= kPreserve;
    }
    node.list_keys = add_names(array_at(json, "x-kubernetes-list-map-keys"));
    if (const Value* kind = json.find("x-kubernetes-list-type"); kind && kind->string_if()) {
      node.list_kind = list_kind_by_name(*kind->string_if());
      if (node.list_kind == ListKind::kSet || node.list_kind == ListKind::kMap) node.flags |= kListTypesBelow;
    }
    if (const Value* kind = json.find("x-kubernetes-map-type"); kind && kind->string_if()) {
      node.map_kind = map_kind_by_name(*kind->string_if());
    }
    return {};
  }

  base::Result<uint32_t> add_child(const Object& json, Node& parent, int depth) {
    TRY_ASSIGN(const uint32_t index, add(json, depth + 1));
    parent.flags |= out_.nodes[index].flags & (kDefaultsBelow | kEmbeddedBelow | kListTypesBelow);
    return index;
  }

  base::Result<void> add_children(const Object& json, Node& node, int depth) {
    if (const Value* items = json.find("items")) {
      if (const Array* list = items->array_if(); list && !list->empty()) {
        return base::fail(base::Reason::kInvalid, "OpenAPIV3Schema 'items' must be a schema, but is an array");
      }
      if (const Object* schema = items->object_if()) {
        TRY_ASSIGN(node.items, add_child(*schema, node, depth));
      }
    }
    if (const Object* members = object_at(json, "properties"); members && !members->empty()) {
      std::vector<const object::Member*> sorted;
      sorted.reserve(members->size());
      for (const object::Member& member : *members) sorted.push_back(&member);
      std::ranges::sort(sorted, {}, [](const object::Member* member) -> const std::string& { return member->key; });
      node.properties = {static_cast<uint32_t>(out_.properties.size()), static_cast<uint32_t>(sorted.size())};
      for (const object::Member* member : sorted) out_.properties.push_back({member->key, 0});
      static const Object kEmpty;
      for (size_t i = 0; i < sorted.size(); ++i) {
        const Object* schema = sorted[i]->value.object_if();
        TRY_ASSIGN(const uint32_t index, add_child(schema ? *schema : kEmpty, node, depth));
        out_.properties[node.properties.first + i].node = index;
      }
    }
    if (const Value* additional = json.find("additionalProperties"); additional && !additional->is_null()) {
      node.flags |= kHasAdditional;
      if (const Object* schema = additional->object_if()) {
        node.flags |= kAdditionalAllowed;
        TRY_ASSIGN(node.additional, add_child(*schema, node, depth));
      } else if (additional->bool_if() && *additional->bool_if()) {
        node.flags |= kAdditionalAllowed;
      }
    }
    return {};
  }

  Compiled& out_;
  int max_depth_;
};

}  // namespace

std::string_view type_name(Type type) {
  switch (type) {
    case Type::kObject:
      return "object";
    case Type::kArray:
      return "array";
    case Type::kString:
      return "string";
    case Type::kInteger:
      return "integer";
    case Type::kNumber:
      return "number";
    case Type::kBoolean:
      return "boolean";
    case Type::kUnset:
    case Type::kOther:
      return "";
  }
  return "";
}

const Node* Compiled::property(const Node& of, std::string_view name) const {
  const auto all = properties_of(of);
  const auto found = std::ranges::lower_bound(all, name, {}, &Property::name);
  return found == all.end() || found->name != name ? nullptr : node(found->node);
}

const Node* Compiled::property(const Node& of, std::string_view name, size_t& hint) const {
  const auto all = properties_of(of);
  if (hint < all.size() && all[hint].name == name) return node(all[hint++].node);
  const auto found = std::ranges::lower_bound(all, name, {}, &Property::name);
  if (found == all.end() || found->name != name) return nullptr;
  hint = static_cast<size_t>(found - all.begin()) + 1;
  return node(found->node);
}

size_t Compiled::memory_bytes() const {
  size_t size = sizeof(*this) + text.capacity();
  size += nodes.capacity() * sizeof(Node) + properties.capacity() * sizeof(Property);
  size += checks.capacity() * sizeof(Checks) + names.capacity() * sizeof(std::string_view);
  size += branches.capacity() * sizeof(uint32_t) + values.capacity() * sizeof(Value);
  for (const auto& pattern : patterns) {
    size += sizeof(pattern) + (pattern ? sizeof(Pattern) + pattern->text().capacity() : 0);
  }
  for (const Value& value : values) {
    if (value.string_if()) size += value.string_if()->capacity();
    if (value.object_if() || value.array_if()) size += 256;  // an estimate: defaults are small
  }
  return size;
}

}  // namespace structural

base::Result<std::shared_ptr<const StructuralSchema>> StructuralSchema::compile(const object::Value& json,
                                                                                const Message& object_meta) {
  auto compiled = std::make_unique<structural::Compiled>();
  compiled->object_meta = &object_meta;
  structural::Builder builder(*compiled, kMaxSchemaDepth);
  if (!json.is_object()) return base::fail(base::Reason::kInvalid, "OpenAPIV3Schema must be an object");
  TRY_ASSIGN(compiled->root, builder.add(*json.object_if(), 0));
  builder.freeze();
  return std::shared_ptr<const StructuralSchema>(new StructuralSchema(std::move(compiled)));
}

StructuralSchema::StructuralSchema(std::unique_ptr<const structural::Compiled> compiled)
    : compiled_(std::move(compiled)) {}
StructuralSchema::~StructuralSchema() = default;

SchemaNode StructuralSchema::root() const { return {compiled_.get(), compiled_->node(compiled_->root)}; }
size_t StructuralSchema::memory_bytes() const { return sizeof(*this) + compiled_->memory_bytes(); }

SchemaNode SchemaNode::property(std::string_view name) const {
  return node_ ? SchemaNode(schema_, schema_->property(*node_, name)) : SchemaNode();
}
SchemaNode SchemaNode::items() const { return node_ ? SchemaNode(schema_, schema_->node(node_->items)) : SchemaNode(); }
SchemaNode SchemaNode::additional_properties() const {
  return node_ ? SchemaNode(schema_, schema_->node(node_->additional)) : SchemaNode();
}
std::vector<std::string_view> SchemaNode::property_names() const {
  std::vector<std::string_view> out;
  if (!node_) return out;
  for (const structural::Property& property : schema_->properties_of(*node_)) out.push_back(property.name);
  return out;
}
std::string_view SchemaNode::type() const { return node_ ? structural::type_name(node_->type) : std::string_view(); }
ListKind SchemaNode::list_type() const { return node_ ? node_->list_kind : ListKind::kUnset; }
std::vector<std::string_view> SchemaNode::list_map_keys() const {
  if (!node_) return {};
  const auto keys = schema_->list_keys(*node_);
  return {keys.begin(), keys.end()};
}
bool SchemaNode::has_properties() const { return node_ && node_->properties.count != 0; }
bool SchemaNode::has_additional_properties() const { return node_ && node_->is(structural::kHasAdditional); }
bool SchemaNode::embeds_resources() const { return node_ && node_->is(structural::kEmbeddedBelow); }
bool SchemaNode::preserves_unknown_fields() const { return node_ && node_->is(structural::kPreserve); }
bool SchemaNode::embedded_resource() const { return node_ && node_->is(structural::kEmbedded); }
bool SchemaNode::int_or_string() const { return node_ && node_->is(structural::kIntOrString); }
bool SchemaNode::nullable() const { return node_ && node_->is(structural::kNullable); }
const object::Value* SchemaNode::default_value() const { return node_ ? schema_->default_of(*node_) : nullptr; }

}  // namespace schema
