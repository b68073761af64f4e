// Shared by the walks over typed values: which of a type's shapes a value has. Internal to schema/apply.
#pragma once

#include "object/value.h"
#include "schema/apply/type.h"

namespace schema {

enum class Shape : uint8_t { kMap, kScalar, kList, kInvalid };

// The value's own shape when the type allows it, else the type's first one: the walk then reports or ignores the value.
inline Shape shape_of(const TypeInfo& info, const object::Value* value) {
  if (value && !value->is_null()) {
    if (value->is_object()) {
      if (info.map != MapRelation::kNone) return Shape::kMap;
    } else if (value->is_array()) {
      if (info.list != ListRelation::kNone) return Shape::kList;
    } else if (info.scalar != ScalarType::kNone) {
      return Shape::kScalar;
    }
  }
  if (info.map != MapRelation::kNone) return Shape::kMap;
  if (info.scalar != ScalarType::kNone) return Shape::kScalar;
  return info.list != ListRelation::kNone ? Shape::kList : Shape::kInvalid;
}

// The type of an object's member; a null type when it is not declared and the map takes no others.
inline MemberType member_type(const TypeRef& type, const TypeInfo& info, std::string_view name, size_t& hint) {
  if (info.has_members) {
    if (auto found = type.model->find_member(type, name, hint)) return *found;
  }
  return {info.value, WhenAbsent::kNothing};
}

inline const object::Object* object_of(const object::Value* value) { return value ? value->object_if() : nullptr; }
inline const object::Array* array_of(const object::Value* value) { return value ? value->array_if() : nullptr; }

}  // namespace schema
