#include "schema/patch/strategic_merge.h"

#include <algorithm>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "schema/patch/element_order.h"
#include "schema/patch/go_text.h"

namespace schema {
namespace {

using base::Reason;
using base::Result;
using object::Array;
using object::Object;
using object::Value;

constexpr std::string_view kDirective = "$patch";
constexpr std::string_view kRetainKeys = "$retainKeys";
constexpr std::string_view kDeleteFromList = "$deleteFromPrimitiveList";
constexpr std::string_view kElementOrder = "$setElementOrder";

// --- errors ----------------------------------------------------------------------------------------------------------

std::unexpected<base::Error> failed(std::string message) { return base::fail(Reason::kUnknown, std::move(message)); }
std::unexpected<base::Error> bad_request(const char* message) { return base::fail(Reason::kBadRequest, message); }
std::unexpected<base::Error> lists_of_lists() {
  return base::fail(
      base::Error(Reason::kInvalid, "the server rejected our request due to an error in our request", {}));
}
std::unexpected<base::Error> no_merge_key(const Value& map, std::string_view key) {
  return failed("map: " + go_text(map) + " does not contain declared merge key: " + std::string(key));
}
std::unexpected<base::Error> bad_type(std::string_view expected, const Value& actual) {
  const std::string_view type = go_type(actual);
  return failed("expected a " + std::string(expected) + ", but received a " +
                (type.empty() ? "%!s(<nil>)" : std::string(type)));
}

// --- what the schema says --------------------------------------------------------------------------------------------

// The type of a value: a message, a list or map of it, or of scalars when `message` is null.
struct ValueType {
  enum class Shape : uint8_t { kOne, kList, kMap };
  const Message* message = nullptr;
  Shape shape = Shape::kOne;

  const char* go_kind() const {
    if (shape == Shape::kList) return "slice";
    if (shape == Shape::kMap) return "map";
    return message ? "struct" : "string";
  }
};

struct MemberType {
  ValueType type;
  uint8_t patch = 0;
  std::string_view merge_key;
};

ValueType type_of(const Field& field) {
  if (field.card == Card::kMap) return {field.message, ValueType::Shape::kMap};
  if (field.card == Card::kRepeated) return {field.message, ValueType::Shape::kList};
  if (field.message && field.message->alias) return {field.message->fields[0].message, ValueType::Shape::kList};
  return {field.message, ValueType::Shape::kOne};
}

Result<MemberType> member_type(const ValueType& type, std::string_view key) {
  if (type.shape != ValueType::Shape::kOne || !type.message) {
    return failed(std::string("merging an object in json but data type is not struct, instead is: ") + type.go_kind());
  }
  const Field* field = find_json_field(*type.message, key);
  if (!field) {
    return failed("unable to find api field in struct " + std::string(type.message->name) + " for the json field \"" +
                  std::string(key) + "\"");
  }
  return MemberType{type_of(*field), field->patch, field->patch_key};
}

// The type of the elements of a list member.
Result<MemberType> element_type(const ValueType& type, std::string_view key) {
  TRY_ASSIGN(MemberType member, member_type(type, key));
  if (member.type.shape != ValueType::Shape::kList) {
    return failed(std::string("expected slice or array type, but got: ") + type.go_kind());
  }
  member.type.shape = ValueType::Shape::kOne;
  return member;
}

// --- pieces ----------------------------------------------------------------------------------------------------------

void discard_nulls(Value& value) {
  if (Object* object = value.object_if()) {
    Object kept;
    kept.reserve(object->size());
    for (auto& [key, member] : *object) {
      if (member.is_null()) continue;
      discard_nulls(member);
      kept.append(std::move(key), std::move(member));
    }
    *object = std::move(kept);
  } else if (Array* array = value.array_if()) {
    for (Value& item : *array) discard_nulls(item);
  }
}

enum class Keep : uint8_t { kYes, kNo };

// Drops the objects that carry a $patch directive. kNo: the value itself is one.
Keep remove_directives(Value& value) {
  if (Object* object = value.object_if()) {
    if (object->contains(kDirective)) return Keep::kNo;
    Object kept;
    kept.reserve(object->size());
    for (auto& [key, member] : *object) {
      if (remove_directives(member) == Keep::kYes) kept.append(std::move(key), std::move(member));
    }
    *object = std::move(kept);
  } else if (Array* array = value.array_if()) {
    std::erase_if(*array, [](Value& item) { return remove_directives(item) == Keep::kNo; });
  }
  return Keep::kYes;
}

// Puts the patch's value in the place of what was there.
void take(Object& original, std::string_view key, Value value) {
  discard_nulls(value);
  if (remove_directives(value) == Keep::kYes) {
    original.set(key, std::move(value));
  } else {
    original.erase(key);
  }
}

// All elements are of one kind; its kind.
Result<Value::Kind> element_kind(const Array& original, const Array& patch) {
  const Value* first = nullptr;
  for (const Array* list : {&original, &patch}) {
    for (const Value& item : *list) {
      if (!first) {
        first = &item;
        if (item.is_array()) return lists_of_lists();
      }
      if (first->kind() != item.kind() || item.is_null()) {
        return failed("list element types are not identical: [" + go_text(original) + " " + go_text(patch) + "]");
      }
    }
  }
  if (!first) return failed("no elements in any of the given slices");
  return first->kind();
}

// The item's identity under the merge key ("" = the item itself).
Result<std::string> item_key(const Value& item, std::string_view merge_key) {
  const Value* value = &item;
  if (!merge_key.empty()) {
    if (!item.is_object()) return bad_type("map[string]interface {}", item);
    value = item.find(merge_key);
    if (!value) return no_merge_key(item, merge_key);
  }
  if (value->is_object() || value->is_array()) return failed("a list item is identified by " + go_text(*value));
  return scalar_key(*value);
}

Result<KeyPositions> positions_of(const Array& list, std::string_view merge_key) {
  KeyPositions positions;
  for (const Value& item : list) {
    TRY_ASSIGN(const std::string key, item_key(item, merge_key));
    positions.add(key);
  }
  return positions;
}

// Orders `merged`: items that `patch_order` names by it, the others by where the server had them.
Result<Array> ordered(Array merged, const KeyPositions& patch_order, const KeyPositions& server_order,
                      std::string_view merge_key) {
  ItemList patch_items;
  ItemList server_items;
  for (Value& item : merged) {
    TRY_ASSIGN(std::string key, item_key(item, merge_key));
    ItemList& part = patch_order.find(key) >= 0 ? patch_items : server_items;
    part.push_back({std::move(item), std::move(key)});
  }
  return order_elements(std::move(patch_items), std::move(server_items), patch_order, server_order);
}

// Compat: each repeated item is overwritten by the last one, and the list shortened.
void deduplicate(Array& items) {
  std::unordered_set<std::string> seen;
  for (size_t i = 0; i < items.size();) {
    if (seen.insert(scalar_key(items[i])).second) {
      ++i;
    } else {
      if (i + 1 < items.size()) items[i] = std::move(items.back());
      items.pop_back();
    }
  }
}

Result<void> apply_retain_keys(Object& original, Object& patch) {
  const Value* found = patch.find(kRetainKeys);
  if (!found) return {};
  const Value directive = *found;
  patch.erase(kRetainKeys);
  const Array* keys = directive.array_if();
  constexpr const char* kBadFormat = "invalid patch format of retainKeys";
  if (!keys) return bad_request(kBadFormat);
  std::unordered_set<std::string_view> retained;
  for (const Value& key : *keys) {
    if (const std::string* text = key.string_if()) retained.insert(*text);
  }
  for (const auto& [key, value] : patch) {
    if (value.is_null() || key.starts_with(kDeleteFromList) || key.starts_with(kElementOrder)) continue;
    if (!retained.contains(key)) return bad_request(kBadFormat);
  }
  Object kept;
  for (auto& [key, value] : original) {
    if (retained.contains(key)) kept.append(std::move(key), std::move(value));
  }
  original = std::move(kept);
  return {};
}

Result<void> merge_map(Object& original, Object& patch, const ValueType& type);

// --- lists -----------------------------------------------------------------------------------------------------------

// Acts on the patch's elements that carry $patch, and takes them out of it. A "replace" leaves the patch's other
// elements in `original` and none in `patch`.
Result<void> act_on_directives(Array& original, Array& patch, std::string_view merge_key) {
  Array plain;
  bool replace = false;
  std::unordered_set<std::string> deleted;
  for (Value& item : patch) {
    const Value* directive = item.find(kDirective);
    if (!directive) {
      plain.push_back(std::move(item));
      continue;
    }
    const std::string* text = directive->string_if();
    const std::string_view word = text ? std::string_view(*text) : std::string_view();
    if (word == "delete") {
      TRY_ASSIGN(std::string key, item_key(item, merge_key));
      deleted.insert(std::move(key));
    } else if (word == "replace") {
      replace = true;
    } else if (word == "merge") {
      return failed("merging lists cannot yet be specified in the patch");
    } else {
      return failed("unknown patch type: " + go_text(*directive) + " in map: " + go_text(item));
    }
  }
  if (replace) {
    original = std::move(plain);
    patch.clear();
    return {};
  }
  if (!deleted.empty()) {
    std::erase_if(original, [&](const Value& item) {
      const Value* value = item.find(merge_key);
      return value && deleted.contains(scalar_key(*value));
    });
  }
  patch = std::move(plain);
  return {};
}

// Merges each element into the one with its key, or appends it.
Result<Array> merge_elements(Array merged, const Array& patch, std::string_view merge_key, const ValueType& type) {
  std::unordered_map<std::string, size_t> places;
  for (size_t i = 0; i < merged.size(); ++i) {
    if (const Value* value = merged[i].find(merge_key)) places.emplace(scalar_key(*value), i);
  }
  for (const Value& item : patch) {
    TRY_ASSIGN(std::string key, item_key(item, merge_key));
    const auto [place, is_new] = places.emplace(std::move(key), merged.size());
    if (is_new) {
      merged.push_back(item);
      continue;
    }
    Value change = item;
    TRY(merge_map(*merged[place->second].object_if(), *change.object_if(), type));
  }
  return merged;
}

enum class ListUse : uint8_t { kMerge, kDelete };

Result<Array> merge_list(Array original, Array patch, const MemberType& member, ListUse use) {
  if (use == ListUse::kMerge && !(member.patch & kPatchMerge)) return patch;
  if (original.empty() && patch.empty()) return original;
  TRY_ASSIGN(const Value::Kind kind, element_kind(original, patch));
  Array merged;
  if (kind != Value::Kind::kObject) {
    if (use == ListUse::kDelete) {
      TRY_ASSIGN(const KeyPositions deleted, positions_of(patch, ""));
      std::erase_if(original, [&](const Value& item) { return deleted.find(scalar_key(item)) >= 0; });
      return original;
    }
    merged = original;
    merged.insert(merged.end(), patch.begin(), patch.end());
    deduplicate(merged);
  } else {
    if (member.merge_key.empty()) return failed("cannot merge lists without merge key for struct");
    TRY(act_on_directives(original, patch, member.merge_key));
    TRY_ASSIGN(merged, merge_elements(original, patch, member.merge_key, member.type));
  }
  TRY_ASSIGN(const KeyPositions patch_order, positions_of(patch, member.merge_key));
  TRY_ASSIGN(const KeyPositions server_order, positions_of(original, member.merge_key));
  return ordered(std::move(merged), patch_order, server_order, member.merge_key);
}

// The items that the patch keeps stand in the order list in the same relative order.
Result<void> check_order(const Array& patch, const Array& order, std::string_view merge_key) {
  if (order.empty() || patch.empty()) return {};
  std::vector<const Value*> kept;
  for (const Value& item : patch) {
    if (!merge_key.empty() && !item.is_object()) return bad_type("map[string]interface {}", item);
    const Value* directive = merge_key.empty() ? nullptr : item.find(kDirective);
    if (!directive || *directive != Value("delete")) kept.push_back(&item);
  }
  size_t i = 0;
  for (size_t place = 0; i < kept.size() && place < order.size();) {
    if (kept[i]->find(kDirective)) {
      ++i;
      continue;
    }
    TRY_ASSIGN(const std::string wanted, item_key(*kept[i], merge_key));
    TRY_ASSIGN(const std::string there, item_key(order[place], merge_key));
    if (wanted == there) ++i;
    ++place;
  }
  if (i == kept.size()) return {};
  return failed("The order in patch list:\n" + go_text(patch) + "\n doesn't match " + std::string(kElementOrder) +
                " list:\n" + go_text(order) + "\n");
}

// One $setElementOrder directive: merges its list, orders it, and takes both out of the patch.
Result<void> apply_element_order(Object& original, Object& patch, const std::string& directive, const ValueType& type) {
  const Value order_value = std::move(*patch.find(directive));
  patch.erase(directive);
  const Array* order = order_value.array_if();
  if (!order) return bad_type("[]interface {}", order_value);
  const size_t slash = directive.find('/');
  if (slash != kElementOrder.size()) return bad_request("invalid patch format of setElementOrder list");
  const std::string key = directive.substr(slash + 1);
  Value* original_value = original.find(key);
  Value* patch_value = patch.find(key);
  if (original_value && !original_value->is_array()) return bad_type("[]interface {}", *original_value);
  if (patch_value && !patch_value->is_array()) return bad_type("[]interface {}", *patch_value);
  TRY_ASSIGN(const MemberType member, element_type(type, key));
  if (patch_value) TRY(check_order(*patch_value->array_if(), *order, member.merge_key));
  if (!original_value && !patch_value) return {};

  Array server = original_value ? *original_value->array_if() : Array();
  Array changes = patch_value ? std::move(*patch_value->array_if()) : Array();
  if (auto kind = element_kind(server, changes); !kind) return base::fail(std::move(kind.error()));
  TRY_ASSIGN(const KeyPositions server_order, positions_of(server, member.merge_key));
  Array merged;
  if (!patch_value) {
    merged = std::move(server);
  } else if (!original_value) {
    Value value = std::move(changes);
    remove_directives(value);
    merged = std::move(*value.array_if());
  } else {
    TRY_ASSIGN(merged, merge_list(std::move(server), std::move(changes), member, ListUse::kMerge));
  }
  TRY_ASSIGN(const KeyPositions patch_order, positions_of(*order, member.merge_key));
  TRY_ASSIGN(Array result, ordered(std::move(merged), patch_order, server_order, member.merge_key));
  original.set(key, std::move(result));
  patch.erase(key);
  return {};
}

// --- objects ---------------------------------------------------------------------------------------------------------

Result<void> merge_member(Object& original, std::string_view key, Value& value, const ValueType& type, ListUse use) {
  if (value.is_null()) {
    original.erase(key);
    return {};
  }
  Value* current = original.find(key);
  if (current && current->is_object() && value.is_object()) {
    TRY_ASSIGN(const MemberType member, member_type(type, key));
    if (member.patch & kPatchReplace) {
      *current = std::move(value);
      return {};
    }
    return merge_map(*current->object_if(), *value.object_if(), member.type);
  }
  if (current && current->is_array() && value.is_array()) {
    TRY_ASSIGN(const MemberType member, element_type(type, key));
    TRY_ASSIGN(Array merged, merge_list(std::move(*current->array_if()), std::move(*value.array_if()), member, use));
    *current = std::move(merged);
    return {};
  }
  if (use == ListUse::kMerge) take(original, key, std::move(value));
  return {};
}

Result<void> merge_map(Object& original, Object& patch, const ValueType& type) {
  if (const Value* directive = patch.find(kDirective)) {
    const std::string* text = directive->string_if();
    if (text && *text == "replace") {
      patch.erase(kDirective);
      original = std::move(patch);
      return {};
    }
    if (text && *text == "delete") {
      original = Object();
      return {};
    }
    const std::string word = go_text(*directive);
    return failed("unknown patch type: " + word + " in map: " + go_text(Value(patch)));
  }
  TRY(apply_retain_keys(original, patch));
  std::vector<std::string> orders;
  for (const auto& [key, value] : patch) {
    if (key.starts_with(kElementOrder)) orders.push_back(key);
  }
  for (const std::string& directive : orders) TRY(apply_element_order(original, patch, directive, type));
  for (auto& [key, value] : patch) {
    std::string_view name = key;
    ListUse use = ListUse::kMerge;
    if (name.starts_with(kDeleteFromList)) {
      if (name.find('/') != kDeleteFromList.size()) return bad_request("invalid patch format of primitive list");
      name.remove_prefix(kDeleteFromList.size() + 1);
      use = ListUse::kDelete;
    }
    TRY(merge_member(original, name, value, type, use));
  }
  return {};
}

}  // namespace

Result<Value> apply_strategic_merge_patch(Value document, Value patch, const Message& type) {
  if (patch.is_null()) patch = Object();
  if (!patch.is_object()) {
    const std::string_view word = patch.is_array()    ? "array"
                                  : patch.is_string() ? "string"
                                  : patch.is_bool()   ? "bool"
                                                      : "number";
    return base::fail(Reason::kBadRequest,
                      "json: cannot unmarshal " + std::string(word) + " into Go value of type map[string]interface {}");
  }
  if (!document.is_object()) document = Object();
  TRY(merge_map(*document.object_if(), *patch.object_if(), ValueType{&type}));
  return document;
}

}  // namespace schema
