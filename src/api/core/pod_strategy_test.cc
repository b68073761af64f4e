// What the server fills in: status, QoS, gates, selectors, warnings; binding; grace.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "api/core/pod.h"
#include "api/core/pod_spec.h"
#include "api/kinds.h"
#include "api/testing.h"

namespace api {
namespace {

using core::v1::Pod;
using ::testing::ElementsAre;

const std::string kNone = object::FieldErrors().to_string();

Pod minimal() {
  Pod pod;
  pod.metadata.name = "p1";
  auto& container = pod.spec.containers.emplace_back();
  container.name = "c", container.image = "img:1";
  return pod;
}

TEST(PodStrategy, NewPodsArePending) {
  Pod pod = minimal();
  pod.status.phase = "Running";
  pod.spec.scheduling_gates.emplace_back().name = "g";
  EXPECT_EQ(testing::create(*pod_rules(), pod), kNone);
  EXPECT_EQ(pod.metadata.generation, 1);
  EXPECT_EQ(pod.status.phase, "Pending");
  EXPECT_EQ(pod.status.qos_class, "BestEffort");
  ASSERT_EQ(pod.status.conditions.size(), 1U);
  EXPECT_EQ(pod.status.conditions[0].reason, "SchedulingGated");
  EXPECT_EQ(object::format_time(pod.status.conditions[0].last_transition_time), "2026-01-02T03:04:05Z");
}

TEST(PodStrategy, QosClass) {
  Pod pod = minimal();
  EXPECT_EQ(compute_qos_class(pod), "BestEffort");
  auto& resources = pod.spec.containers[0].resources;
  resources.requests = {{"cpu", {"1"}}};
  EXPECT_EQ(compute_qos_class(pod), "Burstable");
  resources.requests = {{"cpu", {"1"}}, {"memory", {"1Gi"}}};
  resources.limits = {{"cpu", {"1000m"}}, {"memory", {"1024Mi"}}};
  EXPECT_EQ(compute_qos_class(pod), "Guaranteed");
  pod.spec.init_containers.emplace_back().name = "i";
  EXPECT_EQ(compute_qos_class(pod), "Burstable");
}

TEST(PodStrategy, MergesLabelKeys) {
  Pod pod = minimal();
  pod.metadata.labels = {{"rev", "7"}};
  auto& constraint = pod.spec.topology_spread_constraints.emplace_back();
  constraint.max_skew = 1, constraint.topology_key = "z", constraint.when_unsatisfiable = "DoNotSchedule";
  constraint.label_selector.ensure();
  constraint.match_label_keys = {"rev"};
  EXPECT_EQ(testing::create(*pod_rules(), pod), kNone);
  const auto& expressions = pod.spec.topology_spread_constraints[0].label_selector->match_expressions;
  ASSERT_EQ(expressions.size(), 1U);
  EXPECT_EQ(expressions[0].operator_, "In");
  EXPECT_THAT(expressions[0].values, ElementsAre("7"));
}

TEST(PodStrategy, Warnings) {
  struct Case {
    void (*change)(Pod&);
    std::vector<std::string> expected;
  };
  const Case cases[] = {
      {[](Pod&) {}, {}},
      {[](Pod& p) { p.metadata.name = "a.b"; },
       {"metadata.name: this is used in the Pod's hostname, which can result in surprising behavior; a DNS label is "
        "recommended: [must not contain dots]"}},
      {[](Pod& p) { p.spec.containers[0].resources.limits["ephemeral-storage"] = {"100m"}; },
       {"spec.containers[0].resources.limits[ephemeral-storage]: fractional byte value \"100m\" is invalid, must be an "
        "integer",
        "spec.containers[0].resources.requests[ephemeral-storage]: fractional byte value \"100m\" is invalid, must be "
        "an "
        "integer"}},
      {[](Pod& p) { p.metadata.annotations["container.apparmor.security.beta.kubernetes.io/c"] = "unconfined"; },
       {"metadata.annotations[container.apparmor.security.beta.kubernetes.io/c]: deprecated since v1.30; use the "
        "\"appArmorProfile\" field instead"}},
      {[](Pod& p) {
         for (const char* value : {"1", "2"}) {
           auto& env = p.spec.containers[0].env.emplace_back();
           env.name = "A", env.value = value;
         }
       },
       {"spec.containers[0].env[1]: hides previous definition of \"A\", which may be dropped when using apply"}},
      {[](Pod& p) {
         for (int i = 0; i < 2; ++i) p.spec.containers[0].ports.emplace_back().container_port = 80;
       },
       {"spec.containers[0].ports[1]: duplicate port definition with spec.containers[0].ports[0]"}},
      {[](Pod& p) { p.spec.node_selector["beta.kubernetes.io/os"] = "linux"; },
       {"spec.nodeSelector[beta.kubernetes.io/os]: deprecated since v1.14; use \"kubernetes.io/os\" instead"}},
  };
  for (const Case& each : cases) {
    Pod pod = minimal();
    each.change(pod);
    testing::Request request;
    EXPECT_EQ(testing::create(*pod_rules(), pod, request), kNone);
    EXPECT_EQ(request.warnings, each.expected);
  }
}

TEST(PodStrategy, DropsWhatIsOffByDefault) {
  Pod pod = minimal();
  pod.spec.workload_ref.ensure().name = "w";
  pod.spec.containers[0].lifecycle.ensure().stop_signal = "SIGTERM";
  EXPECT_EQ(testing::create(*pod_rules(), pod), kNone);
  EXPECT_FALSE(pod.spec.workload_ref);
  EXPECT_FALSE(pod.spec.containers[0].lifecycle);
}

TEST(PodStrategy, Grace) {
  const auto rules = pod_rules();
  Pod pod = minimal();
  rules->set_defaults_any(&pod);
  EXPECT_EQ(rules->grace_period_any(&pod, std::nullopt), 0);
  pod.spec.node_name = "n";
  EXPECT_EQ(rules->grace_period_any(&pod, std::nullopt), 30);
  EXPECT_EQ(rules->grace_period_any(&pod, 5), 5);
  EXPECT_EQ(rules->grace_period_any(&pod, -1), 1);
  pod.status.phase = "Failed";
  EXPECT_EQ(rules->grace_period_any(&pod, 5), 0);
}

TEST(PodStrategy, NegativeGraceBecomesASecond) {
  Pod pod = minimal();
  pod.spec.termination_grace_period_seconds = -5;
  EXPECT_EQ(testing::create(*pod_rules(), pod), kNone);
  EXPECT_EQ(pod.spec.termination_grace_period_seconds, 1);
}

TEST(Binding, Rules) {
  core::v1::Binding binding;
  object::FieldErrors errors;
  validate_binding(binding, errors);
  EXPECT_EQ(errors.to_string(), "target.name: Required value");
  binding.target.kind = "Zed", binding.target.name = "n";
  errors = {};
  validate_binding(binding, errors);
  EXPECT_EQ(errors.to_string(), "target.kind: Unsupported value: \"Zed\": supported values: \"Node\", \"<empty>\"");
}

TEST(Binding, Assigns) {
  const auto now = testing::at("2026-01-02T03:04:05Z");
  core::v1::Binding binding;
  binding.target.name = "node-a";
  binding.metadata.annotations["ann"] = "x";
  Pod pod = minimal();
  pod.status.nominated_node_name = "node-z";
  ASSERT_TRUE(assign_pod(pod, binding, now));
  EXPECT_EQ(pod.spec.node_name, "node-a");
  EXPECT_EQ(pod.metadata.annotations["ann"], "x");
  EXPECT_EQ(pod.status.nominated_node_name, "");
  ASSERT_EQ(pod.status.conditions.size(), 1U);
  EXPECT_EQ(pod.status.conditions[0].type, "PodScheduled");

  const auto again = assign_pod(pod, binding, now);
  ASSERT_FALSE(again);
  EXPECT_EQ(again.error().reason, base::Reason::kConflict);
  EXPECT_EQ(again.error().message,
            "Operation cannot be fulfilled on pods/binding \"p1\": pod p1 is already assigned to node \"node-a\"");
  EXPECT_EQ(again.error().details->kind, "pods/binding");

  Pod gated = minimal();
  gated.spec.scheduling_gates.emplace_back().name = "g";
  EXPECT_EQ(assign_pod(gated, binding, now).error().message,
            "Operation cannot be fulfilled on pods/binding \"p1\": pod p1 has non-empty .spec.schedulingGates");
  Pod deleted = minimal();
  deleted.metadata.deletion_timestamp.ensure();
  EXPECT_EQ(
      assign_pod(deleted, binding, now).error().message,
      "Operation cannot be fulfilled on pods/binding \"p1\": pod p1 is being deleted, cannot be assigned to a host");
}

}  // namespace
}  // namespace api
