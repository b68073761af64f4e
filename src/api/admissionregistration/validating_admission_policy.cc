// ValidatingAdmissionPolicy and ValidatingAdmissionPolicyBinding.
#include <algorithm>
#include <set>

#include "api/admissionregistration/policy_rules.h"
#include "api/admissionregistration/webhook_rules.h"
#include "api/apiextensions/compiled_rule.h"
#include "api/shared/cells.h"
#include "api/shared/strategy.h"
#include "object/names.h"

namespace api {
namespace {

using admissionregistration::v1::ValidatingAdmissionPolicy;
using admissionregistration::v1::ValidatingAdmissionPolicyBinding;
using admissionregistration::v1::Validation;

constexpr std::string_view kGroup = "admissionregistration.k8s.io";

bool has_line_break(std::string_view text) { return text.find_first_of("\r\n") != std::string_view::npos; }

BadValue shown_annotations(const std::vector<admissionregistration::v1::AuditAnnotation>& annotations) {
  object::Array list;
  for (const auto& annotation : annotations) {
    object::Object json;
    json.set("Key", annotation.key);
    json.set("ValueExpression", annotation.value_expression);
    list.emplace_back(std::move(json));
  }
  return object::Value(std::move(list));
}

constexpr size_t kMaxAuditAnnotations = 20, kMaxAuditExpression = 5 * 1024;

// A policy and, on update, the one before.
struct Subject {
  const ValidatingAdmissionPolicy& policy;
  const ValidatingAdmissionPolicy* old;
  PolicyExpressions& expressions;
  FieldErrors& errors;

  uint8_t names() const {
    uint8_t names = PolicyExpressions::kAuthorizer;
    if (policy.spec.param_kind) names |= PolicyExpressions::kParams;
    if (!policy.spec.variables.empty()) names |= PolicyExpressions::kVariables;
    return names;
  }
  template <typename Item>
  static PolicyExpressions::Language language(const std::vector<Item>* stored, std::string Item::* member,
                                              const std::string& expression) {
    const bool known = stored && std::ranges::find(*stored, expression, member) != stored->end();
    return known ? PolicyExpressions::Language::kStored : PolicyExpressions::Language::kNew;
  }
};

void check_validation(const Subject& subject, const Validation& validation, const FieldPath& path) {
  using Result = PolicyExpressions::Result;
  FieldErrors& errors = subject.errors;
  const FieldPath message = path.child("message"), expression = path.child("expression");
  const FieldPath message_expression = path.child("messageExpression");
  const auto* stored = subject.old ? &subject.old->spec.validations : nullptr;
  if (is_blank(validation.expression)) {
    errors.required(expression, "expression is not specified");
  } else {
    const auto language = Subject::language(stored, &Validation::expression, validation.expression);
    subject.expressions.check(validation.expression, {subject.names(), Result::kBool, language}, expression, errors);
  }
  const std::string& text = validation.message_expression;
  if (!text.empty() && is_blank(text)) {
    errors.invalid(message_expression, text, "must be non-empty if specified");
  } else if (!text.empty()) {
    const auto names = static_cast<uint8_t>(subject.names() & ~PolicyExpressions::kAuthorizer);
    const auto language = Subject::language(stored, &Validation::message_expression, text);
    subject.expressions.check(text, {names, Result::kString, language}, message_expression, errors);
  }
  if (!validation.message.empty() && is_blank(validation.message)) {
    errors.invalid(message, validation.message, "must be non-empty if specified");
  } else if (has_line_break(without_surrounding_space(validation.message))) {
    errors.invalid(message, validation.message, "must not contain line breaks");
  }
  if (validation.reason) {
    static constexpr std::string_view kReasons[] = {"Forbidden", "Invalid", "RequestEntityTooLarge", "Unauthorized"};
    if (std::ranges::find(kReasons, *validation.reason) == std::end(kReasons)) {
      errors.not_supported(path.child("reason"), *validation.reason,
                           {"Forbidden", "Invalid", "RequestEntityTooLarge", "Unauthorized"});
    }
  }
}

void check_audit_annotations(const Subject& subject, const FieldPath& path) {
  using admissionregistration::v1::AuditAnnotation;
  FieldErrors& errors = subject.errors;
  const auto& annotations = subject.policy.spec.audit_annotations;
  const auto* stored = subject.old ? &subject.old->spec.audit_annotations : nullptr;
  if (annotations.size() > kMaxAuditAnnotations) {
    errors.invalid(path, shown_annotations(annotations), "must not have more than 20 auditAnnotations");
  }
  std::set<std::string_view> seen;
  for (size_t i = 0; i < annotations.size(); ++i) {
    const AuditAnnotation& annotation = annotations[i];
    const FieldPath item = path.index(i), key = item.child("key"), value = item.child("valueExpression");
    const std::string& name = subject.policy.metadata.name;
    if (name.empty()) {
      errors.invalid(key, annotation.key, "requires metadata.name be non-empty");
    } else {
      const std::string qualified = name + "/" + annotation.key;
      errors.invalid_each(key, qualified, object::validate_qualified_name(qualified));
    }
    const std::string text = without_surrounding_space(annotation.value_expression);
    if (text.empty()) {
      errors.required(value, "valueExpression is not specified");
    } else if (text.size() > kMaxAuditExpression) {
      errors.required(value, "must not exceed 5120 bytes in length");
    } else {
      const auto language = Subject::language(stored, &AuditAnnotation::value_expression, annotation.value_expression);
      subject.expressions.check(text, {subject.names(), PolicyExpressions::Result::kStringOrNull, language}, value,
                                errors);
    }
    if (!seen.insert(annotation.key).second) errors.duplicate(key, annotation.key);
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

void check_policy(const ValidatingAdmissionPolicy& policy, const ValidatingAdmissionPolicy* old, FieldErrors& errors) {
  const FieldPath path("spec");
  const auto& spec = policy.spec;
  const FieldPath constraints = path.child("matchConstraints"), validations = path.child("validations");
  const FieldPath audits = path.child("auditAnnotations"), variables = path.child("variables");
  check_enum(spec.failure_policy.value_or(""), path.child("failurePolicy"), errors, {"Fail", "Ignore"});
  if (spec.param_kind) validate_param_kind(*spec.param_kind, path.child("paramKind"), errors);
  if (!spec.match_constraints) {
    errors.required(constraints);
  } else {
    validate_match_resources(*spec.match_constraints, constraints, errors);
    if (spec.match_constraints->resource_rules.empty()) errors.required(constraints.child("resourceRules"));
  }
  PolicyExpressions expressions;
  const Subject subject{policy, old, expressions, errors};
  check_conditions(subject, path.child("matchConditions"));
  for (size_t i = 0; i < spec.variables.size(); ++i) {
    validate_variable(spec.variables[i], subject.names(), expressions, variables.index(i), errors);
  }
  if (spec.validations.empty() && spec.audit_annotations.empty()) {
    constexpr std::string_view kEither = "validations or auditAnnotations must contain at least one item";
    errors.required(validations, kEither);
    return errors.required(audits, kEither);
  }
  for (size_t i = 0; i < spec.validations.size(); ++i) {
    check_validation(subject, spec.validations[i], validations.index(i));
  }
  check_audit_annotations(subject, audits);
}

class ValidatingAdmissionPolicyRules final : public SpecStatusRules<ValidatingAdmissionPolicy> {
 public:
  ValidatingAdmissionPolicyRules() : SpecStatusRules(kGroup, "v1", "ValidatingAdmissionPolicy") {}
  UpdateWithoutVersion update_without_version() const override { return UpdateWithoutVersion::kRefused; }

  void set_defaults(ValidatingAdmissionPolicy& policy) const override {
    if (!policy.spec.failure_policy) policy.spec.failure_policy = "Fail";
    if (policy.spec.match_constraints) set_match_resources_defaults(*policy.spec.match_constraints);
  }
  void validate(RuleContext&, const ValidatingAdmissionPolicy& policy, FieldErrors& errors) const override {
    check_policy(policy, nullptr, errors);
  }
  void validate_update(RuleContext&, const ValidatingAdmissionPolicy& policy, const ValidatingAdmissionPolicy& old,
                       FieldErrors& errors) const override {
    check_policy(policy, &old, errors);
  }
  void cells(const ValidatingAdmissionPolicy& policy, base::WallTime now, TableRow& row) const override {
    row.cells = {policy.metadata.name, static_cast<int64_t>(policy.spec.validations.size()),
                 param_kind_cell(policy.spec.param_kind), age_cell(policy.metadata, now)};
  }
};

void check_actions(const std::vector<std::string>& actions, const FieldPath& path, FieldErrors& errors) {
  static constexpr std::string_view kActions[] = {"Audit", "Deny", "Warn"};
  std::set<std::string_view> seen;
  for (size_t i = 0; i < actions.size(); ++i) {
    if (std::ranges::find(kActions, actions[i]) == std::end(kActions)) {
      errors.not_supported(path.index(i), actions[i], {"Audit", "Deny", "Warn"});
    }
    if (!seen.insert(actions[i]).second) errors.duplicate(path.index(i), actions[i]);
  }
  if (seen.contains("Deny") && seen.contains("Warn")) {
    errors.invalid(path, shown(actions),
                   "must not contain both Deny and Warn (repeating the same validation failure information in the API "
                   "response and headers serves no purpose)");
  }
  if (seen.empty()) errors.required(path, "at least one validation action is required");
}

class ValidatingAdmissionPolicyBindingRules final : public SpecRules<ValidatingAdmissionPolicyBinding> {
 public:
  ValidatingAdmissionPolicyBindingRules() : SpecRules(kGroup, "v1", "ValidatingAdmissionPolicyBinding") {}
  UpdateWithoutVersion update_without_version() const override { return UpdateWithoutVersion::kRefused; }

  void set_defaults(ValidatingAdmissionPolicyBinding& binding) const override {
    if (binding.spec.match_resources) set_match_resources_defaults(*binding.spec.match_resources);
  }
  void validate(RuleContext&, const ValidatingAdmissionPolicyBinding& binding, FieldErrors& errors) const override {
    const FieldPath path("spec");
    const auto& spec = binding.spec;
    validate_policy_name(spec.policy_name, path.child("policyName"), errors);
    if (spec.param_ref) validate_param_ref(*spec.param_ref, path.child("paramRef"), errors);
    if (spec.match_resources) validate_match_resources(*spec.match_resources, path.child("matchResources"), errors);
    check_actions(spec.validation_actions, path.child("validationActions"), errors);
  }
  void validate_update(RuleContext& context, const ValidatingAdmissionPolicyBinding& binding,
                       const ValidatingAdmissionPolicyBinding&, FieldErrors& errors) const override {
    validate(context, binding, errors);
  }
  void cells(const ValidatingAdmissionPolicyBinding& binding, base::WallTime now, TableRow& row) const override {
    row.cells = {binding.metadata.name, binding.spec.policy_name, param_ref_cell(binding.spec.param_ref),
                 age_cell(binding.metadata, now)};
  }
};

}  // namespace

std::unique_ptr<const KindRules> validating_admission_policy_rules() {
  return std::make_unique<ValidatingAdmissionPolicyRules>();
}
std::unique_ptr<const KindRules> validating_admission_policy_binding_rules() {
  return std::make_unique<ValidatingAdmissionPolicyBindingRules>();
}

}  // namespace api
