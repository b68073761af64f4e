// Makes Jobs at the times that CronJobs name. Thread: as Controller says.
#pragma once

#include <memory>

#include "controllers/runtime/controller.h"

namespace controllers::cronjob {

std::unique_ptr<Controller> make_controller(const Dependencies& dependencies);

}  // namespace controllers::cronjob
