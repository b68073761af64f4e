// Keeps as many Pods as a ReplicationController asks for: the ReplicaSet's controller on another kind. Thread: as
// Controller says.
#pragma once

#include <memory>

#include "controllers/runtime/controller.h"
#include "gen/apps/v1.h"
#include "gen/core/v1.h"

namespace controllers::replicationcontroller {

std::unique_ptr<Controller> make_controller(const Dependencies& dependencies);

// The same as a ReplicaSet, and its status back.
api::apps::v1::ReplicaSet to_replica_set(const api::core::v1::ReplicationController& from);
api::core::v1::ReplicationControllerStatus to_status(const api::apps::v1::ReplicaSetStatus& from);

}  // namespace controllers::replicationcontroller
