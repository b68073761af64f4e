// Cache: the objects of one informer in key order, with indexes that hold pointers to its entries. Thread: its owner
// locks (informer.cc).
#pragma once

#include <map>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "client/informer.h"

namespace client {

class Cache {
 public:
  void add_index(std::string name, IndexFunction function);

  // What was there before; empty when nothing was. An empty `object` removes.
  RawObject put(const ObjectKey& key, const RawObject& object);
  RawObject get(const ObjectKey& key) const;
  std::vector<RawObject> list(std::string_view ns) const;
  std::vector<RawObject> by_index(std::string_view index, std::string_view value) const;
  size_t size() const { return entries_.size(); }
  std::vector<ObjectKey> keys() const;

 private:
  using Entry = std::pair<const ObjectKey, RawObject>;
  struct ByKey {
    bool operator()(const Entry* a, const Entry* b) const { return a->first < b->first; }
  };
  struct Index {
    std::string name;
    IndexFunction function;
    std::unordered_map<std::string, std::set<const Entry*, ByKey>> values;
  };
  void index_entry(const Entry& entry);
  void unindex_entry(const Entry& entry);

  std::map<ObjectKey, RawObject> entries_;
  std::vector<Index> indexes_;
  std::vector<std::string> scratch_;
};

}  // namespace client
