#include "controllers/deployment/status.h"

#include <algorithm>
#include <limits>

#include "controllers/deployment/plan.h"
#include "object/time.h"

namespace controllers::deployment {
namespace {

using api::apps::v1::DeploymentCondition;
using api::apps::v1::DeploymentStatus;
using api::apps::v1::ReplicaSetCondition;

constexpr const char* kAvailable = "Available";
constexpr const char* kReplicaFailure = "ReplicaFailure";
constexpr const char* kNewSetAvailable = "NewReplicaSetAvailable";

void remove_condition(DeploymentStatus& status, std::string_view type) {
  std::erase_if(status.conditions, [&](const DeploymentCondition& condition) { return condition.type == type; });
}

bool is_progressing(const DeploymentStatus& before, const DeploymentStatus& after) {
  return after.updated_replicas > before.updated_replicas ||
         after.replicas - after.updated_replicas < before.replicas - before.updated_replicas ||
         after.ready_replicas > before.ready_replicas || after.available_replicas > before.available_replicas;
}

bool has_timed_out(const Deployment& deployment, const DeploymentStatus& status, base::WallTime now) {
  const DeploymentCondition* condition = find_condition(status, kProgressing);
  if (!condition || condition->reason == kNewSetAvailable) return false;
  if (condition->reason == kTimedOut) return true;
  const base::Duration deadline = std::chrono::seconds(*deployment.spec.progress_deadline_seconds);
  return object::to_wall_time(condition->last_update_time) + deadline < now;
}

std::string subject(const Deployment& deployment, const ReplicaSet* new_set) {
  return new_set ? "ReplicaSet \"" + new_set->metadata.name + "\"" : "Deployment \"" + deployment.metadata.name + "\"";
}

void copy_failure(const Sets& all, const ReplicaSet* new_set, DeploymentStatus& status) {
  remove_condition(status, kReplicaFailure);
  const auto copy_from = [&](const ReplicaSet& set) {
    const auto found = std::ranges::find(set.status.conditions, kReplicaFailure, &ReplicaSetCondition::type);
    if (found == set.status.conditions.end()) return false;
    DeploymentCondition condition;
    condition.type = found->type;
    condition.status = found->status;
    condition.last_transition_time = condition.last_update_time = found->last_transition_time;
    condition.reason = found->reason;
    condition.message = found->message;
    set_condition(status, std::move(condition));
    return true;
  };
  if (new_set && copy_from(*new_set)) return;
  for (const ReplicaSet* set : all) {
    if (set != new_set && copy_from(*set)) return;
  }
}

}  // namespace

DeploymentCondition make_condition(std::string type, std::string status, std::string reason, std::string message,
                                   base::WallTime now) {
  DeploymentCondition condition;
  condition.type = std::move(type);
  condition.status = std::move(status);
  condition.last_update_time = condition.last_transition_time = object::to_time(now);
  condition.reason = std::move(reason);
  condition.message = std::move(message);
  return condition;
}

void set_condition(DeploymentStatus& status, DeploymentCondition condition) {
  if (const DeploymentCondition* current = find_condition(status, condition.type)) {
    if (current->status == condition.status && current->reason == condition.reason) return;
    if (current->status == condition.status) condition.last_transition_time = current->last_transition_time;
  }
  remove_condition(status, condition.type);
  status.conditions.push_back(std::move(condition));
}

const DeploymentCondition* find_condition(const DeploymentStatus& status, std::string_view type) {
  const auto found = std::ranges::find(status.conditions, type, &DeploymentCondition::type);
  return found == status.conditions.end() ? nullptr : &*found;
}

bool has_deadline(const Deployment& deployment) {
  const auto& seconds = deployment.spec.progress_deadline_seconds;
  return seconds && *seconds != std::numeric_limits<int32_t>::max();
}

bool is_complete(const Deployment& deployment, const DeploymentStatus& status) {
  const int32_t replicas = replicas_of(deployment);
  return status.updated_replicas == replicas && status.replicas == replicas && status.available_replicas == replicas &&
         status.observed_generation >= deployment.metadata.generation;
}

void count_status(const Deployment& deployment, const Sets& all, const ReplicaSet* new_set, base::WallTime now,
                  DeploymentStatus& status) {
  status.observed_generation = deployment.metadata.generation;
  status.replicas = status.ready_replicas = status.available_replicas = 0;
  status.terminating_replicas = 0;
  for (const ReplicaSet* set : all) {
    status.replicas += set->status.replicas;
    status.ready_replicas += set->status.ready_replicas;
    status.available_replicas += set->status.available_replicas;
    if (!set->status.terminating_replicas) status.terminating_replicas.reset();
    if (status.terminating_replicas) *status.terminating_replicas += *set->status.terminating_replicas;
  }
  status.updated_replicas = new_set ? new_set->status.replicas : 0;
  status.unavailable_replicas = std::max(0, sum_replicas(all) - status.available_replicas);
  if (status.available_replicas >= replicas_of(deployment) - max_unavailable(deployment)) {
    set_condition(status, make_condition(kAvailable, "True", "MinimumReplicasAvailable",
                                         "Deployment has minimum availability.", now));
  } else {
    set_condition(status, make_condition(kAvailable, "False", "MinimumReplicasUnavailable",
                                         "Deployment does not have minimum availability.", now));
  }
}

std::optional<base::Duration> judge_progress(const Deployment& deployment, const Sets& all, const ReplicaSet* new_set,
                                             base::WallTime now, DeploymentStatus& status) {
  copy_failure(all, new_set, status);
  if (!has_deadline(deployment)) {
    remove_condition(status, kProgressing);
    return std::nullopt;
  }
  const DeploymentCondition* current = find_condition(status, kProgressing);
  const bool done_before = status.replicas == status.updated_replicas && current && current->reason == kNewSetAvailable;
  if (!done_before) {
    if (is_complete(deployment, status)) {
      set_condition(status, make_condition(kProgressing, "True", kNewSetAvailable,
                                           subject(deployment, new_set) + " has successfully progressed.", now));
    } else if (is_progressing(deployment.status, status)) {
      DeploymentCondition condition = make_condition(kProgressing, "True", "ReplicaSetUpdated",
                                                     subject(deployment, new_set) + " is progressing.", now);
      // Every step forward moves the update time: the deadline counts from the last one.
      if (current && current->status == "True") condition.last_transition_time = current->last_transition_time;
      remove_condition(status, kProgressing);
      set_condition(status, std::move(condition));
    } else if (has_timed_out(deployment, status, now)) {
      set_condition(status, make_condition(kProgressing, "False", kTimedOut,
                                           subject(deployment, new_set) + " has timed out progressing.", now));
    }
  }
  current = find_condition(status, kProgressing);
  if (!current || current->reason == kNewSetAvailable || current->reason == kTimedOut) return std::nullopt;
  const base::WallTime due = object::to_wall_time(current->last_update_time) +
                             std::chrono::seconds(*deployment.spec.progress_deadline_seconds + 1);
  return std::max<base::Duration>(due - now, std::chrono::seconds(1));
}

}  // namespace controllers::deployment
