// Declared types from schemas, with the size bounds of k8s.io/apiserver/pkg/cel/common/schemas.go.
#include "cel/decl_type.h"

#include <algorithm>
#include <array>

#include "base/check.h"
#include "cel/limits.h"

namespace cel {

namespace {

constexpr int64_t kMaxDurationJson = 32, kMaxDatetimeJson = 32, kDateJson = 12;
constexpr int64_t kMinDurationJson = 3, kMinDatetimeJson = 21, kMinStringJson = 2, kMinBoolJson = 4, kMinNumberJson = 1;

uint64_t at_least_zero(int64_t value) { return value < 0 ? 0 : static_cast<uint64_t>(value); }

DeclType make_scalar(DeclKind kind) {
  DeclType type;
  type.kind = kind;
  const auto set = [&](TypeKind checked, int64_t min_size, uint64_t max_elements) {
    type.type = simple_type(checked);
    type.min_serialized_size = min_size;
    type.max_elements = max_elements;
  };
  switch (kind) {
    case DeclKind::kBool:
      set(TypeKind::kBool, kMinBoolJson, 0);
      break;
    case DeclKind::kInt:
      set(TypeKind::kInt, kMinNumberJson, 0);
      break;
    case DeclKind::kDouble:
      set(TypeKind::kDouble, kMinNumberJson, 0);
      break;
    case DeclKind::kString:
      // Compat: that of keys of maps. Upstream counts them as empty in the estimate, so that rules about keys are
      // allowed.
      set(TypeKind::kString, kMinStringJson, 0);
      break;
    case DeclKind::kBytes:
      set(TypeKind::kBytes, kMinStringJson, kMaxRequestBytes - 2);
      break;
    case DeclKind::kDuration:
      set(TypeKind::kDuration, kMinDurationJson, kMaxDurationJson);
      break;
    case DeclKind::kTimestamp:
      set(TypeKind::kTimestamp, kMinDatetimeJson, kMaxDatetimeJson);
      break;
    case DeclKind::kDate:
      set(TypeKind::kTimestamp, kDateJson, kDateJson);
      break;
    default:
      set(TypeKind::kDyn, 1, kMaxRequestBytes - 2);
      break;
  }
  return type;
}

}  // namespace

const DeclField* DeclType::find(std::string_view escaped) const {
  const auto at = std::lower_bound(fields.begin(), fields.end(), escaped,
                                   [](const DeclField& field, std::string_view name) { return field.escaped < name; });
  if (at != fields.end() && at->escaped == escaped) return &*at;
  // Compat: since 1.30 a keyword names a field without being escaped too.
  return is_keyword(escaped) ? find("__" + std::string(escaped) + "__") : nullptr;
}

const DeclField* DeclType::find_json(std::string_view name) const {
  if (const DeclField* same = find(name); same && same->name == name) return same;
  for (const DeclField& field : fields) {
    if (field.name == name) return &field;
  }
  return nullptr;
}

const DeclType* DeclTypes::scalar(DeclKind kind) {
  static const std::array<DeclType, 13> kScalars = [] {
    std::array<DeclType, 13> all;
    for (size_t i = 0; i < all.size(); ++i) all[i] = make_scalar(static_cast<DeclKind>(i));
    return all;
  }();
  return &kScalars[static_cast<size_t>(kind)];
}

DeclType* DeclTypes::add(DeclKind kind) {
  DeclType& type = types_.emplace_back();
  type.kind = kind;
  return &type;
}

const DeclType* DeclTypes::open_object(std::string_view name) {
  DeclType* type = add(DeclKind::kObject);
  type->type = pool_.object(name);
  type->open = true;
  type->min_serialized_size = 2;
  by_name_[type->type->name] = type;
  return type;
}

const DeclType* DeclTypes::find(std::string_view object_name) const {
  const auto at = by_name_.find(object_name);
  return at == by_name_.end() ? nullptr : at->second;
}

const DeclType* DeclTypes::build(const SchemaSource& schema, std::string_view name, SchemaRoot root) {
  return build_node(schema, std::string(name), root);
}

const DeclType* DeclTypes::build_node(const SchemaSource& schema, const std::string& name, SchemaRoot root) {
  const auto finish = [&](const DeclType* built) -> const DeclType* {
    if (!built || !schema.nullable()) return built;
    DeclType* copy = &types_.emplace_back(*built);
    copy->nullable = true;
    if (copy->kind == DeclKind::kObject) by_name_[copy->type->name] = copy;
    return copy;
  };
  if (schema.int_or_string()) {
    DeclType* type = add(DeclKind::kIntOrString);
    type->type = simple_type(TypeKind::kDyn);
    type->max_elements = schema.max_length() ? at_least_zero(*schema.max_length()) * 4 : kMaxRequestBytes - 2;
    return finish(type);
  }
  const std::string_view kind = schema.type();
  if (kind == "array") return finish(build_list(schema, name));
  if (kind == "object") {
    if (schema.additional_properties()) return finish(build_map(schema, name));
    return finish(build_object(schema, name, root));
  }
  if (kind == "string") return finish(build_string(schema));
  if (kind == "boolean") return finish(scalar(DeclKind::kBool));
  if (kind == "number") return finish(scalar(DeclKind::kDouble));
  if (kind == "integer") return finish(scalar(DeclKind::kInt));
  return nullptr;
}

const DeclType* DeclTypes::build_list(const SchemaSource& schema, const std::string& name) {
  const SchemaSource* items = schema.items();
  if (!items) return nullptr;
  const DeclType* element =
      build_node(*items, name + ".@idx", items->embedded_resource() ? SchemaRoot::kResource : SchemaRoot::kPlain);
  if (!element) return nullptr;
  const uint64_t most = schema.max_items()
                            ? at_least_zero(*schema.max_items())
                            : static_cast<uint64_t>((kMaxRequestBytes - 2) / (element->min_serialized_size + 1));
  list_of(element, most);
  DeclType* type = &types_.back();
  if (schema.list_type() == "set") type->list_kind = ListKind::kSet;
  if (schema.list_type() == "map") {
    type->list_kind = ListKind::kMap;
    type->list_keys = schema.list_map_keys();
  }
  return type;
}

const DeclType* DeclTypes::build_map(const SchemaSource& schema, const std::string& name) {
  const SchemaSource& values = *schema.additional_properties();
  const DeclType* element =
      build_node(values, name + ".@elem", values.embedded_resource() ? SchemaRoot::kResource : SchemaRoot::kPlain);
  if (!element) return nullptr;
  const uint64_t most = schema.max_properties()
                            ? at_least_zero(*schema.max_properties())
                            : static_cast<uint64_t>((kMaxRequestBytes - 2) / (element->min_serialized_size + 6));
  return map_of(element, most);
}

const DeclType* DeclTypes::list_of(const DeclType* element, uint64_t max_elements) {
  DeclType* type = add(DeclKind::kList);
  type->element = element;
  type->type = pool_.list(element->type);
  type->max_elements = max_elements;
  type->min_serialized_size = 2;
  return type;
}

const DeclType* DeclTypes::map_of(const DeclType* element, uint64_t max_elements) {
  DeclType* type = add(DeclKind::kMap);
  type->element = element;
  type->type = pool_.map(simple_type(TypeKind::kString), element->type);
  type->max_elements = max_elements;
  type->min_serialized_size = 2;
  return type;
}

const DeclType* DeclTypes::object(std::string_view name, std::vector<DeclField> fields) {
  std::sort(fields.begin(), fields.end(), [](const DeclField& a, const DeclField& b) { return a.escaped < b.escaped; });
  DeclType* type = add(DeclKind::kObject);
  type->type = pool_.object(name);
  type->fields = std::move(fields);
  type->min_serialized_size = 2;
  by_name_[type->type->name] = type;
  return type;
}

const DeclType* DeclTypes::build_object(const SchemaSource& schema, const std::string& name, SchemaRoot root) {
  std::vector<DeclField> fields;
  int64_t min_size = 2;
  const bool resource = root == SchemaRoot::kResource;
  schema.each_property([&](std::string_view property, const SchemaSource& child) {
    if (resource && (property == "apiVersion" || property == "kind" || property == "metadata")) return;
    const auto escaped = escape(property);
    if (!escaped) return;
    const DeclType* type = build_node(child, name + '.' + *escaped,
                                      child.embedded_resource() ? SchemaRoot::kResource : SchemaRoot::kPlain);
    if (!type) return;
    const bool required = schema.is_required(property);
    if (required && !child.has_default())
      min_size += static_cast<int64_t>(property.size()) + type->min_serialized_size + 4;
    fields.push_back({*escaped, std::string(property), type, required});
  });
  if (resource) {
    DeclType* text = &types_.emplace_back(*scalar(DeclKind::kString));
    text->max_elements = kMaxRequestBytes - 2;
    const DeclType* metadata =
        object(name + ".metadata", {{"name", "name", text}, {"generateName", "generateName", text}});
    fields.push_back({"apiVersion", "apiVersion", text});
    fields.push_back({"kind", "kind", text});
    fields.push_back({"metadata", "metadata", metadata});
  }
  object(name, std::move(fields));
  types_.back().min_serialized_size = min_size;
  return &types_.back();
}

const DeclType* DeclTypes::build_string(const SchemaSource& schema) {
  const std::string_view format = schema.format();
  if (format == "duration") return scalar(DeclKind::kDuration);
  if (format == "date") return scalar(DeclKind::kDate);
  if (format == "date-time") return scalar(DeclKind::kTimestamp);
  DeclType* type = &types_.emplace_back(*scalar(format == "byte" ? DeclKind::kBytes : DeclKind::kString));
  type->max_elements = kMaxRequestBytes - 2;
  // A code point of a maxLength may take four bytes; of bytes, the length is that of the text.
  if (schema.max_length()) {
    type->max_elements = at_least_zero(*schema.max_length()) * (format == "byte" ? 1 : 4);
  } else if (const auto longest = schema.longest_enum_value(); longest && format != "byte") {
    type->max_elements = static_cast<uint64_t>(*longest);
  }
  return type;
}

}  // namespace cel
