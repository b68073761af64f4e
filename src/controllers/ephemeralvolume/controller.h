// Makes the claims of Pods' generic ephemeral volumes; each is controlled by its Pod and goes with it. Compat:
// upstream's ephemeral-volume-controller. Thread: as Controller says.
#pragma once

#include <memory>

#include "controllers/runtime/controller.h"

namespace controllers::ephemeralvolume {

std::unique_ptr<Controller> make_controller(const Dependencies& dependencies);

}  // namespace controllers::ephemeralvolume
