// Volumes that are labelled with a zone or region are used by nodes there. Compat: a node without any such label has no
// constraint; the old labels stand for the new ones.
#include <algorithm>
#include <array>

#include "codec/json_text.h"
#include "scheduler/plugins/plugins.h"

namespace scheduler {
namespace {

constexpr std::string_view kOldZone = "failure-domain.beta.kubernetes.io/zone";
constexpr std::string_view kOldRegion = "failure-domain.beta.kubernetes.io/region";
constexpr std::string_view kZone = "topology.kubernetes.io/zone";
constexpr std::string_view kRegion = "topology.kubernetes.io/region";

std::string_view current_name(std::string_view label) {
  return label == kOldZone ? kZone : label == kOldRegion ? kRegion : label;
}

class VolumeZone final : public Plugin, public PreFilterPlugin, public FilterPlugin {
 public:
  explicit VolumeZone(Cache* cache) : cache_(*cache) {}
  std::string_view name() const override { return "VolumeZone"; }
  uint32_t requeue_events() const override { return kStorageClass | kNodeAdd | kNodeLabel | kClaim | kVolume; }

  PreFilterResult pre_filter(const PodInfo& pod) override {
    if (pod.claims.empty()) return {Interest::kSkip, {}, {}};
    constraints_.clear();
    for (const ClaimUse& use : pod.claims) {
      if (use.kind == ClaimUse::Kind::kEphemeral) continue;
      if (std::string problem = add(pod, use.name); !problem.empty()) return {Interest::kRun, std::move(problem), {}};
    }
    if (constraints_.empty()) return {Interest::kSkip, {}, {}};
    const std::array labels = {kOldZone, kOldRegion, kZone, kRegion};
    std::ranges::transform(labels, columns_.begin(), [&](std::string_view label) { return cache_.label(label); });
    return {};
  }

  void filter(const PodInfo&, NodeBatch& batch) override {
    batch.for_each_alive([&](size_t i, uint32_t node) {
      const bool labelled =
          std::ranges::any_of(columns_, [&](const LabelColumn* column) { return column && column->at(node) != 0; });
      if (!labelled) return;
      const bool fits =
          std::ranges::all_of(constraints_, [&](const Constraint& constraint) { return holds(constraint, node); });
      if (!fits) batch.reject(i, "node(s) had no available volume zone", Resolvable::kNo);
    });
  }

 private:
  struct Constraint {
    const LabelColumn* column;   // null: no node has the label
    const LabelColumn* current;  // of the label's present name
    const std::vector<std::string>* values;
  };

  // "" = the claim's constraints are added.
  std::string add(const PodInfo& pod, const std::string& name) {
    const VolumeCache& volumes = cache_.volumes();
    const ClaimInfo* claim = volumes.claim(pod.ns, name);
    if (!claim) return "persistentvolumeclaim " + codec::go_quoted(name) + " not found";
    if (claim->facts.volume_name.empty()) {
      const std::string& in_class = claim->facts.storage_class;
      if (in_class.empty()) return "PersistentVolumeClaim had no pv name and storageClass name";
      if (!volumes.storage_class(in_class))
        return "storageclass.storage.k8s.io " + codec::go_quoted(in_class) + " not found";
      return volumes.waits_for_consumer(*claim) ? "" : "PersistentVolume had no name";
    }
    const VolumeInfo* volume = volumes.volume(claim->facts.volume_name);
    if (!volume) return "persistentvolume " + codec::go_quoted(claim->facts.volume_name) + " not found";
    for (const auto& [label, values] : volume->zone_labels)
      constraints_.push_back({cache_.label(label), cache_.label(current_name(label)), &values});
    return "";
  }

  static bool holds(const Constraint& constraint, uint32_t node) {
    for (const LabelColumn* column : {constraint.column, constraint.current}) {
      const uint32_t value = column ? column->at(node) : 0;
      if (value != 0) return std::ranges::find(*constraint.values, column->text(value)) != constraint.values->end();
    }
    return false;
  }

  Cache& cache_;
  std::vector<Constraint> constraints_;  // of the pod of the cycle
  std::array<const LabelColumn*, 4> columns_{};
};

}  // namespace

PluginRef volume_zone(Cache* cache) { return std::make_unique<VolumeZone>(cache); }

}  // namespace scheduler
