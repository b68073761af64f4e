// Claims, volumes and attributes classes get the finalizer that keeps them while something uses them.
#include <algorithm>

#include "admission/plugins/common.h"
#include "admission/plugins/plugins.h"

namespace admission {
namespace {

class StorageObjectInUseProtection final : public Plugin {
 public:
  std::string_view name() const override { return "StorageObjectInUseProtection"; }

  base::Result<void> admit(Attributes& attributes, const Lookup&) override {
    if (attributes.operation != Operation::kCreate || !attributes.object || !*attributes.object) return {};
    std::string_view finalizer;
    if (attributes.is("", "persistentvolumeclaims")) finalizer = "kubernetes.io/pvc-protection";
    if (attributes.is("", "persistentvolumes")) finalizer = "kubernetes.io/pv-protection";
    if (attributes.is("storage.k8s.io", "volumeattributesclasses")) finalizer = "kubernetes.io/vac-protection";
    if (finalizer.empty()) return {};
    auto& finalizers = api::meta_of(attributes.object->message(), attributes.object->get()).finalizers;
    if (std::ranges::find(finalizers, finalizer) == finalizers.end()) finalizers.emplace_back(finalizer);
    return {};
  }
};

}  // namespace

std::unique_ptr<Plugin> make_storage_object_in_use_protection() {
  return std::make_unique<StorageObjectInUseProtection>();
}

}  // namespace admission
