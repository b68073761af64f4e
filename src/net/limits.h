// Every limit of the HTTP layer, with what happens when it is reached. Options may override those that operators tune.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>

namespace net {

// A request body above this is answered 413. Compat: 3 MiB is the API server's limit on JSON and YAML bodies; etcd's
// limit on a value is lower, so that a larger object could not be stored.
inline constexpr size_t kMaxRequestBodyBytes = 3 * 1024 * 1024;
// Request line and headers of one request; above: 431, and an HTTP/1.1 connection closes.
inline constexpr size_t kMaxHeaderBytes = 64 * 1024;
// Streams of one HTTP/2 connection; above: REFUSED_STREAM, or GOAWAY once the client has acknowledged the limit.
// Compat: the API server's default is 250.
inline constexpr uint32_t kMaxConcurrentStreams = 250;
// Connections of one server; above: accepted and closed at once.
inline constexpr size_t kMaxConnections = 20'000;
// Plaintext that may wait while an HTTP/1.1 request is being answered (pipelining); above: reading pauses.
inline constexpr size_t kMaxPipelinedBytes = 64 * 1024;
// Bodies of requests that are still arriving, over one HTTP/2 connection; above: RST_STREAM (ENHANCE_YOUR_CALM).
inline constexpr size_t kMaxPendingBodyBytes = 64 * 1024 * 1024;
// The same over all connections of a server; above: RST_STREAM (HTTP/2) or 503 (HTTP/1.1).
inline constexpr size_t kMaxServerPendingBodyBytes = 1024 * 1024 * 1024;
// Of a body that arrives after its request was refused, over HTTP/2; above: RST_STREAM. HTTP/1.1 closes after 500 ms.
inline constexpr size_t kMaxIgnoredBodyBytes = 64 * 1024 * 1024;
// HTTP/2 flow-control windows for request bodies.
inline constexpr int32_t kStreamWindowBytes = 512 * 1024;
inline constexpr int32_t kConnectionWindowBytes = 4 * 1024 * 1024;

// TLS handshake must end within this; above: closed.
inline constexpr std::chrono::seconds kHandshakeTimeout{10};
// Compat: the API server's ReadHeaderTimeout. Counted from the first byte of a request.
inline constexpr std::chrono::seconds kHeaderTimeout{32};
// A request must have arrived whole within this; above: 408 (HTTP/1.1) or RST_STREAM (HTTP/2).
inline constexpr std::chrono::seconds kBodyTimeout{60};
// A connection without a request in flight; above: GOAWAY or close. Compat: the API server's IdleTimeout.
inline constexpr std::chrono::seconds kIdleTimeout{90};
// A response of which the client takes no byte for this long is cut off.
inline constexpr std::chrono::seconds kWriteStallTimeout{60};

// Client: a whole response collected in memory; above: the request fails. Streaming responses have no limit.
inline constexpr size_t kMaxResponseBodyBytes = 256 * 1024 * 1024;
// Client: idle HTTP/1.1 connections kept for reuse, and connections in all, per endpoint.
inline constexpr size_t kMaxIdleConnections = 25;
inline constexpr size_t kMaxClientConnections = 1024;

}  // namespace net
