// Deletes what nobody owns any more, and carries out foreground and orphaning deletion. Owners are looked up where they
// live; dependents by the informers' index of owner uids; there is no second picture of all objects in memory. Custom
// resources take part as their definitions come and go (source.h). Thread: as Controller says.
#pragma once

#include <memory>

#include "controllers/runtime/controller.h"

namespace controllers::garbagecollector {

std::unique_ptr<Controller> make_controller(const Dependencies& dependencies);

}  // namespace controllers::garbagecollector
