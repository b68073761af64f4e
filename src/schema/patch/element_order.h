// The order of a list after a strategic merge: items of the patch in the patch's order, items that only the server has
// in the server's order, the two zipped by where the server had them. Pure; thread: any.
#pragma once

#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "object/value.h"

namespace schema {

// The identity of a scalar, as Go's == sees it: 1, 1.0 and "1" are three.
std::string scalar_key(const object::Value& value);

struct ListItem {
  object::Value value;
  std::string key;  // scalar_key of the merge key's value, or of the item itself
};
using ItemList = std::vector<ListItem>;

// Positions by key; the first of equal ones counts.
class KeyPositions {
 public:
  void add(std::string_view key) { positions_.emplace(key, static_cast<int>(positions_.size())); }
  // -1 when absent.
  int find(const std::string& key) const {
    auto found = positions_.find(key);
    return found == positions_.end() ? -1 : found->second;
  }

 private:
  std::unordered_map<std::string, int> positions_;
};

object::Array order_elements(ItemList patch_items, ItemList server_items, const KeyPositions& patch_order,
                             const KeyPositions& server_order);

}  // namespace schema
