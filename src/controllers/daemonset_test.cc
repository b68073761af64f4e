#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "controllers/daemonset/controller.h"
#include "controllers/daemonset/plan.h"
#include "controllers/runtime/revisions.h"
#include "controllers/test_support.h"
#include "gen/apps/v1.h"
#include "gen/core/v1.h"

namespace controllers::daemonset {
namespace {

using api::apps::v1::ControllerRevision;
using api::apps::v1::DaemonSet;
using api::core::v1::Event;
using api::core::v1::Node;
using api::core::v1::Pod;
using api::core::v1::Taint;
using testing::ElementsAre;
using testing::UnorderedElementsAre;

DaemonSet make_set() {
  DaemonSet set;
  set.metadata.namespace_ = "ns";
  set.metadata.name = "d";
  set.spec.selector.ensure().match_labels = {{"app", "d"}};
  set.spec.template_.metadata.labels = {{"app", "d"}};
  set.spec.template_.spec.containers.resize(1);
  set.spec.template_.spec.containers[0].name = "c";
  set.spec.template_.spec.containers[0].image = "img:1";
  set.spec.update_strategy.type = "RollingUpdate";
  set.spec.update_strategy.rolling_update.ensure().max_unavailable.ensure().int_val = 1;
  return set;
}
Node make_node(std::string name) {
  Node node;
  node.metadata.name = name;
  node.metadata.labels = {{"kubernetes.io/hostname", std::move(name)}};
  return node;
}
Node tainted(std::string name, std::string key, std::string effect) {
  Node node = make_node(std::move(name));
  Taint& taint = node.spec.taints.emplace_back();
  taint.key = std::move(key);
  taint.effect = std::move(effect);
  return node;
}

TEST(DaemonSetFit, TaintsSelectorsAndAffinity) {
  DaemonSet set = make_set();
  const auto fits = [&](const Node& node) {
    const Fit result = fit(set, node);
    return std::string(result.run ? "run" : "") + (result.stay ? "stay" : "");
  };
  EXPECT_EQ(fits(make_node("a")), "runstay");
  EXPECT_EQ(fits(tainted("a", "node.kubernetes.io/not-ready", "NoExecute")), "runstay") << "tolerated by all";
  EXPECT_EQ(fits(tainted("a", "node.kubernetes.io/unschedulable", "NoSchedule")), "runstay");
  EXPECT_EQ(fits(tainted("a", "node.kubernetes.io/network-unavailable", "NoSchedule")), "stay");
  set.spec.template_.spec.host_network = true;
  EXPECT_EQ(fits(tainted("a", "node.kubernetes.io/network-unavailable", "NoSchedule")), "runstay");
  EXPECT_EQ(fits(tainted("a", "mine", "NoSchedule")), "stay");
  EXPECT_EQ(fits(tainted("a", "mine", "NoExecute")), "");
  EXPECT_EQ(fits(tainted("a", "mine", "PreferNoSchedule")), "runstay");
  set.spec.template_.spec.node_selector["disk"] = "fast";
  EXPECT_EQ(fits(make_node("a")), "");
  Node fast = make_node("a");
  fast.metadata.labels["disk"] = "fast";
  EXPECT_EQ(fits(fast), "runstay");
  auto& terms = set.spec.template_.spec.affinity.ensure()
                    .node_affinity.ensure()
                    .required_during_scheduling_ignored_during_execution.ensure()
                    .node_selector_terms;
  auto& requirement = terms.emplace_back().match_expressions.emplace_back();
  requirement.key = "size";
  requirement.operator_ = "Gt";
  requirement.values = {"3"};
  EXPECT_EQ(fits(fast), "");
  fast.metadata.labels["size"] = "4";
  EXPECT_EQ(fits(fast), "runstay");
}

TEST(DaemonSetPod, IsBoundToItsNodeByName) {
  DaemonSet set = make_set();
  set.metadata.annotations[kTemplateGeneration] = "3";
  const Pod pod = make_pod(set, "h", "a");
  EXPECT_EQ(pod.metadata.generate_name, "d-");
  EXPECT_EQ(pod.metadata.labels.at(kHashLabel), "h");
  EXPECT_EQ(pod.metadata.labels.at(kGenerationLabel), "3");
  EXPECT_EQ(pod.spec.node_name, "");
  EXPECT_EQ(target_node(pod), "a");
  EXPECT_EQ(pod.spec.tolerations.size(), 6u);
}

TEST(Revisions, DataHoldsTheTemplate) {
  const DaemonSet set = make_set();
  const std::string data = revision_data(set.spec.template_);
  EXPECT_NE(data.find(R"("$patch":"replace")"), std::string::npos);
  ControllerRevision revision;
  revision.data.raw = data;
  const auto back = template_of(revision);
  ASSERT_TRUE(back) << back.error().message;
  EXPECT_EQ(*back, set.spec.template_);
  EXPECT_NE(revision_hash(data, {}), revision_hash(data, 1));
}

class DaemonSetTest : public testing::Test {
 protected:
  DaemonSetTest() {
    cluster_.add(make_controller(cluster_.dependencies()));
    cluster_.start();
    for (const char* name : {"a", "b", "c"}) EXPECT_TRUE(cluster_.client.create(make_node(name)));
    EXPECT_TRUE(cluster_.client.create(make_set()));
    cluster_.settle();
  }
  std::vector<Pod> pods() { return *cluster_.client.list<Pod>("ns"); }
  std::vector<std::string> nodes() {
    std::vector<std::string> found;
    for (const Pod& pod : pods()) found.push_back(target_node(pod));
    return found;
  }
  DaemonSet set() { return *cluster_.client.get<DaemonSet>("ns", "d"); }
  size_t of_image(const std::string& image) {
    size_t count = 0;
    for (const Pod& pod : pods()) count += pod.spec.containers[0].image == image;
    return count;
  }
  void run_pods() {
    for (Pod& pod : pods()) {
      if (pod.status.phase == "Running") continue;
      pod.status.phase = "Running";
      pod.status.conditions.resize(1);
      pod.status.conditions[0].type = "Ready";
      pod.status.conditions[0].status = "True";
      EXPECT_TRUE(cluster_.client.update_status(pod));
    }
    cluster_.settle();
  }
  void change(const std::string& image, int surge = 0) {
    DaemonSet changed = set();
    changed.spec.template_.spec.containers[0].image = image;
    auto& rolling = changed.spec.update_strategy.rolling_update.ensure();
    rolling.max_surge.ensure().int_val = surge;
    rolling.max_unavailable.ensure().int_val = surge > 0 ? 0 : 1;
    ASSERT_TRUE(cluster_.client.update(changed));
    cluster_.settle();
  }

  Cluster cluster_;
};

TEST_F(DaemonSetTest, OnePodOnEveryNodeAndStatus) {
  EXPECT_THAT(nodes(), UnorderedElementsAre("a", "b", "c"));
  EXPECT_EQ(set().status.desired_number_scheduled, 3);
  EXPECT_EQ(set().status.current_number_scheduled, 3);
  EXPECT_EQ(set().status.number_unavailable, 3);
  run_pods();
  EXPECT_EQ(set().status.number_ready, 3);
  EXPECT_EQ(set().status.number_available, 3);
  EXPECT_EQ(set().status.updated_number_scheduled, 3);
  EXPECT_EQ(set().status.observed_generation, 1);

  ASSERT_TRUE(cluster_.client.create(make_node("d")));
  cluster_.settle();
  EXPECT_THAT(nodes(), UnorderedElementsAre("a", "b", "c", "d"));
  ASSERT_TRUE(cluster_.client.remove<Node>("", "a"));
  cluster_.settle();
  EXPECT_THAT(nodes(), UnorderedElementsAre("b", "c", "d"));
}

TEST_F(DaemonSetTest, FailedPodsAreReplaced) {
  Pod failed = pods()[0];
  failed.status.phase = "Failed";
  ASSERT_TRUE(cluster_.client.update_status(failed));
  cluster_.settle();
  EXPECT_EQ(pods().size(), 3u);
  EXPECT_FALSE(cluster_.client.get<Pod>("ns", failed.metadata.name));
  size_t told = 0;
  for (const Event& event : *cluster_.client.list<Event>("ns")) told += event.reason == "FailedDaemonPod";
  EXPECT_EQ(told, 1u);
}

TEST_F(DaemonSetTest, RollsOneNodeAfterTheOther) {
  run_pods();
  change("img:2");
  EXPECT_EQ(of_image("img:1"), 2u);
  EXPECT_EQ(of_image("img:2"), 1u);
  cluster_.executor.advance(std::chrono::seconds(60));
  EXPECT_EQ(of_image("img:1"), 2u) << "the new one is not ready";
  run_pods();
  EXPECT_EQ(of_image("img:1"), 1u);
  run_pods();
  run_pods();
  EXPECT_EQ(of_image("img:2"), 3u);
  EXPECT_EQ(set().status.updated_number_scheduled, 3);
  EXPECT_EQ(set().status.number_available, 3);
  EXPECT_EQ(cluster_.client.list<ControllerRevision>("ns")->size(), 2u);
}

TEST_F(DaemonSetTest, SurgesWhereAsked) {
  run_pods();
  change("img:2", 1);
  EXPECT_EQ(of_image("img:1"), 3u) << "nothing goes before its successor works";
  EXPECT_EQ(of_image("img:2"), 1u);
  run_pods();
  EXPECT_EQ(of_image("img:1"), 2u);
  for (int i = 0; i < 4; ++i) run_pods();
  EXPECT_EQ(of_image("img:2"), 3u);
  EXPECT_EQ(of_image("img:1"), 0u);
}

TEST_F(DaemonSetTest, ARollBackMakesTheOldRevisionTheNewest) {
  run_pods();
  change("img:2");
  for (int i = 0; i < 4; ++i) run_pods();
  change("img:1");
  for (int i = 0; i < 4; ++i) run_pods();
  EXPECT_EQ(of_image("img:1"), 3u);
  std::vector<int64_t> numbers;
  for (const auto& revision : *cluster_.client.list<ControllerRevision>("ns")) numbers.push_back(revision.revision);
  EXPECT_THAT(numbers, UnorderedElementsAre(2, 3));
}

}  // namespace
}  // namespace controllers::daemonset
