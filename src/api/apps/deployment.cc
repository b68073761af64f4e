#include <tuple>

#include "api/apps/workload_validation.h"
#include "api/shared/cells.h"
#include "api/shared/strategy.h"
#include "api/shared/warnings.h"
#include "gen/apps/v1.h"

namespace api {
namespace {

using apps::v1::Deployment;
using apps::v1::DeploymentSpec;

object::IntOrString percent(const char* text) { return {.type = 1, .int_val = 0, .str_val = text}; }

object::Value json_of(const base::Box<object::IntOrString>& value) {
  if (!value) return 0;
  if (value->is_string()) return value->str_val;
  return value->int_val;
}

BadValue shown_strategy(const apps::v1::DeploymentStrategy& strategy) {
  object::Object text;
  text.append("Type", strategy.type);
  if (strategy.rolling_update) {
    object::Object rolling;
    rolling.append("MaxUnavailable", json_of(strategy.rolling_update->max_unavailable));
    rolling.append("MaxSurge", json_of(strategy.rolling_update->max_surge));
    text.append("RollingUpdate", std::move(rolling));
  } else {
    text.append("RollingUpdate", nullptr);
  }
  return shown_json(std::move(text));
}

void check_rolling_update(const apps::v1::RollingUpdateDeployment& rolling, const FieldPath& path,
                          FieldErrors& errors) {
  const FieldPath unavailable_path = path.child("maxUnavailable");
  const object::IntOrString zero;
  const auto& unavailable = rolling.max_unavailable ? *rolling.max_unavailable : zero;
  const auto& surge = rolling.max_surge ? *rolling.max_surge : zero;
  check_int_or_percent(unavailable, unavailable_path, errors);
  check_int_or_percent(surge, path.child("maxSurge"), errors);
  if (int_or_percent_number(unavailable) == 0 && int_or_percent_number(surge) == 0) {
    errors.invalid(unavailable_path, bad_int_or_string(unavailable), "may not be 0 when `maxSurge` is 0");
  }
  check_not_over_100_percent(unavailable, unavailable_path, errors);
}

void check_strategy(const apps::v1::DeploymentStrategy& strategy, const FieldPath& path, FieldErrors& errors) {
  const FieldPath rolling = path.child("rollingUpdate");
  if (strategy.type == "Recreate") {
    if (strategy.rolling_update) {
      errors.forbidden(rolling, "may not be specified when strategy `type` is 'Recreate'");
    }
  } else if (strategy.type == "RollingUpdate") {
    if (!strategy.rolling_update) return errors.required(rolling, "this should be defaulted and never be nil");
    check_rolling_update(*strategy.rolling_update, rolling, errors);
  } else {
    errors.not_supported(path, shown_strategy(strategy), {"Recreate", "RollingUpdate"});
  }
}

class DeploymentRules final : public SpecStatusRules<Deployment> {
 public:
  DeploymentRules() : SpecStatusRules("apps", "v1", "Deployment") {}

  void set_defaults(Deployment& object) const override {
    auto& spec = object.spec;
    set_pod_template_defaults(spec.template_);
    if (!spec.replicas) spec.replicas = 1;
    if (spec.strategy.type.empty()) spec.strategy.type = "RollingUpdate";
    if (spec.strategy.type == "RollingUpdate") {
      auto& rolling = spec.strategy.rolling_update.ensure();
      if (!rolling.max_unavailable) rolling.max_unavailable = percent("25%");
      if (!rolling.max_surge) rolling.max_surge = percent("25%");
    }
    if (!spec.revision_history_limit) spec.revision_history_limit = 10;
    if (!spec.progress_deadline_seconds) spec.progress_deadline_seconds = 600;
  }
  void prepare_for_create(RuleContext& context, Deployment& object) const override {
    SpecStatusRules::prepare_for_create(context, object);
    warn_of_name(object.metadata, context);
    prepare_template(object.spec.template_, nullptr, context);
  }
  void prepare_for_update(RuleContext& context, Deployment& object, const Deployment& old) const override {
    object.status = old.status;
    prepare_template(object.spec.template_, &old.spec.template_, context);
    // Compat: annotations count too, because a rollback used to be asked for by one.
    follow_generation(object.metadata, old.metadata, std::tie(object.spec, object.metadata.annotations),
                      std::tie(old.spec, old.metadata.annotations));
  }
  void prepare_for_subresource(std::string_view subresource, RuleContext&, Deployment& object,
                               const Deployment& old) const override {
    if (subresource != "status") return;
    object.spec = old.spec;
    object.metadata.labels = old.metadata.labels;
  }
  std::vector<std::string_view> reset_fields(std::string_view subresource) const override {
    if (subresource == "status") return {".spec", ".metadata.labels"};
    return SpecStatusRules::reset_fields(subresource);
  }
  void validate(RuleContext& context, const Deployment& object, FieldErrors& errors) const override {
    validate_spec(context, object.spec, nullptr, errors);
  }
  void validate_update(RuleContext& context, const Deployment& object, const Deployment& old,
                       FieldErrors& errors) const override {
    validate_spec(context, object.spec, &old.spec, errors);
    const FieldPath spec("spec");
    validate_immutable(object.spec.selector, old.spec.selector, shown(object.spec.selector), spec.child("selector"),
                       errors);
  }
  void validate_subresource(std::string_view, RuleContext&, const Deployment& object, const Deployment& old,
                            FieldErrors& errors) const override {
    const FieldPath path("status");
    const auto& s = object.status;
    validate_not_negative(s.observed_generation, path.child("observedGeneration"), errors);
    validate_not_negative(s.replicas, path.child("replicas"), errors);
    validate_not_negative(s.updated_replicas, path.child("updatedReplicas"), errors);
    if (s.terminating_replicas) {
      validate_not_negative(*s.terminating_replicas, path.child("terminatingReplicas"), errors);
    }
    validate_not_negative(s.ready_replicas, path.child("readyReplicas"), errors);
    validate_not_negative(s.available_replicas, path.child("availableReplicas"), errors);
    validate_not_negative(s.unavailable_replicas, path.child("unavailableReplicas"), errors);
    if (s.collision_count) validate_not_negative(*s.collision_count, path.child("collisionCount"), errors);
    check_at_most_replicas(s.updated_replicas, s.replicas, path.child("updatedReplicas"), errors);
    check_at_most_replicas(s.ready_replicas, s.replicas, path.child("readyReplicas"), errors);
    check_at_most_replicas(s.available_replicas, s.replicas, path.child("availableReplicas"), errors);
    if (s.available_replicas > s.ready_replicas) {
      errors.invalid(path.child("availableReplicas"), s.available_replicas, "cannot be greater than readyReplicas");
    }
    validate_collision_count(s.collision_count, old.status.collision_count, errors);
  }
  void cells(const Deployment& object, base::WallTime now, TableRow& row) const override {
    auto selector = to_selector(object.spec.selector);
    row.cells = {object.metadata.name,
                 std::to_string(object.status.ready_replicas) + "/" + std::to_string(object.spec.replicas.value_or(0)),
                 object.status.updated_replicas,
                 object.status.available_replicas,
                 age_cell(object.metadata, now),
                 container_names(object.spec.template_.spec),
                 container_images(object.spec.template_.spec),
                 selector ? scale_selector(object.spec.selector) : "<invalid>"};
  }
  std::optional<Scale> scale(const Deployment& object) const override {
    return Scale{object.spec.replicas.value_or(0), object.status.replicas, scale_selector(object.spec.selector)};
  }
  void set_scale(Deployment& object, int32_t replicas) const override { object.spec.replicas = replicas; }

 private:
  static void validate_spec(RuleContext& context, const DeploymentSpec& spec, const DeploymentSpec* old,
                            FieldErrors& errors) {
    const FieldPath path("spec");
    const FieldPath selector_path = path.child("selector");
    validate_not_negative(spec.replicas.value_or(0), path.child("replicas"), errors);
    validate_workload_selector(spec.selector, "empty selector is invalid for deployment", selector_path, errors);
    if (auto selector = to_selector(spec.selector)) {
      validate_replica_template(context, *selector, spec.template_, old ? &old->template_ : nullptr,
                                path.child("template"), errors);
    } else {
      errors.invalid(selector_path, shown(spec.selector), "invalid label selector");
    }
    check_strategy(spec.strategy, path.child("strategy"), errors);
    validate_not_negative(spec.min_ready_seconds, path.child("minReadySeconds"), errors);
    if (spec.revision_history_limit) {
      validate_not_negative(*spec.revision_history_limit, path.child("revisionHistoryLimit"), errors);
    }
    if (spec.progress_deadline_seconds) {
      const FieldPath deadline = path.child("progressDeadlineSeconds");
      validate_not_negative(*spec.progress_deadline_seconds, deadline, errors);
      if (*spec.progress_deadline_seconds <= spec.min_ready_seconds) {
        errors.invalid(deadline, *spec.progress_deadline_seconds, "must be greater than minReadySeconds");
      }
    }
  }
};

}  // namespace

std::unique_ptr<const KindRules> deployment_rules() { return std::make_unique<DeploymentRules>(); }

}  // namespace api
