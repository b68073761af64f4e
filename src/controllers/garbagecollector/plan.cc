#include "controllers/garbagecollector/plan.h"

#include <algorithm>

namespace controllers::garbagecollector {

Action plan(const Observed& observed) {
  if (observed.deleting) {
    if (observed.has_orphan_finalizer) return Action::kOrphanDependents;
    if (!observed.has_foreground_finalizer) return Action::kNone;
    return observed.blocking_dependents > 0 ? Action::kDeleteDependents : Action::kRemoveForegroundFinalizer;
  }
  if (observed.owners.empty()) return Action::kNone;
  const auto has = [&](OwnerState state) { return std::ranges::find(observed.owners, state) != observed.owners.end(); };
  const bool waiting = has(OwnerState::kWaiting);
  if (has(OwnerState::kSolid)) {
    return has(OwnerState::kDangling) || waiting ? Action::kDropOwners : Action::kNone;
  }
  if (waiting && observed.dependents > 0) return Action::kDeleteForeground;
  return Action::kDeleteBackground;
}

}  // namespace controllers::garbagecollector
