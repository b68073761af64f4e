// A claim grows only when it is bound and its class allows growth.
#include "admission/plugins/common.h"
#include "admission/plugins/plugins.h"
#include "gen/codec.h"
#include "gen/storage/v1.h"
#include "object/quantity.h"

namespace admission {
namespace {

using api::core::v1::PersistentVolumeClaim;

object::QuantityValue storage_request(const PersistentVolumeClaim& claim) {
  auto found = claim.spec.resources.requests.find("storage");
  return found == claim.spec.resources.requests.end() ? object::QuantityValue()
                                                      : object::QuantityValue::of(found->second);
}

bool may_grow(const PersistentVolumeClaim& claim, const PersistentVolumeClaim& old, const Lookup& lookup) {
  const std::string_view name = claim_class(claim);
  if (name.empty() || claim_class(old) != name) return false;
  auto raw = lookup.get("storage.k8s.io", "storageclasses", "", name);
  if (!raw) return false;
  auto found = gen::decode<api::storage::v1::StorageClass>(*raw);
  return found && found->allow_volume_expansion.value_or(false);
}

class PersistentVolumeClaimResize final : public Plugin {
 public:
  std::string_view name() const override { return "PersistentVolumeClaimResize"; }

  base::Result<void> validate(const Attributes& attributes, const Lookup& lookup) override {
    if (attributes.operation != Operation::kUpdate || !attributes.is("", "persistentvolumeclaims")) return {};
    const auto* claim = object_as<PersistentVolumeClaim>(attributes);
    const auto* old = old_as<PersistentVolumeClaim>(attributes);
    if (!claim || !old || storage_request(*claim) <= storage_request(*old)) return {};
    if (old->status.phase != "Bound") return forbid(attributes, "Only bound persistent volume claims can be expanded");
    if (!may_grow(*claim, *old, lookup)) {
      return forbid(attributes,
                    "only dynamically provisioned pvc can be resized and the storageclass that provisions the pvc must "
                    "support resize");
    }
    return {};
  }
};

}  // namespace

std::unique_ptr<Plugin> make_persistent_volume_claim_resize() {
  return std::make_unique<PersistentVolumeClaimResize>();
}

}  // namespace admission
