#include <algorithm>
#include <set>

#include "api/core/service.h"
#include "api/shared/checks.h"
#include "object/names.h"

namespace api {
namespace {

using core::v1::Service;
using core::v1::ServicePort;

constexpr int32_t kKubeletPort = 10250;
constexpr int32_t kMaxAffinitySeconds = 86400;
constexpr std::string_view kOnlyLoadBalancer = "may only be used when `type` is 'LoadBalancer'";
constexpr std::string_view kNotChangeable = "may not change once set";

std::string_view trimmed(std::string_view text) {
  const size_t first = text.find_first_not_of(" \t\r\n");
  return first == std::string_view::npos ? "" : text.substr(first, text.find_last_not_of(" \t\r\n") - first + 1);
}

void check_type_fields(const Service& service, const FieldPath& path, FieldErrors& errors) {
  const auto& spec = service.spec;
  const FieldPath ips = path.child("clusterIPs"), ports = path.child("ports");
  if (spec.type == "LoadBalancer") {
    for (size_t i = 0; i < spec.ports.size(); ++i) {
      if (spec.ports[i].port != kKubeletPort) continue;
      errors.invalid(ports.index(i), spec.ports[i].port,
                     "may not expose port 10250 externally since it is used by kubelet");
    }
  }
  if ((spec.type == "LoadBalancer" || spec.type == "NodePort") && service_is_headless(service)) {
    errors.invalid(ips.index(0), spec.cluster_ips[0], "may not be set to 'None' for " + spec.type + " services");
  }
  if (spec.type != "ExternalName") return;
  constexpr std::string_view kNotExternal = "may not be set for ExternalName services";
  if (!spec.cluster_ips.empty()) errors.forbidden(ips, kNotExternal);
  if (!spec.ip_families.empty()) errors.forbidden(path.child("ipFamilies"), kNotExternal);
  if (spec.ip_family_policy) errors.forbidden(path.child("ipFamilyPolicy"), kNotExternal);
  std::string_view name = spec.external_name;
  if (name.ends_with('.')) name.remove_suffix(1);
  if (name.empty()) return errors.required(path.child("externalName"));
  validate_dns1123_subdomain(name, path.child("externalName"), errors);
}

void check_port_or_name(const object::IntOrString& port, const FieldPath& path, FieldErrors& errors) {
  if (port.is_string()) {
    errors.invalid_each(path, port.str_val, object::validate_port_name(port.str_val));
  } else {
    errors.invalid_each(path, port.int_val, object::validate_port_number(port.int_val));
  }
}

void check_port(const Service& service, size_t i, const FieldPath& path, FieldErrors& errors) {
  const auto& ports = service.spec.ports;
  const ServicePort& port = ports[i];
  if (!port.name.empty()) {
    validate_dns1123_label(port.name, path.child("name"), errors);
    for (size_t j = 0; j < i; ++j) {
      if (ports[j].name != port.name) continue;
      errors.duplicate(path.child("name"), port.name);
      break;
    }
  } else if (ports.size() > 1) {
    errors.required(path.child("name"));
  }
  errors.invalid_each(path.child("port"), port.port, object::validate_port_number(port.port));
  check_enum(port.protocol, path.child("protocol"), errors, {"SCTP", "TCP", "UDP"});
  check_port_or_name(port.target_port, path.child("targetPort"), errors);
  if (port.app_protocol) validate_qualified_name(*port.app_protocol, path.child("appProtocol"), errors);
}

void check_affinity(const Service& service, const FieldPath& path, FieldErrors& errors) {
  const auto& spec = service.spec;
  check_enum(spec.session_affinity, path.child("sessionAffinity"), errors, {"ClientIP", "None"});
  const FieldPath config = path.child("sessionAffinityConfig");
  if (spec.session_affinity == "None" && spec.session_affinity_config) {
    errors.forbidden(config, "must not be set when session affinity is None");
  }
  if (spec.session_affinity != "ClientIP") return;
  constexpr std::string_view kWhen = "when session affinity type is ClientIP";
  const FieldPath client = config.child("clientIP"), timeout = client.child("timeoutSeconds");
  if (!spec.session_affinity_config) return errors.required(config, kWhen);
  if (!spec.session_affinity_config->client_ip) return errors.required(client, kWhen);
  const auto& seconds = spec.session_affinity_config->client_ip->timeout_seconds;
  if (!seconds) return errors.required(timeout, kWhen);
  if (*seconds <= 0 || *seconds > kMaxAffinitySeconds) {
    errors.invalid(timeout, *seconds, "must be greater than 0 and less than 86400");
  }
}

void check_port_clashes(const Service& service, NodePortClashes clashes, const FieldPath& ports, FieldErrors& errors) {
  const auto& spec = service.spec;
  for (size_t i = 0; i < spec.ports.size() && spec.type == "ClusterIP"; ++i) {
    const FieldPath port = ports.index(i);
    if (spec.ports[i].node_port != 0) {
      errors.forbidden(port.child("nodePort"), "may not be used when `type` is 'ClusterIP'");
    }
  }
  std::set<std::pair<std::string_view, int32_t>> node_ports, numbers;
  for (size_t i = 0; i < spec.ports.size() && clashes == NodePortClashes::kChecked; ++i) {
    const ServicePort& port = spec.ports[i];
    const FieldPath item = ports.index(i);
    if (port.node_port != 0 && !node_ports.emplace(port.protocol, port.node_port).second) {
      errors.duplicate(item.child("nodePort"), port.node_port);
    }
  }
  for (size_t i = 0; i < spec.ports.size(); ++i) {
    const ServicePort& port = spec.ports[i];
    if (numbers.emplace(port.protocol, port.port).second) continue;
    object::Object key;
    key.append("Name", "");
    key.append("Protocol", port.protocol);
    key.append("AppProtocol", nullptr);
    key.append("Port", port.port);
    key.append("TargetPort", 0);
    key.append("NodePort", 0);
    errors.duplicate(ports.index(i), shown_json(std::move(key)));
  }
}

void check_load_balancer(const Service& service, const FieldPath& path, FieldErrors& errors) {
  const auto& spec = service.spec;
  const bool balancer = spec.type == "LoadBalancer";
  if (!spec.load_balancer_source_ranges.empty()) {
    // Compat: the path has a capital letter.
    const FieldPath ranges = path.child("LoadBalancerSourceRanges");
    if (!balancer) errors.forbidden(ranges, kOnlyLoadBalancer);
    for (size_t i = 0; i < spec.load_balancer_source_ranges.size(); ++i) {
      const std::string_view range = trimmed(spec.load_balancer_source_ranges[i]);
      errors.invalid_each(ranges.index(i), range, object::validate_cidr(range));
    }
  }
  const FieldPath allocate = path.child("allocateLoadBalancerNodePorts");
  if (spec.allocate_load_balancer_node_ports && !balancer) errors.forbidden(allocate, kOnlyLoadBalancer);
  if (!spec.allocate_load_balancer_node_ports && balancer) errors.required(allocate);
  const FieldPath balancer_class = path.child("loadBalancerClass");
  if (balancer && spec.load_balancer_class) {
    validate_qualified_name(*spec.load_balancer_class, balancer_class, errors);
  } else if (!balancer && spec.load_balancer_class) {
    errors.forbidden(balancer_class, kOnlyLoadBalancer);
  }
}

void check_traffic(const Service& service, const FieldPath& path, FieldErrors& errors) {
  const auto& spec = service.spec;
  const FieldPath external = path.child("externalTrafficPolicy"), health = path.child("healthCheckNodePort");
  if (service_externally_accessible(service)) {
    check_enum(spec.external_traffic_policy, external, errors, {"Cluster", "Local"});
  } else if (!spec.external_traffic_policy.empty()) {
    errors.invalid(external, spec.external_traffic_policy, "may only be set for externally-accessible services");
  }
  if (!service_needs_health_check_node_port(service)) {
    if (spec.health_check_node_port != 0) {
      errors.invalid(health, spec.health_check_node_port,
                     "may only be set when `type` is 'LoadBalancer' and `externalTrafficPolicy` is 'Local'");
    }
  } else if (spec.health_check_node_port == 0) {
    errors.required(health);
  } else {
    errors.invalid_each(health, spec.health_check_node_port, object::validate_port_number(spec.health_check_node_port));
  }
  const FieldPath internal = path.child("internalTrafficPolicy");
  const bool routed = spec.type == "ClusterIP" || spec.type == "NodePort" || spec.type == "LoadBalancer";
  if (spec.internal_traffic_policy) {
    check_enum(*spec.internal_traffic_policy, internal, errors, {"Cluster", "Local"});
  } else if (routed) {
    errors.required(internal);
  }
  if (spec.traffic_distribution) {
    check_enum(*spec.traffic_distribution, path.child("trafficDistribution"), errors,
               {"PreferClose", "PreferSameNode", "PreferSameZone"});
  }
}

void check_ip_changes(const Service& service, const Service& old, const FieldPath& path, FieldErrors& errors) {
  const auto& now = service.spec.cluster_ips;
  const auto& before = old.spec.cluster_ips;
  const FieldPath ips = path.child("clusterIPs");
  if (service_is_headless(service) && service_is_headless(old)) return;
  if (now.size() == before.size()) {
    for (size_t i = 0; i < now.size(); ++i) {
      if (now[i] != before[i]) errors.invalid(ips.index(i), shown(now), kNotChangeable);
    }
    return;
  }
  if (now.empty()) return errors.invalid(ips.index(0), shown(now), "primary clusterIP can not be unset");
  if (!before.empty() && now[0] != before[0]) errors.invalid(ips.index(0), shown(now), kNotChangeable);
  if (now.size() < before.size() && service.spec.ip_family_policy != "SingleStack") {
    errors.invalid(path.child("ipFamilyPolicy"), service.spec.ip_family_policy.value_or(""),
                   "must be set to 'SingleStack' when releasing the secondary clusterIP");
  }
}

void check_family_changes(const Service& service, const Service& old, const FieldPath& path, FieldErrors& errors) {
  const auto& now = service.spec.ip_families;
  const auto& before = old.spec.ip_families;
  const FieldPath families = path.child("ipFamilies");
  if (service_is_headless(service) && service.spec.selector.empty()) return;
  if (now.size() == before.size()) {
    for (size_t i = 0; i < now.size(); ++i) {
      if (now[i] != before[i]) errors.invalid(families.index(i), shown(now), kNotChangeable);
    }
    return;
  }
  if (now.empty()) return errors.invalid(families.index(0), shown(now), "primary ipFamily can not be unset");
  if (!before.empty() && now[0] != before[0]) errors.invalid(families.index(0), shown(now), kNotChangeable);
  if (now.size() < before.size() && service.spec.ip_family_policy != "SingleStack") {
    errors.invalid(path.child("ipFamilyPolicy"), service.spec.ip_family_policy.value_or(""),
                   "must be set to 'SingleStack' when releasing the secondary ipFamily");
  }
}

}  // namespace

void validate_service(const Service& service, NodePortClashes clashes, FieldErrors& errors) {
  const auto& spec = service.spec;
  const FieldPath path("spec");
  const FieldPath ports = path.child("ports");
  if (spec.ports.empty() && !service_is_headless(service) && spec.type != "ExternalName") errors.required(ports);
  check_type_fields(service, path, errors);
  for (size_t i = 0; i < spec.ports.size(); ++i) check_port(service, i, ports.index(i), errors);
  validate_labels(spec.selector, path.child("selector"), errors);
  check_affinity(service, path, errors);
  validate_service_cluster_ips(service, errors);
  const FieldPath external = path.child("externalIPs");
  for (size_t i = 0; i < spec.external_ips.size(); ++i) {
    const auto messages = object::validate_ip(spec.external_ips[i]);
    errors.invalid_each(external.index(i), spec.external_ips[i], messages);
    if (messages.empty()) check_non_special_ip(spec.external_ips[i], external.index(i), errors);
  }
  check_enum(spec.type, path.child("type"), errors, {"ClusterIP", "ExternalName", "LoadBalancer", "NodePort"});
  check_port_clashes(service, clashes, ports, errors);
  check_load_balancer(service, path, errors);
  check_traffic(service, path, errors);
}

void validate_service_update(const Service& service, const Service& old, FieldErrors& errors) {
  const FieldPath path("spec");
  if (service.spec.type != "ExternalName" && old.spec.type != "ExternalName") {
    check_ip_changes(service, old, path, errors);
    check_family_changes(service, old, path, errors);
  }
  if (service.spec.type == "LoadBalancer" && old.spec.type == "LoadBalancer" &&
      service.spec.load_balancer_class != old.spec.load_balancer_class) {
    const auto& changed = service.spec.load_balancer_class;
    errors.invalid(path.child("loadBalancerClass"), changed ? BadValue(*changed) : BadValue::verbatim("null"),
                   kNotChangeable);
  }
  validate_service(service, NodePortClashes::kChecked, errors);
}

void validate_service_status(const Service& service, FieldErrors& errors) {
  const FieldPath status("status");
  const FieldPath balancer = status.child("loadBalancer"), ingress = balancer.child("ingress");
  const auto& items = service.status.load_balancer.ingress;
  if (service.spec.type != "LoadBalancer" && !items.empty()) {
    return errors.forbidden(ingress, "may only be used when `spec.type` is 'LoadBalancer'");
  }
  for (size_t i = 0; i < items.size(); ++i) {
    const FieldPath item = ingress.index(i);
    const FieldPath mode = item.child("ipMode"), hostname = item.child("hostname");
    const auto& entry = items[i];
    if (!entry.ip.empty()) errors.invalid_each(item.child("ip"), entry.ip, object::validate_ip(entry.ip));
    if (!entry.ip.empty() && !entry.ip_mode) errors.required(mode, "must be specified when `ip` is set");
    if (entry.ip.empty() && entry.ip_mode) errors.forbidden(mode, "may not be specified when `ip` is not set");
    if (entry.ip_mode && *entry.ip_mode != "VIP" && *entry.ip_mode != "Proxy") {
      errors.not_supported(mode, *entry.ip_mode, {"Proxy", "VIP"});
    }
    if (entry.hostname.empty()) continue;
    validate_dns1123_subdomain(entry.hostname, hostname, errors);
    object::IpAddress ip;
    if (object::parse_ip(entry.hostname, ip)) {
      errors.invalid(hostname, entry.hostname, "must be a DNS name, not an IP address");
    }
  }
}

}  // namespace api
