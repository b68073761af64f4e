// Uniqueness in lists of type set and map.
#include <unordered_map>

#include "object/json.h"
#include "schema/structural/compiled.h"
#include "schema/structural/limits.h"

namespace schema {
namespace structural {
namespace {

using object::Array;
using object::FieldErrors;
using object::FieldPath;
using object::Object;
using object::Value;

// Equal texts are equal items; numbers and their texts differ.
std::string identity(const Value& value) { return object::to_json(value, object::KeyOrder::kSorted); }

// The first repetition of each repeated identity: its index.
std::vector<size_t> repeated(const std::vector<std::string>& identities) {
  std::unordered_map<std::string_view, int> times;
  times.reserve(identities.size());
  std::vector<size_t> out;
  for (size_t i = 0; i < identities.size(); ++i) {
    if (++times[identities[i]] == 2) out.push_back(i);
  }
  return out;
}

void check_set(const Array& items, const FieldPath& path, FieldErrors& errors) {
  if (items.size() < 2) return;
  std::vector<std::string> identities;
  identities.reserve(items.size());
  for (const Value& item : items) identities.push_back(identity(item));
  for (const size_t i : repeated(identities)) errors.duplicate(path.index(i), items[i]);
}

void check_map(const Compiled& schema, const Node& node, const Array& items, const FieldPath& path,
               FieldErrors& errors) {
  for (size_t i = 0; i < items.size(); ++i) {
    if (items[i].is_null() || items[i].is_object()) continue;
    errors.invalid(path.index(i), items[i], "must be an object for an array of list-type map");
    return;
  }
  if (items.size() < 2) return;
  std::vector<std::string> identities;
  identities.reserve(items.size());
  for (const Value& item : items) {
    Object key;
    for (const std::string_view name : schema.list_keys(node)) {
      if (const Value* part = item.find(name)) key.set(name, *part);
    }
    identities.push_back(identity(Value(std::move(key))));
  }
  for (const size_t i : repeated(identities)) {
    errors.duplicate(path.index(i), object::BadValue::verbatim(identities[i]));
  }
}

void check(const Compiled& schema, const Node* node, const Value& value, const FieldPath& path, FieldErrors& errors) {
  if (!node || !node->is(kListTypesBelow) || errors.size() >= kMaxSchemaErrors) return;
  if (const Array* items = value.array_if()) {
    if (node->list_kind == ListKind::kSet) check_set(*items, path, errors);
    if (node->list_kind == ListKind::kMap) check_map(schema, *node, *items, path, errors);
    const Node* below = schema.node(node->items);
    for (size_t i = 0; i < items->size(); ++i) check(schema, below, (*items)[i], path.index(i), errors);
  } else if (const Object* members = value.object_if()) {
    const Node* additional = schema.node(node->additional);
    for (const object::Member& member : *members) {
      if (additional) check(schema, additional, member.value, path.key(member.key), errors);
      if (const Node* below = schema.property(*node, member.key)) {
        check(schema, below, member.value, path.child(member.key), errors);
      }
    }
  }
}

}  // namespace
}  // namespace structural

void validate_list_types(SchemaNode node, const object::Value& value, const object::FieldPath& path,
                         object::FieldErrors& errors) {
  if (node) structural::check(*node.compiled(), node.node(), value, path, errors);
}

}  // namespace schema
