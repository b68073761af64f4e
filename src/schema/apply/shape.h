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

// Equality as Value's ==, quick for objects whose members come in the same order.
inline bool same_value(const object::Value& a, const object::Value& b) {
  if (a.kind() != b.kind()) return a == b;
  if (const std::string* text = a.string_if()) return *text == *b.string_if();
  if (const object::Array* left = a.array_if()) {
    const object::Array& right = *b.array_if();
    if (left->size() != right.size()) return false;
    for (size_t i = 0; i < left->size(); ++i) {
      if (!same_value((*left)[i], right[i])) return false;
    }
    return true;
  }
  const object::Object* left = a.object_if();
  if (!left) return a == b;
  const object::Object& right = *b.object_if();
  if (left->size() != right.size()) return false;
  for (size_t i = 0; i < left->size(); ++i) {
    const object::Member& member = left->begin()[i];
    const object::Member& guess = right.begin()[i];
    const object::Value* other = guess.key == member.key ? &guess.value : right.find(member.key);
    if (!other || !same_value(member.value, *other)) return false;
  }
  return true;
}

}  // namespace schema
