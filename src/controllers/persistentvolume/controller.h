// Binds claims to volumes and follows both to their ends: pre-bound either way or by match, waiting for a first
// consumer or for an external provisioner, releasing and reclaiming. Compat: upstream's persistentvolume-controller,
// but that nothing is looked at again every 15 s: a change of what a claim or volume waits for leads to its key.
// Thread: as Controller says; one worker, so that no two claims take one volume.
#pragma once

#include <memory>

#include "controllers/runtime/controller.h"

namespace controllers::persistentvolume {

std::unique_ptr<Controller> make_controller(const Dependencies& dependencies);

}  // namespace controllers::persistentvolume
