#include "api/apps/workload_validation.h"

namespace api {

void validate_workload_selector(const base::Box<meta::v1::LabelSelector>& selector, std::string_view empty_message,
                                const FieldPath& path, FieldErrors& errors) {
  if (!selector) return errors.required(path);
  validate_label_selector(*selector, path, errors);
  if (empty(*selector)) errors.invalid(path, shown(*selector), empty_message);
}

void validate_template_labels(const object::LabelSelector& selector, const core::v1::PodTemplateSpec& pod_template,
                              const FieldPath& path, FieldErrors& errors) {
  if (selects(selector, pod_template.metadata.labels)) return;
  const FieldPath metadata = path.child("metadata");
  errors.invalid(metadata.child("labels"), shown(pod_template.metadata.labels),
                 "`selector` does not match template `labels`");
}

void validate_permanent_template(const core::v1::PodTemplateSpec& pod_template, std::string_view kind,
                                 const FieldPath& path, FieldErrors& errors) {
  const FieldPath spec = path.child("spec");
  if (pod_template.spec.restart_policy != "Always") {
    errors.not_supported(spec.child("restartPolicy"), pod_template.spec.restart_policy, {"Always"});
  }
  if (pod_template.spec.active_deadline_seconds) {
    errors.forbidden(spec.child("activeDeadlineSeconds"),
                     "activeDeadlineSeconds in " + std::string(kind) + " is not Supported");
  }
}

void validate_replica_template(RuleContext& context, const object::LabelSelector& selector,
                               const core::v1::PodTemplateSpec& pod_template, const core::v1::PodTemplateSpec* old,
                               const FieldPath& path, FieldErrors& errors) {
  validate_template_labels(selector, pod_template, path, errors);
  validate_pod_template_spec(pod_template, path, template_validation_options(context, pod_template, old), errors);
  validate_permanent_template(pod_template, "ReplicaSet", path, errors);
}

void validate_collision_count(const std::optional<int32_t>& count, const std::optional<int32_t>& old,
                              FieldErrors& errors) {
  if (!old || (count && *count >= *old)) return;
  const FieldPath status("status");
  errors.invalid(status.child("collisionCount"), count.value_or(0), "cannot be decremented");
}

void check_at_most_replicas(int32_t value, int32_t replicas, const FieldPath& path, FieldErrors& errors) {
  if (value > replicas) errors.invalid(path, value, "cannot be greater than status.replicas");
}

std::string scale_selector(const base::Box<meta::v1::LabelSelector>& selector) {
  auto matcher = to_selector(selector);
  return matcher && !matcher->matches_nothing() ? matcher->to_string() : "";
}

void prepare_template(core::v1::PodTemplateSpec& pod_template, const core::v1::PodTemplateSpec* old,
                      RuleContext& context) {
  drop_disabled_pod_fields(pod_template.spec, old ? &old->spec : nullptr);
  if (old && *old == pod_template) return;
  const FieldPath spec("spec");
  pod_template_warnings(pod_template, old, spec.child("template"), *context.warnings);
}

}  // namespace api
