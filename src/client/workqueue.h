// Workqueue: keys to reconcile. A key is held once however often it is added; a key that is being processed and added
// again is handed out again only after done(); failures come back after an exponential delay (5 ms doubling up to
// 1,000 s, as upstream's default). Thread: any.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "base/clock.h"
#include "base/executor.h"

namespace client {

class Workqueue {
 public:
  // `wake` is called (outside of locks) whenever a key became ready: the engine then calls try_get().
  Workqueue(std::string name, base::Executor* timers, const base::Clock* clock, std::move_only_function<void()> wake);
  ~Workqueue();
  Workqueue(const Workqueue&) = delete;

  void add(std::string key);
  void add_after(std::string key, base::Duration delay);
  // After the key's back-off, which doubles with every call until forget().
  void add_rate_limited(std::string key);
  void forget(const std::string& key);
  int failures(const std::string& key) const;
  // The next ready key, now being processed; none when nothing is ready.
  std::optional<std::string> try_get();
  void done(const std::string& key);
  size_t ready() const;
  void stop();

 private:
  class Impl;
  std::shared_ptr<Impl> impl_;
};

}  // namespace client
