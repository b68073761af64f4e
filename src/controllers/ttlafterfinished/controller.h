// Deletes finished Jobs after their spec.ttlSecondsAfterFinished. Thread: as Controller says.
#pragma once

#include <memory>

#include "controllers/runtime/controller.h"

namespace controllers::ttlafterfinished {

std::unique_ptr<Controller> make_controller(const Dependencies& dependencies);

}  // namespace controllers::ttlafterfinished
