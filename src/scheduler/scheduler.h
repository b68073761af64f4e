// The scheduler as a component: finds a node for every pod that names it as its scheduler and has none. It watches
// Pods, Nodes and what selects pods through shared informers, and writes bindings, conditions and Events. Thread:
// construct, start and stop from one; work runs on the executor.
#pragma once

#include <memory>
#include <string>

#include "base/clock.h"
#include "base/executor.h"
#include "base/rng.h"
#include "client/informer.h"
#include "client/transport.h"
#include "scheduler/schedule_one.h"

namespace scheduler {

struct SchedulerDependencies {
  client::InformerFactory* informers = nullptr;
  std::shared_ptr<client::Transport> transport;  // its identity is the scheduler's: system:kube-scheduler
  const base::Clock* clock = nullptr;
  base::Rng* rng = nullptr;
  base::Executor* executor = nullptr;
  std::string host = "keelson";  // in the events' reportingInstance
};

class Scheduler {
 public:
  // Registers with the informers: before the factory starts. All dependencies outlive the scheduler.
  explicit Scheduler(SchedulerDependencies dependencies);
  ~Scheduler();  // stops
  Scheduler(const Scheduler&) = delete;

  // Pods are scheduled once every informer has its first list. The factory is started by whoever owns it.
  void start();
  // After it has returned no pod is scheduled. Informers are to be stopped before the scheduler is destroyed.
  void stop();
  LoopStats stats() const;

 private:
  void watch();
  void watch_volumes();
  client::InformerFactory& informers_;
  std::shared_ptr<SchedulingLoop> loop_;
};

}  // namespace scheduler
