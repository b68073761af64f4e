// The HTTP server: TLS 1.3, HTTP/2 and HTTP/1.1 on a few loops. A connection stays on its loop; a request arrives
// whole; an answer may be given inline or later, from any thread, whole or as a stream with a bounded buffer.
// Invariants: a handler is never called with a partial body; a stalled or vanished client costs bounded memory and time
// (limits.h); an idle server uses no CPU.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "base/executor.h"
#include "base/result.h"
#include "net/fanout.h"
#include "net/http.h"
#include "net/limits.h"
#include "net/tls.h"

namespace net {

// How one request is answered: send(), or start() write()… finish(). Calls that come after the end, or after the client
// went away, do nothing. Dropping the last reference unanswered answers 500, or cuts a started stream off.
// Thread: any, but one call at a time (calls of two threads need an order of their own). From the connection's loop a
// call takes effect without a thread hop; from other threads calls are batched into one wakeup of the loop.
// Abstract so that tests can record answers.
class ResponseWriter {
 public:
  virtual ~ResponseWriter() = default;

  // The whole answer. Content-Length and Date are added; for HEAD the body is counted, not sent.
  virtual void send(int status, Headers headers, Body body) = 0;

  // Streamed answer. Chunks are flushed as they come. Status 101, with websocket_headers() on HTTP/1.1, makes the
  // connection a WebSocket: each write() is one frame then (websocket.h).
  virtual void start(int status, Headers headers) = 0;
  // Never blocks; returns buffered() after it. Who writes decides what is too much.
  virtual size_t write(Body chunk) = 0;
  // For one chunk to many clients: as write(), but the loop may hear of it only with flush(). So a loop wakes once for
  // all that it has to send, and sends it in large pieces.
  virtual size_t write_later(base::SharedBytes chunk) { return write(Body(std::move(chunk))); }
  virtual void flush() {}
  // For fanout.h: what stands behind this writer; null when it cannot take part.
  virtual std::shared_ptr<FanoutTarget> fanout_target() { return nullptr; }
  virtual void finish() = 0;
  // Ends the stream so that the client sees that it is cut off (RST_STREAM, or a close without the last chunk).
  virtual void abort() = 0;

  // Bytes accepted and not yet handed to the kernel.
  virtual size_t buffered() const = 0;
  // True when the client went away or the exchange has ended.
  virtual bool closed() const = 0;
  // Calls back once, on the loop, as soon as buffered() <= low_water, and also when the client goes away (check
  // closed()). Never inline. A second call replaces a pending first.
  virtual void on_drained(size_t low_water, base::Task callback) = 0;
  // Calls back once, on the loop, if the exchange ends before finish() or send(): the client went away, or the server
  // is stopping. Never inline; also when that has already happened. Dropped uncalled once the answer is complete.
  virtual void on_closed(base::Task callback) = 0;
};

// Called on a loop's thread: must not block. Answers inline (fast path) or hands request and writer to a worker.
class Handler {
 public:
  virtual ~Handler() = default;
  virtual void handle(std::shared_ptr<Request> request, std::shared_ptr<ResponseWriter> writer) = 0;
};

// The answer to a request that never reaches the handler: 400, 408, 413, 431, 500 (dropped writer), 503 (stopping).
struct ErrorResponse {
  std::string content_type;
  std::string body;
};
// `message` is a plain sentence. `request` may be null or lack its body.
using ErrorResponder = std::function<ErrorResponse(int status, std::string_view message, const Request* request)>;

struct ServerOptions {
  std::string bind_address = "127.0.0.1";  // numeric, IPv4 or IPv6 ("::" takes both)
  uint16_t port = 0;                       // 0 = any free one
  std::shared_ptr<const TlsContext> tls;   // null = plain HTTP (HTTP/1.1, and HTTP/2 with prior knowledge)
  int loops = 1;
  std::shared_ptr<Handler> handler;
  ErrorResponder error_responder;  // null = text/plain
  std::string name = "http";       // of the threads

  size_t max_request_body_bytes = kMaxRequestBodyBytes;
  size_t max_header_bytes = kMaxHeaderBytes;
  uint32_t max_concurrent_streams = kMaxConcurrentStreams;
  size_t max_connections = kMaxConnections;
  std::chrono::milliseconds handshake_timeout = kHandshakeTimeout;
  std::chrono::milliseconds header_timeout = kHeaderTimeout;
  std::chrono::milliseconds body_timeout = kBodyTimeout;
  std::chrono::milliseconds idle_timeout = kIdleTimeout;
  std::chrono::milliseconds write_stall_timeout = kWriteStallTimeout;
};

struct ServerStats {
  uint64_t connections_accepted = 0;
  uint64_t connections_open = 0;
  uint64_t requests = 0;
  uint64_t tls_handshake_errors = 0;
  uint64_t connections_refused = 0;  // above max_connections
  uint64_t requests_refused = 0;     // malformed, too large, too slow
};

// Thread: start, stop and the destructor from one owner thread that is not a loop; the rest from any.
class Server {
 public:
  explicit Server(ServerOptions options);
  ~Server();  // stop(0)
  Server(const Server&) = delete;

  // Binds, listens, starts the loops; returns the port. A port in use is an error that names address and port.
  base::Result<uint16_t> start();
  // Stops accepting, tells clients to go elsewhere (GOAWAY, Connection: close), fires on_closed of streamed answers
  // so that they can end, waits up to `grace` for requests in flight, cuts off the rest, ends the loops. Idempotent.
  void stop(base::Duration grace);
  // New connections use it; open ones keep what they have.
  void set_tls(std::shared_ptr<const TlsContext> tls);
  ServerStats stats() const;
  uint16_t port() const;

 private:
  class Impl;
  std::shared_ptr<Impl> impl_;
};

}  // namespace net
