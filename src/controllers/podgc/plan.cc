#include "controllers/podgc/plan.h"

#include <algorithm>
#include <tuple>

namespace controllers::podgc {

Plan plan(const std::vector<PodView>& pods, size_t threshold,
          const std::function<bool(std::string_view node)>& node_is_gone) {
  Plan plan;
  for (size_t i = 0; i < pods.size(); ++i) {
    const PodView& pod = pods[i];
    if (!pod.node.empty() && node_is_gone(pod.node)) {
      plan.orphaned.push_back(i);
    } else if (pod.node.empty() && pod.deleting()) {
      plan.unscheduled.push_back(i);
    } else if (pod.terminal() && !pod.deleting()) {
      plan.terminated.push_back(i);
    }
  }
  if (threshold == 0 || plan.terminated.size() <= threshold) {
    plan.terminated.clear();
    return plan;
  }
  std::ranges::sort(plan.terminated, {}, [&](size_t at) {
    return std::tuple(pods[at].metadata.creation_seconds.value_or(0), pods[at].metadata.name);
  });
  plan.terminated.resize(plan.terminated.size() - threshold);
  return plan;
}

}  // namespace controllers::podgc
