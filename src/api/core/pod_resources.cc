#include "api/core/pod_resources.h"

#include <algorithm>
#include <array>
#include <set>

#include "api/core/pod_spec.h"
#include "object/names.h"
#include "object/quantity.h"

namespace api {
namespace {

using core::v1::Container;
using core::v1::PodSpec;
using object::QuantityValue;

using Values = std::map<std::string, QuantityValue>;

void add(Values& sum, const ResourceList& more) {
  for (const auto& [name, quantity] : more) {
    const auto value = QuantityValue::of(quantity);
    auto [at, fresh] = sum.emplace(name, value);
    if (!fresh) at->second += value;
  }
}
void raise(Values& high, const Values& other) {
  for (const auto& [name, value] : other) {
    auto [at, fresh] = high.emplace(name, value);
    if (!fresh && value > at->second) at->second = value;
  }
}

ResourceList aggregate(const PodSpec& spec, ResourceList core::v1::ResourceRequirements::* list) {
  Values total, sidecars, init;
  for (const auto& container : spec.containers) add(total, container.resources.*list);
  for (const auto& container : spec.init_containers) {
    if (restartable_init_container(container)) {
      add(total, container.resources.*list);
      add(sidecars, container.resources.*list);
      raise(init, sidecars);
    } else {
      Values together = sidecars;
      add(together, container.resources.*list);
      raise(init, together);
    }
  }
  raise(total, init);
  ResourceList out;
  for (const auto& [name, value] : total) out.emplace(name, value.to_quantity());
  return out;
}

// cpu and memory of a list that are above zero.
void collect_qos(const ResourceList& list, Values& sum, std::set<std::string>* found) {
  for (const auto& [name, quantity] : list) {
    if (name != "cpu" && name != "memory") continue;
    const auto value = QuantityValue::of(quantity);
    if (value.sign() <= 0) continue;
    if (found) found->insert(name);
    auto [at, fresh] = sum.emplace(name, value);
    if (!fresh) at->second += value;
  }
}

template <size_t N>
bool one_of(std::string_view name, const std::array<std::string_view, N>& names) {
  return std::ranges::find(names, name) != names.end();
}

}  // namespace

bool restartable_init_container(const Container& container) { return container.restart_policy == "Always"; }

ResourceList aggregate_container_requests(const PodSpec& spec) {
  return aggregate(spec, &core::v1::ResourceRequirements::requests);
}
ResourceList aggregate_container_limits(const PodSpec& spec) {
  return aggregate(spec, &core::v1::ResourceRequirements::limits);
}

bool is_pod_level_resource(std::string_view name) {
  return name == "cpu" || name == "memory" || is_huge_page_resource(name);
}

bool pod_level_resources_set(const PodSpec& spec) {
  if (!spec.resources) return false;
  auto counts = [](const auto& entry) { return is_pod_level_resource(entry.first); };
  return std::ranges::any_of(spec.resources->requests, counts) || std::ranges::any_of(spec.resources->limits, counts);
}

std::string_view compute_qos_class(const core::v1::Pod& pod) {
  const PodSpec& spec = pod.spec;
  Values requests, limits;
  bool guaranteed = true;
  auto visit = [&](const core::v1::ResourceRequirements& resources) {
    std::set<std::string> limited;
    collect_qos(resources.requests, requests, nullptr);
    collect_qos(resources.limits, limits, &limited);
    if (limited.size() < 2) guaranteed = false;
  };
  if (spec.resources) {
    visit(*spec.resources);
  } else {
    for (const auto& container : spec.containers) visit(container.resources);
    for (const auto& container : spec.init_containers) visit(container.resources);
  }
  if (requests.empty() && limits.empty()) return "BestEffort";
  for (const auto& [name, request] : requests) {
    const auto limit = limits.find(name);
    if (limit == limits.end() || !(limit->second == request)) guaranteed = false;
  }
  return guaranteed && requests.size() == limits.size() ? "Guaranteed" : "Burstable";
}

bool is_huge_page_resource(std::string_view name) { return name.starts_with("hugepages-"); }

bool is_native_resource(std::string_view name) {
  return name.find('/') == std::string_view::npos || name.find("kubernetes.io/") != std::string_view::npos;
}

bool is_extended_resource(std::string_view name) {
  if (is_native_resource(name) || name.starts_with("requests.")) return false;
  // Quotas speak of requests.<name>, which has to be a qualified name too.
  return object::is_qualified_name("requests." + std::string(name));
}

bool is_overcommit_allowed(std::string_view name) { return is_native_resource(name) && !is_huge_page_resource(name); }

bool is_attachable_volume_resource(std::string_view name) { return name.starts_with("attachable-volumes-"); }

bool is_integer_resource(std::string_view name) {
  constexpr std::array<std::string_view, 9> kCounted = {
      "pods",       "resourcequotas",         "services",           "replicationcontrollers", "secrets",
      "configmaps", "persistentvolumeclaims", "services.nodeports", "services.loadbalancers"};
  return one_of(name, kCounted) || is_extended_resource(name);
}

bool is_standard_resource(std::string_view name) {
  constexpr std::array<std::string_view, 20> kKnown = {"cpu",
                                                       "memory",
                                                       "ephemeral-storage",
                                                       "requests.cpu",
                                                       "requests.memory",
                                                       "requests.ephemeral-storage",
                                                       "limits.cpu",
                                                       "limits.memory",
                                                       "limits.ephemeral-storage",
                                                       "pods",
                                                       "resourcequotas",
                                                       "services",
                                                       "replicationcontrollers",
                                                       "secrets",
                                                       "configmaps",
                                                       "persistentvolumeclaims",
                                                       "storage",
                                                       "requests.storage",
                                                       "services.nodeports",
                                                       "services.loadbalancers"};
  return one_of(name, kKnown) || is_huge_page_resource(name);
}

}  // namespace api
