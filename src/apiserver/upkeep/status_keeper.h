// StatusKeeper: keeps the conditions of FlowSchemas and APIServices true, as upstream's API server does beside its
// controllers. Follows both kinds and what they refer to through the in-process transport.
// Thread: construct, start and destroy from the owner of the server; the work runs on the core's pool.
#pragma once

#include <memory>

#include "base/result.h"

namespace apiserver {

class Core;

class StatusKeeper {
 public:
  // `core` outlives it.
  explicit StatusKeeper(Core& core);
  // Once it returns nothing is written any more.
  ~StatusKeeper();
  base::Result<void> start();

 private:
  class Impl;
  std::shared_ptr<Impl> impl_;
};

}  // namespace apiserver
