#include "api/apps/workload_validation.h"
#include "api/shared/cells.h"
#include "api/shared/strategy.h"
#include "api/shared/warnings.h"

namespace api {
namespace {

using core::v1::ReplicationController;
using core::v1::ReplicationControllerSpec;

void check_spec(RuleContext& context, const ReplicationControllerSpec& spec, const ReplicationControllerSpec* old,
                FieldErrors& errors) {
  const FieldPath path("spec");
  validate_not_negative(spec.min_ready_seconds, path.child("minReadySeconds"), errors);
  if (spec.selector.empty()) errors.required(path.child("selector"));
  if (!spec.replicas) {
    errors.required(path.child("replicas"));
  } else {
    validate_not_negative(*spec.replicas, path.child("replicas"), errors);
  }
  const FieldPath template_path = path.child("template");
  if (!spec.template_) return errors.required(template_path);
  validate_template_labels(to_selector(spec.selector), *spec.template_, template_path, errors);
  const core::v1::PodTemplateSpec* old_template = old ? old->template_.get() : nullptr;
  validate_pod_template_spec(*spec.template_, template_path,
                             template_validation_options(context, *spec.template_, old_template), errors);
  validate_permanent_template(*spec.template_, "ReplicationController", template_path, errors);
}

class ReplicationControllerRules final : public SpecStatusRules<ReplicationController> {
 public:
  ReplicationControllerRules() : SpecStatusRules("", "v1", "ReplicationController") {}
  DefaultPropagation default_propagation() const override { return DefaultPropagation::kOrphan; }

  void set_defaults(ReplicationController& object) const override {
    auto& spec = object.spec;
    if (spec.template_) {
      const auto& labels = spec.template_->metadata.labels;
      if (spec.selector.empty()) spec.selector = labels;
      if (object.metadata.labels.empty()) object.metadata.labels = labels;
      set_pod_template_defaults(*spec.template_);
    }
    if (!spec.replicas) spec.replicas = 1;
  }
  void prepare_for_create(RuleContext& context, ReplicationController& object) const override {
    SpecStatusRules::prepare_for_create(context, object);
    warn_of_name(object.metadata, context);
    if (object.spec.template_) prepare_template(*object.spec.template_, nullptr, context);
  }
  void prepare_for_update(RuleContext& context, ReplicationController& object,
                          const ReplicationController& old) const override {
    if (object.spec.template_) prepare_template(*object.spec.template_, old.spec.template_.get(), context);
    SpecStatusRules::prepare_for_update(context, object, old);
  }
  void validate(RuleContext& context, const ReplicationController& object, FieldErrors& errors) const override {
    check_spec(context, object.spec, nullptr, errors);
  }
  void validate_update(RuleContext& context, const ReplicationController& object, const ReplicationController& old,
                       FieldErrors& errors) const override {
    check_spec(context, object.spec, &old.spec, errors);
  }
  void validate_subresource(std::string_view, RuleContext&, const ReplicationController& object,
                            const ReplicationController&, FieldErrors& errors) const override {
    const FieldPath path("status");
    const auto& s = object.status;
    validate_not_negative(s.replicas, path.child("replicas"), errors);
    validate_not_negative(s.fully_labeled_replicas, path.child("fullyLabeledReplicas"), errors);
    validate_not_negative(s.ready_replicas, path.child("readyReplicas"), errors);
    validate_not_negative(s.available_replicas, path.child("availableReplicas"), errors);
    validate_not_negative(s.observed_generation, path.child("observedGeneration"), errors);
    check_at_most_replicas(s.fully_labeled_replicas, s.replicas, path.child("fullyLabeledReplicas"), errors);
    check_at_most_replicas(s.ready_replicas, s.replicas, path.child("readyReplicas"), errors);
    check_at_most_replicas(s.available_replicas, s.replicas, path.child("availableReplicas"), errors);
    if (s.available_replicas > s.ready_replicas) {
      errors.invalid(path.child("availableReplicas"), s.available_replicas, "cannot be greater than readyReplicas");
    }
  }
  void cells(const ReplicationController& object, base::WallTime now, TableRow& row) const override {
    const core::v1::PodSpec none;
    const auto& pods = object.spec.template_ ? object.spec.template_->spec : none;
    row.cells = {object.metadata.name,         object.spec.replicas.value_or(0),   object.status.replicas,
                 object.status.ready_replicas, age_cell(object.metadata, now),     container_names(pods),
                 container_images(pods),       format_labels(object.spec.selector)};
  }
  std::vector<SelectableField> selectable_fields(const ReplicationController& object) const override {
    return {{"status.replicas", std::to_string(object.status.replicas)}};
  }
  std::optional<Scale> scale(const ReplicationController& object) const override {
    return Scale{object.spec.replicas.value_or(0), object.status.replicas,
                 to_selector(object.spec.selector).to_string()};
  }
  void set_scale(ReplicationController& object, int32_t replicas) const override { object.spec.replicas = replicas; }
};

}  // namespace

std::unique_ptr<const KindRules> replication_controller_rules() {
  return std::make_unique<ReplicationControllerRules>();
}

}  // namespace api
