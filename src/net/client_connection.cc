#include "net/client_connection.h"

#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace net {

ClientConnection::ClientConnection(std::shared_ptr<Loop> loop, Pool& pool, CallSink& sink, Options options)
    : loop_(std::move(loop)), pool_(&pool), sink_(sink), options_(std::move(options)) {}

void ClientConnection::connect() {
  timer_ = loop_->run_after(options_.connect_timeout, [self = shared_from_this()] {
    self->timer_ = 0;
    self->close("connect to " + self->options_.authority + ": no answer in time");
  });
  loop_->resolve(options_.host, options_.port, [self = shared_from_this()](auto addresses) {
    if (self->closed_) return;
    if (!addresses) return self->gone(addresses.error().message);
    self->addresses_ = std::move(*addresses);
    self->try_next_address();
  });
}

void ClientConnection::try_next_address() {
  while (next_address_ < addresses_.size()) {
    const SocketAddress& address = addresses_[next_address_++];
    const int fd = ::socket(address.storage.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd >= 0 && ::connect(fd, reinterpret_cast<const sockaddr*>(&address.storage), address.size) != 0 &&
        errno != EINPROGRESS) {
      last_error_ = "connect to " + address.to_string() + ": " + std::strerror(errno);
      ::close(fd);
      continue;
    }
    if (fd < 0) {
      last_error_ = std::string("socket: ") + std::strerror(errno);
      continue;
    }
    connecting_ = loop_->watch(fd);
    connecting_->wait_writable([self = shared_from_this(), name = address.to_string()] {
      if (self->closed_) return;
      int error = 0;
      socklen_t size = sizeof error;
      ::getsockopt(self->connecting_->fd(), SOL_SOCKET, SO_ERROR, &error, &size);
      if (error == 0) return self->connected(::dup(self->connecting_->fd()));
      self->last_error_ = "connect to " + name + ": " + std::strerror(error);
      self->connecting_->close();
      self->try_next_address();
    });
    return;
  }
  gone(last_error_);
}

// The descriptor moves from the watch of the connect to the link's own.
void ClientConnection::connected(int fd) {
  connecting_->close();
  connecting_ = nullptr;
  tune_socket(fd, kWriteStallTimeout);
  link_ = std::make_shared<Link>(loop_, fd, options_.tls);
  link_->set_server_name(options_.host);
  link_->start(shared_from_this());
}

void ClientConnection::on_link_open(std::string_view protocol) {
  if (timer_ != 0) loop_->cancel(std::exchange(timer_, 0));
  opened_ = true;
  http2_ = protocol == "h2";
  SessionContext context{.sink = sink_, .link = *link_, .authority = options_.authority};
  session_ = http2_ ? make_h2_client(std::move(context)) : make_h1_client(std::move(context));
  idle_since_ = loop_->now();
  watch_idle();
  pool_->connection_ready(*this);
}

void ClientConnection::submit(std::shared_ptr<ClientCall> call) {
  ++calls_;
  call->connection = this;
  session_->submit(std::move(call));
}

void ClientConnection::cancel(ClientCall& call) {
  if (session_ && !closed_) session_->cancel(call);
}

void ClientConnection::call_ended() {
  idle_since_ = loop_->now();
  if (closed_ || open_calls() > 0) return;
  if (retired_) {
    loop_->defer([self = shared_from_this()] { self->close("retired"); });
  } else {
    watch_idle();
  }
}

// One timer at a time, armed while nothing runs.
void ClientConnection::watch_idle() {
  if (timer_ != 0 || closed_) return;
  const auto left = idle_since_ + options_.idle_timeout - std::chrono::steady_clock::now();
  timer_ = loop_->run_after(left, [self = shared_from_this()] {
    self->timer_ = 0;
    if (self->closed_ || self->open_calls() > 0) return;
    if (self->idle_since_ + self->options_.idle_timeout <= self->loop_->now()) return self->close("idle");
    self->watch_idle();
  });
}

void ClientConnection::retire() {
  retired_ = true;
  if (open_calls() == 0) close("retired");
}

void ClientConnection::close(const std::string& why) {
  if (link_) {
    link_->close(why);
  } else {
    gone(why);
  }
}

void ClientConnection::on_link_closed(const std::string& why) { gone(why); }

void ClientConnection::gone(const std::string& why) {
  if (closed_) return;
  closed_ = true;
  const auto self = shared_from_this();
  if (timer_ != 0) loop_->cancel(std::exchange(timer_, 0));
  if (connecting_) connecting_->close();
  if (session_) session_->connection_lost(why);
  pool_->connection_gone(self, why);
  loop_->defer([self] { self->session_.reset(); });
}

}  // namespace net
