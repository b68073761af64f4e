// Runs a Job's Pods until enough of them have succeeded, or too many have failed. Thread: as Controller says.
#pragma once

#include <memory>

#include "controllers/runtime/controller.h"

namespace controllers::job {

std::unique_ptr<Controller> make_controller(const Dependencies& dependencies);

}  // namespace controllers::job
