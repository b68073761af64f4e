#include "api/shared/cells.h"
#include "api/shared/strategy.h"
#include "gen/policy/v1.h"
#include "object/names.h"

namespace api {
namespace {

using policy::v1::PodDisruptionBudget;

BadValue shown_spec(const policy::v1::PodDisruptionBudgetSpec& spec) {
  auto number = [](const base::Box<object::IntOrString>& value) -> object::Value {
    if (!value) return nullptr;
    if (value->is_string()) return value->str_val;
    return value->int_val;
  };
  std::string text = "{\"MinAvailable\":" + [&] {
    const auto value = number(spec.min_available);
    return shown_json(value).text();
  }();
  text += ",\"Selector\":" + shown(spec.selector).text();
  text += ",\"MaxUnavailable\":" + shown_json(number(spec.max_unavailable)).text();
  text += ",\"UnhealthyPodEvictionPolicy\":";
  text += spec.unhealthy_pod_eviction_policy ? "\"" + *spec.unhealthy_pod_eviction_policy + "\"" : "null";
  return BadValue::verbatim(text + "}");
}

void check_share(const base::Box<object::IntOrString>& value, const FieldPath& path, FieldErrors& errors) {
  if (!value) return;
  check_int_or_percent(*value, path, errors);
  check_not_over_100_percent(*value, path, errors);
}

void check_conditions(const std::vector<meta::v1::Condition>& conditions, const FieldPath& path, FieldErrors& errors) {
  for (size_t i = 0; i < conditions.size(); ++i) {
    const FieldPath item = path.index(i);
    validate_qualified_name(conditions[i].type, item.child("type"), errors);
    for (size_t j = 0; j < i; ++j) {
      if (conditions[j].type == conditions[i].type) {
        errors.duplicate(item.child("type"), conditions[i].type);
        break;
      }
    }
    const std::string& status = conditions[i].status;
    if (status != "True" && status != "False" && status != "Unknown") {
      errors.not_supported(item.child("status"), status, {"False", "True", "Unknown"});
    }
    if (conditions[i].last_transition_time.zero()) errors.required(item.child("lastTransitionTime"), "must be set");
    if (conditions[i].reason.empty()) errors.required(item.child("reason"), "must be set");
  }
}

class PodDisruptionBudgetRules final : public SpecStatusRules<PodDisruptionBudget> {
 public:
  PodDisruptionBudgetRules() : SpecStatusRules("policy", "v1", "PodDisruptionBudget") {}
  UpdateWithoutVersion update_without_version() const override { return UpdateWithoutVersion::kRefused; }

  void validate(RuleContext&, const PodDisruptionBudget& budget, FieldErrors& errors) const override {
    const FieldPath path("spec");
    const auto& spec = budget.spec;
    if (spec.min_available && spec.max_unavailable) {
      errors.invalid(path, shown_spec(spec), "minAvailable and maxUnavailable cannot be both set");
    }
    check_share(spec.min_available, path.child("minAvailable"), errors);
    check_share(spec.max_unavailable, path.child("maxUnavailable"), errors);
    if (spec.selector) validate_label_selector(*spec.selector, path.child("selector"), errors);
    if (spec.unhealthy_pod_eviction_policy) {
      const std::string& eviction = *spec.unhealthy_pod_eviction_policy;
      if (eviction != "IfHealthyBudget" && eviction != "AlwaysAllow") {
        errors.not_supported(path.child("unhealthyPodEvictionPolicy"), eviction, {"AlwaysAllow", "IfHealthyBudget"});
      }
    }
  }
  void validate_update(RuleContext& context, const PodDisruptionBudget& budget, const PodDisruptionBudget&,
                       FieldErrors& errors) const override {
    validate(context, budget, errors);
  }
  void validate_subresource(std::string_view, RuleContext&, const PodDisruptionBudget& budget,
                            const PodDisruptionBudget&, FieldErrors& errors) const override {
    const FieldPath path("status");
    const auto& status = budget.status;
    check_conditions(status.conditions, path.child("conditions"), errors);
    validate_not_negative(status.disruptions_allowed, path.child("disruptionsAllowed"), errors);
    validate_not_negative(status.current_healthy, path.child("currentHealthy"), errors);
    validate_not_negative(status.desired_healthy, path.child("desiredHealthy"), errors);
    validate_not_negative(status.expected_pods, path.child("expectedPods"), errors);
  }
  void cells(const PodDisruptionBudget& budget, base::WallTime now, TableRow& row) const override {
    auto text = [](const base::Box<object::IntOrString>& value) {
      return value ? int_or_string_text(*value) : std::string("N/A");
    };
    row.cells = {budget.metadata.name, text(budget.spec.min_available), text(budget.spec.max_unavailable),
                 budget.status.disruptions_allowed, age_cell(budget.metadata, now)};
  }
};

}  // namespace

std::unique_ptr<const KindRules> pod_disruption_budget_rules() { return std::make_unique<PodDisruptionBudgetRules>(); }

}  // namespace api
