// Tables for the pure plans.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "client/client.h"
#include "controllers/deployment/plan.h"
#include "controllers/deployment/replica_sets.h"
#include "controllers/endpoints/plan.h"
#include "controllers/endpointslice/plan.h"
#include "controllers/garbagecollector/plan.h"
#include "controllers/namespace/plan.h"
#include "controllers/nodelifecycle/plan.h"
#include "controllers/replicaset/plan.h"
#include "controllers/tainteviction/plan.h"
#include "gen/codec.h"
#include "object/time.h"

namespace controllers {
namespace {

using api::apps::v1::Deployment;
using api::apps::v1::ReplicaSet;
using api::core::v1::Node;
using api::core::v1::Pod;
using api::core::v1::Service;
using std::chrono::seconds;
using testing::ElementsAre;

const base::WallTime kNow = base::WallTime(seconds(1'700'000'000));

template <typename T>
void set_condition(T& conditions, std::string type, std::string status, base::WallTime since = kNow) {
  auto& condition = conditions.emplace_back();
  condition.type = std::move(type);
  condition.status = std::move(status);
  condition.last_transition_time = object::to_time(since);
}

Pod make_pod(std::string name, std::string phase, bool ready, base::WallTime since = kNow) {
  Pod pod;
  pod.metadata.name = name;
  pod.metadata.namespace_ = "ns";
  pod.metadata.uid = "uid-" + name;
  pod.metadata.labels = {{"app", "a"}};
  pod.spec.node_name = "n1";
  pod.status.phase = std::move(phase);
  set_condition(pod.status.conditions, "Ready", ready ? "True" : "False", since);
  return pod;
}

PodView view(const Pod& pod) {
  client::RawObject raw;
  const std::string bytes = gen::encode(pod);
  raw.bytes = base::SharedBytes(bytes);
  raw.size = static_cast<uint32_t>(bytes.size());
  return *view_pod(std::move(raw));
}

// ---- ReplicaSet ----

ReplicaSet make_set(int32_t replicas) {
  ReplicaSet set;
  set.metadata.name = "rs";
  set.metadata.generation = 3;
  set.spec.replicas = replicas;
  set.spec.template_.metadata.labels = {{"app", "a"}};
  return set;
}

TEST(ReplicaSetPlan, CountsAndDifference) {
  ReplicaSet set = make_set(4);
  set.spec.min_ready_seconds = 10;
  Pod ending = make_pod("ending", "Running", true);
  ending.metadata.deletion_timestamp = object::to_time(kNow);
  std::vector<Pod> pods = {make_pod("old", "Running", true, kNow - seconds(60)),
                           make_pod("fresh", "Running", true, kNow - seconds(4)), make_pod("p", "Pending", false),
                           make_pod("failed", "Failed", false), ending};
  pods[2].metadata.labels.clear();
  replicaset::Observed observed{&set, {}, kNow};
  for (const Pod& pod : pods) observed.pods.push_back(view(pod));
  const replicaset::Plan plan = replicaset::plan(observed);
  EXPECT_EQ(plan.create, 1);
  EXPECT_TRUE(plan.remove.empty());
  EXPECT_EQ(plan.status.replicas, 3);
  EXPECT_EQ(plan.status.fully_labeled_replicas, 2);
  EXPECT_EQ(plan.status.ready_replicas, 2);
  EXPECT_EQ(plan.status.available_replicas, 1);
  EXPECT_EQ(plan.status.terminating_replicas, 1);
  EXPECT_EQ(plan.status.observed_generation, 3);
  EXPECT_EQ(plan.look_again, base::Duration(seconds(6)));
}

TEST(ReplicaSetPlan, WhatIsWorthLeastGoesFirst) {
  Pod unassigned = make_pod("unassigned", "Pending", false);
  unassigned.spec.node_name = "";
  Pod cheap = make_pod("cheap", "Running", true, kNow - seconds(1000));
  cheap.metadata.annotations["controller.kubernetes.io/pod-deletion-cost"] = "-5";
  const std::vector<Pod> pods = {make_pod("old", "Running", true, kNow - seconds(1000)),
                                 make_pod("young", "Running", true, kNow - seconds(3)),
                                 cheap,
                                 make_pod("unready", "Running", false),
                                 make_pod("pending", "Pending", false),
                                 unassigned};
  std::vector<PodView> views;
  std::vector<size_t> order;
  for (const Pod& pod : pods) {
    order.push_back(views.size());
    views.push_back(view(pod));
  }
  replicaset::order_for_deletion(views, order, kNow);
  std::vector<std::string> names;
  for (const size_t at : order) names.push_back(pods[at].metadata.name);
  EXPECT_THAT(names, ElementsAre("unassigned", "pending", "unready", "cheap", "young", "old"));
}

TEST(ReplicaSetPlan, AnEndingSetMakesNothing) {
  ReplicaSet set = make_set(2);
  set.metadata.deletion_timestamp = object::to_time(kNow);
  EXPECT_EQ(replicaset::plan({&set, {}, kNow}).create, 0);
}

TEST(ReplicaSetPlan, FailureConditionComesAndGoes) {
  api::apps::v1::ReplicaSetStatus status;
  replicaset::set_failure(status, "FailedCreate", "quota", kNow);
  ASSERT_EQ(status.conditions.size(), 1u);
  EXPECT_EQ(status.conditions[0].reason, "FailedCreate");
  replicaset::set_failure(status, "", "", kNow);
  EXPECT_TRUE(status.conditions.empty());
}

// ---- Deployment ----

Deployment make_deployment(int32_t replicas, std::string image) {
  Deployment deployment;
  deployment.metadata.name = "web";
  deployment.metadata.namespace_ = "ns";
  deployment.metadata.generation = 1;
  deployment.spec.replicas = replicas;
  deployment.spec.selector.ensure().match_labels = {{"app", "a"}};
  deployment.spec.template_.metadata.labels = {{"app", "a"}};
  deployment.spec.template_.spec.containers.resize(1);
  deployment.spec.template_.spec.containers[0].image = std::move(image);
  deployment.spec.strategy.type = "RollingUpdate";
  object::IntOrString quarter;
  quarter.type = 1;
  quarter.str_val = "25%";
  auto& rolling = deployment.spec.strategy.rolling_update.ensure();
  rolling.max_surge = quarter;
  rolling.max_unavailable = quarter;
  deployment.spec.progress_deadline_seconds = 600;
  deployment.spec.revision_history_limit = 10;
  return deployment;
}

ReplicaSet owned_set(const Deployment& deployment, std::string name, std::string image, int32_t replicas,
                     int32_t available, int revision) {
  ReplicaSet set;
  set.metadata.name = std::move(name);
  set.metadata.namespace_ = "ns";
  set.metadata.creation_timestamp.seconds = revision;
  set.spec.template_ = deployment.spec.template_;
  set.spec.template_.spec.containers[0].image = std::move(image);
  set.spec.template_.metadata.labels["pod-template-hash"] = set.metadata.name;
  set.spec.replicas = replicas;
  set.status.replicas = replicas;
  set.status.ready_replicas = set.status.available_replicas = available;
  set.status.terminating_replicas = 0;
  set.metadata.annotations["deployment.kubernetes.io/revision"] = std::to_string(revision);
  deployment::annotate_replicas(set, *deployment.spec.replicas,
                                *deployment.spec.replicas + deployment::max_surge(deployment));
  return set;
}

std::string text_of(const deployment::Plan& plan) {
  std::string text;
  if (plan.create) text += "create=" + std::to_string(*plan.create->spec.replicas) + " ";
  for (const auto& update : plan.updates) {
    text += update.set.metadata.name;
    if (update.scaling) text += ":" + std::to_string(update.scaling->from) + ">" + std::to_string(update.scaling->to);
    text += " ";
  }
  for (const auto& set : plan.remove) text += "-" + set.metadata.name + " ";
  if (!plan.revision.empty()) text += "revision=" + plan.revision + " ";
  return text;
}

TEST(DeploymentPlan, TheFirstSetIsMadeWhole) {
  const deployment::Plan plan = deployment::plan({make_deployment(2, "a"), {}, 0, kNow});
  EXPECT_EQ(text_of(plan), "create=2 revision=1 ");
  const ReplicaSet& set = *plan.create;
  const std::string hash = set.metadata.labels.at("pod-template-hash");
  EXPECT_EQ(set.metadata.name, "web-" + hash);
  EXPECT_EQ(set.spec.selector->match_labels.at("pod-template-hash"), hash);
  EXPECT_EQ(set.spec.template_.metadata.labels.at("pod-template-hash"), hash);
  EXPECT_EQ(set.metadata.annotations.at("deployment.kubernetes.io/desired-replicas"), "2");
  EXPECT_EQ(set.metadata.annotations.at("deployment.kubernetes.io/max-replicas"), "3");
  EXPECT_EQ(plan.status.conditions[0].reason, "NewReplicaSetCreated");
}

TEST(DeploymentPlan, ARollingUpdateStepByStep) {
  struct Row {
    const char* what;
    int32_t wanted, old_replicas, old_available, new_replicas, new_available;
    const char* expected;
  };
  const Row rows[] = {
      {"surge first", 4, 4, 4, 0, 0, "new:0>1 "},
      {"then what may be missing", 4, 4, 4, 1, 0, "old:4>3 "},
      {"wait until the new ones work", 4, 3, 3, 2, 0, ""},
      {"one works: one goes", 4, 3, 3, 2, 1, "old:3>2 "},
      {"room for another", 4, 2, 2, 2, 1, "new:2>3 "},
      {"old ones that do not work go first", 4, 4, 1, 1, 1, "old:4>2 "},
      {"the last", 4, 1, 1, 4, 4, "old:1>0 "},
      {"done", 4, 0, 0, 4, 4, ""},
      {"too many of the new", 4, 0, 0, 6, 6, "new:6>4 "},
  };
  for (const Row& row : rows) {
    Deployment deployment = make_deployment(row.wanted, "b");
    deployment.metadata.annotations["deployment.kubernetes.io/revision"] = "2";
    deployment::Observed observed{deployment, {}, 0, kNow};
    observed.sets.push_back(owned_set(deployment, "old", "a", row.old_replicas, row.old_available, 1));
    observed.sets.push_back(owned_set(deployment, "new", "b", row.new_replicas, row.new_available, 2));
    EXPECT_EQ(text_of(deployment::plan(observed)), row.expected) << row.what;
  }
}

TEST(DeploymentPlan, RecreateWaitsForTheOldPods) {
  Deployment deployment = make_deployment(3, "b");
  deployment.spec.strategy.type = "Recreate";
  deployment.spec.strategy.rolling_update.reset();
  deployment.metadata.annotations["deployment.kubernetes.io/revision"] = "1";
  deployment::Observed observed{deployment, {owned_set(deployment, "old", "a", 3, 3, 1)}, 3, kNow};
  EXPECT_EQ(text_of(deployment::plan(observed)), "old:3>0 ");
  observed.sets[0].spec.replicas = 0;
  EXPECT_EQ(text_of(deployment::plan(observed)), "");
  observed.old_pods = 0;
  EXPECT_EQ(text_of(deployment::plan(observed)), "create=3 revision=2 ");
}

TEST(DeploymentPlan, AResizeKeepsTheShares) {
  Deployment before = make_deployment(10, "b");
  deployment::Observed observed{make_deployment(20, "b"), {}, 0, kNow};
  observed.sets.push_back(owned_set(before, "old", "a", 8, 8, 1));
  observed.sets.push_back(owned_set(before, "new", "b", 5, 0, 2));
  observed.deployment.metadata.annotations["deployment.kubernetes.io/revision"] = "2";
  EXPECT_EQ(text_of(deployment::plan(observed)), "old:8>15 new:5>10 ");
}

TEST(DeploymentPlan, PausedMovesNothingButSaysSo) {
  Deployment deployment = make_deployment(4, "b");
  deployment.spec.paused = true;
  deployment.metadata.annotations["deployment.kubernetes.io/revision"] = "1";
  deployment::Observed observed{deployment, {owned_set(deployment, "old", "a", 4, 4, 1)}, 0, kNow};
  const deployment::Plan plan = deployment::plan(observed);
  EXPECT_EQ(text_of(plan), "");
  EXPECT_EQ(plan.status.conditions[0].reason, "DeploymentPaused");
}

TEST(DeploymentPlan, ARollBackTakesTheOldSetUnderANewRevision) {
  Deployment deployment = make_deployment(2, "a");
  deployment.metadata.annotations["deployment.kubernetes.io/revision"] = "2";
  deployment::Observed observed{deployment, {}, 0, kNow};
  observed.sets.push_back(owned_set(deployment, "first", "a", 0, 0, 1));
  observed.sets.push_back(owned_set(deployment, "second", "b", 2, 2, 2));
  const deployment::Plan plan = deployment::plan(observed);
  EXPECT_EQ(text_of(plan), "first:0>1 revision=3 ");
  EXPECT_EQ(plan.updates[0].set.metadata.annotations.at("deployment.kubernetes.io/revision"), "3");
  EXPECT_EQ(plan.updates[0].set.metadata.annotations.at("deployment.kubernetes.io/revision-history"), "1");
}

TEST(DeploymentPlan, HistoryBeyondTheLimitGoes) {
  Deployment deployment = make_deployment(1, "c");
  deployment.spec.revision_history_limit = 1;
  deployment.metadata.annotations["deployment.kubernetes.io/revision"] = "3";
  deployment.status.replicas = deployment.status.updated_replicas = deployment.status.available_replicas = 1;
  deployment.status.observed_generation = 1;
  deployment::Observed observed{deployment, {}, 0, kNow};
  observed.sets.push_back(owned_set(deployment, "one", "a", 0, 0, 1));
  observed.sets.push_back(owned_set(deployment, "two", "b", 0, 0, 2));
  observed.sets.push_back(owned_set(deployment, "three", "c", 1, 1, 3));
  EXPECT_EQ(text_of(deployment::plan(observed)), "-one ");
}

TEST(DeploymentPlan, ProgressAndItsDeadline) {
  Deployment deployment = make_deployment(2, "a");
  deployment.metadata.annotations["deployment.kubernetes.io/revision"] = "1";
  deployment::Observed observed{deployment, {owned_set(deployment, "web-x", "a", 2, 0, 1)}, 0, kNow};
  deployment::Plan plan = deployment::plan(observed);
  const auto progressing = [&] {
    for (const auto& condition : plan.status.conditions) {
      if (condition.type == "Progressing") return condition;
    }
    return api::apps::v1::DeploymentCondition();
  };
  EXPECT_EQ(progressing().reason, "ReplicaSetUpdated");
  EXPECT_EQ(progressing().message, "ReplicaSet \"web-x\" is progressing.");
  EXPECT_EQ(plan.status.unavailable_replicas, 2);
  EXPECT_EQ(plan.look_again, base::Duration(seconds(601)));

  observed.deployment.status = plan.status;
  observed.now = kNow + seconds(601);
  plan = deployment::plan(observed);
  EXPECT_EQ(progressing().reason, "ProgressDeadlineExceeded");
  EXPECT_EQ(progressing().status, "False");

  observed.deployment.status = plan.status;
  observed.sets[0].status.available_replicas = observed.sets[0].status.ready_replicas = 2;
  plan = deployment::plan(observed);
  EXPECT_EQ(progressing().reason, "NewReplicaSetAvailable");
  EXPECT_EQ(progressing().message, "ReplicaSet \"web-x\" has successfully progressed.");
}

// ---- Endpoints and slices ----

Service make_service() {
  Service service;
  service.metadata.name = "sv";
  service.metadata.namespace_ = "ns";
  service.metadata.uid = "svc-uid";
  service.spec.cluster_ip = "10.96.0.9";
  service.spec.selector = {{"app", "a"}};
  auto& port = service.spec.ports.emplace_back();
  port.name = "h";
  port.protocol = "TCP";
  port.port = 80;
  port.target_port.type = 1;
  port.target_port.str_val = "web";
  return service;
}

Pod backend(std::string name, std::string ip, bool ready, int32_t port = 8080) {
  Pod pod = make_pod(std::move(name), "Running", ready);
  pod.status.pod_ip = ip;
  pod.status.pod_ips.emplace_back().ip = std::move(ip);
  auto& container_port = pod.spec.containers.emplace_back().ports.emplace_back();
  container_port.name = "web";
  container_port.protocol = "TCP";
  container_port.container_port = port;
  return pod;
}

TEST(EndpointsPlan, ReadyAndNotReadyByPort) {
  Pod ended = backend("ended", "10.0.0.9", true);
  ended.status.phase = "Succeeded";
  const auto endpoints = endpoints::plan(make_service(),
                                         {backend("b", "10.0.0.2", true), backend("a", "10.0.0.1", true),
                                          backend("c", "10.0.0.3", false), backend("d", "10.0.0.4", true, 9090), ended},
                                         nullptr);
  ASSERT_EQ(endpoints.subsets.size(), 2u);
  ASSERT_EQ(endpoints.subsets[0].addresses.size(), 2u);
  EXPECT_EQ(endpoints.subsets[0].addresses[0].ip, "10.0.0.1");
  EXPECT_EQ(endpoints.subsets[0].addresses[0].target_ref->name, "a");
  EXPECT_EQ(endpoints.subsets[0].addresses[0].node_name, "n1");
  EXPECT_EQ(endpoints.subsets[0].not_ready_addresses.size(), 1u);
  EXPECT_EQ(endpoints.subsets[0].ports[0].port, 8080);
  EXPECT_EQ(endpoints.subsets[1].ports[0].port, 9090);
  EXPECT_EQ(endpoints.metadata.labels.at("endpoints.kubernetes.io/managed-by"), "endpoint-controller");
}

TEST(EndpointsPlan, HeadlessAndHostnames) {
  Service service = make_service();
  service.spec.cluster_ip = "None";
  Pod pod = backend("a", "10.0.0.1", true);
  pod.spec.hostname = "h";
  pod.spec.subdomain = "sv";
  const auto endpoints = endpoints::plan(service, {pod}, nullptr);
  EXPECT_EQ(endpoints.metadata.labels.count("service.kubernetes.io/headless"), 1u);
  EXPECT_EQ(endpoints.subsets[0].addresses[0].hostname, "h");
}

TEST(EndpointSlicePlan, FillsUpdatesAndCuts) {
  const auto zone = [](const std::string& node) { return node == "n1" ? "z1" : ""; };
  std::vector<Pod> pods;
  for (int i = 0; i < 150; ++i) {
    pods.push_back(backend("p" + std::to_string(i), "10.0." + std::to_string(i) + ".1", true));
  }
  const auto first = endpointslice::plan(make_service(), pods, {}, zone);
  ASSERT_EQ(first.create.size(), 2u);
  EXPECT_EQ(first.create[0].endpoints.size(), 100u);
  EXPECT_EQ(first.create[1].endpoints.size(), 50u);
  const auto& endpoint = first.create[0].endpoints[0];
  EXPECT_EQ(endpoint.zone, "z1");
  EXPECT_EQ(endpoint.conditions.ready, true);
  EXPECT_EQ(endpoint.conditions.terminating, false);
  EXPECT_EQ(first.create[0].ports[0].port, 8080);
  EXPECT_EQ(first.create[0].metadata.generate_name, "sv-");
  EXPECT_EQ(first.create[0].metadata.owner_references[0].kind, "Service");
  EXPECT_EQ(first.create[0].metadata.labels.at("kubernetes.io/service-name"), "sv");

  const auto again = endpointslice::plan(make_service(), pods, first.create, zone);
  EXPECT_TRUE(again.create.empty() && again.update.empty() && again.remove.empty());

  pods[0].metadata.deletion_timestamp = object::to_time(kNow);
  const auto changed = endpointslice::plan(make_service(), pods, first.create, zone);
  ASSERT_EQ(changed.update.size(), 1u);
  EXPECT_TRUE(changed.create.empty());

  const auto empty = endpointslice::plan(make_service(), {}, first.create, zone);
  ASSERT_EQ(empty.update.size(), 1u) << "one slice stays, empty";
  EXPECT_TRUE(empty.update[0].ports.empty() && empty.update[0].endpoints.empty());
  EXPECT_EQ(endpointslice::plan(make_service(), pods, empty.update, zone).update.size(), 1u) << "and is used again";
  EXPECT_EQ(empty.remove.size(), 1u);
  EXPECT_EQ(endpointslice::plan(make_service(), {}, {}, zone).create.size(), 1u);
}

// ---- garbage collector ----

TEST(GarbagePlan, Table) {
  using garbagecollector::Action;
  using garbagecollector::Observed;
  using garbagecollector::OwnerState;
  using enum OwnerState;
  const auto owned = [](std::vector<OwnerState> owners, size_t dependents = 0) {
    Observed observed;
    observed.owners = std::move(owners);
    observed.dependents = dependents;
    return observed;
  };
  Observed foreground, orphaning, blocked;
  foreground.deleting = foreground.has_foreground_finalizer = true;
  blocked = foreground;
  blocked.blocking_dependents = 1;
  orphaning.deleting = orphaning.has_orphan_finalizer = true;
  struct Row {
    const char* what;
    Observed observed;
    Action action;
  };
  const Row rows[] = {
      {"no owners", owned({}), Action::kNone},
      {"a solid owner", owned({kSolid}), Action::kNone},
      {"nobody left", owned({kDangling, kDangling}), Action::kDeleteBackground},
      {"one of two is gone", owned({kSolid, kDangling}), Action::kDropOwners},
      {"one of two waits", owned({kSolid, kWaiting}), Action::kDropOwners},
      {"the owner waits", owned({kWaiting}), Action::kDeleteBackground},
      {"the owner waits, with dependents", owned({kWaiting}, 2), Action::kDeleteForeground},
      {"foreground, dependents left", blocked, Action::kDeleteDependents},
      {"foreground, none left", foreground, Action::kRemoveForegroundFinalizer},
      {"orphaning", orphaning, Action::kOrphanDependents},
  };
  for (const Row& row : rows) EXPECT_EQ(garbagecollector::plan(row.observed), row.action) << row.what;
}

// ---- namespace ----

TEST(NamespacePlan, ConditionsSayWhatIsLeft) {
  ns::Remaining remaining;
  remaining.instances["configmaps."] = 1;
  remaining.finalizers["a.b/c"] = 1;
  const auto status = ns::plan_status({}, remaining, kNow);
  EXPECT_EQ(status.phase, "Terminating");
  ASSERT_EQ(status.conditions.size(), 5u);
  EXPECT_EQ(status.conditions[3].message, "Some resources are remaining: configmaps. has 1 resource instances");
  EXPECT_EQ(status.conditions[4].message,
            "Some content in the namespace has finalizers remaining: a.b/c in 1 resource instances");
  EXPECT_EQ(status.conditions[2].reason, "ContentDeleted");
  EXPECT_EQ(ns::look_again_after(remaining), base::Duration(seconds(8)));
  EXPECT_EQ(ns::plan_status(status, remaining, kNow + seconds(5)), status) << "times stay while nothing changes";
}

// ---- nodes ----

TEST(NodePlan, SilenceMakesUnknownAndTaints) {
  Node node;
  node.metadata.name = "n";
  set_condition(node.status.conditions, "Ready", "True");
  std::optional<nodelifecycle::Heartbeat> heartbeat;
  const base::MonoTime start{seconds(100)};
  nodelifecycle::observe(heartbeat, node, std::nullopt, start);
  EXPECT_FALSE(nodelifecycle::plan(node, *heartbeat, start + seconds(50), kNow).write_status);

  object::MicroTime renewed = object::to_micro_time(kNow);
  nodelifecycle::observe(heartbeat, node, renewed, start + seconds(50));
  EXPECT_FALSE(nodelifecycle::plan(node, *heartbeat, start + seconds(99), kNow).write_status) << "the lease counts";
  nodelifecycle::observe(heartbeat, node, renewed, start + seconds(101));
  const auto plan = nodelifecycle::plan(node, *heartbeat, start + seconds(101), kNow);
  EXPECT_TRUE(plan.write_status && plan.write_taints && plan.became_not_ready);
  EXPECT_EQ(plan.conditions[0].status, "Unknown");
  EXPECT_EQ(plan.conditions[0].message, "Kubelet stopped posting node status.");
  EXPECT_EQ(plan.conditions[1].message, "Kubelet never posted node status.");
  ASSERT_EQ(plan.taints.size(), 2u);
  EXPECT_EQ(plan.taints[0].key + ":" + plan.taints[0].effect, "node.kubernetes.io/unreachable:NoSchedule");
  EXPECT_EQ(plan.taints[1].key + ":" + plan.taints[1].effect, "node.kubernetes.io/unreachable:NoExecute");
}

TEST(NodePlan, TaintsFollowConditionsAndLeaveOthersAlone) {
  Node node;
  set_condition(node.status.conditions, "Ready", "True");
  node.spec.unschedulable = true;
  auto& own = node.spec.taints.emplace_back();
  own.key = "mine";
  own.effect = "NoExecute";
  auto& stale = node.spec.taints.emplace_back();
  stale.key = "node.kubernetes.io/not-ready";
  stale.effect = "NoSchedule";
  const auto plan = nodelifecycle::plan(node, {base::MonoTime(seconds(1)), {}, {}}, base::MonoTime(seconds(2)), kNow);
  ASSERT_EQ(plan.taints.size(), 2u);
  EXPECT_EQ(plan.taints[0].key, "mine");
  EXPECT_EQ(plan.taints[1].key, "node.kubernetes.io/unschedulable");
}

TEST(EvictionTime, Table) {
  const auto taint = [](std::string key, base::WallTime added) {
    api::core::v1::Taint taint;
    taint.key = std::move(key);
    taint.effect = "NoExecute";
    taint.time_added = object::to_time(added);
    return taint;
  };
  const auto toleration = [](std::string key, std::optional<int64_t> lasts) {
    api::core::v1::Toleration toleration;
    toleration.key = std::move(key);
    toleration.operator_ = "Exists";
    toleration.toleration_seconds = lasts;
    return toleration;
  };
  using tainteviction::eviction_time;
  EXPECT_EQ(eviction_time({}, {}, kNow), std::nullopt);
  EXPECT_EQ(eviction_time({}, {taint("k", kNow)}, kNow), kNow);
  EXPECT_EQ(eviction_time({toleration("k", std::nullopt)}, {taint("k", kNow)}, kNow), std::nullopt);
  EXPECT_EQ(eviction_time({toleration("k", 300)}, {taint("k", kNow)}, kNow), kNow + seconds(300));
  EXPECT_EQ(eviction_time({toleration("", 30), toleration("k", 300)}, {taint("k", kNow)}, kNow), kNow + seconds(30));
  EXPECT_EQ(eviction_time({toleration("other", std::nullopt)}, {taint("k", kNow)}, kNow), kNow);
}

}  // namespace
}  // namespace controllers
