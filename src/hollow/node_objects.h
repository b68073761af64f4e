// The API objects of a simulated node. Pure.
#pragma once

#include <string>

#include "base/clock.h"
#include "gen/coordination/v1.h"
#include "gen/core/v1.h"
#include "hollow/options.h"

namespace hollow {

std::string node_name(const Options& options, int index);
std::string host_address(int index);
// The address of the node's `slot`-th pod.
std::string pod_address(const Options& options, int index, int slot);

api::core::v1::Node make_node(const Options& options, int index, base::WallTime now);
api::coordination::v1::Lease make_lease(const api::core::v1::Node& node, base::WallTime now);
// Patch texts.
std::string renew_patch(base::WallTime now);                           // merge patch of a Lease
std::string status_patch(const Options& options, base::WallTime now);  // strategic merge patch of a Node

}  // namespace hollow
