// Which Pods nobody else will ever clear away. Pure.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "controllers/runtime/pod_view.h"

namespace controllers::podgc {

inline constexpr size_t kTerminatedThreshold = 12500;  // Compat: of ended Pods that are kept
inline constexpr base::Duration kPeriod = std::chrono::seconds(20);
inline constexpr base::Duration kQuarantine = std::chrono::seconds(40);  // of nodes that are gone

struct Plan {
  std::vector<size_t> terminated;   // too many of them: delete the oldest
  std::vector<size_t> orphaned;     // their node is gone: mark failed, then delete
  std::vector<size_t> unscheduled;  // being deleted, on no node
};

Plan plan(const std::vector<PodView>& pods, size_t threshold,
          const std::function<bool(std::string_view node)>& node_is_gone);

}  // namespace controllers::podgc
