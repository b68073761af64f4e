// The Pod Security Standards: what a Pod may ask for at a level of a version. Pure; thread: any.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "gen/core/v1.h"

namespace admission::pod_security {

enum class Level : uint8_t { kPrivileged, kBaseline, kRestricted };

// The newest policy that this server knows: v1.35.
inline constexpr int kNewestMinor = 35;
inline constexpr int kLatest = -1;

struct LevelVersion {
  Level level = Level::kPrivileged;
  int minor = kLatest;  // of v1.<minor>
  // "restricted:latest", "baseline:v1.24".
  std::string to_string() const;
  bool operator==(const LevelVersion&) const = default;
};

struct Violation {
  std::string reason;  // "hostPort"
  std::string detail;  // `container "c" uses hostPort 1`; may be empty
};

// What the Pod violates, in upstream's order: baseline checks, then restricted ones, each by its id.
std::vector<Violation> evaluate(const LevelVersion& policy, const api::meta::v1::ObjectMeta& metadata,
                                const api::core::v1::PodSpec& spec);

// `reason (detail), reason`; and `reason, reason`.
std::string with_details(const std::vector<Violation>& violations);
std::string reasons_only(const std::vector<Violation>& violations);

}  // namespace admission::pod_security
