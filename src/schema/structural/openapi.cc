#include "schema/structural/openapi.h"

#include <algorithm>
#include <utility>

#include "schema/structural/members.h"
#include "schema/structural/structurality.h"

namespace schema {
namespace {

using object::Array;
using object::FieldErrors;
using object::FieldPath;
using object::Object;
using object::Value;

constexpr std::string_view kPreserve = "x-kubernetes-preserve-unknown-fields";
constexpr std::string_view kEmbedded = "x-kubernetes-embedded-resource";

Value int_or_string_branches() {
  Array branches;
  for (const std::string_view type : {"integer", "string"}) {
    Object branch;
    branch.set("type", type);
    branches.emplace_back(std::move(branch));
  }
  return branches;
}

bool is_int_or_string_any_of(const Value* any_of) { return any_of && *any_of == int_or_string_branches(); }

Value reference(std::string_view name, std::string_view description, OpenApiVersion version) {
  Object out;
  out.set("description", description);
  out.set("$ref", (version == OpenApiVersion::kV2 ? "#/definitions/" : "#/components/schemas/") + std::string(name));
  return out;
}

// Compat: clients look for these first words.
constexpr const char* kMetadataText = "Standard object's metadata, which every object has.";

Value text_property(std::string_view description) {
  Object out;
  out.set("description", description);
  out.set("type", "string");
  return out;
}

void set_type_meta(Object& properties) {
  properties.set("apiVersion",
                 text_property("APIVersion defines the group and version of this object's schema, as in apps/v1."));
  properties.set("kind", text_property("Kind of this object, in CamelCase."));
}

Object& properties_of(Object& schema) {
  Value& properties = schema["properties"];
  if (!properties.is_object()) properties = Object();
  return *properties.object_if();
}

class Publisher {
 public:
  explicit Publisher(OpenApiVersion version) : v2_(version == OpenApiVersion::kV2), version_(version) {}

  // A part of the schema outside of junctors.
  Object part(const Object& in) const {
    Object out;
    for (const object::Member& member : in) {
      if (is_left_out(member.key)) continue;
      if (member.key == "properties" && member.value.is_object()) {
        Object properties;
        for (const object::Member& property : *member.value.object_if()) {
          properties.append(property.key, child(property.value));
        }
        out.append(member.key, std::move(properties));
      } else if (member.key == "items" || member.key == "additionalProperties") {
        out.append(member.key, child(member.value));
      } else {
        out.append(member.key, member.value);
      }
    }
    if (v2_) {
      to_v2(in, out);
    } else if (true_at(in, "x-kubernetes-int-or-string")) {
      unfold(out);
    }
    if (true_at(in, kEmbedded) && !(v2_ && true_at(in, kPreserve))) add_resource(out);
    return out;
  }

 private:
  // Compat: the second version's document has no defaults.
  bool is_left_out(std::string_view name) const {
    return name == "example" || name == "externalDocs" || name == "uniqueItems" || (v2_ && name == "default");
  }

  Value child(const Value& schema) const { return schema.is_object() ? Value(part(*schema.object_if())) : schema; }

  // The type that x-kubernetes-int-or-string stands for, as a validation.
  static void unfold(Object& out) {
    const Value* any_of = out.find("anyOf");
    Value* all_of = out.find("allOf");
    if (is_int_or_string_any_of(any_of)) return;
    const bool has_all_of = all_of && all_of->is_array() && !all_of->array_if()->empty();
    if (has_all_of && is_int_or_string_any_of(all_of->array_if()->front().find("anyOf"))) return;
    if (!any_of) {
      out.set("anyOf", int_or_string_branches());
      return;
    }
    Object first;
    first.set("anyOf", int_or_string_branches());
    Array branches{Value(std::move(first))};
    if (has_all_of) branches.insert(branches.end(), all_of->array_if()->begin(), all_of->array_if()->end());
    out.set("allOf", std::move(branches));
  }

  // Compat: what kubectl of old cannot read goes.
  static void to_v2(const Object& in, Object& out) {
    for (const std::string_view name : {"allOf", "oneOf", "anyOf", "not"}) out.erase(name);
    const bool preserves = true_at(in, kPreserve);
    if (true_at(in, "nullable")) {
      for (const std::string_view name : {"type", "nullable", "items", "properties"}) out.erase(name);
    }
    if (preserves) {
      out.erase("items");
      out.erase("properties");
    }
    if (text_at(out, "type") == "array" && !out.contains("items")) out.erase("type");
    if (preserves && text_at(out, "type") == "object") out.erase("type");
    drop_nullable_from_required(in, out);
  }

  static void drop_nullable_from_required(const Object& in, Object& out) {
    const Value* additional = in.find("additionalProperties");
    if (additional && additional->is_object() && true_at(*additional->object_if(), "nullable")) out.erase("required");
    Value* required = out.find("required");
    if (!required || !required->is_array() || !out.contains("properties")) return;
    const Value* properties = in.find("properties");
    std::erase_if(*required->array_if(), [&](const Value& name) {
      const Value* property = name.is_string() ? properties->find(*name.string_if()) : nullptr;
      return property && property->is_object() && true_at(*property->object_if(), "nullable");
    });
    if (required->array_if()->empty()) out.erase("required");
  }

  void add_resource(Object& out) const {
    Object& properties = properties_of(out);
    set_type_meta(properties);
    properties.set("metadata", reference("io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta", kMetadataText, version_));
    Value& required = out["required"];
    if (!required.is_array()) required = Array();
    for (const std::string_view name : {"kind", "apiVersion"}) {
      Array& names = *required.array_if();
      if (std::ranges::find(names, Value(name)) == names.end()) names.emplace_back(name);
    }
  }

  bool v2_;
  OpenApiVersion version_;
};

void add_kind(Object& out, const PublishedKind& kind, std::string_view name) {
  Object gvk;
  gvk.set("group", kind.group);
  gvk.set("kind", name);
  gvk.set("version", kind.version);
  out.set("x-kubernetes-group-version-kind", Array{Value(std::move(gvk))});
  if (kind.selectable_fields.empty()) return;
  Array fields;
  for (const std::string_view path : kind.selectable_fields) {
    Object field;
    field.set("fieldPath", path);
    fields.emplace_back(std::move(field));
  }
  out.set("x-kubernetes-selectable-fields", std::move(fields));
}

bool is_publishable(const Value* schema) {
  if (!schema || !schema->is_object()) return false;
  FieldErrors errors;
  validate_structural(*schema, FieldPath(), errors);
  return errors.empty();
}

}  // namespace

std::string model_name(std::string_view group, std::string_view version, std::string_view kind) {
  std::string out;
  while (!group.empty()) {
    const size_t dot = group.rfind('.');
    out += dot == std::string_view::npos ? group : group.substr(dot + 1);
    out += '.';
    group = dot == std::string_view::npos ? std::string_view() : group.substr(0, dot);
  }
  return out.append(version).append(1, '.').append(kind);
}

Value published_schema(const PublishedKind& kind, OpenApiVersion version) {
  Object out;
  const bool v2 = version == OpenApiVersion::kV2;
  const bool bare = !is_publishable(kind.schema) || (v2 && true_at(*kind.schema->object_if(), kPreserve));
  if (bare) {
    // Compat: not even TypeMeta: clients would take its presence as a complete list.
    out.set("type", "object");
  } else {
    out = Publisher(version).part(*kind.schema->object_if());
    Object& properties = properties_of(out);
    set_type_meta(properties);
    properties.set("metadata", reference("io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta", kMetadataText, version));
  }
  add_kind(out, kind, kind.kind);
  return out;
}

Value published_list_schema(const PublishedKind& kind, OpenApiVersion version) {
  Object out;
  out.set("description", std::string(kind.list_kind) + " is a list of " + std::string(kind.kind));
  out.set("type", "object");
  out.set("required", Array{Value("items")});
  Object properties, items, item;
  const std::string name = model_name(kind.group, kind.version, kind.kind);
  item.set("$ref", (version == OpenApiVersion::kV2 ? "#/definitions/" : "#/components/schemas/") + name);
  items.set("description", "The " + std::string(kind.plural) + '.');
  items.set("type", "array");
  items.set("items", std::move(item));
  set_type_meta(properties);
  properties.set("items", std::move(items));
  properties.set("metadata",
                 reference("io.k8s.apimachinery.pkg.apis.meta.v1.ListMeta", "Metadata that every list has.", version));
  out.set("properties", std::move(properties));
  add_kind(out, kind, kind.list_kind);
  return out;
}

}  // namespace schema
