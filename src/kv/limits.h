// Every limit of the store. What happens when one is reached is said beside it.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>

namespace kv {

// Longer: the write is refused (Invalid).
inline constexpr size_t kMaxKeyBytes = 4096;
// Longer: the write is refused (RequestEntityTooLarge).
inline constexpr size_t kMaxValueBytes = size_t{8} << 20;
// More writes in one transaction: refused (BadRequest).
inline constexpr size_t kMaxBatchWrites = 10'000;
// Accepted and not yet taken by the log; more: writes are refused until it has caught up (TooManyRequests).
inline constexpr size_t kMaxPendingBytes = size_t{32} << 20;

// Superseded values and event records; more: the oldest history is compacted before its time. Once it is packed, it may
// have packed_history_share() of the live bytes, or kLeastHistoryBytes if that is more.
inline constexpr size_t kHistoryBytes = size_t{64} << 20;
inline constexpr size_t kLeastHistoryBytes = size_t{24} << 20;
constexpr size_t packed_history_share(size_t live_bytes) { return live_bytes / 8 * 3; }
// The latest history, kept as it is; at twice as much, what is older is packed.
inline constexpr size_t kUnpackedHistoryBytes = size_t{4} << 20;
// One pack: superseded values, events. Who reads one of its events unpacks all.
inline constexpr size_t kPackedBytes = size_t{512} << 10;
inline constexpr size_t kPackedEvents = 256;
// A batch with more bytes stays unpacked.
inline constexpr size_t kMostPackedBytes = size_t{64} << 20;
inline constexpr std::chrono::minutes kCompactionInterval{5};
// History forgotten at once; from here on its memory is given back to the system.
inline constexpr size_t kGiveBackBytes = size_t{4} << 20;
// Rebuilt old states, for continue tokens; more: the one unused for longest goes, and is rebuilt when asked for again.
inline constexpr size_t kPinnedSnapshots = 16;
// Values of rebuilt states that had to be unpacked; more: the same.
inline constexpr size_t kPinnedBytes = size_t{64} << 20;

inline constexpr size_t kWatchReplayEvents = 1024;  // events handed to a sink at once while it catches up

inline constexpr size_t kFirstSegmentBytes = size_t{1} << 20;  // small, so that a new store opens at once
inline constexpr size_t kSegmentBytes = size_t{64} << 20;      // later segments grow sixteenfold up to this
// Log behind the state that the last snapshot holds, or the live bytes if more: then a snapshot is written.
inline constexpr size_t kSnapshotAfterBytes = size_t{128} << 20;
inline constexpr size_t kHistoryAfterRestartBytes = size_t{32} << 20;  // log kept behind a snapshot, for watchers

inline constexpr int64_t kMinLeaseSeconds = 1;
inline constexpr int64_t kMaxLeaseSeconds = 9'000'000'000;  // more: refused (Invalid), as etcd does

}  // namespace kv
