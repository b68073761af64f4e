#include <gtest/gtest.h>

#include "api/kinds.h"
#include "api/testing.h"
#include "gen/core/v1.h"

namespace api {
namespace {

using core::v1::Node;

const std::string kNone = object::FieldErrors().to_string();

struct Case {
  const char* name;
  void (*change)(Node&);
  std::string expected;
};

void taint(Node& node, const char* key, const char* effect) {
  auto& out = node.spec.taints.emplace_back();
  out.key = key, out.effect = effect;
}

TEST(NodeRules, Create) {
  const Case cases[] = {
      {"plain", [](Node& n) { taint(n, "a", "NoSchedule"); }, kNone},
      {"cidr", [](Node& n) { n.spec.pod_cidr = "x"; },
       "spec.podCIDRs[0]: Invalid value: \"x\": must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)"},
      {"effect", [](Node& n) { taint(n, "a", "X"); },
       "metadata.taints[0].effect: Unsupported value: \"X\": supported values: \"NoSchedule\", \"PreferNoSchedule\", "
       "\"NoExecute\""},
      {"twice",
       [](Node& n) {
         taint(n, "a", "NoSchedule");
         taint(n, "a", "NoSchedule");
       },
       "metadata.taints[1]: Duplicate value: "
       "{\"Key\":\"a\",\"Value\":\"\",\"Effect\":\"NoSchedule\",\"TimeAdded\":null}: "
       "taints must be unique by key and effect pair"},
      {"families", [](Node& n) { n.spec.pod_cidrs = {"10.0.0.0/24", "10.0.1.0/24"}; },
       "spec.podCIDRs: Invalid value: [\"10.0.0.0/24\",\"10.0.1.0/24\"]: may specify no more than one CIDR for each IP "
       "family"},
      {"dual", [](Node& n) { n.spec.pod_cidrs = {"10.0.0.0/24", "2001:db8::/64"}; }, kNone},
      {"pods", [](Node& n) { n.status.capacity["pods"] = {"1500m"}; },
       "[status.capacity.pods: Invalid value: \"1500m\": must be an integer, status.allocatable.pods: Invalid value: "
       "\"1500m\": must be an integer]"},
  };
  for (const Case& each : cases) {
    Node node;
    node.metadata.name = "n";
    each.change(node);
    EXPECT_EQ(testing::create(*node_rules(), node), each.expected) << each.name;
  }
}

TEST(NodeRules, Defaults) {
  Node node;
  node.spec.pod_cidr = "10.5.0.0/24";
  node.status.capacity["cpu"] = {"4"};
  const auto rules = node_rules();
  rules->set_defaults_any(&node);
  EXPECT_EQ(node.spec.pod_cidrs, std::vector<std::string>{"10.5.0.0/24"});
  EXPECT_EQ(node.status.allocatable, node.status.capacity);
  const Node once = node;
  rules->set_defaults_any(&node);
  EXPECT_EQ(node, once);
}

TEST(NodeRules, Update) {
  const auto rules = node_rules();
  Node old;
  old.metadata.name = "n";
  old.spec.pod_cidrs = {"10.5.0.0/24"};
  old.spec.provider_id = "p://1";
  old.status.phase = "kept";
  rules->set_defaults_any(&old);
  Node node = old;
  node.spec.unschedulable = true;
  node.status.phase = "changed";
  EXPECT_EQ(testing::update(*rules, node, old), kNone);
  EXPECT_EQ(node.status.phase, "kept");
  node.spec.pod_cidr = "10.6.0.0/24";
  node.spec.provider_id = "p://2";
  EXPECT_EQ(
      testing::update(*rules, node, old),
      "[spec.podCIDRs: Forbidden: node updates may not change podCIDR except from \"\" to valid, spec.providerID: "
      "Forbidden: node updates may not change providerID except from \"\" to valid]");
  node = old;
  node.spec.unschedulable = true;
  for (int i = 0; i < 2; ++i) {
    auto& address = node.status.addresses.emplace_back();
    address.type = "InternalIP", address.address = "1.2.3.4";
  }
  EXPECT_EQ(testing::update(*rules, "status", node, old),
            "status.addresses[1]: Duplicate value: {\"Type\":\"InternalIP\",\"Address\":\"1.2.3.4\"}");
  EXPECT_FALSE(node.spec.unschedulable);
}

TEST(NodeRules, Cells) {
  Node node;
  node.metadata.name = "n";
  node.metadata.creation_timestamp = *object::parse_time("2026-01-01T00:00:00Z");
  const auto now = testing::at("2026-01-01T00:00:45Z");
  EXPECT_EQ(testing::cells(*node_rules(), node, now),
            "n|Unknown|<none>|45s||<none>|<none>|<unknown>|<unknown>|<unknown>");
  node.metadata.labels = {{"node-role.kubernetes.io/control-plane", ""}, {"kubernetes.io/role", "edge"}};
  node.spec.unschedulable = true;
  auto& ready = node.status.conditions.emplace_back();
  ready.type = "Ready", ready.status = "True";
  auto& address = node.status.addresses.emplace_back();
  address.type = "InternalIP", address.address = "1.2.3.4";
  node.status.node_info.kubelet_version = "v1.35.0";
  node.status.node_info.os_image = "os";
  node.status.node_info.kernel_version = "k";
  node.status.node_info.container_runtime_version = "c://1";
  EXPECT_EQ(testing::cells(*node_rules(), node, now),
            "n|Ready,SchedulingDisabled|control-plane,edge|45s|v1.35.0|1.2.3.4|<none>|os|k|c://1");
}

}  // namespace
}  // namespace api
