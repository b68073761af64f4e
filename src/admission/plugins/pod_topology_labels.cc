// A Pod carries the zone and region of its node as labels, from the moment it has a node: created with one, or bound.
#include "admission/plugins/common.h"
#include "admission/plugins/plugins.h"
#include "schema/metadata_view.h"

namespace admission {
namespace {

class PodTopologyLabels final : public Plugin {
 public:
  std::string_view name() const override { return "PodTopologyLabels"; }

  base::Result<void> admit(Attributes& attributes, const Lookup& lookup) override {
    auto* pod = placed_pod(attributes);
    if (!pod) return {};
    const auto raw = lookup.get("", "nodes", "", pod->spec.node_name);
    if (!raw) return {};  // Compat: a node that is not there yet refuses nothing
    const auto meta = schema::view_metadata(*raw);
    if (!meta) return {};
    for (const char* key : {"topology.kubernetes.io/zone", "topology.kubernetes.io/region"}) {
      // Compat: what the client wrote there is overwritten.
      if (auto value = schema::find(meta->labels, key)) pod->metadata.labels[key] = *value;
    }
    return {};
  }

 private:
  // The Pod when this request is the one that puts it on a node, else null. Only a binding changes the node of a Pod
  // that is there, and it comes here as an update of the Pod.
  static api::core::v1::Pod* placed_pod(const Attributes& attributes) {
    if (attributes.operation != Operation::kCreate && attributes.operation != Operation::kUpdate) return nullptr;
    if (!attributes.is("", "pods") && !attributes.is("", "pods", "binding")) return nullptr;
    auto* pod = object_as<api::core::v1::Pod>(attributes);
    if (!pod || pod->spec.node_name.empty()) return nullptr;
    const auto* old = old_as<api::core::v1::Pod>(attributes);
    return old && !old->spec.node_name.empty() ? nullptr : pod;
  }
};

}  // namespace

std::unique_ptr<Plugin> make_pod_topology_labels() { return std::make_unique<PodTopologyLabels>(); }

}  // namespace admission
