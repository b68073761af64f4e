// What a ReplicaSet needs: how many Pods to make, which to delete, and its status. Pure.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "controllers/runtime/pod_view.h"
#include "gen/apps/v1.h"
#include "object/selector.h"

namespace controllers::replicaset {

// Beyond it the rest follows in the next reconcile. Compat: upstream's 500; calls in process cost no network.
inline constexpr int32_t kBurstReplicas = 5000;

struct Observed {
  const api::apps::v1::ReplicaSet* replica_set = nullptr;
  std::vector<PodView> pods;  // that it owns, in any state
  base::WallTime now;
};

struct Plan {
  int32_t create = 0;
  std::vector<size_t> remove;                // positions in Observed::pods
  api::apps::v1::ReplicaSetStatus status;    // conditions as they were
  std::optional<base::Duration> look_again;  // when a Pod becomes available
};

Plan plan(const Observed& observed);

// What became of the calls: sets or removes the condition ReplicaFailure. `reason`: "FailedCreate", "FailedDelete", ""
// = all went well.
void set_failure(api::apps::v1::ReplicaSetStatus& status, std::string_view reason, const std::string& message,
                 base::WallTime now);

// The Pod that the ReplicaSet's template describes, with a name to be generated. `kind`: of the owner that it names.
api::core::v1::Pod make_pod(const api::apps::v1::ReplicaSet& replica_set, const schema::Resource& kind);

// Positions of active pods, those to be deleted first in front. Compat: upstream's ActivePodsWithRanks.
void order_for_deletion(const std::vector<PodView>& pods, std::vector<size_t>& positions, base::WallTime now);

}  // namespace controllers::replicaset
