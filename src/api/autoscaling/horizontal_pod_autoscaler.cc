#include "api/autoscaling/horizontal_pod_autoscaler.h"

#include "api/shared/cells.h"
#include "api/shared/strategy.h"
#include "object/gvk.h"
#include "object/names.h"

namespace api {
namespace {

using autoscaling::v2::HorizontalPodAutoscaler;
using autoscaling::v2::HPAScalingPolicy;
using autoscaling::v2::HPAScalingRules;

constexpr int32_t kDefaultCpuPercent = 80;
constexpr int32_t kMaxWindowSeconds = 3600;
constexpr int32_t kMaxPeriodSeconds = 1800;

HPAScalingPolicy policy(const char* type, int32_t value) {
  HPAScalingPolicy result;
  result.type = type;
  result.value = value;
  result.period_seconds = 15;
  return result;
}

void set_behavior_defaults(autoscaling::v2::HorizontalPodAutoscalerBehavior& behavior) {
  auto& up = behavior.scale_up.ensure();
  if (!up.stabilization_window_seconds) up.stabilization_window_seconds = 0;
  if (!up.select_policy) up.select_policy = "Max";
  if (up.policies.empty()) up.policies = {policy("Pods", 4), policy("Percent", 100)};
  auto& down = behavior.scale_down.ensure();
  if (!down.select_policy) down.select_policy = "Max";
  if (down.policies.empty()) down.policies = {policy("Percent", 100)};
}

void check_target_reference(const autoscaling::v2::CrossVersionObjectReference& reference, const FieldPath& path,
                            FieldErrors& errors) {
  auto check = [&](const std::string& value, std::string_view field) {
    if (value.empty()) return errors.required(path.child(field));
    errors.invalid_each(path.child(field), value, object::validate_path_segment_name(value));
  };
  check(reference.kind, "kind");
  check(reference.name, "name");
  auto version = object::GroupVersion::parse(reference.api_version);
  if (!version) {
    errors.invalid(path.child("apiVersion"), reference.api_version, version.error().message);
  } else if (version->group.empty() && reference.kind != "ReplicationController") {
    errors.invalid(path.child("apiVersion"), reference.api_version, "apiVersion must specify API group");
  }
}

void check_rules(const HPAScalingRules& rules, const FieldPath& path, FieldErrors& errors) {
  if (rules.stabilization_window_seconds) {
    const FieldPath window = path.child("stabilizationWindowSeconds");
    const int32_t seconds = *rules.stabilization_window_seconds;
    if (seconds < 0) errors.invalid(window, seconds, "must be greater than or equal to zero");
    if (seconds > kMaxWindowSeconds) errors.invalid(window, seconds, "must be less than or equal to 3600");
  }
  if (rules.select_policy)
    check_enum(*rules.select_policy, path.child("selectPolicy"), errors, {"Disabled", "Max", "Min"});
  const FieldPath policies = path.child("policies");
  if (rules.policies.empty()) errors.required(policies, "must specify at least one Policy");
  for (size_t i = 0; i < rules.policies.size(); ++i) {
    const FieldPath item = policies.index(i), period = item.child("periodSeconds");
    const auto& entry = rules.policies[i];
    if (entry.type != "Pods" && entry.type != "Percent") {
      errors.not_supported(item.child("type"), entry.type, {"Percent", "Pods"});
    }
    if (entry.value <= 0) errors.invalid(item.child("value"), entry.value, "must be greater than zero");
    if (entry.period_seconds <= 0) errors.invalid(period, entry.period_seconds, "must be greater than zero");
    if (entry.period_seconds > kMaxPeriodSeconds) {
      errors.invalid(period, entry.period_seconds, "must be less than or equal to 1800");
    }
  }
}

class HorizontalPodAutoscalerRules final : public PlainStatusRules<HorizontalPodAutoscaler> {
 public:
  HorizontalPodAutoscalerRules() : PlainStatusRules("autoscaling", "v2", "HorizontalPodAutoscaler") {}

  void set_defaults(HorizontalPodAutoscaler& object) const override {
    auto& spec = object.spec;
    if (!spec.min_replicas) spec.min_replicas = 1;
    if (spec.metrics.empty()) {
      auto& metric = spec.metrics.emplace_back();
      metric.type = "Resource";
      metric.resource.ensure().name = "cpu";
      metric.resource->target.type = "Utilization";
      metric.resource->target.average_utilization = kDefaultCpuPercent;
    }
    if (spec.behavior) set_behavior_defaults(*spec.behavior);
  }
  void validate(RuleContext&, const HorizontalPodAutoscaler& object, FieldErrors& errors) const override {
    const FieldPath path("spec");
    const auto& spec = object.spec;
    const FieldPath max = path.child("maxReplicas");
    if (spec.min_replicas && *spec.min_replicas < 1) {
      errors.invalid(path.child("minReplicas"), *spec.min_replicas, "must be greater than or equal to 1");
    }
    if (spec.max_replicas < 1) errors.invalid(max, spec.max_replicas, "must be greater than 0");
    if (spec.min_replicas && spec.max_replicas < *spec.min_replicas) {
      errors.invalid(max, spec.max_replicas, "must be greater than or equal to `minReplicas`");
    }
    check_target_reference(spec.scale_target_ref, path.child("scaleTargetRef"), errors);
    validate_autoscaler_metrics(spec, path.child("metrics"), errors);
    if (!spec.behavior) return;
    const FieldPath behavior = path.child("behavior");
    if (spec.behavior->scale_up) check_rules(*spec.behavior->scale_up, behavior.child("scaleUp"), errors);
    if (spec.behavior->scale_down) check_rules(*spec.behavior->scale_down, behavior.child("scaleDown"), errors);
  }
  void validate_update(RuleContext& context, const HorizontalPodAutoscaler& object, const HorizontalPodAutoscaler&,
                       FieldErrors& errors) const override {
    validate(context, object, errors);
  }
  void validate_subresource(std::string_view, RuleContext&, const HorizontalPodAutoscaler& object,
                            const HorizontalPodAutoscaler&, FieldErrors& errors) const override {
    const FieldPath status("status");
    validate_not_negative(object.status.current_replicas, status.child("currentReplicas"), errors);
    validate_not_negative(object.status.desired_replicas, status.child("desiredReplicas"), errors);
  }
  void cells(const HorizontalPodAutoscaler& object, base::WallTime now, TableRow& row) const override {
    const auto& spec = object.spec;
    row.cells = {object.metadata.name,
                 spec.scale_target_ref.kind + "/" + spec.scale_target_ref.name,
                 autoscaler_targets_cell(object),
                 spec.min_replicas ? std::to_string(*spec.min_replicas) : std::string("<unset>"),
                 spec.max_replicas,
                 object.status.current_replicas,
                 age_cell(object.metadata, now)};
  }
};

}  // namespace

std::unique_ptr<const KindRules> horizontal_pod_autoscaler_rules() {
  return std::make_unique<HorizontalPodAutoscalerRules>();
}

}  // namespace api
