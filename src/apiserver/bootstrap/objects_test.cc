#include "apiserver/bootstrap/objects.h"

#include <gtest/gtest.h>

#include <fstream>
#include <set>

#include "apiserver/allocators/service_allocator.h"
#include "apiserver/server.h"
#include "apiserver/testing.h"
#include "gen/codec.h"
#include "gen/core/v1.h"
#include "object/json.h"

namespace apiserver {
namespace {

using bootstrap::completed;
using object::Value;

bootstrap::Facts facts() {
  bootstrap::Facts out;
  out.service_cidr = "10.96.0.0/16";
  out.service_address = "10.96.0.1";
  out.advertise_address = "192.0.2.1";
  out.host_name = "host";
  return out;
}

TEST(FirstObjects, AreThoseOfARealServer) {
  std::set<std::string> expected, got;
  std::ifstream file("tests/bootstrap/first_objects.txt");
  for (std::string line; std::getline(file, line);) expected.insert(line);
  ASSERT_GT(expected.size(), 100u);
  for (const bootstrap::FirstObject& object : bootstrap::first_objects(facts())) {
    ASSERT_FALSE(object.value.is_null()) << object.resource;
    const std::string ns(object.value.string_at({"metadata", "namespace"}));
    got.insert(std::string(object.resource) + " " + (ns.empty() ? "" : ns + "/") +
               std::string(object.value.string_at({"metadata", "name"})));
  }
  // Made by the allocator, and by upstream only beside an address that is no loopback.
  got.insert("ipaddresses 10.96.0.1");
  EXPECT_EQ(got.erase("endpoints default/kubernetes"), 1u);
  EXPECT_EQ(got.erase("endpointslices default/kubernetes"), 1u);
  std::erase_if(got, [](const std::string& name) { return name.starts_with("leases kube-system/apiserver-"); });
  EXPECT_EQ(got, expected);
}

TEST(FirstObjects, ALoopbackAddressIsNoEndpoint) {
  bootstrap::Facts local = facts();
  local.advertise_address = "127.0.0.1";
  EXPECT_EQ(bootstrap::first_objects(local).size(), bootstrap::first_objects(facts()).size() - 2);
}

Value parse(std::string_view text) { return *object::parse_json(text); }

TEST(FirstObjects, DefaultRolesAreCompletedAndNotCut) {
  const Value wanted = parse(R"({"rules":[{"verbs":["get"]},{"verbs":["list"]}]})");
  EXPECT_EQ(completed(parse(R"({"rules":[{"verbs":["list"]},{"verbs":["own"]}]})"), wanted),
            parse(R"({"rules":[{"verbs":["list"]},{"verbs":["own"]},{"verbs":["get"]}]})"));
  EXPECT_TRUE(completed(wanted, wanted).is_null());
  EXPECT_TRUE(
      completed(parse(R"({"metadata":{"annotations":{"rbac.authorization.kubernetes.io/autoupdate":"false"}}})"),
                wanted)
          .is_null());
  const Value binding = parse(R"({"roleRef":{"name":"a"},"subjects":[{"name":"u"}]})");
  EXPECT_EQ(completed(parse(R"({"roleRef":{"name":"a"}})"), binding), binding);
}

TEST(FirstObjects, AreMadeOnceAndReconciledAtTheNextStart) {
  testing::TestCore test;
  ServerOptions options;
  options.advertise_address = "192.0.2.1";
  auto allocator = make_service_allocator(*test.core, options.service_cidr, 30000, 32767).value();
  test.core->allocator = allocator.get();
  ASSERT_TRUE(make_first_objects(*test.core, options));
  for (const char* name : {"default", "kube-system", "kube-public", "kube-node-lease"})
    EXPECT_TRUE(test.core->get("", "namespaces", "", name)) << name;
  EXPECT_TRUE(test.core->get("networking.k8s.io", "ipaddresses", "", "10.96.0.1"));
  EXPECT_TRUE(test.core->get("flowcontrol.apiserver.k8s.io", "flowschemas", "", "system-nodes"));
  EXPECT_TRUE(test.core->get("apiregistration.k8s.io", "apiservices", "", "v1.apps"));
  const auto address = [&] {
    const auto raw = test.core->get("", "endpoints", "default", "kubernetes");
    return raw ? gen::decode<::api::core::v1::Endpoints>(*raw)->subsets.at(0).addresses.at(0).ip : std::string();
  };
  EXPECT_EQ(address(), "192.0.2.1");
  // The time stands still, so that even the lease is as it was: nothing is written.
  const int64_t revision = test.store->status().accepted_revision;
  ASSERT_TRUE(make_first_objects(*test.core, options));
  EXPECT_EQ(test.store->status().accepted_revision, revision);
  options.advertise_address = "192.0.2.2";
  ASSERT_TRUE(make_first_objects(*test.core, options));
  EXPECT_EQ(address(), "192.0.2.2");
  test.core->allocator = nullptr;
}

}  // namespace
}  // namespace apiserver
