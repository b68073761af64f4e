// The default profile: which plugins run, in which order, with which weights. Thread: constants.
#pragma once

#include "scheduler/framework/framework.h"

namespace scheduler {

// `cache` outlives the profile.
Profile default_profile(Cache* cache);

}  // namespace scheduler
