#include <algorithm>
#include <cmath>

#include "scheduler/plugins/plugins.h"

namespace scheduler {
namespace {

class BalancedAllocation final : public Plugin, public PreScorePlugin, public ScorePlugin {
 public:
  explicit BalancedAllocation(Cache* cache) : cache_(*cache) {}
  std::string_view name() const override { return "NodeResourcesBalancedAllocation"; }

  // Compat: a best-effort pod would only ever move the scores together.
  Interest pre_score(const PodInfo& pod, std::span<const uint32_t>) override {
    return pod.best_effort ? Interest::kSkip : Interest::kRun;
  }

  // 100 × (1 − standard deviation of the used shares of cpu and memory).
  void score(const PodInfo& pod, std::span<const uint32_t> nodes, std::span<int64_t> scores) override {
    const NodeColumns& columns = cache_.nodes();
    for (size_t i = 0; i < nodes.size(); ++i) {
      int64_t cpu = columns.milli_cpu.allocatable[nodes[i]];
      int64_t memory = columns.memory.allocatable[nodes[i]];
      double deviation = 0;
      if (cpu != 0 && memory != 0) {
        double used_cpu = share(columns.milli_cpu.requested[nodes[i]] + pod.request.milli_cpu, cpu);
        double used_memory = share(columns.memory.requested[nodes[i]] + pod.request.memory, memory);
        deviation = std::fabs(used_cpu - used_memory) / 2;
      }
      scores[i] = static_cast<int64_t>((1 - deviation) * static_cast<double>(kMaxScore));
    }
  }

 private:
  static double share(int64_t used, int64_t of) {
    return std::min(static_cast<double>(used) / static_cast<double>(of), 1.0);
  }
  Cache& cache_;
};

}  // namespace

PluginRef node_resources_balanced_allocation(Cache* cache) { return std::make_unique<BalancedAllocation>(cache); }

}  // namespace scheduler
