// The whole loop on virtual time, with an API server of a few lines behind the transport.
#include "scheduler/schedule_one.h"

#include <gmock/gmock.h>

#include <functional>
#include <map>
#include <queue>

#include "scheduler/test_support.h"

namespace scheduler {
namespace {

using api::core::v1::Pod;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class VirtualTime final : public base::Clock, public base::Executor {
 public:
  base::WallTime wall_now() const override { return base::WallTime(std::chrono::seconds(1'700'000'000)) + now_; }
  base::MonoTime mono_now() const override { return base::MonoTime(now_); }
  void post(base::Task task) override { tasks_.push(std::move(task)); }
  void post_after(base::Duration delay, base::Task task) override { timers_.emplace(now_ + delay, std::move(task)); }
  void settle() {
    while (!tasks_.empty()) {
      base::Task task = std::move(tasks_.front());
      tasks_.pop();
      task();
    }
  }
  void advance(base::Duration by) {
    base::Duration end = now_ + by;
    while (!timers_.empty() && timers_.begin()->first <= end) {
      now_ = std::max(now_, timers_.begin()->first);
      base::Task task = std::move(timers_.begin()->second);
      timers_.erase(timers_.begin());
      task();
      settle();
    }
    now_ = end;
    settle();
  }

 private:
  base::Duration now_ = std::chrono::hours(1);
  std::queue<base::Task> tasks_;
  std::multimap<base::Duration, base::Task> timers_;
};

// Answers bindings and remembers every other write.
class FakeServer final : public client::Transport {
 public:
  void call(client::Call call, client::Callback done) override {
    if (call.resource->subresource == "binding") {
      auto binding = *gen::decode<api::core::v1::Binding>(call.body);
      if (fail_bindings > 0) {
        --fail_bindings;
        return done(base::fail(base::Reason::kInternalError, "disk full"));
      }
      bound.push_back(call.name + ">" + binding.target.name);
      if (hold_bindings) return held.push_back(std::move(done));
    } else if (call.resource->name == "events") {
      auto event = *gen::decode<api::core::v1::Event>(call.body);
      EXPECT_EQ(event.reporting_component, "default-scheduler");
      EXPECT_FALSE(event.event_time.zero());
      events.push_back(event.type + " " + event.reason + " " + event.action + " " + event.involved_object.name + ": " +
                       event.message);
    } else if (call.verb == client::Verb::kDelete) {
      deleted.push_back(call.name);
    } else {
      patches.push_back(call.name + " " + call.body);
    }
    done(client::RawObject());
  }
  base::Result<client::ListResult> list(const client::ListCall&) override { return client::ListResult(); }
  base::Result<std::unique_ptr<client::WatchHandle>> watch(const client::ListCall&, int64_t,
                                                           client::WatchReceiver*) override {
    return base::fail(base::Reason::kInternalError, "no watch here");
  }

  std::vector<std::string> bound, events, patches, deleted;
  std::vector<client::Callback> held;
  int fail_bindings = 0;
  bool hold_bindings = false;
};

class ScheduleOneTest : public testing::Test {
 protected:
  void SetUp() override { loop_->begin(); }
  void TearDown() override { loop_->stop(); }
  void node(const std::string& name, const NodeChangeFn& change = {}) {
    loop_->node_changed({}, raw_of(api_node(name, change)));
    time_.settle();
  }
  void pod(const std::string& name, const PodChange& change = {}) {
    loop_->pod_changed({}, raw_of(api_pod(name, change)));
    time_.settle();
  }
  void remove_pod(const std::string& name, const PodChange& change = {}) {
    loop_->pod_changed(raw_of(api_pod(name, change)), {});
    time_.settle();
  }
  static PodChange on(const std::string& node) {
    return [=](Pod& p) { p.spec.node_name = node; };
  }

  VirtualTime time_;
  std::shared_ptr<FakeServer> server_ = std::make_shared<FakeServer>();
  std::unique_ptr<base::Rng> rng_ = base::seeded_rng(1);
  std::shared_ptr<SchedulingLoop> loop_ =
      std::make_shared<SchedulingLoop>(LoopDependencies{server_, &time_, rng_.get(), &time_, "default-scheduler", "h"});
};

TEST_F(ScheduleOneTest, BindsAndSaysSo) {
  node("n1");
  pod("p", requests("500m"));
  EXPECT_THAT(server_->bound, ElementsAre("p>n1"));
  EXPECT_THAT(server_->events, ElementsAre("Normal Scheduled Binding p: Successfully assigned default/p to n1"));
  EXPECT_THAT(server_->patches, IsEmpty());
  EXPECT_EQ(loop_->stats().scheduled, 1u);
}

TEST_F(ScheduleOneTest, OnlyItsOwnUnassignedPods) {
  node("n1");
  pod("other", [](Pod& p) { p.spec.scheduler_name = "someone-else"; });
  pod("placed", on("n1"));
  pod("gated", [](Pod& p) { p.spec.scheduling_gates.emplace_back().name = "g"; });
  pod("done", [](Pod& p) { p.status.phase = "Succeeded"; });
  EXPECT_THAT(server_->bound, IsEmpty());
  pod("gated");
  EXPECT_THAT(server_->bound, ElementsAre("gated>n1"));
}

TEST_F(ScheduleOneTest, AssumedPodsHoldTheirPlaceWhileBindingsAreUnderWay) {
  server_->hold_bindings = true;
  node("n1");
  pod("a", requests("3"));
  pod("b", requests("3"));
  EXPECT_THAT(server_->bound, ElementsAre("a>n1"));
  EXPECT_THAT(server_->events, ElementsAre(HasSubstr("FailedScheduling Scheduling b: 0/1 nodes are available: 1 "
                                                     "Insufficient cpu.")));
}

TEST_F(ScheduleOneTest, UnschedulableIsReportedOnceAndRetriedOnEvents) {
  node("n1", [](auto& n) { n.status.allocatable["cpu"].string = "2"; });
  pod("big", requests("5"));
  const std::string message =
      "0/1 nodes are available: 1 Insufficient cpu. no new claims to deallocate, preemption: 0/1 nodes are available: "
      "1 Preemption is not helpful for scheduling.";
  EXPECT_THAT(server_->events, ElementsAre("Warning FailedScheduling Scheduling big: " + message));
  ASSERT_EQ(server_->patches.size(), 1u);
  EXPECT_EQ(
      server_->patches[0],
      "big {\"metadata\":{\"uid\":\"uid-big\"},\"status\":{\"conditions\":[{\"type\":\"PodScheduled\","
      "\"status\":\"False\",\"reason\":\"Unschedulable\",\"message\":\"" +
          message +
          "\",\"lastTransitionTime\":\"2023-11-14T23:13:20Z\",\"lastProbeTime\":null,\"observedGeneration\":1}]}}");
  // The watch shows the condition: nothing more is written, however often the pod is tried.
  pod("big", all_of({requests("5"), [&](Pod& p) {
                       auto& condition = p.status.conditions.emplace_back();
                       condition.type = "PodScheduled";
                       condition.status = "False";
                       condition.reason = "Unschedulable";
                       condition.message = message;
                       condition.observed_generation = 1;
                     }}));
  uint64_t attempts = loop_->stats().unschedulable;
  time_.advance(std::chrono::minutes(4));
  EXPECT_EQ(loop_->stats().unschedulable, attempts);  // no busy waiting
  node("small", [](auto& n) { n.status.allocatable["cpu"].string = "1"; });
  EXPECT_EQ(loop_->stats().unschedulable, attempts);  // that node would not help
  time_.advance(std::chrono::minutes(2));
  EXPECT_GT(loop_->stats().unschedulable, attempts);
  node("large", [](auto& n) { n.status.allocatable["cpu"].string = "8"; });
  EXPECT_THAT(server_->bound, ElementsAre("big>large"));
}

TEST_F(ScheduleOneTest, FreedRoomWakesWaitingPods) {
  node("n1");
  pod("placed", all_of({requests("4"), on("n1")}));
  pod("waiting", requests("1"));
  EXPECT_THAT(server_->bound, IsEmpty());
  remove_pod("placed", all_of({requests("4"), on("n1")}));
  EXPECT_THAT(server_->bound, ElementsAre("waiting>n1"));
}

TEST_F(ScheduleOneTest, NoNodes) {
  pod("p");
  EXPECT_THAT(server_->events,
              ElementsAre("Warning FailedScheduling Scheduling p: no nodes available to schedule pods"));
  node("n1");
  EXPECT_THAT(server_->bound, ElementsAre("p>n1"));
}

TEST_F(ScheduleOneTest, FailedBindingGivesTheRoomBackAndIsTriedAgain) {
  server_->fail_bindings = 1;
  node("n1");
  pod("p", requests("3"));
  EXPECT_THAT(server_->bound, IsEmpty());
  EXPECT_THAT(server_->events,
              ElementsAre(HasSubstr("p: binding rejected: running Bind plugin \"DefaultBinder\": disk full")));
  EXPECT_THAT(server_->patches, ElementsAre(HasSubstr("\"reason\":\"SchedulerError\"")));
  pod("q", requests("2"));  // 4 cpus: p's three are free again
  EXPECT_THAT(server_->bound, ElementsAre("q>n1"));
  remove_pod("q", requests("2"));
  time_.advance(std::chrono::milliseconds(999));
  EXPECT_EQ(server_->bound.size(), 1u);
  time_.advance(std::chrono::milliseconds(1));
  EXPECT_THAT(server_->bound, ElementsAre("q>n1", "p>n1"));
}

TEST_F(ScheduleOneTest, PodDeletedWhileItsBindingIsUnderWay) {
  server_->hold_bindings = true;
  node("n1");
  pod("p", requests("4"));
  remove_pod("p", requests("4"));
  pod("q", requests("4"));
  EXPECT_THAT(server_->bound, ElementsAre("p>n1", "q>n1"));
  server_->held[0](base::fail(base::Reason::kNotFound, "pods \"p\" not found"));
  time_.settle();
  EXPECT_THAT(server_->events, IsEmpty());
}

TEST_F(ScheduleOneTest, PreemptsThenUsesThePromisedNode) {
  PodChange urgent = [](Pod& p) { p.spec.priority = 100; };
  PodChange placed = all_of({requests("4"), on("n1")});
  node("n1");
  pod("victim", placed);
  pod("urgent", all_of({requests("2"), urgent}));
  EXPECT_THAT(server_->deleted, ElementsAre("victim"));
  ASSERT_EQ(server_->patches.size(), 2u);
  EXPECT_THAT(server_->patches[0], HasSubstr("\"nominatedNodeName\":\"n1\""));
  EXPECT_THAT(server_->patches[1], HasSubstr("\"reason\":\"PreemptionByScheduler\""));
  EXPECT_THAT(server_->events,
              ElementsAre("Warning FailedScheduling Scheduling urgent: 0/1 nodes are available: 1 "
                          "Insufficient cpu.",
                          "Normal Preempted Preempting victim: Preempted by pod uid-urgent on node n1"));
  remove_pod("victim", placed);
  EXPECT_THAT(server_->bound, ElementsAre("urgent>n1"));
}

TEST_F(ScheduleOneTest, APromiseIsKeptWhileVictimsEnd) {
  PodChange placed = all_of({requests("4"), on("n1")});
  PodChange urgent = all_of({requests("2"), [](Pod& p) { p.spec.priority = 100; }});
  node("n1");
  pod("victim", placed);
  pod("urgent", urgent);
  PodChange ending = all_of({placed, [](Pod& p) { p.metadata.deletion_timestamp = object::Time{1'700'000'000, 0}; }});
  loop_->pod_changed(raw_of(api_pod("victim", placed)), raw_of(api_pod("victim", ending)));
  time_.advance(std::chrono::minutes(6));  // tried again meanwhile
  EXPECT_THAT(server_->deleted, ElementsAre("victim"));
  EXPECT_THAT(server_->events.back(), HasSubstr("not eligible due to a terminating pod on the nominated node."));
  pod("lesser", requests("3"));
  remove_pod("victim", ending);
  EXPECT_THAT(server_->bound, ElementsAre("urgent>n1"));  // 2 of 4 cpus are promised: 3 are not free
}

TEST_F(ScheduleOneTest, NothingRunsAfterStop) {
  node("n1");
  loop_->stop();
  pod("p");
  time_.advance(std::chrono::hours(1));
  EXPECT_THAT(server_->bound, IsEmpty());
}

TEST_F(ScheduleOneTest, ManyPodsFillTheClusterEvenly) {
  for (int i = 0; i < 10; ++i) node("n" + std::to_string(i));
  for (int i = 0; i < 400; ++i) loop_->pod_changed({}, raw_of(api_pod("p" + std::to_string(i), requests("100m"))));
  time_.settle();
  std::map<std::string, int> per_node;
  for (const std::string& bound : server_->bound) ++per_node[bound.substr(bound.find('>') + 1)];
  ASSERT_EQ(server_->bound.size(), 400u);
  for (const auto& [name, count] : per_node) EXPECT_EQ(count, 40) << name;
}

}  // namespace
}  // namespace scheduler
