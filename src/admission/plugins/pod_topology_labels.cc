// A Pod that is created on a node carries the node's zone and region as labels. (Binding does the same for Pods that
// the scheduler places, where the binding is carried out: a plugin sees its body read-only.)
#include "admission/plugins/common.h"
#include "admission/plugins/plugins.h"
#include "schema/metadata_view.h"

namespace admission {
namespace {

class PodTopologyLabels final : public Plugin {
 public:
  std::string_view name() const override { return "PodTopologyLabels"; }

  base::Result<void> admit(Attributes& attributes, const Lookup& lookup) override {
    auto* pod = created_pod(attributes);
    if (!pod || pod->spec.node_name.empty()) return {};
    const auto raw = lookup.get("", "nodes", "", pod->spec.node_name);
    if (!raw) return {};  // Compat: a node that is not there yet refuses nothing
    const auto meta = schema::view_metadata(*raw);
    if (!meta) return {};
    for (const char* key : {"topology.kubernetes.io/zone", "topology.kubernetes.io/region"}) {
      if (auto value = schema::find(meta->labels, key)) pod->metadata.labels.try_emplace(key, *value);
    }
    return {};
  }
};

}  // namespace

std::unique_ptr<Plugin> make_pod_topology_labels() { return std::make_unique<PodTopologyLabels>(); }

}  // namespace admission
