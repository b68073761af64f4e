#include <algorithm>

#include "scheduler/plugins/plugins.h"

namespace scheduler {
namespace {

class NodePorts final : public Plugin, public PreFilterPlugin, public FilterPlugin {
 public:
  explicit NodePorts(Cache* cache) : cache_(*cache) {}
  std::string_view name() const override { return "NodePorts"; }
  uint32_t requeue_events() const override { return kPodDelete | kNodeAdd; }

  PreFilterResult pre_filter(const PodInfo& pod) override {
    return {pod.host_ports.empty() ? Interest::kSkip : Interest::kRun, {}, {}};
  }

  void filter(const PodInfo& pod, NodeBatch& batch) override {
    batch.for_each_alive([&](size_t i, uint32_t node) {
      const std::vector<HostPort>& used = cache_.nodes().host_ports[node];
      bool conflict = std::ranges::any_of(pod.host_ports, [&](const HostPort& wanted) {
        return std::ranges::any_of(used, [&](const HostPort& port) { return port.conflicts(wanted); });
      });
      if (!conflict) return;
      batch.reject(i, "node(s) didn't have free ports for the requested pod ports", Resolvable::kByPreemption);
    });
  }

 private:
  Cache& cache_;
};

}  // namespace

PluginRef node_ports(Cache* cache) { return std::make_unique<NodePorts>(cache); }

}  // namespace scheduler
