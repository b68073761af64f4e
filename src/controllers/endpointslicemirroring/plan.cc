#include "controllers/endpointslicemirroring/plan.h"

#include <algorithm>
#include <map>

#include "client/client.h"
#include "controllers/endpointslice/plan.h"
#include "controllers/runtime/owners.h"

namespace controllers::endpointslicemirroring {
namespace {

using api::core::v1::EndpointAddress;
using api::core::v1::Endpoints;
using api::core::v1::EndpointSubset;
using api::discovery::v1::Endpoint;
using api::discovery::v1::EndpointPort;
using api::discovery::v1::EndpointSlice;

constexpr const char* kSkip = "endpointslice.kubernetes.io/skip-mirror";
constexpr const char* kLeader = "control-plane.alpha.kubernetes.io/leader";
constexpr const char* kTrigger = "endpoints.kubernetes.io/last-change-trigger-time";
constexpr const char* kLastApplied = "kubectl.kubernetes.io/last-applied-configuration";

Endpoint mirrored(const EndpointAddress& address, bool ready) {
  Endpoint endpoint;
  endpoint.addresses = {address.ip};
  endpoint.conditions.ready = ready;
  if (!address.hostname.empty()) endpoint.hostname = address.hostname;
  endpoint.node_name = address.node_name;
  endpoint.target_ref = address.target_ref;
  return endpoint;
}

std::vector<EndpointPort> ports_of(const EndpointSubset& subset) {
  std::vector<EndpointPort> ports;
  for (const auto& from : subset.ports) {
    EndpointPort& port = ports.emplace_back();
    port.name = from.name;
    port.port = from.port;
    port.protocol = from.protocol;
    port.app_protocol = from.app_protocol;
  }
  return ports;
}

std::string family_of(const std::string& ip) { return ip.find(':') == std::string::npos ? "IPv4" : "IPv6"; }

// A slice for every family of addresses and list of ports, without names.
std::vector<EndpointSlice> wanted(const Endpoints& endpoints) {
  std::vector<EndpointSlice> slices;
  const auto slice_for = [&](const std::string& family, const std::vector<EndpointPort>& ports) -> EndpointSlice& {
    const auto found = std::ranges::find_if(
        slices, [&](const EndpointSlice& slice) { return slice.address_type == family && slice.ports == ports; });
    if (found != slices.end()) return *found;
    EndpointSlice& slice = slices.emplace_back();
    slice.address_type = family;
    slice.ports = ports;
    return slice;
  };
  for (const EndpointSubset& subset : endpoints.subsets) {
    const std::vector<EndpointPort> ports = ports_of(subset);
    size_t count = 0;
    for (const auto& [addresses, ready] : {std::pair(&subset.addresses, true), {&subset.not_ready_addresses, false}}) {
      for (const EndpointAddress& address : *addresses) {
        if (++count > kMaxAddresses) break;
        slice_for(family_of(address.ip), ports).endpoints.push_back(mirrored(address, ready));
      }
    }
  }
  return slices;
}

void set_metadata(const Endpoints& endpoints, EndpointSlice& slice) {
  slice.metadata.labels = endpoints.metadata.labels;
  slice.metadata.labels[endpointslice::kServiceName] = endpoints.metadata.name;
  slice.metadata.labels[endpointslice::kManagedBy] = kController;
  slice.metadata.annotations = endpoints.metadata.annotations;
  slice.metadata.annotations.erase(kTrigger);
  slice.metadata.annotations.erase(kLastApplied);
}

bool is_same(const EndpointSlice& a, const EndpointSlice& b) {
  return a.endpoints == b.endpoints && a.metadata.labels == b.metadata.labels &&
         a.metadata.annotations == b.metadata.annotations;
}

}  // namespace

bool is_mirrored(const Endpoints& endpoints) {
  const auto skip = endpoints.metadata.labels.find(kSkip);
  return (skip == endpoints.metadata.labels.end() || skip->second != "true") &&
         !endpoints.metadata.annotations.contains(kLeader);
}

Plan plan(const Endpoints& endpoints, std::vector<EndpointSlice> current) {
  Plan todo;
  for (EndpointSlice& slice : wanted(endpoints)) {
    set_metadata(endpoints, slice);
    const auto found = std::ranges::find_if(current, [&](const EndpointSlice& have) {
      return have.address_type == slice.address_type && have.ports == slice.ports;
    });
    if (found == current.end()) {
      slice.metadata.generate_name = endpoints.metadata.name + "-";
      slice.metadata.namespace_ = endpoints.metadata.namespace_;
      slice.metadata.owner_references = {controller_reference(client::resource_of<Endpoints>(), endpoints.metadata)};
      todo.create.push_back(std::move(slice));
      continue;
    }
    if (!is_same(*found, slice)) {
      EndpointSlice changed = *found;
      changed.endpoints = std::move(slice.endpoints);
      changed.metadata.labels = std::move(slice.metadata.labels);
      changed.metadata.annotations = std::move(slice.metadata.annotations);
      todo.update.push_back(std::move(changed));
    }
    current.erase(found);
  }
  todo.remove = std::move(current);
  return todo;
}

}  // namespace controllers::endpointslicemirroring
