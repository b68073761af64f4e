// ValidatingAdmissionPolicy and ValidatingAdmissionPolicyBinding. CEL expressions are checked for presence only.
#include <algorithm>
#include <set>

#include "api/admissionregistration/webhook_rules.h"
#include "api/shared/cells.h"
#include "api/shared/strategy.h"
#include "object/gvk.h"
#include "object/names.h"

namespace api {
namespace {

using admissionregistration::v1::ValidatingAdmissionPolicy;
using admissionregistration::v1::ValidatingAdmissionPolicyBinding;
using admissionregistration::v1::Validation;

constexpr std::string_view kGroup = "admissionregistration.k8s.io";

bool blank(std::string_view text) { return text.find_first_not_of(" \t\r\n\v\f") == std::string_view::npos; }
bool has_line_break(std::string_view text) { return text.find_first_of("\r\n") != std::string_view::npos; }

void check_validation(const Validation& validation, const FieldPath& path, FieldErrors& errors) {
  const FieldPath message = path.child("message");
  if (blank(validation.expression)) errors.required(path.child("expression"), "expression is not specified");
  if (!validation.message_expression.empty() && blank(validation.message_expression)) {
    errors.invalid(path.child("messageExpression"), validation.message_expression, "must be non-empty if specified");
  }
  if (!validation.message.empty() && blank(validation.message)) {
    errors.invalid(message, validation.message, "message must be non-empty if specified");
  } else if (has_line_break(validation.message)) {
    errors.invalid(message, validation.message, "message must not contain line breaks");
  } else if (has_line_break(validation.expression) && validation.message.empty()) {
    errors.required(message, "message must be specified if expression contains line breaks");
  }
  if (validation.reason) {
    check_enum(*validation.reason, path.child("reason"), errors,
               {"Forbidden", "Invalid", "RequestEntityTooLarge", "Unauthorized"});
  }
}

void check_param_kind(const admissionregistration::v1::ParamKind& kind, const FieldPath& path, FieldErrors& errors) {
  const FieldPath version = path.child("apiVersion");
  if (kind.api_version.empty()) {
    errors.required(version);
  } else if (auto parsed = object::GroupVersion::parse(kind.api_version); !parsed) {
    errors.invalid(version, kind.api_version, parsed.error().message);
  }
  if (kind.kind.empty()) errors.required(path.child("kind"));
}

void check_variables(const std::vector<admissionregistration::v1::Variable>& variables, const FieldPath& path,
                     FieldErrors& errors) {
  std::set<std::string_view> seen;
  for (size_t i = 0; i < variables.size(); ++i) {
    const FieldPath item = path.index(i), name = item.child("name");
    if (variables[i].name.empty()) {
      errors.required(name, "name is not specified");
    } else if (!object::validate_c_identifier(variables[i].name).empty()) {
      errors.invalid(name, variables[i].name, "name is not a valid CEL identifier");
    } else if (!seen.insert(variables[i].name).second) {
      errors.duplicate(name, variables[i].name);
    }
    if (blank(variables[i].expression)) errors.required(item.child("expression"), "expression is not specified");
  }
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
    const FieldPath path("spec");
    const auto& spec = policy.spec;
    const FieldPath constraints = path.child("matchConstraints"), validations = path.child("validations");
    const FieldPath audits = path.child("auditAnnotations");
    if (spec.failure_policy) {
      validate_failure_policy(spec.failure_policy, path.child("failurePolicy"), errors);
    } else {
      errors.required(path.child("failurePolicy"));
    }
    if (spec.param_kind) check_param_kind(*spec.param_kind, path.child("paramKind"), errors);
    if (!spec.match_constraints) {
      errors.required(constraints);
    } else {
      validate_match_resources(*spec.match_constraints, constraints, errors);
      if (spec.match_constraints->resource_rules.empty()) errors.required(constraints.child("resourceRules"));
    }
    validate_match_conditions(spec.match_conditions, path.child("matchConditions"), errors);
    check_variables(spec.variables, path.child("variables"), errors);
    if (spec.validations.empty() && spec.audit_annotations.empty()) {
      constexpr std::string_view kEither = "validations or auditAnnotations must contain at least one item";
      errors.required(validations, kEither);
      errors.required(audits, kEither);
    }
    for (size_t i = 0; i < spec.validations.size(); ++i) {
      check_validation(spec.validations[i], validations.index(i), errors);
    }
    for (size_t i = 0; i < spec.audit_annotations.size(); ++i) {
      const FieldPath item = audits.index(i);
      const auto& annotation = spec.audit_annotations[i];
      errors.invalid_each(item.child("key"), annotation.key,
                          object::validate_qualified_name(policy.metadata.name + "/" + annotation.key));
      if (blank(annotation.value_expression)) {
        errors.required(item.child("valueExpression"), "valueExpression is not specified");
      }
    }
  }
  void validate_update(RuleContext& context, const ValidatingAdmissionPolicy& policy, const ValidatingAdmissionPolicy&,
                       FieldErrors& errors) const override {
    validate(context, policy, errors);
  }
  void cells(const ValidatingAdmissionPolicy& policy, base::WallTime now, TableRow& row) const override {
    const auto& kind = policy.spec.param_kind;
    row.cells = {policy.metadata.name, static_cast<int64_t>(policy.spec.validations.size()),
                 kind ? kind->api_version + "/" + kind->kind : std::string("<unset>"), age_cell(policy.metadata, now)};
  }
};

void check_param_ref(const admissionregistration::v1::ParamRef& reference, const FieldPath& path, FieldErrors& errors) {
  if (!reference.name.empty()) {
    errors.invalid_each(path.child("name"), reference.name, object::validate_path_segment_name(reference.name));
    if (reference.selector) errors.forbidden(path.child("name"), "name and selector are mutually exclusive");
  }
  if (reference.selector) {
    validate_label_selector(*reference.selector, path.child("selector"), errors);
    if (!reference.name.empty()) errors.forbidden(path.child("selector"), "name and selector are mutually exclusive");
  }
  if (reference.name.empty() && !reference.selector) {
    errors.required(path, "one of name or selector must be specified");
  }
  if (!reference.parameter_not_found_action || reference.parameter_not_found_action->empty()) {
    errors.required(path.child("parameterNotFoundAction"));
  } else {
    check_enum(*reference.parameter_not_found_action, path.child("parameterNotFoundAction"), errors, {"Allow", "Deny"});
  }
}

void check_actions(const std::vector<std::string>& actions, const FieldPath& path, FieldErrors& errors) {
  if (actions.empty()) errors.required(path);
  std::set<std::string_view> seen;
  for (size_t i = 0; i < actions.size(); ++i) {
    check_enum(actions[i], path.index(i), errors, {"Audit", "Deny", "Warn"});
    if (!seen.insert(actions[i]).second) errors.duplicate(path.index(i), actions[i]);
  }
  if (seen.contains("Deny") && seen.contains("Warn")) {
    errors.invalid(path, shown(actions),
                   "must not contain both Deny and Warn (repeating the same validation failure information in the API "
                   "response and headers serves no purpose)");
  }
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
    if (spec.policy_name.empty()) {
      errors.required(path.child("policyName"));
    } else {
      validate_dns1123_subdomain(spec.policy_name, path.child("policyName"), errors);
    }
    if (spec.param_ref) check_param_ref(*spec.param_ref, path.child("paramRef"), errors);
    if (spec.match_resources) validate_match_resources(*spec.match_resources, path.child("matchResources"), errors);
    check_actions(spec.validation_actions, path.child("validationActions"), errors);
  }
  void validate_update(RuleContext& context, const ValidatingAdmissionPolicyBinding& binding,
                       const ValidatingAdmissionPolicyBinding&, FieldErrors& errors) const override {
    validate(context, binding, errors);
  }
  void cells(const ValidatingAdmissionPolicyBinding& binding, base::WallTime now, TableRow& row) const override {
    std::string text = "<unset>";
    if (const auto& reference = binding.spec.param_ref) {
      if (!reference->name.empty()) {
        text = or_text(reference->namespace_, "*") + "/" + reference->name;
      } else if (reference->selector) {
        text = format_label_selector(reference->selector);
      }
    }
    row.cells = {binding.metadata.name, binding.spec.policy_name, text, age_cell(binding.metadata, now)};
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
