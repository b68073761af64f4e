// Empties a Namespace that ends and lets it go. Thread: as Controller says.
#pragma once

#include <memory>

#include "controllers/runtime/controller.h"

namespace controllers::ns {

std::unique_ptr<Controller> make_controller(const Dependencies& dependencies);

}  // namespace controllers::ns
