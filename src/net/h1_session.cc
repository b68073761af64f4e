// HTTP/1.1 on a server connection: one request at a time; what a client pipelines waits until the answer is out.
#include <http_parser.h>

#include <algorithm>
#include <charconv>
#include <utility>

#include "net/server_session.h"
#include "net/websocket.h"

namespace net {

namespace {

class H1Session final : public ServerSession, public ExchangeHost {
 public:
  explicit H1Session(SessionHost& host)
      : host_(host), bodies_(host.shared()), last_activity_(host.link().loop().now()) {
    http_parser_init(&parser_, HTTP_REQUEST);
    parser_.data = this;
  }

  void on_data(std::string_view bytes) override;
  void produce(std::string& out, size_t target) override;
  void on_flushed() override;
  void shut_down() override;
  void cut_off() override;
  base::MonoTime next_deadline() const override;
  void check_deadlines(base::MonoTime now) override;
  void exchange_changed(Exchange& exchange) override;
  void exchange_dropped(Exchange& exchange) override;

 private:
  enum class Reading { kIdle, kHeaders, kBody, kAnswering, kStopped };

  static const http_parser_settings& settings();
  static H1Session& self(http_parser* parser) { return *static_cast<H1Session*>(parser->data); }
  const ServerOptions& options() const { return host_.shared().options; }
  base::MonoTime now() { return host_.link().loop().now(); }

  void parse(std::string_view bytes);
  void parse_waiting();
  Headers& fields() { return reading_ == Reading::kHeaders ? exchange_->request->headers : trailers_; }
  int message_begin();
  int header_bytes(std::string& to, std::string_view piece);
  int headers_complete();
  int body(std::string_view piece);
  int message_complete();
  bool check_host();
  void read_frames(std::string_view bytes);
  // Answers with an error, and closes after it.
  void reject(int status, std::string_view message);
  void write_head(std::string& out);
  void write_body(std::string& out, size_t target);
  void answer_done();
  void ensure_exchange();

  SessionHost& host_;
  BodyBudget bodies_;
  http_parser parser_;
  Reading reading_ = Reading::kIdle;
  std::shared_ptr<Exchange> exchange_;  // of the request being read or answered
  std::string waiting_;                 // received while answering
  std::string unregistered_method_;     // of the request being read, if the parser has no name for it
  Headers trailers_;                    // counted and thrown away
  bool in_value_ = false;
  bool keep_alive_ = true;
  bool chunked_ = false;
  bool bodiless_ = false;
  bool continue_due_ = false;
  bool shutting_down_ = false;
  bool parsing_ = false;
  bool upgraded_ = false;  // 101 was answered: frames go both ways
  bool cut_off_after_flush_ = false;
  WebSocketReader frames_;
  base::MonoTime last_activity_;
  DateCache date_;
};

constexpr uint16_t kWebSocketNormal = 1000, kWebSocketProtocolError = 1002;

std::string_view text(const char* data, size_t size) { return {data, size}; }

constexpr size_t kMaxMethodBytes = 32;

// The method that a request line begins with if the parser does not know it by name, else nothing.
std::string_view unregistered_method(std::string_view bytes) {
  static constexpr std::string_view kMarks = "!#$%&'*+-.^_`|~";
  const std::string_view method = bytes.substr(0, bytes.substr(0, kMaxMethodBytes + 1).find(' '));
  const auto is_token = [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || kMarks.contains(c);
  };
  if (method.empty() || method.size() > kMaxMethodBytes || method.size() == bytes.size()) return {};
  if (!std::ranges::all_of(method, is_token)) return {};
#define SAME_NAME_(number, name, string) \
  if (method == #string) return {};
  HTTP_METHOD_MAP(SAME_NAME_)
#undef SAME_NAME_
  return method;
}

const http_parser_settings& H1Session::settings() {
  static constexpr http_parser_settings kSettings = {
      .on_message_begin = [](http_parser* p) { return self(p).message_begin(); },
      .on_url = [](http_parser* p, const char* data,
                   size_t size) { return self(p).header_bytes(self(p).exchange_->request->target, text(data, size)); },
      .on_status = nullptr,
      .on_header_field =
          [](http_parser* p, const char* data, size_t size) {
            auto& session = self(p);
            auto& headers = session.fields();
            if (session.in_value_ || headers.empty()) headers.emplace_back();
            session.in_value_ = false;
            return session.header_bytes(headers.back().name, text(data, size));
          },
      .on_header_value =
          [](http_parser* p, const char* data, size_t size) {
            self(p).in_value_ = true;
            return self(p).header_bytes(self(p).fields().back().value, text(data, size));
          },
      .on_headers_complete = [](http_parser* p) { return self(p).headers_complete(); },
      .on_body = [](http_parser* p, const char* data, size_t size) { return self(p).body(text(data, size)); },
      .on_message_complete = [](http_parser* p) { return self(p).message_complete(); },
      .on_chunk_header = nullptr,
      .on_chunk_complete = nullptr,
  };
  return kSettings;
}

void H1Session::on_data(std::string_view bytes) {
  last_activity_ = now();
  if (reading_ == Reading::kStopped) return;
  if (upgraded_) return read_frames(bytes);
  if (reading_ == Reading::kAnswering || !waiting_.empty()) {
    waiting_ += bytes;
    if (waiting_.size() > kMaxPipelinedBytes) host_.link().pause_reading();
    return;
  }
  parse(bytes);
}

// After 101 the client may send pings and its goodbye; its messages mean nothing here.
void H1Session::read_frames(std::string_view bytes) {
  while (exchange_ && !bytes.empty()) {
    const WebSocketReader::Event event = frames_.read(bytes);
    if (event == WebSocketReader::Event::kPing) {
      exchange_->write(websocket_frame_header(WebSocketOpcode::kPong, frames_.payload().size()) + frames_.payload());
    } else if (event != WebSocketReader::Event::kNone) {
      const bool goodbye = event == WebSocketReader::Event::kClose;
      exchange_->write(websocket_close_frame(goodbye ? kWebSocketNormal : kWebSocketProtocolError));
      host_.link().flush_later();
      reading_ = Reading::kStopped;
      cut_off_after_flush_ = true;
      return;
    }
  }
}

void H1Session::parse(std::string_view bytes) {
  parsing_ = true;
  if (reading_ == Reading::kIdle) {
    // Compat: Go takes every token for a method. This parser is told of a POST, which it reads the same way.
    static constexpr std::string_view kStandIn = "POST";
    unregistered_method_ = unregistered_method(bytes);
    bytes.remove_prefix(unregistered_method_.size());
    if (!unregistered_method_.empty()) http_parser_execute(&parser_, &settings(), kStandIn.data(), kStandIn.size());
  }
  const size_t used = http_parser_execute(&parser_, &settings(), bytes.data(), bytes.size());
  parsing_ = false;
  const auto error = HTTP_PARSER_ERRNO(&parser_);
  if (error == HPE_PAUSED) {
    http_parser_pause(&parser_, 0);
    waiting_.append(bytes.substr(used));
    if (waiting_.size() > kMaxPipelinedBytes) host_.link().pause_reading();
  } else if (error != HPE_OK && reading_ != Reading::kStopped) {
    reject(error == HPE_HEADER_OVERFLOW ? 431 : 400, http_errno_description(error));
  }
  if (exchange_ && reading_ == Reading::kAnswering) exchange_changed(*exchange_);
}

void H1Session::parse_waiting() {
  if (waiting_.empty()) {
    waiting_ = {};
    return;
  }
  std::string bytes;
  bytes.swap(waiting_);
  parse(bytes);
}

void H1Session::ensure_exchange() {
  if (exchange_) return;
  exchange_ = std::make_shared<Exchange>(host_.loop_pointer(), this);
  exchange_->request = std::make_shared<Request>();
  exchange_->request->connection = host_.info();
  exchange_->request->peer = host_.info()->peer;
  exchange_->began = now();
}

int H1Session::message_begin() {
  ensure_exchange();
  reading_ = Reading::kHeaders;
  in_value_ = false;
  keep_alive_ = true;
  return 0;
}

int H1Session::header_bytes(std::string& to, std::string_view piece) {
  exchange_->header_bytes += piece.size();
  if (exchange_->header_bytes + exchange_->request->headers.size() * 32 > options().max_header_bytes) {
    reject(431, "the request's headers are too large");
    return 1;
  }
  to += piece;
  return 0;
}

// Compat: Go refuses HTTP/1.1 requests with no or several Host headers.
bool H1Session::check_host() {
  Request& request = *exchange_->request;
  const auto hosts = header_values(request.headers, "host");
  if (hosts.size() == 1) request.host = hosts[0];
  return hosts.size() == 1 || (hosts.empty() && request.version == HttpVersion::kHttp10);
}

int H1Session::headers_complete() {
  Request& request = *exchange_->request;
  request.method = unregistered_method_.empty() ? http_method_str(static_cast<http_method>(parser_.method))
                                                : std::exchange(unregistered_method_, {});
  request.version = parser_.http_major == 1 && parser_.http_minor == 0 ? HttpVersion::kHttp10 : HttpVersion::kHttp11;
  parser_.upgrade = 0;  // whoever answers decides: with 101, or as if the request did not ask
  keep_alive_ = http_should_keep_alive(&parser_) != 0 && parser_.method != HTTP_CONNECT;
  if (parser_.http_major != 1) {
    const bool none = parser_.http_major == 0;  // HTTP/0.9: a request line without a version
    reject(none ? 400 : 505, none ? "malformed request line" : "only HTTP/1.0, HTTP/1.1 and HTTP/2 are spoken here");
    return -1;
  }
  // The parser takes spaces in names; others before or behind us may not, or read them as another header.
  for (const auto& field : request.headers) {
    if (field.name.find_first_of(" \t") == std::string::npos) continue;
    reject(400, "malformed header name");
    return -1;
  }
  if (!check_host()) {
    reject(400, "missing or repeated Host header");
    return -1;
  }
  if (const size_t scheme = request.target.find("://");
      !request.target.starts_with('/') && scheme != std::string::npos) {
    const size_t path = request.target.find('/', scheme + 3);
    request.target = path == std::string::npos ? "/" : request.target.substr(path);
  }
  const bool sized = (parser_.flags & F_CONTENTLENGTH) != 0;
  if (sized && parser_.content_length > options().max_request_body_bytes) {
    reject(413, "the request's body is too large");
    return -1;
  }
  reading_ = Reading::kBody;
  const bool has_body = (sized && parser_.content_length > 0) || (parser_.flags & F_CHUNKED);
  if (has_body && equal_ignore_case(request.header("expect"), "100-continue")) {
    continue_due_ = true;
    host_.link().flush_later();
  }
  return 0;
}

int H1Session::body(std::string_view piece) {
  std::string& body = exchange_->request->body;
  if (body.size() + piece.size() > options().max_request_body_bytes) {
    reject(413, "the request's body is too large");
    return 1;
  }
  if (!bodies_.take(piece.size())) {
    reject(503, "too many request bodies are arriving at once");
    return 1;
  }
  body += piece;
  return 0;
}

int H1Session::message_complete() {
  if (reading_ == Reading::kStopped) return 1;
  reading_ = Reading::kAnswering;
  continue_due_ = false;
  exchange_->request_complete = true;
  bodies_.release(exchange_->request->body.size());
  trailers_ = {};
  http_parser_pause(&parser_, 1);
  auto& shared = host_.shared();
  shared.requests.fetch_add(1, std::memory_order_relaxed);
  shared.options.handler->handle(exchange_->request, exchange_->make_writer());
  return 0;
}

void H1Session::reject(int status, std::string_view message) {
  ensure_exchange();
  bodies_.release(std::exchange(exchange_->request->body, {}).size());
  reading_ = Reading::kStopped;
  waiting_ = {};
  keep_alive_ = false;
  continue_due_ = false;
  refuse(host_.shared(), *exchange_, status, message);
  host_.link().flush_later();
}

void H1Session::exchange_dropped(Exchange& exchange) {
  if (exchange.has_head()) {
    exchange.abort();
  } else {
    refuse(host_.shared(), exchange, 500, "the request was dropped without an answer");
  }
}

void H1Session::exchange_changed(Exchange& exchange) {
  if (parsing_) return;  // parse() comes back to it
  if (exchange.aborted() && !exchange.head_sent && !exchange.has_head()) {
    host_.link().close("the answer was aborted");
  } else if (exchange.aborted()) {
    reading_ = Reading::kStopped;
    host_.link().close_when_flushed();
  } else if (exchange.has_head()) {
    host_.link().flush_later();
  }
}

void H1Session::write_head(std::string& out) {
  Exchange& exchange = *exchange_;
  exchange.head_sent = true;
  const int status = exchange.status();
  const bool no_length = status == 204 || status == 304 || status < 200;
  upgraded_ = status == 101;
  bodiless_ = (no_length && !upgraded_) || exchange.request->method == "HEAD";
  const bool has_length = find_header(exchange.headers(), "content-length") != nullptr;
  chunked_ = !exchange.whole() && !has_length && !no_length && exchange.request->version == HttpVersion::kHttp11;
  if (!exchange.whole() && !has_length && !chunked_ && !bodiless_) keep_alive_ = false;  // HTTP/1.0: ends by closing
  if (shutting_down_ || upgraded_) keep_alive_ = false;
  out += "HTTP/1.1 ";
  out += std::to_string(status);
  out += ' ';
  out += status_phrase(status);
  out += "\r\n";
  for (const auto& field : exchange.headers()) {
    if (equal_ignore_case(field.name, "connection") || equal_ignore_case(field.name, "transfer-encoding")) continue;
    out.append(field.name).append(": ").append(field.value).append("\r\n");
  }
  if (!find_header(exchange.headers(), "date")) out.append("Date: ").append(date_.now()).append("\r\n");
  if (exchange.whole() && !has_length && !no_length) {
    out.append("Content-Length: ").append(std::to_string(exchange.whole_size())).append("\r\n");
  }
  if (chunked_) out += "Transfer-Encoding: chunked\r\n";
  if (upgraded_) {
    out += "Connection: Upgrade\r\n";
  } else if (!keep_alive_) {
    out += "Connection: close\r\n";
  } else if (exchange.request->version == HttpVersion::kHttp10) {
    out += "Connection: keep-alive\r\n";
  }
  out += "\r\n";
  exchange.headers() = {};
}

void H1Session::write_body(std::string& out, size_t target) {
  Exchange& exchange = *exchange_;
  if (bodiless_) exchange.drop_pending();
  while (exchange.pending() > 0 && out.size() < target) {
    const std::string_view piece = exchange.front().substr(0, target);
    if (chunked_) {
      char size[20];
      const auto end = std::to_chars(size, size + sizeof size, piece.size(), 16).ptr;
      out.append(size, static_cast<size_t>(end - size)).append("\r\n");
    }
    out += piece;
    if (chunked_) out += "\r\n";
    exchange.consume(piece.size());
  }
}

void H1Session::produce(std::string& out, size_t target) {
  if (continue_due_) {
    continue_due_ = false;
    out += "HTTP/1.1 100 Continue\r\n\r\n";
  }
  while (exchange_ && exchange_->has_head() && out.size() < target) {
    if (!exchange_->head_sent) write_head(out);
    write_body(out, target);
    if (exchange_->pending() > 0 || exchange_->aborted() || !exchange_->complete()) return;
    if (chunked_ && !bodiless_) out += "0\r\n\r\n";
    answer_done();
  }
}

void H1Session::answer_done() {
  const auto finished = std::move(exchange_);
  exchange_ = nullptr;
  finished->end(Exchange::End::kAnswered);
  last_activity_ = now();
  if (!keep_alive_ || reading_ == Reading::kStopped || shutting_down_) {
    reading_ = Reading::kStopped;
    host_.link().close_when_flushed();
    return;
  }
  reading_ = Reading::kIdle;
  parse_waiting();
  if (waiting_.size() <= kMaxPipelinedBytes) host_.link().resume_reading();
}

void H1Session::on_flushed() {
  if (!cut_off_after_flush_) return;
  host_.link().close_when_flushed();
  cut_off();
}

void H1Session::shut_down() {
  shutting_down_ = true;
  if (!exchange_) {
    reading_ = Reading::kStopped;
    host_.link().close_when_flushed();
  } else if (exchange_->streaming()) {
    exchange_->notify_stopping();
  }
}

void H1Session::cut_off() {
  if (const auto exchange = std::move(exchange_)) exchange->end(Exchange::End::kCutOff);
}

base::MonoTime H1Session::next_deadline() const {
  switch (reading_) {
    case Reading::kIdle:
      return last_activity_ + options().idle_timeout;
    case Reading::kHeaders:
      return exchange_->began + options().header_timeout;
    case Reading::kBody:
      return exchange_->began + options().body_timeout;
    default:
      break;
  }
  if (exchange_ && exchange_->pending() > 0) return exchange_->last_progress + options().write_stall_timeout;
  return base::MonoTime::max();
}

void H1Session::check_deadlines(base::MonoTime now) {
  if (next_deadline() > now) return;
  if (reading_ == Reading::kHeaders || reading_ == Reading::kBody) {
    reject(408, "the request did not arrive in time");
  } else {
    host_.link().close(reading_ == Reading::kIdle ? "idle" : "the client does not read");
  }
}

}  // namespace

std::unique_ptr<ServerSession> make_h1_session(SessionHost& host) { return std::make_unique<H1Session>(host); }

}  // namespace net
