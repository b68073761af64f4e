// Keeps as many Pods as a ReplicaSet, or a ReplicationController, asks for. Thread: as Controller says.
#pragma once

#include <memory>
#include <string>

#include "controllers/runtime/controller.h"
#include "gen/apps/v1.h"

namespace controllers::replicaset {

// What is kept, seen as a ReplicaSet. Compat: upstream runs both kinds on one engine as well.
struct Kind {
  const char* controller;  // its name
  const char* component;   // of its events
  const schema::Resource* resource;
  base::Result<api::apps::v1::ReplicaSet> (*read)(const client::RawObject& object);
  base::Result<void> (*write_status)(const client::Client& client, const client::RawObject& as_read,
                                     const api::apps::v1::ReplicaSet& changed);
};

std::unique_ptr<Controller> make_controller(const Dependencies& dependencies);
std::unique_ptr<Controller> make_controller(const Dependencies& dependencies, const Kind& kind);

}  // namespace controllers::replicaset
