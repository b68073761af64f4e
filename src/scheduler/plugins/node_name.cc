#include "scheduler/plugins/plugins.h"

namespace scheduler {
namespace {

class NodeName final : public Plugin, public FilterPlugin {
 public:
  explicit NodeName(Cache* cache) : cache_(*cache) {}
  std::string_view name() const override { return "NodeName"; }
  uint32_t requeue_events() const override { return kNodeAdd; }

  void filter(const PodInfo& pod, NodeBatch& batch) override {
    if (pod.node_name.empty()) return;
    batch.for_each_alive([&](size_t i, uint32_t node) {
      if (cache_.nodes().name[node] == pod.node_name) return;
      batch.reject(i, "node(s) didn't match the requested node name", Resolvable::kNo);
    });
  }

 private:
  Cache& cache_;
};

}  // namespace

PluginRef node_name(Cache* cache) { return std::make_unique<NodeName>(cache); }

}  // namespace scheduler
