// A claim of mode ReadWriteOncePod has one pod; some disks that pods name themselves are mounted by one pod of a node.
#include <algorithm>

#include "codec/json_text.h"
#include "scheduler/plugins/plugins.h"

namespace scheduler {
namespace {

class VolumeRestrictions final : public Plugin, public PreFilterPlugin, public FilterPlugin {
 public:
  explicit VolumeRestrictions(Cache* cache) : cache_(*cache) {}
  std::string_view name() const override { return "VolumeRestrictions"; }
  uint32_t requeue_events() const override { return kPodDelete | kNodeAdd | kClaim; }

  PreFilterResult pre_filter(const PodInfo& pod) override {
    if (pod.claims.empty() && pod.disks.empty()) return {Interest::kSkip, {}, {}};
    taken_ = false;
    for (const ClaimUse& use : pod.claims) {
      if (use.kind == ClaimUse::Kind::kEphemeral) continue;
      const ClaimInfo* claim = cache_.volumes().claim(pod.ns, use.name);
      if (!claim) return {Interest::kRun, "persistentvolumeclaim " + codec::go_quoted(use.name) + " not found", {}};
      if (!(claim->facts.access_modes & api::kReadWriteOncePod)) continue;
      taken_ = taken_ || cache_.volumes().uses(claim->key()) > 0;
    }
    return {taken_ || !pod.disks.empty() ? Interest::kRun : Interest::kSkip, {}, {}};
  }

  void filter(const PodInfo& pod, NodeBatch& batch) override {
    batch.for_each_alive([&](size_t i, uint32_t node) {
      if (!pod.disks.empty() && conflicts(pod, node)) {
        batch.reject(i, "node(s) had no available disk", Resolvable::kByPreemption);
      } else if (taken_) {
        batch.reject(i,
                     "node(s) unavailable due to PersistentVolumeClaim with ReadWriteOncePod access mode already "
                     "in-use by another pod",
                     Resolvable::kByPreemption);
      }
    });
  }

 private:
  bool conflicts(const PodInfo& pod, uint32_t node) const {
    return std::ranges::any_of(cache_.nodes().pods[node], [&](const PodRef& other) {
      return std::ranges::any_of(other->disks, [&](const InlineDisk& held) {
        return std::ranges::any_of(pod.disks, [&](const InlineDisk& wanted) { return wanted.conflicts(held); });
      });
    });
  }

  Cache& cache_;
  bool taken_ = false;  // by a pod on some node
};

}  // namespace

PluginRef volume_restrictions(Cache* cache) { return std::make_unique<VolumeRestrictions>(cache); }

}  // namespace scheduler
