// An Ingress that names no class gets the default one.
#include "admission/plugins/common.h"
#include "admission/plugins/plugins.h"
#include "gen/networking/v1.h"

namespace admission {
namespace {

class DefaultIngressClass final : public Plugin {
 public:
  std::string_view name() const override { return "DefaultIngressClass"; }

  base::Result<void> admit(Attributes& attributes, const Lookup& lookup) override {
    if (attributes.operation != Operation::kCreate || !attributes.is("networking.k8s.io", "ingresses")) return {};
    auto* ingress = object_as<api::networking::v1::Ingress>(attributes);
    if (!ingress || ingress->spec.ingress_class_name) return {};
    if (ingress->metadata.annotations.contains("kubernetes.io/ingress.class")) return {};
    auto found =
        newest_default(lookup, "networking.k8s.io", "ingressclasses", "ingressclass.kubernetes.io/is-default-class");
    if (found) ingress->spec.ingress_class_name = std::move(*found);
    return {};
  }
};

}  // namespace

std::unique_ptr<Plugin> make_default_ingress_class() { return std::make_unique<DefaultIngressClass>(); }

}  // namespace admission
