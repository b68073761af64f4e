// Upstream's flag names: which exist, so that a known flag without an effect here is said, and an unknown one refused.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "api/feature_gates.h"
#include "base/result.h"

namespace cmd {

struct KnownFlag {
  std::string_view name;
  bool is_switch;  // takes no value
};
std::span<const KnownFlag> kube_apiserver_flags();
std::span<const KnownFlag> kube_scheduler_flags();
std::span<const KnownFlag> kube_controller_manager_flags();

// What the program's own parser left over: logs each known flag that has no effect yet; kInvalid names an unknown one.
base::Result<void> check_leftover(std::span<const KnownFlag> known, const std::vector<std::string>& arguments);

// --feature-gates. Logs each gate that was changed and is not among the `effective` ones, and each that will go away.
base::Result<api::FeatureGates> read_feature_gates(std::string_view flag, std::span<const std::string_view> effective);

}  // namespace cmd
