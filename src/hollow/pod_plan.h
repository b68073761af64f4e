// What a simulated kubelet does next with a Pod: report a new status, delete it, or wait. Pure.
#pragma once

#include <optional>
#include <string>

#include "base/clock.h"
#include "gen/core/v1.h"
#include "hollow/options.h"

namespace hollow {

struct PodSituation {
  const api::core::v1::Pod* pod = nullptr;
  std::string pod_ip;  // what the node gave it
  std::string host_ip;
  base::WallTime now;
  base::WallTime seen;  // when this node first saw it
};

enum class PodAction : uint8_t { kNone, kReport, kDelete };

struct PodPlan {
  PodAction action = PodAction::kNone;
  api::core::v1::PodStatus status;  // for kReport
  std::optional<base::Duration> look_again;
};

PodPlan plan_pod(const PodSituation& situation, const Options& options);

}  // namespace hollow
