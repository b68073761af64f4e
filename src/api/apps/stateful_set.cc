#include "api/apps/workload_validation.h"
#include "api/shared/cells.h"
#include "api/shared/strategy.h"
#include "api/shared/warnings.h"
#include "gen/apps/v1.h"

namespace api {
namespace {

using apps::v1::StatefulSet;
using apps::v1::StatefulSetSpec;

object::Value json_of_rolling(const apps::v1::RollingUpdateStatefulSetStrategy& rolling) {
  object::Object text;
  text.append("Partition", rolling.partition.value_or(0));
  object::Value unavailable;
  if (rolling.max_unavailable) {
    unavailable = rolling.max_unavailable->is_string() ? object::Value(rolling.max_unavailable->str_val)
                                                       : object::Value(rolling.max_unavailable->int_val);
  }
  text.append("MaxUnavailable", std::move(unavailable));
  return text;
}

void check_update_strategy(const apps::v1::StatefulSetUpdateStrategy& strategy, const FieldPath& path,
                           FieldErrors& errors) {
  const FieldPath rolling = path.child("rollingUpdate");
  if (strategy.type.empty()) return errors.required(path);
  if (strategy.type == "OnDelete") {
    if (strategy.rolling_update) {
      errors.invalid(rolling, shown_json(json_of_rolling(*strategy.rolling_update)),
                     "only allowed for updateStrategy 'RollingUpdate'");
    }
  } else if (strategy.type == "RollingUpdate") {
    if (!strategy.rolling_update) return;
    validate_not_negative(strategy.rolling_update->partition.value_or(0), rolling.child("partition"), errors);
    if (!strategy.rolling_update->max_unavailable) return;
    const auto& unavailable = *strategy.rolling_update->max_unavailable;
    const FieldPath unavailable_path = rolling.child("maxUnavailable");
    check_int_or_percent(unavailable, unavailable_path, errors);
    if (int_or_percent_number(unavailable) == 0) {
      errors.invalid(unavailable_path, bad_int_or_string(unavailable), "cannot be 0");
    }
    check_not_over_100_percent(unavailable, unavailable_path, errors);
  } else {
    object::Object text;
    text.append("Type", strategy.type);
    text.append("RollingUpdate", strategy.rolling_update ? json_of_rolling(*strategy.rolling_update) : object::Value());
    errors.invalid(path, shown_json(std::move(text)), "must be 'RollingUpdate' or 'OnDelete'");
  }
}

void check_retention(const StatefulSetSpec& spec, const FieldPath& path, FieldErrors& errors) {
  if (!spec.persistent_volume_claim_retention_policy) return;
  auto check = [&](const std::string& value, std::string_view field) {
    if (value != "Retain" && value != "Delete") errors.not_supported(path.child(field), value, {"Retain", "Delete"});
  };
  check(spec.persistent_volume_claim_retention_policy->when_deleted, "whenDeleted");
  check(spec.persistent_volume_claim_retention_policy->when_scaled, "whenScaled");
}

void check_template(const StatefulSetSpec& spec, const FieldPath& path, FieldErrors& errors) {
  const FieldPath selector_path = path.child("selector"), template_path = path.child("template");
  validate_workload_selector(spec.selector, "empty selector is invalid for statefulset", selector_path, errors);
  auto selector = to_selector(spec.selector);
  if (!selector) {
    errors.invalid(selector_path, shown(spec.selector), "");
  } else {
    // Compat: the Pod spec itself is checked only when a Pod is made of it, because claims add volumes to it.
    validate_template_labels(*selector, spec.template_, template_path, errors);
    validate_labels(spec.template_.metadata.labels, template_path.child("labels"), errors);
    validate_annotations(spec.template_.metadata.annotations, template_path.child("annotations"), errors);
  }
  validate_permanent_template(spec.template_, "StatefulSet", template_path, errors);
}

void check_spec(const StatefulSetSpec& spec, FieldErrors& errors) {
  const FieldPath path("spec");
  const std::string& management = spec.pod_management_policy;
  if (management.empty()) {
    errors.required(path.child("podManagementPolicy"));
  } else if (management != "OrderedReady" && management != "Parallel") {
    errors.invalid(path.child("podManagementPolicy"), management, "must be 'OrderedReady' or 'Parallel'");
  }
  check_update_strategy(spec.update_strategy, path.child("updateStrategy"), errors);
  check_retention(spec, path.child("persistentVolumeClaimRetentionPolicy"), errors);
  validate_not_negative(spec.replicas.value_or(0), path.child("replicas"), errors);
  validate_not_negative(spec.min_ready_seconds, path.child("minReadySeconds"), errors);
  if (spec.ordinals) {
    const FieldPath ordinals = path.child("ordinals");
    validate_not_negative(spec.ordinals->start, ordinals.child("start"), errors);
  }
  check_template(spec, path, errors);
  if (spec.revision_history_limit) {
    validate_not_negative(*spec.revision_history_limit, path.child("revisionHistoryLimit"), errors);
  }
}

class StatefulSetRules final : public SpecStatusRules<StatefulSet> {
 public:
  StatefulSetRules() : SpecStatusRules("apps", "v1", "StatefulSet") {}

  void set_defaults(StatefulSet& object) const override {
    auto& spec = object.spec;
    set_pod_template_defaults(spec.template_);
    for (auto& claim : spec.volume_claim_templates) {
      set_claim_spec_defaults(claim.spec);
      if (claim.status.phase.empty()) claim.status.phase = "Pending";
    }
    if (spec.pod_management_policy.empty()) spec.pod_management_policy = "OrderedReady";
    auto& strategy = spec.update_strategy;
    if (strategy.type.empty()) {
      strategy.type = "RollingUpdate";
      strategy.rolling_update.ensure();
    }
    if (strategy.type == "RollingUpdate" && strategy.rolling_update && !strategy.rolling_update->partition) {
      strategy.rolling_update->partition = 0;
    }
    auto& retention = spec.persistent_volume_claim_retention_policy.ensure();
    if (retention.when_deleted.empty()) retention.when_deleted = "Retain";
    if (retention.when_scaled.empty()) retention.when_scaled = "Retain";
    if (!spec.replicas) spec.replicas = 1;
    if (!spec.revision_history_limit) spec.revision_history_limit = 10;
  }
  void prepare_for_create(RuleContext& context, StatefulSet& object) const override {
    SpecStatusRules::prepare_for_create(context, object);
    warn_of_name(object.metadata, context);
    prepare_template(object.spec.template_, nullptr, context);
    warn_of_history(object, context);
  }
  void prepare_for_update(RuleContext& context, StatefulSet& object, const StatefulSet& old) const override {
    prepare_template(object.spec.template_, &old.spec.template_, context);
    SpecStatusRules::prepare_for_update(context, object, old);
    if (object.metadata.generation != old.metadata.generation) warn_of_history(object, context);
  }
  void validate(RuleContext&, const StatefulSet& object, FieldErrors& errors) const override {
    const FieldPath path("spec");
    const auto& spec = object.spec;
    check_spec(spec, errors);
    if (!spec.service_name.empty()) validate_dns1123_label(spec.service_name, path.child("serviceName"), errors);
    const FieldPath claims = path.child("volumeClaimTemplates");
    for (size_t i = 0; i < spec.volume_claim_templates.size(); ++i) {
      const FieldPath claim = claims.index(i);
      validate_claim_spec(spec.volume_claim_templates[i].spec, claim.child("spec"), errors);
    }
  }
  void validate_update(RuleContext&, const StatefulSet& object, const StatefulSet& old,
                       FieldErrors& errors) const override {
    check_spec(object.spec, errors);
    StatefulSetSpec fixed = object.spec;
    fixed.replicas = old.spec.replicas;
    fixed.ordinals = old.spec.ordinals;
    fixed.template_ = old.spec.template_;
    fixed.update_strategy = old.spec.update_strategy;
    fixed.revision_history_limit = old.spec.revision_history_limit;
    fixed.persistent_volume_claim_retention_policy = old.spec.persistent_volume_claim_retention_policy;
    fixed.min_ready_seconds = old.spec.min_ready_seconds;
    if (fixed == old.spec) return;
    errors.forbidden(FieldPath("spec"),
                     "updates to statefulset spec for fields other than 'replicas', 'ordinals', 'template', "
                     "'updateStrategy', 'revisionHistoryLimit', 'persistentVolumeClaimRetentionPolicy' and "
                     "'minReadySeconds' are forbidden");
  }
  void validate_subresource(std::string_view, RuleContext&, const StatefulSet& object, const StatefulSet& old,
                            FieldErrors& errors) const override {
    const FieldPath path("status");
    const auto& s = object.status;
    validate_not_negative(s.replicas, path.child("replicas"), errors);
    validate_not_negative(s.ready_replicas, path.child("readyReplicas"), errors);
    validate_not_negative(s.current_replicas, path.child("currentReplicas"), errors);
    validate_not_negative(s.updated_replicas, path.child("updatedReplicas"), errors);
    validate_not_negative(s.available_replicas, path.child("availableReplicas"), errors);
    validate_not_negative(s.observed_generation, path.child("observedGeneration"), errors);
    if (s.collision_count) validate_not_negative(*s.collision_count, path.child("collisionCount"), errors);
    check_at_most_replicas(s.ready_replicas, s.replicas, path.child("readyReplicas"), errors);
    check_at_most_replicas(s.current_replicas, s.replicas, path.child("currentReplicas"), errors);
    check_at_most_replicas(s.updated_replicas, s.replicas, path.child("updatedReplicas"), errors);
    check_at_most_replicas(s.available_replicas, s.replicas, path.child("availableReplicas"), errors);
    if (s.available_replicas > s.ready_replicas) {
      errors.invalid(path.child("availableReplicas"), s.available_replicas,
                     "cannot be greater than status.readyReplicas");
    }
    validate_collision_count(s.collision_count, old.status.collision_count, errors);
  }
  void cells(const StatefulSet& object, base::WallTime now, TableRow& row) const override {
    const auto& pods = object.spec.template_.spec;
    row.cells = {object.metadata.name,
                 std::to_string(object.status.ready_replicas) + "/" + std::to_string(object.spec.replicas.value_or(0)),
                 age_cell(object.metadata, now), container_names(pods), container_images(pods)};
  }
  std::optional<Scale> scale(const StatefulSet& object) const override {
    return Scale{object.spec.replicas.value_or(0), object.status.replicas, scale_selector(object.spec.selector)};
  }
  void set_scale(StatefulSet& object, int32_t replicas) const override { object.spec.replicas = replicas; }

 private:
  static void warn_of_history(const StatefulSet& object, RuleContext& context) {
    if (object.spec.revision_history_limit.value_or(0) >= 0) return;
    context.warnings->push_back(
        "spec.revisionHistoryLimit: a negative value retains all historical revisions; a value >= 0 is recommended");
  }
};

}  // namespace

std::unique_ptr<const KindRules> stateful_set_rules() { return std::make_unique<StatefulSetRules>(); }

}  // namespace api
