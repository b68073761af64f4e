// What a PodDisruptionBudget's status is to be. Pure; thread: any.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "controllers/runtime/pod_view.h"
#include "gen/policy/v1.h"

namespace controllers::disruption {

// An eviction that was allowed is expected to be a deletion within this time.
inline constexpr base::Duration kDeletionTimeout = std::chrono::minutes(2);

// What the Pods' controllers want, added up over the controllers.
struct Scale {
  int32_t pods = 0;
  std::vector<std::string> unmanaged;  // names of Pods that nothing controls
};

struct Observed {
  const api::policy::v1::PodDisruptionBudget* budget = nullptr;
  std::vector<PodView> pods;   // that the selector matches
  std::optional<Scale> scale;  // when needs_scale
  base::WallTime now;
};
struct Plan {
  api::policy::v1::PodDisruptionBudgetStatus status;
  std::vector<size_t> not_deleted;  // positions of Pods whose eviction came to nothing
  std::optional<base::Duration> look_again;
};

bool needs_scale(const api::policy::v1::PodDisruptionBudget& budget);
// kInvalid when a percentage cannot be read.
base::Result<Plan> plan(const Observed& observed);
// The status after a failure: nothing may be disrupted. Compat: fail safe.
api::policy::v1::PodDisruptionBudgetStatus failed_status(const api::policy::v1::PodDisruptionBudget& budget,
                                                         const std::string& problem, base::WallTime now);

}  // namespace controllers::disruption
