// Keeps one Pod of each DaemonSet on every node that it fits. Thread: as Controller says.
#pragma once

#include <memory>

#include "controllers/runtime/controller.h"

namespace controllers::daemonset {

std::unique_ptr<Controller> make_controller(const Dependencies& dependencies);

}  // namespace controllers::daemonset
