#include "controllers/endpoints/plan.h"

#include <algorithm>
#include <map>
#include <tuple>

namespace controllers::endpoints {
namespace {

using api::core::v1::EndpointAddress;
using api::core::v1::EndpointPort;
using api::core::v1::Endpoints;
using api::core::v1::EndpointSubset;
using api::core::v1::Pod;
using api::core::v1::Service;
using api::core::v1::ServicePort;

constexpr const char* kManagedBy = "endpoints.kubernetes.io/managed-by";
constexpr const char* kHeadless = "service.kubernetes.io/headless";
constexpr const char* kOverCapacity = "endpoints.kubernetes.io/over-capacity";

auto port_order(const EndpointPort& port) { return std::tuple(port.port, port.protocol, port.name); }
auto address_order(const EndpointAddress& address) {
  return std::tuple(address.ip, address.target_ref ? address.target_ref->uid : std::string());
}

struct Addresses {
  std::vector<EndpointAddress> ready, not_ready;
};

std::vector<EndpointPort> ports_of(const Service& service, const Pod& pod) {
  std::vector<EndpointPort> ports;
  for (const ServicePort& service_port : service.spec.ports) {
    const auto number = find_port(pod, service_port);
    if (!number) continue;
    EndpointPort port;
    port.name = service_port.name;
    port.port = *number;
    port.protocol = service_port.protocol;
    port.app_protocol = service_port.app_protocol;
    ports.push_back(std::move(port));
  }
  std::ranges::sort(ports, {}, port_order);
  return ports;
}

EndpointAddress make_address(const Service& service, const Pod& pod, std::string ip) {
  EndpointAddress address;
  address.ip = std::move(ip);
  if (!pod.spec.node_name.empty()) address.node_name = pod.spec.node_name;
  if (has_hostname(pod, service)) address.hostname = pod.spec.hostname;
  address.target_ref = pod_reference(pod);
  return address;
}

std::vector<EndpointSubset> subsets_of(const Service& service, const std::vector<Pod>& pods) {
  const std::string family = service.spec.ip_families.empty() ? "IPv4" : service.spec.ip_families[0];
  // Addresses with the same ports stand together.
  std::map<std::vector<std::tuple<int32_t, std::string, std::string>>, std::pair<std::vector<EndpointPort>, Addresses>>
      groups;
  const bool publish_all = service.spec.publish_not_ready_addresses;
  for (const Pod& pod : pods) {
    std::string ip = address_of(pod, family);
    if (ip.empty() || is_terminal(pod) || (pod.metadata.deletion_timestamp && !publish_all)) continue;
    std::vector<EndpointPort> ports = ports_of(service, pod);
    if (ports.empty() && !(service.spec.ports.empty() && is_headless(service))) continue;
    std::vector<std::tuple<int32_t, std::string, std::string>> key;
    for (const EndpointPort& port : ports) key.push_back(port_order(port));
    auto& group = groups[key];
    group.first = std::move(ports);
    auto& list = publish_all || is_ready(pod) ? group.second.ready : group.second.not_ready;
    list.push_back(make_address(service, pod, std::move(ip)));
  }
  std::vector<EndpointSubset> subsets;
  for (auto& [key, group] : groups) {
    EndpointSubset& subset = subsets.emplace_back();
    subset.ports = std::move(group.first);
    subset.addresses = std::move(group.second.ready);
    subset.not_ready_addresses = std::move(group.second.not_ready);
    std::ranges::sort(subset.addresses, {}, address_order);
    std::ranges::sort(subset.not_ready_addresses, {}, address_order);
  }
  return subsets;
}

// Cuts the subsets down to the most addresses allowed, ready ones first. True when something was cut.
bool truncate(std::vector<EndpointSubset>& subsets) {
  size_t left = kMaxAddresses;
  bool cut = false;
  const auto limit = [&](std::vector<EndpointAddress>& addresses) {
    if (addresses.size() > left) {
      addresses.resize(left);
      cut = true;
    }
    left -= addresses.size();
  };
  for (EndpointSubset& subset : subsets) limit(subset.addresses);
  for (EndpointSubset& subset : subsets) limit(subset.not_ready_addresses);
  std::erase_if(subsets, [](const EndpointSubset& s) { return s.addresses.empty() && s.not_ready_addresses.empty(); });
  return cut;
}

}  // namespace

std::optional<int32_t> find_port(const Pod& pod, const ServicePort& port) {
  if (!port.target_port.is_string()) {
    return port.target_port.int_val != 0 ? port.target_port.int_val : port.port;
  }
  const std::string protocol = port.protocol.empty() ? "TCP" : port.protocol;
  const auto search = [&](const std::vector<api::core::v1::Container>& containers,
                          bool sidecars_only) -> std::optional<int32_t> {
    for (const auto& container : containers) {
      if (sidecars_only && container.restart_policy != "Always") continue;
      for (const auto& candidate : container.ports) {
        const std::string& given = candidate.protocol;
        if (candidate.name == port.target_port.str_val && (given.empty() ? "TCP" : given) == protocol) {
          return candidate.container_port;
        }
      }
    }
    return std::nullopt;
  };
  if (const auto found = search(pod.spec.containers, false)) return found;
  return search(pod.spec.init_containers, true);
}

bool is_ready(const Pod& pod) {
  return std::ranges::any_of(pod.status.conditions, [](const api::core::v1::PodCondition& condition) {
    return condition.type == "Ready" && condition.status == "True";
  });
}

bool is_terminal(const Pod& pod) { return pod.status.phase == "Succeeded" || pod.status.phase == "Failed"; }
bool is_headless(const Service& service) { return service.spec.cluster_ip == "None"; }

bool has_hostname(const Pod& pod, const Service& service) {
  return !pod.spec.hostname.empty() && pod.spec.subdomain == service.metadata.name &&
         pod.metadata.namespace_ == service.metadata.namespace_;
}

std::string address_of(const Pod& pod, const std::string& family) {
  const auto fits = [&](const std::string& ip) { return (ip.find(':') != std::string::npos) == (family == "IPv6"); };
  for (const auto& ip : pod.status.pod_ips) {
    if (fits(ip.ip)) return ip.ip;
  }
  return !pod.status.pod_ip.empty() && fits(pod.status.pod_ip) ? pod.status.pod_ip : "";
}

api::core::v1::ObjectReference pod_reference(const Pod& pod) {
  api::core::v1::ObjectReference reference;
  reference.kind = "Pod";
  reference.namespace_ = pod.metadata.namespace_;
  reference.name = pod.metadata.name;
  reference.uid = pod.metadata.uid;
  return reference;
}

Endpoints plan(const Service& service, const std::vector<Pod>& pods, const Endpoints* current) {
  Endpoints wanted;
  if (current) wanted.metadata = current->metadata;
  wanted.metadata.name = service.metadata.name;
  wanted.metadata.namespace_ = service.metadata.namespace_;
  wanted.metadata.labels = service.metadata.labels;
  wanted.metadata.labels[kManagedBy] = "endpoint-controller";
  if (is_headless(service))
    wanted.metadata.labels[kHeadless] = "";
  else
    wanted.metadata.labels.erase(kHeadless);
  wanted.subsets = subsets_of(service, pods);
  if (truncate(wanted.subsets))
    wanted.metadata.annotations[kOverCapacity] = "truncated";
  else
    wanted.metadata.annotations.erase(kOverCapacity);
  return wanted;
}

}  // namespace controllers::endpoints
