#include "net/client.h"

#include <algorithm>
#include <charconv>
#include <condition_variable>
#include <deque>
#include <latch>

#include "base/mutex.h"
#include "net/client_connection.h"
#include "net/tls_context.h"

namespace net {

using base::fail;
using base::Reason;
using base::Result;

namespace {

constexpr int kMaxAttempts = 3;

struct Endpoint {
  std::string host;
  uint16_t port = 0;
  std::string authority;
  std::string path_prefix;
  bool tls = false;
};

Result<Endpoint> parse_url(std::string_view url) {
  const auto malformed = [&] {
    return fail(Reason::kInvalid, "\"" + std::string(url) + "\" is not a URL like https://host:port");
  };
  Endpoint endpoint;
  std::string_view rest = url;
  if (rest.starts_with("https://")) {
    endpoint.tls = true;
    rest.remove_prefix(8);
  } else if (rest.starts_with("http://")) {
    rest.remove_prefix(7);
  } else {
    return malformed();
  }
  const size_t path = std::min(rest.find('/'), rest.size());
  endpoint.path_prefix = rest.substr(path);
  while (endpoint.path_prefix.ends_with('/')) endpoint.path_prefix.pop_back();
  endpoint.authority = rest.substr(0, path);
  std::string_view host = endpoint.authority;
  endpoint.port = endpoint.tls ? 443 : 80;
  const size_t bracket = host.find(']');
  const size_t colon = host.find(':', bracket == std::string_view::npos ? 0 : bracket);
  if (colon != std::string_view::npos) {
    const std::string_view digits = host.substr(colon + 1);
    const auto parsed = std::from_chars(digits.data(), digits.data() + digits.size(), endpoint.port);
    if (parsed.ec != std::errc() || parsed.ptr != digits.data() + digits.size()) return malformed();
    host = host.substr(0, colon);
  }
  if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
  if (host.empty() || host.contains('@')) return malformed();
  endpoint.host = host;
  return endpoint;
}

// What happens on the loop: the pool of connections and the calls that wait for one.
class ClientCore final : public CallSink,
                         public ClientConnection::Pool,
                         public std::enable_shared_from_this<ClientCore> {
 public:
  ClientCore(ClientOptions options, Endpoint endpoint, std::shared_ptr<Loop> loop,
             std::shared_ptr<const TlsContext> tls)
      : options_(std::move(options)), endpoint_(std::move(endpoint)), loop_(std::move(loop)), tls_(std::move(tls)) {}

  void dispatch(std::shared_ptr<ClientCall> call);
  void cancel(const std::shared_ptr<ClientCall>& call);
  void start_timer(const std::shared_ptr<ClientCall>& call, base::Duration timeout);
  void replace_tls(std::shared_ptr<const TlsContext> tls);
  void shut_down();
  // Ends the call: with an error, or well.
  void end(const std::shared_ptr<ClientCall>& call, Result<void> outcome);

  void call_headers(ClientCall& call) override;
  void call_data(ClientCall& call, std::string_view data) override;
  void call_finished(const std::shared_ptr<ClientCall>& call) override { end(call, {}); }
  void call_lost(const std::shared_ptr<ClientCall>& call, Lost how, const std::string& why) override;
  void connection_ready(ClientConnection& connection) override;
  void connection_gone(const std::shared_ptr<ClientConnection>& connection, const std::string& why) override;

 private:
  ClientConnection* free_connection();
  void open_connection();
  void serve_waiting();

  const ClientOptions options_;
  const Endpoint endpoint_;
  const std::shared_ptr<Loop> loop_;
  std::shared_ptr<const TlsContext> tls_;
  std::vector<std::shared_ptr<ClientConnection>> connections_;
  std::deque<std::shared_ptr<ClientCall>> waiting_;
  bool speaks_http1_ = false;  // as far as the last connection told
  bool stopped_ = false;
};

ClientConnection* ClientCore::free_connection() {
  for (const auto& connection : connections_) {
    if (connection->capacity() > 0) return connection.get();
  }
  return nullptr;
}

void ClientCore::open_connection() {
  ClientConnection::Options options{.host = endpoint_.host,
                                    .port = endpoint_.port,
                                    .authority = endpoint_.authority,
                                    .tls = tls_,
                                    .connect_timeout = options_.connect_timeout,
                                    .idle_timeout = options_.idle_timeout};
  auto connection = std::make_shared<ClientConnection>(loop_, *this, *this, std::move(options));
  connections_.push_back(connection);
  connection->connect();
}

void ClientCore::dispatch(std::shared_ptr<ClientCall> call) {
  if (call->cancelled || call->ended) return;
  if (stopped_) return end(call, fail(Reason::kServiceUnavailable, "the client is stopped"));
  if (ClientConnection* connection = free_connection()) return connection->submit(std::move(call));
  waiting_.push_back(std::move(call));
  const auto connecting = static_cast<size_t>(
      std::ranges::count_if(connections_, [](const auto& connection) { return !connection->ready(); }));
  // HTTP/2 shares one connection, so that one being made is enough; HTTP/1.1 needs one for each call.
  const size_t wanted = speaks_http1_ ? waiting_.size() : 1;
  if (connecting < wanted && connections_.size() < kMaxClientConnections) open_connection();
}

void ClientCore::serve_waiting() {
  while (!waiting_.empty()) {
    ClientConnection* connection = free_connection();
    if (!connection) break;
    auto call = std::move(waiting_.front());
    waiting_.pop_front();
    if (!call->ended) connection->submit(std::move(call));
  }
  if (waiting_.empty()) return;
  auto rest = std::move(waiting_);
  waiting_.clear();
  for (auto& call : rest) dispatch(std::move(call));
}

void ClientCore::connection_ready(ClientConnection& connection) {
  speaks_http1_ = !connection.is_http2();
  serve_waiting();
}

void ClientCore::connection_gone(const std::shared_ptr<ClientConnection>& connection, const std::string& why) {
  const bool was_made = connection->is_open_once();
  std::erase(connections_, connection);
  if (stopped_) return;
  if (was_made) {
    if (!waiting_.empty()) serve_waiting();
    return;
  }
  const bool another =
      std::ranges::any_of(connections_, [](const auto& other) { return !other->ready() || other->open_calls() > 0; });
  if (another) return;  // those who wait have another chance
  auto waiting = std::move(waiting_);
  waiting_.clear();
  for (const auto& call : waiting) end(call, fail(Reason::kServiceUnavailable, why));
}

void ClientCore::call_headers(ClientCall& call) {
  if (call.timer != 0 && call.callbacks.on_headers) {  // a stream's timeout ends here, a whole answer's goes on
    loop_->cancel(std::exchange(call.timer, 0));
  }
  if (!call.cancelled && call.callbacks.on_headers) call.callbacks.on_headers(call.status, call.response_headers);
}

void ClientCore::call_data(ClientCall& call, std::string_view data) {
  if (!call.cancelled && call.callbacks.on_data) call.callbacks.on_data(data);
}

void ClientCore::call_lost(const std::shared_ptr<ClientCall>& call, Lost how, const std::string& why) {
  const bool reused = call->connection && call->connection->used_before();
  const bool retry = !call->answered && call->attempts + 1 < kMaxAttempts && !call->cancelled && !stopped_ &&
                     (how == Lost::kNotProcessed || (how == Lost::kUnknown && call->reads_only() && reused));
  if (retry) {
    ++call->attempts;
    if (call->connection) call->connection->call_ended();
    call->connection = nullptr;
    call->sent = false;
    call->status = 0;
    call->response_headers.clear();
    call->rewind_body();
    // Not inline: the connection that lost it is still on the stack.
    loop_->defer([self = shared_from_this(), call] { self->dispatch(call); });
    return;
  }
  if (how == Lost::kProtocol) return end(call, fail(Reason::kInternalError, why));
  const bool unknown = how == Lost::kUnknown && !call->reads_only();
  end(call, fail(unknown ? Reason::kOutcomeUnknown : Reason::kServiceUnavailable, why));
}

void ClientCore::end(const std::shared_ptr<ClientCall>& call, Result<void> outcome) {
  if (std::exchange(call->ended, true)) return;
  if (call->timer != 0) loop_->cancel(std::exchange(call->timer, 0));
  if (auto* connection = std::exchange(call->connection, nullptr)) {
    connection->call_ended();
    if (!waiting_.empty()) loop_->defer([self = shared_from_this()] { self->serve_waiting(); });
  }
  if (!call->cancelled && call->callbacks.on_end) call->callbacks.on_end(std::move(outcome));
  call->callbacks = {};
}

void ClientCore::cancel(const std::shared_ptr<ClientCall>& call) {
  if (call->ended) return;
  call->cancelled = true;
  if (call->connection) call->connection->cancel(*call);
  std::erase(waiting_, call);
  // The callbacks may be running right now: they go later.
  if (call->timer != 0) loop_->cancel(std::exchange(call->timer, 0));
  call->ended = true;
  if (auto* connection = std::exchange(call->connection, nullptr)) connection->call_ended();
  loop_->defer([call] { call->callbacks = {}; });
}

void ClientCore::start_timer(const std::shared_ptr<ClientCall>& call, base::Duration timeout) {
  if (timeout == base::Duration::zero()) return;
  call->timer = loop_->run_after(timeout, [self = shared_from_this(), call] {
    call->timer = 0;
    if (call->ended) return;
    const bool unknown = call->sent && !call->reads_only();
    if (call->connection) call->connection->cancel(*call);
    std::erase(self->waiting_, call);
    self->end(call, fail(unknown ? Reason::kOutcomeUnknown : Reason::kTimeout,
                         call->request.method + " " + call->request.target + ": no answer in time"));
  });
}

void ClientCore::replace_tls(std::shared_ptr<const TlsContext> tls) {
  tls_ = std::move(tls);
  const auto connections = connections_;
  for (const auto& connection : connections) connection->retire();
}

void ClientCore::shut_down() {
  stopped_ = true;
  const auto connections = std::move(connections_);
  connections_.clear();
  for (const auto& connection : connections) connection->close("the client is stopped");
  auto waiting = std::move(waiting_);
  waiting_.clear();
  for (const auto& call : waiting) end(call, fail(Reason::kServiceUnavailable, "the client is stopped"));
}

class CallHandle final : public Call {
 public:
  CallHandle(std::shared_ptr<Loop> loop, std::shared_ptr<ClientCore> core, std::shared_ptr<ClientCall> call)
      : loop_(std::move(loop)), core_(std::move(core)), call_(std::move(call)) {}
  void cancel() override {
    call_->cancelled = true;
    if (loop_->in_loop()) return core_->cancel(call_);
    loop_->post([core = core_, call = call_] { core->cancel(call); });
  }

 private:
  std::shared_ptr<Loop> loop_;
  std::shared_ptr<ClientCore> core_;
  std::shared_ptr<ClientCall> call_;
};

class ClientImpl final : public Client {
 public:
  ClientImpl(ClientOptions options, Endpoint endpoint, std::shared_ptr<const TlsContext> tls)
      : own_loop_(!options.loop),
        loop_(options.loop ? options.loop : Loop::start("http-client")),
        options_(options),
        path_prefix_(endpoint.path_prefix),
        token_(options.bearer_token),
        core_(std::make_shared<ClientCore>(std::move(options), std::move(endpoint), loop_, std::move(tls))) {}

  ~ClientImpl() override {
    if (loop_->in_loop()) {
      core_->shut_down();
      return;
    }
    if (!own_loop_) {
      loop_->post([core = core_] { core->shut_down(); });
      return;
    }
    std::latch done(1);
    loop_->post([this, &done] {
      core_->shut_down();
      loop_->defer([&done] { done.count_down(); });
    });
    done.wait();
    loop_->stop();
  }

  void request(ClientRequest request, base::Duration timeout,
               std::move_only_function<void(Result<Response>)> done) override;
  std::shared_ptr<Call> stream(ClientRequest request, base::Duration timeout, StreamCallbacks callbacks) override {
    auto call = std::make_shared<ClientCall>();
    call->callbacks = std::move(callbacks);
    if (!call->callbacks.on_headers) call->callbacks.on_headers = [](int, const Headers&) {};
    begin(call, std::move(request), timeout);
    return std::make_shared<CallHandle>(loop_, core_, std::move(call));
  }
  void set_bearer_token(std::string token) override {
    base::MutexLock lock(mutex_);
    token_ = std::move(token);
  }
  Result<void> set_tls(ClientTlsOptions tls) override {
    TRY_ASSIGN(auto context, make_client_tls(tls, offer(options_)));
    loop_->post([core = core_, context = std::move(context)]() mutable { core->replace_tls(std::move(context)); });
    return {};
  }
  static AlpnOffer offer(const ClientOptions& options) {
    return options.protocol == ProtocolChoice::kAuto ? AlpnOffer::kHttp2AndHttp1 : AlpnOffer::kHttp1Only;
  }

 private:
  void begin(const std::shared_ptr<ClientCall>& call, ClientRequest request, base::Duration timeout) {
    call->request = std::move(request);
    call->request.target = path_prefix_ + call->request.target;
    auto& headers = call->request.headers;
    if (!find_header(headers, "user-agent")) headers.push_back({"user-agent", options_.user_agent});
    if (!find_header(headers, "authorization")) {
      base::MutexLock lock(mutex_);
      if (!token_.empty()) headers.push_back({"authorization", "Bearer " + token_});
    }
    loop_->post([core = core_, call, timeout] {
      core->start_timer(call, timeout);
      core->dispatch(call);
    });
  }

  const bool own_loop_;
  const std::shared_ptr<Loop> loop_;
  const ClientOptions options_;
  const std::string path_prefix_;
  base::Mutex mutex_;
  std::string token_ GUARDED_BY(mutex_);
  const std::shared_ptr<ClientCore> core_;
};

void ClientImpl::request(ClientRequest request, base::Duration timeout,
                         std::move_only_function<void(Result<Response>)> done) {
  struct Collected {
    Response response;
    bool too_large = false;
    std::move_only_function<void(Result<Response>)> done;
  };
  auto collected = std::make_shared<Collected>();
  collected->done = std::move(done);
  auto call = std::make_shared<ClientCall>();
  const std::weak_ptr<ClientCall> weak = call;
  call->callbacks.on_data = [collected, limit = options_.max_response_bytes](std::string_view data) {
    if (collected->too_large) return;
    if (collected->response.body.size() + data.size() <= limit) {
      collected->response.body += data;
      return;
    }
    collected->too_large = true;
    collected->response.body = {};
  };
  call->callbacks.on_end = [collected, weak](Result<void> outcome) {
    const auto ended = weak.lock();
    if (!outcome) return collected->done(fail(std::move(outcome).error()));
    if (collected->too_large) return collected->done(fail(Reason::kInternalError, "the response is too large"));
    collected->response.status = ended->status;
    collected->response.headers = std::move(ended->response_headers);
    collected->response.version = ended->version;
    collected->done(std::move(collected->response));
  };
  begin(call, std::move(request), timeout);
}

}  // namespace

size_t ClientCall::take_body(std::string& out, size_t limit) {
  size_t taken = 0;
  const auto& chunks = request.body.chunks();
  while (taken < limit && body_chunk < chunks.size()) {
    const std::string_view piece = chunks[body_chunk].view().substr(body_offset, limit - taken);
    out += piece;
    taken += piece.size();
    body_offset += piece.size();
    if (body_offset == chunks[body_chunk].size()) {
      ++body_chunk;
      body_offset = 0;
    }
  }
  body_sent_ += taken;
  return taken;
}

void ClientCall::rewind_body() { body_chunk = body_offset = body_sent_ = 0; }

Result<std::shared_ptr<Client>> Client::create(ClientOptions options) {
  TRY_ASSIGN(Endpoint endpoint, parse_url(options.url));
  std::shared_ptr<const TlsContext> tls;
  if (endpoint.tls) {
    auto made = make_client_tls(options.tls, ClientImpl::offer(options));
    if (!made) return fail(std::move(made).error());
    tls = std::move(*made);
  }
  return std::make_shared<ClientImpl>(std::move(options), std::move(endpoint), std::move(tls));
}

Result<Response> Client::fetch(ClientRequest request_to_send, base::Duration timeout) {
  struct Box {
    base::Mutex mutex;
    std::condition_variable changed;
    bool ready GUARDED_BY(mutex) = false;
    Result<Response> result GUARDED_BY(mutex) = fail(Reason::kServiceUnavailable, "the client is stopped");
  };
  auto box = std::make_shared<Box>();
  // Also when the callback is dropped uncalled, with a loop that has stopped.
  const auto open_box = [box](void*) {
    base::MutexLock lock(box->mutex);
    box->ready = true;
    box->changed.notify_all();
  };
  std::shared_ptr<void> guard(static_cast<void*>(box.get()), open_box);
  request(std::move(request_to_send), timeout, [box, guard](Result<Response> result) {
    base::MutexLock lock(box->mutex);
    box->result = std::move(result);
  });
  guard.reset();
  base::UniqueLock lock(box->mutex);
  box->changed.wait(lock.native(), [&]() NO_THREAD_SAFETY_ANALYSIS { return box->ready; });
  return std::move(box->result);
}

}  // namespace net
