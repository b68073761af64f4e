// Are the defaults in a schema valid, pruned, and proper metadata where they are metadata?
#include "api/apiextensions/embedded_resource.h"
#include "api/apiextensions/schema_json.h"
#include "api/apiextensions/schema_validation.h"
#include "api/apiextensions/validation_rules.h"
#include "gen/catalogue.h"
#include "gen/meta/v1.h"
#include "schema/structural/structural_schema.h"
#include "schema/structural/structurality.h"

namespace api {
namespace {

using object::FieldErrors;
using object::FieldPath;
using object::Object;
using object::Value;
using schema::Place;
using schema::SchemaNode;

// The way from the innermost resource to a part of it, to build a resource around a default.
struct Around {
  const Around* parent = nullptr;
  std::string_view member;  // empty: an item of a list
};

Value surrounded(const Around* around, Value value) {
  for (; around && around->parent; around = around->parent) {
    if (around->member.empty()) {
      value = object::Array{std::move(value)};
    } else {
      Object outer;
      outer.set(around->member, std::move(value));
      value = std::move(outer);
    }
  }
  if (Object* members = value.object_if()) {
    if (!members->contains("kind")) members->set("kind", "Validation");
    if (!members->contains("apiVersion")) members->set("apiVersion", "validation/v1");
  }
  return value;
}

// Compat: as upstream's language prints a map.
void sort_members(Value& value) {
  if (Object* members = value.object_if()) {
    members->sort_by_key();
    for (object::Member& member : *members) sort_members(member.value);
  } else if (object::Array* items = value.array_if()) {
    for (Value& item : *items) sort_members(item);
  }
}

class DefaultsCheck {
 public:
  DefaultsCheck(UnknownFields unknown, FieldErrors& errors) : unknown_(unknown), errors_(errors) {}

  // `resource` is the innermost resource, `place` says whether `node` is its root, whatever its schema says.
  void check(SchemaNode node, const Value& json, SchemaNode resource, Place place, const Around& around,
             bool inside_meta, const FieldPath& path) {
    static constexpr Around kTop;
    const bool embedded = node.embedded_resource() || place == Place::kResource;
    const Around* from = embedded ? &kTop : &around;
    if (embedded) {
      inside_meta = false;
      resource = node;
    }
    if (node.default_value()) {
      Value value = *node.default_value();
      sort_members(value);
      if (inside_meta) {
        check_in_metadata(node, json, resource, value, *from, path.child("default"));
      } else {
        check_default(node, json, value, embedded ? Place::kResource : Place::kPart, path.child("default"));
      }
    }
    // Not into additionalProperties: no default may stand there.
    if (const SchemaNode items = node.items()) {
      check(items, *json.find("items"), resource, Place::kPart, {from, ""}, inside_meta, path.child("items"));
    }
    const FieldPath properties = path.child("properties");
    for (const std::string_view name : node.property_names()) {
      const bool meta = name == "metadata" || name == "apiVersion" || name == "kind";
      check(node.property(name), *json.find("properties")->find(name), resource, Place::kPart, {from, name},
            inside_meta || (embedded && meta), properties.key(name));
    }
  }

 private:
  void check_default(SchemaNode node, const Value& json, const Value& value, Place place, const FieldPath& path) {
    Value coerced = value;
    auto malformed = schema::coerce_embedded(node, coerced, place, path, schema::OnMalformed::kFail);
    if (unknown_ == UnknownFields::kRefused) {
      Value pruned = value;
      schema::prune(node, pruned, place);
      // Compat: shown as it is without what metadata cannot have.
      if (!(pruned == value)) errors_.invalid(path, coerced, "must not have unknown fields");
    }
    if (malformed) {
      errors_.add(*std::move(malformed));
      return;
    }
    FieldErrors found;
    validate_embedded(node, coerced, place, path, found);
    if (found.empty()) schema::validate(node, coerced, nullptr, path, found);
    if (found.empty()) check_rules(json, coerced, place, path, found);
    errors_.append(std::move(found));
  }

  void check_in_metadata(SchemaNode node, const Value& json, SchemaNode resource, const Value& value,
                         const Around& around, const FieldPath& path) {
    constexpr std::string_view kMustResult = "must result in valid metadata: ";
    Value whole = surrounded(&around, value);
    FieldErrors found;
    if (auto error = schema::coerce_embedded(resource, whole, Place::kResource, {}, schema::OnMalformed::kFail)) {
      errors_.invalid(path, value, std::string(kMustResult) + error->to_string());
      return;
    }
    validate_embedded(resource, whole, Place::kResource, {}, found);
    if (!found.empty()) {
      errors_.invalid(path, value, std::string(kMustResult) + found.to_string());
      return;
    }
    schema::validate(node, value, nullptr, path, found);
    if (found.empty()) check_rules(json, value, Place::kPart, path, found);
    errors_.append(std::move(found));
  }

  // A default must be a value that a new object may have, and one that an unchanged object may keep.
  static void check_rules(const Value& json, const Value& value, Place place, const FieldPath& path,
                          FieldErrors& errors) {
    const bool any =
        schema::any_schema(json, [](const Object& part) { return part.contains("x-kubernetes-validations"); });
    if (!any) return;
    const auto compiled = schema::StructuralSchema::compile(json, gen::message_of<meta::v1::ObjectMeta>());
    const auto rules = compiled ? ValidationRules::compile(json, *compiled, place) : nullptr;
    if (!rules) return;
    rules->validate(value, &value, path, errors, ValidationRules::Ratcheting::kOff, nullptr);
    if (errors.empty()) rules->validate(value, nullptr, path, errors, ValidationRules::Ratcheting::kOff, nullptr);
  }

  UnknownFields unknown_;
  FieldErrors& errors_;
};

}  // namespace

void validate_schema_defaults(const Value& schema, UnknownFields unknown, const FieldPath& path, FieldErrors& errors) {
  const auto compiled = schema::StructuralSchema::compile(schema, gen::message_of<meta::v1::ObjectMeta>());
  if (!compiled) return;
  const SchemaNode root = (*compiled)->root();
  DefaultsCheck(unknown, errors).check(root, schema, root, Place::kResource, {}, false, path);
}

}  // namespace api
