// What a report on a Pod may say.
#include <algorithm>

#include "api/core/pod_resources.h"
#include "api/core/pod_validation.h"
#include "object/names.h"

namespace api {

using core::v1::ContainerStatus;
using core::v1::Pod;
using object::FieldErrors;
using object::FieldPath;

namespace {

using Statuses = std::vector<ContainerStatus>;

void validate_conditions(const Pod& pod, const FieldPath& path, FieldErrors& errors) {
  for (size_t i = 0; i < pod.status.conditions.size(); ++i) {
    const std::string& type = pod.status.conditions[i].type;
    if (type == "PodScheduled" || type == "Ready" || type == "Initialized") continue;
    const FieldPath at = path.index(i);
    validate_qualified_name(type, at.child("Type"), errors);
  }
}

// A container that may not be started again stays terminated.
void validate_transition(const Statuses& statuses, const Statuses& old, std::string_view restart_policy,
                         const core::v1::PodSpec* init_spec, const FieldPath& path, FieldErrors& errors) {
  if (restart_policy == "Always") return;
  for (size_t i = 0; i < old.size(); ++i) {
    const auto& terminated = old[i].state.terminated;
    if (!terminated || (terminated->exit_code != 0 && restart_policy == "OnFailure")) continue;
    if (init_spec) {
      const auto own = std::ranges::find(init_spec->init_containers, old[i].name, &core::v1::Container::name);
      if (own != init_spec->init_containers.end() && own->restart_policy) continue;
    }
    for (const auto& status : statuses) {
      if (status.name != old[i].name || status.state.terminated) continue;
      const FieldPath at = path.index(i);
      errors.forbidden(at.child("state"), "may not be transitioned to non-terminated state");
    }
  }
}

// Containers with a policy of their own may be started again whatever the Pod's says.
Statuses without_own_policy(const Statuses& statuses, const core::v1::PodSpec& spec) {
  Statuses out;
  std::ranges::copy_if(statuses, std::back_inserter(out), [&](const ContainerStatus& status) {
    const auto own = std::ranges::find(spec.containers, status.name, &core::v1::Container::name);
    return own == spec.containers.end() || !own->restart_policy;
  });
  return out;
}

void validate_claim_statuses(const Pod& pod, const FieldPath& path, FieldErrors& errors) {
  std::set<std::string_view> seen;
  const auto& statuses = pod.status.resource_claim_statuses;
  for (size_t i = 0; i < statuses.size(); ++i) {
    const FieldPath at = path.index(i);
    const std::string& name = statuses[i].name;
    if (std::ranges::find(pod.spec.resource_claims, name, &core::v1::PodResourceClaim::name) ==
        pod.spec.resource_claims.end()) {
      errors.invalid(at.child("name"), name, "must match the name of an entry in `spec.resourceClaims`");
    }
    if (!seen.insert(name).second) errors.duplicate(at.child("name"), name);
    if (statuses[i].resource_claim_name) {
      validate_dns1123_subdomain(*statuses[i].resource_claim_name, at.child("name"), errors);
    }
  }
}

// Valid addresses, at most one of each family. `list` is how messages show the whole list.
void validate_addresses(const std::vector<std::string>& ips, const FieldPath& path, FieldErrors& errors) {
  int v4 = 0, v6 = 0;
  for (size_t i = 0; i < ips.size(); ++i) {
    errors.invalid_each(path.index(i), ips[i], object::validate_ip(ips[i]));
    object::IpAddress address;
    if (object::parse_ip(ips[i], address)) ++(address.is_v4() ? v4 : v6);
  }
  if (ips.size() < 2) return;
  std::string list;
  for (const auto& ip : ips) list += (list.empty() ? "{\"IP\":" : ",{\"IP\":") + object::BadValue(ip).text() + "}";
  if (ips.size() > 2 || v4 != 1 || v6 != 1) {
    errors.invalid(path, object::BadValue::verbatim("[" + list + "]"),
                   "may specify no more than one IP for each IP family");
  }
  std::set<std::string_view> seen;
  for (size_t i = 0; i < ips.size(); ++i) {
    if (seen.insert(ips[i]).second) continue;
    errors.duplicate(path.index(i), object::BadValue::verbatim("{\"IP\":" + object::BadValue(ips[i]).text() + "}"));
  }
}

template <typename Ips>
std::vector<std::string> texts(const Ips& ips) {
  std::vector<std::string> out;
  for (const auto& each : ips) out.push_back(each.ip);
  return out;
}

}  // namespace

void validate_pod_status_update(const Pod& pod, const Pod& old, const PodValidationOptions& options,
                                FieldErrors& errors) {
  const FieldPath metadata("metadata"), path("status");
  validate_pod_annotation_updates(pod, old, options, errors);
  validate_conditions(pod, metadata.child("conditions"), errors);
  if (pod.spec.node_name != old.spec.node_name) errors.forbidden(path.child("nodeName"), "may not be changed directly");
  const std::string& nominated = pod.status.nominated_node_name;
  if (nominated != old.status.nominated_node_name && !nominated.empty()) {
    const FieldPath at = path.child("nominatedNodeName");
    validate_dns1123_subdomain(nominated, at, errors);
    if (!old.spec.node_name.empty()) {
      errors.forbidden(at, "may not be set on pods that are already bound to a node");
    }
  }
  validate_immutable(pod.status.qos_class, old.status.qos_class, path.child("qosClass"), errors);
  const std::string& policy = old.spec.restart_policy;
  validate_transition(pod.status.container_statuses, without_own_policy(old.status.container_statuses, old.spec),
                      policy, nullptr, path.child("containerStatuses"), errors);
  validate_transition(pod.status.init_container_statuses, old.status.init_container_statuses, policy, &old.spec,
                      path.child("initContainerStatuses"), errors);
  validate_transition(pod.status.ephemeral_container_statuses, old.status.ephemeral_container_statuses, "Never",
                      nullptr, path.child("ephemeralContainerStatuses"), errors);
  validate_claim_statuses(pod, path.child("resourceClaimStatuses"), errors);
  validate_addresses(texts(pod.status.pod_ips), path.child("podIPs"), errors);
  const auto host_ips = texts(pod.status.host_ips);
  const FieldPath hosts = path.child("hostIPs");
  if (!host_ips.empty() && pod.status.host_ip != host_ips[0]) {
    const FieldPath first = hosts.index(0);
    errors.invalid(first.child("ip"), host_ips[0], "must be equal to `hostIP`");
  }
  validate_addresses(host_ips, hosts, errors);
}

}  // namespace api
