#include "controllers/tainteviction/plan.h"

#include <algorithm>

#include "object/time.h"

namespace controllers::tainteviction {

using api::core::v1::Taint;
using api::core::v1::Toleration;

bool tolerates(const Toleration& toleration, const Taint& taint) {
  if (!toleration.effect.empty() && toleration.effect != taint.effect) return false;
  if (!toleration.key.empty() && toleration.key != taint.key) return false;
  if (toleration.operator_ == "Exists") return true;
  if (!toleration.operator_.empty() && toleration.operator_ != "Equal") return false;
  return !toleration.key.empty() && toleration.value == taint.value;
}

std::optional<base::WallTime> eviction_time(const std::vector<Toleration>& tolerations,
                                            const std::vector<Taint>& taints, base::WallTime since) {
  std::optional<base::WallTime> earliest;
  // Compat: the shortest finite time of all tolerations used counts from the latest taint.
  std::optional<int64_t> shortest;
  base::WallTime start = base::WallTime::min();
  bool tainted = false;
  for (const Taint& taint : taints) {
    if (taint.effect != "NoExecute") continue;
    tainted = true;
    const base::WallTime added = taint.time_added ? object::to_wall_time(*taint.time_added) : since;
    start = std::max(start, added);
    bool tolerated = false;
    for (const Toleration& toleration : tolerations) {
      if (!tolerates(toleration, taint)) continue;
      tolerated = true;
      if (!toleration.toleration_seconds) continue;
      const int64_t seconds = std::max<int64_t>(0, *toleration.toleration_seconds);
      shortest = std::min(shortest.value_or(seconds), seconds);
    }
    if (!tolerated) return added;
  }
  if (tainted && shortest) earliest = start + std::chrono::seconds(*shortest);
  return earliest;
}

}  // namespace controllers::tainteviction
