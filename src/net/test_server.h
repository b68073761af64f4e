// For net's tests: a server whose handler is a table of functions, clients for it, and a raw socket.
#pragma once

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <condition_variable>
#include <fstream>
#include <functional>
#include <map>
#include <mutex>
#include <sstream>
#include <thread>

#include "net/client.h"
#include "net/server.h"

namespace net {

inline std::string test_file(const std::string& name) {
  std::stringstream text;
  text << std::ifstream("src/net/testdata/" + name).rdbuf();
  return text.str();
}

// A flag that one thread sets and another waits for; fails the test after ten seconds.
class Signal {
 public:
  void set() {
    const std::lock_guard lock(mutex_);
    set_ = true;
    changed_.notify_all();
  }
  bool wait() {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, std::chrono::seconds(10), [&] { return set_; });
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  bool set_ = false;
};

using RequestPointer = std::shared_ptr<Request>;
using WriterPointer = std::shared_ptr<ResponseWriter>;

class TableHandler final : public Handler {
 public:
  using Function = std::function<void(RequestPointer, WriterPointer)>;
  std::map<std::string, Function> table;
  void handle(RequestPointer request, WriterPointer writer) override {
    const auto found = table.find(std::string(request->path()));
    if (found == table.end()) return writer->send(404, {}, "no such path");
    found->second(std::move(request), std::move(writer));
  }
};

enum class Transport { kTls, kPlain };

class TestServer {
 public:
  explicit TestServer(Transport transport = Transport::kTls, std::function<void(ServerOptions&)> adjust = nullptr) {
    options.handler = handler;
    if (transport == Transport::kTls) {
      options.tls = make_server_tls({test_file("server.crt"), test_file("server.key"), test_file("ca.crt")}).value();
    }
    if (adjust) adjust(options);
    handler->table["/echo"] = [](RequestPointer request, WriterPointer writer) {
      writer->send(200, {{"content-type", "text/plain"}, {"x-method", request->method}},
                   request->target + "|" + request->body);
    };
    server = std::make_unique<Server>(options);
  }
  uint16_t start() { return port = server->start().value(); }
  std::shared_ptr<Client> client(const std::function<void(ClientOptions&)>& adjust = nullptr) const {
    ClientOptions client_options;
    client_options.url = std::string(options.tls ? "https" : "http") + "://localhost:" + std::to_string(port);
    client_options.tls.ca_pem = test_file("ca.crt");
    if (adjust) adjust(client_options);
    return Client::create(client_options).value();
  }

  std::shared_ptr<TableHandler> handler = std::make_shared<TableHandler>();
  ServerOptions options;
  std::unique_ptr<Server> server;
  uint16_t port = 0;
};

// A blocking TCP connection to 127.0.0.1.
class RawSocket {
 public:
  explicit RawSocket(uint16_t port) : fd_(::socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    const timeval limit{.tv_sec = 10, .tv_usec = 0};
    ::setsockopt(fd_, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    EXPECT_EQ(::connect(fd_, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
  }
  ~RawSocket() { close(); }
  void close() {
    if (fd_ >= 0) ::close(fd_);
    fd_ = -1;
  }
  // With a reset instead of a goodbye.
  void reset() {
    const linger now{.l_onoff = 1, .l_linger = 0};
    ::setsockopt(fd_, SOL_SOCKET, SO_LINGER, &now, sizeof now);
    close();
  }
  void send(std::string_view bytes) {
    EXPECT_EQ(::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL), ssize_t(bytes.size()));
  }
  // Until the peer closes; true when it did, false on time-out.
  bool read_to_end() {
    char buffer[16384];
    ssize_t count = 0;
    while ((count = ::recv(fd_, buffer, sizeof buffer, 0)) > 0) received.append(buffer, size_t(count));
    return count == 0 || errno == ECONNRESET;
  }
  bool read_until(std::string_view text) {
    char buffer[16384];
    while (received.find(text) == std::string::npos) {
      const ssize_t count = ::recv(fd_, buffer, sizeof buffer, 0);
      if (count <= 0) return false;
      received.append(buffer, size_t(count));
    }
    return true;
  }
  std::string received;

 private:
  int fd_;
};

}  // namespace net
