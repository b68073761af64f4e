// What changed between two values. The walk goes down only where they differ, and builds the three sets from the leaves
// up.
#include <array>

#include "schema/apply/item_index.h"
#include "schema/apply/shape.h"
#include "schema/apply/typed.h"

namespace schema {
namespace {

using object::Value;

enum Change : size_t { kAdded, kModified, kRemoved };

// What a value contributes: whether its own path, and which paths below it, were added, modified, removed.
struct Delta {
  std::array<bool, 3> self = {};
  std::array<FieldSet, 3> below = {};

  bool empty() const {
    for (size_t i = 0; i < 3; ++i) {
      if (self[i] || !below[i].empty()) return false;
    }
    return true;
  }
};

class CompareWalk {
 public:
  explicit CompareWalk(Arena& arena) : arena_(arena) {}

  // At least one of the two is there, and they differ (or may: equal ones only cost more).
  Delta walk(const TypeRef& type, const Value* before, const Value* after) {
    if (!before || !after) return one_sided(type, before ? *before : *after, before ? kRemoved : kAdded);
    const TypeInfo info = type_info(type);
    const Shape old_shape = shape_of(info, before);
    const Shape new_shape = shape_of(info, after);
    Delta delta = as(new_shape, type, info, *before, *after);
    if (old_shape == new_shape) return delta;
    // Only untyped values: the changes in the old shape too.
    const Delta old_delta = as(old_shape, type, info, *before, *after);
    for (size_t i = 0; i < 3; ++i) {
      delta.self[i] = delta.self[i] || old_delta.self[i];
      delta.below[i] = unite(arena_, delta.below[i], old_delta.below[i]);
    }
    return delta;
  }

  bool failed() const { return failed_; }

 private:
  // A value that is there on one side alone, with all that it holds.
  Delta one_sided(const TypeRef& type, const Value& value, Change change) {
    Delta delta;
    delta.self[change] = true;
    delta.below[change] = all_below(type, value, change);
    return delta;
  }

  FieldSet all_below(const TypeRef& type, const Value& value, Change change) {
    const TypeInfo info = type_info(type);
    const Shape shape = shape_of(info, &value);
    std::vector<SetEntry>& scratch = scratch_[change];
    const size_t base = scratch.size();
    if (shape == Shape::kMap && info.map == MapRelation::kGranular && value.is_object()) {
      size_t hint = 0;
      for (const auto& [name, member] : *value.object_if()) {
        const TypeRef inner = member_type(type, info, name, hint).type;
        if (!inner) continue;
        const SetNode* below = all_below(inner, member, change).node();
        scratch.push_back({Element::field(name), below, true});
      }
    } else if (shape == Shape::kList && info.list != ListRelation::kAtomic && value.is_array()) {
      all_items(info, *value.array_if(), change);
    }
    const FieldSet set = make_set_unsorted(arena_, std::span(scratch).subspan(base));
    scratch.resize(base);
    return set;
  }

  void all_items(const TypeInfo& info, const object::Array& array, Change change) {
    auto indexed = index_items(arena_, info, &array);
    if (!indexed) {
      failed_ = true;
      return;
    }
    sort_items(*indexed);
    std::span<const IndexedItem> left = *indexed;
    while (!left.empty()) {
      const auto same = take_same(left, left[0].element);
      // Compat: of repeated items the path alone counts.
      const SetNode* below = same.size() == 1 ? all_below(info.item, *same[0].value, change).node() : nullptr;
      scratch_[change].push_back({same[0].element, below, true});
    }
  }

  Delta as(Shape shape, const TypeRef& type, const TypeInfo& info, const Value& before, const Value& after) {
    if (shape == Shape::kMap && info.map == MapRelation::kGranular) {
      const object::Object* old_object = before.object_if();
      const object::Object* new_object = after.object_if();
      if ((old_object && !old_object->empty()) || (new_object && !new_object->empty())) {
        return members(type, info, old_object, new_object);
      }
    } else if (shape == Shape::kList && info.list != ListRelation::kAtomic) {
      const object::Array* old_array = before.array_if();
      const object::Array* new_array = after.array_if();
      if ((old_array && !old_array->empty()) || (new_array && !new_array->empty())) {
        return items(info, old_array, new_array);
      }
    }
    Delta delta;
    delta.self[kModified] = !same_value(before, after);
    return delta;
  }

  // The set entries of the open objects, innermost last; one stack for each kind of change.
  struct Mark {
    std::array<size_t, 3> base;
  };
  Mark mark() const { return {{scratch_[0].size(), scratch_[1].size(), scratch_[2].size()}}; }
  void put(const Element& element, const Delta& delta) {
    for (size_t i = 0; i < 3; ++i) {
      if (delta.self[i] || !delta.below[i].empty()) {
        scratch_[i].push_back({element, delta.below[i].node(), delta.self[i]});
      }
    }
  }
  Delta take(const Mark& mark) {
    Delta delta;
    for (size_t i = 0; i < 3; ++i) {
      if (scratch_[i].size() == mark.base[i]) continue;
      delta.below[i] = make_set_unsorted(arena_, std::span(scratch_[i]).subspan(mark.base[i]));
      scratch_[i].resize(mark.base[i]);
    }
    return delta;
  }

  // The object whose members are compared.
  struct Parent {
    const TypeRef& type;
    const TypeInfo& info;
    const object::Object* before;
    const object::Object* after;
  };

  Delta members(const TypeRef& type, const TypeInfo& info, const object::Object* before, const object::Object* after) {
    const Parent parent{type, info, before, after};
    const Mark start = mark();
    size_t hint = 0;
    size_t place = 0;  // in `after`: where the member of that name is expected
    for (const auto& [name, value] : before ? std::span(before->begin(), before->end()) : kNoMembers) {
      const Value* other = nullptr;
      if (after && place < after->size() && after->begin()[place].key == name) {
        other = &after->begin()[place++].value;
      } else if (after) {
        other = after->find(name);
        if (other && place < after->size()) ++place;
      }
      if (other && same_value(value, *other)) continue;
      member(parent, name, &value, other, hint);
    }
    hint = 0;
    if (after) {
      size_t old_place = 0;
      for (const auto& [name, value] : *after) {
        if (before && old_place < before->size() && before->begin()[old_place].key == name) {
          ++old_place;
          continue;
        }
        if (before && before->find(name)) continue;
        member(parent, name, nullptr, &value, hint);
      }
    }
    return take(start);
  }

  const Value* implied(WhenAbsent when_absent) const {
    return when_absent == WhenAbsent::kNothing ? nullptr : &implied_[static_cast<size_t>(when_absent)];
  }

  void member(const Parent& parent, std::string_view name, const Value* before, const Value* after, size_t& hint) {
    const auto& [type, info, old_parent, new_parent] = parent;
    const MemberType found = member_type(type, info, name, hint);
    if (!found.type) return;
    // Compat: what the JSON form of a built-in object always writes is there in every such object, if only empty.
    if (!before && old_parent) before = implied(found.when_absent);
    if (!after && new_parent) after = implied(found.when_absent);
    if (!before && !after) return;
    const Delta delta = walk(found.type, before, after);
    if (!delta.empty()) put(Element::field(name), delta);
  }

  Delta items(const TypeInfo& info, const object::Array* before, const object::Array* after) {
    auto old_items = index_items(arena_, info, before);
    auto new_items = index_items(arena_, info, after);
    if (!old_items || !new_items) {
      failed_ = true;
      return {};
    }
    sort_items(*old_items);
    sort_items(*new_items);
    const Mark start = mark();
    std::span<const IndexedItem> left = *old_items;
    std::span<const IndexedItem> right = *new_items;
    while (!left.empty() || !right.empty()) {
      const Element element = right.empty() || (!left.empty() && compare(left[0].element, right[0].element) <= 0)
                                  ? left[0].element
                                  : right[0].element;
      const auto old_same = take_same(left, element);
      const auto new_same = take_same(right, element);
      const Delta delta = one_item(info, old_same, new_same);
      if (!delta.empty()) put(element, delta);
    }
    return take(start);
  }

  static std::span<const IndexedItem> take_same(std::span<const IndexedItem>& items, const Element& element) {
    size_t count = 0;
    while (count < items.size() && compare(items[count].element, element) == 0) ++count;
    const auto same = items.first(count);
    items = items.subspan(count);
    return same;
  }

  // Items of one key. Repeated ones are as one atomic value.
  Delta one_item(const TypeInfo& info, std::span<const IndexedItem> before, std::span<const IndexedItem> after) {
    const Value* old_first = before.empty() ? nullptr : before[0].value;
    const Value* new_first = after.empty() ? nullptr : after[0].value;
    if (before.size() <= 1 && after.size() <= 1) {
      const bool same = old_first && new_first && same_value(*old_first, *new_first);
      return same ? Delta() : walk(info.item, old_first, new_first);
    }
    Delta delta;
    if (before.size() >= 2 && after.size() >= 2) {
      const bool same = std::ranges::equal(
          before, after, [](const IndexedItem& a, const IndexedItem& b) { return same_value(*a.value, *b.value); });
      delta.self[kModified] = !same;
    } else if (before.size() >= 2) {
      if (new_first) delta = walk(info.item, nullptr, new_first);
      delta.self[kRemoved] = true;
    } else {
      if (old_first) delta = walk(info.item, old_first, nullptr);
      delta.self[kAdded] = true;
    }
    return delta;
  }

  static constexpr std::span<const object::Member> kNoMembers = {};

  const std::array<Value, 6> implied_ = {Value(), Value(), Value(object::Object()), Value(""), Value(0), Value(false)};
  Arena& arena_;
  std::array<std::vector<SetEntry>, 3> scratch_;
  bool failed_ = false;
};

}  // namespace

base::Result<Comparison> compare(Arena& arena, const TypeRef& type, const Value& before, const Value& after) {
  CompareWalk walk(arena);
  const Delta delta = walk.walk(type, &before, &after);
  if (walk.failed()) return base::fail(base::Reason::kUnknown, "a list has an item without a key");
  return Comparison{delta.below[kAdded], delta.below[kModified], delta.below[kRemoved]};
}

}  // namespace schema
