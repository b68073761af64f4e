// The API server's limits. Beyond one: what its comment says.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>

namespace apiserver {

// A request body: 413 RequestEntityTooLarge. Compat: upstream's 3 MiB.
inline constexpr size_t kMaxBodyBytes = 3 * 1024 * 1024;
// Retries of a write that lost a race against another: 409 Conflict.
inline constexpr int kMaxUpdateRetries = 5;
// generateName attempts: 409 AlreadyExists. Compat: upstream's eight.
inline constexpr int kMaxGenerateNameAttempts = 8;
// Bytes that a LIST may have in flight to a client before it waits for the client.
inline constexpr size_t kListBufferBytes = 512 * 1024;
// One chunk of a LIST.
inline constexpr size_t kListChunkBytes = 128 * 1024;
// Lists longer than this many keys leave the loop for a worker.
inline constexpr size_t kInlineListKeys = 64;
// The same for lists that only point to stored bytes.
inline constexpr size_t kInlineSharedKeys = 1024;
// Values of an `in` that are looked for by signature; with more, every object is looked at.
inline constexpr size_t kMaxSignatures = 16;
// Objects that DELETE of a collection lists at once. Compat: upstream's page.
inline constexpr int64_t kDeleteCollectionPage = 10'000;
// Bytes buffered for a watch before it is cut off; the client watches again from its last revision.
inline constexpr size_t kWatchBufferBytes = 8 * 1024 * 1024;
// Events of one batch that go to the watchers' buffers before they are sent.
inline constexpr size_t kEventsPerFlush = 16;
// Answers larger than this are compressed for clients that accept gzip. Compat: upstream's 128 KiB.
inline constexpr size_t kGzipFromBytes = 128 * 1024;
// Watches without timeoutSeconds end after a random time between this and twice this. Compat: --min-request-timeout.
inline constexpr std::chrono::seconds kMinWatchTimeout{1800};
// How often watches with allowWatchBookmarks get one.
inline constexpr std::chrono::seconds kBookmarkPeriod{60};
// Lifetime of Event objects. Compat: --event-ttl.
inline constexpr std::chrono::seconds kEventTtl{3600};
// Encodings of recent events that watches share.
inline constexpr size_t kEncodedEvents = 256;

// A conversion webhook that does not answer in time fails the request. Compat: upstream's 30 seconds.
inline constexpr std::chrono::seconds kConversionTimeout{30};
// Stored bytes of the objects that one call of a conversion webhook carries; beyond them it is called again.
inline constexpr size_t kConversionBatchBytes = 16 * 1024 * 1024;
// Requests that may wait for conversion webhooks at the same time; more wait for these.
inline constexpr int kConversionLanes = 4;

// OpenAPI documents of custom group versions that are kept; beyond it they are made anew.
inline constexpr size_t kCustomSections = 64;

}  // namespace apiserver
