// Mirrors Endpoints that are made by hand, of Services without a selector, into EndpointSlices. Thread: as Controller
// says.
#pragma once

#include <memory>

#include "controllers/runtime/controller.h"

namespace controllers::endpointslicemirroring {

std::unique_ptr<Controller> make_controller(const Dependencies& dependencies);

}  // namespace controllers::endpointslicemirroring
