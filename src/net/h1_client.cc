// HTTP/1.1 on a client connection: one call at a time.
#include <http_parser.h>

#include "net/client_session.h"

namespace net {

namespace {

constexpr size_t kMaxResponseHeaderBytes = 256 * 1024;

class H1Client final : public ClientSession {
 public:
  explicit H1Client(SessionContext context) : context_(std::move(context)) {
    http_parser_init(&parser_, HTTP_RESPONSE);
    parser_.data = this;
  }

  void on_data(std::string_view bytes) override;
  void produce(std::string& out, size_t target) override;
  size_t capacity() const override { return call_ || broken_ ? 0 : 1; }
  size_t open_calls() const override { return call_ ? 1 : 0; }
  void submit(std::shared_ptr<ClientCall> call) override;
  void cancel(ClientCall& call) override;
  void connection_lost(const std::string& why) override;

 private:
  static H1Client& self(http_parser* parser) { return *static_cast<H1Client*>(parser->data); }
  static const http_parser_settings& settings();
  int add(std::string& to, const char* data, size_t size);
  int headers_complete();
  int message_complete();
  void write_head(std::string& out);

  SessionContext context_;
  http_parser parser_;
  std::shared_ptr<ClientCall> call_;
  size_t header_bytes_ = 0;
  bool in_value_ = false;
  bool in_headers_ = false;
  bool head_written_ = false;
  bool keep_alive_ = true;
  bool broken_ = false;  // no further calls on this connection
};

const http_parser_settings& H1Client::settings() {
  static constexpr http_parser_settings kSettings = {
      .on_message_begin =
          [](http_parser* p) {
            auto& session = self(p);
            session.header_bytes_ = 0;
            session.in_value_ = false;
            session.in_headers_ = true;
            if (session.call_) session.call_->response_headers.clear();
            return session.call_ ? 0 : 1;
          },
      .on_url = nullptr,
      .on_status = nullptr,
      .on_header_field =
          [](http_parser* p, const char* data, size_t size) {
            auto& session = self(p);
            if (!session.call_ || !session.in_headers_) return 0;
            auto& headers = session.call_->response_headers;
            if (session.in_value_ || headers.empty()) headers.emplace_back();
            session.in_value_ = false;
            return session.add(headers.back().name, data, size);
          },
      .on_header_value =
          [](http_parser* p, const char* data, size_t size) {
            auto& session = self(p);
            if (!session.call_ || !session.in_headers_) return 0;
            session.in_value_ = true;
            return session.add(session.call_->response_headers.back().value, data, size);
          },
      .on_headers_complete = [](http_parser* p) { return self(p).headers_complete(); },
      .on_body =
          [](http_parser* p, const char* data, size_t size) {
            auto& session = self(p);
            if (session.call_) session.context_.sink.call_data(*session.call_, {data, size});
            return session.call_ ? 0 : 1;
          },
      .on_message_complete = [](http_parser* p) { return self(p).message_complete(); },
      .on_chunk_header = nullptr,
      .on_chunk_complete = nullptr,
  };
  return kSettings;
}

int H1Client::add(std::string& to, const char* data, size_t size) {
  header_bytes_ += size;
  if (header_bytes_ > kMaxResponseHeaderBytes) return 1;
  to.append(data, size);
  return 0;
}

int H1Client::headers_complete() {
  in_headers_ = false;
  if (!call_) return -1;
  parser_.upgrade = 0;
  if (parser_.status_code < 200) return 1;  // informational: the answer is still to come
  call_->status = parser_.status_code;
  call_->answered = true;
  keep_alive_ = http_should_keep_alive(&parser_) != 0;
  const bool head = call_->request.method == "HEAD";
  context_.sink.call_headers(*call_);
  return head ? 1 : 0;
}

int H1Client::message_complete() {
  if (!call_) return 1;
  if (parser_.status_code < 200) return 0;
  const auto call = std::move(call_);
  call_ = nullptr;
  call->response_complete = true;
  // An answer that came before the whole request leaves the connection in no known state.
  if (!keep_alive_ || call->body_left() > 0) broken_ = true;
  context_.sink.call_finished(call);
  return 0;
}

void H1Client::on_data(std::string_view bytes) {
  const size_t used = http_parser_execute(&parser_, &settings(), bytes.data(), bytes.size());
  const auto error = HTTP_PARSER_ERRNO(&parser_);
  if (error != HPE_OK || used != bytes.size()) {
    broken_ = true;
    if (const auto call = std::move(call_)) {
      context_.sink.call_lost(call, CallSink::Lost::kProtocol,
                              std::string("malformed HTTP response: ") + http_errno_description(error));
    }
  }
  if (broken_ && !call_) context_.link.close("the connection is not kept");
}

void H1Client::submit(std::shared_ptr<ClientCall> call) {
  call_ = std::move(call);
  call_->version = HttpVersion::kHttp11;
  head_written_ = false;
  context_.link.flush_later();
}

void H1Client::write_head(std::string& out) {
  const ClientRequest& request = call_->request;
  out.append(request.method).append(" ").append(request.target).append(" HTTP/1.1\r\nHost: ");
  out.append(context_.authority).append("\r\n");
  for (const auto& field : request.headers) out.append(field.name).append(": ").append(field.value).append("\r\n");
  if (!request.body.empty() || request.method == "POST" || request.method == "PUT" || request.method == "PATCH") {
    out.append("Content-Length: ").append(std::to_string(request.body.size())).append("\r\n");
  }
  out += "\r\n";
  head_written_ = true;
  call_->sent = true;
}

void H1Client::produce(std::string& out, size_t target) {
  if (!call_) return;
  if (!head_written_) write_head(out);
  if (out.size() < target && call_->body_left() > 0) call_->take_body(out, target - out.size());
}

void H1Client::cancel(ClientCall& call) {
  if (call_.get() != &call) return;
  call_ = nullptr;
  broken_ = true;
  // Not at once: cancel may come from a callback of the running parse.
  context_.link.loop().defer([link = context_.link.shared_from_this()] { link->close("the request was cancelled"); });
}

void H1Client::connection_lost(const std::string& why) {
  broken_ = true;
  if (!call_) return;
  // A body without a length ends with the connection.
  http_parser_execute(&parser_, &settings(), nullptr, 0);
  if (const auto call = std::move(call_)) {
    context_.sink.call_lost(call, call->sent ? CallSink::Lost::kUnknown : CallSink::Lost::kNotProcessed, why);
  }
}

}  // namespace

std::unique_ptr<ClientSession> make_h1_client(SessionContext context) {
  return std::make_unique<H1Client>(std::move(context));
}

}  // namespace net
