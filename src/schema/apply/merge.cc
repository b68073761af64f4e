// The merge of a configuration into a value, and the removal and extraction of fields.
#include "schema/apply/item_index.h"
#include "schema/apply/shape.h"
#include "schema/apply/typed.h"

namespace schema {
namespace {

using base::Result;
using object::Array;
using object::Object;
using object::Value;

class MergeWalk {
 public:
  explicit MergeWalk(Arena& arena) : arena_(arena) {}

  // Both are there; what is there on one side alone is copied.
  Result<Value> walk(const TypeRef& type, const Value& base, const Value& config) {
    const TypeInfo info = type_info(type);
    const Shape shape = shape_of(info, &config);
    if (shape == Shape::kMap && info.map == MapRelation::kGranular) {
      const Object* left = base.object_if();
      const Object* right = config.object_if();
      if ((left && !left->empty()) || (right && !right->empty())) return members(type, info, left, right);
    } else if (shape == Shape::kList && info.list != ListRelation::kAtomic) {
      const Array* left = base.array_if();
      const Array* right = config.array_if();
      if ((left && !left->empty()) || (right && !right->empty())) return items(info, left, right);
    }
    return config;
  }

 private:
  Result<Value> members(const TypeRef& type, const TypeInfo& info, const Object* base, const Object* config) {
    Object out;
    out.reserve((base ? base->size() : 0) + (config ? config->size() : 0));
    size_t hint = 0;
    if (base) {
      for (const auto& [name, value] : *base) {
        const Value* change = config ? config->find(name) : nullptr;
        if (!change) {
          out.append(name, value);
          continue;
        }
        TRY_ASSIGN(Value merged, walk(member_type(type, info, name, hint).type, value, *change));
        out.append(name, std::move(merged));
      }
    }
    if (config) {
      for (const auto& [name, value] : *config) {
        if (!base || !base->find(name)) out.append(name, value);
      }
    }
    return Value(std::move(out));
  }

  // One list's items in list order, and sorted by element to find them.
  struct Items {
    std::vector<IndexedItem> in_order;
    std::vector<IndexedItem> sorted;

    std::span<const IndexedItem> of(const Element& element) const { return items_of(sorted, element); }
    bool has(const Element& element) const { return !of(element).empty(); }
  };

  Result<Items> index(const TypeInfo& info, const Array* array) {
    Items items;
    TRY_ASSIGN(items.in_order, index_items(arena_, info, array));
    items.sorted = items.in_order;
    sort_items(items.sorted);
    return items;
  }

  // The order: the config's items keep its order, the others stay before the item that they stood before.
  //   base [a b c d] + config [d x b] = [a c? …]: a is the base's own, c too; d and b are shared, in the config's
  //   order.
  Result<Value> items(const TypeInfo& info, const Array* base, const Array* config) {
    TRY_ASSIGN(const Items left, index(info, base));
    TRY_ASSIGN(const Items right, index(info, config));
    std::vector<const Element*> shared;  // of the config's items, those that the base has too
    for (const IndexedItem& item : right.in_order) {
      if (left.has(item.element)) shared.push_back(&item.element);
    }
    size_t next_shared = 0;
    std::vector<bool> merged(right.in_order.size(), false);
    Array out;
    out.reserve(std::max(left.in_order.size(), right.in_order.size()));
    size_t l = 0;
    size_t r = 0;
    auto take_config = [&]() -> Result<void> {
      const IndexedItem& item = right.in_order[r];
      merged[r++] = true;
      if (next_shared < shared.size() && *shared[next_shared] == item.element) ++next_shared;
      const auto same = left.of(item.element);
      if (same.size() != 1) {  // absent, or repeated in the base: then the config's item replaces them all
        out.push_back(*item.value);
        return {};
      }
      TRY_ASSIGN(Value value, walk(info.item, *same[0].value, *item.value));
      out.push_back(std::move(value));
      return {};
    };
    while (l < left.in_order.size() || r < right.in_order.size()) {
      if (l < left.in_order.size()) {
        const Element& element = left.in_order[l].element;
        const auto in_config = right.of(element);
        if (r < right.in_order.size()) {
          if (element == right.in_order[r].element) {
            TRY(take_config());
            ++l;
            continue;
          }
          // Shared, but another shared item comes first.
          if (!in_config.empty() && next_shared < shared.size() && !(*shared[next_shared] == element)) {
            ++l;
            continue;
          }
        }
        if (in_config.empty()) {
          out.push_back(*left.in_order[l++].value);
          continue;
        }
        if (merged[in_config[0].position]) ++l;
      }
      if (r < right.in_order.size()) TRY(take_config());
    }
    return Value(std::move(out));
  }

  Arena& arena_;
};

class IdleWalk {
 public:
  explicit IdleWalk(Arena& arena) : arena_(arena) {}

  bool walk(const TypeRef& type, const Value& base, const Value& config) {
    const TypeInfo info = type_info(type);
    const Shape shape = shape_of(info, &config);
    if (shape == Shape::kMap && info.map == MapRelation::kGranular) {
      const Object* left = base.object_if();
      const Object* right = config.object_if();
      if (left && right && !left->empty()) return members(type, info, *left, *right);
    } else if (shape == Shape::kList && info.list != ListRelation::kAtomic) {
      const Array* left = base.array_if();
      const Array* right = config.array_if();
      if (left && right && !left->empty()) return items(info, *left, *right);
    }
    return base == config;
  }

 private:
  bool members(const TypeRef& type, const TypeInfo& info, const Object& base, const Object& config) {
    size_t hint = 0;
    for (const auto& [name, value] : config) {
      const Value* current = base.find(name);
      if (!current || !walk(member_type(type, info, name, hint).type, *current, value)) return false;
    }
    return true;
  }

  // The config's items stand in the base, once each, in the same relative order.
  bool items(const TypeInfo& info, const Array& base, const Array& config) {
    auto left = index_items(arena_, info, &base);
    if (!left) return false;
    std::vector<IndexedItem> sorted = *left;
    sort_items(sorted);
    auto same = [](const IndexedItem& a, const IndexedItem& b) { return a.element == b.element; };
    if (std::ranges::adjacent_find(sorted, same) != sorted.end()) return false;
    size_t at = 0;
    for (const Value& item : config) {
      auto wanted = item_element(arena_, info, item);
      if (!wanted) return false;
      while (at < left->size() && !((*left)[at].element == *wanted)) ++at;
      if (at == left->size() || !walk(info.item, *(*left)[at].value, item)) return false;
      ++at;
    }
    return true;
  }

  Arena& arena_;
};

enum class Keep : uint8_t { kOthers, kNamed };

class RemoveWalk {
 public:
  RemoveWalk(Arena& arena, Keep keep) : arena_(arena), keep_(keep) {}

  Value walk(const TypeRef& type, const Value& value, FieldSet set) {
    const TypeInfo info = type_info(type);
    switch (shape_of(info, &value)) {
      case Shape::kMap:
        return members(type, info, value, set);
      case Shape::kList:
        return items(info, value, set);
      default:
        return value;
    }
  }

 private:
  Value atomic(const Value& value) const { return keep_ == Keep::kNamed ? value : Value(); }

  // What becomes of a member or item: nullopt when it goes.
  std::optional<Value> part(const TypeRef& type, const Value& value, const SetEntry* entry) {
    if (keep_ == Keep::kOthers) {
      if (!entry) return value;
      if (entry->member) return std::nullopt;
      return walk(type, value, FieldSet(entry->child));
    }
    if (!entry) return std::nullopt;
    if (!entry->child) return value;
    return walk(type, value, FieldSet(entry->child));
  }

  Value members(const TypeRef& type, const TypeInfo& info, const Value& value, FieldSet set) {
    const Object* object = value.object_if();
    if (!object || object->empty()) return Value();
    if (info.map == MapRelation::kAtomic) return atomic(value);
    Object out;
    out.reserve(object->size());
    size_t hint = 0;
    for (const auto& [name, member] : *object) {
      const SetEntry* entry = set.find(Element::field(name));
      const TypeRef inner = entry ? member_type(type, info, name, hint).type : TypeRef();
      if (auto kept = part(inner, member, entry)) out.append(name, std::move(*kept));
    }
    return out.empty() ? Value() : Value(std::move(out));
  }

  Value items(const TypeInfo& info, const Value& value, FieldSet set) {
    const Array* array = value.array_if();
    if (!array || array->empty()) return Value();
    if (info.list == ListRelation::kAtomic) return atomic(value);
    Array out;
    for (const Value& item : *array) {
      auto element = item_element(arena_, info, item);
      const SetEntry* entry = element ? set.find(*element) : nullptr;
      if (auto kept = part(info.item, item, entry)) out.push_back(std::move(*kept));
    }
    return out.empty() ? Value() : Value(std::move(out));
  }

  Arena& arena_;
  Keep keep_;
};

}  // namespace

Result<Value> merge(Arena& arena, const TypeRef& type, const Value& base, const Value& config) {
  return MergeWalk(arena).walk(type, base, config);
}

bool merge_is_idle(Arena& arena, const TypeRef& type, const Value& base, const Value& config) {
  return IdleWalk(arena).walk(type, base, config);
}

Value remove_items(Arena& arena, const TypeRef& type, const Value& value, FieldSet items) {
  return RemoveWalk(arena, Keep::kOthers).walk(type, value, items);
}

Value extract_items(Arena& arena, const TypeRef& type, const Value& value, FieldSet items) {
  return RemoveWalk(arena, Keep::kNamed).walk(type, value, items);
}

}  // namespace schema
