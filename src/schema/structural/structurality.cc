#include "schema/structural/structurality.h"

#include <algorithm>
#include <array>

#include "schema/structural/members.h"
#include "schema/structural/pattern.h"

namespace schema {
namespace {

using object::Array;
using object::FieldErrors;
using object::FieldPath;
using object::Object;
using object::Value;

enum class Level : uint8_t { kRoot, kItem, kField };

constexpr std::string_view kPreserve = "x-kubernetes-preserve-unknown-fields";
constexpr std::string_view kEmbedded = "x-kubernetes-embedded-resource";
constexpr std::string_view kIntOrString = "x-kubernetes-int-or-string";

const Object& members_at(const Object& json, std::string_view name) {
  static const Object kEmpty;
  const Object* found = object_at(json, name);
  return found ? *found : kEmpty;
}
bool is_stated(const Object& json, std::string_view name) {
  const Value* value = json.find(name);
  if (!value || value->is_null()) return false;
  if (const bool* flag = value->bool_if()) return *flag;
  if (const std::string* text = value->string_if()) return !text->empty();
  if (const Array* list = value->array_if()) return !list->empty();
  if (const Object* members = value->object_if()) return !members->empty();
  return true;
}

// anyOf: [{type: integer}, {type: string}], the one use of types inside junctors.
bool is_int_or_string_any_of(const Object& json) {
  const Array& any_of = list_at(json, "anyOf");
  const auto is = [](const Value& branch, std::string_view type) {
    const Object* schema = branch.object_if();
    return schema && schema->size() == 1 && text_at(*schema, "type") == type;
  };
  return any_of.size() == 2 && is(any_of[0], "integer") && is(any_of[1], "string");
}

enum class AnyOf : uint8_t { kChecked, kSkipped };

class Invariants {
 public:
  explicit Invariants(FieldErrors& errors) : errors_(errors) {}

  void check(const Object& json, Level level, const FieldPath& path) {
    check_parts(json, level, path);
    check_extensions(json, path);
    const Array& all_of = list_at(json, "allOf");
    const bool skip_first = !all_of.empty() && all_of[0].is_object() && is_int_or_string_any_of(*all_of[0].object_if());
    check_validations(json, is_int_or_string_any_of(json) ? AnyOf::kSkipped : AnyOf::kChecked,
                      skip_first ? AnyOf::kSkipped : AnyOf::kChecked, path);
    check_type(json, level, path);
    check_metadata(json, level, path);
  }

 private:
  void check_parts(const Object& json, Level level, const FieldPath& path) {
    const FieldPath items_path = path.child("items");
    const Object* items = object_at(json, "items");
    if (text_at(json, "type") == "array" && !json.contains("items")) errors_.required(items_path, "must be specified");
    if (items) check(*items, Level::kItem, items_path);
    const FieldPath properties = path.child("properties");
    for (const object::Member& member : members_at(json, "properties")) {
      if (member.value.is_object()) check(*member.value.object_if(), Level::kField, properties.key(member.key));
    }
    const Value* additional = json.find("additionalProperties");
    if (!additional || additional->is_null()) return;
    const FieldPath additional_path = path.child("additionalProperties");
    if (level == Level::kRoot) errors_.forbidden(additional_path, "must not be used at the root");
    if (additional->is_object()) check(*additional->object_if(), Level::kField, additional_path);
  }

  void check_extensions(const Object& json, const FieldPath& path) {
    if (!true_at(json, kIntOrString)) return;
    if (true_at(json, kPreserve)) {
      errors_.invalid(path.child(kPreserve), true, "must be false if x-kubernetes-int-or-string is true");
    }
    if (true_at(json, kEmbedded)) {
      errors_.invalid(path.child(kEmbedded), true, "must be false if x-kubernetes-int-or-string is true");
    }
  }

  void check_validations(const Object& json, AnyOf any_of, AnyOf any_of_in_first_all_of, const FieldPath& path) {
    const auto branches = [&](std::string_view name, AnyOf in_first) {
      const Array& list = list_at(json, name);
      const FieldPath list_path = path.child(name);
      for (size_t i = 0; i < list.size(); ++i) {
        if (!list[i].is_object()) continue;
        check_nested(*list[i].object_if(), i == 0 ? in_first : AnyOf::kChecked, list_path.index(i));
      }
    };
    if (any_of == AnyOf::kChecked) branches("anyOf", AnyOf::kChecked);
    branches("allOf", any_of_in_first_all_of);
    branches("oneOf", AnyOf::kChecked);
    if (const Object* negated = object_at(json, "not")) check_nested(*negated, AnyOf::kChecked, path.child("not"));
    if (const std::string_view text = text_at(json, "pattern"); !text.empty()) {
      const Pattern pattern{std::string(text)};
      if (const std::string error = pattern.error(); !error.empty()) {
        errors_.invalid(path.child("pattern"), text, "must be a valid regular expression, but isn't: " + error);
      }
    }
  }

  // What stands inside a junctor.
  void check_nested(const Object& json, AnyOf any_of, const FieldPath& path) {
    check_validations(json, any_of, AnyOf::kChecked, path);
    if (const Object* items = object_at(json, "items")) check_nested(*items, AnyOf::kChecked, path.child("items"));
    const FieldPath properties = path.child("properties");
    for (const object::Member& member : members_at(json, "properties")) {
      if (member.value.is_object()) {
        check_nested(*member.value.object_if(), AnyOf::kChecked, properties.key(member.key));
      }
    }
    struct Forbidden {
      std::string_view name, detail;
    };
    static constexpr std::array<Forbidden, 11> kForbidden{{
        {"type", "must be empty to be structural"},
        {"default", "must be undefined to be structural"},
        {"title", "must be empty to be structural"},
        {"description", "must be empty to be structural"},
        {"nullable", "must be false to be structural"},
        {kPreserve, "must be false to be structural"},
        {kEmbedded, "must be false to be structural"},
        {kIntOrString, "must be false to be structural"},
        {"x-kubernetes-list-map-keys", "must be empty to be structural"},
        {"x-kubernetes-list-type", "must be undefined to be structural"},
        {"x-kubernetes-map-type", "must be undefined to be structural"},
    }};
    for (const Forbidden& forbidden : kForbidden) {
      const Value* value = json.find(forbidden.name);
      const bool is_default = forbidden.name == "default" && value && !value->is_null();  // an empty one too
      if (is_default || is_stated(json, forbidden.name)) {
        errors_.forbidden(path.child(forbidden.name), forbidden.detail);
      }
    }
    const Value* additional = json.find("additionalProperties");
    if (additional && (additional->is_object() || (additional->bool_if() && *additional->bool_if()))) {
      errors_.forbidden(path.child("additionalProperties"), "must be undefined to be structural");
    }
    if (is_stated(json, "x-kubernetes-validations")) {
      errors_.forbidden(path.child("x-kubernetes-validations"), "must be empty to be structural");
    }
    if (members_at(json, "properties").contains("metadata")) {
      errors_.forbidden(properties.key("metadata"), "must not be specified in a nested context");
    }
  }

  void check_type(const Object& json, Level level, const FieldPath& path) {
    const std::string_view type = text_at(json, "type");
    const FieldPath type_path = path.child("type");
    const bool embedded = true_at(json, kEmbedded);
    if (embedded && type != "object") {
      constexpr std::string_view kDetail = "must be object if x-kubernetes-embedded-resource is true";
      if (type.empty()) {
        errors_.required(type_path, kDetail);
      } else {
        errors_.invalid(type_path, type, kDetail);
      }
    } else if (type.empty() && !true_at(json, kIntOrString) && !true_at(json, kPreserve)) {
      errors_.required(type_path, level == Level::kRoot   ? "must not be empty at the root"
                                  : level == Level::kItem ? "must not be empty for specified array items"
                                                          : "must not be empty for specified object fields");
    }
    const Value* additional = json.find("additionalProperties");
    if (embedded && additional && !additional->is_null()) {
      errors_.forbidden(path.child("additionalProperties"),
                        "must not be used if x-kubernetes-embedded-resource is set");
    }
    if (level == Level::kRoot && !type.empty() && type != "object") {
      errors_.invalid(type_path, type, "must be object at the root");
    }
  }

  void check_metadata(const Object& json, Level level, const FieldPath& path) {
    const bool embedded = true_at(json, kEmbedded);
    const bool resource = level == Level::kRoot || embedded;
    const Object& members = members_at(json, "properties");
    const FieldPath properties = path.child("properties");
    for (const std::string_view name : {std::string_view("kind"), std::string_view("apiVersion")}) {
      const Value* member = members.find(name);
      if (!member || !resource || !member->is_object()) continue;
      const std::string_view type = text_at(*member->object_if(), "type");
      const FieldPath member_path = properties.key(name);
      if (type != "string") errors_.invalid(member_path.child("type"), type, "must be string");
    }
    if (const Value* metadata = members.find("metadata"); metadata && metadata->is_object()) {
      check_object_meta(*metadata->object_if(), resource, level, properties.key("metadata"));
    }
    if (embedded && !true_at(json, kPreserve) && members.empty()) {
      errors_.required(properties,
                       "must not be empty if x-kubernetes-embedded-resource is true without "
                       "x-kubernetes-preserve-unknown-fields");
    }
  }

  void check_object_meta(const Object& json, bool resource, Level level, const FieldPath& path) {
    const std::string_view type = text_at(json, "type");
    if (resource && type != "object") errors_.invalid(path.child("type"), type, "must be object");
    if (level != Level::kRoot) return;
    const bool restricts_names = std::ranges::all_of(members_at(json, "properties"), [](const object::Member& member) {
      return member.key == "name" || member.key == "generateName";
    });
    const bool more = std::ranges::any_of(json, [&](const object::Member& member) {
      if (member.key == "type" || member.key == "default" || member.key == "example" || member.key == "externalDocs") {
        return false;
      }
      return member.key == "properties" ? !restricts_names : is_stated(json, member.key);
    });
    if (more) {
      errors_.forbidden(
          path, "must not specify anything other than name and generateName, but metadata is implicitly specified");
    }
  }

  FieldErrors& errors_;
};

// Every part that a junctor speaks of is specified outside of it.
class Completeness {
 public:
  explicit Completeness(FieldErrors& errors) : errors_(errors) {}

  void check(const Object& json, const FieldPath& path) { check_branches(json, json, path, path); }

 private:
  void check_branches(const Object& validation, const Object& schema, const FieldPath& path, const FieldPath& at) {
    if (const Object* negated = object_at(validation, "not")) check_nested(*negated, &schema, path, at.child("not"));
    for (const std::string_view name : {"allOf", "anyOf", "oneOf"}) {
      const Array& list = list_at(validation, name);
      const FieldPath list_path = at.child(name);
      for (size_t i = 0; i < list.size(); ++i) {
        if (list[i].is_object()) check_nested(*list[i].object_if(), &schema, path, list_path.index(i));
      }
    }
  }

  void check_nested(const Object& validation, const Object* schema, const FieldPath& path, const FieldPath& at) {
    if (!schema) {
      errors_.required(path, "because it is defined in " + at.to_string());
      return;
    }
    check_branches(validation, *schema, path, at);
    if (const Object* items = object_at(validation, "items")) {
      check_nested(*items, object_at(*schema, "items"), path.child("items"), at.child("items"));
    }
    const Object& properties = members_at(*schema, "properties");
    const FieldPath properties_path = path.child("properties"), properties_at = at.child("properties");
    for (const object::Member& member : members_at(validation, "properties")) {
      if (!member.value.is_object()) continue;
      const Value* outside = properties.find(member.key);
      check_nested(*member.value.object_if(), outside ? outside->object_if() : nullptr, properties_path.key(member.key),
                   properties_at.key(member.key));
    }
  }

  FieldErrors& errors_;
};

}  // namespace

void validate_structural(const object::Value& schema, const object::FieldPath& path, object::FieldErrors& errors) {
  if (!schema.is_object()) return;
  FieldErrors found;
  Invariants(found).check(*schema.object_if(), Level::kRoot, path);
  Completeness(found).check(*schema.object_if(), path);
  std::vector<std::pair<std::string, const object::FieldError*>> sorted;
  for (const object::FieldError& error : found.errors()) sorted.emplace_back(error.to_string(), &error);
  std::ranges::sort(sorted, {}, &std::pair<std::string, const object::FieldError*>::first);
  for (const auto& [text, error] : sorted) errors.add(*error);
}

}  // namespace schema
