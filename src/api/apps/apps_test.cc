#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "api/shared/rules_test.h"
#include "gen/apps/v1.h"

namespace api {
namespace {

using apps::v1::Deployment;
using apps::v1::StatefulSet;

void fill_template(core::v1::PodTemplateSpec& pods) {
  pods.metadata.labels["app"] = "a";
  pods.spec.containers.resize(1);
  pods.spec.containers[0].name = "c";
  pods.spec.containers[0].image = "img:1";
}

template <typename T>
T workload() {
  T object;
  object.metadata.name = "d";
  object.spec.selector.ensure().match_labels["app"] = "a";
  fill_template(object.spec.template_);
  return object;
}

object::IntOrString number(int32_t value) { return {.type = 0, .int_val = value, .str_val = ""}; }

TEST(Deployment, Defaults) {
  RulesHarness h(deployment_rules());
  auto object = workload<Deployment>();
  object.status.replicas = 5;
  EXPECT_EQ(h.create(object), "");
  EXPECT_EQ(object.spec.replicas, 1);
  EXPECT_EQ(object.spec.strategy.rolling_update->max_surge->str_val, "25%");
  EXPECT_EQ(object.spec.revision_history_limit, 10);
  EXPECT_EQ(object.spec.progress_deadline_seconds, 600);
  EXPECT_EQ(object.status.replicas, 0);
  EXPECT_EQ(object.metadata.generation, 1);
  EXPECT_EQ(h.cells(object), "d|0/1|0|0|<unknown>|c|img:1|app=a");
  EXPECT_EQ(h.rules().scale_any(&object)->selector, "app=a");
  EXPECT_TRUE(h.warnings.empty());
}

struct Case {
  const char* expected;
  void (*change)(Deployment&);
};

TEST(Deployment, Invalid) {
  const Case cases[] = {
      {"[spec.selector: Required value, spec.template.metadata.labels: Invalid value: {\"app\":\"a\"}: `selector` does "
       "not match template `labels`]",
       [](auto& d) { d.spec.selector.reset(); }},
      {"spec.selector: Invalid value: {}: empty selector is invalid for deployment",
       [](auto& d) { d.spec.selector->match_labels.clear(); }},
      {"spec.template.metadata.labels: Invalid value: {\"app\":\"a\"}: `selector` does not match template `labels`",
       [](auto& d) { d.spec.selector->match_labels["app"] = "b"; }},
      {"[spec.template.metadata.labels: Invalid value: null: `selector` does not match template `labels`, "
       "spec.template.spec.containers: Required value]",
       [](auto& d) { d.spec.template_ = {}; }},
      {"spec.replicas: Invalid value: -1: must be greater than or equal to 0", [](auto& d) { d.spec.replicas = -1; }},
      {"spec.template.spec.restartPolicy: Unsupported value: \"Never\": supported values: \"Always\"",
       [](auto& d) { d.spec.template_.spec.restart_policy = "Never"; }},
      {"spec.template.spec.activeDeadlineSeconds: Forbidden: activeDeadlineSeconds in ReplicaSet is not Supported",
       [](auto& d) { d.spec.template_.spec.active_deadline_seconds = 5; }},
      {"spec.strategy: Unsupported value: {\"Type\":\"Bogus\",\"RollingUpdate\":null}: supported values: \"Recreate\", "
       "\"RollingUpdate\"",
       [](auto& d) { d.spec.strategy.type = "Bogus"; }},
      {"spec.strategy.rollingUpdate: Forbidden: may not be specified when strategy `type` is 'Recreate'",
       [](auto& d) {
         d.spec.strategy.type = "Recreate";
         d.spec.strategy.rolling_update.ensure();
       }},
      {"spec.strategy.rollingUpdate.maxUnavailable: Invalid value: 0: may not be 0 when `maxSurge` is 0",
       [](auto& d) {
         d.spec.strategy.rolling_update.ensure().max_unavailable = number(0);
         d.spec.strategy.rolling_update->max_surge = number(0);
       }},
      {"spec.progressDeadlineSeconds: Invalid value: 10: must be greater than minReadySeconds",
       [](auto& d) {
         d.spec.min_ready_seconds = 10;
         d.spec.progress_deadline_seconds = 10;
       }},
      {"[spec.selector.matchExpressions[0].operator: Invalid value: \"Like\": not a valid selector operator, "
       "spec.selector: Invalid value: {\"matchExpressions\":[{\"key\":\"a\",\"operator\":\"Like\"}]}: invalid label "
       "selector]",
       [](auto& d) {
         d.spec.selector->match_labels.clear();
         d.spec.selector->match_expressions.push_back({});
         d.spec.selector->match_expressions[0].key = "a";
         d.spec.selector->match_expressions[0].operator_ = "Like";
       }},
  };
  for (const auto& [expected, change] : cases) {
    RulesHarness h(deployment_rules());
    auto object = workload<Deployment>();
    change(object);
    EXPECT_EQ(h.create(object), expected);
  }
}

TEST(Deployment, UpdateAndStatus) {
  RulesHarness h(deployment_rules());
  auto old = workload<Deployment>();
  h.create(old);
  auto same = old;
  same.status.replicas = 4;
  EXPECT_EQ(h.update(same, old), "");
  EXPECT_EQ(same, old);
  auto annotated = old;
  annotated.metadata.annotations["a"] = "b";
  h.update(annotated, old);
  EXPECT_EQ(annotated.metadata.generation, 2);
  auto other = old;
  other.spec.selector->match_labels["app"] = "b";
  other.spec.template_.metadata.labels["app"] = "b";
  EXPECT_EQ(h.update(other, old),
            "spec.selector: Invalid value: {\"matchLabels\":{\"app\":\"b\"}}: field is immutable");
  auto status = old;
  status.spec.replicas = 9;
  status.status.replicas = -2;
  EXPECT_EQ(
      h.update("status", status, old),
      "[status.replicas: Invalid value: -2: must be greater than or equal to 0, status.updatedReplicas: Invalid "
      "value: 0: cannot be greater than status.replicas, status.readyReplicas: Invalid value: 0: cannot be greater "
      "than status.replicas, status.availableReplicas: Invalid value: 0: cannot be greater than status.replicas]");
  EXPECT_EQ(status.spec.replicas, 1);
}

TEST(ReplicaSet, Rules) {
  RulesHarness h(replica_set_rules());
  auto object = workload<apps::v1::ReplicaSet>();
  EXPECT_EQ(h.create(object), "");
  EXPECT_EQ(h.cells(object), "d|1|0|0|<unknown>|c|img:1|app=a");
  object.metadata.name = "a.b";
  h.create(object);
  EXPECT_THAT(h.warnings, ::testing::ElementsAre(::testing::StartsWith("metadata.name: this is used in Pod names")));
}

TEST(StatefulSet, Rules) {
  RulesHarness h(stateful_set_rules());
  auto old = workload<StatefulSet>();
  EXPECT_EQ(h.create(old), "");
  EXPECT_EQ(old.spec.update_strategy.rolling_update->partition, 0);
  EXPECT_EQ(old.spec.persistent_volume_claim_retention_policy->when_deleted, "Retain");
  EXPECT_EQ(h.cells(old), "d|0/1|<unknown>|c|img:1");
  auto object = workload<StatefulSet>();
  object.spec.pod_management_policy = "X";
  EXPECT_EQ(h.create(object), "spec.podManagementPolicy: Invalid value: \"X\": must be 'OrderedReady' or 'Parallel'");
  object = workload<StatefulSet>();
  object.spec.update_strategy.type = "OnDelete";
  object.spec.update_strategy.rolling_update.ensure().partition = 1;
  EXPECT_EQ(h.create(object),
            "spec.updateStrategy.rollingUpdate: Invalid value: {\"Partition\":1,\"MaxUnavailable\":null}: only allowed "
            "for updateStrategy 'RollingUpdate'");
  object = old;
  object.spec.service_name = "other";
  EXPECT_EQ(
      h.update(object, old),
      "spec: Forbidden: updates to statefulset spec for fields other than 'replicas', 'ordinals', 'template', "
      "'updateStrategy', 'revisionHistoryLimit', 'persistentVolumeClaimRetentionPolicy' and 'minReadySeconds' are "
      "forbidden");
  object = old;
  object.spec.replicas = 3;
  EXPECT_EQ(h.update(object, old), "");
  EXPECT_EQ(object.metadata.generation, 2);
}

TEST(DaemonSet, CountsTemplatesInAnAnnotationThatIsThereFromTheDefaultsOn) {
  const auto rules = daemon_set_rules();
  apps::v1::DaemonSet object;
  rules->set_defaults_any(&object);
  EXPECT_EQ(object.metadata.annotations[std::string(rules->converted_annotation())], "0");
  object.metadata.annotations[std::string(rules->converted_annotation())] = "7";
  rules->set_defaults_any(&object);
  EXPECT_EQ(object.metadata.annotations[std::string(rules->converted_annotation())], "7");
}

TEST(Deployment, ItsStatusOwnsNoLabels) {
  EXPECT_EQ(deployment_rules()->reset_fields("status"), (std::vector<std::string_view>{".spec", ".metadata.labels"}));
}

TEST(DaemonSet, Rules) {
  RulesHarness h(daemon_set_rules());
  auto object = workload<apps::v1::DaemonSet>();
  EXPECT_EQ(h.create(object), "");
  constexpr const char* kAnnotation = "deprecated.daemonset.template.generation";
  EXPECT_EQ(object.metadata.annotations[kAnnotation], "1");
  EXPECT_EQ(h.cells(object), "d|0|0|0|0|0|<none>|<unknown>|c|img:1|app=a");
  auto changed = object;
  changed.metadata.annotations.clear();
  changed.spec.template_.spec.containers[0].image = "img:2";
  EXPECT_EQ(h.update(changed, object), "");
  EXPECT_EQ(changed.metadata.annotations[kAnnotation], "2");
  changed.spec.update_strategy.rolling_update->max_unavailable = number(0);
  EXPECT_EQ(h.create(changed),
            "spec.updateStrategy.rollingUpdate.maxUnavailable: Required value: cannot be 0 when maxSurge is 0");
}

TEST(ControllerRevision, Rules) {
  RulesHarness h(controller_revision_rules());
  apps::v1::ControllerRevision object;
  object.metadata.name = "r";
  object.revision = -1;
  EXPECT_EQ(
      h.create(object),
      "[data: Required value: data is mandatory, revision: Invalid value: -1: must be greater than or equal to 0]");
  object.revision = 1;
  object.data.raw = "{\"a\":1}";
  auto changed = object;
  // The same value in other bytes is another value (recorded: crud-apps/s010).
  changed.data.raw = "{ \"a\": 1 }";
  EXPECT_EQ(h.update(changed, object), "data: Invalid value: { \"a\": 1 }: field is immutable");
  changed.data.raw = "{\"a\":null}";
  EXPECT_EQ(h.update(changed, object), "data: Invalid value: {\"a\":null}: field is immutable");
  object.metadata.owner_references.resize(1);
  auto& owner = object.metadata.owner_references[0];
  owner.api_version = "apps/v1";
  owner.kind = "StatefulSet";
  owner.name = "web";
  owner.controller = true;
  EXPECT_EQ(h.cells(object), "r|statefulset.apps/web|1|<unknown>");
}

TEST(ReplicationController, Rules) {
  RulesHarness h(replication_controller_rules());
  core::v1::ReplicationController object;
  object.metadata.name = "rc";
  fill_template(object.spec.template_.ensure());
  EXPECT_EQ(h.create(object), "");
  EXPECT_EQ(object.spec.selector.at("app"), "a");
  EXPECT_EQ(object.metadata.labels.at("app"), "a");
  EXPECT_EQ(h.cells(object), "rc|1|0|0|<unknown>|c|img:1|app=a");
  EXPECT_EQ(h.rules().default_propagation(), DefaultPropagation::kOrphan);
  object.spec.selector.clear();
  object.spec.template_->metadata.labels.clear();
  EXPECT_EQ(h.create(object), "spec.selector: Required value");
}

}  // namespace
}  // namespace api
