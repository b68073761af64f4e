// What controller tests share: virtual time with an executor on it, and controllers on a transport in memory.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <utility>

#include "base/rng.h"
#include "client/client.h"
#include "client/memory_transport.h"
#include "client/virtual_executor.h"
#include "controllers/runtime/controller.h"
#include "controllers/runtime/engine.h"

namespace controllers {

using client::VirtualExecutor;

// One process with the given controllers on an API in memory.
class Cluster {
 public:
  Cluster() : rng_(base::seeded_rng(1)) {}
  ~Cluster() {
    engine.stop();
    informers.stop();
  }

  Dependencies dependencies() { return {&informers, transport, &executor, rng_.get(), &executor}; }
  void add(std::unique_ptr<Controller> controller) { engine.add(std::move(controller)); }
  void start() {
    engine.start();
    informers.start();
    settle();
  }
  // Runs until nothing happens any more without time passing, but for short retries.
  void settle() { executor.advance(std::chrono::milliseconds(50)); }

  VirtualExecutor executor;
  std::shared_ptr<client::MemoryTransport> transport = std::make_shared<client::MemoryTransport>(&executor);
  client::Client client{transport};
  client::InformerFactory informers{transport, &executor};
  Engine engine{&executor, &executor};

 private:
  std::unique_ptr<base::Rng> rng_;
};

}  // namespace controllers
