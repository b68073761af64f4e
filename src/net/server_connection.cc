#include "net/server_connection.h"

#include <ctime>

#include "net/http.h"
#include "net/tls_context.h"

namespace net {

std::string_view DateCache::now() {
  const std::time_t second = std::time(nullptr);
  if (second != second_) {
    second_ = second;
    text_ = http_date(std::chrono::sys_seconds(std::chrono::seconds(second)));
  }
  return text_;
}

ErrorResponse ServerShared::error_response(int status, std::string_view message, const Request* request) const {
  if (options.error_responder) return options.error_responder(status, message, request);
  return {"text/plain; charset=utf-8",
          std::to_string(status) + " " + std::string(status_phrase(status)) + ": " + std::string(message) + "\n"};
}

bool BodyBudget::take(size_t bytes) {
  if (held_ + bytes > kMaxPendingBodyBytes) return false;
  if (shared_.pending_body_bytes.fetch_add(bytes, std::memory_order_relaxed) + bytes > kMaxServerPendingBodyBytes) {
    shared_.pending_body_bytes.fetch_sub(bytes, std::memory_order_relaxed);
    return false;
  }
  held_ += bytes;
  return true;
}

void BodyBudget::release(size_t bytes) {
  held_ -= bytes;
  shared_.pending_body_bytes.fetch_sub(bytes, std::memory_order_relaxed);
}

void refuse(ServerShared& shared, Exchange& exchange, int status, std::string_view message) {
  shared.requests_refused.fetch_add(1, std::memory_order_relaxed);
  exchange.refused = true;
  ErrorResponse response = shared.error_response(status, message, exchange.request.get());
  exchange.send(status, {{"content-type", std::move(response.content_type)}}, std::move(response.body));
}

ServerConnection::ServerConnection(std::shared_ptr<ServerShared> shared, std::shared_ptr<Loop> loop, ConnectionSet& set)
    : shared_(std::move(shared)), loop_(std::move(loop)), set_(&set) {}

void ServerConnection::start(int fd, std::shared_ptr<const TlsContext> tls, std::string remote, std::string local) {
  auto info = std::make_shared<ConnectionInfo>();
  info->remote_address = std::move(remote);
  info->local_address = std::move(local);
  info_ = std::move(info);
  accepted_ = std::chrono::steady_clock::now();
  link_ = std::make_shared<Link>(loop_, fd, std::move(tls));
  link_->start(shared_from_this());
  update_deadline();
}

void ServerConnection::on_link_open(std::string_view protocol) {
  if (link_->ssl()) {
    auto info = std::make_shared<ConnectionInfo>(*info_);
    describe_peer(link_->ssl(), *info);
    info_ = std::move(info);
  }
  if (protocol == "h2") {
    session_ = make_h2_session(*this);
  } else if (!protocol.empty()) {
    session_ = make_h1_session(*this);
  }
  if (session_ && shared_->stopping.load(std::memory_order_relaxed)) session_->shut_down();
}

// Without ALPN a client that knows starts with HTTP/2's preface.
void ServerConnection::choose_plain_protocol(std::string_view bytes) {
  static constexpr std::string_view kPreface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
  sniffed_ += bytes;
  const size_t compared = std::min(sniffed_.size(), kPreface.size());
  const bool may_be_h2 = std::string_view(sniffed_).substr(0, compared) == kPreface.substr(0, compared);
  if (may_be_h2 && compared < kPreface.size()) return;
  session_ = may_be_h2 ? make_h2_session(*this) : make_h1_session(*this);
  std::string first;
  first.swap(sniffed_);
  session_->on_data(first);
}

void ServerConnection::on_link_data(std::string_view bytes) {
  if (session_) {
    session_->on_data(bytes);
  } else {
    choose_plain_protocol(bytes);
  }
  update_deadline();
}

void ServerConnection::produce(std::string& out, size_t target) {
  if (session_) session_->produce(out, target);
}

void ServerConnection::on_link_flushed() {
  if (session_) session_->on_flushed();
  if (!link_->closed()) update_deadline();
}

void ServerConnection::on_link_closed(const std::string&) {
  const auto self = shared_from_this();
  if (timer_ != 0) loop_->cancel(timer_);
  timer_ = 0;
  if (link_->handshaking()) shared_->handshake_errors.fetch_add(1, std::memory_order_relaxed);
  if (session_) session_->cut_off();
  shared_->open.fetch_sub(1, std::memory_order_relaxed);
  set_->connection_closed(index);
  // The session may be on the stack below: it goes when the batch is over.
  loop_->defer([self] { self->session_.reset(); });
}

void ServerConnection::shut_down() {
  if (session_) {
    session_->shut_down();
  } else {
    link_->close("the server is stopping");
  }
}

base::MonoTime ServerConnection::next_deadline() const {
  if (link_->handshaking()) return accepted_ + shared_->options.handshake_timeout;
  if (!session_) return accepted_ + shared_->options.header_timeout;
  return session_->next_deadline();
}

// The timer is only moved to an earlier time; when it fires too early it is armed again. So a busy connection touches
// no timer, and an idle one fires once per timeout.
void ServerConnection::update_deadline() {
  if (link_->closed()) return;
  const auto next = next_deadline();
  if (next >= armed_for_) return;
  if (timer_ != 0) loop_->cancel(timer_);
  armed_for_ = next;
  const auto delay = next - std::chrono::steady_clock::now();
  timer_ = loop_->run_after(std::max<base::Duration>(delay, base::Duration(0)), [self = shared_from_this()] {
    self->timer_ = 0;
    self->armed_for_ = base::MonoTime::max();
    self->on_deadline();
  });
}

void ServerConnection::on_deadline() {
  if (link_->closed()) return;
  const auto now = loop_->now();
  if (!session_) {
    if (next_deadline() <= now) link_->close("the client sent nothing");
  } else {
    session_->check_deadlines(now);
  }
  update_deadline();
}

}  // namespace net
