#include "apiserver/allocators/service_allocator.h"

#include <gtest/gtest.h>

#include "apiserver/allocators/number_range.h"
#include "apiserver/testing.h"
#include "gen/codec.h"
#include "gen/core/v1.h"
#include "gen/networking/v1.h"

namespace apiserver {
namespace {

using Service = ::api::core::v1::Service;

TEST(NumberRange, DynamicNumbersComeFromTheUpperPartUntilItIsFull) {
  auto rng = base::seeded_rng(7);
  NumberRange range(20, 16);
  std::set<uint64_t> upper, lower;
  for (int i = 0; i < 4; ++i) upper.insert(range.take_any(*rng).value());
  EXPECT_EQ(upper, (std::set<uint64_t>{16, 17, 18, 19}));
  EXPECT_TRUE(range.take(3));
  EXPECT_FALSE(range.take(3));
  for (int i = 0; i < 15; ++i) lower.insert(range.take_any(*rng).value());
  EXPECT_EQ(lower.size(), 15u);
  EXPECT_FALSE(lower.contains(3));
  EXPECT_EQ(range.take_any(*rng), std::nullopt);
  range.release(17);
  EXPECT_EQ(range.take_any(*rng), 17u);
}

TEST(NumberRange, ReservedPartIsASixteenthWithinBounds) {
  EXPECT_EQ(reserved_part(16, 16, 256, 16), 0u);
  EXPECT_EQ(reserved_part(254, 16, 256, 16), 16u);
  EXPECT_EQ(reserved_part(1024, 16, 256, 16), 64u);
  EXPECT_EQ(reserved_part(65535, 16, 256, 16), 256u);
  EXPECT_EQ(reserved_part(2768, 16, 128, 32), 86u);
}

class ServiceAllocatorTest : public ::testing::Test {
 protected:
  ServiceAllocatorTest() : allocator_(make_service_allocator(*test_.core, "10.96.0.0/16", 30000, 32767).value()) {}

  const Endpoint& services() const { return *test_.core->endpoints().find("", "v1", "services", ""); }
  static api::AnyObject wrap(const Service& service) {
    api::AnyObject object = api::AnyObject::make(gen::message_of<Service>());
    object.as<Service>() = service;
    return object;
  }
  static Service service(const std::string& name, const std::string& type = "ClusterIP") {
    Service out;
    out.metadata.name = name;
    out.metadata.namespace_ = "ns";
    out.spec.type = type;
    out.spec.selector = {{"a", "b"}};
    auto& port = out.spec.ports.emplace_back();
    port.port = 80;
    port.protocol = "TCP";
    return out;
  }
  // The Service with what it got, or the error's text.
  struct Made {
    Service service;
    std::string error;
  };
  Made create(const Service& wanted) { return write(wanted, nullptr); }
  Made update(const Service& wanted, const Service& before) { return write(wanted, &before); }
  Made write(const Service& wanted, const Service* before) {
    api::AnyObject object = wrap(wanted);
    api::AnyObject old = before ? wrap(*before) : api::AnyObject();
    RequestContext context = test_.context();
    auto done = allocator_->allocate(context, services(), object, before ? &old : nullptr);
    return {object.as<Service>(), done ? "" : done.error().message};
  }
  void release(const Service& gone, const Service* keep = nullptr) {
    api::AnyObject object = wrap(gone);
    api::AnyObject kept = keep ? wrap(*keep) : api::AnyObject();
    allocator_->release(services(), object, keep ? &kept : nullptr);
  }
  bool has_address_object(const std::string& ip) const {
    return test_.core->get("networking.k8s.io", "ipaddresses", "", ip).has_value();
  }

  testing::TestCore test_;
  std::unique_ptr<Allocator> allocator_;
};

TEST_F(ServiceAllocatorTest, GivesAnAddressAFamilyAndAnIPAddressObject) {
  const Made made = create(service("a"));
  ASSERT_EQ(made.error, "");
  EXPECT_TRUE(made.service.spec.cluster_ip.starts_with("10.96."));
  EXPECT_EQ(made.service.spec.cluster_ips, std::vector<std::string>{made.service.spec.cluster_ip});
  EXPECT_EQ(made.service.spec.ip_families, std::vector<std::string>{"IPv4"});
  EXPECT_EQ(made.service.spec.ip_family_policy, "SingleStack");
  const auto raw = test_.core->get("networking.k8s.io", "ipaddresses", "", made.service.spec.cluster_ip);
  ASSERT_TRUE(raw);
  const auto address = gen::decode<::api::networking::v1::IPAddress>(*raw);
  ASSERT_TRUE(address);
  EXPECT_EQ(address->spec.parent_ref->name, "a");
  release(made.service);
  EXPECT_FALSE(has_address_object(made.service.spec.cluster_ip));
}

TEST_F(ServiceAllocatorTest, RefusesAddressesThatAreTakenOrElsewhere) {
  Service wanted = service("s0");
  wanted.spec.cluster_ip = "10.96.5.5";
  wanted.spec.cluster_ips = {"10.96.5.5"};
  EXPECT_EQ(create(wanted).error, "");
  wanted.metadata.name = "s1";
  EXPECT_EQ(create(wanted).error,
            "Service \"s1\" is invalid: spec.clusterIPs: Invalid value: [\"10.96.5.5\"]: failed to allocate IP "
            "10.96.5.5: provided IP is already allocated");
  for (const char* ip : {"10.97.0.1", "10.96.0.0", "10.96.255.255"}) {
    wanted.spec.cluster_ip = ip;
    wanted.spec.cluster_ips = {ip};
    EXPECT_EQ(create(wanted).error, "Service \"s1\" is invalid: spec.clusterIPs: Invalid value: [\"" + std::string(ip) +
                                        "\"]: failed to allocate IP " + ip +
                                        ": the provided network does not match the current range");
  }
}

TEST_F(ServiceAllocatorTest, HeadlessAndExternalServicesGetNone) {
  Service headless = service("h");
  headless.spec.cluster_ip = "None";
  headless.spec.cluster_ips = {"None"};
  headless.spec.selector.clear();
  Made made = create(headless);
  EXPECT_EQ(made.service.spec.ip_families, (std::vector<std::string>{"IPv4", "IPv6"}));
  EXPECT_EQ(made.service.spec.ip_family_policy, "RequireDualStack");
  Service external = service("e", "ExternalName");
  made = create(external);
  EXPECT_EQ(made.service.spec.cluster_ip, "");
  EXPECT_TRUE(made.service.spec.ip_families.empty());
}

TEST_F(ServiceAllocatorTest, DualStackIsNotConfigured) {
  Service wanted = service("s9");
  wanted.spec.ip_families = {"IPv6"};
  EXPECT_EQ(create(wanted).error,
            "Service \"s9\" is invalid: spec.ipFamilies[0]: Invalid value: \"IPv6\": not configured on this cluster");
  wanted.spec.ip_families.clear();
  wanted.spec.ip_family_policy = "RequireDualStack";
  EXPECT_EQ(create(wanted).error,
            "Service \"s9\" is invalid: spec.ipFamilyPolicy: Invalid value: \"RequireDualStack\": this cluster is not "
            "configured for dual-stack services");
}

TEST_F(ServiceAllocatorTest, NodePortsAreGivenSharedAndRefused) {
  Made made = create(service("s14", "NodePort"));
  EXPECT_GE(made.service.spec.ports[0].node_port, 30086);  // the lower part is for explicit requests
  Service wanted = service("s15", "NodePort");
  wanted.spec.ports[0].node_port = 30123;
  EXPECT_EQ(create(wanted).error, "");
  wanted.metadata.name = "s16";
  EXPECT_EQ(
      create(wanted).error,
      "Service \"s16\" is invalid: spec.ports[0].nodePort: Invalid value: 30123: provided port is already allocated");
  wanted.spec.ports[0].node_port = 80;
  EXPECT_EQ(create(wanted).error,
            "Service \"s16\" is invalid: spec.ports[0].nodePort: Invalid value: 80: provided port is not in the valid "
            "range. The range of valid ports is 30000-32767");
  Service both = service("s19", "NodePort");
  both.spec.ports.push_back(both.spec.ports[0]);
  both.spec.ports[1].protocol = "UDP";
  both.spec.ports[0].node_port = both.spec.ports[1].node_port = 30126;
  EXPECT_EQ(create(both).error, "");
  Service twice = service("s20", "NodePort");
  twice.spec.ports.push_back(twice.spec.ports[0]);
  twice.spec.ports[1].port = 81;
  twice.spec.ports[0].node_port = twice.spec.ports[1].node_port = 30127;
  EXPECT_EQ(
      create(twice).error,
      "Service \"s20\" is invalid: spec.ports[1].nodePort: Invalid value: 30127: provided port is already allocated");
  // What the refused one had taken is free again.
  twice.spec.ports.pop_back();
  EXPECT_EQ(create(twice).error, "");
}

TEST_F(ServiceAllocatorTest, AnUpdateKeepsWhatItLeavesOutAndGivesBackWhatItDrops) {
  Service balancer = service("l", "LoadBalancer");
  balancer.spec.external_traffic_policy = "Local";
  const Service before = create(balancer).service;
  EXPECT_NE(before.spec.health_check_node_port, 0);
  const Made same = update(balancer, before);
  ASSERT_EQ(same.error, "");
  EXPECT_EQ(same.service, before);
  Service plain = before;
  plain.spec.type = "ClusterIP";
  plain.spec.ports[0].node_port = 0;
  plain.spec.health_check_node_port = 0;
  release(before, &plain);
  Service next = service("n", "NodePort");
  next.spec.ports[0].node_port = before.spec.ports[0].node_port;
  EXPECT_EQ(create(next).error, "");
  EXPECT_TRUE(has_address_object(before.spec.cluster_ip));
  Service without = service("w", "LoadBalancer");
  without.spec.allocate_load_balancer_node_ports = false;
  EXPECT_EQ(create(without).service.spec.ports[0].node_port, 0);
}

TEST_F(ServiceAllocatorTest, ADryRunMakesNoObject) {
  api::AnyObject object = wrap(service("d"));
  RequestContext context = test_.context();
  context.query.set("dryRun", "All");
  ASSERT_TRUE(allocator_->allocate(context, services(), object, nullptr));
  EXPECT_FALSE(has_address_object(object.as<Service>().spec.cluster_ip));
}

TEST_F(ServiceAllocatorTest, ADryRunIsShownWhatNobodyGets) {
  api::AnyObject object = wrap(service("d", "NodePort"));
  RequestContext context = test_.context();
  context.query.set("dryRun", "All");
  ASSERT_TRUE(allocator_->allocate(context, services(), object, nullptr));
  EXPECT_EQ(object.as<Service>().spec.cluster_ip, "10.96.0.0");
  EXPECT_EQ(object.as<Service>().spec.ports[0].node_port, 32769);
}

}  // namespace
}  // namespace apiserver
