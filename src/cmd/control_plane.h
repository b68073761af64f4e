// ControlPlane: constructs and runs what one process runs. The only place that knows all parts. Stop is the reverse of
// start. Thread: one owner thread.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/result.h"

namespace cmd {

enum class Controllers : uint8_t { kNone, kRun };

struct ControlPlaneOptions {
  std::string data_dir;
  std::string bind_address = "127.0.0.1";
  uint16_t port = 6443;                     // 0 = any
  std::string cert_dir;                     // "" = <data_dir>/pki
  std::string tls_cert_file, tls_key_file;  // "" = made in cert_dir
  std::string client_ca_file;               // "" = the cluster's own CA
  std::string token_auth_file;
  std::string service_cidr = "10.96.0.0/16";
  std::string service_node_ports = "30000-32767";
  std::string service_account_issuer = "https://kubernetes.default.svc.cluster.local";
  std::string service_account_jwks_uri;  // "" = this server
  std::string advertise_address;
  bool allow_privileged = false;
  std::string feature_gates;                                       // "A=true,B=false"
  std::string runtime_config;                                      // "api/all=true,apps/v1=false"
  std::vector<std::string> enabled_admission, disabled_admission;  // names of plugins
  int nodes = 0;                                                   // simulated ones
  Controllers controllers = Controllers::kNone;                    // scheduler and controllers too
};

class ControlPlane {
 public:
  explicit ControlPlane(ControlPlaneOptions options);
  ~ControlPlane();
  // Ready to answer when it returns.
  base::Result<void> start();
  void stop();

  std::string address() const;  // "https://127.0.0.1:6443"
  // An administrator's kubeconfig for this control plane.
  base::Result<std::string> admin_kubeconfig() const;
  // Puts its context into that file, beside what is there.
  base::Result<void> merge_into_kubeconfig(const std::string& path) const;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace cmd
