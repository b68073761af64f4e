#include "kv/store.h"

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

void Snapshot::range(std::string_view start, std::string_view end, Visitor visitor) const {
  for (Tree::Iterator at = tree_.seek(start); !at.at_end(); at.next()) {
    if (!end.empty() && at.record()->key.view() >= end) return;
    if (visitor(at.record()) == Visit::kStop) return;
  }
}

}  // namespace kv
