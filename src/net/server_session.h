// Internal to net: what a server connection and its protocol session (h1_session, h2_session) know of each other, and
// what all connections of a server share. Thread: the connection's loop, except for the atomics.
#pragma once

#include <atomic>
#include <memory>
#include <string>
#include <string_view>

#include "net/exchange.h"
#include "net/link.h"
#include "net/server.h"

namespace net {

// Immutable after start(), apart from the counters.
struct ServerShared {
  ServerOptions options;
  std::atomic<uint64_t> accepted{0};
  std::atomic<uint64_t> open{0};
  std::atomic<uint64_t> requests{0};
  std::atomic<uint64_t> handshake_errors{0};
  std::atomic<uint64_t> connections_refused{0};  // above max_connections
  std::atomic<uint64_t> requests_refused{0};     // 400, 408, 413, 431, resets for slowness or memory
  std::atomic<size_t> pending_body_bytes{0};
  std::atomic<bool> stopping{false};

  ErrorResponse error_response(int status, std::string_view message, const Request* request) const;
};

// The bytes of unfinished request bodies that one session holds, counted against the limits of connection and server.
class BodyBudget {
 public:
  explicit BodyBudget(ServerShared& shared) : shared_(shared) {}
  ~BodyBudget() { release(held_); }
  BodyBudget(const BodyBudget&) = delete;
  // False when a limit would be passed; then nothing is taken.
  bool take(size_t bytes);
  void release(size_t bytes);

 private:
  ServerShared& shared_;
  size_t held_ = 0;
};

// What a session asks of its connection.
class SessionHost {
 public:
  virtual ~SessionHost() = default;
  virtual ServerShared& shared() = 0;
  virtual std::shared_ptr<Loop> loop_pointer() = 0;
  virtual Link& link() = 0;
  virtual const std::shared_ptr<const ConnectionInfo>& info() = 0;
};

class ServerSession {
 public:
  virtual ~ServerSession() = default;
  virtual void on_data(std::string_view bytes) = 0;
  virtual void produce(std::string& out, size_t target) = 0;
  virtual void on_flushed() = 0;
  // No new requests; those in flight go on. Streams are told to end.
  virtual void shut_down() = 0;
  // The connection is gone: ends every exchange.
  virtual void cut_off() = 0;
  // When check_deadlines() is due; cheap. max() = nothing to wait for.
  virtual base::MonoTime next_deadline() const = 0;
  virtual void check_deadlines(base::MonoTime now) = 0;
};

std::unique_ptr<ServerSession> make_h1_session(SessionHost& host);
std::unique_ptr<ServerSession> make_h2_session(SessionHost& host);

// "Mon, 02 Jan 2006 15:04:05 GMT", renewed once a second.
class DateCache {
 public:
  std::string_view now();

 private:
  int64_t second_ = -1;
  std::string text_;
};

// Answers on behalf of the server and marks the exchange refused.
void refuse(ServerShared& shared, Exchange& exchange, int status, std::string_view message);

}  // namespace net
