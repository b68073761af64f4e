// The component on informers, against the client library's server in memory, with real threads.
#include "scheduler/scheduler.h"

#include <gtest/gtest.h>

#include <latch>
#include <mutex>

#include "client/client.h"
#include "client/memory_transport.h"
#include "scheduler/test_support.h"

namespace scheduler {
namespace {

using api::core::v1::Node;
using api::core::v1::Pod;

// Counts bindings down.
class Counting final : public client::Transport {
 public:
  Counting(std::shared_ptr<client::Transport> inner, std::latch* latch) : inner_(std::move(inner)), latch_(*latch) {}
  void call(client::Call call, client::Callback done) override {
    bool binding = call.resource->subresource == "binding";
    inner_->call(std::move(call), [this, binding, done = std::move(done)](auto result) mutable {
      done(std::move(result));
      if (binding) latch_.count_down();
    });
  }
  base::Result<client::ListResult> list(const client::ListCall& call) override { return inner_->list(call); }
  base::Result<std::unique_ptr<client::WatchHandle>> watch(const client::ListCall& call, int64_t revision,
                                                           client::WatchReceiver* receiver) override {
    return inner_->watch(call, revision, receiver);
  }

 private:
  std::shared_ptr<client::Transport> inner_;
  std::latch& latch_;
};

TEST(Scheduler, BindsPodsFromBeforeAndAfterItsStart) {
  constexpr int kBefore = 20, kAfter = 30, kNodes = 5;
  base::SystemClock clock;
  auto rng = base::seeded_rng(1);
  auto server = std::make_shared<client::MemoryTransport>(&clock);
  client::Client client(server);
  std::latch all_bound(kBefore + kAfter);
  auto transport = std::make_shared<Counting>(server, &all_bound);
  base::ThreadPool pool("work", 2);
  client::InformerFactory informers(transport, &pool);
  Scheduler scheduler({&informers, transport, &clock, rng.get(), &pool, "test"});
  for (int i = 0; i < kNodes; ++i) ASSERT_TRUE(client.create(api_node("n" + std::to_string(i))));
  auto create = [&](int from, int to) {
    for (int i = from; i < to; ++i) {
      Pod pod = api_pod("p" + std::to_string(i), requests("100m"));
      pod.metadata.uid.clear();
      ASSERT_TRUE(client.create(pod));
    }
  };
  create(0, kBefore);
  scheduler.start();
  informers.start();
  create(kBefore, kBefore + kAfter);
  all_bound.wait();
  informers.stop();
  scheduler.stop();
  pool.stop();
  std::map<std::string, int> per_node;
  auto pods = client.list<Pod>("default");
  ASSERT_TRUE(pods);
  for (const Pod& pod : *pods) ++per_node[pod.spec.node_name];
  EXPECT_EQ(per_node.size(), static_cast<size_t>(kNodes));
  for (const auto& [node, count] : per_node) EXPECT_EQ(count, (kBefore + kAfter) / kNodes) << node;
}

}  // namespace
}  // namespace scheduler
