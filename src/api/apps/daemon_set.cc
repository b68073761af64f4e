#include <charconv>

#include "api/apps/workload_validation.h"
#include "api/shared/cells.h"
#include "api/shared/strategy.h"
#include "gen/apps/v1.h"

namespace api {
namespace {

using apps::v1::DaemonSet;
using apps::v1::DaemonSetSpec;

// Compat: a counter of template changes that v1 keeps as an annotation.
constexpr const char* kTemplateGeneration = "deprecated.daemonset.template.generation";

int64_t template_generation(const DaemonSet& object) {
  auto found = object.metadata.annotations.find(kTemplateGeneration);
  int64_t value = 0;
  if (found == object.metadata.annotations.end()) return 0;
  std::from_chars(found->second.data(), found->second.data() + found->second.size(), value);
  return value;
}

object::IntOrString number(int32_t value) { return {.type = 0, .int_val = value, .str_val = ""}; }

void check_update_strategy(const apps::v1::DaemonSetUpdateStrategy& strategy, const FieldPath& path,
                           FieldErrors& errors) {
  if (strategy.type == "OnDelete") return;
  if (strategy.type != "RollingUpdate") {
    object::Object text;
    text.append("Type", strategy.type);
    text.append("RollingUpdate", nullptr);
    return errors.not_supported(path, shown_json(std::move(text)), {"RollingUpdate", "OnDelete"});
  }
  const FieldPath rolling = path.child("rollingUpdate");
  if (!strategy.rolling_update) return errors.required(rolling);
  const object::IntOrString zero;
  const auto& unavailable = strategy.rolling_update->max_unavailable ? *strategy.rolling_update->max_unavailable : zero;
  const auto& surge = strategy.rolling_update->max_surge ? *strategy.rolling_update->max_surge : zero;
  const FieldPath unavailable_path = rolling.child("maxUnavailable"), surge_path = rolling.child("maxSurge");
  check_int_or_percent(unavailable, unavailable_path, errors);
  check_not_over_100_percent(unavailable, unavailable_path, errors);
  check_int_or_percent(surge, surge_path, errors);
  check_not_over_100_percent(surge, surge_path, errors);
  const bool has_unavailable = int_or_percent_number(unavailable) != 0;
  const bool has_surge = int_or_percent_number(surge) != 0;
  if (has_unavailable && has_surge) {
    errors.invalid(surge_path, bad_int_or_string(surge), "may not be set when maxUnavailable is non-zero");
  } else if (!has_unavailable && !has_surge) {
    errors.required(unavailable_path, "cannot be 0 when maxSurge is 0");
  }
}

void check_spec(RuleContext& context, const DaemonSetSpec& spec, const DaemonSetSpec* old, FieldErrors& errors) {
  const FieldPath path("spec");
  const FieldPath selector_path = path.child("selector"), template_path = path.child("template");
  if (spec.selector) validate_label_selector(*spec.selector, selector_path, errors);
  if (auto selector = to_selector(spec.selector)) {
    validate_template_labels(*selector, spec.template_, template_path, errors);
  }
  if (spec.selector && empty(*spec.selector)) {
    errors.invalid(selector_path, shown(spec.selector), "empty selector is invalid for daemonset");
  }
  validate_pod_template_spec(spec.template_, template_path,
                             template_validation_options(context, spec.template_, old ? &old->template_ : nullptr),
                             errors);
  validate_permanent_template(spec.template_, "DaemonSet", template_path, errors);
  validate_not_negative(spec.min_ready_seconds, path.child("minReadySeconds"), errors);
  check_update_strategy(spec.update_strategy, path.child("updateStrategy"), errors);
  if (spec.revision_history_limit) {
    validate_not_negative(*spec.revision_history_limit, path.child("revisionHistoryLimit"), errors);
  }
}

class DaemonSetRules final : public SpecStatusRules<DaemonSet> {
 public:
  DaemonSetRules() : SpecStatusRules("apps", "v1", "DaemonSet") {}

  std::string_view converted_annotation() const override { return kTemplateGeneration; }
  void set_defaults(DaemonSet& object) const override {
    auto& spec = object.spec;
    set_pod_template_defaults(spec.template_);
    if (spec.update_strategy.type.empty()) spec.update_strategy.type = "RollingUpdate";
    if (spec.update_strategy.type == "RollingUpdate") {
      auto& rolling = spec.update_strategy.rolling_update.ensure();
      if (!rolling.max_unavailable) rolling.max_unavailable = number(1);
      if (!rolling.max_surge) rolling.max_surge = number(0);
    }
    if (!spec.revision_history_limit) spec.revision_history_limit = 10;
    // Compat: upstream's conversions write the counter always, so that whoever writes the object owns it.
    object.metadata.annotations.emplace(kTemplateGeneration, "0");
  }
  void prepare_for_create(RuleContext& context, DaemonSet& object) const override {
    SpecStatusRules::prepare_for_create(context, object);
    object.metadata.annotations[kTemplateGeneration] =
        std::to_string(std::max<int64_t>(1, template_generation(object)));
    prepare_template(object.spec.template_, nullptr, context);
  }
  void prepare_for_update(RuleContext& context, DaemonSet& object, const DaemonSet& old) const override {
    prepare_template(object.spec.template_, &old.spec.template_, context);
    SpecStatusRules::prepare_for_update(context, object, old);
    const bool same_template = object.spec.template_ == old.spec.template_;
    object.metadata.annotations[kTemplateGeneration] =
        std::to_string(template_generation(old) + (same_template ? 0 : 1));
  }
  void prepare_for_subresource(std::string_view subresource, RuleContext&, DaemonSet& object,
                               const DaemonSet& old) const override {
    if (subresource != "status") return;
    object.spec = old.spec;
    object.metadata.annotations[kTemplateGeneration] = std::to_string(template_generation(old));
  }
  void validate(RuleContext& context, const DaemonSet& object, FieldErrors& errors) const override {
    check_spec(context, object.spec, nullptr, errors);
  }
  void validate_update(RuleContext& context, const DaemonSet& object, const DaemonSet& old,
                       FieldErrors& errors) const override {
    check_spec(context, object.spec, &old.spec, errors);
    const FieldPath spec("spec");
    validate_immutable(object.spec.selector, old.spec.selector, shown(object.spec.selector), spec.child("selector"),
                       errors);
  }
  void validate_subresource(std::string_view, RuleContext&, const DaemonSet& object, const DaemonSet& old,
                            FieldErrors& errors) const override {
    const FieldPath path("status");
    const auto& s = object.status;
    validate_not_negative(s.current_number_scheduled, path.child("currentNumberScheduled"), errors);
    validate_not_negative(s.number_misscheduled, path.child("numberMisscheduled"), errors);
    validate_not_negative(s.desired_number_scheduled, path.child("desiredNumberScheduled"), errors);
    validate_not_negative(s.number_ready, path.child("numberReady"), errors);
    validate_not_negative(s.observed_generation, path.child("observedGeneration"), errors);
    validate_not_negative(s.updated_number_scheduled, path.child("updatedNumberScheduled"), errors);
    validate_not_negative(s.number_available, path.child("numberAvailable"), errors);
    validate_not_negative(s.number_unavailable, path.child("numberUnavailable"), errors);
    if (s.collision_count) validate_not_negative(*s.collision_count, path.child("collisionCount"), errors);
    validate_collision_count(s.collision_count, old.status.collision_count, errors);
  }
  void cells(const DaemonSet& object, base::WallTime now, TableRow& row) const override {
    const auto& s = object.status;
    const auto& pods = object.spec.template_.spec;
    row.cells = {object.metadata.name,
                 s.desired_number_scheduled,
                 s.current_number_scheduled,
                 s.number_ready,
                 s.updated_number_scheduled,
                 s.number_available,
                 format_labels(pods.node_selector),
                 age_cell(object.metadata, now),
                 container_names(pods),
                 container_images(pods),
                 format_label_selector(object.spec.selector)};
  }
};

}  // namespace

std::unique_ptr<const KindRules> daemon_set_rules() { return std::make_unique<DaemonSetRules>(); }

}  // namespace api
