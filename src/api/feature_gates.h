// Feature gates: upstream's names, stages and defaults, and what --feature-gates makes of them. Immutable once parsed;
// what consults a gate asks by its name. Thread: any.
#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/metrics.h"
#include "base/result.h"

namespace api {

enum class FeatureStage : uint8_t { kAlpha, kBeta, kGeneral, kDeprecated };
enum class FeatureDefault : uint8_t { kOff, kOn };
enum class FeatureLock : uint8_t { kFree, kLocked };  // a locked gate keeps its default

struct Feature {
  std::string_view name;
  FeatureStage stage;
  FeatureDefault standard;
  FeatureLock lock;
};
// Ordered by name.
std::span<const Feature> known_features();

class FeatureGates {
 public:
  // All as they are by default.
  FeatureGates() = default;
  // "A=true,B=false", where the names may have the prefix "kube:"; AllAlpha and AllBeta set what is not named itself.
  // kInvalid with upstream's words for names that nobody knows, values that are none, gates that are locked, and gates
  // that need others which are off.
  static base::Result<FeatureGates> parse(std::string_view flag);

  // The name is a known one.
  bool enabled(std::string_view name) const;
  // What the flag set to something else than its default, AllAlpha and AllBeta as such.
  std::vector<std::string_view> changed() const;
  // One line for each gate that was set though it is general or deprecated: it will go away. Compat: upstream's words.
  std::vector<std::string> warnings() const;
  // kubernetes_feature_enabled
  void collect(base::MetricsWriter& writer) const;

 private:
  bool enabled(const Feature& feature) const;
  base::Result<void> check_locks() const;
  base::Result<void> check_needs() const;

  std::map<std::string, bool, std::less<>> set_;  // as the flag has them
};

}  // namespace api
