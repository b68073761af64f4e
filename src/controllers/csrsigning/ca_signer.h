// The cluster's CA as the signing controller's signer. Immutable; thread: any.
#pragma once

#include <memory>
#include <string>

#include "base/clock.h"
#include "base/result.h"
#include "controllers/csrsigning/controller.h"

namespace controllers::csrsigning {

// `clock` outlives it. kInvalid when certificate and key are no pair.
base::Result<std::shared_ptr<const CertificateSigner>> make_ca_signer(const std::string& ca_pem,
                                                                      const std::string& ca_key_pem,
                                                                      const base::Clock* clock);

}  // namespace controllers::csrsigning
