#include "scheduler/framework/fit_error.h"

#include <gtest/gtest.h>

#include "scheduler/test_support.h"

namespace scheduler {
namespace {

std::string message_for(TestCluster& cluster, const PodRef& pod) {
  Decision decision = cluster.algorithm.decide(pod);
  EXPECT_EQ(decision.node, kNoNode);
  PostFilterResult after = cluster.algorithm.post_filter(pod, decision.diagnosis);
  return fit_error_message(decision.diagnosis, cluster.profile, after.message);
}

// The texts that a real scheduler gave for these pods.
TEST(FitError, OneNode) {
  TestCluster cluster;
  cluster.node("n", [](auto& node) {
    node.metadata.labels["zone"] = "z1";
    node.status.allocatable["cpu"].string = "2";
  });
  EXPECT_EQ(message_for(cluster, test_pod("big", requests("5"))),
            "0/1 nodes are available: 1 Insufficient cpu. no new claims to deallocate, preemption: 0/1 nodes are "
            "available: 1 Preemption is not helpful for scheduling.");
  EXPECT_EQ(message_for(cluster, test_pod("zone", [](auto& pod) { pod.spec.node_selector["zone"] = "z9"; })),
            "0/1 nodes are available: 1 node(s) didn't match Pod's node affinity/selector. no new claims to "
            "deallocate, preemption: 0/1 nodes are available: 1 Preemption is not helpful for scheduling.");
}

TEST(FitError, ReasonsAreCountedAndSortedAsText) {
  TestCluster cluster;
  for (int i = 0; i < 12; ++i) {
    cluster.node("full" + std::to_string(i), [](auto& node) { node.status.allocatable["cpu"].string = "1"; });
    cluster.place("p" + std::to_string(i), "full" + std::to_string(i), requests("800m", "7Gi"));
  }
  for (int i = 0; i < 2; ++i) {
    cluster.node("cordoned" + std::to_string(i), [](auto& node) { node.spec.unschedulable = true; });
  }
  EXPECT_EQ(message_for(cluster, test_pod("p", requests("500m", "2Gi"))),
            "0/14 nodes are available: 12 Insufficient cpu, 12 Insufficient memory, 2 node(s) were unschedulable. no "
            "new claims to deallocate, preemption: 0/14 nodes are available: 12 No preemption victims found for "
            "incoming pod, 2 Preemption is not helpful for scheduling.");
}

TEST(FitError, NodesLeftOutByAffinityToNames) {
  TestCluster cluster;
  cluster.node("a", [](auto& node) { node.status.allocatable["pods"].string = "0"; });
  cluster.node("b");
  PodRef pod = test_pod("daemon", [](api::core::v1::Pod& p) {
    auto& node = p.spec.affinity.ensure().node_affinity.ensure();
    auto& term = node.required_during_scheduling_ignored_during_execution.ensure().node_selector_terms.emplace_back();
    auto& field = term.match_fields.emplace_back();
    field.key = "metadata.name";
    field.operator_ = "In";
    field.values = {"a"};
  });
  Decision decision = cluster.algorithm.decide(pod);
  EXPECT_EQ(decision.node, kNoNode);
  EXPECT_EQ(fit_error_message(decision.diagnosis, cluster.profile, ""),
            "0/2 nodes are available: 1 Too many pods, 1 node(s) didn't satisfy plugin(s) [NodeAffinity].");
}

TEST(FitError, PreemptionPolicyNever) {
  TestCluster cluster;
  cluster.node("n");
  PodRef pod = test_pod("p", all_of({requests("5"), [](auto& p) { p.spec.preemption_policy = "Never"; }}));
  EXPECT_EQ(message_for(cluster, pod),
            "0/1 nodes are available: 1 Insufficient cpu. no new claims to deallocate, preemption: not eligible due to "
            "preemptionPolicy=Never.");
}

}  // namespace
}  // namespace scheduler
