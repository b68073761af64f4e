#include <map>

#include "scheduler/plugins/plugins.h"

namespace scheduler {
namespace {

// Compat: the free share after placing the pod, in percent; 0 when it does not fit.
inline int64_t free_share(int64_t requested, int64_t allocatable) {
  return requested > allocatable ? 0 : (allocatable - requested) * kMaxScore / allocatable;
}

class NodeResourcesFit final : public Plugin, public PreFilterPlugin, public FilterPlugin, public ScorePlugin {
 public:
  explicit NodeResourcesFit(Cache* cache) : cache_(*cache) {}
  std::string_view name() const override { return "NodeResourcesFit"; }
  uint32_t requeue_events() const override { return kPodDelete | kPodScaleDown | kNodeAdd | kNodeAllocatable; }

  PreFilterResult pre_filter(const PodInfo& pod) override {
    extended_.clear();
    for (const auto& [resource, amount] : pod.request.extended) {
      if (amount == 0) continue;
      auto column = cache_.nodes().extended.find(resource);
      const std::string& reason = reasons_.try_emplace(resource, "Insufficient " + resource).first->second;
      extended_.push_back({column == cache_.nodes().extended.end() ? nullptr : &column->second, amount, reason});
    }
    return {};
  }

  void filter(const PodInfo& pod, NodeBatch& batch) override {
    const NodeColumns& nodes = cache_.nodes();
    const Resources& request = pod.request;
    batch.for_each_alive([&](size_t i, uint32_t node) {
      if (nodes.pod_count[node] + 1 > nodes.allowed_pods[node]) {
        batch.reject(i, "Too many pods", Resolvable::kByPreemption);
      }
      check(batch, i, node, nodes.milli_cpu, request.milli_cpu, "Insufficient cpu");
      check(batch, i, node, nodes.memory, request.memory, "Insufficient memory");
      check(batch, i, node, nodes.ephemeral_storage, request.ephemeral_storage, "Insufficient ephemeral-storage");
      for (const Extended& extended : extended_) {
        if (extended.column) {
          check(batch, i, node, *extended.column, extended.amount, extended.reason);
        } else {
          batch.reject(i, extended.reason, Resolvable::kNo);
        }
      }
    });
  }

  // LeastAllocated over cpu and memory, of equal weight; a resource that the node has none of does not count.
  void score(const PodInfo& pod, std::span<const uint32_t> nodes, std::span<int64_t> scores) override {
    const NodeColumns& columns = cache_.nodes();
    for (size_t i = 0; i < nodes.size(); ++i) {
      uint32_t node = nodes[i];
      int64_t sum = 0, weights = 0;
      if (int64_t cpu = columns.milli_cpu.allocatable[node]; cpu != 0) {
        sum += free_share(columns.scoring_milli_cpu[node] + pod.scoring_milli_cpu, cpu);
        ++weights;
      }
      if (int64_t memory = columns.memory.allocatable[node]; memory != 0) {
        sum += free_share(columns.scoring_memory[node] + pod.scoring_memory, memory);
        ++weights;
      }
      scores[i] = weights == 2 ? sum / 2 : sum;
    }
  }

 private:
  struct Extended {
    const ResourceColumn* column;  // null: no node has it
    int64_t amount;
    std::string_view reason;
  };

  // Compat: asking for more than the node has at all cannot be helped by preemption.
  static void check(NodeBatch& batch, size_t i, uint32_t node, const ResourceColumn& column, int64_t amount,
                    std::string_view reason) {
    if (amount <= 0 || amount <= column.allocatable[node] - column.requested[node]) return;
    batch.reject(i, reason, amount > column.allocatable[node] ? Resolvable::kNo : Resolvable::kByPreemption);
  }

  Cache& cache_;
  std::vector<Extended> extended_;
  std::map<std::string, std::string> reasons_;  // texts outlive the cycle
};

}  // namespace

PluginRef node_resources_fit(Cache* cache) { return std::make_unique<NodeResourcesFit>(cache); }

}  // namespace scheduler
