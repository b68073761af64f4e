#include "cmd/health_server.h"

#include "net/server.h"
#include "pki/certificate.h"

namespace cmd {
namespace {

class HealthHandler final : public net::Handler {
 public:
  explicit HealthHandler(std::function<std::string()> check) : check_(std::move(check)) {}

  void handle(std::shared_ptr<net::Request> request, std::shared_ptr<net::ResponseWriter> writer) override {
    const net::Headers text = {{"content-type", "text/plain; charset=utf-8"}, {"x-content-type-options", "nosniff"}};
    const std::string_view path = request->path();
    if (path != "/healthz" && path != "/livez" && path != "/readyz")
      return writer->send(404, text, "404 page not found\n");
    if (request->method != "GET" && request->method != "HEAD") return writer->send(405, text, "method not allowed\n");
    const std::string problem = check_ ? check_() : "";
    if (problem.empty()) return writer->send(200, text, "ok");
    writer->send(500, text, "[-]leaderElection failed: " + problem + "\nhealthz check failed\n");
  }

 private:
  const std::function<std::string()> check_;
};

// Compat: without files, upstream's components serve a certificate that they sign themselves.
base::Result<pki::KeyPair> own_certificate(const std::string& address, base::WallTime now) {
  TRY_ASSIGN(pki::KeyPair authority, pki::make_authority("localhost-ca", now));
  pki::AlternativeNames names{{"localhost"}, {"127.0.0.1"}, {}, {}};
  if (address != "127.0.0.1" && address != "0.0.0.0" && address != "::") names.ips.push_back(address);
  return pki::issue_pair(pki::server_spec({"localhost", {}, {}}, names, now), authority);
}

}  // namespace

base::Result<std::unique_ptr<HealthServer>> HealthServer::start(HealthServerOptions options, const base::Clock& clock) {
  net::ServerTlsOptions tls;
  tls.certificate_chain_pem = std::move(options.certificate_pem);
  tls.private_key_pem = std::move(options.key_pem);
  tls.min_version = net::TlsVersion::kTls12;
  if (tls.certificate_chain_pem.empty()) {
    TRY_ASSIGN(const pki::KeyPair own, own_certificate(options.bind_address, clock.wall_now()));
    tls.certificate_chain_pem = own.certificate.pem();
    tls.private_key_pem = own.key.pem();
  }
  net::ServerOptions server;
  TRY_ASSIGN(server.tls, net::make_server_tls(tls));
  server.bind_address = std::move(options.bind_address);
  server.port = options.port;
  server.name = "health";
  server.handler = std::make_shared<HealthHandler>(std::move(options.check));
  auto listening = std::make_unique<net::Server>(std::move(server));
  TRY_ASSIGN([[maybe_unused]] const uint16_t port, listening->start());
  return std::unique_ptr<HealthServer>(new HealthServer(std::move(listening)));
}

HealthServer::HealthServer(std::unique_ptr<net::Server> server) : server_(std::move(server)) {}
HealthServer::~HealthServer() = default;
uint16_t HealthServer::port() const { return server_->port(); }

}  // namespace cmd
