// A component that runs alone, in a process of its own: kube-scheduler or kube-controller-manager over HTTPS to any API
// server, with leader election and a health port. The component runs only while this process leads. Compat: upstream's
// defaults. Thread: one owner thread; `lost` is called on a worker.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/result.h"

namespace cmd {

enum class StandaloneComponent : uint8_t { kScheduler, kControllerManager };

struct StandaloneOptions {
  std::string kubeconfig;  // "" and no master = what a Pod finds in its container
  std::string master;      // instead of the kubeconfig's server
  std::string content_type = "application/vnd.kubernetes.protobuf";

  bool leader_elect = true;
  std::string lease_duration = "15s", renew_deadline = "10s", retry_period = "2s";  // Go's durations
  std::string resource_lock = "leases";
  std::string resource_name;  // "" = the component's name
  std::string resource_namespace = "kube-system";

  std::string bind_address = "0.0.0.0";
  uint16_t secure_port = 0;  // 0 = none
  std::string tls_cert_file, tls_key_file;
  std::string feature_gates;  // "A=true,B=false"

  // kube-controller-manager
  std::vector<std::string> controllers = {"*"};
  std::string root_ca_file;                         // "" = the kubeconfig's CA
  std::string service_account_key_file;             // "" = token Secrets are left alone
  std::string signing_cert_file, signing_key_file;  // "" = certificate signing requests are not signed

  std::function<void()> lost;  // leading was lost: the process is to end at once
};

class Standalone {
 public:
  Standalone(StandaloneComponent component, StandaloneOptions options);
  ~Standalone();
  // Checks everything, then works in the background.
  base::Result<void> start();
  void stop();

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

// Compat: upstream's rule for --controllers: "name" and "-name" win over "*"; short names of old are known too.
bool controller_enabled(std::string_view name, const std::vector<std::string>& selection);

}  // namespace cmd
