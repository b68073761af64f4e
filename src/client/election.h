// Leader election on a Lease: of several candidates one leads, and another follows it within the lease's duration when
// it is gone. Compat: upstream's algorithm and record (holder, duration, acquire and renew time, transitions).
// Invariants: who leads has renewed within lease_duration of its own monotonic clock, or has stopped leading by
// renew_deadline; another's lease counts from when this process saw it change, so that clocks need not agree. Once
// leading is lost the elector ends: what it led is not taken up again in the same process.
// Thread: any; attempts and callbacks run on the executor, one at a time. Holds no thread while it waits.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "base/clock.h"
#include "base/executor.h"
#include "base/rng.h"
#include "client/events.h"
#include "client/transport.h"

namespace client {

enum class OnStop : uint8_t { kKeepLease, kReleaseLease };

struct ElectionOptions {
  std::string ns = "kube-system";
  std::string name;
  std::string identity;  // unlike every other candidate's
  base::Duration lease_duration = std::chrono::seconds(15);
  base::Duration renew_deadline = std::chrono::seconds(10);
  base::Duration retry_period = std::chrono::seconds(2);
  OnStop on_stop = OnStop::kKeepLease;
};
// kInvalid when the durations do not fit each other. Compat: upstream's rules and messages.
base::Result<void> check_election(const ElectionOptions& options);

struct ElectionDependencies {
  std::shared_ptr<Transport> transport;
  const base::Clock* clock = nullptr;
  base::Executor* executor = nullptr;
  base::Rng* rng = nullptr;
  EventRecorder* events = nullptr;  // null = no events
};

struct ElectionCallbacks {
  std::function<void()> on_started_leading;
  std::function<void()> on_stopped_leading;  // lost, not by stop()
  std::function<void(const std::string& identity)> on_new_leader;
};

class LeaderElector {
 public:
  LeaderElector(ElectionDependencies dependencies, ElectionOptions options, ElectionCallbacks callbacks);
  ~LeaderElector();  // stops
  LeaderElector(const LeaderElector&) = delete;

  void start();
  // No callback starts after it has returned, but one may be running. Blocks for the release when that is asked for.
  void stop();

  bool leading() const;
  std::string leader() const;  // as last seen; "" = none yet
  // False when this process leads and its lease ran out longer ago than `tolerance`: it should have stopped.
  bool healthy(base::Duration tolerance) const;

 private:
  class Impl;
  std::shared_ptr<Impl> impl_;
};

}  // namespace client
