// What controller tests share: virtual time with an executor on it, and controllers on a transport in memory.
#pragma once

#include <deque>
#include <map>
#include <memory>
#include <string>
#include <utility>

#include "base/rng.h"
#include "client/client.h"
#include "client/memory_transport.h"
#include "controllers/runtime/controller.h"
#include "controllers/runtime/engine.h"

namespace controllers {

// Tasks run when the test says so, on virtual time. Thread: the test's.
class VirtualExecutor final : public base::Executor, public base::Clock {
 public:
  void post(base::Task task) override { tasks_.push_back(std::move(task)); }
  void post_after(base::Duration delay, base::Task task) override { timers_.emplace(now_ + delay, std::move(task)); }
  base::WallTime wall_now() const override { return base::WallTime(std::chrono::seconds(1'700'000'000) + now_); }
  base::MonoTime mono_now() const override { return base::MonoTime(std::chrono::seconds(1) + now_); }

  void run() {
    while (!tasks_.empty()) {
      base::Task task = std::move(tasks_.front());
      tasks_.pop_front();
      task();
    }
  }
  void advance(base::Duration by) {
    const base::Duration end = now_ + by;
    run();
    while (!timers_.empty() && timers_.begin()->first <= end) {
      now_ = timers_.begin()->first;
      base::Task task = std::move(timers_.begin()->second);
      timers_.erase(timers_.begin());
      task();
      run();
    }
    now_ = end;
  }

 private:
  std::deque<base::Task> tasks_;
  std::multimap<base::Duration, base::Task> timers_;
  base::Duration now_{};
};

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
