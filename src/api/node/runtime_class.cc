#include "api/core/pod_spec.h"
#include "api/shared/cells.h"
#include "api/shared/checks.h"
#include "gen/node/v1.h"

namespace api {
namespace {

using node::v1::RuntimeClass;

class RuntimeClassRules final : public RulesFor<RuntimeClass> {
 public:
  RuntimeClassRules() : RulesFor("node.k8s.io", "v1", "RuntimeClass") {}
  UpdateWithoutVersion update_without_version() const override { return UpdateWithoutVersion::kRefused; }

  void set_defaults(RuntimeClass& object) const override {
    if (object.overhead) set_resource_list_defaults(object.overhead->pod_fixed);
  }
  void validate(RuleContext&, const RuntimeClass& object, FieldErrors& errors) const override {
    validate_dns1123_label(object.handler, FieldPath("handler"), errors);
    if (object.overhead) {
      const FieldPath overhead("overhead"), fixed = overhead.child("podFixed");
      for (const auto& [name, quantity] : object.overhead->pod_fixed) {
        validate_container_resource_name(name, fixed.key(name), errors);
        validate_resource_quantity(name, quantity, fixed.key(name), errors);
      }
    }
    if (!object.scheduling) return;
    const FieldPath scheduling("scheduling"), tolerations = scheduling.child("tolerations");
    validate_labels(object.scheduling->node_selector, scheduling.child("nodeSelector"), errors);
    const auto& list = object.scheduling->tolerations;
    validate_tolerations(list, tolerations, errors);
    for (size_t i = 0; i < list.size(); ++i) {
      for (size_t j = 0; j < i; ++j) {
        if (list[i] == list[j]) errors.duplicate(tolerations.index(i), list[i].key);
      }
    }
  }
  void validate_update(RuleContext&, const RuntimeClass& object, const RuntimeClass& old,
                       FieldErrors& errors) const override {
    validate_immutable(object.handler, old.handler, FieldPath("handler"), errors);
  }
  void cells(const RuntimeClass& object, base::WallTime now, TableRow& row) const override {
    row.cells = {object.metadata.name, object.handler, age_cell(object.metadata, now)};
  }
};

}  // namespace

std::unique_ptr<const KindRules> runtime_class_rules() { return std::make_unique<RuntimeClassRules>(); }

}  // namespace api
