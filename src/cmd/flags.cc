#include "cmd/flags.h"

#include <algorithm>

#include "base/log.h"

namespace cmd {
namespace {

constexpr KnownFlag kApiServer[] = {
#include "cmd/flags/kube-apiserver.inc"
};
constexpr KnownFlag kControllerManager[] = {
#include "cmd/flags/kube-controller-manager.inc"
};
constexpr KnownFlag kScheduler[] = {
#include "cmd/flags/kube-scheduler.inc"
};

}  // namespace

std::span<const KnownFlag> kube_apiserver_flags() { return kApiServer; }
std::span<const KnownFlag> kube_scheduler_flags() { return kScheduler; }
std::span<const KnownFlag> kube_controller_manager_flags() { return kControllerManager; }

base::Result<void> check_leftover(std::span<const KnownFlag> known, const std::vector<std::string>& arguments) {
  for (size_t i = 0; i < arguments.size(); ++i) {
    std::string_view argument = arguments[i];
    if (!argument.starts_with("--"))
      return base::fail(base::Reason::kInvalid, "unknown command or argument \"" + arguments[i] + "\"");
    const size_t equal = argument.find('=');
    const std::string_view name =
        argument.substr(2, equal == std::string_view::npos ? std::string_view::npos : equal - 2);
    auto found = std::ranges::find(known, name, &KnownFlag::name);
    if (found == known.end()) return base::fail(base::Reason::kInvalid, "unknown flag: --" + std::string(name));
    base::log::warning("flag has no effect yet", {{"flag", name}});
    if (equal == std::string_view::npos && !found->is_switch) ++i;  // its value
  }
  return {};
}

base::Result<api::FeatureGates> read_feature_gates(std::string_view flag, std::span<const std::string_view> effective) {
  TRY_ASSIGN(api::FeatureGates gates, api::FeatureGates::parse(flag));
  for (const std::string& warning : gates.warnings()) base::log::warning(warning, {});
  for (std::string_view name : gates.changed()) {
    if (std::ranges::find(effective, name) == effective.end())
      base::log::warning("feature gate has no effect yet", {{"gate", name}});
  }
  return gates;
}

}  // namespace cmd
