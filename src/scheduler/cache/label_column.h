// One node label over all nodes: a small number per node for its value, 0 where the label is absent. Columns make label
// tests and topology domains array look-ups. Thread: the scheduler's strand.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace scheduler {

class LabelColumn {
 public:
  // 0 when no node ever had the value.
  uint32_t find(std::string_view value) const {
    auto found = ids_.find(value);
    return found == ids_.end() ? 0 : found->second;
  }
  uint32_t intern(std::string_view value) {
    auto [at, fresh] = ids_.emplace(value, static_cast<uint32_t>(texts_.size()));
    if (fresh) texts_.emplace_back(value);
    return at->second;
  }
  const std::string& text(uint32_t id) const { return texts_[id]; }
  // Ids are below this.
  size_t domains() const { return texts_.size(); }
  uint32_t at(uint32_t node) const { return values[node]; }

  std::vector<uint32_t> values;  // by node slot

 private:
  std::map<std::string, uint32_t, std::less<>> ids_;
  std::vector<std::string> texts_{""};
};

}  // namespace scheduler
