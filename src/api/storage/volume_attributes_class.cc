#include "api/shared/cells.h"
#include "api/shared/checks.h"
#include "api/storage/parameters.h"
#include "gen/storage/v1.h"

namespace api {
namespace {

using storage::v1::VolumeAttributesClass;

class VolumeAttributesClassRules final : public RulesFor<VolumeAttributesClass> {
 public:
  VolumeAttributesClassRules() : RulesFor("storage.k8s.io", "v1", "VolumeAttributesClass") {}

  void validate(RuleContext&, const VolumeAttributesClass& object, FieldErrors& errors) const override {
    validate_driver_name(object.driver_name, FieldPath("driverName"), errors);
    const FieldPath parameters("parameters");
    if (object.parameters.empty()) errors.required(parameters, "must contain at least one key/value pair");
    validate_parameters(object.parameters, parameters, errors);
  }
  void validate_update(RuleContext&, const VolumeAttributesClass& object, const VolumeAttributesClass& old,
                       FieldErrors& errors) const override {
    if (object.driver_name != old.driver_name) {
      errors.forbidden(FieldPath("driverName"), "updates to driverName are forbidden.");
    }
    if (object.parameters != old.parameters) {
      errors.forbidden(FieldPath("parameters"), "updates to parameters are forbidden.");
    }
  }
  void cells(const VolumeAttributesClass& object, base::WallTime now, TableRow& row) const override {
    row.cells = {object.metadata.name, object.driver_name, age_cell(object.metadata, now)};
  }
};

}  // namespace

std::unique_ptr<const KindRules> volume_attributes_class_rules() {
  return std::make_unique<VolumeAttributesClassRules>();
}

}  // namespace api
