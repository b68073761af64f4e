#include "controllers/ephemeralvolume/controller.h"

#include <algorithm>

#include "client/events.h"
#include "controllers/runtime/claim_users.h"
#include "controllers/runtime/owners.h"
#include "gen/core/v1.h"

namespace controllers::ephemeralvolume {
namespace {

using api::core::v1::PersistentVolumeClaim;
using api::core::v1::Pod;

PersistentVolumeClaim make_claim(const Pod& pod, const api::core::v1::Volume& volume) {
  const auto& wanted = *volume.volume_source.ephemeral->volume_claim_template;
  PersistentVolumeClaim claim;
  claim.metadata.namespace_ = pod.metadata.namespace_;
  claim.metadata.name = pod.metadata.name + "-" + volume.name;
  claim.metadata.annotations = wanted.metadata.annotations;
  claim.metadata.labels = wanted.metadata.labels;
  claim.metadata.owner_references = {controller_reference(client::resource_of<Pod>(), pod.metadata)};
  claim.spec = wanted.spec;
  return claim;
}

class EphemeralController final : public Controller {
 public:
  explicit EphemeralController(const Dependencies& dependencies)
      : client_(dependencies.transport),
        events_(dependencies.transport, dependencies.clock, "ephemeral_volume"),
        pods_(dependencies.informers->get<Pod>()),
        claims_(dependencies.informers->get<PersistentVolumeClaim>()) {}

  std::string_view name() const override { return "ephemeral-volume-controller"; }
  int workers() const override { return 5; }
  std::vector<WatchSpec> watches() override {
    return {{&pods_,
             [](const client::Change& change, const EnqueueKey& enqueue) {
               if (!change.after) return;
               const auto claims = claims_of_pod(change.after);
               const bool concerned = std::ranges::any_of(
                   claims, [](const PodClaim& claim) { return claim.kind == PodClaim::Kind::kEphemeral; });
               if (concerned) enqueue(client::to_string(change.key));
             }},
            {&claims_,
             [owner = enqueue_controller_owner("", "Pod")](const client::Change& change, const EnqueueKey& enqueue) {
               if (!change.after) owner(change, enqueue);
             }}};
  }

  base::Result<Requeue> reconcile(const std::string& key) override {
    const auto pod = pods_.get_as<Pod>(client::parse_key(key));
    if (!pod || pod->metadata.deletion_timestamp) return Requeue{};
    for (const auto& volume : pod->spec.volumes) {
      if (!volume.volume_source.ephemeral || !volume.volume_source.ephemeral->volume_claim_template) continue;
      const auto made = make(*pod, volume);
      if (made) continue;
      const std::string what = "ephemeral volume " + volume.name + ": " + made.error().message;
      events_.event_on(*pod, client::EventType::kWarning, "FailedBinding", what);
      return base::fail(made.error().reason, "pod " + key + ", " + what);
    }
    return Requeue{};
  }

 private:
  base::Result<void> make(const Pod& pod, const api::core::v1::Volume& volume) {
    const PersistentVolumeClaim claim = make_claim(pod, volume);
    if (auto known = claims_.get_as<PersistentVolumeClaim>({claim.metadata.namespace_, claim.metadata.name}))
      return check_owner(pod, *known);
    auto created = client_.create(claim);
    if (created) return {};
    if (created.error().reason == base::Reason::kAlreadyExists) {
      // The cache is behind; whose it is, the next look or this one tells.
      auto live = client_.get<PersistentVolumeClaim>(claim.metadata.namespace_, claim.metadata.name);
      if (live) return check_owner(pod, *live);
    }
    return base::fail(created.error().reason, "create PVC " + claim.metadata.name + ": " + created.error().message);
  }

  static base::Result<void> check_owner(const Pod& pod, const PersistentVolumeClaim& claim) {
    const auto* owner = controller_of(claim.metadata);
    if (owner && owner->uid == pod.metadata.uid) return {};
    return base::fail(base::Reason::kConflict, "PVC " + claim.metadata.namespace_ + "/" + claim.metadata.name +
                                                   " was not created for pod " + pod.metadata.namespace_ + "/" +
                                                   pod.metadata.name + " (pod is not owner)");
  }

  const client::Client client_;
  client::EventRecorder events_;
  client::Informer& pods_;
  client::Informer& claims_;
};

}  // namespace

std::unique_ptr<Controller> make_controller(const Dependencies& dependencies) {
  return std::make_unique<EphemeralController>(dependencies);
}

}  // namespace controllers::ephemeralvolume
