// What becomes of a simulated container: for how long it runs and how it ends. Annotations decide, then what its
// command and image tell, then the restart policy. Pure.
#pragma once

#include <optional>

#include "base/clock.h"
#include "gen/core/v1.h"
#include "hollow/options.h"

namespace hollow {

struct Fate {
  std::optional<base::Duration> lasts;  // nothing = for ever
  int32_t exit_code = 0;
};

enum class Role : uint8_t { kInit, kMain };

// Of its run after `restarts` earlier ones.
Fate foresee(const api::core::v1::Pod& pod, const api::core::v1::Container& container, Role role, int32_t restarts,
             const Options& options);

// False for images that no registry has: with the tag "non-existent" or "404", or of a registry under ".invalid".
bool can_be_pulled(std::string_view image);

// When a probe first succeeds, counted from the start of its container; nothing = never.
std::optional<base::Duration> first_success(const api::core::v1::Probe& probe);

}  // namespace hollow
