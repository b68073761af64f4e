// Keeps as many Pods as a ReplicaSet asks for. Thread: as Controller says.
#pragma once

#include <memory>

#include "controllers/runtime/controller.h"

namespace controllers::replicaset {

std::unique_ptr<Controller> make_controller(const Dependencies& dependencies);

}  // namespace controllers::replicaset
