#include "api/apiextensions/schema_validation.h"

#include <algorithm>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "api/apiextensions/schema_field_path.h"
#include "api/apiextensions/schema_json.h"
#include "api/shared/checks.h"
#include "gen/catalogue.h"
#include "gen/meta/v1.h"
#include "object/json.h"
#include "schema/structural/structurality.h"

namespace api {
namespace {

using object::Array;
using object::Object;
using object::Value;

constexpr std::string_view kTypes[] = {"array", "boolean", "integer", "number", "object", "string"};

bool is_type(std::string_view type) { return std::ranges::find(kTypes, type) != std::end(kTypes); }
bool is_meta_field(std::string_view name) { return name == "metadata" || name == "kind" || name == "apiVersion"; }

std::string_view list_type_of(const Object& json) { return text_at(json, "x-kubernetes-list-type"); }
bool is_stated(const Object& json, std::string_view name) {
  const Value* value = json.find(name);
  return value && !value->is_null();
}
// Present and not empty.
bool is_filled(const Object& json, std::string_view name) {
  const Value* value = json.find(name);
  if (!value) return false;
  if (const Array* list = value->array_if()) return !list->empty();
  if (const Object* members = value->object_if()) return !members->empty();
  return !value->is_null();
}

std::string trimmed(std::string_view text) {
  const size_t from = text.find_first_not_of(" \t\n\r\f\v");
  if (from == std::string_view::npos) return "";
  return std::string(text.substr(from, text.find_last_not_of(" \t\n\r\f\v") - from + 1));
}

bool item_of_set_is_atomic(const Object& item) {
  const std::string_view type = text_at(item, "type");
  if (type == "array") return !is_stated(item, "x-kubernetes-list-type") || list_type_of(item) == "atomic";
  if (type == "object") return text_at(item, "x-kubernetes-map-type") == "atomic";
  return true;
}

void check_list_map_keys(const Object& json, const FieldPath& path, FieldErrors& errors) {
  const Object* item = object_at(json, "items");
  const std::string_view list_type = list_type_of(json);
  if (!item || (list_type != "set" && list_type != "map")) return;
  const FieldPath items = path.child("items");
  if (true_at(*item, "nullable")) {
    errors.forbidden(items.child("nullable"),
                     "cannot be nullable when x-kubernetes-list-type is " + std::string(list_type));
  }
  if (list_type != "map") return;
  const Array& required = list_at(*item, "required");
  const Object* properties = object_at(*item, "properties");
  const FieldPath properties_path = items.child("properties");
  for (const Value& key : list_at(json, "x-kubernetes-list-map-keys")) {
    if (!key.is_string() || !properties) continue;
    const Value* property = properties->find(*key.string_if());
    if (!property || !property->is_object()) continue;
    const FieldPath at = properties_path.key(*key.string_if());
    if (std::ranges::find(required, key) == required.end() && !is_stated(*property->object_if(), "default")) {
      errors.required(at.child("default"),
                      "this property is in x-kubernetes-list-map-keys, so it must have a default or be a required "
                      "property");
    }
    if (true_at(*property->object_if(), "nullable")) {
      errors.forbidden(at.child("nullable"),
                       "this property is in x-kubernetes-list-map-keys, so it cannot be nullable");
    }
  }
}

// What holds for a place in the schema because of what is around it.
struct Surroundings {
  bool defaults_allowed = true;
  std::string why_not;  // defaults are not allowed
  bool inside_meta = false;
};

class SchemaCheck {
 public:
  SchemaCheck(const SchemaRequirements& requirements, FieldErrors& errors)
      : requirements_(requirements), errors_(errors) {}

  void check(const Object& json, const Surroundings& around, bool is_root, const FieldPath& path) {
    const size_t before = errors_.size();
    check_all(json, around, is_root, path);
    if (errors_.size() != before) bad_parts_.insert(path.to_string());
  }
  // Where errors were found: each part's own and those below it.
  const std::set<std::string>& bad_parts() const { return bad_parts_; }

 private:
  void check_all(const Object& json, const Surroundings& around, bool is_root, const FieldPath& path) {
    check_supported(json, around, path);
    if (true_at(json, "uniqueItems")) {
      errors_.forbidden(path.child("uniqueItems"),
                        "uniqueItems cannot be set to true since the runtime complexity becomes quadratic");
    }
    check_additional(json, around, path);
    check_properties(json, around, is_root, path);
    check_branches(json, around, path);
    check_items(json, around, path);
    check_extensions(json, path);
    check_list_map(json, path);
    if (requirements_.list_map_keys) check_list_map_keys(json, path, errors_);
    check_rules(json, path);
  }

  void check_supported(const Object& json, const Surroundings& around, const FieldPath& path) {
    const std::string_view type = text_at(json, "type");
    if (requirements_.valid_types && !type.empty() && !is_type(type)) {
      errors_.not_supported(path.child("type"), type,
                            {kTypes[0], kTypes[1], kTypes[2], kTypes[3], kTypes[4], kTypes[5]});
    }
    if (is_stated(json, "default") && !around.defaults_allowed) {
      errors_.forbidden(path.child("default"),
                        "must not be set" + (around.why_not.empty() ? "" : ' ' + around.why_not));
    }
    if (!text_at(json, "id").empty()) errors_.forbidden(path.child("id"), "id is not supported");
    for (const std::string_view name :
         {"additionalItems", "patternProperties", "definitions", "dependencies", "$ref"}) {
      const bool set =
          name == "patternProperties" || name == "definitions" ? is_filled(json, name) : is_stated(json, name);
      if (set) errors_.forbidden(path.child(name), std::string(name) + " is not supported");
    }
    if (type == "null") {
      errors_.forbidden(path.child("type"), "type cannot be set to null, use nullable as an alternative");
    }
    if (!list_at(json, "items").empty()) {
      errors_.forbidden(path.child("items"), "items must be a schema object and not an array");
    }
    if (around.inside_meta && true_at(json, "x-kubernetes-embedded-resource")) {
      errors_.forbidden(path.child("x-kubernetes-embedded-resource"), "must not be used inside of resource meta");
    }
  }

  void check_additional(const Object& json, const Surroundings& around, const FieldPath& path) {
    const Value* additional = json.find("additionalProperties");
    if (!additional || additional->is_null()) return;
    const FieldPath at = path.child("additionalProperties");
    if (is_filled(json, "properties") && !(additional->bool_if() && *additional->bool_if())) {
      errors_.forbidden(at, "additionalProperties and properties are mutual exclusive");
    }
    if (!additional->is_object()) return;
    Surroundings below = around;
    if (around.inside_meta) {
      below.defaults_allowed = false;
      below.why_not = "inside additionalProperties applying to object metadata";
    }
    check(*additional->object_if(), below, false, at);
  }

  void check_properties(const Object& json, const Surroundings& around, bool is_root, const FieldPath& path) {
    const Object* properties = object_at(json, "properties");
    if (!properties) return;
    const FieldPath at = path.child("properties");
    for (const object::Member& member : *properties) {
      if (!member.value.is_object()) continue;
      Surroundings below = around;
      if ((is_root || true_at(json, "x-kubernetes-embedded-resource")) && is_meta_field(member.key)) {
        below.inside_meta = true;
        if (is_root) {
          below.defaults_allowed = false;
          below.why_not = "in top-level " + member.key;
        }
      }
      check(*member.value.object_if(), below, false, at.key(member.key));
    }
  }

  void check_branches(const Object& json, const Surroundings& around, const FieldPath& path) {
    if (const Object* negated = object_at(json, "not")) check(*negated, around, false, path.child("not"));
    for (const std::string_view name : {"allOf", "oneOf", "anyOf"}) {
      const Array& list = list_at(json, name);
      const FieldPath at = path.child(name);
      for (size_t i = 0; i < list.size(); ++i) {
        if (list[i].is_object()) check(*list[i].object_if(), around, false, at.index(i));
      }
    }
    for (const std::string_view name : {"definitions", "dependencies"}) {
      const Object* members = object_at(json, name);
      const FieldPath at = path.child(name);
      if (!members) continue;
      for (const object::Member& member : *members) {
        if (member.value.is_object()) check(*member.value.object_if(), around, false, at.key(member.key));
      }
    }
  }

  void check_items(const Object& json, const Surroundings& around, const FieldPath& path) {
    const FieldPath at = path.child("items");
    if (const Object* items = object_at(json, "items")) check(*items, around, false, at);
    const Array& list = list_at(json, "items");
    for (size_t i = 0; i < list.size(); ++i) {
      if (list[i].is_object()) check(*list[i].object_if(), around, false, at.index(i));
    }
  }

  // Required or invalid, whether the type is missing or another.
  void check_type_is(const Object& json, std::string_view wanted, const std::string& detail, const FieldPath& path) {
    const std::string_view type = text_at(json, "type");
    if (type == wanted) return;
    if (type.empty()) {
      errors_.required(path.child("type"), detail);
    } else {
      errors_.invalid(path.child("type"), type, detail);
    }
  }

  void check_extensions(const Object& json, const FieldPath& path) {
    constexpr std::string_view kPreserve = "x-kubernetes-preserve-unknown-fields";
    if (const Value* preserve = json.find(kPreserve); preserve && preserve->bool_if() && !*preserve->bool_if()) {
      errors_.invalid(path.child(kPreserve), false, "must be true or undefined");
    }
    if (is_stated(json, "x-kubernetes-map-type")) {
      const std::string_view kind = text_at(json, "x-kubernetes-map-type");
      check_type_is(json, "object", "must be object if x-kubernetes-map-type is specified", path);
      if (kind != "atomic" && kind != "granular") {
        errors_.not_supported(path.child("x-kubernetes-map-type"), kind, {"atomic", "granular"});
      }
    }
    if (!is_stated(json, "x-kubernetes-list-type")) return;
    const std::string_view kind = list_type_of(json);
    check_type_is(json, "array", "must be array if x-kubernetes-list-type is specified", path);
    const Object* items = object_at(json, "items");
    if (requirements_.atomic_sets && text_at(json, "type") == "array" && kind == "set" && items &&
        !item_of_set_is_atomic(*items)) {
      const FieldPath items_path = path.child("items");
      const bool list = text_at(*items, "type") == "array";
      // Compat: what is shown is the list type in both cases.
      const std::string shown = is_stated(*items, "x-kubernetes-list-type")
                                    ? object::to_json(Value(list_type_of(*items)))
                                    : std::string("null");
      errors_.invalid(items_path.child(list ? "x-kubernetes-list-type" : "x-kubernetes-map-type"),
                      BadValue::verbatim(shown), "must be atomic as item of a list with x-kubernetes-list-type=set");
    }
    if (kind != "atomic" && kind != "set" && kind != "map") {
      errors_.not_supported(path.child("x-kubernetes-list-type"), kind, {"atomic", "set", "map"});
    }
  }

  void check_list_map(const Object& json, const FieldPath& path) {
    const Array& keys = list_at(json, "x-kubernetes-list-map-keys");
    const std::string_view kind = list_type_of(json);
    const FieldPath keys_path = path.child("x-kubernetes-list-map-keys"), items_path = path.child("items");
    if (!keys.empty() && kind != "map") {
      constexpr std::string_view kDetail = "must be map if x-kubernetes-list-map-keys is non-empty";
      if (!is_stated(json, "x-kubernetes-list-type")) {
        errors_.required(path.child("x-kubernetes-list-type"), kDetail);
      } else {
        errors_.invalid(path.child("x-kubernetes-list-type"), kind, kDetail);
      }
    }
    if (kind != "map") return;
    if (keys.empty()) errors_.required(keys_path, "must not be empty if x-kubernetes-list-type is map");
    const Value* items = json.find("items");
    if (!items || items->is_null()) {
      errors_.required(items_path, "must have a schema if x-kubernetes-list-type is map");
      return;
    }
    if (!items->is_object()) {
      errors_.invalid(items_path, shown_items(*items),
                      "must only have a single schema if x-kubernetes-list-type is map");
      return;
    }
    const Object& item = *items->object_if();
    if (text_at(item, "type") != "object") {
      errors_.invalid(items_path.child("type"), text_at(item, "type"),
                      "must be object if parent array's x-kubernetes-list-type is map");
      return;
    }
    check_keys(keys, item, items_path, keys_path);
  }

  void check_keys(const Array& keys, const Object& item, const FieldPath& items_path, const FieldPath& keys_path) {
    const Object* properties = object_at(item, "properties");
    const FieldPath properties_path = items_path.child("properties");
    std::set<std::string_view> seen;
    for (const Value& key : keys) {
      if (!key.is_string()) continue;
      const std::string& name = *key.string_if();
      const Value* property = properties ? properties->find(name) : nullptr;
      if (!property || !property->is_object()) {
        errors_.invalid(keys_path, Value(keys), "entries must all be names of item properties");
      } else if (const auto type = text_at(*property->object_if(), "type"); type == "array" || type == "object") {
        const FieldPath at = properties_path.key(name);
        // Compat: the item's type is shown.
        errors_.invalid(at.child("type"), text_at(item, "type"),
                        "must be a scalar type if parent array's x-kubernetes-list-type is map");
      }
      if (!seen.insert(name).second) errors_.invalid(keys_path, Value(keys), "must not contain duplicate entries");
    }
  }

  void check_rules(const Object& json, const FieldPath& path) {
    const Array& rules = list_at(json, "x-kubernetes-validations");
    const FieldPath rules_path = path.child("x-kubernetes-validations");
    const bool any_path =
        std::ranges::any_of(rules, [](const Value& rule) { return !rule.string_at({"fieldPath"}).empty(); });
    std::shared_ptr<const schema::StructuralSchema> compiled;
    if (any_path) {
      auto made = schema::StructuralSchema::compile(Value(json), gen::message_of<meta::v1::ObjectMeta>());
      if (made) compiled = *std::move(made);
    }
    for (size_t i = 0; i < rules.size(); ++i) {
      if (rules[i].is_object()) check_rule(compiled.get(), *rules[i].object_if(), rules_path.index(i));
    }
  }

  // The texts of a validation rule; its expressions are compiled elsewhere.
  void check_rule(const schema::StructuralSchema* schema, const Object& rule, const FieldPath& path) {
    const std::string expression = trimmed(text_at(rule, "rule"));
    const std::string_view message = text_at(rule, "message");
    const std::string plain = trimmed(message);
    if (expression.empty()) {
      errors_.required(path.child("rule"), "rule is not specified");
    } else if (!message.empty() && plain.empty()) {
      errors_.invalid(path.child("message"), message, "must be non-empty if specified");
    } else if (has_newline(plain)) {
      errors_.invalid(path.child("message"), message, "must not contain line breaks");
    } else if (has_newline(expression) && plain.empty()) {
      errors_.required(path.child("message"), "message must be specified if rule contains line breaks");
    }
    const std::string_view message_expression = text_at(rule, "messageExpression");
    if (!message_expression.empty() && trimmed(message_expression).empty()) {
      errors_.required(path.child("messageExpression"), "messageExpression must be non-empty if specified");
    }
    if (is_stated(rule, "reason")) {
      const std::string_view reason = text_at(rule, "reason");
      if (reason != "FieldValueDuplicate" && reason != "FieldValueForbidden" && reason != "FieldValueInvalid" &&
          reason != "FieldValueRequired") {
        errors_.not_supported(
            path.child("reason"), reason,
            {"FieldValueDuplicate", "FieldValueForbidden", "FieldValueInvalid", "FieldValueRequired"});
      }
    }
    check_rule_path(schema, text_at(rule, "fieldPath"), path.child("fieldPath"));
  }

  void check_rule_path(const schema::StructuralSchema* schema, std::string_view field_path, const FieldPath& path) {
    if (field_path.empty()) return;
    if (trimmed(field_path).empty()) errors_.invalid(path, field_path, "must be non-empty if specified");
    if (has_newline(field_path)) errors_.invalid(path, field_path, "must not contain line breaks");
    // Compat: a schema that cannot be compiled has its own error.
    if (schema && !parse_schema_field_path(field_path, schema->root(), ArrayNotation::kAllowed)) {
      errors_.invalid(path, field_path, "must be a valid path");
    }
  }

  const SchemaRequirements& requirements_;
  FieldErrors& errors_;
  std::set<std::string> bad_parts_;
};

// Compat: with a status subresource the status is validated by itself, so the root may only have what says nothing of
// it.
void check_root(const Value& schema, const FieldPath& path, FieldErrors& errors) {
  static constexpr std::string_view kForbidden[] = {"id",
                                                    "$schema",
                                                    "$ref",
                                                    "nullable",
                                                    "default",
                                                    "enum",
                                                    "maxProperties",
                                                    "minProperties",
                                                    "allOf",
                                                    "oneOf",
                                                    "anyOf",
                                                    "not",
                                                    "additionalProperties",
                                                    "patternProperties",
                                                    "dependencies",
                                                    "additionalItems",
                                                    "definitions",
                                                    "x-kubernetes-embedded-resource",
                                                    "x-kubernetes-int-or-string",
                                                    "x-kubernetes-list-map-keys",
                                                    "x-kubernetes-list-type",
                                                    "x-kubernetes-map-type"};
  const Object& json = *schema.object_if();
  const std::string_view type = text_at(json, "type");
  // Compat: the first member that is wrong, in the order of upstream's struct, whose first three these are.
  const bool before_type = !text_at(json, "id").empty() || !text_at(json, "$schema").empty() || is_stated(json, "$ref");
  if (!before_type && !type.empty() && type != "object") {
    errors.invalid(path.child("openAPIV3Schema.type"), type,
                   "only \"object\" is allowed as the type at the root of the schema if the status subresource is "
                   "enabled");
    return;
  }
  const bool found = std::ranges::any_of(kForbidden, [&](std::string_view name) {
    const Value* value = json.find(name);
    return value && !value->is_null() &&
           !(value->bool_if() && !*value->bool_if() && name != "additionalProperties" && name != "additionalItems");
  });
  if (!found) return;
  errors.invalid(path.child("openAPIV3Schema"), shown_schema(schema),
                 "only [Description Type Format Title Maximum ExclusiveMaximum Minimum ExclusiveMinimum MaxLength "
                 "MinLength Pattern MaxItems MinItems UniqueItems MultipleOf Required Items Properties ExternalDocs "
                 "Example XPreserveUnknownFields XValidations] fields are allowed at the root of the schema if the "
                 "status subresource is enabled");
}

}  // namespace

bool has_newline(std::string_view text) { return text.find_first_of("\n\r") != std::string_view::npos; }

void validate_crd_schema(const Value& schema, const SchemaRequirements& requirements, const FieldPath& path,
                         FieldErrors& errors) {
  if (!schema.is_object()) return;
  FieldErrors found;
  if (requirements.status_subresource) check_root(schema, path, found);
  if (true_at(*schema.object_if(), "nullable")) {
    found.forbidden(path.child("openAPIV3Schema.nullable"), "nullable cannot be true at the root");
  }
  const FieldPath at = path.child("openAPIV3Schema");
  std::string cannot_compile;
  bool rules_make_sense = false;  // a schema that is not sound gives expressions no types
  if (requirements.structural) {
    const auto compiled = schema::StructuralSchema::compile(schema, gen::message_of<meta::v1::ObjectMeta>());
    if (!compiled) {
      cannot_compile = compiled.error().message;
    } else {
      FieldErrors structural;
      schema::validate_structural(schema, at, structural);
      const auto unknown = requirements.pruned_defaults ? UnknownFields::kRefused : UnknownFields::kAllowed;
      if (structural.empty()) validate_schema_defaults(schema, unknown, at, structural);
      rules_make_sense = structural.empty();
      found.append(std::move(structural));
    }
  }
  FieldErrors rest, rules;
  SchemaCheck check(requirements, rest);
  check.check(*schema.object_if(), {}, true, at);
  if (rules_make_sense) validate_rule_expressions(schema, requirements.expressions, check.bad_parts(), at, rules);
  found.append(std::move(rest));
  found.append(std::move(rules));
  // Compat: what could not be compiled is reported only if no rule above says it better.
  if (found.empty() && !cannot_compile.empty()) found.invalid(at, "", cannot_compile);
  errors.append(std::move(found));
}

void relax_for(const Value& old_schema, SchemaRequirements& requirements) {
  FieldErrors structural;
  schema::validate_structural(old_schema, FieldPath(), structural);
  const auto compiled = schema::StructuralSchema::compile(old_schema, gen::message_of<meta::v1::ObjectMeta>());
  if (!structural.empty() || !compiled) requirements.structural = false;
  schema::any_schema(old_schema, [&](const Object& json) {
    if (const auto type = text_at(json, "type"); !type.empty() && !is_type(type)) requirements.valid_types = false;
    const Object* items = object_at(json, "items");
    if (items && list_type_of(json) == "set" && !item_of_set_is_atomic(*items)) requirements.atomic_sets = false;
    for (const Value& rule : list_at(json, "x-kubernetes-validations")) {
      requirements.expressions.old_rules.emplace(rule.string_at({"rule"}));
    }
    FieldErrors keys;
    check_list_map_keys(json, FieldPath(), keys);
    if (!keys.empty()) requirements.list_map_keys = false;
    return false;
  });
  if (!requirements.structural) return;
  FieldErrors pruned, unpruned;
  validate_schema_defaults(old_schema, UnknownFields::kRefused, FieldPath(), pruned);
  validate_schema_defaults(old_schema, UnknownFields::kAllowed, FieldPath(), unpruned);
  if (pruned.size() != unpruned.size()) requirements.pruned_defaults = false;
}

}  // namespace api
