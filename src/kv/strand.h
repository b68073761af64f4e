// A serial activity on an executor: work() runs soon after schedule(), never twice at the same time, and once more if
// schedule() was called while it ran. close() is the stop: afterwards work() neither runs nor will run.
// Thread: any thread may call; close() not from within work().
#pragma once

#include <functional>
#include <memory>

#include "base/executor.h"

namespace kv {

class Strand {
 public:
  Strand(base::Executor& executor, std::function<void()> work);
  ~Strand();
  void schedule();
  void schedule_after(base::Duration delay);
  void close();

 private:
  struct State;  // shared with the posted tasks, which may outlive the strand
  static void post(const std::shared_ptr<State>& state);
  static void run(State& state);
  std::shared_ptr<State> state_;
};

}  // namespace kv
