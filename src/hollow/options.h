// How many simulated nodes, and what they look like. Plain data.
#pragma once

#include <cstdint>
#include <string>

#include "base/clock.h"

namespace hollow {

struct Options {
  int count = 3;
  std::string name_prefix = "node-";  // node-0, node-1, …
  std::string cpu = "32";
  std::string memory = "128Gi";
  int32_t pods = 110;
  std::string kubelet_version = "v1.35.0";
  base::Duration start_delay = std::chrono::milliseconds(100);  // from ContainerCreating to Running
  base::Duration run_time = std::chrono::seconds(1);  // of containers that end, unless an annotation says otherwise
};

// Annotations of a Pod that steer its simulated containers.
inline constexpr const char* kRunSeconds = "hollow.keelson.dev/run-seconds";    // until they exit
inline constexpr const char* kExitCode = "hollow.keelson.dev/exit-code";        // with which they exit
inline constexpr const char* kStopSeconds = "hollow.keelson.dev/stop-seconds";  // how long they take to stop

}  // namespace hollow
