// Limits of the client, with what happens when they are reached.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>

#include "base/clock.h"

namespace client {

// Objects in one page of a list; a longer list takes several requests at one revision.
inline constexpr int64_t kListPageItems = 2'000;
// One frame of a watch; above: the watch ends with kInternalError and is started again by whoever holds it.
inline constexpr size_t kMaxWatchFrameBytes = 32 * 1024 * 1024;
// Of the body of a watch that was refused; the rest is not read.
inline constexpr size_t kMaxErrorBytes = 64 * 1024;
// Times that one call is sent when the server says 429, or 5xx with Retry-After; then the caller gets the error.
// Compat: client-go's default.
inline constexpr int kMaxBusyRetries = 10;
// Longest wait that a server can ask for between two of them; above: the caller gets the error.
inline constexpr base::Duration kMaxRetryAfter = std::chrono::seconds(60);
// Credentials that live in files are read again when they are older. Compat: client-go's one minute.
inline constexpr base::Duration kCredentialsAge = std::chrono::minutes(1);
// A watch is asked to end after a random time from this to twice this. Compat: client-go's reflector.
inline constexpr base::Duration kMinWatchTime = std::chrono::minutes(5);

}  // namespace client
