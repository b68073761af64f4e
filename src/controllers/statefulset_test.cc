#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "controllers/statefulset/controller.h"
#include "controllers/statefulset/plan.h"
#include "controllers/test_support.h"
#include "gen/apps/v1.h"
#include "gen/core/v1.h"
#include "object/time.h"

namespace controllers::statefulset {
namespace {

using api::apps::v1::ControllerRevision;
using api::apps::v1::StatefulSet;
using api::core::v1::Event;
using api::core::v1::PersistentVolumeClaim;
using api::core::v1::Pod;
using testing::Contains;
using testing::ElementsAre;

TEST(StatefulSetNames, Ordinals) {
  EXPECT_EQ(ordinal_of("web", "web-0"), 0);
  EXPECT_EQ(ordinal_of("web", "web-12"), 12);
  EXPECT_EQ(ordinal_of("web", "web-"), -1);
  EXPECT_EQ(ordinal_of("web", "web-x"), -1);
  EXPECT_EQ(ordinal_of("web", "web2-0"), -1);
  EXPECT_EQ(ordinal_of("web", "web-2-0"), -1);
}

class StatefulSetTest : public testing::Test {
 protected:
  StatefulSetTest() {
    cluster_.add(make_controller(cluster_.dependencies()));
    cluster_.start();
  }
  static StatefulSet make_set(int32_t replicas, std::string policy = "OrderedReady") {
    StatefulSet set;
    set.metadata.namespace_ = "ns";
    set.metadata.name = "web";
    set.spec.replicas = replicas;
    set.spec.service_name = "svc";
    set.spec.pod_management_policy = std::move(policy);
    set.spec.selector.ensure().match_labels = {{"app", "w"}};
    set.spec.template_.metadata.labels = {{"app", "w"}};
    set.spec.template_.spec.containers.resize(1);
    set.spec.template_.spec.containers[0].name = "c";
    set.spec.template_.spec.containers[0].image = "img:1";
    set.spec.update_strategy.type = "RollingUpdate";
    set.spec.update_strategy.rolling_update.ensure().partition = 0;
    set.spec.volume_claim_templates.emplace_back().metadata.name = "data";
    return set;
  }
  void create(const StatefulSet& set) {
    ASSERT_TRUE(cluster_.client.create(set));
    cluster_.settle();
  }
  // "web-0:1" = image img:1
  std::vector<std::string> pods() {
    std::vector<std::string> found;
    for (const Pod& pod : *cluster_.client.list<Pod>("ns"))
      found.push_back(pod.metadata.name + pod.spec.containers[0].image.substr(3));
    return found;
  }
  StatefulSet set() { return *cluster_.client.get<StatefulSet>("ns", "web"); }
  void phase(const std::string& name, const std::string& phase) {
    Pod pod = *cluster_.client.get<Pod>("ns", name);
    pod.status.phase = phase;
    pod.status.conditions.resize(1);
    pod.status.conditions[0].type = "Ready";
    pod.status.conditions[0].status = phase == "Running" ? "True" : "False";
    pod.status.conditions[0].last_transition_time = object::to_time(cluster_.executor.wall_now());
    ASSERT_TRUE(cluster_.client.update_status(pod));
    cluster_.settle();
  }
  void run_all(int rounds = 4) {
    for (int i = 0; i < rounds; ++i) {
      for (const Pod& pod : *cluster_.client.list<Pod>("ns")) {
        if (pod.status.phase != "Running") phase(pod.metadata.name, "Running");
      }
    }
  }
  void change(const std::function<void(StatefulSet&)>& edit) {
    StatefulSet changed = set();
    edit(changed);
    ASSERT_TRUE(cluster_.client.update(changed));
    cluster_.settle();
  }
  std::vector<std::string> events() {
    std::vector<std::string> found;
    for (const Event& event : *cluster_.client.list<Event>("ns")) found.push_back(event.reason + ": " + event.message);
    return found;
  }

  Cluster cluster_;
};

TEST_F(StatefulSetTest, OneAfterTheOtherWithClaims) {
  create(make_set(3));
  EXPECT_THAT(pods(), ElementsAre("web-0:1"));
  phase("web-0", "Pending");
  EXPECT_THAT(pods(), ElementsAre("web-0:1"));
  phase("web-0", "Running");
  EXPECT_THAT(pods(), ElementsAre("web-0:1", "web-1:1"));
  run_all();
  EXPECT_THAT(pods(), ElementsAre("web-0:1", "web-1:1", "web-2:1"));
  const Pod pod = *cluster_.client.get<Pod>("ns", "web-1");
  EXPECT_EQ(pod.spec.hostname, "web-1");
  EXPECT_EQ(pod.spec.subdomain, "svc");
  EXPECT_EQ(pod.metadata.labels.at(kPodNameLabel), "web-1");
  EXPECT_EQ(pod.metadata.labels.at(kPodIndexLabel), "1");
  EXPECT_EQ(pod.metadata.labels.at(kRevisionLabel), set().status.update_revision);
  EXPECT_EQ(pod.spec.volumes.at(0).volume_source.persistent_volume_claim->claim_name, "data-web-1");
  EXPECT_EQ(cluster_.client.get<PersistentVolumeClaim>("ns", "data-web-1")->metadata.labels.at("app"), "w");
  EXPECT_EQ(set().status.ready_replicas, 3);
  EXPECT_EQ(set().status.current_revision, set().status.update_revision);
  EXPECT_THAT(events(), Contains("SuccessfulCreate: create Pod web-0 in StatefulSet web successful"));
  EXPECT_THAT(events(), Contains("SuccessfulCreate: create Claim data-web-0 Pod web-0 in StatefulSet web success"));
}

TEST_F(StatefulSetTest, ScalesDownFromTheTopAndKeepsClaims) {
  create(make_set(3));
  run_all();
  change([](StatefulSet& set) { set.spec.replicas = 1; });
  EXPECT_THAT(pods(), ElementsAre("web-0:1"));
  EXPECT_EQ(cluster_.client.list<PersistentVolumeClaim>("ns")->size(), 3u);
  change([](StatefulSet& set) { set.spec.ordinals.ensure().start = 5; });
  run_all();
  EXPECT_THAT(pods(), ElementsAre("web-5:1"));
}

TEST_F(StatefulSetTest, ParallelWaitsForNobody) {
  create(make_set(3, "Parallel"));
  EXPECT_THAT(pods(), ElementsAre("web-0:1", "web-1:1", "web-2:1"));
  change([](StatefulSet& set) { set.spec.replicas = 0; });
  EXPECT_THAT(pods(), ElementsAre());
}

TEST_F(StatefulSetTest, AFailedPodIsMadeAgainUnderItsName) {
  create(make_set(2));
  run_all();
  const std::string before = cluster_.client.get<Pod>("ns", "web-0")->metadata.uid;
  phase("web-0", "Failed");
  EXPECT_NE(cluster_.client.get<Pod>("ns", "web-0")->metadata.uid, before);
  EXPECT_THAT(events(), Contains("RecreatingFailedPod: StatefulSet ns/web is recreating failed Pod web-0"));
}

TEST_F(StatefulSetTest, RollsFromTheTopDownToThePartition) {
  create(make_set(3));
  run_all();
  const std::string first = set().status.current_revision;
  change([](StatefulSet& set) {
    set.spec.template_.spec.containers[0].image = "img:2";
    set.spec.update_strategy.rolling_update->partition = 1;
  });
  EXPECT_THAT(pods(), ElementsAre("web-0:1", "web-1:1", "web-2:2"));
  run_all();
  EXPECT_THAT(pods(), ElementsAre("web-0:1", "web-1:2", "web-2:2"));
  EXPECT_EQ(set().status.current_revision, first);
  EXPECT_EQ(set().status.updated_replicas, 2);
  // Below the partition a Pod comes back as it was.
  ASSERT_TRUE(cluster_.client.remove<Pod>("ns", "web-0"));
  cluster_.settle();
  EXPECT_THAT(pods(), ElementsAre("web-0:1", "web-1:2", "web-2:2"));
  run_all();
  change([](StatefulSet& set) { set.spec.update_strategy.rolling_update->partition = 0; });
  run_all();
  EXPECT_THAT(pods(), ElementsAre("web-0:2", "web-1:2", "web-2:2"));
  EXPECT_NE(set().status.current_revision, first);
  EXPECT_EQ(set().status.current_revision, set().status.update_revision);
  EXPECT_EQ(cluster_.client.list<ControllerRevision>("ns")->size(), 2u);
}

TEST_F(StatefulSetTest, OnDeleteUpdatesWhatIsDeleted) {
  StatefulSet wanted = make_set(2);
  wanted.spec.update_strategy.type = "OnDelete";
  wanted.spec.update_strategy.rolling_update = {};
  create(wanted);
  run_all();
  change([](StatefulSet& set) { set.spec.template_.spec.containers[0].image = "img:2"; });
  EXPECT_THAT(pods(), ElementsAre("web-0:1", "web-1:1"));
  ASSERT_TRUE(cluster_.client.remove<Pod>("ns", "web-0"));
  cluster_.settle();
  EXPECT_THAT(pods(), ElementsAre("web-0:2", "web-1:1"));
}

TEST_F(StatefulSetTest, MinReadySecondsAreWaitedFor) {
  StatefulSet wanted = make_set(2);
  wanted.spec.min_ready_seconds = 10;
  create(wanted);
  phase("web-0", "Running");
  EXPECT_THAT(pods(), ElementsAre("web-0:1"));
  EXPECT_EQ(set().status.available_replicas, 0);
  cluster_.executor.advance(std::chrono::seconds(11));
  EXPECT_THAT(pods(), ElementsAre("web-0:1", "web-1:1"));
  EXPECT_EQ(set().status.available_replicas, 1);
}

}  // namespace
}  // namespace controllers::statefulset
