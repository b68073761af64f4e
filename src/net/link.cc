#include "net/link.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstring>

#include "net/tls_context.h"

namespace net {

namespace {
constexpr size_t kReadBytes = 64 * 1024;
constexpr size_t kFlushBytes = 256 * 1024;  // sent at once
constexpr size_t kRecordBytes = 16 * 1024;  // of plaintext, in a full TLS record
constexpr size_t kStepBytes = 2 * kRecordBytes;
constexpr int kReadsPerEvent = 4;  // then other connections get their turn
constexpr int kFlushesPerEvent = 4;
constexpr auto kLinger = std::chrono::milliseconds(500);
}  // namespace

void tune_socket(int fd, std::chrono::milliseconds stall_timeout) {
  const auto set = [fd](int level, int name, int value) { ::setsockopt(fd, level, name, &value, sizeof value); };
  set(IPPROTO_TCP, TCP_NODELAY, 1);
  set(SOL_SOCKET, SO_KEEPALIVE, 1);
  set(IPPROTO_TCP, TCP_KEEPIDLE, 30);
  set(IPPROTO_TCP, TCP_KEEPINTVL, 15);
  set(IPPROTO_TCP, TCP_KEEPCNT, 4);
  set(IPPROTO_TCP, TCP_USER_TIMEOUT, static_cast<int>(stall_timeout.count()));
}

// OpenSSL's view of the socket: reads from what the link just received, writes to the loop's buffer for ciphertext. So
// a write never blocks inside OpenSSL, and many records leave with one system call.
struct LinkBio {
  static int read(BIO* bio, char* out, int size) {
    auto* link = static_cast<Link*>(BIO_get_data(bio));
    BIO_clear_retry_flags(bio);
    if (link->received_.empty()) {
      BIO_set_retry_read(bio);
      return -1;
    }
    const size_t count = std::min(static_cast<size_t>(size), link->received_.size());
    std::memcpy(out, link->received_.data(), count);
    link->received_.remove_prefix(count);
    return static_cast<int>(count);
  }
  static int write(BIO* bio, const char* in, int size) {
    auto* link = static_cast<Link*>(BIO_get_data(bio));
    BIO_clear_retry_flags(bio);
    link->loop_->scratch().cipher.append(in, static_cast<size_t>(size));
    return size;
  }
  static long control(BIO*, int command, long, void*) { return command == BIO_CTRL_FLUSH ? 1 : 0; }

  // One method table per program; OpenSSL needs it to outlive every BIO.
  static const BIO_METHOD* method() {
    static const BIO_METHOD* const kMethod = [] {
      BIO_METHOD* made = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "keelson link");
      BIO_meth_set_read(made, read);
      BIO_meth_set_write(made, write);
      BIO_meth_set_ctrl(made, control);
      return made;
    }();
    return kMethod;
  }
};

Link::Link(std::shared_ptr<Loop> loop, int fd, std::shared_ptr<const TlsContext> tls)
    : loop_(std::move(loop)), tls_(std::move(tls)), watch_(loop_->watch(fd)) {
  if (!tls_) return;
  ssl_ = SSL_new(tls_->native());
  BIO* bio = BIO_new(LinkBio::method());
  BIO_set_data(bio, this);
  BIO_set_init(bio, 1);
  SSL_set_bio(ssl_, bio, bio);
  handshaking_ = true;
  if (tls_->side() == TlsContext::Side::kServer) {
    SSL_set_accept_state(ssl_);
  } else {
    SSL_set_connect_state(ssl_);
  }
}

Link::~Link() {
  watch_->close();
  SSL_free(ssl_);
}

int Link::fd() const { return watch_->fd(); }

void Link::set_server_name(const std::string& name) {
  if (!ssl_) return;
  const std::string& wanted = tls_->server_name().empty() ? name : tls_->server_name();
  const bool is_address = SocketAddress::parse(wanted, 0).has_value();
  if (!is_address) SSL_set_tlsext_host_name(ssl_, wanted.c_str());
  if (tls_->verification() == ServerVerification::kInsecure) return;
  if (is_address) {
    X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl_), wanted.c_str());
  } else {
    SSL_set1_host(ssl_, wanted.c_str());
  }
}

void Link::start(std::shared_ptr<Owner> owner) {
  owner_ = std::move(owner);
  const auto self = shared_from_this();
  if (!handshaking_) {
    opened_ = true;
    owner_->on_link_open("");
  } else if (tls_->side() == TlsContext::Side::kClient) {
    continue_handshake();
  }
  wait_readable();
}

void Link::wait_readable() {
  if (closed_ || wait_pending_ || reading_paused_) return;
  wait_pending_ = true;
  watch_->wait_readable([self = shared_from_this()] {
    self->wait_pending_ = false;
    self->on_readable();
  });
}

void Link::resume_reading() {
  reading_paused_ = false;
  wait_readable();
}

void Link::on_readable() {
  for (int i = 0; i < kReadsPerEvent; ++i) {
    const ReadOutcome outcome = closed_ || reading_paused_ ? ReadOutcome::kBlocked : read_once();
    if (outcome == ReadOutcome::kEnded) return;
    if (outcome == ReadOutcome::kBlocked) break;
  }
  wait_readable();
}

Link::ReadOutcome Link::read_once() {
  auto& buffer = loop_->scratch().received;
  buffer.resize(kReadBytes);
  const ssize_t count = ::recv(watch_->fd(), buffer.data(), kReadBytes, 0);
  if (count < 0 && (errno == EAGAIN || errno == EINTR)) return ReadOutcome::kBlocked;
  if (count <= 0) {
    close(count == 0 ? "the peer closed the connection" : std::strerror(errno));
    return ReadOutcome::kEnded;
  }
  if (!draining_) {
    received_ = std::string_view(buffer.data(), static_cast<size_t>(count));
    if (!ssl_) {
      owner_->on_link_data(std::exchange(received_, {}));
    } else if (!handshaking_ || continue_handshake()) {
      deliver_decrypted();
    }
    received_ = {};
  }
  if (closed_) return ReadOutcome::kEnded;
  return static_cast<size_t>(count) == kReadBytes ? ReadOutcome::kMore : ReadOutcome::kBlocked;
}

// True when the handshake is complete.
bool Link::continue_handshake() {
  if (tls_->side() == TlsContext::Side::kServer && !received_.empty() && SSL_get_state(ssl_) == TLS_ST_BEFORE &&
      received_[0] >= 'A' && received_[0] <= 'Z') {
    reject_plain_http();
    return false;
  }
  auto& cipher = loop_->scratch().cipher;
  cipher.clear();
  ERR_clear_error();
  const int done = SSL_do_handshake(ssl_);
  const int error = SSL_get_error(ssl_, done);
  if (!cipher.empty()) send_or_keep(cipher);
  if (done == 1) {
    handshaking_ = false;
    opened_ = true;
    const unsigned char* protocol = nullptr;
    unsigned int size = 0;
    SSL_get0_alpn_selected(ssl_, &protocol, &size);
    owner_->on_link_open(std::string_view(reinterpret_cast<const char*>(protocol), size));
    return !closed_;
  }
  if (error != SSL_ERROR_WANT_READ && !closed_) {
    const long verdict = SSL_get_verify_result(ssl_);
    const bool untrusted = tls_->side() == TlsContext::Side::kClient && verdict != X509_V_OK;
    const std::string detail = untrusted ? X509_verify_cert_error_string(verdict) : openssl_error();
    close("TLS handshake: " + detail);
  }
  return false;
}

// Compat: Go's answer to plain HTTP on a TLS port.
void Link::reject_plain_http() {
  received_ = {};
  send_or_keep("HTTP/1.0 400 Bad Request\r\n\r\nClient sent an HTTP request to an HTTPS server.\n");
  closing_ = true;
  if (!closed_ && unsent_.empty()) finish_closing();
}

void Link::deliver_decrypted() {
  auto& plain = loop_->scratch().plain;
  auto& cipher = loop_->scratch().cipher;
  plain.resize(kReadBytes);
  bool more = true;
  while (more && !closed_) {
    size_t filled = 0;
    std::string ended;
    cipher.clear();
    ERR_clear_error();
    while (filled + 16 * 1024 <= kReadBytes) {
      size_t count = 0;
      const int ok = SSL_read_ex(ssl_, plain.data() + filled, kReadBytes - filled, &count);
      if (ok == 1) {
        filled += count;
        continue;
      }
      const int error = SSL_get_error(ssl_, ok);
      if (error == SSL_ERROR_ZERO_RETURN) {
        ended = "the peer closed the connection";
      } else if (error != SSL_ERROR_WANT_READ) {
        ended = "TLS: " + openssl_error();
      }
      more = false;
      break;
    }
    if (!cipher.empty()) send_or_keep(cipher);  // a key update's answer, an alert
    if (filled > 0 && !closed_ && !draining_) owner_->on_link_data(std::string_view(plain.data(), filled));
    if (!ended.empty()) close(ended);
  }
}

void Link::flush_later() {
  if (flush_scheduled_ || closed_) return;
  flush_scheduled_ = true;
  loop_->defer([self = shared_from_this()] {
    self->flush_scheduled_ = false;
    self->flush();
  });
}

void Link::flush() {
  if (closed_ || !opened_ || draining_ || !unsent_.empty()) return;
  const auto self = shared_from_this();
  for (int i = 0; i < kFlushesPerEvent; ++i) {
    const std::string_view bytes = ssl_ ? encrypt_output() : plain_output();
    if (closed_) return;
    if (bytes.empty()) {
      owner_->on_link_flushed();
      if (closing_ && !closed_) finish_closing();
      return;
    }
    if (!send_or_keep(bytes)) return;
  }
  loop_->post([self] { self->flush(); });  // others get their turn
}

std::string_view Link::plain_output() {
  auto& output = loop_->scratch().output;
  output.clear();
  owner_->produce(output, kFlushBytes);
  return output;
}

// A few records at a time, so that what was produced is still in the processor's cache when it is encrypted. Records
// are full but for the last.
std::string_view Link::encrypt_output() {
  auto& [received, plain, output, cipher] = loop_->scratch();
  output.clear();
  cipher.clear();
  for (bool last = false; !last && !closed_;) {
    owner_->produce(output, kStepBytes);
    if (closed_) break;
    last = output.size() < kStepBytes || cipher.size() + output.size() >= kFlushBytes;
    const size_t size = last ? output.size() : output.size() - output.size() % kRecordBytes;
    encrypt(std::string_view(output).substr(0, size));
    output.erase(0, size);
  }
  return cipher;
}

void Link::encrypt(std::string_view plain) {
  ERR_clear_error();
  while (!plain.empty()) {
    size_t written = 0;
    if (SSL_write_ex(ssl_, plain.data(), plain.size(), &written) != 1) {
      close("TLS: " + openssl_error());
      return;
    }
    plain.remove_prefix(written);
  }
}

bool Link::send_or_keep(std::string_view bytes) {
  if (closed_) return false;
  if (!unsent_.empty()) {
    unsent_ += bytes;
    return false;
  }
  while (!bytes.empty()) {
    const ssize_t count = ::send(watch_->fd(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0 && errno != EAGAIN) {
      close(std::strerror(errno));
      return false;
    }
    if (count < 0) {
      unsent_ = bytes;
      watch_->wait_writable([self = shared_from_this()] { self->on_writable(); });
      return false;
    }
    bytes.remove_prefix(static_cast<size_t>(count));
  }
  return true;
}

void Link::on_writable() {
  if (closed_) return;
  std::string kept;
  kept.swap(unsent_);
  if (!send_or_keep(kept)) return;
  if (!opened_) {
    if (closing_) finish_closing();
    return;
  }
  flush();
}

void Link::close_when_flushed() {
  closing_ = true;
  flush_later();
}

void Link::finish_closing() {
  if (draining_) return;
  draining_ = true;
  if (ssl_ && opened_) {
    loop_->scratch().cipher.clear();
    SSL_shutdown(ssl_);
    if (!send_or_keep(loop_->scratch().cipher) && closed_) return;
  }
  ::shutdown(watch_->fd(), SHUT_WR);
  linger_timer_ = loop_->run_after(kLinger, [self = shared_from_this()] {
    self->linger_timer_ = 0;
    self->close("closed");
  });
  if (reading_paused_) resume_reading();
}

void Link::close(const std::string& why) {
  if (closed_) return;
  closed_ = true;
  if (linger_timer_ != 0) loop_->cancel(linger_timer_);
  watch_->close();
  unsent_ = {};
  if (const auto owner = std::move(owner_)) owner->on_link_closed(why);
}

}  // namespace net
