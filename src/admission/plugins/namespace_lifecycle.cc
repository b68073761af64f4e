// Nothing is written into a Namespace that is missing or ends, and three Namespaces stay.
#include "admission/plugins/common.h"
#include "admission/plugins/plugins.h"
#include "object/status.h"
#include "schema/metadata_view.h"

namespace admission {
namespace {

constexpr uint32_t kNamespaceStatus = 3, kStatusPhase = 1;

class NamespaceLifecycle final : public Plugin {
 public:
  std::string_view name() const override { return "NamespaceLifecycle"; }

  // Compat: upstream runs it with the mutating plugins, so that a missing namespace is told before anything else.
  base::Result<void> admit(Attributes& attributes, const Lookup& lookup) override {
    const bool of_namespaces = attributes.group.empty() && attributes.resource == "namespaces";
    if (of_namespaces) {
      const bool immortal =
          attributes.name == "default" || attributes.name == "kube-system" || attributes.name == "kube-public";
      if (attributes.operation == Operation::kDelete && attributes.subresource.empty() && immortal) {
        return forbid(attributes, "this namespace may not be deleted");
      }
      return {};
    }
    if (attributes.ns.empty() || attributes.operation == Operation::kDelete) return {};
    // Compat: an access review asks about a namespace, which need not exist.
    if (attributes.group == "authorization.k8s.io" && attributes.resource == "localsubjectaccessreviews") return {};
    const std::string* raw = attributes.namespace_raw(lookup);
    if (!raw) return base::fail(object::not_found({"", "namespaces"}, attributes.ns));
    if (attributes.operation != Operation::kCreate) return {};
    if (schema::find_bytes(*raw, {kNamespaceStatus, kStatusPhase}) != "Terminating") return {};
    const object::GroupResource resource{std::string(attributes.group), std::string(attributes.resource)};
    return base::fail(object::namespace_terminating(resource, attributes.name, attributes.ns));
  }
};

}  // namespace

std::unique_ptr<Plugin> make_namespace_lifecycle() { return std::make_unique<NamespaceLifecycle>(); }

}  // namespace admission
