// Publishes the cluster's CA certificates as ConfigMap kube-root-ca.crt in every active Namespace, and puts it back
// when it is changed or deleted. Thread: as Controller says.
#pragma once

#include <memory>
#include <string>

#include "controllers/runtime/controller.h"

namespace controllers::rootca {

std::unique_ptr<Controller> make_controller(const Dependencies& dependencies, std::string root_ca_pem);

}  // namespace controllers::rootca
