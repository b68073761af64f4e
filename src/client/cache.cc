#include "client/cache.h"

#include <utility>

#include "base/check.h"

namespace client {

void Cache::add_index(std::string name, IndexFunction function) {
  CHECK(entries_.empty());
  for (const Index& index : indexes_) {
    if (index.name == name) return;
  }
  indexes_.push_back({std::move(name), std::move(function), {}});
}

RawObject Cache::put(const ObjectKey& key, const RawObject& object) {
  if (!object) {
    const auto found = entries_.find(key);
    if (found == entries_.end()) return {};
    unindex_entry(*found);
    RawObject before = std::move(found->second);
    entries_.erase(found);
    return before;
  }
  auto [at, inserted] = entries_.try_emplace(key);
  if (!inserted) unindex_entry(*at);
  RawObject before = std::exchange(at->second, object);
  index_entry(*at);
  return before;
}

RawObject Cache::get(const ObjectKey& key) const {
  const auto found = entries_.find(key);
  return found == entries_.end() ? RawObject() : found->second;
}

std::vector<RawObject> Cache::list(std::string_view ns) const {
  std::vector<RawObject> objects;
  if (ns.empty()) {
    objects.reserve(entries_.size());
    for (const auto& [key, object] : entries_) objects.push_back(object);
    return objects;
  }
  for (auto at = entries_.lower_bound({std::string(ns), ""}); at != entries_.end() && at->first.ns == ns; ++at) {
    objects.push_back(at->second);
  }
  return objects;
}

std::vector<RawObject> Cache::by_index(std::string_view name, std::string_view value) const {
  std::vector<RawObject> objects;
  for (const Index& index : indexes_) {
    if (index.name != name) continue;
    const auto found = index.values.find(std::string(value));
    if (found == index.values.end()) return objects;
    objects.reserve(found->second.size());
    for (const Entry* entry : found->second) objects.push_back(entry->second);
    return objects;
  }
  CHECK(!"by_index: no such index");
  return objects;
}

std::vector<ObjectKey> Cache::keys() const {
  std::vector<ObjectKey> keys;
  keys.reserve(entries_.size());
  for (const auto& [key, object] : entries_) keys.push_back(key);
  return keys;
}

void Cache::index_entry(const Entry& entry) {
  for (Index& index : indexes_) {
    scratch_.clear();
    index.function(entry.second, scratch_);
    for (std::string& value : scratch_) index.values[std::move(value)].insert(&entry);
  }
}

void Cache::unindex_entry(const Entry& entry) {
  for (Index& index : indexes_) {
    scratch_.clear();
    index.function(entry.second, scratch_);
    for (const std::string& value : scratch_) {
      const auto found = index.values.find(value);
      if (found == index.values.end()) continue;
      found->second.erase(&entry);
      if (found->second.empty()) index.values.erase(found);
    }
  }
}

}  // namespace client
