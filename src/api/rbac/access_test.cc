// Roles, bindings, certificate signing requests, flow control, autoscalers.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "api/autoscaling/horizontal_pod_autoscaler.h"
#include "api/shared/rules_test.h"
#include "gen/certificates/v1.h"
#include "gen/flowcontrol/v1.h"
#include "gen/rbac/v1.h"

namespace api {
namespace {

using ::testing::HasSubstr;

TEST(Role, Rules) {
  RulesHarness h(role_rules());
  rbac::v1::Role role;
  role.rules.resize(1);
  EXPECT_EQ(
      h.create(role),
      "[rules[0].verbs: Required value: verbs must contain at least one value, rules[0].apiGroups: Required value: "
      "resource rules must supply at least one api group, rules[0].resources: Required value: resource rules must "
      "supply at least one resource]");
  EXPECT_TRUE(h.rules().name_validator()("a:b", NameUse::kName).empty());
  EXPECT_FALSE(h.rules().name_validator()("a/b", NameUse::kName).empty());
}

TEST(RoleBinding, Rules) {
  RulesHarness h(role_binding_rules());
  rbac::v1::RoleBinding binding;
  binding.metadata.name = "b";
  binding.role_ref.kind = "ClusterRole";
  binding.role_ref.name = "view";
  binding.subjects.resize(2);
  binding.subjects[0].kind = "User";
  binding.subjects[0].name = "u";
  binding.subjects[1].kind = "ServiceAccount";
  binding.subjects[1].name = "s";
  EXPECT_EQ(h.create(binding), "");
  EXPECT_EQ(binding.subjects[0].api_group, "rbac.authorization.k8s.io");
  EXPECT_EQ(h.cells(binding), "b|ClusterRole/view|<unknown>|u||/s");
  auto changed = binding;
  changed.role_ref.name = "edit";
  EXPECT_EQ(h.update(changed, binding),
            "roleRef: Invalid value: {\"APIGroup\":\"rbac.authorization.k8s.io\",\"Kind\":\"ClusterRole\",\"Name\":"
            "\"edit\"}: cannot change roleRef");
  rbac::v1::ClusterRoleBinding cluster;
  cluster.role_ref = binding.role_ref;
  cluster.subjects = {binding.subjects[1]};
  RulesHarness c(cluster_role_binding_rules());
  EXPECT_EQ(c.create(cluster), "subjects[0].namespace: Required value");
}

certificates::v1::CertificateSigningRequest request() {
  certificates::v1::CertificateSigningRequest csr;
  csr.metadata.name = "c";
  csr.spec.request = "-----BEGIN CERTIFICATE REQUEST-----\nAA==\n-----END CERTIFICATE REQUEST-----\n";
  csr.spec.signer_name = "example.org/t";
  csr.spec.usages = {"client auth"};
  return csr;
}

TEST(CertificateSigningRequest, Rules) {
  RulesHarness h(certificate_signing_request_rules());
  h.context.user_name = "admin";
  h.context.user_groups = {"system:authenticated"};
  auto csr = request();
  csr.spec.username = "forged";
  EXPECT_EQ(h.create(csr), "");
  EXPECT_EQ(csr.spec.username, "admin");
  EXPECT_EQ(h.cells(csr), "c|<unknown>|example.org/t|admin|<none>|Pending");
  auto twice = request();
  twice.spec.usages = {"client auth", "client auth"};
  EXPECT_EQ(h.create(twice), "spec.usages[1]: Duplicate value: \"client auth\"");

  auto denied = csr;
  denied.status.conditions.resize(1);
  denied.status.conditions[0].type = "Denied";
  denied.status.conditions[0].status = "True";
  EXPECT_EQ(h.update("approval", denied, csr), "");
  EXPECT_FALSE(denied.status.conditions[0].last_update_time.zero());
  auto taken_back = csr;
  EXPECT_EQ(h.update("approval", taken_back, denied),
            "status.conditions: Forbidden: updates may not remove a condition of type \"Denied\"");
  auto signed_badly = csr;
  signed_badly.status.certificate = "x";
  EXPECT_EQ(
      h.update("status", signed_badly, csr),
      "status.certificate: Invalid value: \"<certificate data>\": must contain at least one CERTIFICATE PEM block");
  auto unknown = csr;
  unknown.status.conditions.resize(1);
  unknown.status.conditions[0].type = "Approved";
  unknown.status.conditions[0].status = "Unknown";
  EXPECT_EQ(h.update("approval", unknown, csr),
            "status.conditions[0].status: Unsupported value: \"Unknown\": supported values: \"True\"");
}

TEST(PriorityLevelConfiguration, Rules) {
  RulesHarness h(priority_level_configuration_rules());
  flowcontrol::v1::PriorityLevelConfiguration level;
  level.metadata.name = "fco";
  level.spec.type = "Limited";
  EXPECT_EQ(h.create(level), "spec.limited: Required value: must not be empty when type is Limited");
  auto& limited = level.spec.limited.ensure();
  limited.limit_response.type = "Queue";
  EXPECT_EQ(h.create(level),
            "spec.limited.limitResponse.queuing: Required value: must not be empty if limited.limitResponse.type is "
            "Limited");
  limited.limit_response.queuing.ensure().queues = 4;
  limited.limit_response.queuing->hand_size = 9;
  EXPECT_EQ(h.create(level),
            "spec.limited.limitResponse.queuing.handSize: Invalid value: 9: should not be greater than queues (4)");
  limited.limit_response.queuing->hand_size = 2;
  EXPECT_EQ(h.create(level), "");
  EXPECT_EQ(h.cells(level), "fco|Limited|30|4|2|50|<unknown>");
  level.metadata.name = "exempt";
  level.spec = {};
  level.spec.type = "Limited";
  level.spec.exempt.ensure();
  EXPECT_THAT(
      h.create(level),
      HasSubstr("spec: Invalid value: {\"Type\":\"Limited\",\"Limited\":null,\"Exempt\":{"
                "\"NominalConcurrencyShares\":0,\"LendablePercent\":0}}: spec of 'exempt' except the 'spec.exempt' "
                "field must equal the fixed value"));
}

TEST(FlowSchema, Rules) {
  RulesHarness h(flow_schema_rules());
  flowcontrol::v1::FlowSchema schema;
  schema.metadata.name = "f";
  schema.spec.priority_level_configuration.name = "workload-low";
  schema.spec.distinguisher_method.ensure().type = "X";
  EXPECT_EQ(h.create(schema),
            "spec.distinguisherMethod.type: Unsupported value: {\"Type\":\"X\"}: supported values: \"ByNamespace\", "
            "\"ByUser\"");
  schema.spec.distinguisher_method->type = "ByUser";
  auto& rule = schema.spec.rules.emplace_back();
  rule.subjects.resize(1);
  rule.subjects[0].kind = "X";
  rule.resource_rules.resize(1);
  EXPECT_EQ(
      h.create(schema),
      "[spec.rules[0].subjects[0].kind: Unsupported value: \"X\": supported values: \"Group\", \"ServiceAccount\", "
      "\"User\", spec.rules[0].resourceRules[0].verbs: Required value: verbs must contain at least one value, "
      "spec.rules[0].resourceRules[0].apiGroups: Required value: resource rules must supply at least one api group, "
      "spec.rules[0].resourceRules[0].resources: Required value: resource rules must supply at least one resource, "
      "spec.rules[0].resourceRules[0].namespaces: Required value: resource rules that are not cluster scoped must "
      "supply at least one namespace]");
  EXPECT_EQ(h.cells(schema), "f|workload-low|1000|ByUser|<unknown>|?");
}

autoscaling::v2::HorizontalPodAutoscaler autoscaler() {
  autoscaling::v2::HorizontalPodAutoscaler object;
  object.metadata.name = "h";
  object.spec.scale_target_ref.kind = "Deployment";
  object.spec.scale_target_ref.name = "d";
  object.spec.scale_target_ref.api_version = "apps/v1";
  object.spec.max_replicas = 3;
  return object;
}

TEST(HorizontalPodAutoscaler, Rules) {
  RulesHarness h(horizontal_pod_autoscaler_rules());
  auto object = autoscaler();
  EXPECT_EQ(h.create(object), "");
  EXPECT_EQ(h.cells(object), "h|Deployment/d|cpu: <unknown>/80%|1|3|0|<unknown>");
  object = autoscaler();
  object.spec.max_replicas = 0;
  EXPECT_EQ(h.create(object),
            "[spec.maxReplicas: Invalid value: 0: must be greater than 0, spec.maxReplicas: Invalid value: 0: must be "
            "greater than or equal to `minReplicas`]");
  object = autoscaler();
  object.spec.min_replicas = 0;
  EXPECT_EQ(h.create(object),
            "[spec.minReplicas: Invalid value: 0: must be greater than or equal to 1, spec.metrics: Forbidden: must "
            "specify at least one Object or External metric to support scaling to zero replicas]");
  object = autoscaler();
  object.spec.scale_target_ref = {};
  object.spec.scale_target_ref.name = "A/B";
  EXPECT_EQ(
      h.create(object),
      "[spec.scaleTargetRef.kind: Required value, spec.scaleTargetRef.name: Invalid value: \"A/B\": may not contain "
      "'/', spec.scaleTargetRef.apiVersion: Invalid value: \"\": apiVersion must specify API group]");
  object = autoscaler();
  object.spec.metrics.resize(1);
  object.spec.metrics[0].type = "Resource";
  EXPECT_EQ(h.create(object),
            "spec.metrics[0].resource: Required value: must populate information for the given metric source");
  object = autoscaler();
  object.spec.behavior.ensure();
  EXPECT_EQ(h.create(object), "");
  EXPECT_EQ(object.spec.behavior->scale_up->policies.size(), 2U);
}

TEST(HorizontalPodAutoscaler, ConvertsTheCpuTarget) {
  RulesHarness h(horizontal_pod_autoscaler_rules());
  auto object = autoscaler();
  h.create(object);
  autoscaling::v1::HorizontalPodAutoscaler served;
  autoscaler_from_stored(object, served);
  EXPECT_EQ(served.spec.target_cpu_utilization_percentage, 80);
  EXPECT_EQ(served.spec.scale_target_ref.name, "d");
  autoscaling::v2::HorizontalPodAutoscaler back;
  autoscaler_to_stored(served, back);
  EXPECT_EQ(back, object);
}

}  // namespace
}  // namespace api
