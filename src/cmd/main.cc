// keelson: one program, a subcommand for each component; also started through a link of a component's name.
#include <pthread.h>
#include <signal.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <span>
#include <string>

#include "base/log.h"
#include "cmd/control_plane.h"
#include "cmd/flags.h"
#include "cmd/kubeconfig.h"
#include "cmd/standalone.h"

namespace {

using Clock = std::chrono::steady_clock;

// Signals that end the program are waited for by the main thread alone; every other thread inherits the mask.
sigset_t block_signals() {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGINT);
  sigaddset(&set, SIGTERM);
  pthread_sigmask(SIG_BLOCK, &set, nullptr);
  signal(SIGPIPE, SIG_IGN);
  return set;
}

int complain(const base::Error& error) {
  std::fprintf(stderr, "keelson: %s\n", error.message.c_str());
  return 1;
}

int wait_for_end(cmd::ControlPlane& plane, const sigset_t& signals) {
  int received = 0;
  sigwait(&signals, &received);
  base::log::info("stopping", {{"signal", received}});
  plane.stop();
  return 0;
}

std::string default_data_dir() {
  // NOLINTNEXTLINE(concurrency-mt-unsafe): before any thread starts
  if (const char* home = std::getenv("XDG_DATA_HOME"); home && *home) return std::string(home) + "/keelson";
  // NOLINTNEXTLINE(concurrency-mt-unsafe): the same
  if (const char* home = std::getenv("HOME"); home && *home) return std::string(home) + "/.local/share/keelson";
  return "keelson-data";
}

struct UpOptions {
  cmd::ControlPlaneOptions plane;
  std::string kubeconfig;
  bool fresh = false;
};

base::Result<std::string> hand_out_kubeconfig(const cmd::ControlPlane& plane, const UpOptions& options) {
  if (options.kubeconfig.empty()) {
    const std::string path = options.plane.data_dir + "/kubeconfig";
    TRY_ASSIGN(std::string text, plane.admin_kubeconfig());
    TRY(cmd::write_kubeconfig(path, text));
    return path;
  }
  TRY(plane.merge_into_kubeconfig(options.kubeconfig));
  return options.kubeconfig;
}

int run_up(UpOptions& options, Clock::time_point started) {
  const sigset_t signals = block_signals();
  if (options.plane.data_dir.empty()) options.plane.data_dir = default_data_dir();
  if (options.fresh) {
    std::error_code failed;
    // Only what this program keeps there.
    for (const char* part : {"store", "pki", "kubeconfig"})
      std::filesystem::remove_all(options.plane.data_dir + "/" + part, failed);
  }
  options.plane.controllers = cmd::Controllers::kRun;
  cmd::ControlPlane plane(options.plane);
  if (auto up = plane.start(); !up) return complain(up.error());
  const auto ready = std::chrono::duration_cast<std::chrono::milliseconds>(Clock::now() - started).count();
  auto kubeconfig = hand_out_kubeconfig(plane, options);
  if (!kubeconfig) return complain(kubeconfig.error());
  std::printf(
      "Keelson is up.\n  address     %s\n  kubeconfig  %s\n  data        %s\n  nodes       %d simulated\n  ready in    "
      "%lld ms\n\n"
      "Try: kubectl --kubeconfig %s get nodes\nStop with Ctrl-C; the data stays.\n",
      plane.address().c_str(), kubeconfig->c_str(), options.plane.data_dir.c_str(), options.plane.nodes,
      static_cast<long long>(ready), kubeconfig->c_str());
  std::fflush(stdout);
  return wait_for_end(plane, signals);
}

int run_apiserver(cmd::ControlPlaneOptions& options, const std::string& etcd_servers,
                  const std::vector<std::string>& leftover) {
  const sigset_t signals = block_signals();
  if (auto known = cmd::check_leftover(cmd::kube_apiserver_flags(), leftover); !known) return complain(known.error());
  if (!etcd_servers.empty()) {
    return complain({base::Reason::kInvalid,
                     "--etcd-servers: this build keeps its data in its own store; name a directory with --data-dir"});
  }
  if (options.data_dir.empty())
    return complain({base::Reason::kInvalid, "--data-dir is needed: the directory that keeps the cluster's data"});
  cmd::ControlPlane plane(options);
  if (auto up = plane.start(); !up) return complain(up.error());
  base::log::info("kube-apiserver is ready", {{"address", plane.address()}});
  return wait_for_end(plane, signals);
}

// Compat: a component that lost its lease ends at once, with status 1, so that nothing of it runs beside the new
// leader.
[[noreturn]] void end_at_once() { _exit(1); }

int run_standalone(cmd::StandaloneComponent component, cmd::StandaloneOptions& options,
                   std::span<const cmd::KnownFlag> known, const std::vector<std::string>& leftover) {
  const sigset_t signals = block_signals();
  if (auto checked = cmd::check_leftover(known, leftover); !checked) return complain(checked.error());
  options.lost = end_at_once;
  cmd::Standalone standalone(component, options);
  if (auto started = standalone.start(); !started) return complain(started.error());
  int received = 0;
  sigwait(&signals, &received);
  base::log::info("stopping", {{"signal", received}});
  standalone.stop();
  return 0;
}

// Compat: may be named several times, and then adds up.
void add_feature_gates(CLI::App& app, std::string& gates) {
  app.add_option("--feature-gates", gates, "Name=true|false,...: gates of upstream's, to switch on or off")->join(',');
}

void add_standalone_flags(CLI::App& app, cmd::StandaloneOptions& o) {
  app.add_option("--kubeconfig", o.kubeconfig, "how to reach the API server (default: as a Pod does)");
  app.add_option("--master", o.master, "address of the API server, instead of the kubeconfig's");
  app.add_option("--kube-api-content-type", o.content_type, "of what is sent to the API server")->capture_default_str();
  app.add_flag("--leader-elect,!--no-leader-elect", o.leader_elect, "work only while holding the lease")
      ->capture_default_str();
  app.add_option("--leader-elect-lease-duration", o.lease_duration, "how long others wait for a silent leader")
      ->capture_default_str();
  app.add_option("--leader-elect-renew-deadline", o.renew_deadline, "how long a leader tries to renew")
      ->capture_default_str();
  app.add_option("--leader-elect-retry-period", o.retry_period, "time between two tries")->capture_default_str();
  app.add_option("--leader-elect-resource-lock", o.resource_lock, "leases")->capture_default_str();
  app.add_option("--leader-elect-resource-name", o.resource_name, "name of the lease")->capture_default_str();
  app.add_option("--leader-elect-resource-namespace", o.resource_namespace, "its namespace")->capture_default_str();
  app.add_option("--bind-address", o.bind_address, "address of /healthz")->capture_default_str();
  app.add_option("--secure-port", o.secure_port, "port of /healthz (0 = none)")->capture_default_str();
  app.add_option("--tls-cert-file", o.tls_cert_file, "its certificate (default: signed by itself)");
  app.add_option("--tls-private-key-file", o.tls_key_file, "its key");
  add_feature_gates(app, o.feature_gates);
  app.allow_extras();
}

void add_server_flags(CLI::App& app, cmd::ControlPlaneOptions& o) {
  app.add_option("--data-dir", o.data_dir, "directory that keeps the cluster's data between runs");
  app.add_option("--bind-address", o.bind_address, "address to listen on")->capture_default_str();
  app.add_option("--cert-dir", o.cert_dir, "directory of certificates and keys (default <data-dir>/pki)");
  app.add_option("--tls-cert-file", o.tls_cert_file,
                 "serving certificate (default: made in the certificate directory)");
  app.add_option("--tls-private-key-file", o.tls_key_file, "its key");
  app.add_option("--client-ca-file", o.client_ca_file,
                 "CA whose client certificates are accepted, beside the cluster's own");
  app.add_option("--token-auth-file", o.token_auth_file, "CSV of static tokens: token,user,uid,\"groups\"");
  app.add_option("--service-cluster-ip-range", o.service_cidr, "addresses of Services")->capture_default_str();
  app.add_option("--service-node-port-range", o.service_node_ports, "ports of NodePort Services")
      ->capture_default_str();
  app.add_option("--service-account-issuer", o.service_account_issuer, "issuer of service account tokens")
      ->capture_default_str();
  app.add_option("--service-account-jwks-uri", o.service_account_jwks_uri,
                 "where the discovery document says that the keys of service account tokens are (default: here)")
      ->check([](const std::string& uri) {
        // Compat: upstream's words.
        return uri.starts_with("https://") ? "" : "service-account-jwks-uri requires https scheme, parsed as: " + uri;
      });
  app.add_flag("--allow-privileged,!--no-allow-privileged", o.allow_privileged, "privileged containers may be created");
  app.add_option("--advertise-address", o.advertise_address, "address that others reach the server at");
  add_feature_gates(app, o.feature_gates);
  app.add_option("--enable-admission-plugins", o.enabled_admission, "admission plugins to add to the default ones")
      ->delimiter(',');
  app.add_option("--disable-admission-plugins", o.disabled_admission, "admission plugins to leave out")->delimiter(',');
  app.add_option("--runtime-config", o.runtime_config,
                 "api/all|ga|beta|alpha, <group>/<version> or <group>/<version>/<resource>, each =true|false")
      ->join(',');
}

}  // namespace

int main(int argc, char** argv) {
  const Clock::time_point started = Clock::now();
  CLI::App app("A Kubernetes control plane in one program.", "keelson");
  app.require_subcommand(1);
  app.set_version_flag("--version", "keelson 0.1 (Kubernetes v1.35)");

  UpOptions up;
  up.plane.nodes = 3;
  up.plane.allow_privileged = true;
  CLI::App* up_command =
      app.add_subcommand("up", "run a whole control plane: API server, store, scheduler, controllers, simulated nodes");
  add_server_flags(*up_command, up.plane);
  up_command->add_option("--port", up.plane.port, "port to listen on (0 = any free one)")->capture_default_str();
  up_command->add_option("--nodes", up.plane.nodes, "simulated nodes")->capture_default_str();
  up_command->add_option("--kubeconfig", up.kubeconfig,
                         "kubeconfig to merge a context into (default: one of its own in the data directory)");
  up_command->add_flag("--fresh", up.fresh, "forget the data of earlier runs first");

  cmd::ControlPlaneOptions server;
  std::string etcd_servers;
  CLI::App* server_command = app.add_subcommand("kube-apiserver", "run the API server alone");
  add_server_flags(*server_command, server);
  server_command->add_option("--secure-port", server.port, "port to listen on")->capture_default_str();
  server_command->add_option("--etcd-servers", etcd_servers, "not in this build: the store is embedded");
  server_command->allow_extras();

  cmd::StandaloneOptions scheduler;
  scheduler.secure_port = 10259;
  scheduler.resource_name = "kube-scheduler";
  CLI::App* scheduler_command = app.add_subcommand("kube-scheduler", "run the scheduler alone");
  add_standalone_flags(*scheduler_command, scheduler);

  cmd::StandaloneOptions manager;
  manager.secure_port = 10257;
  manager.resource_name = "kube-controller-manager";
  CLI::App* manager_command = app.add_subcommand("kube-controller-manager", "run the controllers alone");
  add_standalone_flags(*manager_command, manager);
  manager_command->add_option("--controllers", manager.controllers, "which to run: *, name, -name")->delimiter(',');
  manager_command->add_option("--root-ca-file", manager.root_ca_file, "CA that namespaces and tokens get");
  manager_command->add_option("--service-account-private-key-file", manager.service_account_key_file,
                              "key that signs tokens in Secrets");
  manager_command->add_option("--cluster-signing-cert-file", manager.signing_cert_file,
                              "CA that signs certificate requests (default: none are signed)");
  manager_command->add_option("--cluster-signing-key-file", manager.signing_key_file, "its key");

  // Called through a link of a component's name, the name is the subcommand.
  std::vector<std::string> arguments(argv + 1, argv + argc);
  const std::string called = std::filesystem::path(argv[0]).filename();
  if (called == "kube-apiserver" || called == "kube-scheduler" || called == "kube-controller-manager")
    arguments.insert(arguments.begin(), called);
  std::ranges::reverse(arguments);  // CLI11 takes them last first
  try {
    app.parse(arguments);
  } catch (const CLI::ParseError& error) {
    return app.exit(error);
  }
  if (up_command->parsed()) return run_up(up, started);
  if (scheduler_command->parsed()) {
    return run_standalone(cmd::StandaloneComponent::kScheduler, scheduler, cmd::kube_scheduler_flags(),
                          scheduler_command->remaining());
  }
  if (manager_command->parsed()) {
    return run_standalone(cmd::StandaloneComponent::kControllerManager, manager, cmd::kube_controller_manager_flags(),
                          manager_command->remaining());
  }
  return run_apiserver(server, etcd_servers, server_command->remaining());
}
