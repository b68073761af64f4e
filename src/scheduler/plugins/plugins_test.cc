// The contract suite of the plugins, table-driven: which nodes pass for which pod, which node a score prefers, and what
// holds for every plugin of the catalogue.
#include <gmock/gmock.h>

#include "scheduler/test_support.h"

namespace scheduler {
namespace {

using api::core::v1::Node;
using api::core::v1::Pod;
using testing::ElementsAre;
using testing::UnorderedElementsAre;
using Names = std::set<std::string>;

constexpr const char* kZone = "topology.kubernetes.io/zone";

PodChange app(const std::string& name) {
  return [=](Pod& pod) { pod.metadata.labels["app"] = name; };
}
NodeChangeFn taint(const std::string& key, const std::string& effect) {
  return [=](Node& node) {
    auto& taint = node.spec.taints.emplace_back();
    taint.key = key;
    taint.effect = effect;
  };
}
PodChange tolerate(const std::string& key, const std::string& op, const std::string& effect = "") {
  return [=](Pod& pod) {
    auto& toleration = pod.spec.tolerations.emplace_back();
    toleration.key = key;
    toleration.operator_ = op;
    toleration.effect = effect;
  };
}
PodChange port(int32_t number, const std::string& ip = "", const std::string& protocol = "TCP") {
  return [=](Pod& pod) {
    auto& port = pod.spec.containers[0].ports.emplace_back();
    port.host_port = port.container_port = number;
    port.host_ip = ip;
    port.protocol = protocol;
  };
}
PodChange node_term(const std::string& key, const std::string& op, std::vector<std::string> values) {
  return [=](Pod& pod) {
    auto& required =
        pod.spec.affinity.ensure().node_affinity.ensure().required_during_scheduling_ignored_during_execution.ensure();
    auto& requirement = required.node_selector_terms.emplace_back().match_expressions.emplace_back();
    requirement.key = key;
    requirement.operator_ = op;
    requirement.values = values;
  };
}
void fill(api::core::v1::PodAffinityTerm& term, const std::string& of, const std::string& topology) {
  term.topology_key = topology;
  term.label_selector.ensure().match_labels["app"] = of;
}
PodChange near(const std::string& of, const std::string& topology) {
  return [=](Pod& pod) {
    auto& affinity = pod.spec.affinity.ensure().pod_affinity.ensure();
    fill(affinity.required_during_scheduling_ignored_during_execution.emplace_back(), of, topology);
  };
}
PodChange away(const std::string& of, const std::string& topology) {
  return [=](Pod& pod) {
    auto& affinity = pod.spec.affinity.ensure().pod_anti_affinity.ensure();
    fill(affinity.required_during_scheduling_ignored_during_execution.emplace_back(), of, topology);
  };
}
PodChange rather_near(const std::string& of, const std::string& topology, int32_t weight) {
  return [=](Pod& pod) {
    auto& affinity = pod.spec.affinity.ensure().pod_affinity.ensure();
    auto& term = affinity.preferred_during_scheduling_ignored_during_execution.emplace_back();
    term.weight = weight;
    fill(term.pod_affinity_term, of, topology);
  };
}
PodChange spread(const std::string& of, const std::string& topology, int32_t skew, const std::string& when) {
  return [=](Pod& pod) {
    auto& constraint = pod.spec.topology_spread_constraints.emplace_back();
    constraint.max_skew = skew;
    constraint.topology_key = topology;
    constraint.when_unsatisfiable = when;
    constraint.label_selector.ensure().match_labels["app"] = of;
  };
}

struct NodeSpec {
  std::string name;
  NodeChangeFn change;
};
struct Placed {
  std::string name, node;
  PodChange change;
};
struct FilterCase {
  std::string what;
  std::vector<NodeSpec> nodes;
  std::vector<Placed> placed;
  PodChange pod;
  Names expected;
};

std::vector<NodeSpec> zones() {
  return {{"a1", label(kZone, "a")}, {"a2", label(kZone, "a")}, {"b1", label(kZone, "b")}, {"none", {}}};
}

std::vector<FilterCase> node_cases() {
  NodeChangeFn cordon = [](Node& node) { node.spec.unschedulable = true; };
  NodeChangeFn gpus = [](Node& node) { node.status.allocatable["example.com/gpu"].string = "2"; };
  PodChange gpu = [](Pod& pod) { pod.spec.containers[0].resources.requests["example.com/gpu"].string = "1"; };
  PodChange two_gpus = [](Pod& pod) { pod.spec.containers[0].resources.requests["example.com/gpu"].string = "2"; };
  return {
      {"cordoned", {{"c", cordon}, {"n", {}}}, {}, {}, {"n"}},
      {"cordoned but tolerated", {{"c", cordon}}, {}, tolerate("node.kubernetes.io/unschedulable", "Exists"), {"c"}},
      {"node name", {{"a", {}}, {"b", {}}}, {}, [](Pod& pod) { pod.spec.node_name = "b"; }, {"b"}},
      {"taints",
       {{"t", taint("k", "NoSchedule")}, {"e", taint("k", "NoExecute")}, {"p", taint("k", "PreferNoSchedule")}},
       {},
       {},
       {"p"}},
      {"a toleration of one effect",
       {{"t", taint("k", "NoSchedule")}, {"e", taint("k", "NoExecute")}},
       {},
       tolerate("k", "Exists", "NoExecute"),
       {"e"}},
      {"a toleration of everything",
       {{"t", taint("k", "NoSchedule")}, {"e", taint("k", "NoExecute")}},
       {},
       tolerate("", "Exists"),
       {"t", "e"}},
      {"an equal toleration of another value",
       {{"t",
         [](Node& node) {
           taint("k", "NoSchedule")(node);
           node.spec.taints[0].value = "v";
         }}},
       {},
       tolerate("k", "Equal"),
       {}},
      {"ports: taken", {{"a", {}}, {"b", {}}}, {{"p", "a", port(80)}}, port(80), {"b"}},
      {"ports: another protocol", {{"a", {}}}, {{"p", "a", port(80)}}, port(80, "", "UDP"), {"a"}},
      {"ports: two addresses", {{"a", {}}}, {{"p", "a", port(80, "10.0.0.1")}}, port(80, "10.0.0.2"), {"a"}},
      {"ports: one and all addresses", {{"a", {}}}, {{"p", "a", port(80, "10.0.0.1")}}, port(80), {}},
      {"cpu to the last", {{"a", {}}}, {{"p", "a", requests("3")}}, requests("1"), {"a"}},
      {"cpu and one more", {{"a", {}}}, {{"p", "a", requests("3")}}, requests("1001m"), {}},
      {"memory", {{"a", {}}}, {{"p", "a", requests("", "7Gi")}}, requests("", "1025Mi"), {}},
      {"a full node takes what asks for nothing", {{"a", {}}}, {{"p", "a", requests("4", "8Gi")}}, {}, {"a"}},
      {"extended resource", {{"g", gpus}, {"n", {}}}, {}, gpu, {"g"}},
      {"extended resource used up", {{"g", gpus}}, {{"p", "g", gpu}}, two_gpus, {}},
      {"number of pods",
       {{"a", [](Node& node) { node.status.allocatable["pods"].string = "1"; }}},
       {{"p", "a", {}}},
       {},
       {}},
  };
}

std::vector<FilterCase> affinity_cases() {
  return {
      {"node selector", zones(), {}, [](Pod& pod) { pod.spec.node_selector[kZone] = "a"; }, {"a1", "a2"}},
      {"In", zones(), {}, node_term(kZone, "In", {"b", "c"}), {"b1"}},
      {"NotIn also without the label", zones(), {}, node_term(kZone, "NotIn", {"a"}), {"b1", "none"}},
      {"Exists", zones(), {}, node_term(kZone, "Exists", {}), {"a1", "a2", "b1"}},
      {"DoesNotExist", zones(), {}, node_term(kZone, "DoesNotExist", {}), {"none"}},
      {"terms are alternatives",
       zones(),
       {},
       all_of({node_term(kZone, "In", {"b"}), node_term(kZone, "DoesNotExist", {})}),
       {"b1", "none"}},
      {"Gt",
       {{"x", label("n", "5")}, {"y", label("n", "50")}, {"z", label("n", "many")}},
       {},
       node_term("n", "Gt", {"9"}),
       {"y"}},
      {"near: whole zone", zones(), {{"db", "a1", app("db")}}, near("db", kZone), {"a1", "a2"}},
      {"near: nobody there", zones(), {}, near("db", kZone), {}},
      {"near itself: the first may go anywhere with the label",
       zones(),
       {},
       all_of({app("db"), near("db", kZone)}),
       {"a1", "a2", "b1"}},
      {"away: other hosts",
       zones(),
       {{"db", "a1", app("db")}},
       away("db", "kubernetes.io/hostname"),
       {"a2", "b1", "none"}},
      {"away: other zones and nodes of none", zones(), {{"db", "a1", app("db")}}, away("db", kZone), {"b1", "none"}},
      {"placed pods keep it away",
       zones(),
       {{"db", "a1", all_of({app("db"), away("web", kZone)})}},
       app("web"),
       {"b1", "none"}},
      {"another namespace is not meant",
       zones(),
       {{"db", "a1", all_of({app("db"), [](Pod& pod) { pod.metadata.namespace_ = "other"; }})}},
       away("db", kZone),
       {"a1", "a2", "b1", "none"}},
      {"spread over zones",
       zones(),
       {{"w", "a1", app("w")}},
       all_of({app("w"), spread("w", kZone, 1, "DoNotSchedule")}),
       {"b1"}},
      {"a larger skew",
       zones(),
       {{"w", "a1", app("w")}},
       all_of({app("w"), spread("w", kZone, 2, "DoNotSchedule")}),
       {"a1", "a2", "b1"}},
      {"spread counts only nodes that the pod may use",
       zones(),
       {{"w", "a1", app("w")}},
       all_of({app("w"), spread("w", kZone, 1, "DoNotSchedule"), node_term(kZone, "In", {"a"})}),
       {"a1", "a2"}},
      {"minDomains",
       zones(),
       {{"w", "a1", app("w")}, {"v", "b1", app("w")}},
       all_of({app("w"), spread("w", kZone, 1, "DoNotSchedule"),
               [](Pod& pod) { pod.spec.topology_spread_constraints[0].min_domains = 3; }}),
       {}},
      {"soft constraints filter nothing",
       zones(),
       {{"w", "a1", app("w")}},
       all_of({app("w"), spread("w", kZone, 1, "ScheduleAnyway")}),
       {"a1", "a2", "b1", "none"}},
  };
}

void check(const std::vector<FilterCase>& cases) {
  for (const FilterCase& test : cases) {
    TestCluster cluster;
    for (const NodeSpec& node : test.nodes) cluster.node(node.name, node.change);
    for (const Placed& placed : test.placed) cluster.place(placed.name, placed.node, placed.change);
    EXPECT_EQ(cluster.feasible(test_pod("incoming", test.pod)), test.expected) << test.what;
  }
}

TEST(Filters, Nodes) { check(node_cases()); }
TEST(Filters, Affinity) { check(affinity_cases()); }

std::vector<int64_t> scores_of(TestCluster& cluster, std::string_view plugin, const PodRef& pod) {
  std::span<const uint32_t> nodes = cluster.cache.order();
  std::vector<int64_t> scores(nodes.size());
  for (const auto& [point, index, weight] : cluster.profile.pre_scores) {
    if (cluster.profile.plugins[index]->name() == plugin && point->pre_score(*pod, nodes) == Interest::kSkip) return {};
  }
  for (const auto& [point, index, weight] : cluster.profile.scores) {
    if (cluster.profile.plugins[index]->name() == plugin) point->score(*pod, nodes, scores);
  }
  return scores;
}

TEST(Scores, LeastAllocated) {
  TestCluster cluster;
  cluster.node("empty");
  cluster.node("half");
  cluster.place("p", "half", requests("2", "4Gi"));
  // cpu: (4000-1000)/4000 = 75, memory: 7/8 = 87; (75+87)/2 = 81 — and 25, 37 beside p.
  EXPECT_THAT(scores_of(cluster, "NodeResourcesFit", test_pod("i", requests("1", "1Gi"))), ElementsAre(81, 31));
}

TEST(Scores, BalancedAllocation) {
  TestCluster cluster;
  cluster.node("empty");
  cluster.node("lopsided");
  cluster.place("p", "lopsided", requests("2"));
  // |1/4 - 1/8| / 2 = 0.0625; |3/4 - 1/8| / 2 = 0.3125.
  EXPECT_THAT(scores_of(cluster, "NodeResourcesBalancedAllocation", test_pod("i", requests("1", "1Gi"))),
              ElementsAre(93, 68));
  EXPECT_TRUE(scores_of(cluster, "NodeResourcesBalancedAllocation", test_pod("besteffort")).empty());
}

TEST(Scores, PreferNoScheduleTaints) {
  TestCluster cluster;
  cluster.node("clean");
  cluster.node("one", taint("a", "PreferNoSchedule"));
  cluster.node("two", [](Node& node) {
    taint("a", "PreferNoSchedule")(node);
    taint("b", "PreferNoSchedule")(node);
  });
  EXPECT_THAT(scores_of(cluster, "TaintToleration", test_pod("i")), ElementsAre(100, 50, 0));
  EXPECT_THAT(scores_of(cluster, "TaintToleration", test_pod("i", tolerate("a", "Exists"))), ElementsAre(100, 100, 0));
}

TEST(Scores, PreferredNodes) {
  TestCluster cluster;
  cluster.node("x", label("disk", "ssd"));
  cluster.node("y");
  PodRef pod = test_pod("i", [](Pod& p) {
    auto& term = p.spec.affinity.ensure()
                     .node_affinity.ensure()
                     .preferred_during_scheduling_ignored_during_execution.emplace_back();
    term.weight = 7;
    auto& requirement = term.preference.match_expressions.emplace_back();
    requirement.key = "disk";
    requirement.operator_ = "In";
    requirement.values = {"ssd"};
  });
  EXPECT_THAT(scores_of(cluster, "NodeAffinity", pod), ElementsAre(100, 0));
}

TEST(Scores, PreferredPods) {
  TestCluster cluster;
  cluster.node("a1", label(kZone, "a"));
  cluster.node("b1", label(kZone, "b"));
  cluster.place("db", "b1", app("db"));
  EXPECT_THAT(scores_of(cluster, "InterPodAffinity", test_pod("i", rather_near("db", kZone, 10))), ElementsAre(0, 100));
  EXPECT_TRUE(scores_of(cluster, "InterPodAffinity", test_pod("i")).empty());
  // A placed pod that must be near `web` draws it.
  cluster.place("friend", "a1", near("web", kZone));
  EXPECT_THAT(scores_of(cluster, "InterPodAffinity", test_pod("i", app("web"))), ElementsAre(100, 0));
}

TEST(Scores, SoftSpread) {
  TestCluster cluster;
  cluster.node("a1", label(kZone, "a"));
  cluster.node("b1", label(kZone, "b"));
  for (int i = 0; i < 3; ++i) cluster.place("w" + std::to_string(i), "a1", app("w"));
  auto scores = scores_of(cluster, "PodTopologySpread",
                          test_pod("i", all_of({app("w"), spread("w", kZone, 1, "ScheduleAnyway")})));
  // 3 pods × ln(2+2) = 4.16 → 4; 0 → 0: 100*(4+0-4)/4 and 100*(4+0-0)/4.
  EXPECT_THAT(scores, ElementsAre(0, 100));
}

TEST(Scores, DefaultSpreadOfControlledPods) {
  TestCluster cluster;
  cluster.node("x");
  cluster.node("y");
  PodChange owned = [](Pod& pod) {
    pod.metadata.labels["app"] = "w";
    auto& owner = pod.metadata.owner_references.emplace_back();
    owner.kind = "ReplicaSet";
    owner.name = "w-1";
    owner.controller = true;
  };
  for (int i = 0; i < 4; ++i) cluster.place("w" + std::to_string(i), "x", owned);
  EXPECT_TRUE(scores_of(cluster, "PodTopologySpread", test_pod("i", owned)).empty());  // nothing selects it yet
  cluster.cache.set_workload("default", "ReplicaSet", "w-1", object::LabelSelector::from_labels({{"app", "w"}}));
  auto scores = scores_of(cluster, "PodTopologySpread", test_pod("i", owned));
  ASSERT_EQ(scores.size(), 2u);
  EXPECT_LT(scores[0], scores[1]);
}

// Facts of the default profile: order, weights; and what every plugin keeps to.
TEST(Contract, OrderAndWeights) {
  Cache cache;
  Profile profile = default_profile(&cache);
  std::vector<std::string> names;
  for (const auto& plugin : profile.plugins) names.emplace_back(plugin->name());
  EXPECT_THAT(
      names, ElementsAre("SchedulingGates", "NodeUnschedulable", "NodeName", "TaintToleration", "NodeAffinity",
                         "NodePorts", "NodeResourcesFit", "VolumeRestrictions", "NodeVolumeLimits", "VolumeBinding",
                         "VolumeZone", "PodTopologySpread", "InterPodAffinity", "DynamicResources", "DefaultPreemption",
                         "NodeResourcesBalancedAllocation", "ImageLocality"));
  std::map<std::string, int64_t> weights;
  for (const auto& entry : profile.scores) weights[names[entry.index]] = entry.weight;
  EXPECT_EQ(weights, (std::map<std::string, int64_t>{{"TaintToleration", 3},
                                                     {"NodeAffinity", 2},
                                                     {"NodeResourcesFit", 1},
                                                     {"PodTopologySpread", 2},
                                                     {"InterPodAffinity", 2},
                                                     {"NodeResourcesBalancedAllocation", 1},
                                                     {"ImageLocality", 1}}));
}

TEST(Contract, EveryFilterHasRequeueEventsAndEveryScoreItsRange) {
  std::vector<FilterCase> cases = node_cases();
  for (FilterCase& test : affinity_cases()) cases.push_back(std::move(test));
  for (const FilterCase& test : cases) {
    TestCluster cluster;
    for (const NodeSpec& node : test.nodes) cluster.node(node.name, node.change);
    for (const Placed& placed : test.placed) cluster.place(placed.name, placed.node, placed.change);
    PodRef pod = test_pod("incoming", test.pod);
    for (const auto& entry : cluster.profile.filters) {
      EXPECT_NE(cluster.profile.plugins[entry.index]->requeue_events(), 0u);
    }
    // The same question has the same answer: what a cycle leaves behind does not leak into the next.
    Names first = cluster.feasible(pod);
    cluster.feasible(test_pod("another", all_of({app("w"), port(80), near("db", kZone), away("db", kZone)})));
    EXPECT_EQ(cluster.feasible(pod), first) << test.what;
    for (const auto& plugin : cluster.profile.plugins) {
      for (int64_t score : scores_of(cluster, plugin->name(), pod)) {
        EXPECT_GE(score, 0) << plugin->name() << ": " << test.what;
        EXPECT_LE(score, kMaxScore) << plugin->name() << ": " << test.what;
      }
    }
  }
}

TEST(Algorithm, NodesToFind) {
  const std::pair<size_t, size_t> cases[] = {{1, 1},      {99, 99},    {100, 100},  {150, 100},
                                             {1000, 420}, {5000, 500}, {6000, 300}, {10000, 500}};
  for (auto [nodes, wanted] : cases) EXPECT_EQ(Algorithm::nodes_to_find(nodes), wanted) << nodes;
}

TEST(Algorithm, SearchRotates) {
  TestCluster cluster;
  for (int i = 0; i < 300; ++i) cluster.node("n" + std::to_string(1000 + i));
  // Each search sees the 144 nodes (48 %) after those of the one before.
  for (uint32_t first : {0u, 144u, 288u, 132u}) {
    Decision decision = cluster.algorithm.decide(test_pod("p"));
    EXPECT_EQ(decision.evaluated, 144u);
    EXPECT_EQ(decision.feasible, 144u);
    EXPECT_LT((decision.node + 300 - first) % 300, 144u) << first;
  }
}

TEST(Algorithm, PrefersTheEmptierNode) {
  TestCluster cluster;
  cluster.node("busy");
  cluster.node("free");
  cluster.place("p", "busy", requests("2", "2Gi"));
  EXPECT_EQ(cluster.decide(test_pod("i", requests("500m", "1Gi"))), "free");
}

TEST(Preemption, TakesTheLeastImportant) {
  TestCluster cluster;
  PodChange low = [](Pod& pod) { pod.spec.priority = 1; };
  PodChange middle = [](Pod& pod) { pod.spec.priority = 5; };
  cluster.node("x");
  cluster.node("y");
  cluster.place("x-low", "x", all_of({requests("2"), low}));
  cluster.place("x-middle", "x", all_of({requests("2"), middle}));
  cluster.place("y-middle", "y", all_of({requests("4"), middle}));
  PodRef pod = test_pod("urgent", all_of({requests("1"), [](Pod& p) { p.spec.priority = 10; }}));
  Decision decision = cluster.algorithm.decide(pod);
  ASSERT_EQ(decision.node, kNoNode);
  PostFilterResult result = cluster.algorithm.post_filter(pod, decision.diagnosis);
  ASSERT_NE(result.nominated, kNoNode);
  EXPECT_EQ(cluster.cache.nodes().name[result.nominated], "x");
  ASSERT_EQ(result.victims.size(), 1u);
  EXPECT_EQ(result.victims[0]->name, "x-low");
  EXPECT_EQ(result.message, "");
  EXPECT_EQ(cluster.cache.pod_count(), 3u);  // trying changes nothing
  EXPECT_EQ(cluster.cache.nodes().milli_cpu.requested[result.nominated], 4000);
}

TEST(Preemption, PromisedRoomIsNotGivenToLesserPods) {
  TestCluster cluster;
  cluster.node("x");
  PodRef urgent = test_pod("urgent", all_of({requests("3"), [](Pod& p) { p.spec.priority = 10; }}));
  cluster.nominator.nominate(urgent, "x");
  EXPECT_EQ(cluster.decide(test_pod("lesser", requests("2"))), "");
  EXPECT_EQ(cluster.decide(test_pod("small", requests("1"))), "x");
  EXPECT_EQ(cluster.decide(urgent), "x");
}

}  // namespace
}  // namespace scheduler
