#include "apiserver/server.h"

#include "apiserver/allocators/service_allocator.h"
#include "apiserver/crd/crd_controller.h"
#include "apiserver/discovery/serve.h"
#include "apiserver/limits.h"
#include "apiserver/metrics.h"
#include "apiserver/openapi/serve.h"
#include "apiserver/openid.h"
#include "apiserver/pipeline.h"
#include "apiserver/respond.h"
#include "apiserver/upkeep/status_keeper.h"
#include "object/status.h"

namespace apiserver {

class ApiServer::Entrance final : public net::Handler {
 public:
  Entrance(PipelineParts parts, ServerMetrics& metrics) : parts_(parts), metrics_(metrics) {}
  void handle(std::shared_ptr<net::Request> request, std::shared_ptr<net::ResponseWriter> writer) override {
    auto metered = metrics_.meter(*request, std::move(writer));
    serve(parts_, std::move(request), std::move(metered));
  }

 private:
  const PipelineParts parts_;
  ServerMetrics& metrics_;
};

namespace {

// What never reaches the pipeline is still answered with a Status.
net::ErrorResponse error_response(int status, std::string_view message, const net::Request*) {
  using base::Reason;
  Reason reason = Reason::kBadRequest;
  std::string text(message);
  if (status == 413) {
    reason = Reason::kRequestEntityTooLarge;
    text = "Request entity too large: limit is " + std::to_string(kMaxBodyBytes);
  } else if (status == 408) {
    reason = Reason::kTimeout;
  } else if (status == 503) {
    reason = Reason::kServiceUnavailable;
  } else if (status >= 500) {
    reason = Reason::kInternalError;
  }
  std::string body;
  object::append_status_json(body, base::Error(reason, text), status);
  return {"application/json", body + "\n"};
}

}  // namespace

ApiServer::ApiServer(ServerOptions options, CoreOptions core, auth::Authenticator authenticator)
    : options_(std::move(options)),
      core_(std::make_unique<Core>(std::move(core))),
      authenticator_(std::move(authenticator)) {
  add_health_paths(paths_, *core_);
  add_version_paths(paths_);
  add_index_path(paths_);
  add_discovery_paths(paths_, *core_);
  add_openapi_paths(paths_, *core_);
  add_openid_paths(paths_);
  add_metrics_path(paths_, registry_);
  metrics_ = std::make_unique<ServerMetrics>(*core_, registry_,
                                             [this] { return listener_ ? listener_->stats() : net::ServerStats(); });
}

ApiServer::~ApiServer() { stop(base::Duration::zero()); }

base::Result<uint16_t> ApiServer::start() {
  TRY_ASSIGN(allocator_,
             make_service_allocator(*core_, options_.service_cidr, options_.node_port_first, options_.node_port_last));
  core_->allocator = allocator_.get();
  TRY(make_first_objects(*core_, options_));
  definitions_ = std::make_unique<CrdController>(core_.get());
  TRY(definitions_->start());
  status_keeper_ = std::make_unique<StatusKeeper>(*core_);
  TRY(status_keeper_->start());
  net::ServerOptions http;
  http.bind_address = options_.bind_address;
  http.port = options_.port;
  http.loops = options_.loops;
  http.name = "apiserver";
  http.max_request_body_bytes = 2 * kMaxBodyBytes;  // the pipeline refuses what is over the limit, with all its headers
  http.error_responder = error_response;
  http.handler = std::make_shared<Entrance>(PipelineParts{core_.get(), &authenticator_, &paths_}, *metrics_);
  if (!options_.certificate_pem.empty()) {
    TRY_ASSIGN(http.tls, net::make_server_tls({options_.certificate_pem, options_.key_pem, options_.client_ca_pem,
                                               net::TlsVersion::kTls12}));
  }
  listener_ = std::make_unique<net::Server>(std::move(http));
  return listener_->start();
}

void ApiServer::stop(base::Duration grace) {
  if (definitions_) definitions_->stop();
  status_keeper_.reset();
  core_->stop();
  if (listener_) listener_->stop(grace);
}

}  // namespace apiserver
