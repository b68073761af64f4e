// Values with a type: field sets, merges, comparisons, removals, and the errors of values that do not fit. These are
// the rules of upstream's structured merge. Pure; thread: any.
//
// A null `const Value*` is an absent value; a Value that is null is JSON's null. Field sets view the values that they
// were made from. But for validate(), the values have been validated (or come from the server).
#pragma once

#include <string>

#include "base/result.h"
#include "object/value.h"
#include "schema/apply/type.h"
#include "schema/fieldpath/field_set.h"

namespace schema {

enum class Repeats : uint8_t { kForbidden, kAllowed };  // of items in sets and keyed lists

// kUnknown with upstream's text: `.spec.containers: duplicate entries for key [name="c"]`.
base::Result<void> validate(const TypeRef& type, const object::Value& value, Repeats repeats);

// Every leaf, every item of a list, every member of a map that is no struct. Fails when an item has no key.
base::Result<FieldSet> to_field_set(Arena& arena, const TypeRef& type, const object::Value& value);

// What changed from one value to another. Granular objects and items count as added and removed with what they hold.
struct Comparison {
  FieldSet added;
  FieldSet modified;
  FieldSet removed;
  bool same() const { return added.empty() && modified.empty() && removed.empty(); }
};
base::Result<Comparison> compare(Arena& arena, const TypeRef& type, const object::Value& before,
                                 const object::Value& after);

// `base` with what `config` says; keyed lists and sets merge by item, in an order that respects both.
base::Result<object::Value> merge(Arena& arena, const TypeRef& type, const object::Value& base,
                                  const object::Value& config);

// True when merge(base, config) is base: the config says nothing new. May say false where a merge would find the same.
bool merge_is_idle(Arena& arena, const TypeRef& type, const object::Value& base, const object::Value& config);

// The value without the items and members of the set. An object or list that becomes empty becomes null.
object::Value remove_items(Arena& arena, const TypeRef& type, const object::Value& value, FieldSet items);
// Only what the set names.
object::Value extract_items(Arena& arena, const TypeRef& type, const object::Value& value, FieldSet items);

// The set and every struct member on the way to one of its paths.
FieldSet with_named_members(Arena& arena, const TypeRef& type, FieldSet set);

// The set as it must look after a schema change between atomic and granular. The same set when nothing changed.
FieldSet reconcile(Arena& arena, const TypeRef& type, FieldSet set);

// The path element of a list's item. The error is upstream's, without the path.
base::Result<Element> item_element(Arena& arena, const TypeInfo& list, const object::Value& item);

}  // namespace schema
