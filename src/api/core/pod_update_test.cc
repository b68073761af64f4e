// Updates of Pods, directly and through subresources.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "api/kinds.h"
#include "api/testing.h"
#include "gen/core/v1.h"

namespace api {
namespace {

using core::v1::Pod;
using ::testing::HasSubstr;
using ::testing::StartsWith;

const std::string kNone = object::FieldErrors().to_string();

Pod stored() {
  Pod pod;
  pod.metadata.name = "p";
  pod.metadata.namespace_ = "ns";
  auto& container = pod.spec.containers.emplace_back();
  container.name = "a", container.image = "img:1";
  container.resources.requests = {{"cpu", {"100m"}}, {"memory", {"64Mi"}}};
  container.resources.limits = {{"cpu", {"200m"}}, {"memory", {"128Mi"}}};
  testing::create(*pod_rules(), pod);
  pod.metadata.resource_version = "1";
  return pod;
}

struct Case {
  const char* name;
  void (*change)(Pod&);
  const char* expected;  // "" = no error
};

void check(std::span<const Case> cases, const Pod& old, std::string_view subresource) {
  const auto rules = pod_rules();
  for (const Case& each : cases) {
    Pod pod = old;
    each.change(pod);
    const std::string errors =
        subresource.empty() ? testing::update(*rules, pod, old) : testing::update(*rules, subresource, pod, old);
    if (*each.expected) {
      EXPECT_THAT(errors, StartsWith(each.expected)) << each.name;
    } else {
      EXPECT_EQ(errors, kNone) << each.name;
    }
  }
}

constexpr const char* kMayNotChange =
    "spec: Forbidden: pod updates may not change fields other than "
    "`spec.containers[*].image`,`spec.initContainers[*].image`,`spec.activeDeadlineSeconds`,`spec.tolerations` (only "
    "additions to existing tolerations),`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was "
    "previously negative)\n  core.PodSpec{";

TEST(PodUpdate, Main) {
  const Case cases[] = {
      {"image", [](Pod& p) { p.spec.containers[0].image = "img:2"; }, ""},
      {"deadline", [](Pod& p) { p.spec.active_deadline_seconds = 100; }, ""},
      {"toleration",
       [](Pod& p) {
         auto& toleration = p.spec.tolerations.emplace_back();
         toleration.key = "b", toleration.operator_ = "Exists";
       },
       ""},
      {"command", [](Pod& p) { p.spec.containers[0].command = {"x"}; }, kMayNotChange},
      {"node", [](Pod& p) { p.spec.node_name = "n1"; }, kMayNotChange},
      {"resources", [](Pod& p) { p.spec.containers[0].resources.requests["cpu"] = {"111m"}; }, kMayNotChange},
      {"more",
       [](Pod& p) {
         auto& z = p.spec.containers.emplace_back();
         z.name = "z", z.image = "z";
       },
       "spec.containers: Forbidden: pod updates may not add or remove containers"},
      {"gate", [](Pod& p) { p.spec.scheduling_gates.emplace_back().name = "x"; },
       "spec.schedulingGates[0].name: Forbidden: only deletion is allowed, but found new scheduling gate 'x'"},
      {"mirror", [](Pod& p) { p.metadata.annotations["kubernetes.io/config.mirror"] = "x"; },
       "[metadata.annotations[kubernetes.io/config.mirror]: Invalid value: \"x\": must set spec.nodeName if mirror pod "
       "annotation is set, metadata.annotations[kubernetes.io/config.mirror]: Forbidden: may not add mirror pod "
       "annotation"},
  };
  check(cases, stored(), "");
}

TEST(PodUpdate, TolerationsStay) {
  Pod old = stored();
  auto& toleration = old.spec.tolerations.emplace_back();
  toleration.key = "a", toleration.operator_ = "Exists";
  Pod pod = old;
  pod.spec.tolerations.clear();
  EXPECT_EQ(testing::update(*pod_rules(), pod, old),
            "spec.tolerations: Forbidden: existing toleration can not be modified except its tolerationSeconds");
}

TEST(PodUpdate, GatedPodsMayBeNarrowed) {
  Pod old = stored();
  old.spec.scheduling_gates.emplace_back().name = "g";
  old.spec.node_selector = {{"a", "b"}};
  Pod pod = old;
  pod.spec.node_selector["c"] = "d";
  pod.spec.scheduling_gates.clear();
  auto& term = pod.spec.affinity.ensure()
                   .node_affinity.ensure()
                   .required_during_scheduling_ignored_during_execution.ensure()
                   .node_selector_terms.emplace_back();
  auto& expression = term.match_expressions.emplace_back();
  expression.key = "k", expression.operator_ = "Exists";
  EXPECT_EQ(testing::update(*pod_rules(), pod, old), kNone);
  pod.spec.node_selector = {{"a", "z"}};
  EXPECT_THAT(testing::update(*pod_rules(), pod, old), StartsWith("spec.nodeSelector: Invalid value: {\"a\":\"z\"}"));
}

TEST(PodUpdate, GenerationFollowsTheSpec) {
  const Pod old = stored();
  Pod pod = old;
  pod.metadata.labels["x"] = "y";
  testing::update(*pod_rules(), pod, old);
  EXPECT_EQ(pod.metadata.generation, 1);
  pod.spec.containers[0].image = "img:2";
  testing::update(*pod_rules(), pod, old);
  EXPECT_EQ(pod.metadata.generation, 2);
}

core::v1::EphemeralContainerCommon& add_ephemeral(Pod& pod, const char* name) {
  auto& container = pod.spec.ephemeral_containers.emplace_back().ephemeral_container_common;
  container.name = name, container.image = "x";
  return container;
}

TEST(PodUpdate, EphemeralContainers) {
  const auto rules = pod_rules();
  Pod old = stored();
  add_ephemeral(old, "dbg");
  rules->set_defaults_any(&old);
  const Case cases[] = {
      {"add", [](Pod& p) { add_ephemeral(p, "e2"); }, ""},
      {"image is put back", [](Pod& p) { p.spec.containers[0].image = "z"; }, ""},
      {"change", [](Pod& p) { p.spec.ephemeral_containers[0].ephemeral_container_common.image = "other"; },
       "spec.ephemeralContainers: Forbidden: existing ephemeral containers \"dbg\" may not be changed\n"},
      {"remove", [](Pod& p) { p.spec.ephemeral_containers.clear(); },
       "spec.ephemeralContainers: Forbidden: existing ephemeral containers \"dbg\" may not be removed\n"},
      {"name", [](Pod& p) { add_ephemeral(p, "a"); }, "spec.ephemeralContainers[1].name: Duplicate value: \"a\""},
      {"ports", [](Pod& p) { add_ephemeral(p, "e2").ports.emplace_back().container_port = 1; },
       "spec.ephemeralContainers[1].ports: Forbidden: cannot be set for an Ephemeral Container"},
      {"target",
       [](Pod& p) {
         add_ephemeral(p, "e2");
         p.spec.ephemeral_containers[1].target_container_name = "none";
       },
       "spec.ephemeralContainers[1].targetContainerName: Not found: \"none\""},
  };
  check(cases, old, "ephemeralcontainers");
}

TEST(PodUpdate, Resize) {
  const Case cases[] = {
      {"cpu", [](Pod& p) { p.spec.containers[0].resources.requests["cpu"] = {"150m"}; }, ""},
      {"image is put back", [](Pod& p) { p.spec.containers[0].image = "z"; }, ""},
      {"limit", [](Pod& p) { p.spec.containers[0].resources.limits["cpu"] = {"50m"}; },
       "spec.containers[0].resources.requests: Invalid value: \"100m\": must be less than or equal to cpu limit of "
       "50m"},
      {"storage", [](Pod& p) { p.spec.containers[0].resources.requests["ephemeral-storage"] = {"1Gi"}; },
       "spec: Forbidden: only cpu and memory resources are mutable"},
      {"removed", [](Pod& p) { p.spec.containers[0].resources.limits.erase("memory"); },
       "spec.containers[0].resources.limits: Forbidden: resource limits cannot be removed"},
  };
  Pod old = stored();
  old.spec.containers[0].resources.limits["memory"] = {"256Mi"};
  check(std::span(cases), old, "resize");
  Pod guaranteed = old;
  guaranteed.spec.containers[0].resources.requests = guaranteed.spec.containers[0].resources.limits;
  guaranteed.status.qos_class = "Guaranteed";
  Pod pod = guaranteed;
  pod.spec.containers[0].resources.requests["cpu"] = {"1m"};
  EXPECT_EQ(testing::update(*pod_rules(), "resize", pod, guaranteed),
            "spec: Invalid value: \"Guaranteed\": Pod QOS Class may not change as a result of resizing");
}

TEST(PodUpdate, Status) {
  Pod old = stored();
  old.metadata.owner_references.emplace_back().uid = "u";
  old.spec.restart_policy = "Never";
  auto& before = old.status.container_statuses.emplace_back();
  before.name = "a";
  before.state.terminated.ensure().exit_code = 1;
  old.status.observed_generation = 1;
  const auto rules = pod_rules();
  Pod pod = old;
  pod.spec.node_name = "n";
  pod.metadata.owner_references.clear();
  pod.status.phase = "Running";
  pod.status.qos_class = "";
  pod.status.observed_generation = 0;
  EXPECT_EQ(testing::update(*rules, "status", pod, old), kNone);
  EXPECT_EQ(pod.spec.node_name, "");
  EXPECT_EQ(pod.metadata.owner_references.size(), 1U);
  EXPECT_EQ(pod.status.qos_class, "Burstable");
  EXPECT_EQ(pod.status.observed_generation, 1);
  const Case cases[] = {
      {"qos", [](Pod& p) { p.status.qos_class = "BestEffort"; },
       "status.qosClass: Invalid value: \"BestEffort\": field is immutable"},
      {"restarted", [](Pod& p) { p.status.container_statuses[0].state = {}; },
       "status.containerStatuses[0].state: Forbidden: may not be transitioned to non-terminated state"},
      {"address", [](Pod& p) { p.status.pod_ip = "1.2.3"; },
       "status.podIPs[0]: Invalid value: \"1.2.3\": must be a valid IP"},
      {"condition", [](Pod& p) { p.status.conditions.emplace_back().type = "a b"; },
       "metadata.conditions[0].Type: Invalid"},
  };
  check(cases, old, "status");

  // A node is promised to Pods only that have none.
  Pod bound = old;
  bound.spec.node_name = "n";
  Pod promised = bound;
  promised.status.nominated_node_name = "other";
  EXPECT_EQ(testing::update(*rules, "status", promised, bound),
            "status.nominatedNodeName: Forbidden: may not be set on pods that are already bound to a node");
  promised = old;
  promised.status.nominated_node_name = "other";
  EXPECT_EQ(testing::update(*rules, "status", promised, old), kNone);

  pod.status.pod_ip = "010.1.1.1";
  testing::Request request;
  object::FieldErrors errors;
  rules->set_defaults_any(&pod);
  rules->validate_subresource_any("status", request.context, &pod, &old, errors);
  EXPECT_EQ(errors.to_string(), kNone);
  ASSERT_EQ(request.warnings.size(), 1U);
  EXPECT_EQ(request.warnings[0],
            "status.podIPs[0].ip: non-standard IP address \"010.1.1.1\" will be considered invalid in a future "
            "Kubernetes release: use \"10.1.1.1\"");
}

}  // namespace
}  // namespace api
