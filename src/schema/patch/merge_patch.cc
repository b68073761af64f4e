#include "schema/patch/merge_patch.h"

#include <string>

namespace schema {
namespace {

using base::Reason;
using object::Object;
using object::Value;

// The value without members that are null; nulls that stand in arrays stay, but the objects there are pruned too.
Value pruned(const Value& value) {
  if (const Object* object = value.object_if()) {
    Object out;
    out.reserve(object->size());
    for (const auto& [key, member] : *object) {
      if (!member.is_null()) out.append(key, pruned(member));
    }
    return out;
  }
  if (const object::Array* array = value.array_if()) {
    object::Array out;
    out.reserve(array->size());
    for (const Value& item : *array) out.push_back(pruned(item));
    return out;
  }
  return value;
}

void merge(Object& document, const Object& patch) {
  for (const auto& [key, value] : patch) {
    if (value.is_null()) {
      document.erase(key);
      continue;
    }
    Value* current = document.find(key);
    if (!current) {
      document.append(key, pruned(value));
    } else if (!current->is_object()) {
      *current = pruned(value);
    } else if (const Object* nested = value.object_if()) {
      merge(*current->object_if(), *nested);
    } else {
      *current = value;  // Compat: an array that replaces an object is not pruned
    }
  }
}

std::string_view json_type(const Value& value) {
  if (value.is_array()) return "array";
  if (value.is_string()) return "string";
  return value.is_bool() ? "bool" : "number";
}

}  // namespace

base::Result<Value> apply_merge_patch(Value document, const Value& patch) {
  if (patch.is_null()) return base::fail(Reason::kBadRequest, "Invalid JSON Patch");
  const Object* source = patch.object_if();
  if (!source) {
    return base::fail(Reason::kBadRequest, "error decoding patch: json: cannot unmarshal " +
                                               std::string(json_type(patch)) +
                                               " into Go value of type map[string]interface {}");
  }
  if (!document.is_object()) document = Object();
  merge(*document.object_if(), *source);
  return document;
}

}  // namespace schema
