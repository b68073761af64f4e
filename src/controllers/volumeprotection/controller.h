// Take the protection finalizers of claims and volumes off when nobody uses them any more, and put them on where they
// are missing. Compat: upstream's pvc-protection-controller and pv-protection-controller. Thread: as Controller says.
#pragma once

#include <memory>

#include "controllers/runtime/controller.h"

namespace controllers::volumeprotection {

// A claim is in use while a Pod that has a node names it.
std::unique_ptr<Controller> make_claim_controller(const Dependencies& dependencies);
// A volume is in use while its phase is Bound.
std::unique_ptr<Controller> make_volume_controller(const Dependencies& dependencies);

}  // namespace controllers::volumeprotection
