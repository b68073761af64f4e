#include "controllers/persistentvolume/controller.h"

#include <set>
#include <utility>

#include "api/core/volume_facts.h"
#include "base/mutex.h"
#include "client/events.h"
#include "codec/json_text.h"
#include "controllers/persistentvolume/plan.h"
#include "controllers/runtime/claim_users.h"
#include "controllers/runtime/write_barrier.h"
#include "schema/metadata_view.h"

namespace controllers::persistentvolume {
namespace {

using api::core::v1::PersistentVolume;
using api::core::v1::PersistentVolumeClaim;
using api::core::v1::Pod;
using api::storage::v1::StorageClass;
using base::Reason;
using client::EventType;

// Keys: "claim/<namespace>/<name>", "volume/<name>", and "match/<class>": free volumes have come that may serve waiting
// claims.
constexpr std::string_view kClaimKey = "claim/", kVolumeKey = "volume/", kMatchKey = "match/";
// Claims that have no volume yet, by the class that they say ("" = none).
constexpr std::string_view kUnboundIndex = "unboundByClass";
// Claims by the volume that they name.
constexpr std::string_view kNamedIndex = "claimsByVolume";
// Volumes looked at for one claim before it waits for the cache to settle.
constexpr size_t kMaxCandidates = 64;

std::string claim_key(const std::string& ns, const std::string& name) {
  return std::string(kClaimKey).append(ns).append("/").append(name);
}
std::string volume_key(const std::string& name) { return std::string(kVolumeKey).append(name); }
std::string match_key(const std::string& in_class) { return std::string(kMatchKey).append(in_class); }

void index_unbound(client::Informer& claims) {
  claims.add_index(std::string(kUnboundIndex), [](const client::RawObject& raw, std::vector<std::string>& values) {
    const auto claim = client::decode_object<PersistentVolumeClaim>(raw);
    if (!claim || !claim->spec.volume_name.empty()) return;
    if (claim->metadata.annotations.contains(std::string(api::kBindCompleted))) return;
    values.push_back(api::class_of(*claim).value_or(""));
  });
}

void index_named(client::Informer& claims) {
  claims.add_index(std::string(kNamedIndex), [](const client::RawObject& raw, std::vector<std::string>& values) {
    constexpr uint32_t kSpec = 2, kVolumeName = 3;
    const auto volume = schema::find_bytes(raw.payload(), {kSpec, kVolumeName});
    if (volume && !volume->empty()) values.emplace_back(*volume);
  });
}

template <typename T>
int64_t revision_of(const T& object) {
  return std::stoll(object.metadata.resource_version);
}

class BinderController final : public Controller {
 public:
  explicit BinderController(const Dependencies& dependencies)
      : client_(dependencies.transport),
        events_(dependencies.transport, dependencies.clock, "persistentvolume-controller"),
        claims_(dependencies.informers->get<PersistentVolumeClaim>()),
        volumes_(dependencies.informers->get<PersistentVolume>()),
        classes_(dependencies.informers->get<StorageClass>()),
        pods_(dependencies.informers->get<Pod>()) {
    index_unbound(claims_);
    index_named(claims_);
    index_by_claim(pods_);
  }

  std::string_view name() const override { return "persistentvolume-binder-controller"; }
  int workers() const override { return 1; }
  void attach(const EnqueueKey& enqueue) override { enqueue_ = enqueue; }
  std::vector<WatchSpec> watches() override {
    return {
        {&claims_, [this](const client::Change& change, const EnqueueKey& enqueue) { claim_changed(change, enqueue); }},
        {&volumes_,
         [this](const client::Change& change, const EnqueueKey& enqueue) { volume_changed(change, enqueue); }},
        {&classes_,
         [this](const client::Change& change, const EnqueueKey& enqueue) { class_changed(change, enqueue); }},
        {&pods_, [](const client::Change& change, const EnqueueKey& enqueue) {
           constexpr std::string_view kRecycler = "recycler-for-";
           if (change.key.ns == "default" && change.key.name.starts_with(kRecycler))
             enqueue(volume_key(change.key.name.substr(kRecycler.size())));
         }}};
  }

  base::Result<Requeue> reconcile(const std::string& key) override {
    if (!claims_barrier_.passed(key, claims_) || !volumes_barrier_.passed(key, volumes_))
      return Requeue{WriteBarrier::kRetry};
    if (key.starts_with(kMatchKey)) return reconcile_match(key.substr(kMatchKey.size()));
    if (key.starts_with(kVolumeKey)) return reconcile_volume(key, key.substr(kVolumeKey.size()));
    return reconcile_claim(key, client::parse_key(std::string_view(key).substr(kClaimKey.size())));
  }

 private:
  // ---- what changes concern ----

  void claim_changed(const client::Change& change, const EnqueueKey& enqueue) {
    enqueue(claim_key(change.key.ns, change.key.name));
    std::vector<std::string> volumes;
    {
      base::MutexLock lock(mutex_);
      volumes = index_.of_claim(change.key.ns, change.key.name);
    }
    for (const std::string& volume : volumes) enqueue(volume_key(volume));
    // What was meant for it may serve another.
    if (change.after) return;
    if (const auto gone = client::decode_object<PersistentVolumeClaim>(change.before))
      enqueue(match_key(api::class_of(*gone).value_or("")));
  }

  void volume_changed(const client::Change& change, const EnqueueKey& enqueue) {
    enqueue(volume_key(change.key.name));
    std::optional<api::VolumeFacts> facts;
    if (change.after) {
      if (auto volume = client::decode_object<PersistentVolume>(change.after)) facts = api::facts_of(*volume);
    }
    std::optional<api::VolumeFacts::Claim> before;
    {
      base::MutexLock lock(mutex_);
      if (const api::VolumeFacts* known = index_.find(change.key.name)) before = known->claim;
      if (facts) {
        index_.put(*facts);
      } else {
        index_.remove(change.key.name);
      }
    }
    if (before) enqueue(claim_key(before->ns, before->name));
    if (!facts) return;
    if (facts->claim) enqueue(claim_key(facts->claim->ns, facts->claim->name));
    wake(claims_.by_index(kNamedIndex, facts->name), enqueue);
    if (facts->claim || !facts->available) return;
    enqueue(match_key(facts->storage_class));
  }

  void class_changed(const client::Change& change, const EnqueueKey& enqueue) {
    wake(claims_.by_index(kUnboundIndex, change.key.name), enqueue);
    wake(claims_.by_index(kUnboundIndex, ""), enqueue);  // it may have become the default
  }

  static void wake(const std::vector<client::RawObject>& claims, const EnqueueKey& enqueue) {
    for (const client::RawObject& raw : claims) {
      if (const auto metadata = schema::view_metadata(raw.payload()))
        enqueue(claim_key(std::string(metadata->namespace_), std::string(metadata->name)));
    }
  }

  // ---- free volumes ----

  // Wakes as many claims as there are volumes for them, so that many volumes and many claims do not meet each with
  // each.
  base::Result<Requeue> reconcile_match(const std::string& in_class) {
    const auto storage_class = classes_.get_as<StorageClass>({"", in_class});
    if (storage_class && waits_for_consumer(&*storage_class)) return Requeue{};
    std::set<std::string> taken;
    for (const client::RawObject& raw : claims_.by_index(kUnboundIndex, in_class)) {
      const auto claim = client::decode_object<PersistentVolumeClaim>(raw);
      if (!claim) continue;
      bool found = false;
      {
        base::MutexLock lock(mutex_);
        if (taken.size() >= index_.count_free(in_class)) break;
        index_.each_free(api::facts_of(*claim), [&](const api::VolumeFacts& free) {
          found = taken.insert(free.name).second;
          return !found;
        });
      }
      if (found) enqueue_(claim_key(claim->metadata.namespace_, claim->metadata.name));
    }
    return Requeue{};
  }

  // ---- claims ----

  base::Result<Requeue> reconcile_claim(const std::string& key, const client::ObjectKey& name) {
    auto found = claims_.get_as<PersistentVolumeClaim>(name);
    if (!found) return Requeue{};
    PersistentVolumeClaim& claim = *found;
    if (note_migration(claim.metadata)) {
      TRY_ASSIGN(claim, written(key, claims_barrier_, client_.update(claim)));
    }
    ClaimObserved observed;
    observed.claim = &claim;
    std::optional<StorageClass> storage_class;
    const std::optional<std::string> class_name = api::class_of(claim);
    if (class_name && !class_name->empty()) {
      if (auto known = classes_.get_as<StorageClass>({"", *class_name})) storage_class = std::move(*known);
    }
    if (storage_class) observed.storage_class = &*storage_class;
    if (!class_name) observed.default_class = default_class(classes_.list_as<StorageClass>());
    std::optional<PersistentVolume> volume;
    if (!find_volume(observed, volume)) return Requeue{WriteBarrier::kRetry};
    if (volume) observed.volume = &*volume;
    if (waits_for_consumer(observed.storage_class)) observed.waiting_pods = waiting_pods(name);
    const ClaimPlan plan = plan_claim(observed);
    TRY(carry_out(key, claim, volume ? &*volume : nullptr, observed, plan));
    return Requeue{};
  }

  // False when what the index says and what the cache says differ too much for now.
  bool find_volume(const ClaimObserved& observed, std::optional<PersistentVolume>& volume) {
    const PersistentVolumeClaim& claim = *observed.claim;
    if (!claim.spec.volume_name.empty()) {
      if (auto named = volumes_.get_as<PersistentVolume>({"", claim.spec.volume_name})) volume = std::move(*named);
      return true;
    }
    if (claim.metadata.annotations.contains(std::string(api::kBindCompleted))) return true;
    const api::ClaimFacts wants = api::facts_of(claim);
    std::vector<std::string> candidates;
    {
      base::MutexLock lock(mutex_);
      if (const api::VolumeFacts* reserved = index_.reserved_for(wants)) candidates.push_back(reserved->name);
      // Compat: which free volume such a claim gets is decided where its consumer's node is known.
      if (!waits_for_consumer(observed.storage_class)) {
        index_.each_free(wants, [&](const api::VolumeFacts& free) {
          candidates.push_back(free.name);
          return candidates.size() < kMaxCandidates;
        });
      }
    }
    for (const std::string& name : candidates) {
      auto candidate = volumes_.get_as<PersistentVolume>({"", name});
      if (!candidate) continue;
      const api::VolumeFacts has = api::facts_of(*candidate);
      if (!api::is_free_for(has, wants) && !(api::is_bound_to(has, wants) && api::fits(has, wants))) continue;
      volume = std::move(*candidate);
      return true;
    }
    return candidates.size() < kMaxCandidates;
  }

  std::vector<std::string> waiting_pods(const client::ObjectKey& claim) const {
    std::vector<std::string> names;
    for (const client::RawObject& pod : pods_.by_index(kClaimIndex, client::to_string(claim))) {
      constexpr uint32_t kSpec = 2, kNodeName = 10;
      if (!schema::find_bytes(pod.payload(), {kSpec, kNodeName}).value_or("").empty()) continue;
      if (const auto metadata = schema::view_metadata(pod.payload())) names.emplace_back(metadata->name);
    }
    return names;
  }

  base::Result<void> carry_out(const std::string& key, PersistentVolumeClaim& claim, PersistentVolume* volume,
                               const ClaimObserved& observed, const ClaimPlan& plan) {
    switch (plan.step) {
      case ClaimPlan::Step::kNothing:
        if (plan.event) say(claim, *plan.event);
        if (!plan.problem.empty()) return base::fail(Reason::kInternalError, plan.problem);
        return {};
      case ClaimPlan::Step::kSetPending:
      case ClaimPlan::Step::kSetLost:
        if (plan.event) say(claim, *plan.event);
        return write_phase(key, claim, plan.step == ClaimPlan::Step::kSetLost ? "Lost" : "Pending", nullptr);
      case ClaimPlan::Step::kBind:
        return bind(key, *volume, claim);
      case ClaimPlan::Step::kTakeDefaultClass:
        claim.spec.storage_class_name = observed.default_class;
        TRY(written(key, claims_barrier_, client_.update(claim)));
        return {};
      case ClaimPlan::Step::kAwaitProvisioner:
        if (set_provisioner(claim, plan.provisioner)) {
          TRY(written(key, claims_barrier_, client_.update(claim)));
        }
        say(claim, *plan.event);
        return {};
    }
    return {};
  }

  // Compat: in this order, so that whoever stops in between leaves something that can be finished.
  base::Result<void> bind(const std::string& key, PersistentVolume& volume, PersistentVolumeClaim& claim) {
    if (bind_volume(volume, claim)) {
      TRY_ASSIGN(volume, written(key, volumes_barrier_, client_.update(volume)));
    }
    TRY(write_phase(key, volume, "Bound", ""));
    if (bind_claim(claim, volume)) {
      TRY_ASSIGN(claim, written(key, claims_barrier_, client_.update(claim)));
    }
    return write_phase(key, claim, "Bound", &volume);
  }

  base::Result<void> write_phase(const std::string& key, PersistentVolumeClaim& claim, std::string_view phase,
                                 const PersistentVolume* volume) {
    if (!set_phase(claim, phase, volume)) return {};
    TRY_ASSIGN(claim, written(key, claims_barrier_, client_.update_status(claim)));
    return {};
  }

  // ---- volumes ----

  base::Result<Requeue> reconcile_volume(const std::string& key, const std::string& name) {
    auto found = volumes_.get_as<PersistentVolume>({"", name});
    if (!found) return Requeue{};
    PersistentVolume& volume = *found;
    if (note_migration(volume.metadata)) {
      TRY_ASSIGN(volume, written(key, volumes_barrier_, client_.update(volume)));
    }
    TRY_ASSIGN(const std::optional<PersistentVolumeClaim> claim, claim_of(volume));
    switch (plan_volume(volume, claim ? &*claim : nullptr).step) {
      case VolumePlan::Step::kNothing:
        break;
      case VolumePlan::Step::kSetAvailable:
        TRY(write_phase(key, volume, "Available", ""));
        break;
      case VolumePlan::Step::kSetBound:
        TRY(write_phase(key, volume, "Bound", ""));
        break;
      case VolumePlan::Step::kWakeClaim:
        enqueue_(claim_key(claim->metadata.namespace_, claim->metadata.name));
        break;
      case VolumePlan::Step::kMismatch:
        tell_mismatch(volume, *claim);
        break;
      case VolumePlan::Step::kUnbind:
        TRY(unbind(key, volume));
        break;
      case VolumePlan::Step::kRelease:
        if (volume.status.phase != "Released" && volume.status.phase != "Failed") {
          TRY(write_phase(key, volume, "Released", ""));
        }
        TRY(reclaim(key, volume));
        break;
    }
    return Requeue{};
  }

  // The claim that the volume names. What the cache does not show is asked of the server: a volume is released only
  // when its claim is certainly gone.
  base::Result<std::optional<PersistentVolumeClaim>> claim_of(const PersistentVolume& volume) {
    const auto& reference = volume.spec.claim_ref;
    if (!reference || reference->uid.empty()) return std::nullopt;
    auto cached = claims_.get_as<PersistentVolumeClaim>({reference->namespace_, reference->name});
    if (cached && cached->metadata.uid == reference->uid) return *std::move(cached);
    if (volume.status.phase == "Released" || volume.status.phase == "Failed") return std::nullopt;
    auto live = client_.get<PersistentVolumeClaim>(reference->namespace_, reference->name);
    if (live) return *std::move(live);
    if (live.error().reason == Reason::kNotFound) return std::nullopt;
    return base::fail(live.error());
  }

  base::Result<void> unbind(const std::string& key, PersistentVolume& volume) {
    if (unbind_volume(volume)) {
      TRY_ASSIGN(volume, written(key, volumes_barrier_, client_.update(volume)));
    }
    return write_phase(key, volume, "Available", "");
  }

  base::Result<void> reclaim(const std::string& key, PersistentVolume& volume) {
    const Reclaim todo = plan_reclaim(volume);
    if (todo.step == Reclaim::Step::kRecycle) return recycle(key, volume);
    if (todo.step == Reclaim::Step::kNothing) return {};
    return fail_volume(key, volume, todo.event);
  }

  base::Result<void> fail_volume(const std::string& key, PersistentVolume& volume, const EventText& event) {
    if (volume.status.phase == "Failed") return {};
    TRY(write_phase(key, volume, "Failed", event.message));
    say(volume, event);
    return {};
  }

  // One look at the Pod that empties the volume: made when there is none, waited for, taken away when it has ended.
  base::Result<void> recycle(const std::string& key, PersistentVolume& volume) {
    const Pod wanted = make_recycler(volume);
    const auto pod = pods_.get_as<Pod>({wanted.metadata.namespace_, wanted.metadata.name});
    if (!pod) {
      if (volume.status.phase == "Failed") return {};
      auto made = client_.create(wanted);
      if (!made && made.error().reason != Reason::kAlreadyExists) {
        return fail_volume(key, volume, {true, "VolumeFailedRecycle", "Recycle failed: " + made.error().message});
      }
      return {};
    }
    const bool done = pod->status.phase == "Succeeded";
    if ((!done && pod->status.phase != "Failed") || pod->metadata.deletion_timestamp) return {};
    if (done) {
      say(volume, {false, "VolumeRecycled", "Volume recycled"});
      TRY(unbind(key, volume));
    } else {
      TRY(fail_volume(key, volume,
                      {true, "VolumeFailedRecycle",
                       "Recycle failed: Pod was active on the node longer than the "
                       "specified deadline or failed: " +
                           pod->status.message}));
    }
    client::DeleteOptions options;
    options.precondition_uid = pod->metadata.uid;
    auto removed = client_.remove<Pod>(pod->metadata.namespace_, pod->metadata.name, options);
    if (!removed && removed.error().reason != Reason::kNotFound) return removed;
    return {};
  }

  void tell_mismatch(const PersistentVolume& volume, const PersistentVolumeClaim& claim) {
    const std::string wanted = "to requested PersistentVolumeClaim " + codec::go_quoted(claim.metadata.name) +
                               " due to incompatible volumeMode.";
    say(volume, {true, "VolumeMismatch", "Cannot bind PersistentVolume " + wanted});
    say(claim, {true, "VolumeMismatch",
                "Cannot bind PersistentVolume " + codec::go_quoted(volume.metadata.name) + " " + wanted});
  }

  base::Result<void> write_phase(const std::string& key, PersistentVolume& volume, std::string_view phase,
                                 std::string_view message) {
    if (!set_phase(volume, phase, message)) return {};
    TRY_ASSIGN(volume, written(key, volumes_barrier_, client_.update_status(volume)));
    return {};
  }

  // ---- both ----

  template <typename T>
  static base::Result<T> written(const std::string& key, WriteBarrier& barrier, base::Result<T> answer) {
    if (answer) barrier.note(key, revision_of(*answer));
    return answer;
  }
  template <typename T>
  void say(const T& object, const EventText& event) {
    events_.event_on(object, event.warning ? EventType::kWarning : EventType::kNormal, event.reason, event.message);
  }

  const client::Client client_;
  client::EventRecorder events_;
  client::Informer& claims_;
  client::Informer& volumes_;
  client::Informer& classes_;
  client::Informer& pods_;
  EnqueueKey enqueue_;
  WriteBarrier claims_barrier_, volumes_barrier_;
  base::Mutex mutex_;
  api::VolumeIndex index_ GUARDED_BY(mutex_);
};

}  // namespace

std::unique_ptr<Controller> make_controller(const Dependencies& dependencies) {
  return std::make_unique<BinderController>(dependencies);
}

}  // namespace controllers::persistentvolume
