// Fanout: the same bytes to many streamed answers. Answers of one loop share one task for each flush(), so that a piece
// costs the sender nothing per answer and the loop one short visit of each. Invariants: what was written to an answer
// before add() goes out before what the fanout writes, and of that it gets what is written after add(); a member that
// falls too far behind is told so once and written to no more. Thread: any, one call of write_later() and flush() at a
// time; `too_slow` is called on the answer's loop.
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <vector>

#include "base/bytes.h"
#include "base/executor.h"
#include "base/mutex.h"
#include "net/loop.h"

namespace net {

// An answer as a fanout sees it: what stands behind a ResponseWriter.
class FanoutTarget {
 public:
  virtual ~FanoutTarget() = default;
  virtual const std::shared_ptr<Loop>& target_loop() const = 0;
  // On the loop: adds the pieces and returns how many bytes wait; 0 when the answer has ended.
  virtual size_t write_now(std::span<const base::SharedBytes> pieces) = 0;
};

class Fanout {
 public:
  // `limit`: bytes that may wait for one member, and for one loop.
  explicit Fanout(size_t limit) : limit_(limit) {}
  ~Fanout();
  Fanout(const Fanout&) = delete;

  void add(std::shared_ptr<FanoutTarget> target, base::Task too_slow);
  // `target` was added and not removed. What is under way may still reach it.
  void remove(const FanoutTarget& target);
  void write_later(base::SharedBytes piece);
  void flush();

 private:
  struct Lane;
  void flush_locked() REQUIRES(mutex_);
  const size_t limit_;
  base::Mutex mutex_;
  std::vector<std::shared_ptr<Lane>> lanes_ GUARDED_BY(mutex_);  // one for each loop that has members
  std::vector<base::SharedBytes> pieces_ GUARDED_BY(mutex_);
};

}  // namespace net
