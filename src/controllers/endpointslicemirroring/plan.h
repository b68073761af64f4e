// The EndpointSlices that mirror Endpoints. Pure.
#pragma once

#include <vector>

#include "gen/core/v1.h"
#include "gen/discovery/v1.h"

namespace controllers::endpointslicemirroring {

inline constexpr size_t kMaxAddresses = 1000;  // Compat: of one subset; more are left out
inline constexpr const char* kController = "endpointslicemirroring-controller.k8s.io";

struct Plan {
  std::vector<api::discovery::v1::EndpointSlice> create;  // names to be generated
  std::vector<api::discovery::v1::EndpointSlice> update;
  std::vector<api::discovery::v1::EndpointSlice> remove;
};

// Not those of the leader election of old, nor what says that it is not to be mirrored.
bool is_mirrored(const api::core::v1::Endpoints& endpoints);

// `current`: the slices of this controller for these Endpoints.
Plan plan(const api::core::v1::Endpoints& endpoints, std::vector<api::discovery::v1::EndpointSlice> current);

}  // namespace controllers::endpointslicemirroring
