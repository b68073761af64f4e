// The Endpoints object that a Service and the Pods behind it call for. Pure.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "gen/core/v1.h"

namespace controllers::endpoints {

inline constexpr size_t kMaxAddresses = 1000;  // Compat: of one Endpoints object

// The Endpoints with labels, annotations and subsets as they should be. `current`: what there is; null = nothing.
api::core::v1::Endpoints plan(const api::core::v1::Service& service, const std::vector<api::core::v1::Pod>& pods,
                              const api::core::v1::Endpoints* current);

// Shared with the slices.
// The container port that a Service port leads to in that Pod; nothing when a named port is not there.
std::optional<int32_t> find_port(const api::core::v1::Pod& pod, const api::core::v1::ServicePort& port);
bool is_ready(const api::core::v1::Pod& pod);
bool is_terminal(const api::core::v1::Pod& pod);
bool is_headless(const api::core::v1::Service& service);
// True when the Pod's name can be resolved under the Service.
bool has_hostname(const api::core::v1::Pod& pod, const api::core::v1::Service& service);
// The Pod's address of that family ("IPv4", "IPv6"); "" when it has none.
std::string address_of(const api::core::v1::Pod& pod, const std::string& family);
api::core::v1::ObjectReference pod_reference(const api::core::v1::Pod& pod);

}  // namespace controllers::endpoints
