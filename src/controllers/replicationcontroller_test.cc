#include <gtest/gtest.h>

#include "controllers/replicationcontroller/controller.h"
#include "controllers/test_support.h"

namespace controllers::replicationcontroller {
namespace {

using api::core::v1::Event;
using api::core::v1::Pod;
using api::core::v1::ReplicationController;

TEST(ReplicationControllers, KeepTheirPods) {
  Cluster cluster;
  cluster.add(make_controller(cluster.dependencies()));
  cluster.start();
  ReplicationController wanted;
  wanted.metadata.namespace_ = "ns";
  wanted.metadata.name = "rc";
  wanted.spec.replicas = 3;
  wanted.spec.selector = {{"app", "a"}};
  wanted.spec.template_.ensure().metadata.labels = {{"app", "a"}};
  wanted.spec.template_->spec.containers.resize(1);
  ASSERT_TRUE(cluster.client.create(wanted));
  cluster.settle();
  const auto pods = *cluster.client.list<Pod>("ns");
  ASSERT_EQ(pods.size(), 3u);
  EXPECT_EQ(pods[0].metadata.owner_references.at(0).kind, "ReplicationController");
  EXPECT_EQ(pods[0].metadata.owner_references.at(0).api_version, "v1");
  EXPECT_EQ(pods[0].metadata.generate_name, "rc-");
  auto now = *cluster.client.get<ReplicationController>("ns", "rc");
  EXPECT_EQ(now.status.replicas, 3);
  EXPECT_EQ(now.status.observed_generation, 1);
  for (const Event& event : *cluster.client.list<Event>("ns")) {
    EXPECT_EQ(event.source.component, "replication-controller");
    EXPECT_EQ(event.involved_object.kind, "ReplicationController");
  }
  now.spec.replicas = 1;
  ASSERT_TRUE(cluster.client.update(now));
  cluster.settle();
  EXPECT_EQ(cluster.client.list<Pod>("ns")->size(), 1u);
  const size_t writes = cluster.transport->calls(client::Verb::kUpdate);
  cluster.executor.advance(std::chrono::minutes(5));
  EXPECT_EQ(cluster.transport->calls(client::Verb::kUpdate), writes) << "a status that does not change is not written";
}

}  // namespace
}  // namespace controllers::replicationcontroller
