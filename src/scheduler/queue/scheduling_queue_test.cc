#include "scheduler/queue/scheduling_queue.h"

#include <gtest/gtest.h>

#include "scheduler/test_support.h"

namespace scheduler {
namespace {

using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

class QueueTest : public testing::Test {
 protected:
  PodRef pod(const std::string& name, int32_t priority = 0) {
    return test_pod(name, [=](auto& p) { p.spec.priority = priority; });
  }
  std::string pop() {
    auto popped = queue_.pop(now_);
    return popped ? popped->pod->name : "";
  }
  uint64_t bit(std::string_view plugin) { return uint64_t{1} << profile_.index_of(plugin); }
  void reject(const std::string& name, uint64_t plugins) { queue_.reject("uid-" + name, plugins, now_); }
  void event(uint32_t events, bool answer = true) {
    queue_.on_event(events, [=](const PodInfo&, uint8_t) { return answer; }, now_);
  }

  Cache cache_;
  Profile profile_ = default_profile(&cache_);
  SchedulingQueue queue_{&profile_};
  base::MonoTime now_{};
};

TEST_F(QueueTest, PriorityThenAge) {
  queue_.add(pod("old"), now_);
  now_ += seconds(1);
  queue_.add(pod("young"), now_);
  queue_.add(pod("urgent", 100), now_);
  EXPECT_EQ(pop(), "urgent");
  EXPECT_EQ(pop(), "old");
  EXPECT_EQ(pop(), "young");
  EXPECT_EQ(pop(), "");
}

TEST_F(QueueTest, UnschedulableWaitsForAnEventThatItsPluginKnows) {
  queue_.add(pod("p"), now_);
  EXPECT_EQ(pop(), "p");
  reject("p", bit("NodeResourcesFit"));
  EXPECT_EQ(pop(), "");
  event(kNodeLabel);  // not one of NodeResourcesFit's
  EXPECT_EQ(queue_.sizes().unschedulable, 1u);
  event(kPodDelete, false);  // the hint says that it would not help
  EXPECT_EQ(queue_.sizes().unschedulable, 1u);
  event(kPodDelete);
  EXPECT_EQ(queue_.sizes().backoff, 1u);
  // Nothing else is active, so the back-off of a pod without error is not waited for.
  EXPECT_EQ(pop(), "p");
}

TEST_F(QueueTest, BackoffDoublesUpToTenSeconds) {
  queue_.add(pod("p"), now_);
  for (auto delay : {seconds(1), seconds(2), seconds(4), seconds(8), seconds(10), seconds(10)}) {
    ASSERT_EQ(pop(), "p");
    reject("p", 0);  // an error: its back-off is waited for
    now_ += delay - milliseconds(1);
    EXPECT_EQ(pop(), "");
    EXPECT_EQ(queue_.next_wake(), now_ + milliseconds(1));
    now_ += milliseconds(1);
  }
  EXPECT_EQ(pop(), "p");
}

TEST_F(QueueTest, UnschedulableIsTriedAgainAfterFiveMinutes) {
  queue_.add(pod("p"), now_);
  pop();
  reject("p", bit("NodeAffinity"));
  EXPECT_EQ(queue_.next_wake(), now_ + minutes(5));
  now_ += minutes(5) - milliseconds(1);
  EXPECT_EQ(pop(), "");
  now_ += milliseconds(1);
  EXPECT_EQ(pop(), "p");
}

TEST_F(QueueTest, GatedUntilGatesAreGone) {
  queue_.add(test_pod("p", [](auto& p) { p.spec.scheduling_gates.emplace_back().name = "g"; }), now_);
  EXPECT_EQ(pop(), "");
  EXPECT_EQ(queue_.sizes().gated, 1u);
  event(kEverything);
  now_ += minutes(10);
  EXPECT_EQ(pop(), "");
  queue_.add(pod("p"), now_);
  EXPECT_EQ(pop(), "p");
}

TEST_F(QueueTest, UpdatesThatMatterWakeAndOthersDoNot) {
  queue_.add(pod("p"), now_);
  pop();
  reject("p", bit("NodeAffinity"));
  queue_.add(test_pod("p", [](auto& p) { p.status.message = "changed"; }), now_);
  EXPECT_EQ(pop(), "");
  queue_.add(test_pod("p", [](auto& p) { p.metadata.labels["a"] = "b"; }), now_);
  EXPECT_EQ(pop(), "p");
}

TEST_F(QueueTest, UpdateInFlightIsNotLost) {
  queue_.add(pod("p"), now_);
  pop();
  queue_.add(test_pod("p", [](auto& p) { p.metadata.labels["a"] = "b"; }), now_);
  reject("p", bit("NodeAffinity"));
  EXPECT_EQ(queue_.sizes().unschedulable, 0u);
  EXPECT_EQ(pop(), "p");
}

TEST_F(QueueTest, RemovedWhereverItIs) {
  queue_.add(pod("active"), now_);
  queue_.add(pod("stuck", 1), now_);
  pop();
  reject("stuck", bit("NodeAffinity"));
  queue_.remove("uid-stuck");
  queue_.remove("uid-active");
  event(kEverything);
  EXPECT_EQ(pop(), "");
  EXPECT_EQ(queue_.next_wake(), std::nullopt);
}

TEST_F(QueueTest, PriorityMayChangeWhileActive) {
  queue_.add(pod("a"), now_);
  queue_.add(pod("b"), now_);
  queue_.add(pod("b", 5), now_);
  EXPECT_EQ(pop(), "b");
  EXPECT_EQ(pop(), "a");
  EXPECT_EQ(pop(), "");
}

}  // namespace
}  // namespace scheduler
