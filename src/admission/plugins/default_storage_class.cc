// A claim that names no class gets the default one.
#include "admission/plugins/common.h"
#include "admission/plugins/plugins.h"

namespace admission {
namespace {

class DefaultStorageClass final : public Plugin {
 public:
  std::string_view name() const override { return "DefaultStorageClass"; }

  base::Result<void> admit(Attributes& attributes, const Lookup& lookup) override {
    if (attributes.operation != Operation::kCreate || !attributes.is("", "persistentvolumeclaims")) return {};
    auto* claim = object_as<api::core::v1::PersistentVolumeClaim>(attributes);
    // "" is a choice: no class.
    if (!claim || claim->spec.storage_class_name) return {};
    if (claim->metadata.annotations.contains("volume.beta.kubernetes.io/storage-class")) return {};
    auto found =
        newest_default(lookup, "storage.k8s.io", "storageclasses", "storageclass.kubernetes.io/is-default-class");
    if (!found) {
      found = newest_default(lookup, "storage.k8s.io", "storageclasses",
                             "storageclass.beta.kubernetes.io/is-default-class");
    }
    if (found) claim->spec.storage_class_name = std::move(*found);
    return {};
  }
};

}  // namespace

std::unique_ptr<Plugin> make_default_storage_class() { return std::make_unique<DefaultStorageClass>(); }

}  // namespace admission
