#include "api/resource/device_request_rules.h"
#include "api/shared/cells.h"
#include "api/shared/strategy.h"

namespace api {
namespace {

using resource::v1::DeviceClass;

class DeviceClassRules final : public SpecRules<DeviceClass> {
 public:
  DeviceClassRules() : SpecRules("resource.k8s.io", "v1", "DeviceClass") {}

  void validate(RuleContext&, const DeviceClass& object, FieldErrors& errors) const override {
    const FieldPath spec("spec"), config = spec.child("config");
    validate_device_selectors(object.spec.selectors, spec.child("selectors"), errors);
    for (size_t i = 0; i < object.spec.config.size(); ++i) {
      const FieldPath item = config.index(i), opaque = item.child("opaque");
      const auto& given = object.spec.config[i].device_configuration.opaque;
      if (!given) {
        errors.required(opaque);
      } else if (given->driver.empty()) {
        errors.required(opaque.child("driver"));
      } else {
        validate_dns1123_subdomain(given->driver, opaque.child("driver"), errors);
      }
    }
  }
  void validate_update(RuleContext& context, const DeviceClass& object, const DeviceClass&,
                       FieldErrors& errors) const override {
    validate(context, object, errors);
  }
  void cells(const DeviceClass& object, base::WallTime now, TableRow& row) const override {
    row.cells = {object.metadata.name, age_cell(object.metadata, now)};
  }
};

}  // namespace

std::unique_ptr<const KindRules> device_class_rules() { return std::make_unique<DeviceClassRules>(); }

}  // namespace api
