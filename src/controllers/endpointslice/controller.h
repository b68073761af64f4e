// Keeps the EndpointSlices of every Service with a selector. Thread: as Controller says.
#pragma once

#include <memory>

#include "controllers/runtime/controller.h"

namespace controllers::endpointslice {

std::unique_ptr<Controller> make_controller(const Dependencies& dependencies);

}  // namespace controllers::endpointslice
