// Keeps the status of PodDisruptionBudgets: how many of their Pods are healthy, how many must be, and so how many may
// be evicted; forgets evictions that did not happen, and clears the mark of Pods that were to be disrupted and were
// not. Compat: upstream's disruption-controller; Pods whose controller is a custom resource have no known scale.
// Thread: as Controller says.
#pragma once

#include <memory>

#include "controllers/runtime/controller.h"

namespace controllers::disruption {

std::unique_ptr<Controller> make_controller(const Dependencies& dependencies);

}  // namespace controllers::disruption
