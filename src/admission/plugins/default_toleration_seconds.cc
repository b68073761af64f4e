// A Pod that says nothing of it stays five minutes on a node that is not ready or not reachable.
#include "admission/plugins/common.h"
#include "admission/plugins/plugins.h"

namespace admission {
namespace {

using api::core::v1::Pod;
using api::core::v1::Toleration;

constexpr int64_t kSeconds = 300;  // --default-not-ready-toleration-seconds, --default-unreachable-toleration-seconds

bool tolerates(const std::vector<Toleration>& tolerations, std::string_view key) {
  for (const Toleration& toleration : tolerations) {
    const bool matches_key = toleration.key == key || toleration.key.empty();
    if (matches_key && (toleration.effect == "NoExecute" || toleration.effect.empty())) return true;
  }
  return false;
}

class DefaultTolerationSeconds final : public Plugin {
 public:
  std::string_view name() const override { return "DefaultTolerationSeconds"; }

  base::Result<void> admit(Attributes& attributes, const Lookup&) override {
    if (attributes.operation != Operation::kCreate && attributes.operation != Operation::kUpdate) return {};
    if (!attributes.is("", "pods")) return {};
    Pod* pod = object_as<Pod>(attributes);
    if (!pod) return {};
    std::vector<Toleration>& tolerations = pod->spec.tolerations;
    // Both are asked first: what is added for one key says nothing of the other.
    const bool not_ready = tolerates(tolerations, "node.kubernetes.io/not-ready");
    const bool unreachable = tolerates(tolerations, "node.kubernetes.io/unreachable");
    if (!not_ready) add(tolerations, "node.kubernetes.io/not-ready");
    if (!unreachable) add(tolerations, "node.kubernetes.io/unreachable");
    return {};
  }

 private:
  static void add(std::vector<Toleration>& tolerations, std::string_view key) {
    Toleration& added = tolerations.emplace_back();
    added.key = key;
    added.operator_ = "Exists";
    added.effect = "NoExecute";
    added.toleration_seconds = kSeconds;
  }
};

}  // namespace

std::unique_ptr<Plugin> make_default_toleration_seconds() { return std::make_unique<DefaultTolerationSeconds>(); }

}  // namespace admission
