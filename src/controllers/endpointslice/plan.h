// The EndpointSlices that a Service and the Pods behind it call for. Pure.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "gen/core/v1.h"
#include "gen/discovery/v1.h"

namespace controllers::endpointslice {

inline constexpr size_t kMaxEndpoints = 100;  // Compat: of one slice
inline constexpr const char* kManagedBy = "endpointslice.kubernetes.io/managed-by";
inline constexpr const char* kController = "endpointslice-controller.k8s.io";
inline constexpr const char* kServiceName = "kubernetes.io/service-name";

struct Plan {
  std::vector<api::discovery::v1::EndpointSlice> create;  // names to be generated
  std::vector<api::discovery::v1::EndpointSlice> update;
  std::vector<api::discovery::v1::EndpointSlice> remove;
};

using ZoneOf = std::function<std::string(const std::string& node)>;  // "" = none

// `current`: the Service's slices of this controller.
Plan plan(const api::core::v1::Service& service, const std::vector<api::core::v1::Pod>& pods,
          std::vector<api::discovery::v1::EndpointSlice> current, const ZoneOf& zone_of);

}  // namespace controllers::endpointslice
