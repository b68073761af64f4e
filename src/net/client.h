// An HTTP client for one endpoint: HTTP/2 over TLS with streams shared on few connections, HTTP/1.1 where the server
// speaks no other. Whole answers or streams, cancel, deadlines, reconnects. Errors: kServiceUnavailable when the
// request certainly was not processed (resolve, connect, TLS, refused stream); kTimeout when its deadline passed before
// it was sent or it only reads (GET, HEAD); kOutcomeUnknown when a write's connection or deadline was lost after it was
// sent; kInternalError when the answer is not HTTP or exceeds its limit. An answer with an HTTP error status is a
// Response, not an Error. Thread: any thread calls; callbacks run on the client's loop and must not block.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "base/clock.h"
#include "base/result.h"
#include "net/http.h"
#include "net/limits.h"
#include "net/loop.h"
#include "net/tls.h"

namespace net {

enum class ProtocolChoice { kAuto, kHttp1Only };

struct ClientOptions {
  std::string url;  // "https://host:port" or "http://host:port"; a path is put before every target
  ClientTlsOptions tls;
  std::string bearer_token;  // sent as "Authorization: Bearer …" when set
  std::string user_agent = "keelson";
  ProtocolChoice protocol = ProtocolChoice::kAuto;
  std::shared_ptr<Loop> loop;  // null = an own loop; a given one outlives the client
  base::Duration connect_timeout = std::chrono::seconds(30);
  base::Duration idle_timeout = std::chrono::seconds(90);
  size_t max_response_bytes = kMaxResponseBodyBytes;
};

struct ClientRequest {
  std::string method = "GET";
  std::string target = "/";  // raw path and query
  Headers headers;
  Body body;
};

// A streamed answer. Each callback runs on the client's loop; on_end comes exactly once and last, unless cancelled.
struct StreamCallbacks {
  std::function<void(int status, const Headers& headers)> on_headers;
  std::function<void(std::string_view data)> on_data;
  std::function<void(base::Result<void> outcome)> on_end;
};

// A running streamed request. Dropping it does not cancel.
class Call {
 public:
  virtual ~Call() = default;
  // Any thread. No callback starts after cancel() returns on the loop's thread; from another thread one may be running.
  virtual void cancel() = 0;
};

class Client {
 public:
  // Checks URL and certificates; connects with the first request.
  static base::Result<std::shared_ptr<Client>> create(ClientOptions options);
  virtual ~Client() = default;  // cuts off what runs: its callbacks get kServiceUnavailable or kOutcomeUnknown

  // Whole answer. `timeout` counts from now; zero = none.
  virtual void request(ClientRequest request, base::Duration timeout,
                       std::move_only_function<void(base::Result<Response>)> done) = 0;
  // Streamed answer (watch, logs); `timeout` is for the headers to arrive, zero = none.
  virtual std::shared_ptr<Call> stream(ClientRequest request, base::Duration timeout, StreamCallbacks callbacks) = 0;
  // Blocks; for workers, tests and commands, never on a loop.
  base::Result<Response> fetch(ClientRequest request, base::Duration timeout = std::chrono::seconds(30));
  // From the next request on.
  virtual void set_bearer_token(std::string token) = 0;
  // From the next connection on; open ones are used no more for new requests.
  virtual base::Result<void> set_tls(ClientTlsOptions tls) = 0;
};

}  // namespace net
