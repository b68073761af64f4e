// How many volumes of a CSI driver a node takes (CSINode): those of the pods on it, those attached to it, and the pod's
// own. Compat: in-tree volumes are not translated to their drivers.
#include <map>
#include <set>

#include "scheduler/plugins/plugins.h"

namespace scheduler {
namespace {

using VolumesOfDriver = std::map<std::string, std::set<std::string>>;  // driver → handles

class NodeVolumeLimits final : public Plugin, public PreFilterPlugin, public FilterPlugin {
 public:
  explicit NodeVolumeLimits(Cache* cache) : cache_(*cache), volumes_(cache->volumes()) {}
  std::string_view name() const override { return "NodeVolumeLimits"; }
  uint32_t requeue_events() const override { return kCsiNode | kPodDelete | kClaim | kDetach; }

  PreFilterResult pre_filter(const PodInfo& pod) override {
    if (pod.claims.empty()) return {Interest::kSkip, {}, {}};
    wanted_.clear();
    add_volumes(pod, wanted_);
    return {wanted_.empty() ? Interest::kSkip : Interest::kRun, {}, {}};
  }

  void filter(const PodInfo&, NodeBatch& batch) override {
    batch.for_each_alive([&](size_t i, uint32_t node) {
      const VolumeLimits* limits = volumes_.limits(cache_.nodes().name[node]);
      if (limits && exceeds(*limits, node))
        batch.reject(i, "node(s) exceed max volume count", Resolvable::kByPreemption);
    });
  }

 private:
  // Of bound claims the volume, of others what a provisioner will make: one that no other claim has.
  void add_volumes(const PodInfo& pod, VolumesOfDriver& to) const {
    for (const ClaimUse& use : pod.claims) {
      const ClaimInfo* claim = volumes_.claim(pod.ns, use.name);
      if (!claim) continue;
      const VolumeInfo* volume = volumes_.volume(claim->facts.volume_name);
      if (volume && !volume->driver.empty()) {
        to[volume->driver].insert(volume->handle);
      } else if (!volume) {
        const StorageClassInfo* in_class = volumes_.storage_class(claim->facts.storage_class);
        if (in_class && !in_class->provisioner.empty() && in_class->provisioner != api::kNoProvisioner)
          to[in_class->provisioner].insert(claim->key());
      }
    }
  }

  bool exceeds(const VolumeLimits& limits, uint32_t node) const {
    bool concerned = false;
    for (const auto& [driver, handles] : wanted_) concerned = concerned || limits.contains(driver);
    if (!concerned) return false;
    VolumesOfDriver held;
    for (const PodRef& other : cache_.nodes().pods[node]) add_volumes(*other, held);
    for (const AttachmentInfo* attachment : volumes_.attached_to(cache_.nodes().name[node])) {
      const VolumeInfo* volume = volumes_.volume(attachment->volume);
      if (volume && volume->driver == attachment->driver) held[attachment->driver].insert(volume->handle);
    }
    for (const auto& [driver, handles] : wanted_) {
      const auto limit = limits.find(driver);
      if (limit == limits.end()) continue;
      std::set<std::string> all = handles;
      const size_t before = held[driver].size();
      all.insert(held[driver].begin(), held[driver].end());
      // Compat: a pod whose volumes are all there already adds none.
      if (all.size() > before && all.size() > static_cast<size_t>(limit->second)) return true;
    }
    return false;
  }

  Cache& cache_;
  VolumeCache& volumes_;
  VolumesOfDriver wanted_;  // by the pod of the cycle
};

}  // namespace

PluginRef node_volume_limits(Cache* cache) { return std::make_unique<NodeVolumeLimits>(cache); }

}  // namespace scheduler
