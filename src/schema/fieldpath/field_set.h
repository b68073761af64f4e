// A set of field paths: an immutable trie whose nodes live in an Arena and are shared between sets. A FieldSet is a
// handle of one pointer; operations that change nothing return the same pointer. Thread: as plain data.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "schema/fieldpath/element.h"

namespace schema {

struct SetNode;

// An element of a node: the path to it is in the set (`member`), or paths below it are (`child`), or both; never
// neither.
struct SetEntry {
  Element element;
  const SetNode* child = nullptr;
  bool member = false;
};

struct SetNode {
  const SetEntry* entries;
  uint32_t size;  // > 0
  std::span<const SetEntry> all() const { return {entries, size}; }
};

class FieldSet {
 public:
  FieldSet() = default;
  explicit FieldSet(const SetNode* node) : node_(node) {}
  bool empty() const { return node_ == nullptr; }
  const SetNode* node() const { return node_; }
  std::span<const SetEntry> entries() const { return node_ ? node_->all() : std::span<const SetEntry>(); }
  // Null when there is none.
  const SetEntry* find(const Element& element) const;
  bool has(std::span<const Element> path) const;

 private:
  const SetNode* node_ = nullptr;
};

// The node of entries that are sorted and unique already; copies them into the arena. No entries: the empty set.
FieldSet make_set(Arena& arena, std::span<const SetEntry> entries);
// Sorts them first, in place; entries of one element are united.
FieldSet make_set_unsorted(Arena& arena, std::span<SetEntry> entries);
FieldSet make_set_of_path(Arena& arena, std::span<const Element> path);

FieldSet unite(Arena& arena, FieldSet a, FieldSet b);
FieldSet intersect(Arena& arena, FieldSet a, FieldSet b);
// Paths of a that are not in b.
FieldSet subtract(Arena& arena, FieldSet a, FieldSet b);
// Paths of a that are not in b, nor below a path of b.
FieldSet subtract_recursively(Arena& arena, FieldSet a, FieldSet b);
// Paths that no other path of the set extends.
FieldSet leaves(Arena& arena, FieldSet set);
bool equal(FieldSet a, FieldSet b);
size_t size(FieldSet set);

// Calls visit(path) for every path, in order.
template <typename Visit>
void for_each_path(FieldSet set, std::vector<Element>& path, const Visit& visit) {
  for (const SetEntry& entry : set.entries()) {
    path.push_back(entry.element);
    if (entry.member) visit(std::span<const Element>(path));
    for_each_path(FieldSet(entry.child), path, visit);
    path.pop_back();
  }
}

std::string path_text(std::span<const Element> path);

}  // namespace schema
