// What one object uses of a ResourceQuota, and which quotas measure it. Pure; thread: any.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "gen/core/v1.h"
#include "object/quantity.h"

namespace api::quota {

using Usage = std::map<std::string, object::QuantityValue>;

// The name under which every kind is counted: "count/deployments.apps", "count/pods".
std::string count_name(std::string_view group, std::string_view resource);

Usage usage_of(const api::core::v1::Pod& pod, base::WallTime now);
Usage usage_of(const api::core::v1::Service& service);
Usage usage_of(const api::core::v1::PersistentVolumeClaim& claim);
// Of a kind that is only counted.
Usage usage_of_other(std::string_view group, std::string_view resource);

// Does the quota's hard limit of this name measure objects of the resource?
bool measures(std::string_view hard_name, std::string_view group, std::string_view resource);

// Is the object in all of the quota's scopes? Kinds without scopes are in none.
bool in_scopes(const api::core::v1::ResourceQuotaSpec& quota, const api::core::v1::Pod& pod);
bool in_scopes(const api::core::v1::ResourceQuotaSpec& quota, const api::core::v1::PersistentVolumeClaim& claim);
bool has_scopes(const api::core::v1::ResourceQuotaSpec& quota);

// Compat: a quota of cpu or memory wants every container to say what it needs. `cpu for: a,b; memory for: a`, or "".
std::string missing_requirements(const api::core::v1::Pod& pod, const std::vector<std::string>& hard_names);

}  // namespace api::quota
