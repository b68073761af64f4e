#include "api/shared/cells.h"
#include "api/shared/checks.h"
#include "gen/scheduling/v1.h"

namespace api {
namespace {

using scheduling::v1::PriorityClass;

constexpr int32_t kHighestUserPriority = 1000000000;
constexpr std::string_view kSystemPrefix = "system-";

struct SystemClass {
  std::string_view name;
  int32_t value;
  std::string_view description;
};
constexpr SystemClass kSystemClasses[] = {
    {"system-node-critical", 2000001000,
     "Used for system critical pods that must not be moved from their current node."},
    {"system-cluster-critical", 2000000000,
     "Used for system critical pods that must run in the cluster, but can be moved to another node if necessary."}};

// "" when the class is one of the built-in ones.
std::string system_class_problem(const PriorityClass& object) {
  for (const auto& known : kSystemClasses) {
    if (known.name != object.metadata.name) continue;
    if (known.value != object.value) {
      return "value of " + object.metadata.name + " PriorityClass must be " + std::to_string(known.value);
    }
    if (object.global_default) return "globalDefault of " + object.metadata.name + " PriorityClass must be false";
    return "";
  }
  return object.metadata.name + " is not a known system priority class";
}

class PriorityClassRules final : public RulesFor<PriorityClass> {
 public:
  PriorityClassRules() : RulesFor("scheduling.k8s.io", "v1", "PriorityClass") {}

  void set_defaults(PriorityClass& object) const override {
    if (!object.preemption_policy) object.preemption_policy = "PreemptLowerPriority";
  }
  void prepare_for_create(RuleContext&, PriorityClass& object) const override { object.metadata.generation = 1; }
  void validate(RuleContext&, const PriorityClass& object, FieldErrors& errors) const override {
    if (object.metadata.name.starts_with(kSystemPrefix)) {
      const std::string problem = system_class_problem(object);
      const FieldPath metadata("metadata");
      if (!problem.empty()) {
        errors.forbidden(
            metadata.child("name"),
            "priority class names with 'system-' prefix are reserved for system use only. error: " + problem);
      }
    } else if (object.value > kHighestUserPriority) {
      errors.forbidden(FieldPath("value"),
                       "maximum allowed value of a user defined priority is " + std::to_string(kHighestUserPriority));
    }
    if (object.preemption_policy) {
      check_enum(*object.preemption_policy, FieldPath("preemptionPolicy"), errors, {"Never", "PreemptLowerPriority"});
    }
  }
  void validate_update(RuleContext&, const PriorityClass& object, const PriorityClass& old,
                       FieldErrors& errors) const override {
    if (object.value != old.value) errors.forbidden(FieldPath("value"), "may not be changed in an update.");
    validate_immutable(object.preemption_policy, old.preemption_policy, object.preemption_policy.value_or(""),
                       FieldPath("preemptionPolicy"), errors);
  }
  void cells(const PriorityClass& object, base::WallTime now, TableRow& row) const override {
    row.cells = {object.metadata.name, object.value, object.global_default, age_cell(object.metadata, now),
                 object.preemption_policy.value_or("")};
  }
};

}  // namespace

std::unique_ptr<const KindRules> priority_class_rules() { return std::make_unique<PriorityClassRules>(); }

}  // namespace api
