// MutatingAdmissionPolicy and MutatingAdmissionPolicyBinding.
#include "api/admissionregistration/mutating_admission_policy.h"

#include <algorithm>

#include "api/admissionregistration/policy_expressions.h"
#include "api/admissionregistration/policy_rules.h"
#include "api/admissionregistration/webhook_rules.h"
#include "api/apiextensions/compiled_rule.h"
#include "api/shared/cells.h"
#include "api/shared/strategy.h"
#include "gen/admissionregistration/v1beta1.h"

namespace api {
namespace {

using admissionregistration::v1beta1::MutatingAdmissionPolicy;
using admissionregistration::v1beta1::MutatingAdmissionPolicyBinding;
using admissionregistration::v1beta1::Mutation;

constexpr std::string_view kGroup = "admissionregistration.k8s.io";

// Only writes of objects can be mutated. Compat: the path names no index.
void check_operations(const admissionregistration::v1::MatchResources& match, const FieldPath& path,
                      FieldErrors& errors) {
  static constexpr std::string_view kMutating[] = {"*", "CONNECT", "CREATE", "UPDATE"};
  const FieldPath rules = path.child("resourceRules");
  for (const auto& rule : match.resource_rules) {
    for (const std::string& operation : rule.rule_with_operations.operations) {
      if (std::ranges::find(kMutating, operation) != std::end(kMutating)) continue;
      errors.not_supported(rules.child("operations"), operation, {"*", "CONNECT", "CREATE", "UPDATE"});
    }
  }
}

// A policy and, on update, the one before.
struct Subject {
  const MutatingAdmissionPolicy& policy;
  const MutatingAdmissionPolicy* old;
  PolicyExpressions& expressions;
  FieldErrors& errors;

  uint8_t names() const {
    constexpr uint8_t kAlways = PolicyExpressions::kAuthorizer | PolicyExpressions::kVariables;
    return policy.spec.param_kind ? kAlways | PolicyExpressions::kParams : kAlways;
  }
  // Compat: an expression is known when an apply configuration had it, whatever it is in.
  PolicyExpressions::Language language(const std::string& expression) const {
    const bool known = old && std::ranges::any_of(old->spec.mutations, [&](const Mutation& mutation) {
                         return mutation.apply_configuration && mutation.apply_configuration->expression == expression;
                       });
    return known ? PolicyExpressions::Language::kStored : PolicyExpressions::Language::kNew;
  }
};

void check_expression(const Subject& subject, const std::string& expression, PolicyExpressions::Result result,
                      const FieldPath& path) {
  const std::string text = without_surrounding_space(expression);
  if (text.empty()) return subject.errors.required(path);
  const auto names = static_cast<uint8_t>(subject.names() | PolicyExpressions::kPatchTypes);
  subject.expressions.check(text, {names, result, subject.language(expression)}, path, subject.errors);
}

void check_mutation(const Subject& subject, const Mutation& mutation, const FieldPath& path) {
  const FieldPath json_patch = path.child("jsonPatch"), apply = path.child("applyConfiguration");
  FieldErrors& errors = subject.errors;
  if (mutation.patch_type == "JSONPatch") {
    if (!mutation.json_patch) {
      errors.required(json_patch, "must be specified when patchType is JSONPatch");
    } else {
      check_expression(subject, mutation.json_patch->expression, PolicyExpressions::Result::kJsonPatches,
                       json_patch.child("expression"));
    }
    if (mutation.apply_configuration) {
      errors.invalid(apply, "{applyConfiguration}", "must not be specified when patchType is JSONPatch");
    }
  } else if (mutation.patch_type == "ApplyConfiguration") {
    if (!mutation.apply_configuration) {
      errors.required(apply, "must be specified when patchType is ApplyConfiguration");
    } else {
      check_expression(subject, mutation.apply_configuration->expression, PolicyExpressions::Result::kObject,
                       apply.child("expression"));
    }
    if (mutation.json_patch) {
      errors.invalid(json_patch, "{jsonPatch}", "must not be specified when patchType is ApplyConfiguration");
    }
  } else {
    check_enum(mutation.patch_type, path.child("patchType"), errors, {"ApplyConfiguration", "JSONPatch"});
  }
}

void check_conditions(const Subject& subject, const FieldPath& path) {
  static const std::vector<MatchCondition> kNone;
  const auto& spec = subject.policy.spec;
  const auto* old = subject.old ? &subject.old->spec : nullptr;
  // Compat: conditions that did not change are not looked at again.
  if (old && spec.match_conditions == old->match_conditions && spec.param_kind == old->param_kind) return;
  validate_match_conditions(spec.match_conditions, old ? old->match_conditions : kNone,
                            spec.param_kind ? HasParams::kYes : HasParams::kNo, path, subject.errors);
}

class MutatingAdmissionPolicyRules final : public SpecRules<MutatingAdmissionPolicy> {
 public:
  MutatingAdmissionPolicyRules() : SpecRules(kGroup, "v1beta1", "MutatingAdmissionPolicy") {}
  UpdateWithoutVersion update_without_version() const override { return UpdateWithoutVersion::kRefused; }

  void set_defaults(MutatingAdmissionPolicy& policy) const override {
    if (!policy.spec.failure_policy) policy.spec.failure_policy = "Fail";
    if (policy.spec.match_constraints) set_match_resources_defaults(*policy.spec.match_constraints);
  }
  void validate(RuleContext&, const MutatingAdmissionPolicy& policy, FieldErrors& errors) const override {
    check(policy, nullptr, errors);
  }
  void validate_update(RuleContext&, const MutatingAdmissionPolicy& policy, const MutatingAdmissionPolicy& old,
                       FieldErrors& errors) const override {
    check(policy, &old, errors);
  }
  void cells(const MutatingAdmissionPolicy& policy, base::WallTime now, TableRow& row) const override {
    row.cells = {policy.metadata.name, static_cast<int64_t>(policy.spec.mutations.size()),
                 param_kind_cell(policy.spec.param_kind), age_cell(policy.metadata, now)};
  }

 private:
  static void check(const MutatingAdmissionPolicy& policy, const MutatingAdmissionPolicy* old, FieldErrors& errors) {
    const FieldPath path("spec");
    const FieldPath constraints = path.child("matchConstraints"), mutations = path.child("mutations");
    const FieldPath variables = path.child("variables");
    const auto& spec = policy.spec;
    check_enum(spec.failure_policy.value_or(""), path.child("failurePolicy"), errors, {"Fail", "Ignore"});
    if (spec.param_kind) validate_param_kind(*spec.param_kind, path.child("paramKind"), errors);
    if (!spec.match_constraints) {
      errors.required(constraints);
    } else {
      validate_match_resources(*spec.match_constraints, constraints, errors);
      if (spec.match_constraints->resource_rules.empty()) errors.required(constraints.child("resourceRules"));
      check_operations(*spec.match_constraints, constraints, errors);
    }
    PolicyExpressions expressions;
    const Subject subject{policy, old, expressions, errors};
    check_conditions(subject, path.child("matchConditions"));
    for (size_t i = 0; i < spec.variables.size(); ++i) {
      validate_variable(spec.variables[i], subject.names(), expressions, variables.index(i), errors);
    }
    if (spec.mutations.empty()) errors.required(mutations, "mutations must contain at least one item");
    for (size_t i = 0; i < spec.mutations.size(); ++i) check_mutation(subject, spec.mutations[i], mutations.index(i));
    check_enum(spec.reinvocation_policy, path.child("reinvocationPolicy"), errors, {"IfNeeded", "Never"});
  }
};

class MutatingAdmissionPolicyBindingRules final : public SpecRules<MutatingAdmissionPolicyBinding> {
 public:
  MutatingAdmissionPolicyBindingRules() : SpecRules(kGroup, "v1beta1", "MutatingAdmissionPolicyBinding") {}
  UpdateWithoutVersion update_without_version() const override { return UpdateWithoutVersion::kRefused; }

  void set_defaults(MutatingAdmissionPolicyBinding& binding) const override {
    if (binding.spec.match_resources) set_match_resources_defaults(*binding.spec.match_resources);
  }
  void validate(RuleContext&, const MutatingAdmissionPolicyBinding& binding, FieldErrors& errors) const override {
    const FieldPath path("spec"), match = path.child("matchResources");
    const auto& spec = binding.spec;
    validate_policy_name(spec.policy_name, path.child("policyName"), errors);
    if (spec.param_ref) validate_param_ref(*spec.param_ref, path.child("paramRef"), errors);
    if (!spec.match_resources) return;
    validate_match_resources(*spec.match_resources, match, errors);
    check_operations(*spec.match_resources, match, errors);
  }
  void validate_update(RuleContext& context, const MutatingAdmissionPolicyBinding& binding,
                       const MutatingAdmissionPolicyBinding&, FieldErrors& errors) const override {
    validate(context, binding, errors);
  }
  void cells(const MutatingAdmissionPolicyBinding& binding, base::WallTime now, TableRow& row) const override {
    row.cells = {binding.metadata.name, binding.spec.policy_name, param_ref_cell(binding.spec.param_ref),
                 age_cell(binding.metadata, now)};
  }
};

}  // namespace

void mutating_policy_binding_v1alpha1_defaults(MutatingAdmissionPolicyBinding& binding) {
  const auto& reference = binding.spec.param_ref;
  if (reference && !reference->parameter_not_found_action) {
    binding.spec.param_ref->parameter_not_found_action = "Deny";
  }
}

std::unique_ptr<const KindRules> mutating_admission_policy_rules() {
  return std::make_unique<MutatingAdmissionPolicyRules>();
}
std::unique_ptr<const KindRules> mutating_admission_policy_binding_rules() {
  return std::make_unique<MutatingAdmissionPolicyBindingRules>();
}

}  // namespace api
