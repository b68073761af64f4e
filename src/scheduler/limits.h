// Limits of the scheduler; what happens at each is said beside it. Thread: constants.
#pragma once

#include <cstddef>
#include <cstdint>

#include "base/clock.h"

namespace scheduler {

// Bindings under way; at the limit no further pod is popped until one ends.
inline constexpr size_t kMaxBindingsInFlight = 1024;
// Pods whose volumes are being bound; at the limit the next one is tried again after its back-off.
inline constexpr size_t kMaxVolumeWaits = 4096;
// Event writes under way and waiting; past the second the oldest waiting event is dropped (counted).
inline constexpr size_t kMaxEventsInFlight = 128;
inline constexpr size_t kMaxEventsWaiting = 20'000;
// Cycles before the strand gives its thread back to the executor.
inline constexpr int kCyclesPerTurn = 128;
// Distinct pod queries whose per-node counts are kept; the least recently used is dropped and counted anew when needed.
inline constexpr size_t kMaxPodCounters = 1024;

// Compat: defaults of the scheduler's configuration.
inline constexpr base::Duration kInitialBackoff = std::chrono::seconds(1);
inline constexpr base::Duration kMaxBackoff = std::chrono::seconds(10);
inline constexpr base::Duration kUnschedulableMax = std::chrono::minutes(5);
inline constexpr base::Duration kUnschedulableFlushInterval = std::chrono::seconds(30);
// How long a pod waits for its volumes to be bound; then its attempt has failed.
inline constexpr base::Duration kVolumeBindTimeout = std::chrono::minutes(10);
// A pod that was bound but that the watch never showed as assigned gives its resources back after this.
inline constexpr base::Duration kAssumedPodTtl = std::chrono::minutes(15);
// The same failure of the same pod is reported again only after this.
inline constexpr base::Duration kRepeatedEventInterval = std::chrono::minutes(5);

}  // namespace scheduler
