// The secure port of a component that runs alone: /healthz, /livez and /readyz over TLS, for everyone, as upstream's
// components allow by default. Thread: one owner; the check runs on the server's loop and must not block.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "base/clock.h"
#include "base/result.h"

namespace net {
class Server;
}

namespace cmd {

struct HealthServerOptions {
  std::string bind_address = "0.0.0.0";
  uint16_t port = 0;
  std::string certificate_pem, key_pem;  // "" = one of its own, signed by nobody that a client knows
  std::function<std::string()> check;    // "" = healthy, else why not
};

class HealthServer {
 public:
  static base::Result<std::unique_ptr<HealthServer>> start(HealthServerOptions options, const base::Clock& clock);
  ~HealthServer();  // stops
  uint16_t port() const;

 private:
  explicit HealthServer(std::unique_ptr<net::Server> server);
  std::unique_ptr<net::Server> server_;
};

}  // namespace cmd
