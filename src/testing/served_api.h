// ServedApi: a whole API server in process over TLS, on an embedded store in a directory that goes away. Thread: one
// owner; the transports as client::Transport says.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "apiserver/server.h"
#include "base/clock.h"
#include "base/executor.h"
#include "base/rng.h"
#include "client/https_transport.h"
#include "kv/store.h"

namespace in_process {

inline constexpr const char* kAdminToken = "admin-token";  // of a member of system:masters

class ServedApi {
 public:
  ServedApi();
  ~ServedApi();
  ServedApi(const ServedApi&) = delete;

  const std::string& url() const { return url_; }
  // Reach this server as the administrator, by client certificate.
  client::HttpsOptions https_options() const;
  std::shared_ptr<client::Transport> https(const std::function<void(client::HttpsOptions&)>& adjust = {});
  std::shared_ptr<client::Transport> in_process();
  // Forgets all history up to now.
  base::Result<void> compact();

  base::SystemClock clock;
  std::unique_ptr<base::Rng> rng = base::system_rng();

 private:
  std::string directory_;
  base::ThreadPool store_pool_{"store", 2};
  base::ThreadPool work_pool_{"work", 2};
  api::Catalogue catalogue_;
  std::unique_ptr<kv::Store> store_;
  std::unique_ptr<apiserver::ApiServer> server_;
  std::string url_, ca_pem_, client_pem_, client_key_;
};

}  // namespace in_process
