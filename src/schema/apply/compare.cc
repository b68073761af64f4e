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

  // At least one of the two is there.
  Delta walk(const TypeRef& type, const Value* before, const Value* after) {
    if (before && after && *before == *after) return {};
    const TypeInfo info = type_info(type);
    const Shape old_shape = shape_of(info, before ? before : after);
    const Shape new_shape = shape_of(info, after ? after : before);
    bool leaf = false;
    Delta delta;
    if (old_shape != new_shape) {  // only untyped values: the old shape's changes and the new one's
      bool ignored = false;
      delta = as(old_shape, type, info, before, after, ignored);
    }
    Delta main = as(new_shape, type, info, before, after, leaf);
    if (!leaf && !before) main.self[kAdded] = true;
    if (!leaf && !after) main.self[kRemoved] = true;
    if (old_shape == new_shape) return main;
    for (size_t i = 0; i < 3; ++i) {
      main.self[i] = main.self[i] || delta.self[i];
      main.below[i] = unite(arena_, main.below[i], delta.below[i]);
    }
    return main;
  }

  bool failed() const { return failed_; }

 private:
  Delta as(Shape shape, const TypeRef& type, const TypeInfo& info, const Value* before, const Value* after,
           bool& leaf) {
    if (shape == Shape::kMap && info.map == MapRelation::kGranular) {
      const object::Object* old_object = object_of(before);
      const object::Object* new_object = object_of(after);
      if ((old_object && !old_object->empty()) || (new_object && !new_object->empty())) {
        return members(type, info, old_object, new_object);
      }
    } else if (shape == Shape::kList && info.list != ListRelation::kAtomic) {
      const object::Array* old_array = array_of(before);
      const object::Array* new_array = array_of(after);
      if ((old_array && !old_array->empty()) || (new_array && !new_array->empty())) {
        return items(info, old_array, new_array);
      }
    }
    leaf = true;
    Delta delta;
    if (!before) {
      delta.self[kAdded] = true;
    } else if (!after) {
      delta.self[kRemoved] = true;
    } else {
      delta.self[kModified] = !(*before == *after);
    }
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
      const auto first = scratch_[i].begin() + static_cast<std::ptrdiff_t>(mark.base[i]);
      sorted_.assign(first, scratch_[i].end());
      scratch_[i].resize(mark.base[i]);
      delta.below[i] = make_set_unsorted(arena_, sorted_);
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
      if (other && value == *other) continue;
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
    if (before.size() <= 1 && after.size() <= 1) return walk(info.item, old_first, new_first);
    Delta delta;
    if (before.size() >= 2 && after.size() >= 2) {
      const bool same = std::ranges::equal(
          before, after, [](const IndexedItem& a, const IndexedItem& b) { return *a.value == *b.value; });
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
  std::vector<SetEntry> sorted_;
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
