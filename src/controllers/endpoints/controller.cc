#include "controllers/endpoints/controller.h"

#include "client/events.h"
#include "controllers/endpoints/plan.h"
#include "controllers/runtime/service_map.h"

namespace controllers::endpoints {
namespace {

using api::core::v1::Endpoints;
using api::core::v1::Pod;
using api::core::v1::Service;

class EndpointsController final : public Controller {
 public:
  explicit EndpointsController(const Dependencies& dependencies)
      : client_(dependencies.transport),
        events_(dependencies.transport, dependencies.clock, "endpoint-controller"),
        services_(dependencies.informers->get<Service>()),
        pods_(dependencies.informers->get<Pod>()),
        endpoints_(dependencies.informers->get<Endpoints>()) {}

  std::string_view name() const override { return "endpoints-controller"; }
  std::vector<WatchSpec> watches() override {
    return {{&services_, enqueue_self()}, {&pods_, enqueue_services_of_pod(services_)}, {&endpoints_, enqueue_self()}};
  }

  base::Result<Requeue> reconcile(const std::string& key) override {
    const client::ObjectKey name = client::parse_key(key);
    auto service = services_.get_as<Service>(name);
    auto current = endpoints_.get_as<Endpoints>(name);
    if (!service) return remove_own(name, current);
    // Without a selector the Endpoints are somebody else's, those of default/kubernetes the API server's own.
    if (service->spec.selector.empty() || service->spec.type == "ExternalName") return Requeue{};
    const Endpoints wanted = plan(*service, select_pods(pods_, *service), current ? &*current : nullptr);
    if (current && current->subsets == wanted.subsets && current->metadata.labels == wanted.metadata.labels &&
        current->metadata.annotations == wanted.metadata.annotations) {
      return Requeue{};
    }
    if (service->metadata.deletion_timestamp) return Requeue{};
    return current ? update(*service, wanted) : create(*service, wanted);
  }

 private:
  base::Result<Requeue> remove_own(const client::ObjectKey& name, const base::Result<Endpoints>& current) {
    if (!current || !current->metadata.labels.contains("endpoints.kubernetes.io/managed-by")) return Requeue{};
    client::DeleteOptions options;
    options.precondition_uid = current->metadata.uid;
    auto removed = client_.remove<Endpoints>(name.ns, name.name, options);
    if (!removed && removed.error().reason != base::Reason::kNotFound) return base::fail(removed.error());
    return Requeue{};
  }

  base::Result<Requeue> create(const Service& service, const Endpoints& wanted) {
    auto written = client_.create(wanted);
    if (written || written.error().reason == base::Reason::kForbidden) return Requeue{};  // the namespace ends
    events_.event_on(service, client::EventType::kWarning, "FailedToCreateEndpoint",
                     "Failed to create endpoint for service " + wanted.metadata.namespace_ + "/" +
                         wanted.metadata.name + ": " + written.error().message);
    return base::fail(written.error());
  }

  base::Result<Requeue> update(const Service& service, const Endpoints& wanted) {
    auto written = client_.update(wanted);
    if (written) return Requeue{};
    if (written.error().reason != base::Reason::kConflict) {
      events_.event_on(service, client::EventType::kWarning, "FailedToUpdateEndpoint",
                       "Failed to update endpoint " + wanted.metadata.namespace_ + "/" + wanted.metadata.name + ": " +
                           written.error().message);
    }
    return base::fail(written.error());
  }

  const client::Client client_;
  client::EventRecorder events_;
  client::Informer& services_;
  client::Informer& pods_;
  client::Informer& endpoints_;
};

}  // namespace

std::unique_ptr<Controller> make_controller(const Dependencies& dependencies) {
  return std::make_unique<EndpointsController>(dependencies);
}

}  // namespace controllers::endpoints
