// The rules of PodTemplates.
#include "api/core/pod_cells.h"
#include "api/core/pod_spec.h"
#include "api/kinds.h"
#include "api/label_selector.h"

namespace api {
namespace {

using core::v1::PodTemplate;
using object::FieldErrors;
using object::FieldPath;

class PodTemplateRules final : public RulesFor<PodTemplate> {
 public:
  PodTemplateRules() : RulesFor("", "v1", "PodTemplate") {}

  void set_defaults(PodTemplate& object) const override { set_pod_template_defaults(object.template_); }
  void prepare_for_create(RuleContext&, PodTemplate& object) const override {
    object.metadata.generation = 1;
    drop_disabled_pod_fields(object.template_.spec, nullptr);
  }
  void prepare_for_update(RuleContext&, PodTemplate& object, const PodTemplate& old) const override {
    drop_disabled_pod_fields(object.template_.spec, &old.template_.spec);
    object.metadata.generation = old.metadata.generation + (object.template_ == old.template_ ? 0 : 1);
  }
  void validate(RuleContext& context, const PodTemplate& object, FieldErrors& errors) const override {
    const FieldPath path("template");
    validate_pod_template_spec(object.template_, path, template_validation_options(context, object.template_, nullptr),
                               errors);
    if (errors.empty()) pod_template_warnings(object.template_, nullptr, path, *context.warnings);
  }
  void validate_update(RuleContext& context, const PodTemplate& object, const PodTemplate& old,
                       FieldErrors& errors) const override {
    const FieldPath path("template");
    validate_pod_template_spec(object.template_, path,
                               template_validation_options(context, object.template_, &old.template_), errors);
    if (errors.empty()) pod_template_warnings(object.template_, &old.template_, path, *context.warnings);
  }
  void cells(const PodTemplate& object, base::WallTime, TableRow& row) const override {
    row.cells.emplace_back(object.metadata.name);
    row.cells.emplace_back(container_names(object.template_.spec));
    row.cells.emplace_back(container_images(object.template_.spec));
    row.cells.emplace_back(format_labels(object.template_.metadata.labels));
  }
};

}  // namespace

std::unique_ptr<const KindRules> pod_template_rules() { return std::make_unique<PodTemplateRules>(); }

}  // namespace api
