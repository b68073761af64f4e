// Internal to net: the client's calls, connections and protocol sessions, and what they know of each other.
// Thread: the client's loop, except where said.
#pragma once

#include <atomic>
#include <memory>
#include <string>
#include <vector>

#include "net/client.h"
#include "net/link.h"

namespace net {

class ClientConnection;

// One request from its caller's point of view: sent at most once to where it may have been processed.
class ClientCall final {
 public:
  ClientRequest request;
  StreamCallbacks callbacks;
  std::atomic<bool> cancelled{false};  // any thread

  bool ended = false;
  bool sent = false;      // its first bytes were handed to a connection
  bool answered = false;  // response headers arrived
  int attempts = 0;
  TimerId timer = 0;
  ClientConnection* connection = nullptr;
  int32_t stream_id = 0;
  size_t body_chunk = 0;  // how far the body was sent
  size_t body_offset = 0;
  int status = 0;
  Headers response_headers;
  bool response_complete = false;
  HttpVersion version = HttpVersion::kHttp11;

  bool reads_only() const { return request.method == "GET" || request.method == "HEAD"; }
  // Appends up to `limit` bytes of the body; returns how many.
  size_t take_body(std::string& out, size_t limit);
  size_t body_left() const { return request.body.size() - body_sent_; }
  void rewind_body();

 private:
  size_t body_sent_ = 0;
};

// What sessions report; implemented by the client.
class CallSink {
 public:
  virtual ~CallSink() = default;
  virtual void call_headers(ClientCall& call) = 0;
  virtual void call_data(ClientCall& call, std::string_view data) = 0;
  virtual void call_finished(const std::shared_ptr<ClientCall>& call) = 0;
  enum class Lost { kNotProcessed, kUnknown, kProtocol };
  // The call ended without a whole answer.
  virtual void call_lost(const std::shared_ptr<ClientCall>& call, Lost how, const std::string& why) = 0;
};

class ClientSession {
 public:
  virtual ~ClientSession() = default;
  virtual void on_data(std::string_view bytes) = 0;
  virtual void produce(std::string& out, size_t target) = 0;
  // How many more calls it can take now.
  virtual size_t capacity() const = 0;
  virtual size_t open_calls() const = 0;
  virtual void submit(std::shared_ptr<ClientCall> call) = 0;
  virtual void cancel(ClientCall& call) = 0;
  // The connection is gone.
  virtual void connection_lost(const std::string& why) = 0;
};

struct SessionContext {
  CallSink& sink;
  Link& link;
  std::string authority;  // "host:port"
};
std::unique_ptr<ClientSession> make_h1_client(SessionContext context);
std::unique_ptr<ClientSession> make_h2_client(SessionContext context);

}  // namespace net
