// What the server says that it serves: groups, versions, resources, in the legacy and the aggregated form. Pure;
// thread: any.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "apiserver/endpoint.h"
#include "object/value.h"

namespace apiserver::discovery {

// kind APIVersions
object::Value api_versions(std::string_view server_address);
// kind APIGroupList
object::Value group_list(const Endpoints& endpoints);
// kind APIGroup; nothing when there is no such group.
std::optional<object::Value> group(const Endpoints& endpoints, std::string_view name);
// kind APIResourceList; nothing when it is not served.
std::optional<object::Value> resource_list(const Endpoints& endpoints, std::string_view group,
                                           std::string_view version);

enum class Scope : uint8_t { kCore, kGroups };
// kind APIGroupDiscoveryList of apidiscovery.k8s.io/<version>: the core group, or all others.
object::Value aggregated(const Endpoints& endpoints, Scope scope, std::string_view version);

}  // namespace apiserver::discovery
