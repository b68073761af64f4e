// Is a JSONSchemaProps structural: are all parts of objects specified outside of allOf, anyOf, oneOf and not, and is
// nothing in those but value validation? On the JSON, so that errors name what the author wrote. Pure; thread: any.
#pragma once

#include "object/field_error.h"
#include "object/value.h"

namespace schema {

// Upstream's errors in upstream's order: by their text.
void validate_structural(const object::Value& schema, const object::FieldPath& path, object::FieldErrors& errors);
// Calls `visit(const object::Object&)` for the schema and every schema inside it, outer ones first, until it returns
// true; true when it did.
template <typename Visit>
bool any_schema(const object::Value& schema, Visit&& visit) {
  const object::Object* json = schema.object_if();
  if (!json) return false;
  if (visit(*json)) return true;
  const auto one = [&](std::string_view name) {
    const object::Value* part = json->find(name);
    return part && any_schema(*part, visit);
  };
  const auto each = [&](std::string_view name) {
    const object::Value* parts = json->find(name);
    if (!parts) return false;
    if (const object::Array* list = parts->array_if()) {
      for (const object::Value& part : *list) {
        if (any_schema(part, visit)) return true;
      }
    } else if (const object::Object* members = parts->object_if()) {
      for (const object::Member& member : *members) {
        if (any_schema(member.value, visit)) return true;
      }
    }
    return false;
  };
  const object::Value* items = json->find("items");
  if (items && (items->is_array() ? each("items") : one("items"))) return true;
  return each("allOf") || each("anyOf") || each("oneOf") || one("not") || each("properties") ||
         one("additionalProperties") || each("patternProperties") || one("additionalItems") || each("definitions") ||
         each("dependencies");
}

}  // namespace schema
