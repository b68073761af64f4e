#include "schema/patch/element_order.h"

#include <algorithm>
#include <compare>

#include "schema/patch/go_text.h"

namespace schema {
namespace {

using object::Value;

void sort_by(ItemList& items, const KeyPositions& order) {
  struct Placed {
    int position;
    size_t item;
    auto operator<=>(const Placed&) const = default;
  };
  std::vector<Placed> placed;
  placed.reserve(items.size());
  bool all_found = true;
  for (size_t i = 0; i < items.size(); ++i) {
    placed.push_back({order.find(items[i].key), i});
    all_found = all_found && placed.back().position >= 0;
  }
  constexpr size_t kBlock = 20;
  if (all_found || placed.size() > kBlock) {
    std::ranges::sort(placed);  // items of one position stay in their order
  } else {
    // Compat: an item without a position is "less" than every other, and so is every other than it. The result is what
    // Go's stable sort of a small slice makes of that: an insertion sort.
    auto less = [](const Placed& a, const Placed& b) {
      return a.position < 0 || b.position < 0 || a.position < b.position;
    };
    for (size_t i = 1; i < placed.size(); ++i) {
      for (size_t j = i; j > 0 && less(placed[j], placed[j - 1]); --j) std::swap(placed[j], placed[j - 1]);
    }
  }
  ItemList sorted;
  sorted.reserve(items.size());
  for (const Placed& place : placed) sorted.push_back(std::move(items[place.item]));
  items = std::move(sorted);
}

}  // namespace

std::string scalar_key(const Value& value) {
  std::string key(1, static_cast<char>('0' + static_cast<int>(value.kind())));
  append_go_text(key, value);
  return key;
}

object::Array order_elements(ItemList patch_items, ItemList server_items, const KeyPositions& patch_order,
                             const KeyPositions& server_order) {
  sort_by(patch_items, patch_order);
  sort_by(server_items, server_order);
  object::Array out;
  out.reserve(patch_items.size() + server_items.size());
  size_t server = 0;
  for (ListItem& item : patch_items) {
    const int position = server_order.find(item.key);
    for (; server < server_items.size() && position >= 0; ++server) {
      const int other = server_order.find(server_items[server].key);
      if (other < 0 || other >= position) break;
      out.push_back(std::move(server_items[server].value));
    }
    out.push_back(std::move(item.value));
  }
  for (; server < server_items.size(); ++server) out.push_back(std::move(server_items[server].value));
  return out;
}

}  // namespace schema
