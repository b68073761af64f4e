// Kinds of versions that are off by default, and conversions between versions.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "api/autoscaling/horizontal_pod_autoscaler.h"
#include "api/resource/resource_v1beta1.h"
#include "api/shared/rules_test.h"
#include "gen/apiserverinternal/v1alpha1.h"
#include "gen/coordination/v1beta1.h"
#include "gen/resource/v1alpha3.h"
#include "gen/scheduling/v1alpha1.h"
#include "gen/storagemigration/v1beta1.h"
#include "object/time.h"

namespace api {
namespace {

using ::testing::HasSubstr;

std::string create_candidate(const std::string& binary, const std::string& emulation,
                             const std::string& strategy = "OldestEmulationVersion") {
  RulesHarness h(lease_candidate_rules());
  coordination::v1beta1::LeaseCandidate candidate;
  candidate.metadata.name = "c";
  candidate.spec.lease_name = "l";
  candidate.spec.binary_version = binary;
  candidate.spec.emulation_version = emulation;
  candidate.spec.strategy = strategy;
  return h.create(candidate);
}

TEST(LeaseCandidate, Versions) {
  EXPECT_EQ(create_candidate("1.35.0", "1.34.0"), "");
  EXPECT_EQ(create_candidate("1.35.0", "1.35.0-rc.1+build.7"), "");
  EXPECT_EQ(create_candidate("1.35.0-rc.1", "1.35.0"),
            "spec.binaryVersion: Invalid value: \"1.35.0-rc.1\": must be greater than or equal to `emulationVersion`");
  EXPECT_EQ(create_candidate("1.35.0-rc.10", "1.35.0-rc.9"), "");
  EXPECT_EQ(create_candidate("v1.35", "1.34.0"),
            "[spec.binaryVersion: Invalid value: \"v1.35\": must be a valid semantic version, spec.binaryVersion: "
            "Invalid value: \"v1.35\": must be greater than or equal to `emulationVersion`]");
  EXPECT_EQ(create_candidate("01.2.3", "", "example.com/mine"),
            "spec.binaryVersion: Invalid value: \"01.2.3\": must be a valid semantic version");
  EXPECT_EQ(create_candidate("1.0.0", "", "example.com/mine"), "");
  EXPECT_EQ(create_candidate("1.0.0", "1.0.0", "Mine"),
            "spec.strategy.strategy: Unsupported value: \"Mine\": supported values: \"OldestEmulationVersion\"");
  EXPECT_EQ(create_candidate("1.0.0", ""),
            "spec.emulationVersion: Required value: must be specified when `strategy` is 'OldestEmulationVersion'");
}

TEST(Workload, Rules) {
  using scheduling::v1alpha1::Workload;
  RulesHarness h(workload_rules());
  auto workload = from_json<Workload>(
      R"({"metadata":{"name":"w"},"spec":{"controllerRef":{"kind":"Job","name":"a/b"},"podGroups":[
          {"name":"g","policy":{"gang":{"minCount":0}}},{"name":"g","policy":{}},
          {"name":"B","policy":{"basic":{},"gang":{"minCount":1}}}]}})");
  EXPECT_EQ(
      h.create(workload),
      "[spec.controllerRef.name: Invalid value: \"a/b\": may not contain '/', spec.podGroups[0].policy.gang.minCount: "
      "Invalid value: 0: must be greater than 0, spec.podGroups[1].name: Duplicate value: \"g\", "
      "spec.podGroups[1].policy: Required value: exactly one of `basic`, `gang` is required, spec.podGroups[2].name: "
      "Invalid value: \"B\": a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', "
      "and must start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for "
      "validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?'), spec.podGroups[2].policy: Invalid value: \"{`basic`, "
      "`gang`}\": exactly one of `basic`, `gang` is required, but multiple fields are set]");
  auto good = from_json<Workload>(R"({"spec":{"podGroups":[{"name":"g","policy":{"gang":{"minCount":1}}}]}})");
  EXPECT_EQ(h.create(good), "");
  auto changed = good;
  changed.spec.pod_groups[0].policy.gang->min_count = 2;
  EXPECT_EQ(
      h.update(changed, good),
      R"(podGroups: Invalid value: [{"Name":"g","Policy":{"Basic":null,"Gang":{"MinCount":2}}}]: field is immutable)");
}

TEST(DeviceTaintRule, Rules) {
  using resource::v1alpha3::DeviceTaintRule;
  RulesHarness h(device_taint_rule_rules());
  h.context.now = object::to_wall_time(*object::parse_time("2026-01-02T03:04:05Z"));
  auto rule = from_json<DeviceTaintRule>(
      R"({"metadata":{"name":"t"},"spec":{"deviceSelector":{"driver":"A.example"},"taint":{"key":"a/b","effect":"None"}}})");
  EXPECT_EQ(h.create(rule), "");
  EXPECT_EQ(rule.metadata.generation, 1);
  EXPECT_EQ(object::format_time(*rule.spec.taint.time_added), "2026-01-02T03:04:05Z");
  EXPECT_EQ(h.cells(rule), "t|a/b||None|0s|<unknown>");
  auto changed = rule;
  changed.spec.taint.effect = "Other";
  EXPECT_EQ(
      h.update(changed, rule),
      "spec.taint.effect: Unsupported value: \"Other\": supported values: \"NoExecute\", \"NoSchedule\", \"None\"");
  EXPECT_EQ(h.update(changed, changed), "") << "what is stored already is let through";
  rule.status.conditions.resize(1);
  rule.status.conditions[0].type = "T";
  rule.status.conditions[0].status = "Maybe";
  rule.status.conditions[0].reason = "has space";
  EXPECT_THAT(h.update("status", rule, rule), HasSubstr("status.conditions[0].status: Unsupported value: \"Maybe\""));
  EXPECT_THAT(h.update("status", rule, rule), HasSubstr("status.conditions[0].lastTransitionTime: Required value"));
  EXPECT_THAT(h.update("status", rule, rule), HasSubstr("a condition reason must start with alphabetic character"));
}

TEST(StorageVersion, StatusIsConsistent) {
  using apiserverinternal::v1alpha1::StorageVersion;
  RulesHarness h(storage_version_rules());
  const auto status = [&](const std::string& json) {
    auto object = from_json<StorageVersion>(R"({"metadata":{"name":"apps.deployments"},"status":)" + json + "}");
    return h.update("status", object, object);
  };
  EXPECT_EQ(status(R"({"storageVersions":[{"apiServerID":"a","encodingVersion":"v1","decodableVersions":["v1"]}],
                       "commonEncodingVersion":"v1"})"),
            "");
  EXPECT_EQ(status(R"({"storageVersions":[{"apiServerID":"a","encodingVersion":"v1","decodableVersions":["v2"],
                       "servedVersions":["v3"]}]})"),
            "[status.storageVersions[0].decodableVersions: Invalid value: [\"v2\"]: decodableVersions must include "
            "encodingVersion v1, status.storageVersions[0].servedVersions[0]: Invalid value: \"v3\": individual served "
            "version : v3 must be included in decodableVersions : [v2], status.commonEncodingVersion: Invalid value: "
            "null: the common encoding version is v1]");
  EXPECT_THAT(status(R"({"commonEncodingVersion":"v1"})"), HasSubstr("should be nil if servers do not agree"));
  EXPECT_EQ(h.rules().name_validator()("nodots", NameUse::kName),
            std::vector<std::string>{"name must be in the form of <group>.<resource>"});
}

TEST(StorageVersionMigration, States) {
  using storagemigration::v1beta1::StorageVersionMigration;
  RulesHarness h(storage_version_migration_rules());
  StorageVersionMigration migration;
  EXPECT_EQ(h.create(migration), "spec.resource.resource: Required value: resource is required to be set");
  migration.metadata.name = "m";
  migration.spec.resource.resource = "deployments";
  migration.spec.resource.group = "apps";
  EXPECT_EQ(h.create(migration), "");
  EXPECT_EQ(h.cells(migration), "m|deployments.apps|Unknown");
  auto done = migration;
  EXPECT_EQ(h.update("status", done, migration),
            "status.resourceVersion: Invalid value: \"\": resource version is not well formed: ");
  done.status.resource_version = "5";
  for (const char* type : {"Succeeded", "Running"}) {
    auto& condition = done.status.conditions.emplace_back();
    condition.type = type;
    condition.status = "True";
    condition.reason = "R";
    condition.last_transition_time.seconds = 0;
  }
  EXPECT_THAT(h.update("status", done, migration),
              HasSubstr("Running condition cannot be true when success condition"));
  done.status.conditions.pop_back();
  EXPECT_EQ(h.update("status", done, migration), "");
  EXPECT_EQ(h.cells(done), "m|deployments.apps|Succeeded");
  auto back = done;
  back.status.conditions[0].status = "False";
  EXPECT_THAT(h.update("status", back, done), HasSubstr("Success condition cannot be set to false once it is true"));
}

TEST(ResourceV1Beta1, ClaimsAreStoredInTheOtherShape) {
  namespace v1 = resource::v1;
  namespace v1beta1 = resource::v1beta1;
  const std::string json =
      R"({"metadata":{"name":"c"},"spec":{"devices":{"requests":[{"name":"a","deviceClassName":"x","adminAccess":true},)"
      R"({"name":"b","firstAvailable":[{"name":"s","deviceClassName":"y"}]}]}},"status":{}})";
  auto claim = from_json<v1beta1::ResourceClaim>(json);
  resource_claim_v1beta1_defaults(claim);
  v1::ResourceClaim stored;
  resource_claim_to_stored(claim, stored);
  const auto& requests = stored.spec.devices.requests;
  ASSERT_EQ(requests.size(), 2u);
  EXPECT_EQ(requests[0].exactly->device_class_name, "x");
  EXPECT_EQ(requests[0].exactly->allocation_mode, "ExactCount");
  EXPECT_EQ(requests[0].exactly->admin_access, true);
  EXPECT_FALSE(requests[1].exactly);
  EXPECT_EQ(requests[1].first_available[0].count, 1);
  v1beta1::ResourceClaim again;
  resource_claim_from_stored(stored, again);
  EXPECT_EQ(again, claim);
}

TEST(ResourceV1Beta1, SlicesAreStoredInTheOtherShape) {
  auto slice = from_json<resource::v1beta1::ResourceSlice>(
      R"({"spec":{"driver":"d","nodeName":"n","allNodes":true,"pool":{"name":"p","resourceSliceCount":1},"devices":[
          {"name":"x","basic":{"attributes":{"a":{"int":1}},"nodeName":"m"}},{"name":"y"}]}})");
  resource::v1::ResourceSlice stored;
  resource_slice_to_stored(slice, stored);
  EXPECT_EQ(stored.spec.devices[0].attributes["a"].int_, 1);
  EXPECT_EQ(stored.spec.devices[0].node_name, "m");
  resource::v1beta1::ResourceSlice again;
  resource_slice_from_stored(stored, again);
  slice.spec.devices[1].basic.ensure();
  EXPECT_EQ(again, slice);
  resource::v1::ResourceSlice plain;
  resource_slice_to_stored({}, plain);
  EXPECT_FALSE(plain.spec.node_name);
  EXPECT_FALSE(plain.spec.all_nodes);
}

// What v1 has no fields for goes through its annotations and back.
TEST(AutoscalerV1, AnnotationsCarryTheRest) {
  const std::string json =
      R"({"metadata":{"name":"h"},"spec":{"scaleTargetRef":{"kind":"D","name":"d"},"minReplicas":1,"maxReplicas":5,"metrics":[)"
      R"({"type":"Resource","resource":{"name":"cpu","target":{"type":"Utilization","averageUtilization":60}}},)"
      R"({"type":"Object","object":{"describedObject":{"kind":"I","name":"i"},"target":{"type":"Value","value":"2"},)"
      R"("metric":{"name":"m"}}},)"
      R"({"type":"External","external":{"metric":{"name":"e","selector":{"matchLabels":{"a":"<b>"}}},)"
      R"("target":{"type":"AverageValue","averageValue":"1k"}}}],)"
      R"("behavior":{"scaleUp":{"stabilizationWindowSeconds":0,"selectPolicy":"Max","policies":[)"
      R"({"type":"Pods","value":4,"periodSeconds":15}],"tolerance":"100m"}}},)"
      R"("status":{"desiredReplicas":2,"currentMetrics":[{"type":"Resource","resource":{"name":"cpu","current":{)"
      R"("averageValue":"5m","averageUtilization":50}}}],"conditions":[{"type":"AbleToScale","status":"True",)"
      R"("lastTransitionTime":"2026-01-02T03:04:05Z"}]}})";
  const auto stored = from_json<autoscaling::v2::HorizontalPodAutoscaler>(json);
  autoscaling::v1::HorizontalPodAutoscaler served;
  autoscaler_from_stored(stored, served);
  auto& annotations = served.metadata.annotations;
  EXPECT_EQ(annotations["autoscaling.alpha.kubernetes.io/metrics"],
            R"([{"type":"Object","object":{"target":{"kind":"I","name":"i"},"metricName":"m","targetValue":"2"}},)"
            R"({"type":"External","external":{"metricName":"e","metricSelector":{"matchLabels":{"a":"\u003cb\u003e"}},)"
            R"("targetAverageValue":"1k"}}])");
  EXPECT_EQ(annotations["autoscaling.alpha.kubernetes.io/behavior"],
            R"({"ScaleUp":{"StabilizationWindowSeconds":0,"SelectPolicy":"Max","Policies":[{"Type":"Pods","Value":4,)"
            R"("PeriodSeconds":15}],"Tolerance":"100m"},"ScaleDown":null})");
  EXPECT_EQ(
      annotations["autoscaling.alpha.kubernetes.io/current-metrics"],
      R"([{"type":"Resource","resource":{"name":"cpu","currentAverageUtilization":50,"currentAverageValue":"5m"}}])");
  EXPECT_EQ(annotations["autoscaling.alpha.kubernetes.io/conditions"],
            R"([{"type":"AbleToScale","status":"True","lastTransitionTime":"2026-01-02T03:04:05Z"}])");
  EXPECT_EQ(served.spec.target_cpu_utilization_percentage, 60);
  EXPECT_EQ(served.status.current_cpu_utilization_percentage, 50);
  autoscaling::v2::HorizontalPodAutoscaler again;
  autoscaler_to_stored(served, again);
  EXPECT_TRUE(again.metadata.annotations.empty());
  // The CPU target comes last.
  auto expected = stored;
  std::rotate(expected.spec.metrics.begin(), expected.spec.metrics.begin() + 1, expected.spec.metrics.end());
  EXPECT_EQ(to_json(again), to_json(expected));
  annotations["autoscaling.alpha.kubernetes.io/metrics"] = "nonsense";
  annotations["autoscaling.alpha.kubernetes.io/behavior"] = R"({"scaledown":[]})";
  served.spec.target_cpu_utilization_percentage.reset();
  autoscaler_to_stored(served, again);
  ASSERT_EQ(again.spec.metrics.size(), 1u) << "what cannot be read is dropped";
  EXPECT_EQ(again.spec.metrics[0].resource->target.average_utilization, 80);
  EXPECT_FALSE(again.spec.behavior);
}

}  // namespace
}  // namespace api
