// Clears away Pods of nodes that are gone, unscheduled ones that are being deleted, and ended ones beyond a threshold.
// Thread: as Controller says.
#pragma once

#include <memory>

#include "controllers/runtime/controller.h"

namespace controllers::podgc {

std::unique_ptr<Controller> make_controller(const Dependencies& dependencies);

}  // namespace controllers::podgc
