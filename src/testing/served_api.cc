#include "testing/served_api.h"

#include <cstdlib>
#include <filesystem>

#include "apiserver/local_transport.h"
#include "base/check.h"
#include "kv/embedded.h"
#include "pki/certificate.h"

namespace in_process {

ServedApi::ServedApi() {
  std::string form = std::filesystem::temp_directory_path() / "keelson-served-XXXXXX";
  CHECK(mkdtemp(form.data()) != nullptr);
  directory_ = form;
  auto opened = kv::open_embedded_store({clock, store_pool_, *rng}, directory_ + "/store");
  CHECK(opened.has_value());
  store_ = std::move(*opened);

  const base::WallTime now = clock.wall_now();
  const auto authority = pki::make_authority("test", now);
  CHECK(authority.has_value());
  const auto serving =
      pki::issue_pair(pki::server_spec({"server", {}, {}}, {{"localhost"}, {"127.0.0.1"}, {}, {}}, now), *authority);
  const auto admin = pki::issue_pair(pki::client_spec({"admin", {"system:masters"}, {}}, now), *authority);
  CHECK(serving.has_value() && admin.has_value());
  ca_pem_ = authority->certificate.pem();
  client_pem_ = admin->certificate.pem();
  client_key_ = admin->key.pem();

  apiserver::ServerOptions options;
  options.port = 0;
  options.certificate_pem = serving->certificate.pem();
  options.key_pem = serving->key.pem();
  options.client_ca_pem = ca_pem_;
  options.loops = 1;
  apiserver::CoreOptions core;
  core.store = store_.get();
  core.catalogue = &catalogue_;
  core.clock = &clock;
  core.rng = rng.get();
  core.pool = &work_pool_;
  core.admission = std::make_unique<admission::Chain>(std::vector<std::unique_ptr<admission::Plugin>>());
  auth::Authenticator authenticator(&clock);
  authenticator.add_token(kAdminToken, {"admin", "1", {"system:masters"}});
  server_ = std::make_unique<apiserver::ApiServer>(std::move(options), std::move(core), std::move(authenticator));
  const auto port = server_->start();
  CHECK(port.has_value());
  url_ = "https://localhost:" + std::to_string(*port);
}

ServedApi::~ServedApi() {
  server_->stop(std::chrono::seconds(2));
  work_pool_.stop();
  server_.reset();
  store_.reset();
  store_pool_.stop();
  std::error_code ignored;
  std::filesystem::remove_all(directory_, ignored);
}

client::HttpsOptions ServedApi::https_options() const {
  client::HttpsOptions options;
  options.connection.url = url_;
  options.connection.tls.ca_pem = ca_pem_;
  options.credentials.certificate_chain_pem = client_pem_;
  options.credentials.private_key_pem = client_key_;
  options.field_manager = "test";
  return options;
}

std::shared_ptr<client::Transport> ServedApi::https(const std::function<void(client::HttpsOptions&)>& adjust) {
  client::HttpsOptions options = https_options();
  if (adjust) adjust(options);
  auto transport = client::HttpsTransport::create(std::move(options), &clock, rng.get());
  CHECK(transport.has_value());
  return *std::move(transport);
}

std::shared_ptr<client::Transport> ServedApi::in_process() {
  return std::make_shared<apiserver::LocalTransport>(&server_->core(), apiserver::User{"admin", "", {"system:masters"}},
                                                     "test");
}

base::Result<void> ServedApi::compact() { return store_->compact(store_->status().revision); }

}  // namespace in_process
