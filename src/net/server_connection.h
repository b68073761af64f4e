// Internal to net: one accepted connection: handshake, choice of protocol, deadlines. Thread: its loop.
#pragma once

#include <memory>

#include "net/server_session.h"

namespace net {

// The connections of one loop. Loop only.
class ConnectionSet {
 public:
  virtual ~ConnectionSet() = default;
  virtual void connection_closed(size_t index) = 0;
};

class ServerConnection final : public Link::Owner,
                               public SessionHost,
                               public std::enable_shared_from_this<ServerConnection> {
 public:
  ServerConnection(std::shared_ptr<ServerShared> shared, std::shared_ptr<Loop> loop, ConnectionSet& set);

  void start(int fd, std::shared_ptr<const TlsContext> tls, std::string remote, std::string local);
  void shut_down();
  void close(const std::string& why) { link_->close(why); }
  size_t index = 0;  // in the set

  void on_link_open(std::string_view protocol) override;
  void on_link_data(std::string_view bytes) override;
  void produce(std::string& out, size_t target) override;
  void on_link_flushed() override;
  void on_link_closed(const std::string& why) override;

  ServerShared& shared() override { return *shared_; }
  std::shared_ptr<Loop> loop_pointer() override { return loop_; }
  Link& link() override { return *link_; }
  const std::shared_ptr<const ConnectionInfo>& info() override { return info_; }

 private:
  void choose_plain_protocol(std::string_view bytes);
  void update_deadline();
  void on_deadline();
  base::MonoTime next_deadline() const;

  std::shared_ptr<ServerShared> shared_;
  std::shared_ptr<Loop> loop_;
  ConnectionSet* set_;
  std::shared_ptr<Link> link_;
  std::shared_ptr<const ConnectionInfo> info_;
  std::unique_ptr<ServerSession> session_;
  std::string sniffed_;  // without ALPN: the first bytes, until they tell the protocol
  base::MonoTime accepted_{};
  base::MonoTime armed_for_ = base::MonoTime::max();
  TimerId timer_ = 0;
};

}  // namespace net
