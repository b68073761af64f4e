// Evicts Pods from nodes with taints that they do not tolerate, or not for longer. Thread: as Controller says.
#pragma once

#include <memory>

#include "controllers/runtime/controller.h"

namespace controllers::tainteviction {

std::unique_ptr<Controller> make_controller(const Dependencies& dependencies);

}  // namespace controllers::tainteviction
