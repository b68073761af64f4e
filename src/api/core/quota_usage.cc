#include "api/core/quota_usage.h"

#include <algorithm>
#include <set>

#include "api/core/pod_resources.h"
#include "api/core/pod_spec.h"
#include "api/core/volume_facts.h"
#include "object/time.h"

namespace api::quota {
namespace {

using api::core::v1::PersistentVolumeClaim;
using api::core::v1::Pod;
using api::core::v1::Service;
using object::QuantityValue;
using Quantities = std::map<std::string, object::Quantity>;

constexpr std::string_view kClassInfix = ".storageclass.storage.k8s.io/";

QuantityValue one() { return QuantityValue::from_int(1); }

bool native(std::string_view name) {
  return name.find('/') == std::string_view::npos || name.contains("kubernetes.io/");
}
bool extended(std::string_view name) { return !native(name) && !name.starts_with("requests."); }

// Amounts of requests and limits under the names that quotas have for them.
void add_compute(Usage& usage, const Quantities& requests, const Quantities& limits) {
  usage["pods"] = one();
  for (const auto& [name, quantity] : requests) {
    const QuantityValue value = QuantityValue::of(quantity);
    const bool basic =
        name == "cpu" || name == "memory" || name == "ephemeral-storage" || name.starts_with("hugepages-");
    if (basic) usage[name] = value;
    if (basic || extended(name)) usage["requests." + name] = value;
  }
  for (const char* name : {"cpu", "memory", "ephemeral-storage"}) {
    auto found = limits.find(name);
    if (found != limits.end()) usage[std::string("limits.") + name] = QuantityValue::of(found->second);
  }
}

void override_with(Quantities& sum, const Quantities& stated) {
  for (const auto& [name, quantity] : stated) {
    if (api::is_pod_level_resource(name)) sum[name] = quantity;
  }
}

void add_to(object::Quantity& quantity, const object::Quantity& more) {
  QuantityValue sum = QuantityValue::of(quantity);
  sum += QuantityValue::of(more);
  quantity = sum.to_quantity();
}

// Compat: neither finished Pods nor those whose deletion is overdue use anything but their place in storage.
bool charged(const Pod& pod, base::WallTime now) {
  if (pod.status.phase == "Failed" || pod.status.phase == "Succeeded") return false;
  if (!pod.metadata.deletion_timestamp || !pod.metadata.deletion_grace_period_seconds) return true;
  const auto due = object::to_wall_time(*pod.metadata.deletion_timestamp) +
                   std::chrono::seconds(*pod.metadata.deletion_grace_period_seconds);
  return now <= due;
}

bool crosses_namespaces(const api::core::v1::PodAffinityTerm& term) {
  return !term.namespaces.empty() || static_cast<bool>(term.namespace_selector);
}

template <typename Affinity>
bool crosses_namespaces(const base::Box<Affinity>& affinity) {
  if (!affinity) return false;
  return std::ranges::any_of(affinity->required_during_scheduling_ignored_during_execution,
                             [](const auto& term) { return crosses_namespaces(term); }) ||
         std::ranges::any_of(affinity->preferred_during_scheduling_ignored_during_execution,
                             [](const auto& term) { return crosses_namespaces(term.pod_affinity_term); });
}

// One requirement on a value that may be missing.
bool value_matches(std::string_view op, const std::vector<std::string>& values, const std::set<std::string>& have) {
  const bool listed =
      std::ranges::any_of(have, [&](const auto& v) { return std::ranges::find(values, v) != values.end(); });
  if (op == "In") return listed;
  if (op == "NotIn") return !listed;
  if (op == "Exists") return !have.empty();
  if (op == "DoesNotExist") return have.empty();
  return false;
}

bool in_scope(std::string_view scope, std::string_view op, const std::vector<std::string>& values, const Pod& pod) {
  const bool terminating = pod.spec.active_deadline_seconds.value_or(-1) >= 0;
  if (scope == "Terminating") return terminating;
  if (scope == "NotTerminating") return !terminating;
  if (scope == "BestEffort") return api::compute_qos_class(pod) == "BestEffort";
  if (scope == "NotBestEffort") return api::compute_qos_class(pod) != "BestEffort";
  if (scope == "PriorityClass") {
    std::set<std::string> have;
    if (!pod.spec.priority_class_name.empty()) have.insert(pod.spec.priority_class_name);
    return value_matches(op, values, have);
  }
  if (scope == "CrossNamespacePodAffinity") {
    const auto* affinity = pod.spec.affinity.get();
    return affinity && (crosses_namespaces(affinity->pod_affinity) || crosses_namespaces(affinity->pod_anti_affinity));
  }
  return false;
}

bool in_scope(std::string_view scope, std::string_view op, const std::vector<std::string>& values,
              const PersistentVolumeClaim& claim) {
  if (scope != "VolumeAttributesClass") return false;
  std::set<std::string> have{claim.spec.volume_attributes_class_name.value_or(""),
                             claim.status.current_volume_attributes_class_name.value_or("")};
  if (claim.status.modify_volume_status) {
    have.insert(claim.status.modify_volume_status->target_volume_attributes_class_name);
  }
  have.erase("");
  return value_matches(op, values, have);
}

template <typename T>
bool in_all_scopes(const api::core::v1::ResourceQuotaSpec& quota, const T& object) {
  for (const std::string& scope : quota.scopes) {
    if (!in_scope(scope, "Exists", {}, object)) return false;
  }
  if (!quota.scope_selector) return true;
  for (const auto& expression : quota.scope_selector->match_expressions) {
    if (!in_scope(expression.scope_name, expression.operator_, expression.values, object)) return false;
  }
  return true;
}

}  // namespace

std::string count_name(std::string_view group, std::string_view resource) {
  std::string name = "count/" + std::string(resource);
  return group.empty() ? name : name + "." + std::string(group);
}

Usage usage_of(const Pod& pod, base::WallTime now) {
  Usage usage{{"count/pods", one()}};
  if (!charged(pod, now)) return usage;
  Quantities requests = api::aggregate_container_requests(pod.spec);
  Quantities limits = api::aggregate_container_limits(pod.spec);
  if (pod.spec.resources && api::pod_level_resources_set(pod.spec)) {
    override_with(requests, pod.spec.resources->requests);
    override_with(limits, pod.spec.resources->limits);
  }
  for (const auto& [name, quantity] : pod.spec.overhead) {
    add_to(requests[name], quantity);
    if (auto limit = limits.find(name); limit != limits.end()) add_to(limit->second, quantity);
  }
  add_compute(usage, requests, limits);
  return usage;
}

Usage usage_of(const Service& service) {
  Usage usage{{"count/services", one()}, {"services", one()}};
  const int64_t ports = static_cast<int64_t>(service.spec.ports.size());
  int64_t node_ports = service.spec.type == "NodePort" ? ports : 0;
  const bool balanced = service.spec.type == "LoadBalancer";
  if (balanced) {
    // Node ports aren't allocated yet: what counts is whether they will be.
    node_ports = service.spec.allocate_load_balancer_node_ports.value_or(true)
                     ? ports
                     : std::ranges::count_if(service.spec.ports, [](const auto& port) { return port.node_port != 0; });
  }
  usage["services.nodeports"] = QuantityValue::from_int(node_ports);
  usage["services.loadbalancers"] = QuantityValue::from_int(balanced ? 1 : 0);
  return usage;
}

Usage usage_of(const PersistentVolumeClaim& claim) {
  Usage usage{{"count/persistentvolumeclaims", one()}, {"persistentvolumeclaims", one()}};
  const std::string in_class = api::class_of(claim).value_or("");
  const std::string of_class = in_class + std::string(kClassInfix);
  const bool has_class = !in_class.empty();
  if (has_class) usage[of_class + "persistentvolumeclaims"] = one();
  auto requested = claim.spec.resources.requests.find("storage");
  if (requested == claim.spec.resources.requests.end()) return usage;
  QuantityValue storage = QuantityValue::of(requested->second);
  if (auto allocated = claim.status.allocated_resources.find("storage");
      allocated != claim.status.allocated_resources.end()) {
    storage = std::max(storage, QuantityValue::of(allocated->second));
  }
  // Whole bytes, rounded up.
  const QuantityValue rounded = QuantityValue::from_int(storage.value(), storage.form());
  if (storage < rounded) storage = rounded;
  usage["requests.storage"] = storage;
  if (has_class) usage[of_class + "requests.storage"] = storage;
  return usage;
}

Usage usage_of_other(std::string_view group, std::string_view resource) {
  Usage usage{{count_name(group, resource), one()}};
  constexpr std::string_view kNamed[] = {"configmaps", "resourcequotas", "replicationcontrollers", "secrets"};
  const bool named = group.empty() && std::ranges::find(kNamed, resource) != std::end(kNamed);
  if (named) usage[std::string(resource)] = one();
  return usage;
}

bool measures(std::string_view name, std::string_view group, std::string_view resource) {
  if (name == count_name(group, resource)) return true;
  if (!group.empty()) return false;
  if (resource == "pods") {
    constexpr std::string_view kCompute[] = {"pods",
                                             "cpu",
                                             "memory",
                                             "ephemeral-storage",
                                             "requests.cpu",
                                             "requests.memory",
                                             "limits.cpu",
                                             "limits.memory",
                                             "limits.ephemeral-storage",
                                             "requests.ephemeral-storage"};
    if (std::ranges::find(kCompute, name) != std::end(kCompute)) return true;
    if (name.starts_with("hugepages-") || name.starts_with("requests.hugepages-")) return true;
    return name.starts_with("requests.") && !native(name);
  }
  if (resource == "services")
    return name == "services" || name == "services.nodeports" || name == "services.loadbalancers";
  if (resource == "persistentvolumeclaims") {
    if (name == "persistentvolumeclaims" || name == "requests.storage") return true;
    const size_t at = name.find(kClassInfix);
    if (at == std::string_view::npos) return false;
    const std::string_view rest = name.substr(at + kClassInfix.size());
    return rest == "persistentvolumeclaims" || rest == "requests.storage";
  }
  return usage_of_other(group, resource).contains(std::string(name));
}

bool in_scopes(const api::core::v1::ResourceQuotaSpec& quota, const Pod& pod) { return in_all_scopes(quota, pod); }
bool in_scopes(const api::core::v1::ResourceQuotaSpec& quota, const PersistentVolumeClaim& claim) {
  return in_all_scopes(quota, claim);
}
bool has_scopes(const api::core::v1::ResourceQuotaSpec& quota) {
  return !quota.scopes.empty() || (quota.scope_selector && !quota.scope_selector->match_expressions.empty());
}

std::string missing_requirements(const Pod& pod, const std::vector<std::string>& hard_names) {
  constexpr std::string_view kRequired[] = {"cpu",    "limits.cpu",   "limits.memory",
                                            "memory", "requests.cpu", "requests.memory"};
  std::string out;
  for (std::string_view name : kRequired) {
    if (std::ranges::find(hard_names, name) == hard_names.end()) continue;
    std::set<std::string> containers;
    for (const auto* list : {&pod.spec.containers, &pod.spec.init_containers}) {
      for (const auto& container : *list) {
        Usage usage;
        add_compute(usage, container.resources.requests, container.resources.limits);
        if (!usage.contains(std::string(name))) containers.insert(container.name);
      }
    }
    if (containers.empty()) continue;
    if (!out.empty()) out += "; ";
    out += std::string(name) + " for: ";
    std::string names;
    for (const std::string& container : containers) names += (names.empty() ? "" : ",") + container;
    out += names;
  }
  return out;
}

}  // namespace api::quota
