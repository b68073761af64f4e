// What the control plane makes of a node's silence and of its conditions: conditions Unknown, taints. Pure.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "gen/core/v1.h"

namespace controllers::nodelifecycle {

inline constexpr base::Duration kMonitorPeriod = std::chrono::seconds(5);
inline constexpr base::Duration kGracePeriod = std::chrono::seconds(50);
inline constexpr base::Duration kStartupGracePeriod = std::chrono::seconds(60);

// What was last heard from a node: when it was heard is this process's time, so that clocks need not agree.
struct Heartbeat {
  base::MonoTime heard;
  object::Time status;      // of the Ready condition
  object::MicroTime lease;  // of the Lease
};

// Takes in what is visible now: a newer heartbeat or a renewed lease counts as heard at `now`.
void observe(std::optional<Heartbeat>& heartbeat, const api::core::v1::Node& node,
             const std::optional<object::MicroTime>& renewed, base::MonoTime now);

struct Plan {
  bool write_status = false;
  std::vector<api::core::v1::NodeCondition> conditions;
  bool write_taints = false;
  std::vector<api::core::v1::Taint> taints;
  bool became_not_ready = false;  // for the event, and the pods' conditions
};

Plan plan(const api::core::v1::Node& node, const Heartbeat& heartbeat, base::MonoTime mono_now, base::WallTime now);

}  // namespace controllers::nodelifecycle
