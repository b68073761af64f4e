// Members of a schema's JSON, read leniently: a member of another type counts as absent. Pure; thread: any.
#pragma once

#include <string_view>

#include "object/value.h"

namespace schema {

inline bool true_at(const object::Object& json, std::string_view name) {
  const object::Value* value = json.find(name);
  return value && value->bool_if() && *value->bool_if();
}
inline std::string_view text_at(const object::Object& json, std::string_view name) {
  const object::Value* value = json.find(name);
  return value && value->string_if() ? std::string_view(*value->string_if()) : std::string_view();
}
// Null when there is none.
inline const object::Object* object_at(const object::Object& json, std::string_view name) {
  const object::Value* value = json.find(name);
  return value ? value->object_if() : nullptr;
}
inline const object::Array* array_at(const object::Object& json, std::string_view name) {
  const object::Value* value = json.find(name);
  return value ? value->array_if() : nullptr;
}
// Empty when there is none.
inline const object::Array& list_at(const object::Object& json, std::string_view name) {
  static const object::Array kEmpty;
  const object::Array* list = array_at(json, name);
  return list ? *list : kEmpty;
}

}  // namespace schema
