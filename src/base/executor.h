// Where work runs. Executors and timers come in by constructor; tests use virtual ones (src/testing).
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "base/clock.h"

namespace base {

using Task = std::move_only_function<void()>;

// Thread: any thread may call. Tasks of one executor may run at the same time unless the implementation says otherwise.
class Executor {
 public:
  virtual ~Executor() = default;
  virtual void post(Task task) = 0;
  // Runs the task after the delay. There is no cancel: a task checks whether it is still wanted.
  virtual void post_after(Duration delay, Task task) = 0;
};

// `threads` threads named "<name>-N" over one queue, plus one for timers. stop() refuses new tasks, drops queued and
// delayed ones, waits for running ones; the destructor calls it.
class ThreadPool final : public Executor {
 public:
  ThreadPool(std::string name, int threads);
  ~ThreadPool() override;
  void post(Task task) override;
  void post_after(Duration delay, Task task) override;
  void stop();

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace base
