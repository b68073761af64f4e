#include "controllers/replicationcontroller/controller.h"

#include "controllers/replicaset/controller.h"

namespace controllers::replicationcontroller {

using api::apps::v1::ReplicaSet;
using api::apps::v1::ReplicaSetStatus;
using api::core::v1::ReplicationController;
using api::core::v1::ReplicationControllerStatus;

ReplicaSet to_replica_set(const ReplicationController& from) {
  ReplicaSet to;
  to.metadata = from.metadata;
  to.spec.replicas = from.spec.replicas;
  to.spec.min_ready_seconds = from.spec.min_ready_seconds;
  to.spec.selector.ensure().match_labels = from.spec.selector;
  if (from.spec.template_) to.spec.template_ = *from.spec.template_;
  to.status.replicas = from.status.replicas;
  to.status.fully_labeled_replicas = from.status.fully_labeled_replicas;
  to.status.ready_replicas = from.status.ready_replicas;
  to.status.available_replicas = from.status.available_replicas;
  to.status.observed_generation = from.status.observed_generation;
  for (const auto& condition : from.status.conditions) {
    auto& made = to.status.conditions.emplace_back();
    made.type = condition.type;
    made.status = condition.status;
    made.last_transition_time = condition.last_transition_time;
    made.reason = condition.reason;
    made.message = condition.message;
  }
  return to;
}

ReplicationControllerStatus to_status(const ReplicaSetStatus& from) {
  ReplicationControllerStatus to;
  to.replicas = from.replicas;
  to.fully_labeled_replicas = from.fully_labeled_replicas;
  to.ready_replicas = from.ready_replicas;
  to.available_replicas = from.available_replicas;
  to.observed_generation = from.observed_generation;
  for (const auto& condition : from.conditions) {
    auto& made = to.conditions.emplace_back();
    made.type = condition.type;
    made.status = condition.status;
    made.last_transition_time = condition.last_transition_time;
    made.reason = condition.reason;
    made.message = condition.message;
  }
  return to;
}

std::unique_ptr<Controller> make_controller(const Dependencies& dependencies) {
  const auto read = [](const client::RawObject& raw) -> base::Result<ReplicaSet> {
    TRY_ASSIGN(const ReplicationController object, client::decode_object<ReplicationController>(raw));
    return to_replica_set(object);
  };
  const auto write = [](const client::Client& client, const client::RawObject& raw,
                        const ReplicaSet& changed) -> base::Result<void> {
    TRY_ASSIGN(ReplicationController object, client::decode_object<ReplicationController>(raw));
    ReplicationControllerStatus status = to_status(changed.status);
    if (status == object.status) return {};  // a ReplicaSet has more to tell
    object.status = std::move(status);
    auto written = client.update_status(object);
    if (!written) return base::fail(written.error());
    return {};
  };
  return replicaset::make_controller(dependencies, {"replicationcontroller-controller", "replication-controller",
                                                    &client::resource_of<ReplicationController>(), read, write});
}

}  // namespace controllers::replicationcontroller
