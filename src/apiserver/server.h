// ApiServer: the running API server: core, paths, authentication and the HTTPS listener, over a store that it is given.
// Thread: construct, start and stop from one owner thread.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "apiserver/core.h"
#include "apiserver/paths.h"
#include "auth/authenticator.h"
#include "base/metrics.h"
#include "base/result.h"
#include "net/server.h"

namespace apiserver {

class CrdController;
class ServerMetrics;
class StatusKeeper;

struct ServerOptions {
  std::string bind_address = "127.0.0.1";
  uint16_t port = 6443;
  std::string certificate_pem, key_pem;
  std::string client_ca_pem;  // "" = client certificates are not asked for
  int loops = 2;
  std::string service_cidr = "10.96.0.0/16";
  int node_port_first = 30000, node_port_last = 32767;
  std::string advertise_address;  // of the kubernetes Service's endpoint; "" = the bind address
};

class ApiServer {
 public:
  ApiServer(ServerOptions options, CoreOptions core, auth::Authenticator authenticator);
  ~ApiServer();

  Core& core() { return *core_; }
  Paths& paths() { return paths_; }
  // Shown at /metrics; other components of the process add theirs.
  base::MetricsRegistry& metrics() { return registry_; }
  // Makes the objects that every cluster has, then listens. Returns the port.
  base::Result<uint16_t> start();
  // Says 503 on /readyz; then ends watches and the listener.
  void stop(base::Duration grace);

 private:
  class Entrance;
  ServerOptions options_;
  base::MetricsRegistry registry_;
  std::unique_ptr<ServerMetrics> metrics_;  // outlives what holds writers
  std::unique_ptr<Core> core_;
  Paths paths_;
  auth::Authenticator authenticator_;
  std::unique_ptr<CrdController> definitions_;
  std::unique_ptr<Allocator> allocator_;
  std::unique_ptr<StatusKeeper> status_keeper_;
  std::unique_ptr<net::Server> listener_;
};

// Paths served beside resources; each in a file of its own.
void add_health_paths(Paths& paths, Core& core);
void add_version_paths(Paths& paths);
void add_index_path(Paths& paths);

// Namespaces, priority classes, the kubernetes Service and its kin, as upstream makes them at start. Those that exist
// stay.
base::Result<void> make_first_objects(Core& core, const ServerOptions& options);

}  // namespace apiserver
