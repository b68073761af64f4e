// The text of "no node fits", which people and tools read in conditions and events. Pure.
#pragma once

#include <string>

#include "scheduler/framework/framework.h"

namespace scheduler {

// `0/5 nodes are available: 2 Insufficient cpu, 3 node(s) were unschedulable. preemption: …`. `post_filter` may be "".
std::string fit_error_message(const Diagnosis& diagnosis, const Profile& profile, std::string_view post_filter);

}  // namespace scheduler
