// Fills Secrets of type kubernetes.io/service-account-token with token, CA and namespace, deletes them with their
// service account, and strikes deleted ones from the account's list. Thread: as Controller says.
#pragma once

#include <memory>
#include <string>

#include "controllers/runtime/controller.h"
#include "pki/key.h"

namespace controllers::serviceaccounttoken {

// `root_ca_pem` "" = Secrets get none.
std::unique_ptr<Controller> make_controller(const Dependencies& dependencies, pki::KeySource key,
                                            std::string root_ca_pem);

}  // namespace controllers::serviceaccounttoken
