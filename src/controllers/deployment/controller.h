// Rolls a Deployment's Pod template out through ReplicaSets. Thread: as Controller says.
#pragma once

#include <memory>

#include "controllers/runtime/controller.h"

namespace controllers::deployment {

std::unique_ptr<Controller> make_controller(const Dependencies& dependencies);

}  // namespace controllers::deployment
