// Every limit of the store. What happens when one is reached is said beside it.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>

namespace kv {

inline constexpr size_t kMaxKeyBytes = 4096;                  // longer: the write is refused (Invalid)
inline constexpr size_t kMaxValueBytes = size_t{8} << 20;     // longer: the write is refused (RequestEntityTooLarge)
inline constexpr size_t kMaxBatchWrites = 10'000;             // more writes in one transaction: refused (BadRequest)
inline constexpr size_t kMaxPendingBytes = size_t{32} << 20;  // accepted, not yet in the log: refused (TooManyRequests)

inline constexpr size_t kHistoryBytes = size_t{64} << 20;  // superseded values and event records: compacts earlier
inline constexpr std::chrono::minutes kCompactionInterval{5};
inline constexpr size_t kPinnedSnapshots =
    16;  // reconstructed old states kept for continue tokens: the oldest use goes

inline constexpr size_t kWatchReplayEvents = 1024;  // events handed to a sink at once while it catches up

inline constexpr size_t kFirstSegmentBytes = size_t{1} << 20;  // small, so that a new store opens at once
inline constexpr size_t kSegmentBytes = size_t{64} << 20;      // later segments grow sixteenfold up to this
inline constexpr size_t kSnapshotAfterBytes = size_t{64}
                                              << 20;  // log since the last snapshot, or the live bytes if more
inline constexpr size_t kHistoryAfterRestartBytes = size_t{32} << 20;  // log kept behind a snapshot, for watchers

inline constexpr int64_t kMinLeaseSeconds = 1;
inline constexpr int64_t kMaxLeaseSeconds = 9'000'000'000;  // more: refused (Invalid), as etcd does

}  // namespace kv
