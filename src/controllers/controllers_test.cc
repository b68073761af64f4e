// Controllers on an API in memory, from user's action to outcome.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>

#include "controllers/catalogue.h"
#include "controllers/test_support.h"
#include "gen/apps/v1.h"
#include "gen/core/v1.h"
#include "gen/discovery/v1.h"
#include "object/time.h"

namespace controllers {
namespace {

using api::apps::v1::Deployment;
using api::apps::v1::ReplicaSet;
using api::core::v1::ConfigMap;
using api::core::v1::Endpoints;
using api::core::v1::Event;
using api::core::v1::Namespace;
using api::core::v1::Node;
using api::core::v1::Pod;
using api::core::v1::Service;
using api::core::v1::ServiceAccount;
using api::discovery::v1::EndpointSlice;
using std::chrono::seconds;

class ControllersTest : public testing::Test {
 protected:
  ControllersTest() {
    Configuration configuration;
    configuration.shared = cluster_.dependencies();
    configuration.transport_for = [this](const std::string&) { return cluster_.transport; };
    configuration.root_ca_pem = "CA";
    for (auto& controller : make_controllers(configuration)) cluster_.add(std::move(controller));
    cluster_.start();
    Namespace ns;
    ns.metadata.name = "ns";
    ns.spec.finalizers = {"kubernetes"};
    ns.status.phase = "Active";
    EXPECT_TRUE(client_.create(ns));
    cluster_.settle();
  }

  Deployment make_deployment(int32_t replicas) {
    Deployment deployment;
    deployment.metadata.name = "web";
    deployment.metadata.namespace_ = "ns";
    deployment.spec.replicas = replicas;
    deployment.spec.selector.ensure().match_labels = {{"app", "a"}};
    deployment.spec.template_.metadata.labels = {{"app", "a"}};
    deployment.spec.template_.spec.containers.resize(1);
    deployment.spec.template_.spec.containers[0].name = "c";
    deployment.spec.template_.spec.containers[0].image = "img:1";
    deployment.spec.strategy.type = "RollingUpdate";
    deployment.spec.strategy.rolling_update.ensure().max_surge.ensure().int_val = 1;
    deployment.spec.strategy.rolling_update->max_unavailable.ensure();
    deployment.spec.progress_deadline_seconds = 600;
    deployment.spec.revision_history_limit = 10;
    return deployment;
  }
  template <typename T>
  std::vector<T> all() {
    return *client_.list<T>("ns");
  }
  void run_pods() {
    int number = 1;
    for (Pod& pod : all<Pod>()) {
      pod.status.phase = "Running";
      pod.status.conditions.resize(1);
      pod.status.conditions[0].type = "Ready";
      pod.status.conditions[0].status = "True";
      pod.status.pod_ip = "10.0.0." + std::to_string(number++);
      pod.status.pod_ips.resize(1);
      pod.status.pod_ips[0].ip = pod.status.pod_ip;
      EXPECT_TRUE(client_.update_status(pod));
    }
    cluster_.settle();
  }

  Cluster cluster_;
  client::Client& client_ = cluster_.client;
};

TEST_F(ControllersTest, ANamespaceGetsItsFirstObjectsAndKeepsThem) {
  EXPECT_TRUE(client_.get<ServiceAccount>("ns", "default"));
  EXPECT_EQ(client_.get<ConfigMap>("ns", "kube-root-ca.crt")->data["ca.crt"], "CA");
  ASSERT_TRUE(client_.remove<ServiceAccount>("ns", "default"));
  ASSERT_TRUE(
      client_.patch<ConfigMap>("ns", "kube-root-ca.crt", client::PatchType::kMerge, R"({"data":{"ca.crt":"x"}})"));
  cluster_.settle();
  EXPECT_TRUE(client_.get<ServiceAccount>("ns", "default"));
  EXPECT_EQ(client_.get<ConfigMap>("ns", "kube-root-ca.crt")->data["ca.crt"], "CA");
}

TEST_F(ControllersTest, ADeploymentRollsOutUpdatesAndGoes) {
  ASSERT_TRUE(client_.create(make_deployment(3)));
  cluster_.settle();
  ASSERT_EQ(all<Pod>().size(), 3u);
  run_pods();
  auto deployment = client_.get<Deployment>("ns", "web");
  EXPECT_EQ(deployment->status.available_replicas, 3);
  EXPECT_EQ(deployment->metadata.annotations["deployment.kubernetes.io/revision"], "1");

  // One pod less is replaced; a lost one and the count of events agree.
  ASSERT_TRUE(client_.remove<Pod>("ns", all<Pod>()[0].metadata.name));
  cluster_.settle();
  EXPECT_EQ(all<Pod>().size(), 3u);
  run_pods();

  deployment = client_.get<Deployment>("ns", "web");
  deployment->spec.template_.spec.containers[0].image = "img:2";
  ASSERT_TRUE(client_.update(*deployment));
  for (int i = 0; i < 8; ++i) {
    cluster_.settle();
    EXPECT_LE(all<Pod>().size(), 4u);
    run_pods();
  }
  EXPECT_EQ(all<ReplicaSet>().size(), 2u);
  ASSERT_EQ(all<Pod>().size(), 3u);
  for (const Pod& pod : all<Pod>()) EXPECT_EQ(pod.spec.containers[0].image, "img:2");
  deployment = client_.get<Deployment>("ns", "web");
  EXPECT_EQ(deployment->status.updated_replicas, 3);
  EXPECT_EQ(deployment->metadata.annotations["deployment.kubernetes.io/revision"], "2");

  ASSERT_TRUE(client_.remove<Deployment>("ns", "web"));
  cluster_.settle();
  EXPECT_EQ(all<ReplicaSet>().size(), 0u) << "the garbage collector follows owners down";
  EXPECT_EQ(all<Pod>().size(), 0u);
}

TEST_F(ControllersTest, ForegroundDeletionWaitsForDependents) {
  ConfigMap owner;
  owner.metadata.name = "owner";
  owner.metadata.namespace_ = "ns";
  owner = *client_.create(owner);
  ConfigMap dependent;
  dependent.metadata.name = "dependent";
  dependent.metadata.namespace_ = "ns";
  dependent.metadata.finalizers = {"a.b/c"};
  auto& reference = dependent.metadata.owner_references.emplace_back();
  reference.api_version = "v1";
  reference.kind = "ConfigMap";
  reference.name = "owner";
  reference.uid = owner.metadata.uid;
  reference.block_owner_deletion = true;
  ASSERT_TRUE(client_.create(dependent));
  cluster_.settle();
  client::DeleteOptions options;
  options.propagation = client::Propagation::kForeground;
  ASSERT_TRUE(client_.remove<ConfigMap>("ns", "owner", options));
  cluster_.settle();
  EXPECT_TRUE(client_.get<ConfigMap>("ns", "dependent")->metadata.deletion_timestamp);
  EXPECT_TRUE(client_.get<ConfigMap>("ns", "owner"));
  ASSERT_TRUE(
      client_.patch<ConfigMap>("ns", "dependent", client::PatchType::kMerge, R"({"metadata":{"finalizers":null}})"));
  cluster_.settle();
  EXPECT_FALSE(client_.get<ConfigMap>("ns", "owner"));
}

TEST_F(ControllersTest, ACircleOfOwnersGoesWithTheFirst) {
  std::map<std::string, std::string> uids;
  for (const char* name : {"a", "b", "c"}) {
    ConfigMap map;
    map.metadata.name = name;
    map.metadata.namespace_ = "ns";
    uids[name] = client_.create(map)->metadata.uid;
  }
  for (const auto& [name, owner] : std::map<std::string, std::string>{{"a", "c"}, {"b", "a"}, {"c", "b"}}) {
    auto map = client_.get<ConfigMap>("ns", name);
    auto& reference = map->metadata.owner_references.emplace_back();
    reference.api_version = "v1";
    reference.kind = "ConfigMap";
    reference.name = owner;
    reference.uid = uids[owner];
    reference.block_owner_deletion = true;
    ASSERT_TRUE(client_.update(*map));
  }
  cluster_.settle();
  client::DeleteOptions options;
  options.propagation = client::Propagation::kForeground;
  ASSERT_TRUE(client_.remove<ConfigMap>("ns", "a", options));
  cluster_.settle();
  for (const char* name : {"a", "b", "c"}) EXPECT_FALSE(client_.get<ConfigMap>("ns", name)) << name;
}

TEST_F(ControllersTest, OrphaningLeavesDependents) {
  ASSERT_TRUE(client_.create(make_deployment(1)));
  cluster_.settle();
  client::DeleteOptions options;
  options.propagation = client::Propagation::kOrphan;
  ASSERT_TRUE(client_.remove<Deployment>("ns", "web", options));
  cluster_.settle();
  ASSERT_EQ(all<ReplicaSet>().size(), 1u);
  EXPECT_TRUE(all<ReplicaSet>()[0].metadata.owner_references.empty());
  // A new one of the same selector takes the set in instead of making its own.
  ASSERT_TRUE(client_.create(make_deployment(1)));
  cluster_.settle();
  ASSERT_EQ(all<ReplicaSet>().size(), 1u);
  EXPECT_EQ(all<ReplicaSet>()[0].metadata.owner_references.size(), 1u);
  EXPECT_EQ(all<Pod>().size(), 1u);
}

TEST_F(ControllersTest, AFailingTemplateCostsFewCallsAndIsReported) {
  cluster_.transport->fail_next(client::Verb::kCreate, "pods", 1000, {base::Reason::kForbidden, "exceeded quota"});
  ASSERT_TRUE(client_.create(make_deployment(500)));
  const size_t before = cluster_.transport->calls(client::Verb::kCreate);
  cluster_.settle();
  EXPECT_LT(cluster_.transport->calls(client::Verb::kCreate) - before, 60u);
  const ReplicaSet set = all<ReplicaSet>()[0];
  ASSERT_EQ(set.status.conditions.size(), 1u);
  EXPECT_EQ(set.status.conditions[0].type, "ReplicaFailure");
  EXPECT_EQ(set.status.conditions[0].reason, "FailedCreate");
  bool reported = false;
  for (const Event& event : all<Event>()) reported |= event.reason == "FailedCreate" && event.count > 1;
  EXPECT_TRUE(reported);
}

TEST_F(ControllersTest, ManyReplicasAreMadeOnceEach) {
  ASSERT_TRUE(client_.create(make_deployment(300)));
  cluster_.settle();
  EXPECT_EQ(all<Pod>().size(), 300u);
  auto deployment = client_.get<Deployment>("ns", "web");
  deployment->spec.replicas = 20;
  ASSERT_TRUE(client_.update(*deployment));
  cluster_.settle();
  EXPECT_EQ(all<Pod>().size(), 20u);
  EXPECT_EQ(client_.get<Deployment>("ns", "web")->status.replicas, 20);
}

TEST_F(ControllersTest, ServicesGetEndpointsAndSlices) {
  Service service;
  service.metadata.name = "sv";
  service.metadata.namespace_ = "ns";
  service.spec.selector = {{"app", "a"}};
  service.spec.ports.resize(1);
  service.spec.ports[0].port = 80;
  ASSERT_TRUE(client_.create(service));
  ASSERT_TRUE(client_.create(make_deployment(2)));
  cluster_.settle();
  run_pods();
  EXPECT_EQ(client_.get<Endpoints>("ns", "sv")->subsets[0].addresses.size(), 2u);
  const auto slices = all<EndpointSlice>();
  ASSERT_EQ(slices.size(), 1u);
  EXPECT_EQ(slices[0].endpoints.size(), 2u);
  ASSERT_TRUE(client_.remove<Service>("ns", "sv"));
  cluster_.settle();
  EXPECT_FALSE(client_.get<Endpoints>("ns", "sv"));
  EXPECT_TRUE(all<EndpointSlice>().empty());
}

TEST_F(ControllersTest, EndpointsMadeByHandAreMirrored) {
  Service service;
  service.metadata.name = "db";
  service.metadata.namespace_ = "ns";
  ASSERT_TRUE(client_.create(service));
  Endpoints endpoints;
  endpoints.metadata = service.metadata;
  endpoints.metadata.labels = {{"a", "b"}};
  auto& subset = endpoints.subsets.emplace_back();
  subset.ports.emplace_back().port = 80;
  subset.addresses.emplace_back().ip = "10.1.2.3";
  subset.not_ready_addresses.emplace_back().ip = "fd00::1";
  ASSERT_TRUE(client_.create(endpoints));
  cluster_.settle();
  std::map<std::string, EndpointSlice> slices;
  for (const EndpointSlice& slice : all<EndpointSlice>()) slices[slice.address_type] = slice;
  ASSERT_EQ(slices.size(), 2u);
  const EndpointSlice& slice = slices["IPv4"];
  EXPECT_EQ(slice.metadata.labels.at("kubernetes.io/service-name"), "db");
  EXPECT_EQ(slice.metadata.labels.at("endpointslice.kubernetes.io/managed-by"),
            "endpointslicemirroring-controller.k8s.io");
  EXPECT_EQ(slice.metadata.labels.at("a"), "b");
  EXPECT_EQ(slice.ports[0].port, 80);
  EXPECT_EQ(slice.endpoints[0].addresses[0], "10.1.2.3");
  EXPECT_EQ(slice.endpoints[0].conditions.ready, true);
  EXPECT_EQ(slices["IPv6"].endpoints[0].conditions.ready, false);

  auto current = client_.get<Endpoints>("ns", "db");
  current->subsets[0].addresses[0].ip = "10.2.3.4";
  current->subsets[0].not_ready_addresses.clear();
  ASSERT_TRUE(client_.update(*current));
  cluster_.settle();
  ASSERT_EQ(all<EndpointSlice>().size(), 1u);
  EXPECT_EQ(all<EndpointSlice>()[0].metadata.name, slice.metadata.name);
  EXPECT_EQ(all<EndpointSlice>()[0].endpoints[0].addresses[0], "10.2.3.4");
  ASSERT_TRUE(client_.remove<Endpoints>("ns", "db"));
  cluster_.settle();
  EXPECT_TRUE(all<EndpointSlice>().empty());
}

TEST_F(ControllersTest, AnEndingNamespaceIsEmptiedPodsFirst) {
  ASSERT_TRUE(client_.create(make_deployment(2)));
  ConfigMap held;
  held.metadata.name = "held";
  held.metadata.namespace_ = "ns";
  held.metadata.finalizers = {"a.b/c"};
  ASSERT_TRUE(client_.create(held));
  cluster_.settle();
  ASSERT_TRUE(client_.remove<Namespace>("", "ns"));
  cluster_.settle();
  cluster_.executor.advance(seconds(10));
  const auto ns = client_.get<Namespace>("", "ns");
  ASSERT_TRUE(ns);
  EXPECT_EQ(ns->status.conditions[3].status, "True");
  EXPECT_EQ(all<Deployment>().size(), 0u);
  ASSERT_TRUE(client_.patch<ConfigMap>("ns", "held", client::PatchType::kMerge, R"({"metadata":{"finalizers":null}})"));
  cluster_.executor.advance(seconds(10));
  EXPECT_FALSE(client_.get<Namespace>("", "ns"));
  EXPECT_EQ(all<ConfigMap>().size(), 0u);
}

TEST_F(ControllersTest, ASilentNodeLosesItsPods) {
  Node node;
  node.metadata.name = "n";
  node.status.conditions.resize(1);
  node.status.conditions[0].type = "Ready";
  node.status.conditions[0].status = "True";
  ASSERT_TRUE(client_.create(node));
  Pod pod;
  pod.metadata.name = "p";
  pod.metadata.namespace_ = "ns";
  pod.spec.node_name = "n";
  auto& toleration = pod.spec.tolerations.emplace_back();
  toleration.key = "node.kubernetes.io/unreachable";
  toleration.operator_ = "Exists";
  toleration.effect = "NoExecute";
  toleration.toleration_seconds = 300;
  ASSERT_TRUE(client_.create(pod));
  cluster_.executor.advance(seconds(40));
  EXPECT_EQ(client_.get<Node>("", "n")->status.conditions[0].status, "True");
  cluster_.executor.advance(seconds(30));
  EXPECT_EQ(client_.get<Node>("", "n")->status.conditions[0].status, "Unknown");
  EXPECT_EQ(client_.get<Node>("", "n")->spec.taints.size(), 2u);
  EXPECT_FALSE(client_.get<Pod>("ns", "p")->metadata.deletion_timestamp);
  cluster_.executor.advance(seconds(300));
  EXPECT_TRUE(client_.get<Pod>("ns", "p")->metadata.deletion_timestamp);
}

}  // namespace
}  // namespace controllers
