#include "kv/store.h"

#include <algorithm>

namespace kv {

std::string prefix_end(std::string_view prefix) {
  std::string end(prefix);
  while (!end.empty() && static_cast<unsigned char>(end.back()) == 0xff) end.pop_back();
  if (!end.empty()) end.back() = static_cast<char>(static_cast<unsigned char>(end.back()) + 1);
  return end;
}

const KeyValue* Snapshot::get(std::string_view key) const {
  const KeyValueRef* found = tree_.find(key);
  return found ? found->get() : nullptr;
}

KeyValueRef Snapshot::get_ref(std::string_view key) const {
  const KeyValueRef* found = tree_.find(key);
  return found ? *found : KeyValueRef();
}

namespace {

// Calls back with the leaves of [start, end): `leaf(records, signatures)`, until it says stop.
void each_leaf(const Tree& tree, std::string_view start, std::string_view end,
               FunctionRef<Visit(std::span<const KeyValueRef>, std::span<const Signature>)> leaf) {
  // Counted, so that no key is compared with the end.
  size_t left = tree.count(start, end);
  for (Tree::Iterator at = tree.seek(start); left > 0; at.next_leaf()) {
    const size_t size = std::min(left, at.records().size());
    if (leaf(at.records().first(size), at.signatures().first(size)) == Visit::kStop) return;
    left -= size;
  }
}

}  // namespace

void Snapshot::range(std::string_view start, std::string_view end, Visitor visitor) const {
  each_leaf(tree_, start, end, [&](std::span<const KeyValueRef> records, std::span<const Signature>) {
    for (const KeyValueRef& record : records) __builtin_prefetch(record.get());
    for (const KeyValueRef& record : records) {
      if (visitor(record) == Visit::kStop) return Visit::kStop;
    }
    return Visit::kContinue;
  });
}

void Snapshot::range_covering(std::string_view start, std::string_view end, std::span<const Signature> wanted,
                              Visitor visitor) const {
  each_leaf(tree_, start, end, [&](std::span<const KeyValueRef> records, std::span<const Signature> signatures) {
    for (size_t i = 0; i < records.size(); ++i) {
      const auto covers = [&](const Signature& bits) { return signatures[i].covers(bits); };
      if (std::ranges::any_of(wanted, covers) && visitor(records[i]) == Visit::kStop) return Visit::kStop;
    }
    return Visit::kContinue;
  });
}

}  // namespace kv
