#include "api/apps/workload_validation.h"
#include "api/shared/cells.h"
#include "api/shared/strategy.h"
#include "api/shared/warnings.h"
#include "gen/apps/v1.h"

namespace api {
namespace {

using apps::v1::ReplicaSet;
using apps::v1::ReplicaSetSpec;

class ReplicaSetRules final : public SpecStatusRules<ReplicaSet> {
 public:
  ReplicaSetRules() : SpecStatusRules("apps", "v1", "ReplicaSet") {}

  void set_defaults(ReplicaSet& object) const override {
    set_pod_template_defaults(object.spec.template_);
    if (!object.spec.replicas) object.spec.replicas = 1;
  }
  void prepare_for_create(RuleContext& context, ReplicaSet& object) const override {
    SpecStatusRules::prepare_for_create(context, object);
    warn_of_name(object.metadata, context);
    prepare_template(object.spec.template_, nullptr, context);
  }
  void prepare_for_update(RuleContext& context, ReplicaSet& object, const ReplicaSet& old) const override {
    prepare_template(object.spec.template_, &old.spec.template_, context);
    SpecStatusRules::prepare_for_update(context, object, old);
  }
  void validate(RuleContext& context, const ReplicaSet& object, FieldErrors& errors) const override {
    validate_spec(context, object.spec, nullptr, errors);
  }
  void validate_update(RuleContext& context, const ReplicaSet& object, const ReplicaSet& old,
                       FieldErrors& errors) const override {
    validate_spec(context, object.spec, &old.spec, errors);
    const FieldPath spec("spec");
    validate_immutable(object.spec.selector, old.spec.selector, shown(object.spec.selector), spec.child("selector"),
                       errors);
  }
  void validate_subresource(std::string_view, RuleContext&, const ReplicaSet& object, const ReplicaSet&,
                            FieldErrors& errors) const override {
    const FieldPath path("status");
    const auto& s = object.status;
    validate_not_negative(s.replicas, path.child("replicas"), errors);
    validate_not_negative(s.fully_labeled_replicas, path.child("fullyLabeledReplicas"), errors);
    validate_not_negative(s.ready_replicas, path.child("readyReplicas"), errors);
    validate_not_negative(s.available_replicas, path.child("availableReplicas"), errors);
    if (s.terminating_replicas) {
      validate_not_negative(*s.terminating_replicas, path.child("terminatingReplicas"), errors);
    }
    validate_not_negative(s.observed_generation, path.child("observedGeneration"), errors);
    check_at_most_replicas(s.fully_labeled_replicas, s.replicas, path.child("fullyLabeledReplicas"), errors);
    check_at_most_replicas(s.ready_replicas, s.replicas, path.child("readyReplicas"), errors);
    check_at_most_replicas(s.available_replicas, s.replicas, path.child("availableReplicas"), errors);
    if (s.available_replicas > s.ready_replicas) {
      errors.invalid(path.child("availableReplicas"), s.available_replicas, "cannot be greater than readyReplicas");
    }
  }
  void cells(const ReplicaSet& object, base::WallTime now, TableRow& row) const override {
    const auto& pods = object.spec.template_.spec;
    row.cells = {object.metadata.name,           object.spec.replicas.value_or(0),
                 object.status.replicas,         object.status.ready_replicas,
                 age_cell(object.metadata, now), container_names(pods),
                 container_images(pods),         format_label_selector(object.spec.selector)};
  }
  std::optional<Scale> scale(const ReplicaSet& object) const override {
    return Scale{object.spec.replicas.value_or(0), object.status.replicas, scale_selector(object.spec.selector)};
  }
  void set_scale(ReplicaSet& object, int32_t replicas) const override { object.spec.replicas = replicas; }

 private:
  static void validate_spec(RuleContext& context, const ReplicaSetSpec& spec, const ReplicaSetSpec* old,
                            FieldErrors& errors) {
    const FieldPath path("spec");
    const FieldPath selector_path = path.child("selector");
    validate_not_negative(spec.replicas.value_or(0), path.child("replicas"), errors);
    validate_not_negative(spec.min_ready_seconds, path.child("minReadySeconds"), errors);
    validate_workload_selector(spec.selector, "empty selector is invalid for deployment", selector_path, errors);
    auto selector = to_selector(spec.selector);
    if (!selector) return errors.invalid(selector_path, shown(spec.selector), "invalid label selector");
    validate_replica_template(context, *selector, spec.template_, old ? &old->template_ : nullptr,
                              path.child("template"), errors);
  }
};

}  // namespace

std::unique_ptr<const KindRules> replica_set_rules() { return std::make_unique<ReplicaSetRules>(); }

}  // namespace api
