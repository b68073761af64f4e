#include <algorithm>

#include "scheduler/plugins/plugins.h"

namespace scheduler {
namespace {

class TaintToleration final : public Plugin, public FilterPlugin, public PreScorePlugin, public ScorePlugin {
 public:
  explicit TaintToleration(Cache* cache) : cache_(*cache) {}
  std::string_view name() const override { return "TaintToleration"; }
  uint32_t requeue_events() const override { return kNodeAdd | kNodeTaint | kPodToleration; }

  void filter(const PodInfo& pod, NodeBatch& batch) override {
    const NodeColumns& nodes = cache_.nodes();
    batch.for_each_alive([&](size_t i, uint32_t node) {
      for (const Taint& taint : nodes.taints[node]) {
        if (taint.effect == TaintEffect::kPreferNoSchedule || tolerates(pod.tolerations, taint)) continue;
        batch.reject(i, "node(s) had untolerated taint(s)", Resolvable::kNo);
        return;
      }
    });
  }

  // Compat: only tolerations of no effect or of PreferNoSchedule count in the score.
  Interest pre_score(const PodInfo& pod, std::span<const uint32_t>) override {
    preferences_.clear();
    std::ranges::copy_if(pod.tolerations, std::back_inserter(preferences_), [](const Toleration& toleration) {
      return !toleration.effect || *toleration.effect == TaintEffect::kPreferNoSchedule;
    });
    return Interest::kRun;
  }

  void score(const PodInfo&, std::span<const uint32_t> nodes, std::span<int64_t> scores) override {
    const NodeColumns& columns = cache_.nodes();
    for (size_t i = 0; i < nodes.size(); ++i) {
      for (const Taint& taint : columns.taints[nodes[i]]) {
        if (taint.effect == TaintEffect::kPreferNoSchedule && !tolerates(preferences_, taint)) ++scores[i];
      }
    }
    normalize(scores, Normalize::kReversed);
  }

 private:
  Cache& cache_;
  std::vector<Toleration> preferences_;
};

}  // namespace

PluginRef taint_toleration(Cache* cache) { return std::make_unique<TaintToleration>(cache); }

}  // namespace scheduler
