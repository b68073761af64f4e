// Ensures the ServiceAccount "default" in every active Namespace. Thread: as Controller says.
#pragma once

#include <memory>

#include "controllers/runtime/controller.h"

namespace controllers::serviceaccount {

std::unique_ptr<Controller> make_controller(const Dependencies& dependencies);

}  // namespace controllers::serviceaccount
