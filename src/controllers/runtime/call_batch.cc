#include "controllers/runtime/call_batch.h"

#include <condition_variable>
#include <utility>

#include "base/mutex.h"

namespace controllers {

struct CallBatch::State {
  base::Mutex mutex;
  std::condition_variable answered;
  size_t open GUARDED_BY(mutex) = 0;
  std::vector<base::Result<client::RawObject>> results GUARDED_BY(mutex);
};

CallBatch::CallBatch(client::Transport& transport) : transport_(transport), state_(std::make_shared<State>()) {}
CallBatch::~CallBatch() = default;

void CallBatch::add(client::Call call) {
  size_t slot = 0;
  {
    base::MutexLock lock(state_->mutex);
    slot = state_->results.size();
    state_->results.emplace_back();
    ++state_->open;
  }
  transport_.call(std::move(call), [state = state_, slot](base::Result<client::RawObject> result) {
    bool last = false;
    {
      base::MutexLock lock(state->mutex);
      state->results[slot] = std::move(result);
      last = --state->open == 0;
    }
    if (last) state->answered.notify_all();
  });
}

std::vector<base::Result<client::RawObject>> CallBatch::wait() {
  base::UniqueLock lock(state_->mutex);
  state_->answered.wait(lock.native(), [this]() NO_THREAD_SAFETY_ANALYSIS { return state_->open == 0; });
  return std::exchange(state_->results, {});
}

}  // namespace controllers
