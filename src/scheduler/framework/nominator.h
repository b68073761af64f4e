// Pods that preemption has promised a node, until they are bound, gone or promised another. Thread: the scheduler's
// strand.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "scheduler/pod_info.h"

namespace scheduler {

class Nominator {
 public:
  void nominate(const PodRef& pod, const std::string& node) {
    remove(pod->uid);
    nodes_[node].push_back(pod);
    by_uid_[pod->uid] = node;
  }
  void remove(const std::string& uid) {
    auto found = by_uid_.find(uid);
    if (found == by_uid_.end()) return;
    auto at = nodes_.find(found->second);
    std::erase_if(at->second, [&](const PodRef& pod) { return pod->uid == uid; });
    if (at->second.empty()) nodes_.erase(at);
    by_uid_.erase(found);
  }
  // "" = not nominated.
  std::string node_of(const std::string& uid) const {
    auto found = by_uid_.find(uid);
    return found == by_uid_.end() ? std::string() : found->second;
  }
  const std::map<std::string, std::vector<PodRef>>& nodes() const { return nodes_; }
  bool empty() const { return nodes_.empty(); }

 private:
  std::map<std::string, std::vector<PodRef>> nodes_;
  std::map<std::string, std::string> by_uid_;
};

}  // namespace scheduler
