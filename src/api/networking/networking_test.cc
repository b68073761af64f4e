#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "api/shared/rules_test.h"
#include "gen/networking/v1.h"

namespace api {
namespace {

using networking::v1::Ingress;
using networking::v1::NetworkPolicy;

Ingress ingress() {
  Ingress object;
  object.metadata.name = "i";
  auto& rule = object.spec.rules.emplace_back();
  rule.host = "a.example";
  auto& path = rule.ingress_rule_value.http.ensure().paths.emplace_back();
  path.path = "/";
  path.path_type = "Prefix";
  path.backend.service.ensure().name = "s";
  path.backend.service->port.number = 80;
  return object;
}

struct Case {
  const char* expected;
  void (*change)(Ingress&);
};

TEST(Ingress, Rules) {
  RulesHarness h(ingress_rules());
  auto object = ingress();
  EXPECT_EQ(h.create(object), "");
  EXPECT_EQ(h.cells(object), "i|<none>|a.example||80|<unknown>");
  const Case cases[] = {
      {"spec: Invalid value: null: either `defaultBackend` or `rules` must be specified",
       [](auto& i) { i.spec.rules.clear(); }},
      {"spec.rules[0].host: Invalid value: \"1.2.3.4\": must be a DNS name, not an IP address",
       [](auto& i) { i.spec.rules[0].host = "1.2.3.4"; }},
      {"spec.rules[0].http.paths[0].pathType: Required value: pathType must be specified",
       [](auto& i) { i.spec.rules[0].ingress_rule_value.http->paths[0].path_type.reset(); }},
      {"spec.rules[0].http.paths[0].path: Invalid value: \"/a//b\": must not contain '//'",
       [](auto& i) { i.spec.rules[0].ingress_rule_value.http->paths[0].path = "/a//b"; }},
      {"spec.rules[0].http.paths[0].backend: Required value: port name or number is required",
       [](auto& i) { i.spec.rules[0].ingress_rule_value.http->paths[0].backend.service->port.number = 0; }},
      {"spec.rules[0].http.paths[0].backend: Invalid value: \"\": resource or service backend is required",
       [](auto& i) { i.spec.rules[0].ingress_rule_value.http->paths[0].backend.service.reset(); }},
      {"metadata.annotations.kubernetes.io/ingress.class: Invalid value: \"x\": must match `ingressClassName` when "
       "both "
       "are specified",
       [](auto& i) {
         i.metadata.annotations["kubernetes.io/ingress.class"] = "x";
         i.spec.ingress_class_name = "y";
       }},
  };
  for (const auto& [expected, change] : cases) {
    auto bad = ingress();
    change(bad);
    EXPECT_EQ(h.create(bad), expected);
  }
}

TEST(IngressClass, Rules) {
  RulesHarness h(ingress_class_rules());
  networking::v1::IngressClass object;
  object.metadata.name = "c";
  EXPECT_EQ(h.create(object), "spec.controller: Required value");
  object.spec.controller = "a";
  EXPECT_EQ(h.create(object),
            "spec.controller: Invalid value: \"a\": must be a domain-prefixed path (such as \"acme.io/foo\")");
  object.spec.controller = "a.b/c";
  auto& parameters = object.spec.parameters.ensure();
  parameters.a_pi_group = "x.y";
  parameters.kind = "P";
  parameters.name = "p";
  EXPECT_EQ(h.create(object), "");
  EXPECT_EQ(object.spec.parameters->scope, "Cluster");
  EXPECT_EQ(h.cells(object), "c|a.b/c|P.x.y/p|<unknown>");
}

TEST(NetworkPolicy, Rules) {
  RulesHarness h(network_policy_rules());
  NetworkPolicy policy;
  policy.metadata.name = "n";
  policy.spec.egress.resize(1);
  auto& peer = policy.spec.egress[0].to.emplace_back();
  policy.spec.egress[0].ports.resize(1);
  EXPECT_EQ(h.create(policy), "spec.egress[0].to[0]: Required value: must specify a peer");
  EXPECT_EQ(policy.spec.policy_types, (std::vector<std::string>{"Ingress", "Egress"}));
  EXPECT_EQ(policy.spec.egress[0].ports[0].protocol, "TCP");
  peer.ip_block.ensure().cidr = "10.0.0.0/8";
  peer.ip_block->except = {"10.1.0.0/16", "11.0.0.0/16"};
  EXPECT_EQ(
      h.create(policy),
      "spec.egress[0].to[0].ipBlock.except[1]: Invalid value: \"11.0.0.0/16\": must be a strict subset of `cidr`");
  EXPECT_EQ(h.cells(policy), "n|<none>|<unknown>");
}

TEST(IPAddress, Rules) {
  RulesHarness h(ip_address_rules());
  networking::v1::IPAddress address;
  address.metadata.name = "192.168.77.2";
  EXPECT_EQ(h.create(address), "spec.parentRef: Required value");
  auto& parent = address.spec.parent_ref.ensure();
  parent.resource = "r";
  parent.group = "g.example";
  parent.name = "s";
  EXPECT_EQ(h.create(address), "");
  EXPECT_EQ(h.cells(address), "192.168.77.2|r.g.example/s|<unknown>");
  EXPECT_TRUE(h.rules().name_validator()("10.0.0.1", NameUse::kName).empty());
  EXPECT_FALSE(h.rules().name_validator()("x", NameUse::kName).empty());
}

TEST(ServiceCIDR, Rules) {
  RulesHarness h(service_cidr_rules());
  networking::v1::ServiceCIDR object;
  EXPECT_EQ(h.create(object), "spec.cidrs: Required value: at least one CIDR required");
  object.spec.cidrs = {"10.98.0.0/24"};
  EXPECT_EQ(h.create(object), "");
  auto more = object;
  more.spec.cidrs.emplace_back("fd00:1::/112");
  EXPECT_EQ(h.update(more, object), "");
  EXPECT_EQ(h.update(object, more), "spec.cidrs: Invalid value: [\"10.98.0.0/24\"]: field is immutable");
}

}  // namespace
}  // namespace api
