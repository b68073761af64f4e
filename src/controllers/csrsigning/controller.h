// certificatesigningrequest-signing-controller: signs approved requests of the four built-in signers.
#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "controllers/csrsigning/plan.h"
#include "controllers/runtime/controller.h"

namespace controllers {

// Signs with the cluster's CA. Port; thread: any.
class CertificateSigner {
 public:
  virtual ~CertificateSigner() = default;
  virtual base::Result<csrsigning::RequestFacts> read(const std::string& request_pem) const = 0;
  // The certificate as PEM, for usages as certificates.k8s.io names them.
  virtual base::Result<std::string> sign(const std::string& request_pem, const std::vector<std::string>& usages,
                                         std::chrono::seconds validity) const = 0;
};

namespace csrsigning {
std::unique_ptr<Controller> make_controller(const Dependencies& dependencies,
                                            std::shared_ptr<const CertificateSigner> signer);
}  // namespace csrsigning

}  // namespace controllers
