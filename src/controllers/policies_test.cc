// PodDisruptionBudgets and ResourceQuotas on an API in memory.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "controllers/disruption/controller.h"
#include "controllers/disruption/plan.h"
#include "controllers/resourcequota/controller.h"
#include "controllers/test_support.h"
#include "gen/apps/v1.h"
#include "gen/core/v1.h"
#include "object/time.h"

namespace controllers {
namespace {

using api::apps::v1::Deployment;
using api::apps::v1::ReplicaSet;
using api::core::v1::ConfigMap;
using api::core::v1::Event;
using api::core::v1::Pod;
using api::core::v1::ResourceQuota;
using api::core::v1::Service;
using api::policy::v1::PodDisruptionBudget;
using std::chrono::seconds;
using testing::Contains;
using testing::ElementsAre;
using testing::Pair;

class PoliciesTest : public testing::Test {
 protected:
  PoliciesTest() {
    cluster_.add(disruption::make_controller(cluster_.dependencies()));
    cluster_.add(resourcequota::make_controller(cluster_.dependencies()));
    cluster_.start();
  }
  template <typename T>
  T create(T object) {
    object.metadata.namespace_ = "ns";
    auto made = client_.create(object);
    EXPECT_TRUE(made);
    cluster_.settle();
    return *made;
  }
  static object::IntOrString number(int32_t value) { return {0, value, ""}; }
  static object::IntOrString percent(const std::string& text) { return {1, 0, text}; }
  void budget(const std::function<void(PodDisruptionBudget&)>& edit) {
    PodDisruptionBudget one;
    one.metadata.name = "b";
    one.spec.selector.ensure().match_labels = {{"app", "a"}};
    edit(one);
    create(one);
  }
  void pod(const std::string& name, bool ready, const std::function<void(Pod&)>& edit = {}) {
    Pod one;
    one.metadata.name = name;
    one.metadata.labels = {{"app", "a"}};
    if (edit) edit(one);
    one = create(one);
    one.status.phase = "Running";
    auto& condition = one.status.conditions.emplace_back();
    condition.type = "Ready";
    condition.status = ready ? "True" : "False";
    ASSERT_TRUE(client_.update_status(one));
    cluster_.settle();
  }
  template <typename T>
  static void own(Pod& pod, const T& owner, const std::string& kind) {
    auto& reference = pod.metadata.owner_references.emplace_back();
    reference.api_version = kind == "Job" ? "batch/v1" : "apps/v1";
    reference.kind = kind;
    reference.name = owner.metadata.name;
    reference.uid = owner.metadata.uid;
    reference.controller = true;
  }
  // "healthy/desired/expected allowed reason"
  std::string state() {
    const auto status = client_.get<PodDisruptionBudget>("ns", "b")->status;
    return std::to_string(status.current_healthy) + "/" + std::to_string(status.desired_healthy) + "/" +
           std::to_string(status.expected_pods) + " " + std::to_string(status.disruptions_allowed) + " " +
           (status.conditions.empty() ? "" : status.conditions[0].reason);
  }
  std::vector<std::string> events() {
    std::vector<std::string> found;
    for (const Event& event : *client_.list<Event>("")) found.push_back(event.reason + ": " + event.message);
    return found;
  }
  std::map<std::string, std::string> used(const std::string& quota) {
    std::map<std::string, std::string> texts;
    for (const auto& [name, amount] : client_.get<ResourceQuota>("ns", quota)->status.used) texts[name] = amount.string;
    return texts;
  }
  void quota(const std::string& name, const std::map<std::string, std::string>& hard,
             const std::vector<std::string>& scopes = {}) {
    ResourceQuota one;
    one.metadata.name = name;
    for (const auto& [key, value] : hard) one.spec.hard[key].string = value;
    one.spec.scopes = scopes;
    create(one);
  }

  Cluster cluster_;
  client::Client& client_ = cluster_.client;
};

TEST_F(PoliciesTest, ABudgetFollowsItsPods) {
  budget([](auto& one) { one.spec.min_available.ensure() = number(2); });
  EXPECT_EQ(state(), "0/2/0 0 InsufficientPods");
  EXPECT_THAT(events(), Contains("NoPods: No matching pods found"));
  pod("p1", true);
  pod("p2", false);
  EXPECT_EQ(state(), "1/2/2 0 InsufficientPods");
  pod("p3", true);
  pod("p4", true);
  EXPECT_EQ(state(), "3/2/4 1 SufficientPods");
  pod("other", true, [](Pod& one) { one.metadata.labels = {{"app", "b"}}; });
  EXPECT_EQ(state(), "3/2/4 1 SufficientPods");
  client::DeleteOptions now;
  now.grace_period_seconds = 0;
  ASSERT_TRUE(client_.remove<Pod>("ns", "p4", now));
  cluster_.settle();
  EXPECT_EQ(state(), "2/2/3 0 InsufficientPods");
}

TEST_F(PoliciesTest, SharesAreOfWhatTheControllersWant) {
  Deployment deployment;
  deployment.metadata.name = "d";
  deployment.spec.replicas = 10;
  deployment = create(deployment);
  ReplicaSet set;
  set.metadata.name = "d-1";
  set.spec.replicas = 7;
  auto& reference = set.metadata.owner_references.emplace_back();
  reference.api_version = "apps/v1";
  reference.kind = "Deployment";
  reference.name = "d";
  reference.uid = deployment.metadata.uid;
  reference.controller = true;
  set = create(set);
  for (const char* name : {"p1", "p2", "p3"}) pod(name, true, [&](Pod& one) { own(one, set, "ReplicaSet"); });
  budget([](auto& one) { one.spec.max_unavailable.ensure() = percent("75%"); });
  EXPECT_EQ(state(), "3/2/10 1 SufficientPods");
  pod("job", true, [&](Pod& one) { own(one, set, "Job"); });
  EXPECT_EQ(state(), "3/2/10 0 SyncFailed");
  EXPECT_THAT(events(), Contains("CalculateExpectedPodCountFailed: Failed to calculate the number of expected pods: "
                                 "jobs.batch does not implement the scale subresource"));
}

TEST_F(PoliciesTest, EvictionsThatDoNotHappenAreForgotten) {
  pod("p1", true);
  pod("p2", true);
  budget([](auto& one) { one.spec.min_available.ensure() = number(1); });
  EXPECT_EQ(state(), "2/1/2 1 SufficientPods");
  PodDisruptionBudget taken = *client_.get<PodDisruptionBudget>("ns", "b");
  taken.status.disrupted_pods["p1"] = object::to_time(cluster_.executor.wall_now());
  taken.status.disruptions_allowed = 0;
  ASSERT_TRUE(client_.update_status(taken));
  cluster_.settle();
  EXPECT_EQ(state(), "1/1/2 0 InsufficientPods");
  cluster_.executor.advance(seconds(119));
  EXPECT_EQ(state(), "1/1/2 0 InsufficientPods");
  cluster_.executor.advance(seconds(3));
  EXPECT_EQ(state(), "2/1/2 1 SufficientPods");
  EXPECT_TRUE(client_.get<PodDisruptionBudget>("ns", "b")->status.disrupted_pods.empty());
  EXPECT_THAT(events(), Contains("NotDeleted: Pod was expected by PDB ns/ns to be deleted but it wasn't"));
}

TEST_F(PoliciesTest, StaleMarksAreTakenOff) {
  pod("p1", true);
  Pod marked = *client_.get<Pod>("ns", "p1");
  auto& condition = marked.status.conditions.emplace_back();
  condition.type = "DisruptionTarget";
  condition.status = "True";
  condition.last_transition_time = object::to_time(cluster_.executor.wall_now());
  ASSERT_TRUE(client_.update_status(marked));
  cluster_.executor.advance(seconds(119));
  EXPECT_EQ(client_.get<Pod>("ns", "p1")->status.conditions[1].status, "True");
  cluster_.executor.advance(seconds(2));
  EXPECT_EQ(client_.get<Pod>("ns", "p1")->status.conditions[1].status, "False");
}

TEST_F(PoliciesTest, QuotasCountWhatComesAndGoes) {
  const auto asks = [](const std::string& cpu) {
    return [=](Pod& one) {
      one.spec.containers.resize(1);
      one.spec.containers[0].resources.requests["cpu"].string = cpu;
    };
  };
  quota("q", {{"pods", "5"},
              {"requests.cpu", "2"},
              {"count/configmaps", "3"},
              {"services.nodeports", "1"},
              {"count/deployments.apps", "4"},
              {"count/nothings.example.com", "1"}});
  EXPECT_EQ(client_.get<ResourceQuota>("ns", "q")->status.hard.at("pods").string, "5");
  EXPECT_THAT(used("q"), ElementsAre(Pair("count/configmaps", "0"), Pair("count/deployments.apps", "0"),
                                     Pair("pods", "0"), Pair("requests.cpu", "0"), Pair("services.nodeports", "0")));
  pod("p1", true, asks("500m"));
  pod("p2", true, asks("250m"));
  ConfigMap config;
  config.metadata.name = "c";
  create(config);
  Deployment deployment;
  deployment.metadata.name = "d";
  create(deployment);
  Service service;
  service.metadata.name = "s";
  service.spec.type = "NodePort";
  service.spec.ports.resize(1);
  create(service);
  EXPECT_THAT(used("q"), ElementsAre(Pair("count/configmaps", "1"), Pair("count/deployments.apps", "1"),
                                     Pair("pods", "2"), Pair("requests.cpu", "750m"), Pair("services.nodeports", "1")));
  Pod over = *client_.get<Pod>("ns", "p1");
  over.status.phase = "Succeeded";
  ASSERT_TRUE(client_.update_status(over));
  ASSERT_TRUE(client_.remove<ConfigMap>("ns", "c"));
  cluster_.settle();
  EXPECT_THAT(used("q"), ElementsAre(Pair("count/configmaps", "0"), Pair("count/deployments.apps", "1"),
                                     Pair("pods", "1"), Pair("requests.cpu", "250m"), Pair("services.nodeports", "1")));
}

TEST_F(PoliciesTest, QuotasOfScopes) {
  quota("urgent", {{"pods", "5"}}, {"BestEffort"});
  pod("p1", true, [](Pod& one) { one.spec.containers.resize(1); });
  pod("p2", true, [](Pod& one) {
    one.spec.containers.resize(1);
    one.spec.containers[0].resources.requests["cpu"].string = "1";
  });
  EXPECT_THAT(used("urgent"), ElementsAre(Pair("pods", "1")));
}

}  // namespace
}  // namespace controllers
