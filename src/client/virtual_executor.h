// VirtualExecutor: an executor and clock for tests. Tasks run when the test says so, on virtual time, in order. Thread:
// the test's.
#pragma once

#include <chrono>
#include <deque>
#include <map>
#include <utility>

#include "base/clock.h"
#include "base/executor.h"

namespace client {

class VirtualExecutor final : public base::Executor, public base::Clock {
 public:
  void post(base::Task task) override { tasks_.push_back(std::move(task)); }
  void post_after(base::Duration delay, base::Task task) override { timers_.emplace(now_ + delay, std::move(task)); }
  base::WallTime wall_now() const override { return base::WallTime(std::chrono::seconds(1'700'000'000) + now_); }
  base::MonoTime mono_now() const override { return base::MonoTime(std::chrono::seconds(1) + now_); }

  // What is posted, and what that posts; no time passes.
  void run() {
    while (!tasks_.empty()) {
      base::Task task = std::move(tasks_.front());
      tasks_.pop_front();
      task();
    }
  }
  // Runs what becomes due within `by`, each at its time.
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

}  // namespace client
