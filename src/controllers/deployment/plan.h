// What a Deployment needs next: a ReplicaSet made, scaled, annotated or removed, and its own revision and status. One
// reconcile takes one step; the changes that it causes bring the next. Pure.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "gen/apps/v1.h"

namespace controllers::deployment {

struct Observed {
  api::apps::v1::Deployment deployment;
  std::vector<api::apps::v1::ReplicaSet> sets;  // that it owns
  int32_t old_pods = 0;  // pods of sets other than the new one that have not ended; needed for Recreate only
  base::WallTime now;
};

struct Scaling {
  int32_t from = 0;
  int32_t to = 0;
};
struct Update {
  api::apps::v1::ReplicaSet set;   // to be written
  std::optional<Scaling> scaling;  // for the event
};

struct Plan {
  std::optional<api::apps::v1::ReplicaSet> create;
  std::vector<Update> updates;
  std::vector<api::apps::v1::ReplicaSet> remove;  // beyond the history limit
  std::string revision;                           // "" = the annotation is right
  api::apps::v1::DeploymentStatus status;
  std::optional<base::Duration> look_again;  // when the progress deadline may pass
};

Plan plan(Observed observed);

// The new set among those observed; null when there is none yet.
const api::apps::v1::ReplicaSet* new_set_of(const Observed& observed);

void set_condition(api::apps::v1::DeploymentStatus& status, api::apps::v1::DeploymentCondition condition);
api::apps::v1::DeploymentCondition make_condition(std::string type, std::string status, std::string reason,
                                                  std::string message, base::WallTime now);

}  // namespace controllers::deployment
