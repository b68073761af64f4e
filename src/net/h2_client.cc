// HTTP/2 on a client connection: calls become streams.
#include <nghttp2/nghttp2.h>

#include <algorithm>
#include <charconv>

#include "base/check.h"
#include "net/client_session.h"

namespace net {

namespace {

constexpr int32_t kClientStreamWindow = 1 << 20;
constexpr int32_t kClientConnectionWindow = 16 << 20;
constexpr size_t kStreamsBeforeSettings = 100;
constexpr size_t kMaxResponseHeaderBytes = 256 * 1024;
constexpr size_t kMaxRequestHeaderBytes = 1024 * 1024;  // the server says what it takes

nghttp2_nv make_nv(std::string_view name, std::string_view value) {
  return {reinterpret_cast<uint8_t*>(const_cast<char*>(name.data())),
          reinterpret_cast<uint8_t*>(const_cast<char*>(value.data())), name.size(), value.size(), NGHTTP2_NV_FLAG_NONE};
}
std::string_view text(const uint8_t* data, size_t size) { return {reinterpret_cast<const char*>(data), size}; }

class H2Client final : public ClientSession {
 public:
  explicit H2Client(SessionContext context) : context_(std::move(context)) { open_session(); }
  ~H2Client() override { nghttp2_session_del(session_); }

  void on_data(std::string_view bytes) override;
  void produce(std::string& out, size_t target) override;
  size_t capacity() const override;
  size_t open_calls() const override { return calls_.size(); }
  void submit(std::shared_ptr<ClientCall> call) override;
  void cancel(ClientCall& call) override;
  void connection_lost(const std::string& why) override;

 private:
  static H2Client& self(void* user) { return *static_cast<H2Client*>(user); }
  static void install(nghttp2_session_callbacks* callbacks);
  void open_session();
  ClientCall* find(int32_t stream_id) {
    return static_cast<ClientCall*>(nghttp2_session_get_stream_user_data(session_, stream_id));
  }
  std::shared_ptr<ClientCall> take(const ClientCall* call);
  int header(const nghttp2_frame& frame, std::string_view name, std::string_view value);
  int frame_received(const nghttp2_frame& frame);
  int stream_closed(int32_t stream_id, uint32_t code);

  SessionContext context_;
  nghttp2_session* session_ = nullptr;
  std::vector<std::shared_ptr<ClientCall>> calls_;
  std::vector<std::shared_ptr<ClientCall>> cancelled_;  // until nghttp2 lets go of them
  std::string body_scratch_;
  bool settings_received_ = false;
  bool going_away_ = false;
};

void H2Client::install(nghttp2_session_callbacks* c) {
  nghttp2_session_callbacks_set_on_header_callback(
      c, [](nghttp2_session*, const nghttp2_frame* frame, const uint8_t* name, size_t name_size, const uint8_t* value,
            size_t value_size, uint8_t,
            void* user) { return self(user).header(*frame, text(name, name_size), text(value, value_size)); });
  nghttp2_session_callbacks_set_on_data_chunk_recv_callback(
      c, [](nghttp2_session*, uint8_t, int32_t stream_id, const uint8_t* data, size_t size, void* user) {
        if (ClientCall* call = self(user).find(stream_id)) self(user).context_.sink.call_data(*call, text(data, size));
        return 0;
      });
  nghttp2_session_callbacks_set_on_frame_recv_callback(
      c, [](nghttp2_session*, const nghttp2_frame* frame, void* user) { return self(user).frame_received(*frame); });
  nghttp2_session_callbacks_set_on_frame_send_callback(c, [](nghttp2_session*, const nghttp2_frame* frame, void* user) {
    if (frame->hd.type != NGHTTP2_HEADERS) return 0;
    if (ClientCall* call = self(user).find(frame->hd.stream_id)) call->sent = true;
    return 0;
  });
  nghttp2_session_callbacks_set_on_stream_close_callback(
      c, [](nghttp2_session*, int32_t stream_id, uint32_t code, void* user) {
        return self(user).stream_closed(stream_id, code);
      });
}

void H2Client::open_session() {
  nghttp2_session_callbacks* callbacks = nullptr;
  nghttp2_session_callbacks_new(&callbacks);
  install(callbacks);
  nghttp2_option* option = nullptr;
  nghttp2_option_new(&option);
  nghttp2_option_set_no_closed_streams(option, 1);
  nghttp2_option_set_max_send_header_block_length(option, kMaxRequestHeaderBytes);
  CHECK(nghttp2_session_client_new2(&session_, callbacks, this, option) == 0);
  nghttp2_option_del(option);
  nghttp2_session_callbacks_del(callbacks);
  const nghttp2_settings_entry settings[] = {{NGHTTP2_SETTINGS_ENABLE_PUSH, 0},
                                             {NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, kClientStreamWindow},
                                             {NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE, kMaxResponseHeaderBytes}};
  nghttp2_submit_settings(session_, NGHTTP2_FLAG_NONE, settings, std::size(settings));
  nghttp2_session_set_local_window_size(session_, NGHTTP2_FLAG_NONE, 0, kClientConnectionWindow);
  context_.link.flush_later();
}

void H2Client::on_data(std::string_view bytes) {
  const ssize_t used = nghttp2_session_mem_recv(session_, reinterpret_cast<const uint8_t*>(bytes.data()), bytes.size());
  if (used < 0) {
    context_.link.close(std::string("HTTP/2: ") + nghttp2_strerror(static_cast<int>(used)));
    return;
  }
  if (going_away_ && calls_.empty()) {
    context_.link.close("the server asked to go away");
    return;
  }
  context_.link.flush_later();
}

void H2Client::produce(std::string& out, size_t target) {
  while (out.size() < target) {
    const uint8_t* data = nullptr;
    const ssize_t size = nghttp2_session_mem_send(session_, &data);
    if (size <= 0) {
      if (size < 0) context_.link.close_when_flushed();
      return;
    }
    out.append(reinterpret_cast<const char*>(data), static_cast<size_t>(size));
  }
}

size_t H2Client::capacity() const {
  if (going_away_ || nghttp2_session_check_request_allowed(session_) == 0) return 0;
  const size_t most = settings_received_
                          ? nghttp2_session_get_remote_settings(session_, NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS)
                          : kStreamsBeforeSettings;
  return most > calls_.size() ? most - calls_.size() : 0;
}

void H2Client::submit(std::shared_ptr<ClientCall> call) {
  std::vector<nghttp2_nv> fields;
  fields.reserve(call->request.headers.size() + 5);
  fields.push_back(make_nv(":method", call->request.method));
  fields.push_back(make_nv(":scheme", context_.link.ssl() ? "https" : "http"));
  fields.push_back(make_nv(":authority", context_.authority));
  fields.push_back(make_nv(":path", call->request.target));
  for (const auto& field : call->request.headers) fields.push_back(make_nv(field.name, field.value));
  const std::string length = std::to_string(call->request.body.size());
  if (!call->request.body.empty()) fields.push_back(make_nv("content-length", length));
  nghttp2_data_provider provider;
  provider.source.ptr = call.get();
  provider.read_callback = [](nghttp2_session*, int32_t, uint8_t* buffer, size_t limit, uint32_t* flags,
                              nghttp2_data_source* source, void* user) -> ssize_t {
    auto& sending = *static_cast<ClientCall*>(source->ptr);
    std::string& scratch = self(user).body_scratch_;
    scratch.clear();
    sending.take_body(scratch, limit);
    std::ranges::copy(scratch, reinterpret_cast<char*>(buffer));
    if (sending.body_left() == 0) *flags |= NGHTTP2_DATA_FLAG_EOF;
    return static_cast<ssize_t>(scratch.size());
  };
  const bool has_body = !call->request.body.empty();
  call->version = HttpVersion::kHttp2;
  call->stream_id = nghttp2_submit_request(session_, nullptr, fields.data(), fields.size(),
                                           has_body ? &provider : nullptr, call.get());
  if (call->stream_id < 0) {
    context_.sink.call_lost(call, CallSink::Lost::kNotProcessed, nghttp2_strerror(call->stream_id));
    return;
  }
  calls_.push_back(std::move(call));
  context_.link.flush_later();
}

std::shared_ptr<ClientCall> H2Client::take(const ClientCall* call) {
  const auto found = std::ranges::find(calls_, call, &std::shared_ptr<ClientCall>::get);
  if (found == calls_.end()) return nullptr;
  auto taken = std::move(*found);
  *found = std::move(calls_.back());
  calls_.pop_back();
  return taken;
}

void H2Client::cancel(ClientCall& call) {
  const auto taken = take(&call);
  if (!taken) return;
  // The body's source must not be read any more: the call may be gone by then.
  nghttp2_session_set_stream_user_data(session_, call.stream_id, nullptr);
  nghttp2_submit_rst_stream(session_, NGHTTP2_FLAG_NONE, call.stream_id, NGHTTP2_CANCEL);
  cancelled_.push_back(taken);
  context_.link.flush_later();
}

void H2Client::connection_lost(const std::string& why) {
  auto calls = std::move(calls_);
  calls_.clear();
  for (const auto& call : calls) {
    context_.sink.call_lost(call, call->sent ? CallSink::Lost::kUnknown : CallSink::Lost::kNotProcessed, why);
  }
}

int H2Client::header(const nghttp2_frame& frame, std::string_view name, std::string_view value) {
  ClientCall* call = find(frame.hd.stream_id);
  if (!call || call->answered) return 0;  // trailers
  if (name == ":status") {
    call->response_headers.clear();
    std::from_chars(value.data(), value.data() + value.size(), call->status);
  } else {
    call->response_headers.push_back({std::string(name), std::string(value)});
  }
  return 0;
}

int H2Client::frame_received(const nghttp2_frame& frame) {
  if (frame.hd.type == NGHTTP2_SETTINGS && !(frame.hd.flags & NGHTTP2_FLAG_ACK)) settings_received_ = true;
  if (frame.hd.type == NGHTTP2_GOAWAY) going_away_ = true;
  if (frame.hd.type != NGHTTP2_HEADERS && frame.hd.type != NGHTTP2_DATA) return 0;
  ClientCall* call = find(frame.hd.stream_id);
  if (!call) return 0;
  if (frame.hd.type == NGHTTP2_HEADERS && !call->answered && call->status >= 200) {
    call->answered = true;
    context_.sink.call_headers(*call);
  }
  if (frame.hd.flags & NGHTTP2_FLAG_END_STREAM) call->response_complete = true;
  return 0;
}

int H2Client::stream_closed(int32_t stream_id, uint32_t code) {
  std::erase_if(cancelled_, [&](const auto& call) { return call->stream_id == stream_id; });
  ClientCall* found = find(stream_id);
  const auto call = found ? take(found) : nullptr;
  if (!call) return 0;
  if (call->response_complete && call->answered) {
    context_.sink.call_finished(call);
  } else if (code == NGHTTP2_REFUSED_STREAM) {
    context_.sink.call_lost(call, CallSink::Lost::kNotProcessed, "the server refused the stream");
  } else {
    context_.sink.call_lost(call, CallSink::Lost::kUnknown,
                            std::string("the server reset the stream: ") + nghttp2_http2_strerror(code));
  }
  return 0;
}

}  // namespace

std::unique_ptr<ClientSession> make_h2_client(SessionContext context) {
  return std::make_unique<H2Client>(std::move(context));
}

}  // namespace net
