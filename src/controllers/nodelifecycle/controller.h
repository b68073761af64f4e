// Watches over nodes' heartbeats; taints nodes as their conditions say. Thread: as Controller says.
#pragma once

#include <memory>

#include "controllers/runtime/controller.h"

namespace controllers::nodelifecycle {

std::unique_ptr<Controller> make_controller(const Dependencies& dependencies);

}  // namespace controllers::nodelifecycle
