// All controllers of the program, one line each. Thread: called once, before the informers start.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "controllers/csrsigning/controller.h"
#include "controllers/runtime/controller.h"
#include "pki/key.h"

namespace controllers {

struct Configuration {
  Dependencies shared;  // its transport is not used
  // The transport of system:serviceaccount:kube-system:<name>.
  std::function<std::shared_ptr<client::Transport>(const std::string& service_account)> transport_for;
  std::string root_ca_pem;
  std::shared_ptr<const CertificateSigner> signer;  // null = requests are not signed
  pki::KeySource service_account_key;               // none = no tokens are put into Secrets
};

std::vector<std::unique_ptr<Controller>> make_controllers(const Configuration& configuration);

}  // namespace controllers
