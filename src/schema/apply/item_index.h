// The items of a keyed list or set by their path elements, sorted. Internal to schema/apply.
#pragma once

#include <algorithm>
#include <span>
#include <vector>

#include "schema/apply/typed.h"

namespace schema {

struct IndexedItem {
  Element element;
  const object::Value* value;
  size_t position;
};

// In list order; an item without a key is an error.
inline base::Result<std::vector<IndexedItem>> index_items(Arena& arena, const TypeInfo& list,
                                                          const object::Array* items) {
  std::vector<IndexedItem> out;
  if (!items) return out;
  out.reserve(items->size());
  for (const object::Value& item : *items) {
    auto element = item_element(arena, list, item);
    if (!element) return std::unexpected(std::move(element.error()));
    out.push_back({*element, &item, out.size()});
  }
  return out;
}

inline void sort_items(std::vector<IndexedItem>& items) {
  auto less = [](const IndexedItem& a, const IndexedItem& b) {
    const int order = compare(a.element, b.element);
    return order != 0 ? order < 0 : a.position < b.position;
  };
  if (!std::ranges::is_sorted(items, less)) std::ranges::sort(items, less);
}

// The items of one element, of a sorted index.
inline std::span<const IndexedItem> items_of(const std::vector<IndexedItem>& sorted, const Element& element) {
  auto below = [](const IndexedItem& item, const Element& e) { return compare(item.element, e) < 0; };
  auto first = std::lower_bound(sorted.begin(), sorted.end(), element, below);
  auto last = first;
  while (last != sorted.end() && compare(last->element, element) == 0) ++last;
  return {first, last};
}

}  // namespace schema
