// Keeps the Endpoints object of every Service with a selector. Thread: as Controller says.
#pragma once

#include <memory>

#include "controllers/runtime/controller.h"

namespace controllers::endpoints {

std::unique_ptr<Controller> make_controller(const Dependencies& dependencies);

}  // namespace controllers::endpoints
