#include "controllers/volumeprotection/controller.h"

#include <algorithm>

#include "controllers/runtime/claim_users.h"
#include "controllers/runtime/owners.h"
#include "gen/core/v1.h"

namespace controllers::volumeprotection {
namespace {

using api::core::v1::PersistentVolume;
using api::core::v1::PersistentVolumeClaim;
using api::core::v1::Pod;
using base::Reason;

constexpr std::string_view kClaimFinalizer = "kubernetes.io/pvc-protection";
constexpr std::string_view kVolumeFinalizer = "kubernetes.io/pv-protection";

bool has(const api::meta::v1::ObjectMeta& metadata, std::string_view finalizer) {
  return std::ranges::find(metadata.finalizers, finalizer) != metadata.finalizers.end();
}
// An ending object that only waits for the finalizer to go, or a living one that lacks it.
bool concerns(const schema::MetadataView& metadata, std::string_view finalizer) {
  bool found = false;
  for (const std::string_view one : metadata.finalizers) found = found || one == finalizer;
  return found == metadata.deletion_seconds.has_value();
}

MapFunction enqueue_where_it_concerns(std::string_view finalizer) {
  return [finalizer](const client::Change& change, const EnqueueKey& enqueue) {
    if (!change.after) return;
    const auto metadata = schema::view_metadata(change.after.payload());
    if (metadata && concerns(*metadata, finalizer)) enqueue(client::to_string(change.key));
  };
}

// Somebody else's change, or the end of the object, in between is no failure: it leads to the key again.
template <typename T>
base::Result<void> write(const client::Client& client, const T& object) {
  auto written = client.update(object);
  if (written || written.error().reason == Reason::kNotFound) return {};
  return base::fail(written.error());
}

template <typename T>
base::Result<void> add(const client::Client& client, T& object, std::string_view finalizer) {
  object.metadata.finalizers.emplace_back(finalizer);
  return write(client, object);
}
template <typename T>
base::Result<void> drop(const client::Client& client, T& object, std::string_view finalizer) {
  std::erase(object.metadata.finalizers, finalizer);
  return write(client, object);
}

class ClaimProtection final : public Controller {
 public:
  explicit ClaimProtection(const Dependencies& dependencies)
      : client_(dependencies.transport),
        claims_(dependencies.informers->get<PersistentVolumeClaim>()),
        pods_(dependencies.informers->get<Pod>()) {
    index_by_claim(pods_);
  }

  std::string_view name() const override { return "persistentvolumeclaim-protection-controller"; }
  std::vector<WatchSpec> watches() override {
    return {
        {&claims_, enqueue_where_it_concerns(kClaimFinalizer)},
        {&pods_, [this](const client::Change& change, const EnqueueKey& enqueue) { pod_changed(change, enqueue); }}};
  }

  base::Result<Requeue> reconcile(const std::string& key) override {
    auto claim = claims_.get_as<PersistentVolumeClaim>(client::parse_key(key));
    if (!claim) return Requeue{};
    const bool protected_now = has(claim->metadata, kClaimFinalizer);
    if (!claim->metadata.deletion_timestamp) {
      if (!protected_now) TRY(add(client_, *claim, kClaimFinalizer));
      return Requeue{};
    }
    if (!protected_now) return Requeue{};
    TRY_ASSIGN(const bool used, in_use(*claim));
    if (!used) TRY(drop(client_, *claim, kClaimFinalizer));
    return Requeue{};
  }

 private:
  // Only an end of a claim's use matters here.
  void pod_changed(const client::Change& change, const EnqueueKey& enqueue) {
    if (!change.before) return;
    for (const PodClaim& used : claims_of_pod(change.before)) {
      const auto raw = claims_.get({change.key.ns, used.claim});
      if (!raw) continue;
      const auto metadata = schema::view_metadata(raw.payload());
      if (metadata && metadata->deletion_seconds) enqueue(client::to_string({change.key.ns, used.claim}));
    }
  }

  base::Result<bool> in_use(const PersistentVolumeClaim& claim) const {
    const auto* owner = controller_of(claim.metadata);
    const std::string owner_uid = owner ? owner->uid : "";
    const auto uses = [&](const client::RawObject& pod) { return holds_claim(pod, claim.metadata.name, owner_uid); };
    const std::string key = claim.metadata.namespace_ + "/" + claim.metadata.name;
    if (std::ranges::any_of(pods_.by_index(kClaimIndex, key), uses)) return true;
    // The cache may be behind: data may be lost when a Pod that has just come is overlooked.
    client::ListCall call;
    call.resource = &client::resource_of<Pod>();
    call.ns = claim.metadata.namespace_;
    TRY_ASSIGN(const client::ListResult live, client_.transport().list(call));
    return std::ranges::any_of(live.items, uses);
  }

  const client::Client client_;
  client::Informer& claims_;
  client::Informer& pods_;
};

class VolumeProtection final : public Controller {
 public:
  explicit VolumeProtection(const Dependencies& dependencies)
      : client_(dependencies.transport), volumes_(dependencies.informers->get<PersistentVolume>()) {}

  std::string_view name() const override { return "persistentvolume-protection-controller"; }
  std::vector<WatchSpec> watches() override { return {{&volumes_, enqueue_where_it_concerns(kVolumeFinalizer)}}; }

  base::Result<Requeue> reconcile(const std::string& key) override {
    auto volume = volumes_.get_as<PersistentVolume>(client::parse_key(key));
    if (!volume) return Requeue{};
    const bool protected_now = has(volume->metadata, kVolumeFinalizer);
    if (!volume->metadata.deletion_timestamp) {
      if (!protected_now) TRY(add(client_, *volume, kVolumeFinalizer));
      return Requeue{};
    }
    if (protected_now && volume->status.phase != "Bound") TRY(drop(client_, *volume, kVolumeFinalizer));
    return Requeue{};
  }

 private:
  const client::Client client_;
  client::Informer& volumes_;
};

}  // namespace

std::unique_ptr<Controller> make_claim_controller(const Dependencies& dependencies) {
  return std::make_unique<ClaimProtection>(dependencies);
}
std::unique_ptr<Controller> make_volume_controller(const Dependencies& dependencies) {
  return std::make_unique<VolumeProtection>(dependencies);
}

}  // namespace controllers::volumeprotection
