// Time comes in by constructor, so that a whole control plane can run on virtual time (src/testing). Thread: any.
#pragma once

#include <chrono>

namespace base {

using Duration = std::chrono::nanoseconds;
// Wall time, UTC. For timestamps in objects and certificates.
using WallTime = std::chrono::sys_time<std::chrono::nanoseconds>;
// Monotonic time. For deadlines, timers and measurements.
using MonoTime = std::chrono::time_point<std::chrono::steady_clock, std::chrono::nanoseconds>;

class Clock {
 public:
  virtual ~Clock() = default;
  virtual WallTime wall_now() const = 0;
  virtual MonoTime mono_now() const = 0;
};

// The machine's clocks.
class SystemClock final : public Clock {
 public:
  WallTime wall_now() const override;
  MonoTime mono_now() const override;
};

}  // namespace base
