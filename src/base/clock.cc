#include "base/clock.h"

namespace base {

WallTime SystemClock::wall_now() const { return std::chrono::system_clock::now(); }
MonoTime SystemClock::mono_now() const { return std::chrono::steady_clock::now(); }

}  // namespace base
