// HTTP/2 on a server connection: nghttp2 does framing, HPACK and flow control; this file turns streams into exchanges.
#include <nghttp2/nghttp2.h>

#include <algorithm>
#include <cstring>

#include "base/check.h"
#include "net/server_session.h"

namespace net {

namespace {

bool is_connection_header(std::string_view name) {
  static constexpr std::string_view kNames[] = {"connection", "transfer-encoding", "keep-alive", "upgrade",
                                                "proxy-connection"};
  return std::ranges::any_of(kNames, [&](std::string_view known) { return equal_ignore_case(name, known); });
}

nghttp2_nv make_nv(std::string_view name, std::string_view value) {
  return {reinterpret_cast<uint8_t*>(const_cast<char*>(name.data())),
          reinterpret_cast<uint8_t*>(const_cast<char*>(value.data())), name.size(), value.size(), NGHTTP2_NV_FLAG_NONE};
}

class H2Session final : public ServerSession, public ExchangeHost {
 public:
  explicit H2Session(SessionHost& host)
      : host_(host), bodies_(host.shared()), last_activity_(host.link().loop().now()) {
    open_session();
  }
  ~H2Session() override { nghttp2_session_del(session_); }

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
  void open_session();
  const ServerOptions& options() { return host_.shared().options; }
  base::MonoTime now() { return host_.link().loop().now(); }
  void go_away();
  void reset(Exchange& exchange, uint32_t code);
  void recount(Exchange& exchange);
  void submit_head(Exchange& exchange);
  void dispatch(Exchange& exchange);
  void remove(Exchange& exchange, Exchange::End how);

  // nghttp2's callbacks.
  int begin_headers(const nghttp2_frame& frame);
  int header(const nghttp2_frame& frame, std::string_view name, std::string_view value);
  int data_chunk(int32_t stream_id, std::string_view data);
  int frame_received(const nghttp2_frame& frame);
  int stream_closed(int32_t stream_id);
  ssize_t read_source(Exchange& exchange, size_t limit, uint32_t* flags);
  int send_data(Exchange& exchange, const uint8_t* frame_header, size_t length);

  Exchange* find(int32_t stream_id) {
    return static_cast<Exchange*>(nghttp2_session_get_stream_user_data(session_, stream_id));
  }
  static void install(nghttp2_session_callbacks* callbacks);

  SessionHost& host_;
  nghttp2_session* session_ = nullptr;
  std::vector<std::shared_ptr<Exchange>> exchanges_;
  std::string* out_ = nullptr;  // while producing
  size_t out_target_ = 0;
  size_t incomplete_ = 0;  // requests that have not arrived whole
  size_t waiting_ = 0;     // exchanges with bytes to send
  BodyBudget bodies_;
  base::MonoTime last_activity_;
  DateCache date_;
  bool failed_ = false;
};

H2Session& self_of(void* user) { return *static_cast<H2Session*>(user); }
std::string_view text(const uint8_t* data, size_t size) { return {reinterpret_cast<const char*>(data), size}; }

void H2Session::install(nghttp2_session_callbacks* c) {
  nghttp2_session_callbacks_set_on_begin_headers_callback(
      c, [](nghttp2_session*, const nghttp2_frame* frame, void* user) { return self_of(user).begin_headers(*frame); });
  nghttp2_session_callbacks_set_on_header_callback(
      c, [](nghttp2_session*, const nghttp2_frame* frame, const uint8_t* name, size_t name_size, const uint8_t* value,
            size_t value_size, uint8_t,
            void* user) { return self_of(user).header(*frame, text(name, name_size), text(value, value_size)); });
  nghttp2_session_callbacks_set_on_data_chunk_recv_callback(
      c, [](nghttp2_session*, uint8_t, int32_t stream_id, const uint8_t* data, size_t size, void* user) {
        return self_of(user).data_chunk(stream_id, text(data, size));
      });
  nghttp2_session_callbacks_set_on_frame_recv_callback(
      c, [](nghttp2_session*, const nghttp2_frame* frame, void* user) { return self_of(user).frame_received(*frame); });
  nghttp2_session_callbacks_set_on_stream_close_callback(
      c,
      [](nghttp2_session*, int32_t stream_id, uint32_t, void* user) { return self_of(user).stream_closed(stream_id); });
  nghttp2_session_callbacks_set_send_data_callback(c, [](nghttp2_session*, nghttp2_frame*, const uint8_t* frame_header,
                                                         size_t length, nghttp2_data_source* source, void* user) {
    return self_of(user).send_data(*static_cast<Exchange*>(source->ptr), frame_header, length);
  });
}

void H2Session::open_session() {
  nghttp2_session_callbacks* callbacks = nullptr;
  nghttp2_session_callbacks_new(&callbacks);
  install(callbacks);
  nghttp2_option* option = nullptr;
  nghttp2_option_new(&option);
  nghttp2_option_set_no_closed_streams(option, 1);
  CHECK(nghttp2_session_server_new2(&session_, callbacks, this, option) == 0);
  nghttp2_option_del(option);
  nghttp2_session_callbacks_del(callbacks);
  const nghttp2_settings_entry settings[] = {
      {NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, options().max_concurrent_streams},
      {NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, kStreamWindowBytes},
      {NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE, static_cast<uint32_t>(options().max_header_bytes)},
      {NGHTTP2_SETTINGS_NO_RFC7540_PRIORITIES, 1},
  };
  nghttp2_submit_settings(session_, NGHTTP2_FLAG_NONE, settings, std::size(settings));
  nghttp2_session_set_local_window_size(session_, NGHTTP2_FLAG_NONE, 0, kConnectionWindowBytes);
  host_.link().flush_later();
}

void H2Session::on_data(std::string_view bytes) {
  if (failed_) return;
  last_activity_ = now();
  const ssize_t used = nghttp2_session_mem_recv(session_, reinterpret_cast<const uint8_t*>(bytes.data()), bytes.size());
  if (used < 0) {
    failed_ = true;  // not HTTP/2 any more; a GOAWAY that nghttp2 queued is still sent
    host_.link().close_when_flushed();
    return;
  }
  host_.link().flush_later();
}

void H2Session::produce(std::string& out, size_t target) {
  out_ = &out;
  out_target_ = target;
  while (out.size() < target) {
    const uint8_t* data = nullptr;
    const size_t before = out.size();
    const ssize_t size = nghttp2_session_mem_send(session_, &data);
    if (size < 0) {
      failed_ = true;
      host_.link().close_when_flushed();
      break;
    }
    out.append(reinterpret_cast<const char*>(data), static_cast<size_t>(size));
    if (out.size() == before) break;
  }
  out_ = nullptr;
}

void H2Session::on_flushed() {
  if (!failed_ && !nghttp2_session_want_read(session_) && !nghttp2_session_want_write(session_)) {
    host_.link().close_when_flushed();
  }
}

// The connection closes when its last stream has ended (on_flushed sees that nghttp2 wants no more).
void H2Session::go_away() {
  nghttp2_submit_goaway(session_, NGHTTP2_FLAG_NONE, nghttp2_session_get_last_proc_stream_id(session_),
                        NGHTTP2_NO_ERROR, nullptr, 0);
  host_.link().flush_later();
}

void H2Session::shut_down() {
  go_away();
  for (const auto& exchange : exchanges_) {
    if (exchange->streaming()) exchange->notify_stopping();
  }
}

void H2Session::cut_off() {
  auto exchanges = std::move(exchanges_);
  exchanges_.clear();
  for (auto& exchange : exchanges) exchange->end(Exchange::End::kCutOff);
}

base::MonoTime H2Session::next_deadline() const {
  const auto& limits = host_.shared().options;
  if (exchanges_.empty()) return last_activity_ + limits.idle_timeout;
  auto next = base::MonoTime::max();
  if (incomplete_ == 0 && waiting_ == 0) return next;
  for (const auto& exchange : exchanges_) {
    if (!exchange->request_complete) next = std::min(next, exchange->began + limits.body_timeout);
    if (exchange->pending() > 0) next = std::min(next, exchange->last_progress + limits.write_stall_timeout);
  }
  return next;
}

void H2Session::check_deadlines(base::MonoTime now) {
  const auto& limits = options();
  auto& shared_refusals = host_.shared().requests_refused;
  if (exchanges_.empty() && last_activity_ + limits.idle_timeout <= now) {
    go_away();
    last_activity_ = now;
  }
  for (const auto& exchange : exchanges_) {
    const bool slow_request = !exchange->request_complete && exchange->began + limits.body_timeout <= now;
    const bool stalled = exchange->pending() > 0 && exchange->last_progress + limits.write_stall_timeout <= now;
    if (!slow_request && !stalled) continue;
    shared_refusals.fetch_add(1, std::memory_order_relaxed);
    reset(*exchange, NGHTTP2_CANCEL);
  }
  host_.link().flush_later();
}

void H2Session::reset(Exchange& exchange, uint32_t code) {
  nghttp2_submit_rst_stream(session_, NGHTTP2_FLAG_NONE, exchange.stream_id, code);
  host_.link().flush_later();
}

void H2Session::exchange_dropped(Exchange& exchange) {
  if (exchange.has_head()) {
    exchange.abort();
  } else {
    refuse(host_.shared(), exchange, 500, "the request was dropped without an answer");
  }
}

void H2Session::exchange_changed(Exchange& exchange) {
  if (exchange.aborted()) {
    reset(exchange, NGHTTP2_INTERNAL_ERROR);
    return;
  }
  if (!exchange.head_sent && exchange.has_head()) {
    submit_head(exchange);
  } else if (exchange.deferred) {
    exchange.deferred = false;
    nghttp2_session_resume_data(session_, exchange.stream_id);
  }
  recount(exchange);
  if (!out_) host_.link().flush_later();
}

void H2Session::recount(Exchange& exchange) {
  const bool waits = exchange.pending() > 0;
  if (waits == exchange.counted) return;
  exchange.counted = waits;
  waiting_ += waits ? 1 : -1;
}

void H2Session::submit_head(Exchange& exchange) {
  exchange.head_sent = true;
  const int status = exchange.status();
  const std::string status_text = std::to_string(status);
  const std::string length = std::to_string(exchange.whole_size());
  const bool bodiless = status == 204 || status == 304 || exchange.request->method == "HEAD";
  std::vector<nghttp2_nv> fields;
  fields.reserve(exchange.headers().size() + 3);
  fields.push_back(make_nv(":status", status_text));
  for (const auto& field : exchange.headers()) {
    if (!is_connection_header(field.name)) fields.push_back(make_nv(field.name, field.value));
  }
  if (!find_header(exchange.headers(), "date")) fields.push_back(make_nv("date", date_.now()));
  if (exchange.whole() && status != 204 && status != 304 && !find_header(exchange.headers(), "content-length")) {
    fields.push_back(make_nv("content-length", length));
  }
  nghttp2_data_provider provider;
  provider.source.ptr = &exchange;
  provider.read_callback = [](nghttp2_session*, int32_t, uint8_t*, size_t limit, uint32_t* flags,
                              nghttp2_data_source* source, void* user) {
    return self_of(user).read_source(*static_cast<Exchange*>(source->ptr), limit, flags);
  };
  if (bodiless) exchange.drop_pending();
  const bool no_body = bodiless || (exchange.complete() && exchange.pending() == 0);
  nghttp2_submit_response(session_, exchange.stream_id, fields.data(), fields.size(), no_body ? nullptr : &provider);
  exchange.headers() = {};
}

ssize_t H2Session::read_source(Exchange& exchange, size_t limit, uint32_t* flags) {
  const size_t size = std::min(limit, exchange.pending());
  if (size == 0 && !exchange.complete()) {
    exchange.deferred = true;
    return NGHTTP2_ERR_DEFERRED;
  }
  *flags |= NGHTTP2_DATA_FLAG_NO_COPY;
  if (size == exchange.pending() && exchange.complete()) *flags |= NGHTTP2_DATA_FLAG_EOF;
  return static_cast<ssize_t>(size);
}

int H2Session::send_data(Exchange& exchange, const uint8_t* frame_header, size_t length) {
  if (out_->size() >= out_target_) return NGHTTP2_ERR_WOULDBLOCK;
  out_->append(reinterpret_cast<const char*>(frame_header), 9);
  while (length > 0) {
    const std::string_view piece = exchange.front().substr(0, length);
    out_->append(piece);
    length -= piece.size();
    exchange.consume(piece.size());
  }
  recount(exchange);
  return 0;
}

int H2Session::begin_headers(const nghttp2_frame& frame) {
  if (frame.hd.type != NGHTTP2_HEADERS || frame.headers.cat != NGHTTP2_HCAT_REQUEST) return 0;
  auto exchange = std::make_shared<Exchange>(host_.loop_pointer(), this);
  exchange->request = std::make_shared<Request>();
  exchange->request->version = HttpVersion::kHttp2;
  exchange->request->connection = host_.info();
  exchange->request->peer = host_.info()->peer;
  exchange->request->headers.reserve(8);
  exchange->stream_id = frame.hd.stream_id;
  exchange->began = now();
  exchange->index = exchanges_.size();
  nghttp2_session_set_stream_user_data(session_, frame.hd.stream_id, exchange.get());
  exchanges_.push_back(std::move(exchange));
  ++incomplete_;
  return 0;
}

int H2Session::header(const nghttp2_frame& frame, std::string_view name, std::string_view value) {
  if (frame.headers.cat != NGHTTP2_HCAT_REQUEST) return 0;  // trailers
  Exchange* exchange = find(frame.hd.stream_id);
  if (!exchange || exchange->refused || exchange->request_complete) return 0;
  exchange->header_bytes += name.size() + value.size() + 32;  // RFC 9113 6.5.2 counts so
  if (exchange->header_bytes > options().max_header_bytes) {
    refuse(host_.shared(), *exchange, 431, "the request's headers are too large");
    return 0;
  }
  Request& request = *exchange->request;
  if (name == ":method") {
    request.method = value;
  } else if (name == ":path") {
    request.target = value;
  } else if (name == ":authority") {
    request.host = value;
  } else if (!name.starts_with(':')) {
    if (name == "host" && request.host.empty()) request.host = value;
    request.headers.push_back({std::string(name), std::string(value)});
  }
  return 0;
}

int H2Session::data_chunk(int32_t stream_id, std::string_view data) {
  Exchange* exchange = find(stream_id);
  if (!exchange || exchange->request_complete) return 0;
  if (exchange->refused) {
    // A reset now would be allowed (RFC 9113 8.1), but some clients then forget the answer: let them come to an end.
    exchange->ignored_bytes += data.size();
    if (exchange->ignored_bytes > kMaxIgnoredBodyBytes) reset(*exchange, NGHTTP2_NO_ERROR);
    return 0;
  }
  std::string& body = exchange->request->body;
  if (body.size() + data.size() > options().max_request_body_bytes) {
    bodies_.release(body.size());
    body = {};
    refuse(host_.shared(), *exchange, 413, "the request's body is too large");
    return 0;
  }
  if (!bodies_.take(data.size())) {
    exchange->refused = true;
    host_.shared().requests_refused.fetch_add(1, std::memory_order_relaxed);
    bodies_.release(body.size());
    body = {};
    reset(*exchange, NGHTTP2_ENHANCE_YOUR_CALM);
    return 0;
  }
  body += data;
  return 0;
}

int H2Session::frame_received(const nghttp2_frame& frame) {
  if (frame.hd.type != NGHTTP2_HEADERS && frame.hd.type != NGHTTP2_DATA) return 0;
  Exchange* exchange = find(frame.hd.stream_id);
  if (!exchange || exchange->request_complete) return 0;
  if (frame.hd.flags & NGHTTP2_FLAG_END_STREAM) {
    exchange->request_complete = true;
    --incomplete_;
    if (!exchange->refused) bodies_.release(exchange->request->body.size());
    if (!exchange->refused) dispatch(*exchange);
    return 0;
  }
  if (frame.hd.type == NGHTTP2_HEADERS && exchange->request->header("expect") == "100-continue") {
    const nghttp2_nv status = make_nv(":status", "100");
    nghttp2_submit_headers(session_, NGHTTP2_FLAG_NONE, frame.hd.stream_id, nullptr, &status, 1, nullptr);
  }
  return 0;
}

void H2Session::dispatch(Exchange& exchange) {
  auto& shared = host_.shared();
  shared.requests.fetch_add(1, std::memory_order_relaxed);
  const auto keep = exchange.shared_from_this();
  shared.options.handler->handle(exchange.request, exchange.make_writer());
}

int H2Session::stream_closed(int32_t stream_id) {
  if (Exchange* exchange = find(stream_id)) remove(*exchange, Exchange::End::kCutOff);
  return 0;
}

void H2Session::remove(Exchange& exchange, Exchange::End how) {
  if (!exchange.request_complete) {
    --incomplete_;
    if (!exchange.refused) bodies_.release(exchange.request->body.size());
  }
  if (exchanges_.empty()) return;  // being cut off
  last_activity_ = now();
  if (exchange.counted) --waiting_;
  const size_t index = exchange.index;
  const auto keep = std::move(exchanges_[index]);
  if (index + 1 != exchanges_.size()) {
    exchanges_[index] = std::move(exchanges_.back());
    exchanges_[index]->index = index;
  }
  exchanges_.pop_back();
  keep->end(how);
}

}  // namespace

std::unique_ptr<ServerSession> make_h2_session(SessionHost& host) { return std::make_unique<H2Session>(host); }

}  // namespace net
