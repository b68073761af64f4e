#include "scheduler/plugins/plugins.h"

namespace scheduler {
namespace {

class NodeUnschedulable final : public Plugin, public FilterPlugin {
 public:
  explicit NodeUnschedulable(Cache* cache) : cache_(*cache) {}
  std::string_view name() const override { return "NodeUnschedulable"; }
  uint32_t requeue_events() const override { return kNodeAdd | kNodeTaint | kPodToleration; }

  void filter(const PodInfo& pod, NodeBatch& batch) override {
    const NodeColumns& nodes = cache_.nodes();
    static const Taint kCordoned{"node.kubernetes.io/unschedulable", "", TaintEffect::kNoSchedule};
    batch.for_each_alive([&](size_t i, uint32_t node) {
      if (!nodes.unschedulable[node] || tolerates(pod.tolerations, kCordoned)) return;
      batch.reject(i, "node(s) were unschedulable", Resolvable::kNo);
    });
  }

 private:
  Cache& cache_;
};

}  // namespace

PluginRef node_unschedulable(Cache* cache) { return std::make_unique<NodeUnschedulable>(cache); }

}  // namespace scheduler
