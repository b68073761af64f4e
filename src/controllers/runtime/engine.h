// Runs controllers: waits for caches, wires watches to queues, runs reconcile on workers. Stop is the reverse of start.
// Thread: start and stop from one owner thread.
#pragma once

#include <memory>
#include <vector>

#include "base/executor.h"
#include "controllers/runtime/controller.h"

namespace controllers {

class Engine {
 public:
  // `pool` runs reconciles; they may block on API calls.
  Engine(base::Executor* pool, const base::Clock* clock);
  ~Engine();
  void add(std::unique_ptr<Controller> controller);  // before start()
  // Wires watches; reconciles begin when every informer of a controller has synced. The factory is started by the
  // caller after this.
  void start();
  // Finishes running reconciles; starts no new ones.
  void stop();
  bool idle() const;  // no key ready or running: for tests

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace controllers
