// CallBatch: many calls in flight at once, and their answers in order. A ReplicaSet of thousands of Pods is a few
// batches, each of which costs one wait for the disk. Thread: one owner; answers arrive on any.
#pragma once

#include <memory>
#include <vector>

#include "client/transport.h"

namespace controllers {

class CallBatch {
 public:
  explicit CallBatch(client::Transport& transport);
  ~CallBatch();
  void add(client::Call call);  // starts it
  // Waits for all that were added since the last wait.
  std::vector<base::Result<client::RawObject>> wait();

 private:
  struct State;
  client::Transport& transport_;
  std::shared_ptr<State> state_;
};

}  // namespace controllers
