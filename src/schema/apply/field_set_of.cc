// The field set of a value, and what a type makes of a field set.
#include "schema/apply/item_index.h"
#include "schema/apply/shape.h"
#include "schema/apply/typed.h"

namespace schema {
namespace {

using base::Result;
using object::Value;

class FieldSetWalk {
 public:
  explicit FieldSetWalk(Arena& arena) : arena_(arena) {}

  // The paths below the value; `self`: the value's own path is one too.
  Result<FieldSet> walk(const TypeRef& type, const Value& value, bool& self) {
    const TypeInfo info = type_info(type);
    switch (shape_of(info, &value)) {
      case Shape::kMap:
        if (info.map == MapRelation::kGranular) return members(type, info, value.object_if());
        break;
      case Shape::kList:
        if (info.list != ListRelation::kAtomic) return items(info, value.array_if());
        break;
      default:
        break;
    }
    self = true;
    return FieldSet();
  }

 private:
  Result<FieldSet> members(const TypeRef& type, const TypeInfo& info, const object::Object* object) {
    if (!object) return FieldSet();
    const size_t base = scratch_.size();
    size_t hint = 0;
    for (const auto& [name, value] : *object) {
      bool declared = false;
      TypeRef inner = info.value;
      if (info.has_members) {
        if (auto found = type.model->find_member(type, name, hint)) {
          inner = found->type;
          declared = true;
        }
      }
      const object::Object* nested = value.object_if();
      bool self = !declared || value.is_null() || (nested && nested->empty());
      TRY_ASSIGN(const FieldSet below, walk(inner, value, self));
      if (self || !below.empty()) scratch_.push_back({Element::field(name), below.node(), self});
    }
    return finish(base);
  }

  Result<FieldSet> items(const TypeInfo& info, const object::Array* array) {
    if (!array) return FieldSet();
    TRY_ASSIGN(std::vector<IndexedItem> indexed, index_items(arena_, info, array));
    sort_items(indexed);
    const size_t base = scratch_.size();
    for (size_t i = 0; i < indexed.size();) {
      size_t next = i + 1;
      while (next < indexed.size() && compare(indexed[next].element, indexed[i].element) == 0) ++next;
      // Compat: of repeated items the path alone is in the set, not what they hold.
      FieldSet below;
      bool self = true;
      if (next == i + 1) {
        TRY_ASSIGN(below, walk(info.item, *indexed[i].value, self));
      }
      scratch_.push_back({indexed[i].element, below.node(), true});
      i = next;
    }
    return finish(base);
  }

  FieldSet finish(size_t base) {
    const FieldSet set = make_set_unsorted(arena_, std::span(scratch_).subspan(base));
    scratch_.resize(base);
    return set;
  }

  Arena& arena_;
  std::vector<SetEntry> scratch_;  // entries of the open objects, innermost last
};

// The type below an element of a set; null when there is none.
TypeRef type_below(const TypeRef& type, const TypeInfo& info, const Element& element, size_t& hint) {
  if (element.kind == Element::Kind::kField) {
    return info.map == MapRelation::kNone ? TypeRef() : member_type(type, info, element.field_name(), hint).type;
  }
  return info.list == ListRelation::kNone ? TypeRef() : info.item;
}

enum class IsAtomic : uint8_t { kNo, kYes };  // the set has the path and nothing below it

struct Reconciled {
  FieldSet below;
  bool collapsed = false;  // the path itself replaces all below it
};

Reconciled reconcile_node(Arena& arena, const TypeRef& type, FieldSet set, IsAtomic atomic) {
  const TypeInfo info = type_info(type);
  const bool is_map = info.map != MapRelation::kNone;
  if (is_map && !info.has_members && info.value && type_info(info.value).scalar == ScalarType::kUntyped) return {set};
  if (!is_map && (info.scalar != ScalarType::kNone || info.list == ListRelation::kNone)) return {set};
  const bool became_atomic =
      is_map ? info.map == MapRelation::kAtomic && !set.empty() : info.list == ListRelation::kAtomic;
  if (became_atomic && atomic == IsAtomic::kNo) return {FieldSet(), true};
  if (is_map && info.map == MapRelation::kAtomic) return {set};
  std::vector<SetEntry> entries;
  bool changed = false;
  size_t hint = 0;
  for (const SetEntry& entry : set.entries()) {
    SetEntry kept = entry;
    if (const TypeRef inner = type_below(type, info, entry.element, hint)) {
      const IsAtomic alone = entry.member && !entry.child ? IsAtomic::kYes : IsAtomic::kNo;
      const Reconciled below = reconcile_node(arena, inner, FieldSet(entry.child), alone);
      kept.child = below.below.node();
      kept.member = entry.member || below.collapsed;
    }
    changed = changed || kept.child != entry.child || kept.member != entry.member;
    entries.push_back(kept);
  }
  return {changed ? make_set(arena, entries) : set};
}

}  // namespace

Result<FieldSet> to_field_set(Arena& arena, const TypeRef& type, const Value& value) {
  bool self = false;
  return FieldSetWalk(arena).walk(type, value, self);
}

FieldSet with_named_members(Arena& arena, const TypeRef& type, FieldSet set) {
  const TypeInfo info = type_info(type);
  std::vector<SetEntry> entries;
  entries.reserve(set.entries().size());
  size_t hint = 0;
  for (const SetEntry& entry : set.entries()) {
    SetEntry kept = entry;
    TypeRef inner;
    if (entry.element.kind == Element::Kind::kField && info.map != MapRelation::kNone) {
      inner = info.value;
      if (info.has_members) {
        if (auto found = type.model->find_member(type, entry.element.field_name(), hint)) {
          inner = found->type;
          kept.member = true;
        }
      }
    } else if (entry.element.kind == Element::Kind::kKey && info.list != ListRelation::kNone) {
      inner = info.item;
    }
    if (entry.child) kept.child = with_named_members(arena, inner, FieldSet(entry.child)).node();
    entries.push_back(kept);
  }
  return make_set(arena, entries);
}

FieldSet reconcile(Arena& arena, const TypeRef& type, FieldSet set) {
  return reconcile_node(arena, type, set, IsAtomic::kNo).below;
}

}  // namespace schema
