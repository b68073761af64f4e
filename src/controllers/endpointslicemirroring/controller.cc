#include "controllers/endpointslicemirroring/controller.h"

#include "controllers/endpointslice/plan.h"
#include "controllers/endpointslicemirroring/plan.h"
#include "controllers/runtime/owners.h"
#include "controllers/runtime/write_barrier.h"

namespace controllers::endpointslicemirroring {
namespace {

using api::core::v1::Endpoints;
using api::core::v1::Service;
using api::discovery::v1::EndpointSlice;

class MirroringController final : public Controller {
 public:
  explicit MirroringController(const Dependencies& dependencies)
      : client_(dependencies.transport),
        services_(dependencies.informers->get<Service>()),
        endpoints_(dependencies.informers->get<Endpoints>()),
        slices_(dependencies.informers->get<EndpointSlice>()) {
    index_by_owner(slices_);
  }

  std::string_view name() const override { return "endpointslice-mirroring-controller"; }
  // A Service and its Endpoints have the same key.
  std::vector<WatchSpec> watches() override {
    return {{&endpoints_, enqueue_self()},
            {&services_, enqueue_self()},
            {&slices_, enqueue_controller_owner("", "Endpoints")}};
  }

  base::Result<Requeue> reconcile(const std::string& key) override {
    if (!barrier_.passed(key, slices_)) return Requeue{WriteBarrier::kRetry};
    const client::ObjectKey name = client::parse_key(key);
    auto endpoints = endpoints_.get_as<Endpoints>(name);
    if (!endpoints || endpoints->metadata.deletion_timestamp) return Requeue{};  // the garbage collector clears up
    std::vector<EndpointSlice> current;
    for (EndpointSlice& slice : slices_.by_index_as<EndpointSlice>(kOwnerIndex, endpoints->metadata.uid)) {
      const auto managed = slice.metadata.labels.find(endpointslice::kManagedBy);
      if (managed != slice.metadata.labels.end() && managed->second == kController) current.push_back(std::move(slice));
    }
    const auto service = services_.get_as<Service>(name);
    const bool wanted = service && service->spec.selector.empty() && is_mirrored(*endpoints);
    if (!wanted) endpoints->subsets.clear();
    const auto done = execute(key, plan(*endpoints, std::move(current)));
    if (!done && done.error().reason != base::Reason::kForbidden) return base::fail(done.error());
    return Requeue{};
  }

 private:
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
  client::Informer& services_;
  client::Informer& endpoints_;
  client::Informer& slices_;
  WriteBarrier barrier_;
};

}  // namespace

std::unique_ptr<Controller> make_controller(const Dependencies& dependencies) {
  return std::make_unique<MirroringController>(dependencies);
}

}  // namespace controllers::endpointslicemirroring
