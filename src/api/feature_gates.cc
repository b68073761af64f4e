#include "api/feature_gates.h"

#include <algorithm>
#include <optional>

#include "base/check.h"

namespace api {
namespace {

using enum FeatureStage;
using enum FeatureDefault;
using enum FeatureLock;

constexpr Feature kFeatures[] = {
#include "api/feature_gates.inc"
};

constexpr std::string_view kAllAlpha = "AllAlpha", kAllBeta = "AllBeta";

// A gate that is on needs others to be on. Compat: upstream's table, less the needs that are locked on.
struct Need {
  std::string_view feature;
  std::vector<std::string_view> needed;  // ordered by name
};
std::vector<Need> needs() {
  return {
      {"ClusterTrustBundleProjection", {"ClusterTrustBundle"}},
      {"DRADeviceBindingConditions", {"DRAResourceClaimDeviceStatus"}},
      {"DRADeviceTaintRules", {"DRADeviceTaints"}},
      {"DeclarativeValidationTakeover", {"DeclarativeValidation"}},
      {"GangScheduling", {"GenericWorkload"}},
      {"GracefulNodeShutdownBasedOnPodPriority", {"GracefulNodeShutdown"}},
      {"InPlacePodLevelResourcesVerticalScaling", {"NodeDeclaredFeatures", "PodLevelResources"}},
      {"MatchLabelKeysInPodTopologySpreadSelectorMerge", {"MatchLabelKeysInPodTopologySpread"}},
      {"ProcMountType", {"UserNamespacesSupport"}},
      {"RestartAllContainersOnContainerExits", {"ContainerRestartRules", "NodeDeclaredFeatures"}},
      {"StorageVersionAPI", {"APIServerIdentity"}},
      {"UnknownVersionInteroperabilityProxy", {"APIServerIdentity"}},
      {"UserNamespacesHostNetworkSupport", {"UserNamespacesSupport"}},
      {"WindowsGracefulNodeShutdown", {"GracefulNodeShutdown"}},
  };
}

const Feature* find(std::string_view name) {
  const auto found = std::ranges::lower_bound(kFeatures, name, {}, &Feature::name);
  return found != std::end(kFeatures) && found->name == name ? &*found : nullptr;
}

std::string_view trim(std::string_view text) {
  while (text.starts_with(' ') || text.starts_with('\t')) text.remove_prefix(1);
  while (text.ends_with(' ') || text.ends_with('\t')) text.remove_suffix(1);
  return text;
}

// Compat: the spellings of Go's strconv.ParseBool.
std::optional<bool> parse_bool(std::string_view text) {
  for (std::string_view yes : {"1", "t", "T", "true", "TRUE", "True"}) {
    if (text == yes) return true;
  }
  for (std::string_view no : {"0", "f", "F", "false", "FALSE", "False"}) {
    if (text == no) return false;
  }
  return std::nullopt;
}

std::string_view word(bool value) { return value ? "true" : "false"; }

std::string_view stage_label(FeatureStage stage) {
  switch (stage) {
    case kAlpha:
      return "ALPHA";
    case kBeta:
      return "BETA";
    case kGeneral:
      return "";
    case kDeprecated:
      return "DEPRECATED";
  }
  return "";
}

std::unexpected<base::Error> refuse(std::string message) {
  return base::fail(base::Reason::kInvalid, std::move(message));
}

// Compat: one error stands alone, several stand in brackets.
base::Result<void> joined(const std::vector<std::string>& errors) {
  if (errors.empty()) return {};
  if (errors.size() == 1) return refuse(errors[0]);
  std::string all;
  for (const std::string& error : errors) all += (all.empty() ? "" : ", ") + error;
  return refuse("[" + all + "]");
}

// Compat: gates may say of which component they are; here it is always "kube". Takes the prefix off.
base::Result<void> take_component(std::string_view& item, std::optional<std::string>& component) {
  const size_t colon = item.find(':');
  const std::string named(colon == std::string_view::npos ? "" : trim(item.substr(0, colon)));
  if (colon != std::string_view::npos) item = trim(item.substr(colon + 1));
  if (!named.empty() && named != "kube") return refuse("component not registered: " + named);
  if (component && *component != named) {
    return refuse("set kube feature gates with default empty prefix or kube: prefix consistently, do not mix use");
  }
  component = named;
  return {};
}

}  // namespace

std::span<const Feature> known_features() { return kFeatures; }

base::Result<FeatureGates> FeatureGates::parse(std::string_view flag) {
  FeatureGates gates;
  std::optional<std::string> component;
  while (!flag.empty()) {
    std::string_view item = flag.substr(0, flag.find(','));
    flag.remove_prefix(std::min(flag.size(), item.size() + 1));
    if (item.empty()) continue;
    TRY(take_component(item, component));
    const size_t equal = item.find('=');
    const std::string name(trim(item.substr(0, equal)));
    if (equal == std::string_view::npos) return refuse("missing bool value for " + name);
    const std::string text(trim(item.substr(equal + 1)));
    const std::optional<bool> value = parse_bool(text);
    if (!value) {
      return refuse("invalid value of " + name + "=" + text + ", err: strconv.ParseBool: parsing \"" + text +
                    "\": invalid syntax");
    }
    gates.set_[name] = *value;
  }
  for (const auto& [name, value] : gates.set_) {
    if (!find(name)) return refuse("unrecognized feature gate: " + name);
  }
  TRY(gates.check_locks());
  TRY(gates.check_needs());
  return gates;
}

base::Result<void> FeatureGates::check_locks() const {
  std::vector<std::string> errors;
  for (const auto& [name, value] : set_) {
    const Feature& feature = *find(name);
    const bool standard = feature.standard == kOn;
    if (feature.lock == kFree || value == standard) continue;
    errors.push_back("cannot set feature gate " + name + " to " + std::string(word(value)) + ", feature is locked to " +
                     std::string(word(standard)));
  }
  return joined(errors);
}

base::Result<void> FeatureGates::check_needs() const {
  std::vector<std::string> errors;
  for (const Need& need : needs()) {
    if (!enabled(need.feature)) continue;
    std::string missing;
    for (std::string_view other : need.needed) {
      if (!enabled(other)) missing += (missing.empty() ? "" : " ") + std::string(other);
    }
    if (missing.empty()) continue;
    errors.push_back(std::string(need.feature) + " is enabled, but depends on features that are disabled: [" + missing +
                     "]");
  }
  return joined(errors);
}

bool FeatureGates::enabled(std::string_view name) const {
  const Feature* feature = find(name);
  CHECK(feature != nullptr);
  return enabled(*feature);
}

bool FeatureGates::enabled(const Feature& feature) const {
  if (const auto set = set_.find(feature.name); set != set_.end()) return set->second;
  const std::string_view all = feature.stage == kAlpha ? kAllAlpha : feature.stage == kBeta ? kAllBeta : "";
  // AllBeta itself is of the stage beta, and AllAlpha of alpha: neither follows itself.
  if (const auto set = set_.find(all); set != set_.end() && feature.name != kAllAlpha && feature.name != kAllBeta)
    return set->second;
  return feature.standard == kOn;
}

std::vector<std::string_view> FeatureGates::changed() const {
  std::vector<std::string_view> names;
  for (const auto& [name, value] : set_) {
    if (value != (find(name)->standard == kOn)) names.push_back(name);
  }
  return names;
}

std::vector<std::string> FeatureGates::warnings() const {
  std::vector<std::string> lines;
  for (const auto& [name, value] : set_) {
    const FeatureStage stage = find(name)->stage;
    if (stage != kGeneral && stage != kDeprecated) continue;
    lines.push_back(std::string("Setting ") + (stage == kGeneral ? "GA" : "deprecated") + " feature gate " + name +
                    "=" + std::string(word(value)) + ". It will be removed in a future release.");
  }
  return lines;
}

void FeatureGates::collect(base::MetricsWriter& writer) const {
  constexpr std::string_view kName = "kubernetes_feature_enabled";
  writer.family(kName, "[BETA] Stage and state of each feature gate: 1 = on.", "gauge");
  for (const Feature& feature : kFeatures)
    writer.sample(kName, {{"name", feature.name}, {"stage", stage_label(feature.stage)}}, enabled(feature) ? 1 : 0);
}

}  // namespace api
