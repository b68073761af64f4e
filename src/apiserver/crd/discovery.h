// What discovery says of custom resources; the documents of built-in ones are in discovery/. Pure but for what it reads
// of the endpoints; thread: any.
#pragma once

#include <optional>
#include <string_view>

#include "apiserver/crd/custom_endpoints.h"
#include "apiserver/paths.h"
#include "object/value.h"

namespace apiserver::discovery {

// Entries of an APIGroupList, one a group.
object::Array custom_groups(const CustomEndpoints& endpoints);
// kind APIGroup; nothing when there is no such group.
std::optional<object::Value> custom_group(const CustomEndpoints& endpoints, std::string_view name);
// kind APIResourceList; nothing when it is not served.
std::optional<object::Value> custom_resource_list(const CustomEndpoints& endpoints, std::string_view group,
                                                  std::string_view version);
// Entries of an APIGroupDiscoveryList, one a group.
object::Array custom_aggregated(const CustomEndpoints& endpoints);

}  // namespace apiserver::discovery
