#include "cmd/standalone.h"

#include <sys/utsname.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <iterator>
#include <optional>

#include "base/executor.h"
#include "base/log.h"
#include "base/rng.h"
#include "client/election.h"
#include "client/informer.h"
#include "client/kubeconfig.h"
#include "cmd/flags.h"
#include "cmd/health_server.h"
#include "controllers/catalogue.h"
#include "controllers/csrsigning/ca_signer.h"
#include "controllers/runtime/engine.h"
#include "object/time.h"
#include "pki/key.h"
#include "scheduler/scheduler.h"

namespace cmd {
namespace {

using base::Reason;
using base::Result;

constexpr base::Duration kHealthTolerance =
    std::chrono::seconds(20);  // Compat: upstream's for the leaderElection check

// Reconciles wait for the network, so that more of them run at once than in process.
constexpr int kControllerThreads = 16;

Result<std::string> read_file(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) return base::fail(Reason::kInvalid, "cannot read " + path + ": " + std::generic_category().message(errno));
  return std::string(std::istreambuf_iterator<char>(file), {});
}

std::string host_name() {
  utsname names{};
  return ::uname(&names) == 0 ? names.nodename : "localhost";
}

Result<base::Duration> parse_flag(std::string_view flag, const std::string& text) {
  auto parsed = object::parse_duration(text);
  if (!parsed)
    return base::fail(Reason::kInvalid, "--" + std::string(flag) + " " + text + ": " + parsed.error().message);
  return base::Duration(parsed->duration);
}

}  // namespace

bool controller_enabled(std::string_view name, const std::vector<std::string>& selection) {
  bool all = false;
  for (const std::string& entry : selection) {
    if (entry == "*") {
      all = true;
      continue;
    }
    const bool off = entry.starts_with('-');
    const std::string_view wanted = std::string_view(entry).substr(off ? 1 : 0);
    const bool short_name = name.ends_with("-controller") && name.substr(0, name.size() - 11) == wanted;
    if (wanted == name || short_name) return !off;
  }
  return all;
}

class Standalone::Impl {
 public:
  Impl(StandaloneComponent component, StandaloneOptions options)
      : component_(component), options_(std::move(options)) {}

  Result<void> start() {
    TRY(read_feature_gates(options_.feature_gates, {}));
    TRY_ASSIGN(config_, load_config());
    TRY_ASSIGN(transport_, connect(name(), std::chrono::seconds(30)));
    informers_ = std::make_unique<client::InformerFactory>(transport_, &pool_);
    if (scheduling()) {
      make_scheduler();
      informers_->start();  // Compat: a candidate's caches are warm, so that it takes over at once
    } else {
      TRY(make_controllers());
    }
    if (!options_.leader_elect) {
      TRY(start_health());
      lead();
      return {};
    }
    TRY(make_elector());
    TRY(start_health());
    elector_->start();
    return {};
  }

  void stop() {
    if (stopped_) return;
    stopped_ = true;
    if (elector_) elector_->stop();
    health_.reset();
    if (transport_) transport_->stop();  // no worker waits for an answer
    if (scheduler_) scheduler_->stop();
    if (engine_) engine_->stop();
    if (informers_) informers_->stop();
    election_pool_.stop();
    pool_.stop();
    scheduling_pool_.stop();
    elector_.reset();
    scheduler_.reset();
    engine_.reset();
    informers_.reset();
  }

 private:
  bool scheduling() const { return component_ == StandaloneComponent::kScheduler; }
  std::string name() const { return scheduling() ? "kube-scheduler" : "kube-controller-manager"; }

  Result<client::Kubeconfig> load_config() const {
    if (options_.kubeconfig.empty() && options_.master.empty()) return client::load_in_cluster();
    client::Kubeconfig config;
    if (!options_.kubeconfig.empty()) {
      TRY_ASSIGN(config, client::load_kubeconfig(options_.kubeconfig));
    }
    if (!options_.master.empty()) config.options.connection.url = options_.master;
    return config;
  }

  Result<std::shared_ptr<client::HttpsTransport>> connect(const std::string& user, base::Duration timeout) {
    client::HttpsOptions options = config_.options;
    // Compat: the server takes what stands before the slash as the field manager.
    options.connection.user_agent = user + "/v1.35.0 (linux) keelson";
    options.field_manager = name();
    options.call_timeout = timeout;
    if (options_.content_type == "application/json") options.encoding = client::Encoding::kJson;
    return client::HttpsTransport::create(std::move(options), &clock_, rng_.get());
  }

  Result<void> make_elector() {
    if (options_.resource_lock != "leases") {
      return base::fail(Reason::kInvalid,
                        "--leader-elect-resource-lock " + options_.resource_lock + ": only \"leases\" is supported");
    }
    client::ElectionOptions election;
    TRY_ASSIGN(election.lease_duration, parse_flag("leader-elect-lease-duration", options_.lease_duration));
    TRY_ASSIGN(election.renew_deadline, parse_flag("leader-elect-renew-deadline", options_.renew_deadline));
    TRY_ASSIGN(election.retry_period, parse_flag("leader-elect-retry-period", options_.retry_period));
    election.ns = options_.resource_namespace;
    election.name = options_.resource_name.empty() ? name() : options_.resource_name;
    election.identity = host_name() + "_" + base::new_uuid(*rng_);
    TRY(client::check_election(election));
    // A connection of its own: renewing does not wait behind lists.
    TRY_ASSIGN(auto transport, connect(name() + "-leader-election", election.renew_deadline));
    events_ = std::make_unique<client::EventRecorder>(transport_, &clock_, name());
    client::ElectionCallbacks callbacks;
    callbacks.on_started_leading = [this] { lead(); };
    callbacks.on_stopped_leading = options_.lost;
    elector_ = std::make_unique<client::LeaderElector>(
        client::ElectionDependencies{std::move(transport), &clock_, &election_pool_, rng_.get(), events_.get()},
        election, std::move(callbacks));
    return {};
  }

  Result<void> start_health() {
    if (options_.secure_port == 0) return {};
    HealthServerOptions health;
    health.bind_address = options_.bind_address;
    health.port = options_.secure_port;
    if (!options_.tls_cert_file.empty()) {
      TRY_ASSIGN(health.certificate_pem, read_file(options_.tls_cert_file));
      TRY_ASSIGN(health.key_pem, read_file(options_.tls_key_file));
    }
    health.check = [this]() -> std::string {
      return !elector_ || elector_->healthy(kHealthTolerance) ? "" : "failed election to renew leadership on lease";
    };
    TRY_ASSIGN(health_, HealthServer::start(std::move(health), clock_));
    return {};
  }

  void make_scheduler() {
    scheduler::SchedulerDependencies dependencies;
    dependencies.informers = informers_.get();
    dependencies.transport = transport_;
    dependencies.clock = &clock_;
    dependencies.rng = rng_.get();
    dependencies.executor = &scheduling_pool_;
    dependencies.host = host_name();
    scheduler_ = std::make_unique<scheduler::Scheduler>(std::move(dependencies));
  }

  Result<void> make_controllers() {
    controllers::Configuration configuration;
    configuration.shared.informers = informers_.get();
    configuration.shared.clock = &clock_;
    configuration.shared.rng = rng_.get();
    configuration.shared.workers = &pool_;
    configuration.transport_for = [this](const std::string&) { return transport_; };
    configuration.root_ca_pem = config_.options.connection.tls.ca_pem;
    if (!options_.root_ca_file.empty()) {
      TRY_ASSIGN(configuration.root_ca_pem, read_file(options_.root_ca_file));
    }
    if (!options_.service_account_key_file.empty()) {
      TRY_ASSIGN(const std::string pem, read_file(options_.service_account_key_file));
      TRY_ASSIGN(const pki::PrivateKey key, pki::PrivateKey::parse_pem(pem));
      configuration.service_account_key = [key] { return base::Result<pki::PrivateKey>(key); };
    }
    if (!options_.signing_cert_file.empty()) {
      TRY_ASSIGN(const std::string certificate, read_file(options_.signing_cert_file));
      TRY_ASSIGN(const std::string key, read_file(options_.signing_key_file));
      TRY_ASSIGN(configuration.signer, controllers::csrsigning::make_ca_signer(certificate, key, &clock_));
    }
    engine_ = std::make_unique<controllers::Engine>(&pool_, &clock_);
    for (auto& controller : controllers::make_controllers(configuration)) {
      if (controller_enabled(controller->name(), options_.controllers)) {
        engine_->add(std::move(controller));
      } else {
        base::log::info("controller is turned off", {{"controller", controller->name()}});
      }
    }
    return {};
  }

  // From when this process leads until it ends.
  void lead() {
    if (scheduler_) {
      scheduler_->start();
    } else {
      engine_->start();
      informers_->start();
    }
    base::log::info(name() + " is working");
  }

  const StandaloneComponent component_;
  const StandaloneOptions options_;
  base::SystemClock clock_;
  const std::unique_ptr<base::Rng> rng_ = base::system_rng();
  client::Kubeconfig config_;
  base::ThreadPool pool_{"controllers", kControllerThreads};
  base::ThreadPool scheduling_pool_{"scheduler", 1};
  base::ThreadPool election_pool_{"election", 1};
  std::shared_ptr<client::HttpsTransport> transport_;
  std::unique_ptr<client::InformerFactory> informers_;
  std::unique_ptr<controllers::Engine> engine_;
  std::unique_ptr<scheduler::Scheduler> scheduler_;
  std::unique_ptr<client::EventRecorder> events_;
  std::unique_ptr<client::LeaderElector> elector_;
  std::unique_ptr<HealthServer> health_;
  bool stopped_ = false;
};

Standalone::Standalone(StandaloneComponent component, StandaloneOptions options)
    : impl_(std::make_unique<Impl>(component, std::move(options))) {}
Standalone::~Standalone() { impl_->stop(); }
base::Result<void> Standalone::start() { return impl_->start(); }
void Standalone::stop() { impl_->stop(); }

}  // namespace cmd
