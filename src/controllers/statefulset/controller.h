// Keeps the named, ordered Pods of StatefulSets and their claims. Claims stay when Pods or the set go (the retention
// policy's default). Thread: as Controller says.
#pragma once

#include <memory>

#include "controllers/runtime/controller.h"

namespace controllers::statefulset {

std::unique_ptr<Controller> make_controller(const Dependencies& dependencies);

}  // namespace controllers::statefulset
