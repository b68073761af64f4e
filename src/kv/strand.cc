#include "kv/strand.h"

#include <condition_variable>
#include <utility>

#include "base/mutex.h"

namespace kv {

struct Strand::State {
  State(base::Executor& e, std::function<void()> w) : executor(e), work(std::move(w)) {}
  base::Executor& executor;
  const std::function<void()> work;
  base::Mutex mutex;
  std::condition_variable idle;
  bool posted GUARDED_BY(mutex) = false;
  bool running GUARDED_BY(mutex) = false;
  bool again GUARDED_BY(mutex) = false;
  bool closed GUARDED_BY(mutex) = false;
};

Strand::Strand(base::Executor& executor, std::function<void()> work)
    : state_(std::make_shared<State>(executor, std::move(work))) {}

Strand::~Strand() { close(); }

void Strand::schedule() { post(state_); }

void Strand::schedule_after(base::Duration delay) {
  state_->executor.post_after(delay, [state = state_] { post(state); });
}

void Strand::post(const std::shared_ptr<State>& state) {
  {
    base::MutexLock lock(state->mutex);
    if (state->closed) return;
    if (state->posted || state->running) {
      state->again = true;
      return;
    }
    state->posted = true;
  }
  state->executor.post([state] { run(*state); });
}

void Strand::run(State& state) {
  {
    base::MutexLock lock(state.mutex);
    if (state.closed) return;
    state.posted = false;
    state.running = true;
  }
  for (;;) {
    {
      base::MutexLock lock(state.mutex);
      state.again = false;
    }
    state.work();
    base::MutexLock lock(state.mutex);
    if (state.again && !state.closed) continue;
    state.running = false;
    state.idle.notify_all();
    return;
  }
}

void Strand::close() {
  base::UniqueLock lock(state_->mutex);
  state_->closed = true;
  state_->idle.wait(lock.native(), [this]() NO_THREAD_SAFETY_ANALYSIS { return !state_->running; });
}

}  // namespace kv
