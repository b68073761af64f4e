#include "schema/defaults.h"

#include "object/json.h"
#include "schema/limits.h"

namespace schema {
namespace {

void fill(const Message& message, object::Value& value, int depth);

void fill_below(const Field& field, object::Value& value, int depth) {
  if (!field.message) return;
  if (field.card == Card::kSingular) return fill(*field.message, value, depth);
  if (object::Array* array = value.array_if()) {
    for (object::Value& element : *array) fill(*field.message, element, depth);
  } else if (object::Object* object = value.object_if()) {
    for (object::Member& member : *object) fill(*field.message, member.value, depth);
  }
}

void fill_members(const Message& message, object::Object& object, int depth) {
  for (const Field& field : message.fields) {
    if (field.inlined) {
      fill_members(*field.message, object, depth);
    } else if (object::Value* present = object.find(field.json); present && !present->is_null()) {
      fill_below(field, *present, depth);
    } else if (!field.default_json.empty()) {
      if (auto parsed = object::parse_json(field.default_json))
        fill_below(field, object.set(field.json, *parsed), depth);
    }
  }
}

void fill(const Message& message, object::Value& value, int depth) {
  object::Object* object = value.object_if();
  if (object && depth < kMaxDepth && message.special == Special::kNone) fill_members(message, *object, depth + 1);
}

}  // namespace

void apply_defaults(const Message& message, object::Value& value) { fill(message, value, 0); }

}  // namespace schema
