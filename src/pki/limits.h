// Limits of keys and certificates.
#pragma once

#include <chrono>
#include <cstddef>

namespace pki {

// A leaf that expires within this is issued anew at the next start or rotation.
inline constexpr std::chrono::hours kRenewBefore{30 * 24};
// A PEM file above this is refused unread.
inline constexpr size_t kMaxPemFileBytes = 4 * 1024 * 1024;

}  // namespace pki
