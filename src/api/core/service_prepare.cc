#include <algorithm>
#include <map>
#include <set>

#include "api/core/service.h"

namespace api {

using core::v1::Service;

bool service_is_headless(const Service& service) {
  return service.spec.cluster_ips.size() == 1 && service.spec.cluster_ips[0] == "None";
}
bool service_needs_cluster_ip(const Service& service) {
  return service.spec.type != "ExternalName" && !service_is_headless(service) && service.spec.cluster_ip != "None";
}
bool service_needs_node_port(const Service& service) {
  if (service.spec.type == "NodePort") return true;
  return service.spec.type == "LoadBalancer" && service.spec.allocate_load_balancer_node_ports.value_or(true);
}
bool service_needs_health_check_node_port(const Service& service) {
  return service.spec.type == "LoadBalancer" && service.spec.external_traffic_policy == "Local";
}
bool service_externally_accessible(const Service& service) {
  const std::string& type = service.spec.type;
  return type == "LoadBalancer" || type == "NodePort" || (type == "ClusterIP" && !service.spec.external_ips.empty());
}

void normalize_cluster_ips(Service& service, const Service* old) {
  auto& spec = service.spec;
  if (!old) {
    if (!spec.cluster_ip.empty() && spec.cluster_ips.empty()) spec.cluster_ips = {spec.cluster_ip};
    return;
  }
  if (spec.cluster_ip == old->spec.cluster_ip || spec.cluster_ips != old->spec.cluster_ips) return;
  // A client that does not know clusterIPs changed clusterIP alone.
  if (spec.cluster_ip.empty()) {
    spec.cluster_ips.clear();
  } else if (spec.cluster_ips.empty()) {
    spec.cluster_ips = {spec.cluster_ip};
  } else {
    spec.cluster_ips[0] = spec.cluster_ip;
  }
}

namespace {

std::set<int32_t> node_ports(const Service& service) {
  std::set<int32_t> ports;
  for (const auto& port : service.spec.ports) {
    if (port.node_port != 0) ports.insert(port.node_port);
  }
  return ports;
}

void keep_node_ports(Service& service, const Service& old) {
  std::set<int32_t> used;
  const auto before = node_ports(old), after = node_ports(service);
  std::ranges::set_intersection(before, after, std::inserter(used, used.end()));
  std::map<std::string_view, int32_t> by_name;
  for (const auto& port : old.spec.ports) by_name[port.name] = port.node_port;
  for (auto& port : service.spec.ports) {
    auto found = by_name.find(port.name);
    if (port.node_port != 0 || found == by_name.end() || used.contains(found->second)) continue;
    port.node_port = found->second;
    used.insert(port.node_port);
  }
}

bool same_node_ports(const Service& a, const Service& b) { return node_ports(a) == node_ports(b); }

}  // namespace

void keep_allocated_values(Service& service, const Service& old) {
  auto& spec = service.spec;
  if (service_needs_cluster_ip(old) && service_needs_cluster_ip(service)) {
    if (spec.cluster_ip.empty()) spec.cluster_ip = old.spec.cluster_ip;
    if (spec.cluster_ips.empty() && spec.cluster_ip == old.spec.cluster_ip) spec.cluster_ips = old.spec.cluster_ips;
  }
  if (service_needs_node_port(old) && service_needs_node_port(service)) keep_node_ports(service, old);
  if (service_needs_health_check_node_port(old) && service_needs_health_check_node_port(service) &&
      spec.health_check_node_port == 0) {
    spec.health_check_node_port = old.spec.health_check_node_port;
  }
}

void drop_fields_of_old_type(Service& service, const Service& old) {
  auto& spec = service.spec;
  const auto& before = old.spec;
  if (service_needs_cluster_ip(old) && !service_needs_cluster_ip(service)) {
    if (spec.cluster_ip == before.cluster_ip && spec.cluster_ips == before.cluster_ips) {
      spec.cluster_ip.clear();
      spec.cluster_ips.clear();
    }
    if (spec.type == "ExternalName") {
      if (spec.ip_families == before.ip_families) spec.ip_families.clear();
      if (spec.ip_family_policy == before.ip_family_policy) spec.ip_family_policy.reset();
    }
  }
  if (service_needs_node_port(old) && !service_needs_node_port(service) && same_node_ports(service, old)) {
    for (auto& port : spec.ports) port.node_port = 0;
  }
  if (service_needs_health_check_node_port(old) && !service_needs_health_check_node_port(service) &&
      spec.health_check_node_port == before.health_check_node_port) {
    spec.health_check_node_port = 0;
  }
  const bool was_balancer = before.type == "LoadBalancer" && spec.type != "LoadBalancer";
  if (was_balancer && spec.allocate_load_balancer_node_ports == before.allocate_load_balancer_node_ports) {
    spec.allocate_load_balancer_node_ports.reset();
  }
  if (was_balancer && spec.load_balancer_class == before.load_balancer_class) spec.load_balancer_class.reset();
  if (service_externally_accessible(old) && !service_externally_accessible(service) &&
      spec.external_traffic_policy == before.external_traffic_policy) {
    spec.external_traffic_policy.clear();
  }
  // Compat: a service turned to a single stack loses what it had of the second.
  if (spec.ip_family_policy == "SingleStack" && before.ip_family_policy != "SingleStack") {
    if (spec.cluster_ips.size() == 2 && spec.cluster_ips == before.cluster_ips) spec.cluster_ips.resize(1);
    if (spec.ip_families.size() == 2 && spec.ip_families == before.ip_families) spec.ip_families.resize(1);
  }
}

}  // namespace api
