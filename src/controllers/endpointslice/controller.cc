#include "controllers/endpointslice/controller.h"

#include "client/events.h"
#include "controllers/endpointslice/plan.h"
#include "controllers/runtime/owners.h"
#include "controllers/runtime/service_map.h"
#include "controllers/runtime/write_barrier.h"

namespace controllers::endpointslice {
namespace {

using api::core::v1::Pod;
using api::core::v1::Service;
using api::discovery::v1::EndpointSlice;

class EndpointSliceController final : public Controller {
 public:
  explicit EndpointSliceController(const Dependencies& dependencies)
      : client_(dependencies.transport),
        events_(dependencies.transport, dependencies.clock, "endpoint-slice-controller"),
        services_(dependencies.informers->get<Service>()),
        pods_(dependencies.informers->get<Pod>()),
        nodes_(dependencies.informers->get<api::core::v1::Node>()),
        slices_(dependencies.informers->get<EndpointSlice>()) {
    index_by_owner(slices_);
  }

  std::string_view name() const override { return "endpointslice-controller"; }
  std::vector<WatchSpec> watches() override {
    return {{&services_, enqueue_self()},
            {&pods_, enqueue_services_of_pod(services_)},
            {&slices_, enqueue_controller_owner("", "Service")},
            {&nodes_, [](const client::Change&, const EnqueueKey&) {}}};  // only to wait for: zones are read
  }

  base::Result<Requeue> reconcile(const std::string& key) override {
    if (!barrier_.passed(key, slices_)) return Requeue{WriteBarrier::kRetry};
    auto service = services_.get_as<Service>(client::parse_key(key));
    if (!service || service->metadata.deletion_timestamp) return Requeue{};  // the garbage collector clears up
    if (service->spec.selector.empty() || service->spec.type == "ExternalName") return Requeue{};
    std::vector<EndpointSlice> current;
    for (EndpointSlice& slice : slices_.by_index_as<EndpointSlice>(kOwnerIndex, service->metadata.uid)) {
      const auto managed = slice.metadata.labels.find(kManagedBy);
      if (managed != slice.metadata.labels.end() && managed->second == kController) current.push_back(std::move(slice));
    }
    const Plan todo = plan(*service, select_pods(pods_, *service), std::move(current),
                           [this](const std::string& node) { return zone_of(node); });
    if (auto done = execute(key, todo); !done) {
      if (done.error().reason == base::Reason::kForbidden) return Requeue{};  // the namespace ends
      if (done.error().reason != base::Reason::kConflict) {
        events_.event_on(*service, client::EventType::kWarning, "FailedToUpdateEndpointSlices",
                         "Error updating Endpoint Slices for Service " + key + ": " + done.error().message);
      }
      return base::fail(done.error());
    }
    return Requeue{};
  }

 private:
  std::string zone_of(const std::string& node) const {
    const client::RawObject raw = nodes_.get({"", node});
    if (!raw) return "";
    const auto view = schema::view_metadata(raw.payload());
    if (!view) return "";
    return std::string(schema::find(view->labels, "topology.kubernetes.io/zone").value_or(""));
  }

  base::Result<void> execute(const std::string& key, const Plan& todo) {
    for (const EndpointSlice& slice : todo.create) {
      TRY_ASSIGN(const EndpointSlice written, client_.create(slice));
      barrier_.note(key, std::stoll(written.metadata.resource_version));
    }
    for (const EndpointSlice& slice : todo.update) {
      TRY_ASSIGN(const EndpointSlice written, client_.update(slice));
      barrier_.note(key, std::stoll(written.metadata.resource_version));
    }
    for (const EndpointSlice& slice : todo.remove) {
      auto removed = client_.remove<EndpointSlice>(slice.metadata.namespace_, slice.metadata.name);
      if (!removed && removed.error().reason != base::Reason::kNotFound) return removed;
    }
    return {};
  }

  const client::Client client_;
  client::EventRecorder events_;
  client::Informer& services_;
  client::Informer& pods_;
  client::Informer& nodes_;
  client::Informer& slices_;
  WriteBarrier barrier_;
};

}  // namespace

std::unique_ptr<Controller> make_controller(const Dependencies& dependencies) {
  return std::make_unique<EndpointSliceController>(dependencies);
}

}  // namespace controllers::endpointslice
