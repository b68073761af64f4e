// ConfigMap, Secret, ServiceAccount, Endpoints, EndpointSlice, Event, Lease, PriorityClass, PodDisruptionBudget.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "api/core/event.h"
#include "api/shared/rules_test.h"
#include "gen/coordination/v1.h"
#include "gen/discovery/v1.h"
#include "gen/policy/v1.h"
#include "gen/scheduling/v1.h"

namespace api {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::StartsWith;

TEST(ConfigMap, Keys) {
  RulesHarness h(config_map_rules());
  core::v1::ConfigMap map;
  map.data["a"] = "1";
  map.binary_data["a"] = "2";
  EXPECT_EQ(h.create(map), "data[a]: Invalid value: \"a\": duplicate of key present in binaryData");
  map.binary_data.clear();
  map.data["a/b"] = "1";
  EXPECT_THAT(h.create(map), StartsWith("data[a/b]: Invalid value: \"a/b\": a valid config key must consist of"));
  map.data = {{"big", std::string((1 << 20) + 1, 'x')}};
  EXPECT_EQ(h.create(map), "[]: Too long: may not be more than 1048576 bytes");
  EXPECT_EQ(h.cells(map), "|1|<unknown>");
}

TEST(ConfigMap, Immutable) {
  RulesHarness h(config_map_rules());
  core::v1::ConfigMap old;
  old.immutable = true;
  old.data["a"] = "1";
  core::v1::ConfigMap map = old;
  EXPECT_EQ(h.update(map, old), "");
  map.data["a"] = "2";
  EXPECT_EQ(h.update(map, old), "data: Forbidden: field is immutable when `immutable` is set");
  map = old;
  map.immutable = false;
  EXPECT_EQ(h.update(map, old), "immutable: Forbidden: field is immutable when `immutable` is set");
}

TEST(Secret, DefaultsAndTypes) {
  RulesHarness h(secret_rules());
  core::v1::Secret secret;
  secret.data["a"] = "old";
  secret.string_data["a"] = "new";
  EXPECT_EQ(h.create(secret), "");
  EXPECT_EQ(secret.type, "Opaque");
  EXPECT_EQ(secret.data["a"], "new");
  EXPECT_TRUE(secret.string_data.empty());

  const std::pair<const char*, const char*> cases[] = {
      {"kubernetes.io/tls", "[data[tls.crt]: Required value, data[tls.key]: Required value]"},
      {"kubernetes.io/ssh-auth", "data[ssh-privatekey]: Required value"},
      {"kubernetes.io/basic-auth", "[data[username]: Required value, data[password]: Required value]"},
      {"kubernetes.io/dockerconfigjson", "data[.dockerconfigjson]: Required value"},
      {"kubernetes.io/service-account-token",
       "metadata.annotations[kubernetes.io/service-account.name]: Required value"}};
  for (const auto& [type, expected] : cases) {
    core::v1::Secret typed;
    typed.type = type;
    EXPECT_EQ(h.create(typed), expected) << type;
  }
  core::v1::Secret docker;
  docker.type = "kubernetes.io/dockerconfigjson";
  docker.data[".dockerconfigjson"] = "x";
  EXPECT_EQ(h.create(docker),
            "data[.dockerconfigjson]: Invalid value: \"<secret contents redacted>\": invalid character 'x' looking for "
            "beginning of value");
  core::v1::Secret other = secret;
  other.type = "other";
  EXPECT_EQ(h.update(other, secret), "type: Invalid value: \"other\": field is immutable");
}

TEST(ServiceAccount, KeepsNamesOfSecrets) {
  RulesHarness h(service_account_rules());
  core::v1::ServiceAccount account;
  account.secrets.resize(1);
  account.secrets[0].name = "s";
  account.secrets[0].kind = "Secret";
  account.metadata.annotations["kubernetes.io/enforce-mountable-secrets"] = "true";
  EXPECT_EQ(h.create(account), "");
  EXPECT_EQ(account.secrets[0].kind, "");
  EXPECT_EQ(account.secrets[0].name, "s");
  EXPECT_THAT(h.warnings, ElementsAre(HasSubstr("deprecated in v1.32+")));
}

TEST(Endpoints, SubsetsAndCells) {
  RulesHarness h(endpoints_rules());
  core::v1::Endpoints endpoints;
  endpoints.metadata.name = "e";
  EXPECT_EQ(h.cells(endpoints), "e|<none>|<unknown>");
  endpoints.subsets.resize(1);
  EXPECT_EQ(h.create(endpoints), "subsets[0]: Required value: must specify `addresses` or `notReadyAddresses`");
  auto& subset = endpoints.subsets[0];
  subset.addresses.resize(2);
  subset.addresses[0].ip = "10.1.0.2";
  subset.addresses[1].ip = "10.1.0.1";
  subset.ports.resize(2);
  subset.ports[0].port = 80;
  subset.ports[1].port = 53;
  EXPECT_EQ(h.create(endpoints),
            "[subsets[0].ports[0].name: Required value, subsets[0].ports[1].name: Required value]");
  subset.ports[0].name = "h";
  subset.ports[1].name = "d";
  EXPECT_EQ(h.create(endpoints), "");
  EXPECT_EQ(subset.ports[0].protocol, "TCP");
  EXPECT_EQ(h.cells(endpoints), "e|10.1.0.2:80,10.1.0.1:80,10.1.0.2:53 + 1 more...|<unknown>");
  subset.addresses[1].ip = "127.0.0.1";
  EXPECT_EQ(h.create(endpoints),
            "subsets[0].addresses[1].ip: Invalid value: \"127.0.0.1\": may not be in the loopback range (127.0.0.0/8, "
            "::1/128)");
}

TEST(EndpointSlice, Rules) {
  RulesHarness h(endpoint_slice_rules());
  discovery::v1::EndpointSlice slice;
  EXPECT_EQ(h.create(slice), "addressType: Required value");
  slice.address_type = "X";
  EXPECT_EQ(h.create(slice), "addressType: Unsupported value: \"X\": supported values: \"FQDN\", \"IPv4\", \"IPv6\"");
  slice.address_type = "IPv4";
  slice.endpoints.resize(1);
  EXPECT_EQ(h.create(slice), "endpoints[0].addresses: Required value: must contain at least 1 address");
  slice.endpoints[0].addresses = {"::1"};
  EXPECT_EQ(h.create(slice),
            "[endpoints[0].addresses: Invalid value: \"::1\": must be an IPv4 address, endpoints[0].addresses[0]: "
            "Invalid value: \"::1\": may not be in the loopback range (127.0.0.0/8, ::1/128)]");
  slice.endpoints[0].addresses = {"10.1.2.3", "10.1.2.4"};
  slice.ports.resize(2);
  slice.ports[0].port = 80;
  slice.ports[0].name = slice.ports[1].name = "a";
  EXPECT_EQ(h.create(slice), "ports[1].name: Duplicate value: \"a\"");
  slice.ports[1].name = "b";
  slice.ports[1].port = 53;
  EXPECT_EQ(h.create(slice), "");
  EXPECT_EQ(slice.metadata.generation, 1);
  EXPECT_EQ(h.cells(slice), "|IPv4|80,53|10.1.2.3,10.1.2.4|<unknown>");
  discovery::v1::EndpointSlice labelled = slice;
  labelled.metadata.labels["a"] = "b";
  EXPECT_EQ(h.update(labelled, slice), "");
  EXPECT_EQ(labelled.metadata.generation, 2);
  EXPECT_EQ(h.cells(discovery::v1::EndpointSlice()), "||<unset>|<unset>|<unknown>");
}

core::v1::Event event_about(const char* name_space) {
  core::v1::Event event;
  event.metadata.name = "e";
  event.metadata.namespace_ = "ns";
  event.involved_object.kind = "Pod";
  event.involved_object.name = "p";
  event.involved_object.namespace_ = name_space;
  return event;
}

TEST(Event, OlderForm) {
  RulesHarness h(event_rules());
  auto event = event_about("zz");
  EXPECT_EQ(h.create(event), "involvedObject.namespace: Invalid value: \"zz\": does not match event.namespace");
  event = event_about("ns");
  EXPECT_EQ(h.create(event), "");
  EXPECT_EQ(h.cells(event), "<unknown>|||pod/p||||<unknown>|1|e");
  event.event_time.seconds = 1;
  EXPECT_THAT(h.create(event), StartsWith("[reportingComponent: Required value, reportingComponent: Invalid value: "
                                          "\"\": name part must be non-empty"));
  event.source.component = "k";
  event.source.host = "h";
  event.message = " m\n";
  EXPECT_EQ(h.cells(event).substr(h.cells(event).find("pod/p")),
            "pod/p||k, h|m|" + h.cells(event).substr(0, h.cells(event).find('|')) + "|1|e");
}

TEST(Event, NewerForm) {
  RulesHarness h(event_rules());
  h.context.request_group = "events.k8s.io";
  auto event = event_about("ns");
  EXPECT_EQ(h.create(event), "[eventTime: Required value, type: Invalid value: \"\": has invalid value: ]");
  event.event_time.seconds = 1;
  event.type = "Normal";
  event.reporting_component = "a.b/c";
  event.reporting_instance = "i";
  event.action = event.reason = "R";
  EXPECT_EQ(h.create(event), "");
  auto changed = event;
  changed.message = "other";
  EXPECT_EQ(h.update(changed, event), "message: Invalid value: \"other\": field is immutable");
  changed = event;
  changed.message = std::string(1025, 'x');
  EXPECT_THAT(h.update(changed, event), HasSubstr("message: Invalid value: \"\": can have at most 1024 characters"));
}

TEST(Event, ConvertsBothWays) {
  auto event = event_about("ns");
  event.message = "note";
  event.count = 3;
  event.source.component = "kubelet";
  event.reporting_component = "c";
  event.series.ensure().count = 4;
  event.related.ensure().kind = "Node";
  events::v1::Event served;
  event_from_stored(event, served);
  EXPECT_EQ(served.note, "note");
  EXPECT_EQ(served.regarding.kind, "Pod");
  EXPECT_EQ(served.deprecated_count, 3);
  EXPECT_EQ(served.series->count, 4);
  core::v1::Event back;
  event_to_stored(served, back);
  EXPECT_EQ(back, event);
  EXPECT_EQ(stored_event_field("regarding.kind"), "involvedObject.kind");
  EXPECT_EQ(stored_event_field("note"), "");
}

TEST(Event, MayHaveNamesThatOthersMayNot) {
  const auto rules = event_rules();
  EXPECT_TRUE(rules->name_validator()("g.", NameUse::kPrefix).empty());
  EXPECT_FALSE(rules->name_validator()("a/b", NameUse::kName).empty());
}

TEST(Lease, Rules) {
  RulesHarness h(lease_rules());
  coordination::v1::Lease lease;
  lease.spec.lease_duration_seconds = -3;
  lease.spec.strategy = "OldestEmulationVersion";
  EXPECT_EQ(h.create(lease), "spec.leaseDurationSeconds: Invalid value: -3: must be greater than 0");
  EXPECT_FALSE(lease.spec.strategy);
}

TEST(PriorityClass, Rules) {
  RulesHarness h(priority_class_rules());
  scheduling::v1::PriorityClass object;
  object.metadata.name = "p";
  object.value = 1000000001;
  EXPECT_EQ(h.create(object), "value: Forbidden: maximum allowed value of a user defined priority is 1000000000");
  object.value = 5;
  EXPECT_EQ(h.create(object), "");
  EXPECT_EQ(h.cells(object), "p|5|false|<unknown>|PreemptLowerPriority");
  auto changed = object;
  changed.value = 6;
  EXPECT_EQ(h.update(changed, object), "value: Forbidden: may not be changed in an update.");
  scheduling::v1::PriorityClass system;
  system.metadata.name = "system-node-critical";
  system.value = 2000001000;
  EXPECT_EQ(h.create(system), "");
}

TEST(PodDisruptionBudget, Rules) {
  RulesHarness h(pod_disruption_budget_rules());
  policy::v1::PodDisruptionBudget budget;
  budget.metadata.name = "b";
  budget.spec.max_unavailable = object::IntOrString{.type = 1, .int_val = 0, .str_val = "30%"};
  EXPECT_EQ(h.create(budget), "");
  EXPECT_EQ(budget.metadata.generation, 1);
  EXPECT_EQ(h.cells(budget), "b|N/A|30%|0|<unknown>");
  budget.spec.min_available = object::IntOrString{.type = 0, .int_val = 1, .str_val = ""};
  EXPECT_EQ(h.create(budget),
            "spec: Invalid value: {\"MinAvailable\":1,\"Selector\":null,\"MaxUnavailable\":\"30%\","
            "\"UnhealthyPodEvictionPolicy\":null}: minAvailable and maxUnavailable cannot be both set");
}

}  // namespace
}  // namespace api
