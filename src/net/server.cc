#include "net/server.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <condition_variable>
#include <cstring>
#include <latch>

#include "base/check.h"
#include "base/log.h"
#include "base/mutex.h"
#include "net/server_connection.h"

namespace net {

using base::fail;
using base::Reason;
using base::Result;

namespace {

constexpr int kAcceptsPerEvent = 64;
constexpr auto kAcceptBackoff = std::chrono::milliseconds(100);

void set_option(int fd, int level, int name, int value) { ::setsockopt(fd, level, name, &value, sizeof value); }

SocketAddress local_address(int fd) {
  SocketAddress address;
  address.size = sizeof address.storage;
  ::getsockname(fd, reinterpret_cast<sockaddr*>(&address.storage), &address.size);
  return address;
}

Result<int> listen_on(const SocketAddress& address) {
  const int fd = ::socket(address.storage.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd < 0) return fail(Reason::kInternalError, std::string("socket: ") + std::strerror(errno));
  set_option(fd, SOL_SOCKET, SO_REUSEADDR, 1);
  if (address.storage.ss_family == AF_INET6) set_option(fd, IPPROTO_IPV6, IPV6_V6ONLY, 0);
  if (::bind(fd, reinterpret_cast<const sockaddr*>(&address.storage), address.size) != 0 || ::listen(fd, 1024) != 0) {
    const int error = errno;
    ::close(fd);
    const std::string why = error == EADDRINUSE ? "the address is already in use" : std::strerror(error);
    return fail(Reason::kServiceUnavailable, "cannot listen on " + address.to_string() + ": " + why);
  }
  return fd;
}

}  // namespace

class Server::Impl : public std::enable_shared_from_this<Server::Impl> {
 public:
  explicit Impl(ServerOptions options) : shared_(std::make_shared<ServerShared>()) {
    shared_->options = std::move(options);
    tls_ = shared_->options.tls;
  }

  Result<uint16_t> start();
  void stop(base::Duration grace);

  // One loop with its connections.
  struct Lane : ConnectionSet {
    std::shared_ptr<Loop> loop;
    std::vector<std::shared_ptr<ServerConnection>> connections;  // loop only
    std::move_only_function<void()> when_empty;                  // loop only
    void connection_closed(size_t index) override;
  };

  void wait_accept();
  void accept_some();
  void adopt(Lane& lane, int fd, const std::string& remote);
  void run_on_all(const std::function<void(Lane&)>& f);

  std::shared_ptr<ServerShared> shared_;
  base::Mutex mutex_;
  std::shared_ptr<const TlsContext> tls_ GUARDED_BY(mutex_);
  std::vector<std::unique_ptr<Lane>> lanes_;
  std::shared_ptr<Loop::Watch> listener_;  // on lane 0's loop
  size_t next_lane_ = 0;
  std::atomic<uint16_t> port_{0};
  bool running_ = false;
};

void Server::Impl::Lane::connection_closed(size_t index) {
  const auto gone = std::move(connections[index]);
  if (index + 1 != connections.size()) {
    connections[index] = std::move(connections.back());
    connections[index]->index = index;
  }
  connections.pop_back();
  if (connections.empty() && when_empty) std::exchange(when_empty, nullptr)();
}

Result<uint16_t> Server::Impl::start() {
  CHECK(!running_ && shared_->options.handler && shared_->options.loops > 0);
  TRY_ASSIGN(const SocketAddress address, SocketAddress::parse(shared_->options.bind_address, shared_->options.port));
  TRY_ASSIGN(const int fd, listen_on(address));
  const SocketAddress bound = local_address(fd);
  port_ = ntohs(bound.storage.ss_family == AF_INET6 ? reinterpret_cast<const sockaddr_in6*>(&bound.storage)->sin6_port
                                                    : reinterpret_cast<const sockaddr_in*>(&bound.storage)->sin_port);
  for (int i = 0; i < shared_->options.loops; ++i) {
    auto lane = std::make_unique<Lane>();
    lane->loop = Loop::start(shared_->options.name + "-" + std::to_string(i));
    lanes_.push_back(std::move(lane));
  }
  running_ = true;
  lanes_[0]->loop->post([self = shared_from_this(), fd] {
    self->listener_ = self->lanes_[0]->loop->watch(fd);
    self->wait_accept();
  });
  return port_.load();
}

void Server::Impl::wait_accept() {
  listener_->wait_readable([self = shared_from_this()] { self->accept_some(); });
}

void Server::Impl::accept_some() {
  if (shared_->stopping) return;
  for (int i = 0; i < kAcceptsPerEvent; ++i) {
    SocketAddress peer;
    peer.size = sizeof peer.storage;
    const int fd = ::accept4(listener_->fd(), reinterpret_cast<sockaddr*>(&peer.storage), &peer.size,
                             SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd < 0 && (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM)) {
      base::log::warning("cannot accept connections", {{"error", std::strerror(errno)}});
      lanes_[0]->loop->run_after(kAcceptBackoff, [self = shared_from_this()] { self->accept_some(); });
      return;
    }
    if (fd < 0 && (errno == EINTR || errno == ECONNABORTED)) continue;
    if (fd < 0) break;
    shared_->accepted.fetch_add(1, std::memory_order_relaxed);
    if (shared_->open.fetch_add(1) >= shared_->options.max_connections) {
      shared_->open.fetch_sub(1);
      shared_->connections_refused.fetch_add(1, std::memory_order_relaxed);
      ::close(fd);
      continue;
    }
    Lane& lane = *lanes_[next_lane_++ % lanes_.size()];
    if (lane.loop->in_loop()) {
      adopt(lane, fd, peer.to_string());
    } else {
      lane.loop->post(
          [self = shared_from_this(), &lane, fd, remote = peer.to_string()] { self->adopt(lane, fd, remote); });
    }
  }
  wait_accept();
}

void Server::Impl::adopt(Lane& lane, int fd, const std::string& remote) {
  if (shared_->stopping) {
    shared_->open.fetch_sub(1);
    ::close(fd);
    return;
  }
  tune_socket(fd, shared_->options.write_stall_timeout);
  std::shared_ptr<const TlsContext> tls;
  {
    base::MutexLock lock(mutex_);
    tls = tls_;
  }
  auto connection = std::make_shared<ServerConnection>(shared_, lane.loop, lane);
  connection->index = lane.connections.size();
  lane.connections.push_back(connection);
  connection->start(fd, std::move(tls), remote, local_address(fd).to_string());
}

// Runs f on every loop and waits until all have.
void Server::Impl::run_on_all(const std::function<void(Lane&)>& f) {
  std::latch done(static_cast<ptrdiff_t>(lanes_.size()));
  for (auto& lane : lanes_) {
    lane->loop->post([&] {
      f(*lane);
      done.count_down();
    });
  }
  done.wait();
}

void Server::Impl::stop(base::Duration grace) {
  if (!running_) return;
  running_ = false;
  shared_->stopping = true;
  struct Empty {
    base::Mutex mutex;
    std::condition_variable changed;
    size_t lanes GUARDED_BY(mutex) = 0;
  };
  auto empty = std::make_shared<Empty>();
  run_on_all([&](Lane& lane) {
    if (&lane == lanes_[0].get() && listener_) listener_->close();
    const auto open = lane.connections;
    for (const auto& connection : open) connection->shut_down();
    auto report = [empty] {
      base::MutexLock lock(empty->mutex);
      ++empty->lanes;
      empty->changed.notify_all();
    };
    if (lane.connections.empty()) {
      report();
    } else {
      lane.when_empty = std::move(report);
    }
  });
  {
    base::UniqueLock lock(empty->mutex);
    const auto deadline = std::chrono::steady_clock::now() + grace;
    auto all_empty = [&]() NO_THREAD_SAFETY_ANALYSIS { return empty->lanes == lanes_.size(); };
    empty->changed.wait_until(lock.native(), deadline, all_empty);
  }
  run_on_all([](Lane& lane) {
    const auto open = lane.connections;
    for (const auto& connection : open) connection->close("the server is stopping");
  });
  run_on_all([this](Lane& lane) {
    if (&lane == lanes_[0].get()) listener_ = nullptr;
  });
  for (auto& lane : lanes_) lane->loop->stop();
  lanes_.clear();
}

Server::Server(ServerOptions options) : impl_(std::make_shared<Impl>(std::move(options))) {}
Server::~Server() { stop(base::Duration(0)); }
Result<uint16_t> Server::start() { return impl_->start(); }
void Server::stop(base::Duration grace) { impl_->stop(grace); }
uint16_t Server::port() const { return impl_->port_; }

void Server::set_tls(std::shared_ptr<const TlsContext> tls) {
  base::MutexLock lock(impl_->mutex_);
  impl_->tls_ = std::move(tls);
}

ServerStats Server::stats() const {
  const auto& shared = *impl_->shared_;
  return {shared.accepted,        shared.open, shared.requests, shared.handshake_errors, shared.connections_refused,
          shared.requests_refused};
}

}  // namespace net
