// When a Pod has to leave a node because of taints with effect NoExecute. Pure.
#pragma once

#include <optional>
#include <vector>

#include "base/clock.h"
#include "gen/core/v1.h"

namespace controllers::tainteviction {

bool tolerates(const api::core::v1::Toleration& toleration, const api::core::v1::Taint& taint);

// When to evict; nothing = never. `since`: when the taints were first seen by this process, for taints without a time.
std::optional<base::WallTime> eviction_time(const std::vector<api::core::v1::Toleration>& tolerations,
                                            const std::vector<api::core::v1::Taint>& taints, base::WallTime since);

}  // namespace controllers::tainteviction
