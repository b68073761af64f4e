// A Deployment's status: counts, and the conditions Available, Progressing and ReplicaFailure. Pure.
#pragma once

#include <optional>
#include <string_view>

#include "base/clock.h"
#include "controllers/deployment/replica_sets.h"

namespace controllers::deployment {

inline constexpr const char* kProgressing = "Progressing";
inline constexpr const char* kTimedOut = "ProgressDeadlineExceeded";

const api::apps::v1::DeploymentCondition* find_condition(const api::apps::v1::DeploymentStatus& status,
                                                         std::string_view type);
bool has_deadline(const Deployment& deployment);
// Everything is of the new template, there and available, in the view of that status.
bool is_complete(const Deployment& deployment, const api::apps::v1::DeploymentStatus& status);

// Counts and the condition Available.
void count_status(const Deployment& deployment, const Sets& all, const ReplicaSet* new_set, base::WallTime now,
                  api::apps::v1::DeploymentStatus& status);
// The conditions Progressing and ReplicaFailure of a counted status. Gives the time until the deadline may have passed.
std::optional<base::Duration> judge_progress(const Deployment& deployment, const Sets& all, const ReplicaSet* new_set,
                                             base::WallTime now, api::apps::v1::DeploymentStatus& status);

}  // namespace controllers::deployment
