// Internal to net: one connection of a client: connect to one of several addresses, handshake, session. Thread: the
// loop's.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "net/client_session.h"

namespace net {

class ClientConnection final : public Link::Owner, public std::enable_shared_from_this<ClientConnection> {
 public:
  // Implemented by the client.
  class Pool {
   public:
    virtual ~Pool() = default;
    virtual void connection_ready(ClientConnection& connection) = 0;
    // After connection_ready: gone. Before: it could not be made, for that reason.
    virtual void connection_gone(const std::shared_ptr<ClientConnection>& connection, const std::string& why) = 0;
  };
  struct Options {
    std::string host;
    uint16_t port = 0;
    std::string authority;
    std::shared_ptr<const TlsContext> tls;
    base::Duration connect_timeout{};
    base::Duration idle_timeout{};
  };

  ClientConnection(std::shared_ptr<Loop> loop, Pool& pool, CallSink& sink, Options options);
  void connect();
  void close(const std::string& why);
  // No new calls; closes when the open ones have ended.
  void retire();

  bool ready() const { return session_ != nullptr && !closed_; }
  // True once a session was made, also after it is gone.
  bool is_open_once() const { return opened_; }
  bool is_http2() const { return http2_; }
  size_t capacity() const { return ready() && !retired_ ? session_->capacity() : 0; }
  size_t open_calls() const { return session_ ? session_->open_calls() : 0; }
  bool used_before() const { return calls_ > 1; }
  void submit(std::shared_ptr<ClientCall> call);
  void cancel(ClientCall& call);
  // A call ended: notes the time for the idle limit.
  void call_ended();

  void on_link_open(std::string_view protocol) override;
  void on_link_data(std::string_view bytes) override { session_->on_data(bytes); }
  void produce(std::string& out, size_t target) override { session_->produce(out, target); }
  void on_link_flushed() override {}
  void on_link_closed(const std::string& why) override;

 private:
  void try_next_address();
  void connected(int fd);
  void gone(const std::string& why);
  void watch_idle();

  std::shared_ptr<Loop> loop_;
  Pool* pool_;
  CallSink& sink_;
  Options options_;
  std::vector<SocketAddress> addresses_;
  size_t next_address_ = 0;
  std::string last_error_;
  std::shared_ptr<Loop::Watch> connecting_;
  std::shared_ptr<Link> link_;
  std::unique_ptr<ClientSession> session_;
  TimerId timer_ = 0;
  base::MonoTime idle_since_{};
  size_t calls_ = 0;
  bool opened_ = false;
  bool http2_ = false;
  bool retired_ = false;
  bool closed_ = false;
};

}  // namespace net
