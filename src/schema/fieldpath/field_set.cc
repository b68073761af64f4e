#include "schema/fieldpath/field_set.h"

#include <algorithm>

namespace schema {
namespace {

// As compare(); nearly all elements are members.
inline int order_of(const Element& a, const Element& b) {
  const bool members = a.kind == Element::Kind::kField && b.kind == Element::Kind::kField;
  return members ? a.field_name().compare(b.field_name()) : compare(a, b);
}

bool less(const SetEntry& a, const SetEntry& b) { return order_of(a.element, b.element) < 0; }

// Entries of a node under construction: copied to the arena only once something differs from `base`.
class NodeBuilder {
 public:
  NodeBuilder(Arena& arena, FieldSet base, size_t capacity) : arena_(arena), base_(base), capacity_(capacity) {}

  // `i` is the base entry's place when the entry is that one unchanged, else npos.
  static constexpr size_t kNew = static_cast<size_t>(-1);
  void add(const SetEntry& entry, size_t i) {
    if (!entries_ && i == size_) {
      ++size_;
      return;
    }
    materialize();
    entries_[size_++] = entry;
  }
  FieldSet finish() {
    if (!entries_) {
      if (size_ == base_.entries().size()) return base_;
      if (size_ == 0) return FieldSet();
      return FieldSet(arena_.create(SetNode{base_.node()->entries, static_cast<uint32_t>(size_)}));
    }
    return FieldSet(arena_.create(SetNode{entries_, static_cast<uint32_t>(size_)}));
  }

 private:
  void materialize() {
    if (entries_) return;
    entries_ = arena_.allocate<SetEntry>(capacity_);
    std::copy_n(base_.entries().begin(), size_, entries_);
  }

  Arena& arena_;
  FieldSet base_;
  size_t capacity_;
  SetEntry* entries_ = nullptr;
  size_t size_ = 0;
};

enum class Below : uint8_t { kKeep, kRemove };

FieldSet subtract_with(Arena& arena, FieldSet a, FieldSet b, Below below) {
  if (a.empty() || b.empty()) return a;
  NodeBuilder out(arena, a, a.entries().size());
  auto other = b.entries().begin();
  for (size_t i = 0; i < a.entries().size(); ++i) {
    const SetEntry& entry = a.entries()[i];
    while (other != b.entries().end() && less(*other, entry)) ++other;
    if (other == b.entries().end() || order_of(other->element, entry.element) != 0) {
      out.add(entry, i);
      continue;
    }
    SetEntry kept = entry;
    kept.member = entry.member && !other->member;
    if (other->member && below == Below::kRemove) {
      kept.child = nullptr;
    } else {
      kept.child = subtract_with(arena, FieldSet(entry.child), FieldSet(other->child), below).node();
    }
    if (!kept.member && !kept.child) continue;
    out.add(kept, kept.member == entry.member && kept.child == entry.child ? i : NodeBuilder::kNew);
  }
  return out.finish();
}

}  // namespace

const SetEntry* FieldSet::find(const Element& element) const {
  const auto all = entries();
  auto found = std::ranges::lower_bound(
      all, element, [](const Element& a, const Element& b) { return order_of(a, b) < 0; }, &SetEntry::element);
  return found != all.end() && order_of(found->element, element) == 0 ? &*found : nullptr;
}

bool FieldSet::has(std::span<const Element> path) const {
  const SetEntry* entry = nullptr;
  FieldSet here = *this;
  for (const Element& element : path) {
    entry = here.find(element);
    if (!entry) return false;
    here = FieldSet(entry->child);
  }
  return entry && entry->member;
}

FieldSet make_set(Arena& arena, std::span<const SetEntry> entries) {
  if (entries.empty()) return FieldSet();
  SetEntry* copy = arena.allocate<SetEntry>(entries.size());
  std::ranges::copy(entries, copy);
  return FieldSet(arena.create(SetNode{copy, static_cast<uint32_t>(entries.size())}));
}

FieldSet make_set_unsorted(Arena& arena, std::span<SetEntry> entries) {
  if (!std::ranges::is_sorted(entries, less)) std::ranges::sort(entries, less);
  size_t kept = 0;
  for (size_t i = 0; i < entries.size(); ++i) {
    if (kept > 0 && order_of(entries[kept - 1].element, entries[i].element) == 0) {
      SetEntry& same = entries[kept - 1];
      same.member = same.member || entries[i].member;
      same.child = unite(arena, FieldSet(same.child), FieldSet(entries[i].child)).node();
    } else {
      entries[kept++] = entries[i];
    }
  }
  return make_set(arena, entries.first(kept));
}

FieldSet make_set_of_path(Arena& arena, std::span<const Element> path) {
  const SetNode* below = nullptr;
  for (size_t i = path.size(); i-- > 0;) {
    const SetEntry entry{path[i], below, i + 1 == path.size()};
    below = make_set(arena, {&entry, 1}).node();
  }
  return FieldSet(below);
}

FieldSet unite(Arena& arena, FieldSet a, FieldSet b) {
  if (b.empty() || a.node() == b.node()) return a;
  if (a.empty()) return b;
  const auto left = a.entries();
  const auto right = b.entries();
  NodeBuilder out(arena, a, left.size() + right.size());
  size_t i = 0;
  size_t j = 0;
  while (i < left.size() || j < right.size()) {
    const int order = i == left.size() ? 1 : j == right.size() ? -1 : order_of(left[i].element, right[j].element);
    if (order < 0) {
      out.add(left[i], i);
      ++i;
    } else if (order > 0) {
      out.add(right[j++], NodeBuilder::kNew);
    } else {
      SetEntry both = left[i];
      both.member = both.member || right[j].member;
      both.child = unite(arena, FieldSet(both.child), FieldSet(right[j].child)).node();
      const bool same = both.member == left[i].member && both.child == left[i].child;
      out.add(both, same ? i : NodeBuilder::kNew);
      ++i;
      ++j;
    }
  }
  return out.finish();
}

FieldSet intersect(Arena& arena, FieldSet a, FieldSet b) {
  if (a.empty() || b.empty()) return FieldSet();
  NodeBuilder out(arena, a, std::min(a.entries().size(), b.entries().size()));
  auto other = b.entries().begin();
  for (size_t i = 0; i < a.entries().size(); ++i) {
    const SetEntry& entry = a.entries()[i];
    while (other != b.entries().end() && less(*other, entry)) ++other;
    if (other == b.entries().end()) break;
    if (order_of(other->element, entry.element) != 0) continue;
    SetEntry both = entry;
    both.member = entry.member && other->member;
    both.child = intersect(arena, FieldSet(entry.child), FieldSet(other->child)).node();
    if (!both.member && !both.child) continue;
    out.add(both, both.member == entry.member && both.child == entry.child ? i : NodeBuilder::kNew);
  }
  return out.finish();
}

FieldSet subtract(Arena& arena, FieldSet a, FieldSet b) { return subtract_with(arena, a, b, Below::kKeep); }

FieldSet subtract_recursively(Arena& arena, FieldSet a, FieldSet b) {
  return subtract_with(arena, a, b, Below::kRemove);
}

FieldSet leaves(Arena& arena, FieldSet set) {
  std::vector<SetEntry> entries;
  entries.reserve(set.entries().size());
  for (const SetEntry& entry : set.entries()) {
    const SetNode* child = leaves(arena, FieldSet(entry.child)).node();
    entries.push_back({entry.element, child, entry.member && !child});
  }
  return make_set(arena, entries);
}

bool equal(FieldSet a, FieldSet b) {
  if (a.node() == b.node()) return true;
  return std::ranges::equal(a.entries(), b.entries(), [](const SetEntry& x, const SetEntry& y) {
    return x.member == y.member && order_of(x.element, y.element) == 0 && equal(FieldSet(x.child), FieldSet(y.child));
  });
}

size_t size(FieldSet set) {
  size_t count = 0;
  for (const SetEntry& entry : set.entries()) count += (entry.member ? 1 : 0) + size(FieldSet(entry.child));
  return count;
}

std::string path_text(std::span<const Element> path) {
  std::string out;
  for (const Element& element : path) append_path_text(out, element);
  return out;
}

}  // namespace schema
