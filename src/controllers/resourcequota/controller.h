// Keeps status.hard and status.used of ResourceQuotas true: what the objects of the namespace use is counted again when
// one of them comes, goes or changes what it uses. Compat: upstream's resourcequota-controller; custom resources are
// counted every 15 s, as their changes are not watched here. Thread: as Controller says.
#pragma once

#include <memory>

#include "controllers/runtime/controller.h"

namespace controllers::resourcequota {

std::unique_ptr<Controller> make_controller(const Dependencies& dependencies);

}  // namespace controllers::resourcequota
