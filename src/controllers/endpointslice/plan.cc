#include "controllers/endpointslice/plan.h"

#include <algorithm>
#include <map>
#include <tuple>

#include "client/client.h"
#include "controllers/endpoints/plan.h"
#include "controllers/runtime/owners.h"

namespace controllers::endpointslice {
namespace {

using api::core::v1::Pod;
using api::core::v1::Service;
using api::discovery::v1::Endpoint;
using api::discovery::v1::EndpointPort;
using api::discovery::v1::EndpointSlice;

constexpr const char* kHeadless = "service.kubernetes.io/headless";

std::vector<EndpointPort> ports_of(const Service& service, const Pod& pod) {
  std::vector<EndpointPort> ports;
  for (const auto& service_port : service.spec.ports) {
    const auto number = endpoints::find_port(pod, service_port);
    if (!number) continue;
    EndpointPort port;
    port.name = service_port.name;
    port.port = *number;
    port.protocol = service_port.protocol;
    port.app_protocol = service_port.app_protocol;
    ports.push_back(std::move(port));
  }
  return ports;
}

Endpoint make_endpoint(const Service& service, const Pod& pod, std::string address, const ZoneOf& zone_of) {
  Endpoint endpoint;
  endpoint.addresses = {std::move(address)};
  const bool serving = endpoints::is_ready(pod);
  const bool terminating = pod.metadata.deletion_timestamp.get() != nullptr;
  endpoint.conditions.serving = serving;
  endpoint.conditions.terminating = terminating;
  endpoint.conditions.ready = service.spec.publish_not_ready_addresses || (serving && !terminating);
  endpoint.target_ref = endpoints::pod_reference(pod);
  if (endpoints::has_hostname(pod, service)) endpoint.hostname = pod.spec.hostname;
  if (pod.spec.node_name.empty()) return endpoint;
  endpoint.node_name = pod.spec.node_name;
  if (std::string zone = zone_of(pod.spec.node_name); !zone.empty()) endpoint.zone = std::move(zone);
  return endpoint;
}

using PortKey = std::vector<std::tuple<std::string, int32_t, std::string, std::string>>;
PortKey key_of(const std::vector<EndpointPort>& ports) {
  PortKey key;
  for (const EndpointPort& port : ports) {
    key.emplace_back(port.name.value_or(""), port.port.value_or(0), port.protocol.value_or(""),
                     port.app_protocol.value_or(""));
  }
  std::ranges::sort(key);
  return key;
}

struct Group {
  std::vector<EndpointPort> ports;
  std::map<std::string, Endpoint> wanted;  // by target uid and address
  std::vector<EndpointSlice*> slices;
};
using Groups = std::map<std::pair<std::string, PortKey>, Group>;  // by family and ports

std::string identity(const Endpoint& endpoint) {
  return (endpoint.target_ref ? endpoint.target_ref->uid : "") + "/" +
         (endpoint.addresses.empty() ? "" : endpoint.addresses[0]);
}

std::map<std::string, std::string> labels_of(const Service& service) {
  std::map<std::string, std::string> labels = service.metadata.labels;
  labels.erase(kHeadless);
  labels[kServiceName] = service.metadata.name;
  labels[kManagedBy] = kController;
  if (endpoints::is_headless(service)) labels[kHeadless] = "";
  return labels;
}

EndpointSlice new_slice(const Service& service, const std::string& family, const Group& group) {
  EndpointSlice slice;
  slice.metadata.generate_name = service.metadata.name + "-";
  slice.metadata.namespace_ = service.metadata.namespace_;
  slice.metadata.labels = labels_of(service);
  slice.metadata.owner_references = {controller_reference(client::resource_of<Service>(), service.metadata)};
  slice.address_type = family;
  slice.ports = group.ports;
  return slice;
}

// Slices keep the endpoints that they have; new ones fill the gaps, then new slices.
void plan_group(const Service& service, const std::string& family, Group& group, Plan& plan) {
  const auto labels = labels_of(service);
  std::vector<std::pair<EndpointSlice*, EndpointSlice>> kept;  // as it is, as it will be
  for (EndpointSlice* slice : group.slices) {
    EndpointSlice after = *slice;
    after.metadata.labels = labels;
    after.endpoints.clear();
    for (const Endpoint& endpoint : slice->endpoints) {
      const auto found = group.wanted.find(identity(endpoint));
      if (found == group.wanted.end()) continue;
      after.endpoints.push_back(std::move(found->second));
      group.wanted.erase(found);
    }
    kept.emplace_back(slice, std::move(after));
  }
  auto next = group.wanted.begin();
  for (auto& [before, after] : kept) {
    while (next != group.wanted.end() && after.endpoints.size() < kMaxEndpoints) {
      after.endpoints.push_back(std::move((next++)->second));
    }
  }
  bool placeholder = kept.empty();  // Compat: a Service has at least one slice
  for (auto& [before, after] : kept) {
    if (after.endpoints.empty() && (&after != &kept[0].second || next != group.wanted.end())) {
      plan.remove.push_back(*before);
    } else if (!(after == *before)) {
      plan.update.push_back(std::move(after));
    }
  }
  while (next != group.wanted.end() || placeholder) {
    placeholder = false;
    EndpointSlice slice = new_slice(service, family, group);
    while (next != group.wanted.end() && slice.endpoints.size() < kMaxEndpoints) {
      slice.endpoints.push_back(std::move((next++)->second));
    }
    plan.create.push_back(std::move(slice));
  }
}

// A slice to be made takes over one that would be deleted, so that watchers see one change instead of two.
void recycle(Plan& plan) {
  std::erase_if(plan.create, [&](EndpointSlice& slice) {
    const auto old = std::ranges::find(plan.remove, slice.address_type, &EndpointSlice::address_type);
    if (old == plan.remove.end()) return false;
    slice.metadata = std::move(old->metadata);
    plan.remove.erase(old);
    plan.update.push_back(std::move(slice));
    return true;
  });
}

void add_pods(const Service& service, const std::string& family, const std::vector<Pod>& pods, const ZoneOf& zone_of,
              Groups& groups) {
  for (const Pod& pod : pods) {
    std::string address = endpoints::address_of(pod, family);
    if (address.empty() || endpoints::is_terminal(pod)) continue;
    std::vector<EndpointPort> ports = ports_of(service, pod);
    Group& group = groups[{family, key_of(ports)}];
    group.ports = std::move(ports);
    Endpoint endpoint = make_endpoint(service, pod, std::move(address), zone_of);
    std::string id = identity(endpoint);
    group.wanted.emplace(std::move(id), std::move(endpoint));
  }
}

}  // namespace

Plan plan(const Service& service, const std::vector<Pod>& pods, std::vector<EndpointSlice> current,
          const ZoneOf& zone_of) {
  Plan plan;
  Groups groups;
  std::vector<std::string> families = service.spec.ip_families;
  if (families.empty()) families = {"IPv4"};
  for (const std::string& family : families) add_pods(service, family, pods, zone_of, groups);
  // Compat: a family without endpoints has one slice without ports.
  for (const std::string& family : families) {
    const bool filled = std::ranges::any_of(groups, [&](const auto& entry) { return entry.first.first == family; });
    if (!filled) groups[{family, PortKey()}];
  }
  for (EndpointSlice& slice : current) {
    const auto found = groups.find({slice.address_type, key_of(slice.ports)});
    if (found != groups.end()) found->second.slices.push_back(&slice);
  }
  std::vector<const EndpointSlice*> used;
  for (auto& [key, group] : groups) {
    used.insert(used.end(), group.slices.begin(), group.slices.end());
    plan_group(service, key.first, group, plan);
  }
  for (const EndpointSlice& slice : current) {
    if (std::ranges::find(used, &slice) == used.end()) plan.remove.push_back(slice);
  }
  recycle(plan);
  return plan;
}

}  // namespace controllers::endpointslice
