// What a pod's claims say against scheduling it now. Claims that wait for their first consumer are not provisioned yet:
// pods with such an unbound claim find no node.
#include "codec/json_text.h"
#include "scheduler/plugins/plugins.h"

namespace scheduler {
namespace {

class VolumeBinding final : public Plugin, public PreFilterPlugin, public FilterPlugin {
 public:
  explicit VolumeBinding(Cache* cache) : cache_(*cache) {}
  std::string_view name() const override { return "VolumeBinding"; }
  uint32_t requeue_events() const override { return kClaim | kNodeAdd | kNodeLabel; }

  PreFilterResult pre_filter(const PodInfo& pod) override {
    waits_ = false;
    if (pod.claims.empty()) return {Interest::kSkip, {}, {}};
    bool unbound = false;
    for (const std::string& name : pod.claims) {
      const ClaimInfo* claim = cache_.claim(pod.ns, name);
      std::string quoted = "persistentvolumeclaim " + codec::go_quoted(name);
      if (!claim) return {Interest::kRun, quoted + " not found", {}};
      switch (claim->state) {
        case ClaimInfo::State::kBound:
          break;
        case ClaimInfo::State::kDeleting:
          return {Interest::kRun, quoted + " is being deleted", {}};
        case ClaimInfo::State::kLost:
          return {Interest::kRun,
                  quoted + " bound to non-existent persistentvolume " + codec::go_quoted(claim->volume),
                  {}};
        case ClaimInfo::State::kUnbound:
          bool waits = cache_.binding_mode(claim->storage_class) == BindingMode::kWaitForFirstConsumer;
          waits_ = waits_ || waits;
          unbound = unbound || !waits;
          break;
      }
    }
    if (unbound) return {Interest::kRun, "pod has unbound immediate PersistentVolumeClaims", {}};
    return {waits_ ? Interest::kRun : Interest::kSkip, {}, {}};
  }

  void filter(const PodInfo&, NodeBatch& batch) override {
    if (!waits_) return;
    batch.for_each_alive([&](size_t i, uint32_t) {
      batch.reject(i, "node(s) didn't find available persistent volumes to bind", Resolvable::kNo);
    });
  }

 private:
  Cache& cache_;
  bool waits_ = false;  // an unbound claim waits for its first consumer
};

}  // namespace

PluginRef volume_binding(Cache* cache) { return std::make_unique<VolumeBinding>(cache); }

}  // namespace scheduler
