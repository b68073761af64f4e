#include "api/core/service.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "api/shared/rules_test.h"

namespace api {
namespace {

using core::v1::Service;

Service service_with_port(int32_t port) {
  Service service;
  service.metadata.name = "s";
  service.spec.ports.resize(1);
  service.spec.ports[0].port = port;
  return service;
}

const std::vector<std::string> kSingle = {"IPv4"};

TEST(Service, Defaults) {
  RulesHarness h(service_rules());
  Service service = service_with_port(80);
  EXPECT_EQ(h.create(service), "");
  EXPECT_EQ(service.spec.type, "ClusterIP");
  EXPECT_EQ(service.spec.session_affinity, "None");
  EXPECT_EQ(service.spec.internal_traffic_policy, "Cluster");
  EXPECT_EQ(service.spec.ports[0].protocol, "TCP");
  EXPECT_EQ(service.spec.ports[0].target_port.int_val, 80);
  EXPECT_EQ(h.cells(service), "s|ClusterIP|<none>|<none>|80/TCP|<unknown>|<none>");

  Service balancer = service_with_port(80);
  balancer.spec.type = "LoadBalancer";
  EXPECT_EQ(h.create(balancer), "");
  EXPECT_EQ(balancer.spec.allocate_load_balancer_node_ports, true);
  EXPECT_EQ(balancer.spec.external_traffic_policy, "Cluster");
  EXPECT_EQ(h.cells(balancer), "s|LoadBalancer|<none>|<pending>|80/TCP|<unknown>|<none>");
  EXPECT_TRUE(service_needs_node_port(balancer));
  EXPECT_FALSE(service_needs_health_check_node_port(balancer));
}

struct Case {
  const char* expected;
  void (*change)(core::v1::ServiceSpec&);
};

TEST(Service, Invalid) {
  const Case cases[] = {
      {"spec.ports: Required value", [](auto& s) { s.ports.clear(); }},
      {"spec.type: Unsupported value: \"Bogus\": supported values: \"ClusterIP\", \"ExternalName\", \"LoadBalancer\", "
       "\"NodePort\"",
       [](auto& s) { s.type = "Bogus"; }},
      {"spec.externalName: Required value", [](auto& s) { s.type = "ExternalName"; }},
      {"spec.ports[0].nodePort: Forbidden: may not be used when `type` is 'ClusterIP'",
       [](auto& s) { s.ports[0].node_port = 30123; }},
      {"spec.clusterIPs[0]: Invalid value: \"bogus\": must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)",
       [](auto& s) { s.cluster_ip = "bogus"; }},
      {"spec.clusterIPs: Invalid value: [\"10.96.5.6\"]: must be empty when `clusterIP` is not specified",
       [](auto& s) { s.cluster_ips = {"10.96.5.6"}; }},
      {"spec.clusterIPs: Invalid value: [\"10.96.5.8\"]: first value must match `clusterIP`",
       [](auto& s) {
         s.cluster_ip = "10.96.5.7";
         s.cluster_ips = {"10.96.5.8"};
       }},
      {"spec.ipFamilies[1]: Duplicate value: \"IPv4\"", [](auto& s) { s.ip_families = {"IPv4", "IPv4"}; }},
      {"spec.ipFamilyPolicy: Unsupported value: \"X\": supported values: \"PreferDualStack\", \"RequireDualStack\", "
       "\"SingleStack\"",
       [](auto& s) { s.ip_family_policy = "X"; }},
      {"spec.ports[1]: Duplicate value: {\"Name\":\"\",\"Protocol\":\"TCP\",\"AppProtocol\":null,\"Port\":80,"
       "\"TargetPort\":0,\"NodePort\":0}",
       [](auto& s) {
         s.ports.push_back(s.ports[0]);
         s.ports[0].name = "a";
         s.ports[1].name = "b";
       }},
      {"spec.externalTrafficPolicy: Invalid value: \"Local\": may only be set for externally-accessible services",
       [](auto& s) { s.external_traffic_policy = "Local"; }},
  };
  for (const auto& [expected, change] : cases) {
    RulesHarness h(service_rules());
    Service service = service_with_port(80);
    change(service.spec);
    EXPECT_EQ(h.create(service), expected);
  }
}

TEST(Service, Families) {
  object::FieldErrors errors;
  Service service = service_with_port(80);
  init_service_ip_families(service, nullptr, kSingle, errors);
  EXPECT_TRUE(errors.empty());
  EXPECT_EQ(service.spec.ip_families, kSingle);
  EXPECT_EQ(service.spec.ip_family_policy, "SingleStack");

  Service headless = service_with_port(80);
  headless.spec.cluster_ip = "None";
  normalize_cluster_ips(headless, nullptr);
  EXPECT_FALSE(service_needs_cluster_ip(headless));
  init_service_ip_families(headless, nullptr, kSingle, errors);
  EXPECT_EQ(headless.spec.ip_families, (std::vector<std::string>{"IPv4", "IPv6"}));
  EXPECT_EQ(headless.spec.ip_family_policy, "RequireDualStack");

  Service other = service_with_port(80);
  other.spec.ip_families = {"IPv6"};
  init_service_ip_families(other, nullptr, kSingle, errors);
  EXPECT_EQ(errors.to_string(), "spec.ipFamilies[0]: Invalid value: \"IPv6\": not configured on this cluster");
  Service dual = service_with_port(80);
  dual.spec.ip_family_policy = "RequireDualStack";
  object::FieldErrors dual_errors;
  init_service_ip_families(dual, nullptr, kSingle, dual_errors);
  EXPECT_EQ(dual_errors.to_string(),
            "spec.ipFamilyPolicy: Invalid value: \"RequireDualStack\": this cluster is not configured for dual-stack "
            "services");
}

TEST(Service, UpdateKeepsAllocations) {
  RulesHarness h(service_rules());
  Service old = service_with_port(80);
  old.spec.type = "NodePort";
  EXPECT_EQ(h.create(old), "");
  old.spec.cluster_ip = "10.96.0.9";
  old.spec.cluster_ips = {"10.96.0.9"};
  old.spec.ports[0].node_port = 30001;
  old.spec.ip_families = {"IPv4"};
  Service replaced = service_with_port(81);
  replaced.spec.type = "NodePort";
  replaced.spec.ip_families = {"IPv4"};
  EXPECT_EQ(h.update(replaced, old), "");
  EXPECT_EQ(replaced.spec.cluster_ips, old.spec.cluster_ips);
  EXPECT_EQ(replaced.spec.ports[0].node_port, 30001);
  // A type without node ports loses them.
  Service plain = old;
  plain.spec.type = "ClusterIP";
  EXPECT_EQ(h.update(plain, old), "");
  EXPECT_EQ(plain.spec.ports[0].node_port, 0);
  EXPECT_EQ(plain.spec.external_traffic_policy, "");
  Service moved = old;
  moved.spec.cluster_ip = "10.96.0.10";
  EXPECT_EQ(h.update(moved, old), "spec.clusterIPs[0]: Invalid value: [\"10.96.0.10\"]: may not change once set");
}

TEST(Service, Status) {
  RulesHarness h(service_rules());
  Service old = service_with_port(80);
  h.create(old);
  Service changed = old;
  changed.status.load_balancer.ingress.resize(1);
  changed.status.load_balancer.ingress[0].ip = "1.2.3.4";
  EXPECT_EQ(h.update("status", changed, old),
            "status.loadBalancer.ingress: Forbidden: may only be used when `spec.type` is 'LoadBalancer'");
}

}  // namespace
}  // namespace api
