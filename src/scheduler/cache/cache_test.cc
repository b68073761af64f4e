#include "scheduler/cache/cache.h"

#include <gmock/gmock.h>

#include "scheduler/test_support.h"

namespace scheduler {
namespace {

using testing::ElementsAre;

std::vector<std::string> order(const Cache& cache) {
  std::vector<std::string> names;
  for (uint32_t slot : cache.order()) names.push_back(cache.nodes().name[slot]);
  return names;
}

PodQuery app_query(const std::string& app) {
  PodQuery query;
  query.clauses.push_back({{"default"}, std::nullopt, object::LabelSelector::from_labels({{"app", app}})});
  query.make_key();
  return query;
}

PodChange app(const std::string& name) {
  return [=](api::core::v1::Pod& pod) { pod.metadata.labels["app"] = name; };
}

TEST(Cache, ZonesTakeTurns) {
  TestCluster cluster;
  for (const char* name : {"a1", "a2", "a3", "b1"}) {
    cluster.node(name, label("topology.kubernetes.io/zone", std::string(1, name[0])));
  }
  EXPECT_THAT(order(cluster.cache), ElementsAre("a1", "b1", "a2", "a3"));
  cluster.cache.remove_node("a1");
  EXPECT_THAT(order(cluster.cache), ElementsAre("a2", "b1", "a3"));
}

TEST(Cache, RequestedFollowsPods) {
  TestCluster cluster;
  cluster.node("n");
  uint32_t slot = cluster.cache.slot_of("n");
  cluster.place("p", "n", requests("500m", "1Gi"));
  cluster.place("q", "n");
  const NodeColumns& nodes = cluster.cache.nodes();
  EXPECT_EQ(nodes.milli_cpu.requested[slot], 500);
  EXPECT_EQ(nodes.scoring_milli_cpu[slot], 600);  // 100m are assumed for q
  EXPECT_EQ(nodes.scoring_memory[slot], (int64_t{1} << 30) + 200 * 1024 * 1024);
  cluster.place("p", "n", requests("250m"));  // resized
  EXPECT_EQ(nodes.milli_cpu.requested[slot], 250);
  EXPECT_EQ(nodes.memory.requested[slot], 0);
  cluster.cache.remove_pod("uid-p");
  EXPECT_EQ(nodes.milli_cpu.requested[slot], 0);
  EXPECT_EQ(nodes.pod_count[slot], 1);
}

TEST(Cache, PodsOutliveTheirNode) {
  TestCluster cluster;
  cluster.node("n");
  cluster.place("p", "n", requests("1"));
  cluster.cache.remove_node("n");
  EXPECT_TRUE(cluster.cache.order().empty());
  cluster.node("n");
  EXPECT_EQ(cluster.cache.nodes().milli_cpu.requested[cluster.cache.slot_of("n")], 1000);
  cluster.cache.remove_node("n");
  cluster.cache.remove_pod("uid-p");
  EXPECT_EQ(cluster.cache.slot_of("n"), kNoNode);
  cluster.node("other");
  EXPECT_EQ(cluster.cache.nodes().size(), 1u);  // the slot is used again
}

TEST(Cache, PodsBeforeTheirNode) {
  TestCluster cluster;
  cluster.place("p", "n", requests("1"));
  EXPECT_TRUE(cluster.cache.order().empty());
  cluster.node("n");
  EXPECT_THAT(order(cluster.cache), ElementsAre("n"));
}

TEST(Cache, AssumedPodIsConfirmedOrExpires) {
  TestCluster cluster;
  cluster.node("n");
  PodRef pod = with_node(test_pod("p", requests("1")), "n");
  base::MonoTime now{};
  cluster.cache.assume(pod);
  EXPECT_TRUE(cluster.cache.assumed("uid-p"));
  EXPECT_TRUE(cluster.cache.expire(now + std::chrono::hours(1)).empty());  // its binding is under way
  cluster.cache.bound("uid-p", now + std::chrono::seconds(5));
  EXPECT_TRUE(cluster.cache.expire(now + std::chrono::seconds(4)).empty());
  EXPECT_EQ(cluster.cache.expire(now + std::chrono::seconds(5)).size(), 1u);
  EXPECT_EQ(cluster.cache.pod_count(), 0u);
  cluster.cache.assume(pod);
  cluster.cache.bound("uid-p", now);
  cluster.place("p", "n", requests("1"));
  EXPECT_FALSE(cluster.cache.assumed("uid-p"));
  EXPECT_TRUE(cluster.cache.expire(now + std::chrono::hours(1)).empty());
  EXPECT_EQ(cluster.cache.nodes().milli_cpu.requested[0], 1000);
}

TEST(Cache, ChangesAreTold) {
  Cache cache;
  auto bit = [](NodeChange change) { return static_cast<uint8_t>(change); };
  EXPECT_EQ(cache.set_node(test_node("n")), bit(NodeChange::kAdded));
  EXPECT_EQ(cache.set_node(test_node("n")), 0);
  EXPECT_EQ(cache.set_node(test_node("n", label("a", "b"))), bit(NodeChange::kLabels));
  EXPECT_EQ(cache.set_node(test_node("n",
                                     [](auto& node) {
                                       node.metadata.labels["a"] = "b";
                                       node.spec.unschedulable = true;
                                       node.status.allocatable["cpu"].string = "5";
                                     })),
            bit(NodeChange::kTaints) | bit(NodeChange::kAllocatable));
}

// Counters that follow changes equal a count from nothing, whatever happened in between.
TEST(Cache, CountersFollow) {
  TestCluster cluster;
  auto rng = base::seeded_rng(7);
  const PodQuery query = app_query("web");
  for (int i = 0; i < 5; ++i) cluster.node("n" + std::to_string(i));
  (void)cluster.cache.counter(query);
  for (int step = 0; step < 500; ++step) {
    std::string name = "p" + std::to_string(rng->below(30));
    if (rng->below(3) == 0) {
      cluster.cache.remove_pod("uid-" + name);
    } else {
      cluster.place(name, "n" + std::to_string(rng->below(7)), app(rng->below(2) ? "web" : "db"));
    }
  }
  const PodCounter& counter = cluster.cache.counter(query);
  int64_t total = 0;
  for (uint32_t slot = 0; slot < cluster.cache.nodes().size(); ++slot) {
    int32_t expected = 0;
    for (const PodRef& pod : cluster.cache.nodes().pods[slot]) {
      if (query.matches(*pod, cluster.cache)) ++expected;
    }
    EXPECT_EQ(counter.per_node[slot], expected);
    total += expected;
  }
  EXPECT_EQ(counter.total, total);
  EXPECT_GT(total, 0);
}

TEST(PodInfo, RequestsOfInitContainersAndSidecars) {
  PodRef pod = test_pod("p", [](api::core::v1::Pod& p) {
    p.spec.containers[0].resources.requests["cpu"].string = "1";
    auto& sidecar = p.spec.init_containers.emplace_back();
    sidecar.restart_policy = "Always";
    sidecar.resources.requests["cpu"].string = "500m";
    auto& init = p.spec.init_containers.emplace_back();
    init.resources.requests["cpu"].string = "2";
    p.spec.overhead["cpu"].string = "100m";
  });
  EXPECT_EQ(pod->request.milli_cpu, 2600);  // the init container beside the sidecar, and overhead
}

}  // namespace
}  // namespace scheduler
