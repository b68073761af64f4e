#include "client/election.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "client/client.h"
#include "client/memory_transport.h"
#include "client/virtual_executor.h"
#include "gen/coordination/v1.h"
#include "gen/core/v1.h"

namespace client {
namespace {

using api::coordination::v1::Lease;
using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::ElementsAre;

// One candidate with a transport of its own, so that it alone can be cut off.
class CuttableTransport final : public Transport {
 public:
  explicit CuttableTransport(std::shared_ptr<Transport> real) : real_(std::move(real)) {}
  void call(Call call, Callback done) override {
    ++calls;
    if (silent) return silent_.push_back(std::move(done));
    if (cut) return done(base::fail(base::Reason::kServiceUnavailable, "cut off"));
    real_->call(std::move(call), std::move(done));
  }
  base::Result<ListResult> list(const ListCall& call) override { return real_->list(call); }
  base::Result<std::unique_ptr<WatchHandle>> watch(const ListCall& call, int64_t revision,
                                                   WatchReceiver* receiver) override {
    return real_->watch(call, revision, receiver);
  }
  bool cut = false;
  bool silent = false;  // calls are never answered
  int calls = 0;

 private:
  std::shared_ptr<Transport> real_;
  std::vector<Callback> silent_;
};

class ElectionTest : public testing::Test {
 protected:
  struct Candidate {
    std::shared_ptr<CuttableTransport> transport;
    std::unique_ptr<EventRecorder> events;
    std::unique_ptr<LeaderElector> elector;
  };

  Candidate make(const std::string& identity, OnStop on_stop = OnStop::kKeepLease) {
    Candidate made;
    made.transport = std::make_shared<CuttableTransport>(memory_);
    made.events = std::make_unique<EventRecorder>(memory_, &executor_, "kube-scheduler");
    ElectionOptions options;
    options.name = "kube-scheduler";
    options.identity = identity;
    options.on_stop = on_stop;
    ElectionCallbacks callbacks;
    callbacks.on_started_leading = [this, identity] { log_.push_back("+" + identity); };
    callbacks.on_stopped_leading = [this, identity] { log_.push_back("-" + identity); };
    callbacks.on_new_leader = [this, identity](const std::string& leader) {
      log_.push_back(identity + " sees " + leader);
    };
    made.elector = std::make_unique<LeaderElector>(
        ElectionDependencies{made.transport, &executor_, &executor_, rng_.get(), made.events.get()}, options,
        callbacks);
    return made;
  }
  Lease lease() { return *client_.get<Lease>("kube-system", "kube-scheduler"); }
  std::vector<std::string> take() { return std::exchange(log_, {}); }

  VirtualExecutor executor_;
  std::unique_ptr<base::Rng> rng_ = base::seeded_rng(1);
  std::shared_ptr<MemoryTransport> memory_ = std::make_shared<MemoryTransport>(&executor_);
  Client client_{memory_};
  std::vector<std::string> log_;
};

TEST_F(ElectionTest, TheFirstLeadsAndRenews) {
  Candidate a = make("a");
  a.elector->start();
  executor_.run();
  EXPECT_THAT(take(), ElementsAre("a sees a", "+a"));
  EXPECT_TRUE(a.elector->leading());
  const Lease first = lease();
  EXPECT_EQ(first.spec.holder_identity, "a");
  EXPECT_EQ(first.spec.lease_duration_seconds, 15);
  EXPECT_EQ(first.spec.lease_transitions, 0);
  EXPECT_EQ(*first.spec.acquire_time, *first.spec.renew_time);
  executor_.advance(seconds(60));
  const Lease later = lease();
  EXPECT_EQ(*later.spec.acquire_time, *first.spec.acquire_time);
  EXPECT_EQ(later.spec.renew_time->seconds - first.spec.renew_time->seconds, 60);
  EXPECT_EQ(a.transport->calls, 2 + 30) << "a get, a create, and one update each two seconds";
  EXPECT_THAT(take(), ElementsAre());
  const auto events = *client_.list<api::core::v1::Event>("kube-system");
  ASSERT_EQ(events.size(), 1u);
  EXPECT_EQ(events[0].message, "a became leader");
  EXPECT_EQ(events[0].reason, "LeaderElection");
  EXPECT_EQ(events[0].source.component, "kube-scheduler");
  EXPECT_EQ(events[0].involved_object.kind, "Lease");
  EXPECT_EQ(events[0].involved_object.name, "kube-scheduler");
}

TEST_F(ElectionTest, TheSecondTakesOverWhenTheFirstIsGone) {
  Candidate a = make("a"), b = make("b");
  a.elector->start();
  executor_.run();
  b.elector->start();
  executor_.advance(seconds(60));
  EXPECT_THAT(take(), ElementsAre("a sees a", "+a", "b sees a"));
  EXPECT_EQ(b.elector->leader(), "a");
  a.elector.reset();
  executor_.advance(seconds(14));
  EXPECT_THAT(take(), ElementsAre()) << "the lease has not run out yet";
  executor_.advance(seconds(7));
  EXPECT_THAT(take(), ElementsAre("b sees b", "+b"));
  EXPECT_EQ(lease().spec.lease_transitions, 1);
  EXPECT_EQ(lease().spec.holder_identity, "b");
}

TEST_F(ElectionTest, ALeaderThatCannotRenewStopsBeforeAnotherStarts) {
  for (const bool silent : {false, true}) {
    ASSERT_TRUE(silent || memory_->calls(Verb::kCreate) == 0);
    (void)client_.remove<Lease>("kube-system", "kube-scheduler");
    take();
    Candidate a = make("a"), b = make("b");
    a.elector->start();
    executor_.run();
    b.elector->start();
    executor_.advance(seconds(9));
    take();
    (silent ? a.transport->silent : a.transport->cut) = true;
    executor_.advance(seconds(40));
    EXPECT_THAT(take(), ElementsAre("-a", "b sees b", "+b"));
    EXPECT_FALSE(a.elector->leading());
    a.transport->cut = a.transport->silent = false;
    executor_.advance(seconds(40));
    EXPECT_THAT(take(), ElementsAre()) << "who lost does not come back";
  }
}

TEST_F(ElectionTest, AShortOutageIsSurvived) {
  Candidate a = make("a");
  a.elector->start();
  executor_.advance(seconds(10));
  take();
  a.transport->cut = true;
  executor_.advance(seconds(9));
  a.transport->cut = false;
  executor_.advance(seconds(20));
  EXPECT_THAT(take(), ElementsAre());
  EXPECT_TRUE(a.elector->leading());
  EXPECT_TRUE(a.elector->healthy(seconds(0)));
}

TEST_F(ElectionTest, ADeletedLeaseIsMadeAgain) {
  Candidate a = make("a");
  a.elector->start();
  executor_.advance(seconds(5));
  ASSERT_TRUE(client_.remove<Lease>("kube-system", "kube-scheduler"));
  executor_.advance(seconds(5));
  EXPECT_EQ(lease().spec.holder_identity, "a");
  EXPECT_TRUE(a.elector->leading());
}

TEST_F(ElectionTest, AReleasedLeaseIsTakenAtTheNextTry) {
  Candidate a = make("a", OnStop::kReleaseLease), b = make("b");
  a.elector->start();
  executor_.run();
  b.elector->start();
  executor_.advance(seconds(9));
  a.elector->stop();
  EXPECT_EQ(lease().spec.holder_identity, "");
  EXPECT_EQ(lease().spec.lease_duration_seconds, 1);
  executor_.advance(milliseconds(4'400));  // the period with its jitter
  EXPECT_TRUE(b.elector->leading());
  EXPECT_EQ(lease().spec.lease_transitions, 1);
}

TEST(CheckElection, DurationsMustFit) {
  ElectionOptions options;
  options.name = "n";
  options.identity = "i";
  EXPECT_TRUE(check_election(options));
  options.renew_deadline = seconds(15);
  EXPECT_EQ(check_election(options).error().message, "leaseDuration must be greater than renewDeadline");
  options.renew_deadline = seconds(2);
  EXPECT_EQ(check_election(options).error().message, "renewDeadline must be greater than retryPeriod*JitterFactor");
}

}  // namespace
}  // namespace client
