#include "cmd/control_plane.h"

#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <optional>

#include "api/rules.h"
#include "apiserver/local_transport.h"
#include "apiserver/server.h"
#include "base/executor.h"
#include "base/log.h"
#include "base/rng.h"
#include "cmd/components.h"
#include "cmd/flags.h"
#include "cmd/kubeconfig.h"
#include "controllers/csrsigning/ca_signer.h"
#include "kv/embedded.h"
#include "pki/server_pki.h"
#include "storage/signature.h"

namespace cmd {
namespace {

base::Result<std::string> read_file(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file)
    return base::fail(base::Reason::kInvalid, "cannot read " + path + ": " + std::generic_category().message(errno));
  return std::string(std::istreambuf_iterator<char>(file), {});
}

}  // namespace

class ControlPlane::Impl {
 public:
  explicit Impl(ControlPlaneOptions options) : options_(std::move(options)), rng_(base::system_rng()) {}

  base::Result<void> start() {
    TRY_ASSIGN(features_, read_feature_gates(options_.feature_gates, apiserver::effective_feature_gates()));
    TRY_ASSIGN(runtime_config_, apiserver::RuntimeConfig::parse(options_.runtime_config));
    TRY_ASSIGN(plugins_, admission::choose_plugins({options_.enabled_admission, options_.disabled_admission}));
    std::error_code failed;
    std::filesystem::create_directories(options_.data_dir, failed);
    if (failed)
      return base::fail(base::Reason::kInvalid,
                        "cannot make data directory " + options_.data_dir + ": " + failed.message());
    TRY_ASSIGN(store_, kv::open_embedded_store({clock_, store_pool_, *rng_, &signer_}, options_.data_dir + "/store"));
    TRY(prepare_pki());
    TRY(start_server());
    if (options_.controllers == Controllers::kRun) {
      components_ = std::make_unique<Components>(
          ComponentOptions{&server_->core(), &clock_, rng_.get(), options_.nodes, ca_pem_, certificate_signer_});
      TRY(components_->start());
    }
    return {};
  }

  void stop() {
    if (stopped_) return;
    stopped_ = true;
    if (components_) components_->stop();
    if (server_) server_->stop(std::chrono::seconds(2));
    work_pool_.stop();
    server_.reset();
    store_.reset();
    store_pool_.stop();
  }

  std::string address() const {
    const bool v6 = options_.bind_address.find(':') != std::string::npos;
    std::string host =
        options_.bind_address == "0.0.0.0" || options_.bind_address == "::" ? "127.0.0.1" : options_.bind_address;
    if (v6 && host != "127.0.0.1") host = "[" + host + "]";
    return "https://" + host + ":" + std::to_string(port_);
  }
  base::Result<std::string> admin_kubeconfig() const { return make_kubeconfig(entry()); }
  base::Result<void> merge_into_kubeconfig(const std::string& path) const { return merge_kubeconfig(path, entry()); }

 private:
  KubeconfigEntry entry() const { return {"keelson", address(), ca_pem_, admin_.certificate_pem, admin_.key_pem}; }

  base::Result<void> prepare_pki() {
    const std::string directory = options_.cert_dir.empty() ? options_.data_dir + "/pki" : options_.cert_dir;
    TRY_ASSIGN(pki::ServerPki files, pki::ServerPki::open(directory, clock_));
    TRY_ASSIGN(pki::PemPair ca, files.cluster_ca());
    ca_pem_ = ca.certificate_pem;
    TRY_ASSIGN(certificate_signer_, controllers::csrsigning::make_ca_signer(ca.certificate_pem, ca.key_pem, &clock_));
    if (options_.tls_cert_file.empty()) {
      TRY_ASSIGN(serving_, files.serving(pki::ServerPki::serving_names("localhost", "cluster.local", "10.96.0.1",
                                                                       {options_.bind_address})));
    } else {
      TRY_ASSIGN(serving_.certificate_pem, read_file(options_.tls_cert_file));
      TRY_ASSIGN(serving_.key_pem, read_file(options_.tls_key_file));
    }
    client_ca_pem_ = ca_pem_;
    if (!options_.client_ca_file.empty()) {
      TRY_ASSIGN(std::string more, read_file(options_.client_ca_file));
      client_ca_pem_ += more;
    }
    TRY_ASSIGN(admin_, files.client("admin", pki::ServerPki::admin_subject()));
    token_key_source_ = [directory, this]() -> base::Result<pki::PrivateKey> {
      TRY_ASSIGN(pki::ServerPki own, pki::ServerPki::open(directory, clock_));
      return own.service_account_key();
    };
    return {};
  }

  base::Result<void> start_server() {
    auth::Authenticator authenticator(&clock_);
    if (!options_.token_auth_file.empty()) {
      TRY_ASSIGN(std::string csv, read_file(options_.token_auth_file));
      TRY(authenticator.load_tokens(csv));
    }
    apiserver::ServerOptions server;
    server.bind_address = options_.bind_address;
    server.port = options_.port;
    server.certificate_pem = serving_.certificate_pem;
    server.key_pem = serving_.key_pem;
    server.client_ca_pem = client_ca_pem_;
    server.service_cidr = options_.service_cidr;
    TRY(read_node_ports(server));
    server.advertise_address = options_.advertise_address;
    apiserver::CoreOptions core;
    core.store = store_.get();
    core.catalogue = &catalogue_;
    core.clock = &clock_;
    core.rng = rng_.get();
    core.pool = &work_pool_;
    core.features = features_;
    core.runtime_config = runtime_config_;
    core.admission = std::make_unique<admission::Chain>(std::move(plugins_));
    server_ = std::make_unique<apiserver::ApiServer>(std::move(server), std::move(core), std::move(authenticator));
    server_->core().token_key_source = token_key_source_;
    server_->core().privileged = options_.allow_privileged ? api::Privileged::kAllowed : api::Privileged::kRefused;
    server_->core().token_issuer = options_.service_account_issuer;
    server_->core().token_keys_uri = options_.service_account_jwks_uri;
    TRY_ASSIGN(port_, server_->start());
    return {};
  }

  base::Result<void> read_node_ports(apiserver::ServerOptions& server) const {
    const std::string& text = options_.service_node_ports;
    const size_t dash = text.find('-');
    const int first = std::atoi(text.c_str());
    const int last = dash == std::string::npos ? first : std::atoi(text.c_str() + dash + 1);
    if (first < 1 || last < first || last > 65535) {
      return base::fail(base::Reason::kInvalid,
                        "--service-node-port-range " + text + ": expected FIRST-LAST within 1-65535");
    }
    server.node_port_first = first;
    server.node_port_last = last;
    return {};
  }

  ControlPlaneOptions options_;
  api::FeatureGates features_;
  apiserver::RuntimeConfig runtime_config_;
  std::vector<std::unique_ptr<admission::Plugin>> plugins_;  // until the server has them
  base::SystemClock clock_;
  std::unique_ptr<base::Rng> rng_;
  api::Catalogue catalogue_;
  base::ThreadPool store_pool_{"store", 3};
  base::ThreadPool work_pool_{"api-work", 2};
  const storage::ObjectSigner signer_;
  std::unique_ptr<kv::Store> store_;
  std::string ca_pem_, client_ca_pem_;
  std::shared_ptr<const controllers::CertificateSigner> certificate_signer_;
  pki::PemPair serving_, admin_;
  pki::KeySource token_key_source_;
  std::unique_ptr<apiserver::ApiServer> server_;
  std::unique_ptr<Components> components_;
  uint16_t port_ = 0;
  bool stopped_ = false;
};

ControlPlane::ControlPlane(ControlPlaneOptions options) : impl_(std::make_unique<Impl>(std::move(options))) {}
ControlPlane::~ControlPlane() { impl_->stop(); }
base::Result<void> ControlPlane::start() { return impl_->start(); }
void ControlPlane::stop() { impl_->stop(); }
std::string ControlPlane::address() const { return impl_->address(); }
base::Result<std::string> ControlPlane::admin_kubeconfig() const { return impl_->admin_kubeconfig(); }
base::Result<void> ControlPlane::merge_into_kubeconfig(const std::string& path) const {
  return impl_->merge_into_kubeconfig(path);
}

}  // namespace cmd
