#include <gtest/gtest.h>

#include <map>

#include "client/memory_transport.h"
#include "client/virtual_executor.h"
#include "hollow/node_objects.h"
#include "hollow/nodes.h"
#include "hollow/pod_plan.h"
#include "object/time.h"

namespace hollow {
namespace {

using api::core::v1::Node;
using api::core::v1::Pod;
using client::VirtualExecutor;
using std::chrono::milliseconds;
using std::chrono::seconds;

const base::WallTime kNow = base::WallTime(seconds(1'700'000'000));

Pod make_pod(std::string name, std::string restart_policy = "Always") {
  Pod pod;
  pod.metadata.name = std::move(name);
  pod.metadata.namespace_ = "ns";
  pod.metadata.generation = 1;
  pod.spec.restart_policy = std::move(restart_policy);
  pod.spec.node_name = "node-1";
  pod.spec.containers.resize(1);
  pod.spec.containers[0].name = "c";
  pod.spec.containers[0].image = "img:1";
  return pod;
}

std::string ready_of(const Pod& pod) {
  for (const auto& condition : pod.status.conditions) {
    if (condition.type == "Ready") return condition.status;
  }
  return "";
}

TEST(PodPlan, FromPendingToRunning) {
  const Options options;
  Pod pod = make_pod("p");
  PodSituation situation{&pod, "10.244.1.1", "10.0.0.11", kNow, kNow};
  PodPlan plan = plan_pod(situation, options);
  ASSERT_EQ(plan.action, PodAction::kReport);
  EXPECT_EQ(plan.status.phase, "Pending");
  EXPECT_EQ(plan.status.container_statuses[0].state.waiting->reason, "ContainerCreating");
  EXPECT_EQ(plan.status.host_ip, "10.0.0.11");
  pod.status = plan.status;

  plan = plan_pod(situation, options);
  EXPECT_EQ(plan.action, PodAction::kNone);
  EXPECT_EQ(plan.look_again, options.start_delay);

  situation.now = kNow + options.start_delay;
  plan = plan_pod(situation, options);
  ASSERT_EQ(plan.action, PodAction::kReport);
  EXPECT_EQ(plan.status.phase, "Running");
  EXPECT_EQ(plan.status.pod_ip, "10.244.1.1");
  pod.status = plan.status;
  EXPECT_EQ(ready_of(pod), "True");
  EXPECT_EQ(pod.status.container_statuses[0].container_id.substr(0, 9), "hollow://");
  EXPECT_EQ(plan_pod(situation, options).action, PodAction::kNone);
}

TEST(PodPlan, HowContainersEnd) {
  struct Row {
    const char* policy;
    const char* exit_code;
    const char* phase;
    int restarts;
  };
  const Row rows[] = {{"Never", "0", "Succeeded", 0},
                      {"Never", "3", "Failed", 0},
                      {"OnFailure", "0", "Succeeded", 0},
                      {"OnFailure", "3", "Running", 1}};
  const Options options;
  for (const Row& row : rows) {
    Pod pod = make_pod("p", row.policy);
    pod.metadata.annotations[kExitCode] = row.exit_code;
    PodSituation situation{&pod, "10.244.1.1", "10.0.0.11", kNow, kNow - seconds(1)};
    for (int i = 0; i < 2; ++i) pod.status = plan_pod(situation, options).status;
    EXPECT_EQ(pod.status.phase, "Running");
    situation.now = kNow + options.run_time;
    const PodPlan plan = plan_pod(situation, options);
    ASSERT_EQ(plan.action, PodAction::kReport);
    EXPECT_EQ(plan.status.phase, row.phase) << row.policy << row.exit_code;
    EXPECT_EQ(plan.status.container_statuses[0].restart_count, row.restarts);
  }
}

// Plans and takes over what is reported until nothing is to be done before `until`.
void follow(Pod& pod, base::WallTime& now, base::WallTime until) {
  for (int i = 0; i < 100; ++i) {
    const PodPlan plan = plan_pod({&pod, "10.244.1.1", "10.0.0.11", now, kNow - seconds(1)}, Options());
    if (plan.action == PodAction::kReport) {
      pod.status = plan.status;
      continue;
    }
    if (!plan.look_again || now + *plan.look_again > until) break;
    now += *plan.look_again;
  }
  now = until;
}

TEST(PodPlan, InitContainersComeFirst) {
  for (const char* policy : {"Always", "Never"}) {
    Pod pod = make_pod("p", policy);
    pod.spec.init_containers.resize(2);
    pod.spec.init_containers[0].name = "init1";
    pod.spec.init_containers[0].command = {"/bin/true"};
    pod.spec.init_containers[1].name = "init2";
    pod.spec.init_containers[1].command = {"/bin/false"};
    base::WallTime now = kNow;
    follow(pod, now, kNow + seconds(25));
    const auto& init = pod.status.init_container_statuses;
    EXPECT_EQ(init[0].state.terminated->exit_code, 0);
    EXPECT_EQ(pod.status.container_statuses[0].state.waiting->reason, "PodInitializing");
    if (std::string_view(policy) == "Never") {
      EXPECT_EQ(pod.status.phase, "Failed");
      EXPECT_EQ(init[1].state.terminated->exit_code, 1);
    } else {
      EXPECT_EQ(pod.status.phase, "Pending");
      EXPECT_EQ(init[1].restart_count, 2) << "at once, after 10 s, and then after 20 s";
      EXPECT_EQ(init[1].state.waiting->reason, "CrashLoopBackOff");
    }
  }
}

TEST(PodPlan, EveryContainerHasItsOwnEnd) {
  Pod pod = make_pod("p", "Never");
  pod.spec.containers[0].command = {"sleep", "2"};
  pod.spec.containers.push_back(pod.spec.containers[0]);
  pod.spec.containers[1].name = "d";
  pod.spec.containers[1].command = {"sh", "-c", "sleep 5; exit 4"};
  base::WallTime now = kNow;
  follow(pod, now, kNow + seconds(3));
  EXPECT_EQ(pod.status.phase, "Running");
  EXPECT_TRUE(pod.status.container_statuses[0].state.terminated);
  EXPECT_EQ(ready_of(pod), "True") << "one has ended well, the other runs";
  follow(pod, now, kNow + seconds(6));
  EXPECT_EQ(pod.status.phase, "Failed");
  EXPECT_EQ(pod.status.container_statuses[1].state.terminated->exit_code, 4);
}

TEST(PodPlan, ProbesImagesAndDeadlines) {
  Pod pod = make_pod("p");
  pod.spec.containers[0].readiness_probe.ensure().initial_delay_seconds = 10;
  base::WallTime now = kNow;
  follow(pod, now, kNow + seconds(9));
  EXPECT_EQ(ready_of(pod), "False");
  follow(pod, now, kNow + seconds(11));
  EXPECT_EQ(ready_of(pod), "True");

  pod = make_pod("q");
  pod.spec.containers[0].image = "img:non-existent";
  pod.spec.active_deadline_seconds = 5;
  now = kNow;
  follow(pod, now, kNow + seconds(4));
  EXPECT_EQ(pod.status.phase, "Pending");
  EXPECT_EQ(pod.status.container_statuses[0].state.waiting->reason, "ImagePullBackOff");
  follow(pod, now, kNow + seconds(6));
  EXPECT_EQ(pod.status.phase, "Failed");
  EXPECT_EQ(pod.status.reason, "DeadlineExceeded");
}

TEST(PodPlan, DeletionHonoursGraceAndFinalizers) {
  const Options options;
  Pod pod = make_pod("p");
  pod.status.phase = "Running";
  pod.status.start_time = object::to_time(kNow);
  pod.metadata.deletion_timestamp = object::to_time(kNow + seconds(30));
  pod.metadata.deletion_grace_period_seconds = 30;
  PodSituation situation{&pod, "", "", kNow, kNow};
  EXPECT_EQ(plan_pod(situation, options).action, PodAction::kDelete);
  pod.metadata.annotations[kStopSeconds] = "10";
  EXPECT_EQ(plan_pod(situation, options).look_again, base::Duration(seconds(10)));
  situation.now = kNow + seconds(10);
  EXPECT_EQ(plan_pod(situation, options).action, PodAction::kDelete);
  pod.metadata.finalizers = {"batch.kubernetes.io/job-tracking"};
  const PodPlan plan = plan_pod(situation, options);
  EXPECT_EQ(plan.action, PodAction::kReport);
  EXPECT_EQ(plan.status.phase, "Failed");
}

class HollowTest : public testing::Test {
 protected:
  HollowTest() {
    Options options;
    options.count = 3;
    Dependencies dependencies;
    dependencies.informers = &informers_;
    dependencies.transport_for = [this](const std::string&) { return transport_; };
    dependencies.clock = &executor_;
    dependencies.executor = &executor_;
    nodes_ = std::make_unique<HollowNodes>(options, dependencies);
    informers_.start();
    nodes_->start();
    executor_.run();
  }
  ~HollowTest() override {
    nodes_->stop();
    informers_.stop();
  }

  VirtualExecutor executor_;
  std::shared_ptr<client::MemoryTransport> transport_ = std::make_shared<client::MemoryTransport>(&executor_);
  client::Client client_{transport_};
  client::InformerFactory informers_{transport_, &executor_};
  std::unique_ptr<HollowNodes> nodes_;
};

TEST_F(HollowTest, RegistersAndRenews) {
  const auto node = client_.get<Node>("", "node-2");
  ASSERT_TRUE(node);
  EXPECT_EQ(node->status.allocatable.at("pods").string, "110");
  EXPECT_EQ(node->spec.pod_cidr, "10.244.2.0/24");
  const auto renewed = [&] {
    return client_.get<api::coordination::v1::Lease>("kube-node-lease", "node-2")->spec.renew_time->seconds;
  };
  const int64_t first = renewed();
  executor_.advance(seconds(25));
  EXPECT_EQ(renewed() - first, 20);
}

TEST_F(HollowTest, RunsManyPodsWithAddressesOfTheirOwn) {
  for (int i = 0; i < 50; ++i) ASSERT_TRUE(client_.create(make_pod("p" + std::to_string(i))));
  executor_.advance(seconds(1));
  std::map<std::string, int> addresses;
  for (const Pod& pod : *client_.list<Pod>("ns")) {
    EXPECT_EQ(pod.status.phase, "Running");
    ++addresses[pod.status.pod_ip];
  }
  EXPECT_EQ(addresses.size(), 50u);
  const size_t writes = transport_->calls(client::Verb::kUpdate);
  EXPECT_EQ(writes, 100u) << "two reports a pod";
  for (const Pod& pod : *client_.list<Pod>("ns")) ASSERT_TRUE(client_.remove<Pod>("ns", pod.metadata.name));
  executor_.advance(seconds(1));
  EXPECT_TRUE(client_.list<Pod>("ns")->empty());
  ASSERT_TRUE(client_.create(make_pod("again")));
  executor_.advance(seconds(1));
  EXPECT_EQ(client_.get<Pod>("ns", "again")->status.pod_ip, "10.244.1.1") << "freed addresses are used again";
}

TEST_F(HollowTest, AFailedReportIsTriedAgain) {
  transport_->fail_next(client::Verb::kUpdate, "pods", 3, {base::Reason::kTimeout, "slow"});
  ASSERT_TRUE(client_.create(make_pod("p")));
  executor_.advance(seconds(2));
  EXPECT_EQ(client_.get<Pod>("ns", "p")->status.phase, "Running");
}

}  // namespace
}  // namespace hollow
