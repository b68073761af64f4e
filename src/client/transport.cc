#include "client/transport.h"

#include <condition_variable>
#include <memory>
#include <utility>

#include "base/mutex.h"

namespace client {
namespace {

// Where the answer of one call lands. Shared with the callback, which may still be returning when the waiter leaves.
struct Answer {
  base::Mutex mutex;
  std::condition_variable ready;
  std::optional<base::Result<RawObject>> result GUARDED_BY(mutex);
};

}  // namespace

base::Result<RawObject> Transport::call_and_wait(Call request) {
  auto answer = std::make_shared<Answer>();
  call(std::move(request), [answer](base::Result<RawObject> result) {
    {
      base::MutexLock lock(answer->mutex);
      answer->result = std::move(result);
    }
    answer->ready.notify_one();
  });
  base::UniqueLock lock(answer->mutex);
  answer->ready.wait(lock.native(), [&]() NO_THREAD_SAFETY_ANALYSIS { return answer->result.has_value(); });
  return *std::move(answer->result);
}

bool is_missing_object(const base::Error& error) {
  return error.reason == base::Reason::kNotFound && error.details && !error.details->name.empty();
}

}  // namespace client
