#include "apiserver/allocators/service_allocator.h"

#include <algorithm>

#include "apiserver/allocators/number_range.h"
#include "apiserver/local_transport.h"
#include "base/log.h"
#include "base/mutex.h"
#include "codec/json_text.h"
#include "gen/codec.h"
#include "gen/core/v1.h"
#include "gen/networking/v1.h"
#include "object/field_error.h"
#include "object/names.h"
#include "object/status.h"

namespace apiserver {
namespace {

using core_service = ::api::core::v1::Service;
using object::FieldErrors;
using object::FieldPath;
namespace networking_v1 = ::api::networking::v1;

constexpr std::string_view kNone = "None";

bool is_external(const core_service& service) { return service.spec.type == "ExternalName"; }
bool is_headless(const core_service& service) { return service.spec.cluster_ip == kNone; }
bool needs_cluster_ip(const core_service& service) { return !is_external(service) && !is_headless(service); }
bool needs_node_ports(const core_service& service) {
  return service.spec.type == "NodePort" || service.spec.type == "LoadBalancer";
}
// A LoadBalancer may do without them.
bool assigns_node_ports(const core_service& service) {
  return service.spec.type == "NodePort" ||
         (service.spec.type == "LoadBalancer" && service.spec.allocate_load_balancer_node_ports.value_or(true));
}
bool needs_health_port(const core_service& service) {
  return service.spec.type == "LoadBalancer" && service.spec.external_traffic_policy == "Local";
}

base::Error invalid(const core_service& service, const FieldErrors& errors) {
  return object::invalid_error("", "Service", service.metadata.name, errors);
}

object::BadValue list_value(const std::vector<std::string>& values) {
  std::string text = "[";
  for (const std::string& value : values) {
    if (text.size() > 1) text += ',';
    codec::append_json_string(text, value);
  }
  return object::BadValue::verbatim(text + "]");
}

// What a Service holds.
std::set<std::string> addresses_of(const core_service& service) {
  std::set<std::string> out;
  if (is_external(service)) return out;
  for (const std::string& ip : service.spec.cluster_ips) {
    if (!ip.empty() && ip != kNone) out.insert(ip);
  }
  if (out.empty() && !service.spec.cluster_ip.empty() && service.spec.cluster_ip != kNone)
    out.insert(service.spec.cluster_ip);
  return out;
}
std::set<int> ports_of(const core_service& service) {
  std::set<int> out;
  for (const auto& port : service.spec.ports) {
    if (port.node_port != 0) out.insert(port.node_port);
  }
  if (service.spec.health_check_node_port != 0) out.insert(service.spec.health_check_node_port);
  return out;
}

// The addresses of a CIDR as numbers.
class AddressRange {
 public:
  static base::Result<AddressRange> parse(const std::string& cidr) {
    object::IpPrefix prefix;
    if (!object::parse_cidr(cidr, prefix)) return base::fail(base::Reason::kBadRequest, "not a CIDR: " + cidr);
    return AddressRange(prefix);
  }
  std::string_view family() const { return network_.is_v4() ? "IPv4" : "IPv6"; }
  uint64_t size() const { return size_; }
  std::string text(uint64_t number) const {
    object::IpAddress address = network_;
    uint64_t carry = number;
    for (int i = address.size - 1; i >= 0 && carry > 0; --i) {
      carry += address.bytes[i];
      address.bytes[i] = static_cast<uint8_t>(carry & 0xff);
      carry >>= 8;
    }
    return object::format_ip(address);
  }
  // Nothing when it is not an address that a Service may have: outside, the network's, or the broadcast address.
  std::optional<uint64_t> number(const std::string& text) const {
    object::IpAddress address;
    if (!object::parse_ip(text, address) || address.size != network_.size || !prefix_.contains(address))
      return std::nullopt;
    uint64_t value = 0;
    for (int i = std::max(0, address.size - 8); i < address.size; ++i) {
      value = value << 8 | static_cast<uint8_t>(address.bytes[i] - network_.bytes[i]);
    }
    if (value == 0 || value >= size_) return std::nullopt;
    return value;
  }

 private:
  explicit AddressRange(const object::IpPrefix& prefix) : prefix_(prefix), network_(prefix.network()) {
    // Compat: at most 65536 addresses of an IPv6 range are used; an IPv4 range ends before its broadcast address.
    const int host_bits = network_.size * 8 - prefix.bits;
    size_ = network_.is_v4() ? (uint64_t{1} << host_bits) - 1 : uint64_t{1} << std::min(host_bits, 16);
  }
  object::IpPrefix prefix_;
  object::IpAddress network_;
  uint64_t size_ = 0;
};

// What one write has taken, so that it can be given back.
struct Taken {
  admission::DryRun dry_run = admission::DryRun::kNo;
  std::vector<uint64_t> addresses;
  std::vector<uint64_t> ports;
};

class ServiceAllocator final : public Allocator {
 public:
  ServiceAllocator(Core& core, AddressRange range, int first_port, int last_port)
      : core_(core),
        transport_(&core, User{"system:apiserver", "", {"system:masters"}}, "kube-apiserver"),
        range_(std::move(range)),
        first_port_(first_port),
        last_port_(last_port),
        addresses_(range_.size(), reserved_part(range_.size(), 16, 256, 16)),
        ports_(static_cast<uint64_t>(last_port - first_port + 1),
               reserved_part(static_cast<uint64_t>(last_port - first_port + 1), 16, 128, 32)) {
    addresses_.take(0);  // the network's own
    core.each("", "services", "", [this](std::string_view, std::string_view raw) {
      auto service = gen::decode<core_service>(raw);
      if (!service) return;
      base::MutexLock lock(mutex_);
      for (const std::string& ip : addresses_of(*service)) {
        if (auto number = range_.number(ip)) addresses_.take(*number);
      }
      for (int port : ports_of(*service)) {
        if (port >= first_port_ && port <= last_port_) ports_.take(static_cast<uint64_t>(port - first_port_));
      }
    });
  }

  base::Result<void> allocate(RequestContext& context, const Endpoint& endpoint, api::AnyObject& object,
                              const api::AnyObject* old) override {
    if (!is_services(endpoint)) return {};
    core_service& service = object.as<core_service>();
    const core_service* before = old ? &old->as<core_service>() : nullptr;
    if (before) keep_assigned(service, *before);
    TRY(set_families(service));
    Taken taken;
    if (context.query.has("dryRun")) taken.dry_run = admission::DryRun::kYes;
    std::vector<std::string> made;
    {
      base::MutexLock lock(mutex_);
      base::Result<void> done = take_addresses(service, before, taken, made);
      if (done) done = take_ports(service, before, taken);
      if (done) done = take_health_port(service, before, taken);
      if (!done) {
        give_back(taken);
        return done;
      }
    }
    if (taken.dry_run == admission::DryRun::kYes) return {};
    for (const std::string& ip : made) make_address_object(ip, service);
    return {};
  }

  void release(const Endpoint& endpoint, const api::AnyObject& object, const api::AnyObject* keep) override {
    if (!is_services(endpoint)) return;
    const core_service& service = object.as<core_service>();
    const std::set<std::string> kept_addresses =
        keep ? addresses_of(keep->as<core_service>()) : std::set<std::string>();
    const std::set<int> kept_ports = keep ? ports_of(keep->as<core_service>()) : std::set<int>();
    std::vector<std::string> gone;
    {
      base::MutexLock lock(mutex_);
      for (const std::string& ip : addresses_of(service)) {
        const auto number = range_.number(ip);
        if (kept_addresses.contains(ip) || !number) continue;
        addresses_.release(*number);
        gone.push_back(ip);
      }
      for (int port : ports_of(service)) {
        if (!kept_ports.contains(port) && port >= first_port_ && port <= last_port_)
          ports_.release(static_cast<uint64_t>(port - first_port_));
      }
    }
    for (const std::string& ip : gone) remove_address_object(ip);
  }

 private:
  static bool is_services(const Endpoint& endpoint) {
    return endpoint.group_resource.group.empty() && endpoint.group_resource.resource == "services" &&
           !endpoint.is_subresource();
  }

  // Compat: what a client left out of an update keeps its value, so that a manifest can be applied again.
  static void keep_assigned(core_service& service, const core_service& before) {
    if (needs_cluster_ip(before) && needs_cluster_ip(service)) {
      if (service.spec.cluster_ip.empty()) service.spec.cluster_ip = before.spec.cluster_ip;
      if (service.spec.cluster_ips.empty()) service.spec.cluster_ips = before.spec.cluster_ips;
    }
    if (!is_external(service) && !is_external(before)) {
      if (service.spec.ip_families.empty()) service.spec.ip_families = before.spec.ip_families;
      if (!service.spec.ip_family_policy) service.spec.ip_family_policy = before.spec.ip_family_policy;
    }
    if (needs_node_ports(before) && needs_node_ports(service)) {
      std::set<int> used = ports_of(service);
      for (auto& port : service.spec.ports) {
        for (const auto& old : before.spec.ports) {
          if (port.node_port != 0 || old.node_port == 0 || old.port != port.port || old.protocol != port.protocol)
            continue;
          if (used.insert(old.node_port).second) port.node_port = old.node_port;
        }
      }
    }
    if (needs_health_port(before) && needs_health_port(service) && service.spec.health_check_node_port == 0) {
      service.spec.health_check_node_port = before.spec.health_check_node_port;
    }
  }

  // Compat: the rules of a cluster with one family.
  base::Result<void> set_families(core_service& service) const {
    auto& spec = service.spec;
    if (is_external(service)) return {};
    const std::string own(range_.family());
    if (is_headless(service) && spec.selector.empty()) {
      if (spec.ip_families.empty()) spec.ip_families = {own};
      const bool single = spec.ip_family_policy && *spec.ip_family_policy == "SingleStack";
      if (spec.ip_families.size() < 2 && !single)
        spec.ip_families.push_back(spec.ip_families[0] == "IPv4" ? "IPv6" : "IPv4");
      if (!spec.ip_family_policy) spec.ip_family_policy = "RequireDualStack";
      return {};
    }
    FieldErrors errors;
    const FieldPath path("spec");
    for (size_t i = 0; i < spec.ip_families.size(); ++i) {
      if (spec.ip_families[i] != own)
        errors.invalid(path.child("ipFamilies").index(i), spec.ip_families[i], "not configured on this cluster");
    }
    if (spec.ip_family_policy && *spec.ip_family_policy == "RequireDualStack") {
      errors.invalid(path.child("ipFamilyPolicy"), *spec.ip_family_policy,
                     "this cluster is not configured for dual-stack services");
    }
    if (!errors.empty()) return base::fail(invalid(service, errors));
    if (!spec.ip_family_policy) spec.ip_family_policy = "SingleStack";
    if (spec.ip_families.empty()) spec.ip_families = {own};
    return {};
  }

  base::Result<void> take_addresses(core_service& service, const core_service* before, Taken& taken,
                                    std::vector<std::string>& made) REQUIRES(mutex_) {
    auto& spec = service.spec;
    if (is_headless(service) && !is_external(service) && spec.cluster_ips.empty())
      spec.cluster_ips = {std::string(kNone)};
    if (!needs_cluster_ip(service)) return {};
    if (spec.cluster_ips.empty() && !spec.cluster_ip.empty()) spec.cluster_ips = {spec.cluster_ip};
    if (spec.cluster_ips.empty() || spec.cluster_ips[0].empty()) {
      // Compat: a dry run is shown the network's own address, which nobody gets.
      if (taken.dry_run == admission::DryRun::kYes) {
        spec.cluster_ip = range_.text(0);
        spec.cluster_ips = {spec.cluster_ip};
        return {};
      }
      const auto number = addresses_.take_any(core_.rng());
      if (!number) return base::fail(object::internal_error("failed to allocate a serviceIP: range is full"));
      taken.addresses.push_back(*number);
      spec.cluster_ip = range_.text(*number);
      spec.cluster_ips = {spec.cluster_ip};
      made.push_back(spec.cluster_ip);
      return {};
    }
    const std::set<std::string> had = before ? addresses_of(*before) : std::set<std::string>();
    for (const std::string& ip : spec.cluster_ips) {
      if (had.contains(ip)) continue;
      const auto number = range_.number(ip);
      std::string_view problem = number ? "" : "the provided network does not match the current range";
      if (number && !addresses_.take(*number)) problem = "provided IP is already allocated";
      if (!problem.empty()) {
        FieldErrors errors;
        errors.invalid(FieldPath("spec").child("clusterIPs"), list_value(spec.cluster_ips),
                       "failed to allocate IP " + ip + ": " + std::string(problem));
        return base::fail(invalid(service, errors));
      }
      taken.addresses.push_back(*number);
      made.push_back(ip);
    }
    return {};
  }

  // "" when it could be taken.
  std::string take_port(int port, Taken& taken) REQUIRES(mutex_) {
    if (port < first_port_ || port > last_port_) {
      return "provided port is not in the valid range. The range of valid ports is " + std::to_string(first_port_) +
             "-" + std::to_string(last_port_);
    }
    const uint64_t number = static_cast<uint64_t>(port - first_port_);
    if (!ports_.take(number)) return "provided port is already allocated";
    taken.ports.push_back(number);
    return "";
  }
  base::Result<int> take_any_port(Taken& taken) REQUIRES(mutex_) {
    // Compat: a dry run is shown a port behind the range.
    if (taken.dry_run == admission::DryRun::kYes) return last_port_ + 2;
    const auto number = ports_.take_any(core_.rng());
    if (!number) return base::fail(object::internal_error("failed to allocate a nodePort: range is full"));
    taken.ports.push_back(*number);
    return first_port_ + static_cast<int>(*number);
  }

  // Compat: ports of one number (TCP and UDP) share a node port; a requested one is taken once.
  base::Result<void> take_ports(core_service& service, const core_service* before, Taken& taken) REQUIRES(mutex_) {
    if (!needs_node_ports(service)) return {};
    const std::set<int> had = before ? ports_of(*before) : std::set<int>();
    std::map<int, int> by_port;  // port → its node port
    auto& ports = service.spec.ports;
    for (size_t i = 0; i < ports.size(); ++i) {
      auto& port = ports[i];
      if (port.node_port == 0 && !assigns_node_ports(service)) continue;
      int& shared = by_port[port.port];
      if (port.node_port == 0 && shared == 0) {
        auto requested = std::ranges::find_if(
            ports, [&](const auto& other) { return other.port == port.port && other.node_port != 0; });
        if (requested != ports.end()) port.node_port = requested->node_port;
      }
      if (port.node_port == 0 && shared != 0) port.node_port = shared;
      if (port.node_port == 0) {
        TRY_ASSIGN(port.node_port, take_any_port(taken));
      } else if (port.node_port != shared && !had.contains(port.node_port)) {
        if (std::string problem = take_port(port.node_port, taken); !problem.empty()) {
          FieldErrors errors;
          errors.invalid(FieldPath("spec").child("ports").index(i).child("nodePort"), port.node_port, problem);
          return base::fail(invalid(service, errors));
        }
      }
      if (shared == 0) shared = port.node_port;
    }
    return {};
  }

  base::Result<void> take_health_port(core_service& service, const core_service* before, Taken& taken)
      REQUIRES(mutex_) {
    if (!needs_health_port(service)) return {};
    int32_t& port = service.spec.health_check_node_port;
    if (port == 0) {
      TRY_ASSIGN(port, take_any_port(taken));
      return {};
    }
    if (before && before->spec.health_check_node_port == port) return {};
    if (std::string problem = take_port(port, taken); !problem.empty()) {
      return base::fail(object::internal_error("failed to allocate requested HealthCheck NodePort " +
                                               std::to_string(port) + ": " + problem));
    }
    return {};
  }

  void give_back(const Taken& taken) REQUIRES(mutex_) {
    for (uint64_t number : taken.addresses) addresses_.release(number);
    for (uint64_t number : taken.ports) ports_.release(number);
  }

  // Not waited for: it is accepted before the Service is, and so is durable no later.
  void make_address_object(const std::string& ip, const core_service& service) {
    networking_v1::IPAddress address;
    address.metadata.name = ip;
    address.metadata.labels = {{"ipaddress.kubernetes.io/ip-family", std::string(range_.family())},
                               {"ipaddress.kubernetes.io/managed-by", "ipallocator.k8s.io"}};
    networking_v1::ParentReference& parent = address.spec.parent_ref.ensure();
    parent.resource = "services";
    parent.namespace_ = service.metadata.namespace_;
    parent.name = service.metadata.name;
    client::Call call;
    call.verb = client::Verb::kCreate;
    call.resource = gen::find_resource("networking.k8s.io", "v1", "ipaddresses", "");
    call.body = gen::encode(address);
    send(std::move(call), ip);
  }
  void remove_address_object(const std::string& ip) {
    client::Call call;
    call.verb = client::Verb::kDelete;
    call.resource = gen::find_resource("networking.k8s.io", "v1", "ipaddresses", "");
    call.name = ip;
    send(std::move(call), ip);
  }
  void send(client::Call call, const std::string& ip) {
    transport_.call(std::move(call), [ip](base::Result<client::RawObject> result) {
      if (result || result.error().reason == base::Reason::kAlreadyExists ||
          result.error().reason == base::Reason::kNotFound)
        return;
      base::log::warning("an IPAddress object could not be kept in step",
                         {{"address", ip}, {"error", result.error().message}});
    });
  }

  Core& core_;
  LocalTransport transport_;
  const AddressRange range_;
  const int first_port_, last_port_;
  base::Mutex mutex_;
  NumberRange addresses_ GUARDED_BY(mutex_);
  NumberRange ports_ GUARDED_BY(mutex_);
};

}  // namespace

base::Result<std::unique_ptr<Allocator>> make_service_allocator(Core& core, const std::string& cidr, int first_port,
                                                                int last_port) {
  TRY_ASSIGN(AddressRange range, AddressRange::parse(cidr));
  return std::make_unique<ServiceAllocator>(core, std::move(range), first_port, last_port);
}

}  // namespace apiserver
