// Admission policies: their expressions are compiled, and their types must fit.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "api/admissionregistration/mutating_admission_policy.h"
#include "api/shared/rules_test.h"
#include "gen/admissionregistration/v1.h"
#include "gen/admissionregistration/v1beta1.h"

namespace api {
namespace {

using admissionregistration::v1::ValidatingAdmissionPolicy;
using admissionregistration::v1::ValidatingAdmissionPolicyBinding;
using admissionregistration::v1beta1::MutatingAdmissionPolicy;
using admissionregistration::v1beta1::MutatingAdmissionPolicyBinding;
using ::testing::HasSubstr;
using ::testing::StartsWith;

MutatingAdmissionPolicy mutating(const std::string& mutation, const std::string& more = "") {
  return from_json<MutatingAdmissionPolicy>(
      R"({"metadata":{"name":"p"},"spec":{"reinvocationPolicy":"Never","matchConstraints":{"resourceRules":[{"apiGroups":[""],
          "apiVersions":["v1"],"operations":["CREATE"],"resources":["pods"]}]},)" +
      more + R"("mutations":[)" + mutation + "]}}");
}
std::string apply(const std::string& expression) {
  return R"({"patchType":"ApplyConfiguration","applyConfiguration":{"expression":")" + expression + "\"}}";
}
std::string patch(const std::string& expression) {
  return R"({"patchType":"JSONPatch","jsonPatch":{"expression":")" + expression + "\"}}";
}
std::string create(const std::string& mutation, const std::string& more = "") {
  RulesHarness h(mutating_admission_policy_rules());
  auto policy = mutating(mutation, more);
  return h.create(policy);
}

TEST(MutatingAdmissionPolicy, ExpressionsMakeObjectsAndPatches) {
  EXPECT_EQ(create(apply("Object{metadata: Object.metadata{labels: Object.metadata.labels{a: 'b'}}}")), "");
  EXPECT_EQ(create(apply("Object{spec: Object.spec{replicas: object.spec.replicas + 1}}")), "");
  EXPECT_EQ(create(patch("[JSONPatch{op: 'add', path: '/a/' + jsonpatch.escapeKey('b/c'), value: 1}]")), "");
  EXPECT_EQ(create(patch("[JSONPatch{op: 'add', path: '/spec', value: Object.spec{a: 1}}]")), "");
  EXPECT_EQ(create(apply("'x'")),
            "spec.mutations[0].applyConfiguration.expression: Invalid value: \"'x'\": must evaluate to Object but got "
            "string");
  EXPECT_EQ(create(patch("[1]")),
            "spec.mutations[0].jsonPatch.expression: Invalid value: \"[1]\": must evaluate to list(JSONPatch) but got "
            "list(int)");
  EXPECT_THAT(create(apply("Other{a: 1}")), HasSubstr("compilation failed: ERROR: <input>:1:6: undeclared reference to "
                                                      "'Other' (in container '')"));
  EXPECT_THAT(create(apply("Object{a: params.b}")), HasSubstr("undeclared reference to 'params'"));
  const std::string kind = R"("paramKind":{"apiVersion":"v1","kind":"ConfigMap"},)";
  EXPECT_EQ(create(apply("Object{a: params.b}"), kind), "");
}

TEST(MutatingAdmissionPolicy, VariablesHaveTypes) {
  const std::string variables = R"("variables":[{"name":"text","expression":"'a'"},
                                                {"name":"twice","expression":"variables.text + variables.text"}],)";
  EXPECT_EQ(create(apply("Object{a: variables.twice}"), variables), "");
  EXPECT_THAT(create(apply("Object{a: variables.twice + 1}"), variables), HasSubstr("found no matching overload for"));
  EXPECT_THAT(create(apply("Object{a: variables.other}"), variables), HasSubstr("undefined field 'other'"));
  EXPECT_EQ(create(apply("Object{}"), R"("variables":[{"name":"in","expression":"1"}],)"),
            "spec.variables[0].name: Invalid value: \"in\": must be a valid CEL identifier");
}

TEST(MutatingAdmissionPolicy, WhatEachMutationNeeds) {
  EXPECT_EQ(create(R"({"patchType":"JSONPatch","applyConfiguration":{"expression":"Object{}"}})"),
            "[spec.mutations[0].jsonPatch: Required value: must be specified when patchType is JSONPatch, "
            "spec.mutations[0].applyConfiguration: Invalid value: \"{applyConfiguration}\": must not be specified when "
            "patchType is JSONPatch]");
  EXPECT_EQ(create(R"({"patchType":"Other"})"),
            "spec.mutations[0].patchType: Unsupported value: \"Other\": supported values: \"ApplyConfiguration\", "
            "\"JSONPatch\"");
  EXPECT_EQ(create(""), "spec.mutations: Required value: mutations must contain at least one item");
  RulesHarness h(mutating_admission_policy_rules());
  auto policy = mutating(apply("Object{}"));
  policy.spec.match_constraints->resource_rules[0].rule_with_operations.operations = {"DELETE"};
  EXPECT_EQ(h.create(policy),
            "spec.matchConstraints.resourceRules.operations: Unsupported value: \"DELETE\": supported values: \"*\", "
            "\"CONNECT\", \"CREATE\", \"UPDATE\"");
}

TEST(MutatingAdmissionPolicy, CellsAndGeneration) {
  RulesHarness h(mutating_admission_policy_rules());
  auto policy = mutating(apply("Object{}"), R"("paramKind":{"apiVersion":"a.b/v1","kind":"Kind"},)");
  EXPECT_EQ(h.create(policy), "");
  EXPECT_EQ(policy.metadata.generation, 1);
  EXPECT_EQ(policy.spec.failure_policy, "Fail");
  EXPECT_EQ(h.cells(policy), "p|1|a.b/v1/Kind|<unknown>");
  auto changed = policy;
  changed.spec.reinvocation_policy = "IfNeeded";
  EXPECT_EQ(h.update(changed, policy), "");
  EXPECT_EQ(changed.metadata.generation, 2);
}

TEST(MutatingAdmissionPolicyBinding, Rules) {
  RulesHarness h(mutating_admission_policy_binding_rules());
  auto binding = from_json<MutatingAdmissionPolicyBinding>(
      R"({"metadata":{"name":"b"},"spec":{"policyName":"p","paramRef":{"name":"x"}}})");
  EXPECT_EQ(h.create(binding), "spec.paramRef.parameterNotFoundAction: Required value");
  mutating_policy_binding_v1alpha1_defaults(binding);
  EXPECT_EQ(h.create(binding), "");
  EXPECT_EQ(h.cells(binding), "b|p|*/x|<unknown>");
  binding.spec.param_ref->selector.ensure().match_labels["a"] = "b";
  EXPECT_EQ(h.create(binding),
            "[spec.paramRef.name: Forbidden: name and selector are mutually exclusive, spec.paramRef.selector: "
            "Forbidden: name and selector are mutually exclusive]");
}

TEST(ValidatingAdmissionPolicy, ExpressionsAreCompiled) {
  RulesHarness h(validating_admission_policy_rules());
  const auto create = [&](const std::string& spec) {
    auto policy = from_json<ValidatingAdmissionPolicy>(
        R"({"metadata":{"name":"p"},"spec":{"matchConstraints":{"resourceRules":[{"apiGroups":[""],"apiVersions":["v1"],
            "operations":["*"],"resources":["pods"]}]},)" +
        spec + "}}");
    return h.create(policy);
  };
  EXPECT_EQ(create(R"x("validations":[{"expression":"object.spec.x > 1 && request.userInfo.username != '' && )x"
                   R"x(authorizer.path('/healthz').check('get').allowed() && has(namespaceObject.metadata.labels)",)x"
                   R"x("messageExpression":"'not ' + string(object.spec.x)"}])x"),
            "");
  EXPECT_EQ(create(R"x("validations":[{"expression":"object.spec.x"}])x"),
            "spec.validations[0].expression: Invalid value: \"object.spec.x\": must evaluate to bool but got dyn");
  EXPECT_THAT(create(R"x("validations":[{"expression":"request.user == ''"}])x"), HasSubstr("undefined field 'user'"));
  EXPECT_THAT(
      create(
          R"x("validations":[{"expression":"true","messageExpression":"authorizer.path('/').check('a').reason()"}])x"),
      HasSubstr("undeclared reference to 'authorizer'"));
  EXPECT_THAT(create(R"x("validations":[{"expression":"variables.x"}])x"),
              HasSubstr("undeclared reference to 'variables'"));
  EXPECT_EQ(
      create(R"x("auditAnnotations":[{"key":"k","valueExpression":"1"}])x"),
      "spec.auditAnnotations[0].valueExpression: Invalid value: \"1\": must evaluate to one of [string null_type] "
      "but got int");
  EXPECT_EQ(create(R"x("auditAnnotations":[{"key":"k","valueExpression":"object.a ? 'x' : null"}])x").find("bool"),
            std::string::npos);
  EXPECT_THAT(create(R"x("matchConditions":[{"name":"c","expression":" 1 +"}],"validations":[{"expression":"true"}])x"),
              StartsWith("spec.matchConditions[0].expression: Invalid value: \"1 +\": compilation failed: ERROR: "
                         "<input>:1:4: Syntax error"));
}

TEST(ValidatingAdmissionPolicyBinding, Actions) {
  RulesHarness h(validating_admission_policy_binding_rules());
  ValidatingAdmissionPolicyBinding binding;
  binding.spec.policy_name = "p";
  EXPECT_EQ(h.create(binding), "spec.validationActions: Required value: at least one validation action is required");
  binding.spec.validation_actions = {"Deny", "Deny"};
  EXPECT_EQ(h.create(binding), "spec.validationActions[1]: Duplicate value: \"Deny\"");
}

TEST(WebhookConfiguration, ResourcesOfRules) {
  RulesHarness h(validating_admission_policy_binding_rules());
  auto binding = from_json<ValidatingAdmissionPolicyBinding>(
      R"({"metadata":{"name":"b"},"spec":{"policyName":"p","validationActions":["Deny"],"matchResources":{"resourceRules":[
          {"apiGroups":[""],"apiVersions":["v1"],"operations":["*"],"resources":["pods/*","pods/log"],
           "resourceNames":["a/b"]}]}}})");
  EXPECT_EQ(h.create(binding),
            "[spec.matchResources.resourceRules[0].resourceNames[0]: Invalid value: \"a/b\": may not contain '/', "
            "spec.matchResources.resourceRules[0].resources[1]: Invalid value: \"pods/log\": if 'pods/*' is present, "
            "must not specify pods/log]");
}

}  // namespace
}  // namespace api
