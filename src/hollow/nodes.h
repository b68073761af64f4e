// HollowNodes: simulated nodes in one object. They register, renew their leases, report their status, and take the Pods
// that are assigned to them through their lives, all over the API under each node's own identity.
// One informer of Pods serves all nodes; statuses are written with many calls in flight; one timer renews all leases.
// Thread: start and stop from one owner thread; inside, workers of the executor and callbacks of the transport.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "base/clock.h"
#include "base/executor.h"
#include "client/informer.h"
#include "client/transport.h"
#include "hollow/options.h"

namespace hollow {

struct Dependencies {
  client::InformerFactory* informers = nullptr;
  // The transport of system:node:<name>.
  std::function<std::shared_ptr<client::Transport>(const std::string& node_name)> transport_for;
  base::Clock* clock = nullptr;
  base::Executor* executor = nullptr;
};

class HollowNodes {
 public:
  // Before the informers start.
  HollowNodes(Options options, Dependencies dependencies);
  ~HollowNodes();  // stops
  HollowNodes(const HollowNodes&) = delete;

  // Registers the nodes and begins; needs the API server, not the informers' caches.
  void start();
  void stop();

 private:
  class Impl;
  std::shared_ptr<Impl> impl_;
};

}  // namespace hollow
