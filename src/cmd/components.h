// Components: scheduler, controllers and simulated nodes of one process, over the in-process transport, each under its
// own identity. Thread: one owner thread.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "apiserver/core.h"
#include "base/result.h"
#include "controllers/csrsigning/controller.h"
#include "pki/key.h"

namespace cmd {

struct ComponentOptions {
  apiserver::Core* core = nullptr;
  base::Clock* clock = nullptr;
  base::Rng* rng = nullptr;
  int nodes = 0;
  std::string root_ca_pem;                                       // published into every namespace
  std::shared_ptr<const controllers::CertificateSigner> signer;  // of approved certificate requests
};

class Components {
 public:
  explicit Components(ComponentOptions options);
  ~Components();
  base::Result<void> start();
  void stop();

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace cmd
