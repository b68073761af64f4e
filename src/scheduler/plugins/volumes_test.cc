// Plugins that look at volumes, table-driven, and disruption budgets and images beside them.
#include <gmock/gmock.h>

#include "scheduler/test_support.h"

namespace scheduler {
namespace {

using api::core::v1::Node;
using api::core::v1::PersistentVolume;
using api::core::v1::PersistentVolumeClaim;
using api::core::v1::Pod;
using testing::IsEmpty;
using testing::UnorderedElementsAre;

constexpr const char* kHost = "kubernetes.io/hostname";
constexpr const char* kZone = "topology.kubernetes.io/zone";
constexpr auto kLate = BindingMode::kWaitForFirstConsumer;

std::string one_node(const std::string& reason) { return "0/1 nodes are available: 1 " + reason + "."; }

// ---- VolumeBinding ----

TEST(VolumeBinding, ClaimsThatEndTheAttempt) {
  TestCluster cluster;
  cluster.node("n");
  const PodRef pod = test_pod("p", uses_claim("data"));
  const std::pair<std::optional<PersistentVolumeClaim>, std::string> cases[] = {
      {std::nullopt, "persistentvolumeclaim \"data\" not found"},
      {api_claim("data", "fast"), "pod has unbound immediate PersistentVolumeClaims"},
      {api_claim("data", "", "1Gi",
                 [](auto& claim) { claim.metadata.deletion_timestamp = object::Time{1'700'000'000, 0}; }),
       "persistentvolumeclaim \"data\" is being deleted"},
      {api_claim("data", "", "1Gi",
                 [](auto& claim) {
                   claim.spec.volume_name = "v";
                   claim.status.phase = "Lost";
                 }),
       "persistentvolumeclaim \"data\" bound to non-existent persistentvolume \"v\""}};
  for (const auto& [claim, message] : cases) {
    if (claim) cluster.claim(*claim);
    EXPECT_EQ(cluster.refusal(pod), "0/1 nodes are available: " + message + ".");
  }
  const PodRef ephemeral = test_pod("q", [](Pod& p) {
    auto& volume = p.spec.volumes.emplace_back();
    volume.name = "tmp";
    volume.volume_source.ephemeral.ensure();
  });
  EXPECT_EQ(cluster.refusal(ephemeral),
            "0/1 nodes are available: waiting for ephemeral volume controller to create the persistentvolumeclaim "
            "\"q-tmp\".");
  cluster.claim(api_claim("q-tmp", ""));
  EXPECT_EQ(cluster.refusal(ephemeral),
            "0/1 nodes are available: PVC default/q-tmp was not created for pod default/q (pod is not owner).");
}

TEST(VolumeBinding, BoundVolumesMustReachTheNode) {
  TestCluster cluster;
  cluster.node("n1");
  cluster.node("n2");
  cluster.claim(api_claim("data", "local", "1Gi", bound_to("v")));
  const PodRef pod = test_pod("p", uses_claim("data"));
  EXPECT_EQ(cluster.refusal(pod), "0/2 nodes are available: persistentvolume \"v\" not found.");
  cluster.volume(api_volume("v", "local", "1Gi", only_on(kHost, {"n2"})));
  EXPECT_THAT(cluster.feasible(pod), UnorderedElementsAre("n2"));
  cluster.volume(api_volume("v", "local", "1Gi", only_on(kHost, {"n3"})));
  EXPECT_EQ(cluster.refusal(pod), "0/2 nodes are available: 2 node(s) didn't match PersistentVolume's node affinity.");
  cluster.volume(api_volume("v", "local"));
  EXPECT_EQ(cluster.feasible(pod).size(), 2u);
}

TEST(VolumeBinding, WaitingClaimsFindVolumesOnNodes) {
  TestCluster cluster;
  for (const char* name : {"n1", "n2", "n3"}) cluster.node(name);
  cluster.storage_class("local", {std::string(api::kNoProvisioner), kLate, {}});
  cluster.claim(api_claim("a", "local", "2Gi"));
  cluster.claim(api_claim("b", "local", "1Gi"));
  const PodRef one = test_pod("p", uses_claim("a"));
  const PodRef both = test_pod("q", all_of({uses_claim("a"), uses_claim("b")}));
  EXPECT_EQ(cluster.refusal(one),
            "0/3 nodes are available: 3 node(s) didn't find available persistent volumes to bind.");
  cluster.volume(api_volume("v1", "local", "1Gi", only_on(kHost, {"n1"})));  // too small for a
  cluster.volume(api_volume("v2", "local", "3Gi", only_on(kHost, {"n2"})));
  cluster.volume(api_volume("v3", "local", "3Gi", only_on(kHost, {"n3"})));
  cluster.volume(api_volume("v4", "local", "3Gi", only_on(kHost, {"n3"})));
  EXPECT_THAT(cluster.feasible(one), UnorderedElementsAre("n2", "n3"));
  EXPECT_THAT(cluster.feasible(both), UnorderedElementsAre("n3"));
  // Labels that several nodes share, and forms that are not looked up but asked.
  cluster.node("n4", label("rack", "r1"));
  cluster.node("n5", label("rack", "r2"));
  cluster.volume(api_volume("v5", "local", "9Gi", only_on("rack", {"r1", "r9"})));
  EXPECT_THAT(cluster.feasible(one), UnorderedElementsAre("n2", "n3", "n4"));
  cluster.volume(api_volume("v5", "local", "9Gi", [](PersistentVolume& volume) {
    only_on("rack", {"r1"})(volume);
    volume.spec.node_affinity->required->node_selector_terms[0].match_expressions[0].operator_ = "NotIn";
  }));
  EXPECT_THAT(cluster.feasible(one), UnorderedElementsAre("n1", "n2", "n3", "n5"));
  cluster.cache.volumes().set_volume("v5", std::nullopt);
  // A volume that somebody else has claimed is none.
  cluster.volume(api_volume("v2", "local", "3Gi", [](PersistentVolume& volume) {
    only_on(kHost, {"n2"})(volume);
    volume.spec.claim_ref.ensure().name = "other";
  }));
  EXPECT_THAT(cluster.feasible(one), UnorderedElementsAre("n3"));
  // One that is reserved for the claim is the only one.
  cluster.volume(api_volume("v2", "local", "3Gi", [](PersistentVolume& volume) {
    only_on(kHost, {"n2"})(volume);
    volume.spec.claim_ref.ensure().name = "a";
    volume.spec.claim_ref->namespace_ = "default";
  }));
  EXPECT_THAT(cluster.feasible(one), UnorderedElementsAre("n2"));
}

TEST(VolumeBinding, WaitingClaimsAreProvisionedWhereTheClassAllows) {
  TestCluster cluster;
  cluster.node("n1", label(kZone, "a"));
  cluster.node("n2", label(kZone, "b"));
  NodeTerm in_a;
  in_a.labels.push_back({kZone, NodeRequirement::Op::kIn, {"a"}});
  cluster.storage_class("disks", {"example.com/disks", kLate, {}});
  cluster.claim(api_claim("a", "disks"));
  const PodRef pod = test_pod("p", uses_claim("a"));
  EXPECT_EQ(cluster.feasible(pod).size(), 2u);
  cluster.storage_class("disks", {"example.com/disks", kLate, {in_a}});
  EXPECT_THAT(cluster.feasible(pod), UnorderedElementsAre("n1"));
  cluster.storage_class("disks", {"example.com/disks", kLate, {}});
  cluster.claim(api_claim("a", "disks", "1Gi",
                          [](auto& claim) { claim.metadata.annotations[std::string(api::kSelectedNode)] = "n2"; }));
  EXPECT_THAT(cluster.feasible(pod), UnorderedElementsAre("n2"));
  // A driver that tells how much room there is.
  cluster.cache.volumes().set_tracks_capacity("example.com/disks", true);
  EXPECT_THAT(cluster.feasible(pod), IsEmpty());
  EXPECT_THAT(cluster.refusal(pod), testing::HasSubstr("1 node(s) did not have enough free storage"));
  StorageCapacityInfo room{"disks", object::LabelSelector::from_labels({{kZone, "b"}}), int64_t{1} << 30};
  cluster.cache.volumes().set_capacity("ns/c", room);
  EXPECT_THAT(cluster.feasible(pod), UnorderedElementsAre("n2"));
  room.limit = 1;
  cluster.cache.volumes().set_capacity("ns/c", room);
  EXPECT_THAT(cluster.feasible(pod), IsEmpty());
}

TEST(VolumeBinding, AssumptionsTakeVolumesUntilTheyAreForgotten) {
  TestCluster cluster;
  cluster.node("n1");
  cluster.storage_class("local", {std::string(api::kNoProvisioner), kLate, {}});
  cluster.volume(api_volume("v", "local"));
  cluster.claim(api_claim("a", "local"));
  cluster.claim(api_claim("b", "local"));
  const PodRef first = test_pod("p", uses_claim("a")), second = test_pod("q", uses_claim("b"));
  auto* binding = cluster.profile.pre_binds.front().point;
  ASSERT_EQ(cluster.decide(first), "n1");
  EXPECT_EQ(binding->reserve(*first, cluster.cache.slot_of("n1")), Interest::kRun);
  EXPECT_EQ(cluster.decide(second), "");
  EXPECT_EQ(cluster.decide(first), "n1") << "its own";
  const auto calls = binding->pre_bind(*first);
  ASSERT_EQ(calls.size(), 1u);
  EXPECT_EQ(calls[0].body,
            "{\"metadata\":{\"resourceVersion\":\"0\",\"annotations\":{\"pv.kubernetes.io/bound-by-controller\":"
            "\"yes\"}},\"spec\":{\"claimRef\":{\"kind\":\"PersistentVolumeClaim\",\"apiVersion\":\"v1\",\"namespace\":"
            "\"default\",\"name\":\"a\",\"uid\":\"uid-a\",\"resourceVersion\":\"0\"}}}");
  binding->release(*first);
  EXPECT_EQ(cluster.decide(second), "n1");
}

// ---- the others ----

TEST(VolumeRestrictions, OnePodAtATime) {
  TestCluster cluster;
  cluster.node("n");
  cluster.node("n2");
  cluster.volume(api_volume("v", ""));
  cluster.claim(api_claim("data", "", "1Gi", [](auto& claim) {
    bound_to("v")(claim);
    claim.spec.access_modes = {"ReadWriteOncePod"};
  }));
  const PodRef pod = test_pod("p", uses_claim("data"));
  EXPECT_EQ(cluster.feasible(pod).size(), 2u);
  cluster.place("other", "n", uses_claim("data"));
  EXPECT_EQ(cluster.refusal(pod),
            "0/2 nodes are available: 2 node(s) unavailable due to PersistentVolumeClaim with ReadWriteOncePod access "
            "mode already in-use by another pod.");
  cluster.cache.remove_pod("uid-other");
  EXPECT_EQ(cluster.feasible(pod).size(), 2u);
}

TEST(VolumeRestrictions, DisksOfOneNode) {
  const auto gce = [](bool read_only) {
    return [=](Pod& pod) {
      auto& disk = pod.spec.volumes.emplace_back().volume_source.gce_persistent_disk.ensure();
      disk.pd_name = "d";
      disk.read_only = read_only;
    };
  };
  TestCluster cluster;
  cluster.node("n");
  cluster.place("other", "n", gce(true));
  EXPECT_EQ(cluster.decide(test_pod("p", gce(true))), "n");
  EXPECT_EQ(cluster.refusal(test_pod("p", gce(false))), one_node("node(s) had no available disk"));
}

TEST(NodeVolumeLimits, CountsEachVolumeOnce) {
  const auto csi = [](const std::string& handle) {
    return [=](PersistentVolume& volume) {
      auto& source = volume.spec.persistent_volume_source.csi.ensure();
      source.driver = "example.com/disks";
      source.volume_handle = handle;
    };
  };
  TestCluster cluster;
  cluster.node("n");
  for (const char* name : {"a", "b", "c"}) {
    cluster.volume(api_volume(std::string("v") + name, "", "1Gi", csi(std::string("h") + name)));
    cluster.claim(api_claim(name, "", "1Gi", bound_to(std::string("v") + name)));
  }
  cluster.place("p1", "n", uses_claim("a"));
  cluster.place("p2", "n", uses_claim("a"));
  const PodRef two = test_pod("p", all_of({uses_claim("b"), uses_claim("c")}));
  EXPECT_EQ(cluster.decide(two), "n") << "no limit is known";
  cluster.cache.volumes().set_limits("n", VolumeLimits{{"example.com/disks", 2}});
  EXPECT_EQ(cluster.refusal(two), one_node("node(s) exceed max volume count"));
  const PodRef one = test_pod("p", uses_claim("b"));
  EXPECT_EQ(cluster.decide(one), "n");
  cluster.cache.volumes().set_attachment("att", AttachmentInfo{"n", "example.com/disks", "vc"});
  EXPECT_EQ(cluster.decide(one), "");
  EXPECT_EQ(cluster.decide(test_pod("p", uses_claim("a"))), "n") << "it is there already";
  cluster.cache.volumes().set_attachment("att", std::nullopt);
  cluster.storage_class("disks", {"example.com/disks", kLate, {}});
  cluster.claim(api_claim("new", "disks"));
  EXPECT_EQ(cluster.decide(test_pod("p", uses_claim("new"))), "n");
  EXPECT_EQ(cluster.decide(test_pod("p", all_of({uses_claim("new"), uses_claim("b")}))), "");
}

TEST(VolumeZone, LabelsOfTheVolume) {
  TestCluster cluster;
  cluster.node("a", label(kZone, "a"));
  cluster.node("b", label(kZone, "b"));
  cluster.claim(api_claim("data", "", "1Gi", bound_to("v")));
  const PodRef pod = test_pod("p", uses_claim("data"));
  cluster.volume(api_volume("v", "", "1Gi", [](auto& volume) { volume.metadata.labels[kZone] = "b__c"; }));
  EXPECT_THAT(cluster.feasible(pod), UnorderedElementsAre("b"));
  cluster.volume(api_volume(
      "v", "", "1Gi", [](auto& volume) { volume.metadata.labels["failure-domain.beta.kubernetes.io/zone"] = "a"; }));
  EXPECT_THAT(cluster.feasible(pod), UnorderedElementsAre("a"));
  cluster.volume(api_volume("v", "", "1Gi", [](auto& volume) { volume.metadata.labels[kZone] = "c"; }));
  EXPECT_EQ(cluster.refusal(pod), "0/2 nodes are available: 2 node(s) had no available volume zone.");
  cluster.node("anywhere");
  EXPECT_THAT(cluster.feasible(pod), UnorderedElementsAre("anywhere"));
}

TEST(ImageLocality, LargeImagesDraw) {
  const auto has = [](const std::string& image, int64_t mebibytes) {
    return [=](Node& node) {
      auto& one = node.status.images.emplace_back();
      one.names = {image};
      one.size_bytes = mebibytes * 1024 * 1024;
    };
  };
  const PodRef pod = test_pod("p", [](Pod& p) { p.spec.containers[0].image = "registry:5000/web"; });
  TestCluster cluster;
  cluster.node("n1");
  cluster.node("n2", has("registry:5000/web:latest", 900));
  for (int i = 0; i < 20; ++i) EXPECT_EQ(cluster.decide(pod), "n2");
  // It goes with the node's list, and with the node.
  cluster.node("n2");
  EXPECT_TRUE(cluster.cache.images().empty());
  cluster.node("n1", has("registry:5000/web:latest", 900));
  for (int i = 0; i < 20; ++i) EXPECT_EQ(cluster.decide(pod), "n1");
  cluster.cache.remove_node("n1");
  EXPECT_TRUE(cluster.cache.images().empty());
}

TEST(DefaultPreemption, SparesPodsWithoutBudget) {
  const auto placed = [](const std::string& app) {
    return all_of({requests("2"), [=](Pod& p) { p.metadata.labels["app"] = app; }});
  };
  TestCluster cluster;
  cluster.node("n1");
  cluster.place("guarded", "n1", placed("db"));
  cluster.place("free", "n1", placed("web"));
  cluster.node("n2");
  cluster.place("guarded2", "n2", placed("db"));
  cluster.place("guarded3", "n2", placed("db"));
  const PodRef urgent = test_pod("urgent", all_of({requests("2"), [](Pod& p) { p.spec.priority = 10; }}));
  BudgetInfo budget{object::LabelSelector::from_labels({{"app", "db"}}), 0, {}};
  for (int allowed : {0, 1}) {
    budget.allowed = allowed;
    cluster.cache.set_budget("default", "db", budget);
    Decision decision = cluster.algorithm.decide(urgent);
    ASSERT_EQ(decision.node, kNoNode);
    for (int i = 0; i < 10; ++i) {
      PostFilterResult result = cluster.algorithm.post_filter(urgent, decision.diagnosis);
      ASSERT_EQ(result.victims.size(), 1u);
      if (allowed > 0) continue;  // then one on either node will do
      EXPECT_EQ(result.victims[0]->name, "free");
    }
  }
  // Nothing else helps: budgets are broken rather than the pod left waiting.
  cluster.cache.remove_node("n1");
  budget.allowed = 0;
  cluster.cache.set_budget("default", "db", budget);
  Decision decision = cluster.algorithm.decide(urgent);
  EXPECT_EQ(cluster.algorithm.post_filter(urgent, decision.diagnosis).victims.size(), 1u);
}

}  // namespace
}  // namespace scheduler
