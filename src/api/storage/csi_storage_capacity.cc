#include "api/shared/checks.h"
#include "gen/storage/v1.h"

namespace api {
namespace {

using storage::v1::CSIStorageCapacity;

// Compat: printed with the default columns.
class CsiStorageCapacityRules final : public RulesFor<CSIStorageCapacity> {
 public:
  CsiStorageCapacityRules() : RulesFor("storage.k8s.io", "v1", "CSIStorageCapacity") {}
  UpdateWithoutVersion update_without_version() const override { return UpdateWithoutVersion::kRefused; }

  void validate(RuleContext&, const CSIStorageCapacity& object, FieldErrors& errors) const override {
    if (object.node_topology) validate_label_selector(*object.node_topology, FieldPath("nodeTopology"), errors);
    validate_dns1123_subdomain(object.storage_class_name, FieldPath("storageClassName"), errors);
    if (object.capacity) validate_not_negative(*object.capacity, FieldPath("capacity"), errors);
    if (object.maximum_volume_size) {
      validate_not_negative(*object.maximum_volume_size, FieldPath("maximumVolumeSize"), errors);
    }
  }
  void validate_update(RuleContext& context, const CSIStorageCapacity& object, const CSIStorageCapacity& old,
                       FieldErrors& errors) const override {
    validate(context, object, errors);
    validate_immutable(object.node_topology, old.node_topology, shown(object.node_topology), FieldPath("nodeTopology"),
                       errors);
    validate_immutable(object.storage_class_name, old.storage_class_name, FieldPath("storageClassName"), errors);
  }
};

}  // namespace

std::unique_ptr<const KindRules> csi_storage_capacity_rules() { return std::make_unique<CsiStorageCapacityRules>(); }

}  // namespace api
