// The kinds of storage, admission registration, API registration and devices.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "api/shared/rules_test.h"
#include "gen/admissionregistration/v1.h"
#include "gen/apiregistration/v1.h"
#include "gen/node/v1.h"
#include "gen/resource/v1.h"
#include "gen/storage/v1.h"

namespace api {
namespace {

using ::testing::ElementsAre;
using ::testing::StartsWith;

TEST(StorageClass, Rules) {
  RulesHarness h(storage_class_rules());
  storage::v1::StorageClass object;
  object.metadata.name = "s";
  EXPECT_EQ(h.create(object), "provisioner: Required value");
  object.provisioner = "p.example/x";
  object.metadata.annotations["storageclass.kubernetes.io/is-default-class"] = "true";
  EXPECT_EQ(h.create(object), "");
  EXPECT_EQ(h.cells(object), "s (default)|p.example/x|Delete|Immediate|false|<unknown>");
  auto changed = object;
  changed.parameters["a"] = "b";
  EXPECT_EQ(h.update(changed, object), "parameters: Forbidden: updates to parameters are forbidden.");
}

TEST(CSIDriver, Rules) {
  RulesHarness h(csi_driver_rules());
  storage::v1::CSIDriver driver;
  driver.metadata.name = "d.example";
  driver.spec.token_requests.resize(1);
  driver.spec.token_requests[0].audience = "a";
  EXPECT_EQ(h.create(driver), "");
  EXPECT_THAT(h.warnings, ElementsAre(StartsWith("spec.serviceAccountTokenInSecrets is unset")));
  EXPECT_EQ(driver.spec.fs_group_policy, "ReadWriteOnceWithFSType");
  EXPECT_EQ(h.cells(driver), "d.example|true|false|false|a|false|Persistent|<unknown>");
  auto changed = driver;
  changed.spec.storage_capacity = true;
  h.warnings.clear();
  EXPECT_EQ(h.update(changed, driver), "");
  EXPECT_EQ(changed.metadata.generation, 1);
  EXPECT_TRUE(h.warnings.empty());  // it was so before
  driver.spec.token_requests.push_back(driver.spec.token_requests[0]);
  EXPECT_EQ(h.create(driver), "spec.tokenRequests[1].audience: Duplicate value: \"a\"");
}

TEST(VolumeAttachment, Rules) {
  RulesHarness h(volume_attachment_rules());
  storage::v1::VolumeAttachment object;
  object.metadata.name = "v";
  object.spec.attacher = "a.example";
  object.spec.node_name = "n";
  object.status.attached = true;
  EXPECT_EQ(h.create(object),
            "spec.source: Required value: must specify exactly one of inlineVolumeSpec and persistentVolumeName");
  EXPECT_FALSE(object.status.attached);
  object.spec.source.persistent_volume_name = "pv";
  EXPECT_EQ(h.create(object), "");
  EXPECT_EQ(h.cells(object), "v|a.example|pv|n|false|<unknown>");
}

TEST(RuntimeClass, Rules) {
  RulesHarness h(runtime_class_rules());
  node::v1::RuntimeClass object;
  object.handler = "h";
  EXPECT_EQ(h.create(object), "");
  auto changed = object;
  changed.handler = "i";
  EXPECT_EQ(h.update(changed, object), "handler: Invalid value: \"i\": field is immutable");
}

TEST(WebhookConfiguration, Rules) {
  RulesHarness h(mutating_webhook_configuration_rules());
  admissionregistration::v1::MutatingWebhookConfiguration object;
  object.metadata.name = "m";
  auto& hook = object.webhooks.emplace_back();
  hook.name = "w.example.com";
  hook.client_config.url = "https://w.example.com/x";
  hook.admission_review_versions = {"v1"};
  hook.side_effects = "None";
  EXPECT_EQ(h.create(object), "");
  EXPECT_EQ(hook.timeout_seconds, 10);
  EXPECT_EQ(hook.reinvocation_policy, "Never");
  EXPECT_EQ(h.cells(object), "m|1|<unknown>");
  hook.client_config.url = "http://w.example.com/x";
  EXPECT_EQ(h.create(object),
            "webhooks[0].clientConfig.url: Invalid value: \"http\": 'https' is the only allowed URL scheme; desired "
            "format: https://host[/path]");
  hook.client_config.url.reset();
  EXPECT_EQ(h.create(object), "webhooks[0].clientConfig: Required value: exactly one of url or service is required");
}

TEST(ValidatingAdmissionPolicy, Rules) {
  RulesHarness h(validating_admission_policy_rules());
  admissionregistration::v1::ValidatingAdmissionPolicy policy;
  policy.metadata.name = "p";
  auto& match = policy.spec.match_constraints.ensure();
  auto& rule = match.resource_rules.emplace_back().rule_with_operations;
  rule.operations = {"CREATE"};
  rule.rule.api_groups = rule.rule.api_versions = rule.rule.resources = {"*"};
  policy.spec.validations.resize(1);
  EXPECT_EQ(h.create(policy), "spec.validations[0].expression: Required value: expression is not specified");
  EXPECT_EQ(rule.rule.scope, "*");
  policy.spec.validations[0].expression = "true";
  EXPECT_EQ(h.create(policy), "");
  EXPECT_EQ(h.cells(policy), "p|1|<unset>|<unknown>");

  RulesHarness b(validating_admission_policy_binding_rules());
  admissionregistration::v1::ValidatingAdmissionPolicyBinding binding;
  binding.metadata.name = "b";
  binding.spec.policy_name = "p";
  binding.spec.validation_actions = {"Deny"};
  auto& parameters = binding.spec.param_ref.ensure();
  parameters.name = "x";
  parameters.parameter_not_found_action = "Allow";
  EXPECT_EQ(b.create(binding), "");
  EXPECT_EQ(b.cells(binding), "b|p|*/x|<unknown>");
}

TEST(APIService, Rules) {
  RulesHarness h(api_service_rules());
  apiregistration::v1::APIService object;
  object.metadata.name = "v1.y.example";
  object.spec.group = "y.example";
  object.spec.version = "v1";
  object.spec.group_priority_minimum = 100;
  object.spec.version_priority = 10;
  EXPECT_EQ(h.create(object), "");
  EXPECT_EQ(h.cells(object), "v1.y.example|Local|True|<unknown>");
  object.spec.version = "v2";
  EXPECT_EQ(
      h.create(object),
      "metadata.name: Invalid value: \"v1.y.example\": must be `spec.version+\".\"+spec.group`: \"v2.y.example\"");
}

TEST(ResourceClaim, Rules) {
  RulesHarness h(resource_claim_rules());
  resource::v1::ResourceClaim claim;
  claim.metadata.name = "c";
  auto& request = claim.spec.devices.requests.emplace_back();
  request.name = "r";
  EXPECT_EQ(h.create(claim),
            "spec.devices.requests[0]: Required value: exactly one of `exactly` or `firstAvailable` is required");
  request.exactly.ensure().device_class_name = "gpu.example";
  EXPECT_EQ(h.create(claim), "");
  EXPECT_EQ(request.exactly->allocation_mode, "ExactCount");
  EXPECT_EQ(request.exactly->count, 1);
  EXPECT_EQ(h.cells(claim), "c|pending|<unknown>");
  auto changed = claim;
  changed.spec.devices.requests[0].name = "other";
  EXPECT_EQ(h.update(changed, claim), "spec: Invalid value: {}: field is immutable");
}

}  // namespace
}  // namespace api
