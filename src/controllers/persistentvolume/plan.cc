#include "controllers/persistentvolume/plan.h"

#include <algorithm>
#include <array>
#include <utility>

#include "api/core/volume_facts.h"
#include "client/events.h"
#include "codec/json_text.h"
#include "object/quantity.h"

namespace controllers::persistentvolume {
namespace {

using api::core::v1::PersistentVolume;
using api::core::v1::PersistentVolumeClaim;
using api::storage::v1::StorageClass;
using Step = ClaimPlan::Step;

constexpr std::string_view kInTree = "kubernetes.io/";
constexpr std::array<std::pair<std::string_view, std::string_view>, 7> kTakenOver = {{
    {"kubernetes.io/aws-ebs", "ebs.csi.aws.com"},
    {"kubernetes.io/azure-disk", "disk.csi.azure.com"},
    {"kubernetes.io/azure-file", "file.csi.azure.com"},
    {"kubernetes.io/cinder", "cinder.csi.openstack.org"},
    {"kubernetes.io/gce-pd", "pd.csi.storage.gke.io"},
    {"kubernetes.io/portworx-volume", "pxd.portworx.com"},
    {"kubernetes.io/vsphere-volume", "csi.vsphere.vmware.com"},
}};

bool annotate(api::meta::v1::ObjectMeta& metadata, std::string_view name, std::string_view value) {
  std::string& stored = metadata.annotations[std::string(name)];
  if (stored == value) return false;
  stored = value;
  return true;
}
const std::string* annotation(const api::meta::v1::ObjectMeta& metadata, std::string_view name) {
  const auto found = metadata.annotations.find(std::string(name));
  return found == metadata.annotations.end() ? nullptr : &found->second;
}

ClaimPlan lost(const PersistentVolumeClaim& claim, std::string reason, std::string message) {
  ClaimPlan plan{Step::kSetLost, {}, {}, {}};
  if (claim.status.phase != "Lost") plan.event = EventText{true, std::move(reason), std::move(message)};
  return plan;
}

ClaimPlan plan_bound(const ClaimObserved& observed) {
  const PersistentVolumeClaim& claim = *observed.claim;
  if (claim.spec.volume_name.empty()) {
    return lost(claim, "ClaimLost", "Bound claim has lost reference to PersistentVolume. Data on the volume is lost!");
  }
  if (!observed.volume)
    return lost(claim, "ClaimLost", "Bound claim has lost its PersistentVolume. Data on the volume is lost!");
  const auto& reference = observed.volume->spec.claim_ref;
  if (!reference || reference->uid == claim.metadata.uid) return {Step::kBind, {}, {}, {}};
  return lost(claim, "ClaimMisbound", "Two claims are bound to the same volume, this one is bound incorrectly");
}

ClaimPlan plan_named(const ClaimObserved& observed) {
  const PersistentVolumeClaim& claim = *observed.claim;
  ClaimPlan pending{Step::kSetPending, {}, {}, {}};
  if (!observed.volume) return pending;
  const PersistentVolume& volume = *observed.volume;
  const std::string quoted = codec::go_quoted(volume.metadata.name);
  if (!volume.spec.claim_ref) {
    const std::string problem = mismatch(volume, claim);
    if (problem.empty()) return {Step::kBind, {}, {}, {}};
    pending.event = EventText{true, "VolumeMismatch", "Cannot bind to requested volume " + quoted + ": " + problem};
    return pending;
  }
  if (is_bound_to(api::facts_of(volume), api::facts_of(claim))) return {Step::kBind, {}, {}, {}};
  if (!annotation(claim.metadata, api::kBoundByController)) {
    pending.event = EventText{true, "FailedBinding", "volume " + quoted + " already bound to a different claim."};
    return pending;
  }
  const auto& owner = *volume.spec.claim_ref;
  return {Step::kNothing,
          {},
          {},
          "invalid binding of claim \"" + claim.metadata.namespace_ + "/" + claim.metadata.name + "\" to volume " +
              quoted + ": volume already claimed by \"" + owner.namespace_ + "/" + owner.name + "\""};
}

EventText waiting_event(const std::vector<std::string>& pods) {
  if (pods.empty()) return {false, "WaitForFirstConsumer", "waiting for first consumer to be created before binding"};
  std::string names;
  for (const std::string& pod : pods) names.append(names.empty() ? "" : ",").append(pod);
  return {false, "WaitForPodScheduled",
          std::string("waiting for pod") + (pods.size() > 1 ? "s " : " ") + names + " to be scheduled"};
}

ClaimPlan plan_provision(const ClaimObserved& observed, const std::string& storage_class) {
  ClaimPlan plan;
  if (!observed.storage_class) {
    plan.event = EventText{true, "ProvisioningFailed",
                           "storageclass.storage.k8s.io " + codec::go_quoted(storage_class) + " not found"};
    return plan;
  }
  const std::string& plugin = observed.storage_class->provisioner;
  const std::string_view driver = driver_of_plugin(plugin);
  if (driver.empty() && plugin.starts_with(kInTree)) {
    plan.event = EventText{true, "ProvisioningFailed", "no volume plugin matched name: " + plugin};
    return plan;
  }
  plan.step = Step::kAwaitProvisioner;
  plan.provisioner = driver.empty() ? plugin : std::string(driver);
  plan.event = EventText{false, "ExternalProvisioning",
                         "Waiting for a volume to be created either by the external provisioner '" + plan.provisioner +
                             "' or manually by the system administrator. If volume creation is delayed, please verify "
                             "that the provisioner is running and correctly registered."};
  return plan;
}

ClaimPlan plan_unnamed(const ClaimObserved& observed) {
  const PersistentVolumeClaim& claim = *observed.claim;
  if (observed.volume) return {Step::kBind, {}, {}, {}};
  const auto storage_class = api::class_of(claim);
  if (!storage_class && !observed.default_class.empty()) return {Step::kTakeDefaultClass, {}, {}, {}};
  ClaimPlan pending{Step::kSetPending, {}, {}, {}};
  if (waits_for_consumer(observed.storage_class) && !annotation(claim.metadata, api::kSelectedNode)) {
    pending.event = waiting_event(observed.waiting_pods);
    return pending;
  }
  if (storage_class && !storage_class->empty()) return plan_provision(observed, *storage_class);
  pending.event =
      EventText{false, "FailedBinding", "no persistent volumes available for this claim and no storage class is set"};
  return pending;
}

Reclaim fail(std::string reason, std::string message) {
  return {Reclaim::Step::kFail, {true, std::move(reason), std::move(message)}};
}

Reclaim plan_delete(const PersistentVolume& volume) {
  const std::string* by = annotation(volume.metadata, api::kProvisionedBy);
  if (by && !by->empty()) {
    if (!by->starts_with(kInTree) || !driver_of_plugin(*by).empty()) return {};
    return fail("VolumeFailedDelete", "no volume plugin matched name: " + *by);
  }
  if (const auto& path = volume.spec.persistent_volume_source.host_path; path && !path->path.starts_with("/tmp/")) {
    return fail("VolumeFailedDelete", "host_path deleter only supports /tmp/.+ but received provided " + path->path);
  }
  return fail("VolumeFailedDelete", "error getting deleter volume plugin for volume " +
                                        codec::go_quoted(volume.metadata.name) +
                                        ": no deletable volume plugin matched");
}

}  // namespace

std::string_view driver_of_plugin(std::string_view plugin) {
  const auto found = std::ranges::find(kTakenOver, plugin, &std::pair<std::string_view, std::string_view>::first);
  return found == kTakenOver.end() ? std::string_view() : found->second;
}

bool waits_for_consumer(const StorageClass* storage_class) {
  return storage_class && storage_class->volume_binding_mode == "WaitForFirstConsumer";
}

std::string default_class(const std::vector<StorageClass>& classes) {
  const StorageClass* best = nullptr;
  for (const StorageClass& one : classes) {
    const std::string* mark = annotation(one.metadata, "storageclass.kubernetes.io/is-default-class");
    const std::string* beta = annotation(one.metadata, "storageclass.beta.kubernetes.io/is-default-class");
    if (!(mark && *mark == "true") && !(beta && *beta == "true")) continue;
    const auto newness = [](const StorageClass& of) { return of.metadata.creation_timestamp.seconds; };
    if (!best || newness(one) > newness(*best) ||
        (newness(one) == newness(*best) && one.metadata.name < best->metadata.name)) {
      best = &one;
    }
  }
  return best ? best->metadata.name : "";
}

// Compat: in this order, with these words.
std::string mismatch(const PersistentVolume& volume, const PersistentVolumeClaim& claim) {
  const api::VolumeFacts has = api::facts_of(volume);
  const api::ClaimFacts wants = api::facts_of(claim);
  if (has.capacity < wants.request) return "requested PV is too small";
  if (has.storage_class != wants.storage_class) return "storageClassName does not match";
  if (has.attributes_class != wants.attributes_class) return "volumeAttributesClassName does not match";
  if (has.block != wants.block) return "incompatible volumeMode";
  if ((wants.access_modes & ~has.access_modes) != 0) return "incompatible accessMode";
  return "";
}

ClaimPlan plan_claim(const ClaimObserved& observed) {
  if (annotation(observed.claim->metadata, api::kBindCompleted)) return plan_bound(observed);
  return observed.claim->spec.volume_name.empty() ? plan_unnamed(observed) : plan_named(observed);
}

VolumePlan plan_volume(const PersistentVolume& volume, const PersistentVolumeClaim* claim) {
  using VolumeStep = VolumePlan::Step;
  const auto& reference = volume.spec.claim_ref;
  if (!reference || reference->uid.empty()) return {VolumeStep::kSetAvailable};
  if (!claim || claim->metadata.uid != reference->uid) return {VolumeStep::kRelease};
  if (claim->spec.volume_name.empty()) {
    const bool same = (claim->spec.volume_mode == "Block") == (volume.spec.volume_mode == "Block");
    return {same ? VolumeStep::kWakeClaim : VolumeStep::kMismatch};
  }
  if (claim->spec.volume_name == volume.metadata.name) return {VolumeStep::kSetBound};
  const bool made_for_it =
      annotation(volume.metadata, api::kProvisionedBy) && volume.spec.persistent_volume_reclaim_policy == "Delete";
  return {made_for_it ? VolumeStep::kRelease : VolumeStep::kUnbind};
}

Reclaim plan_reclaim(const PersistentVolume& volume) {
  const std::string* migrated = annotation(volume.metadata, api::kMigratedTo);
  if (migrated && !migrated->empty()) return {};
  const std::string& policy = volume.spec.persistent_volume_reclaim_policy;
  if (policy == "Retain") return {};
  if (policy == "Delete") return plan_delete(volume);
  if (policy != "Recycle")
    return fail("VolumeUnknownReclaimPolicy", "Volume has unrecognized PersistentVolumeReclaimPolicy");
  const auto& source = volume.spec.persistent_volume_source;
  if (source.host_path || source.nfs) return {Reclaim::Step::kRecycle, {}};
  return fail("VolumeFailedRecycle", "No recycler plugin found for the volume!");
}

bool bind_volume(PersistentVolume& volume, const PersistentVolumeClaim& claim) {
  const auto& reference = volume.spec.claim_ref;
  const bool named = reference && reference->name == claim.metadata.name &&
                     reference->namespace_ == claim.metadata.namespace_ &&
                     (reference->uid.empty() || reference->uid == claim.metadata.uid);
  bool changed = false;
  if (!named || reference->uid != claim.metadata.uid) {
    volume.spec.claim_ref = client::reference_to(claim);
    changed = true;
  }
  // A volume that somebody reserved for the claim stays reserved when the claim goes elsewhere.
  if (!named) changed |= annotate(volume.metadata, api::kBoundByController, "yes");
  return changed;
}

bool bind_claim(PersistentVolumeClaim& claim, const PersistentVolume& volume) {
  bool changed = false;
  if (claim.spec.volume_name != volume.metadata.name) {
    claim.spec.volume_name = volume.metadata.name;
    annotate(claim.metadata, api::kBoundByController, "yes");
    changed = true;
  }
  if (!annotation(claim.metadata, api::kBindCompleted)) changed |= annotate(claim.metadata, api::kBindCompleted, "yes");
  return changed;
}

bool unbind_volume(PersistentVolume& volume) {
  if (volume.metadata.annotations.erase(std::string(api::kBoundByController)) > 0) {
    volume.spec.claim_ref.reset();
    return true;
  }
  if (!volume.spec.claim_ref || volume.spec.claim_ref->uid.empty()) return false;
  volume.spec.claim_ref->uid.clear();
  return true;
}

bool set_phase(PersistentVolume& volume, std::string_view phase, std::string_view message) {
  if (volume.status.phase == phase) return false;  // Compat: a message alone is not written
  volume.status.phase = phase;
  volume.status.message = message;
  return true;
}

bool set_phase(PersistentVolumeClaim& claim, std::string_view phase, const PersistentVolume* volume) {
  auto& status = claim.status;
  const auto before = status;
  if (!volume) {
    status.access_modes.clear();
    status.capacity.clear();
  } else {
    status.access_modes = volume->spec.access_modes;
    // Compat: once bound the difference may mean that the claim is being expanded.
    if (status.phase != phase) {
      const auto size = volume->spec.capacity.find("storage");
      const auto known = status.capacity.find("storage");
      if (size != volume->spec.capacity.end() &&
          (known == status.capacity.end() || compare(size->second, known->second) != 0)) {
        status.capacity = volume->spec.capacity;
      }
    }
    if (const auto& attributes = volume->spec.volume_attributes_class_name; attributes && !attributes->empty())
      status.current_volume_attributes_class_name = attributes;
  }
  status.phase = phase;
  return status != before;
}

bool set_provisioner(PersistentVolumeClaim& claim, const std::string& provisioner) {
  const bool stable = annotate(claim.metadata, api::kStorageProvisioner, provisioner);
  return annotate(claim.metadata, api::kBetaStorageProvisioner, provisioner) || stable;
}

bool note_migration(api::meta::v1::ObjectMeta& metadata) {
  const std::string* plugin = annotation(metadata, api::kStorageProvisioner);
  if (!plugin) plugin = annotation(metadata, api::kBetaStorageProvisioner);
  if (!plugin) plugin = annotation(metadata, api::kProvisionedBy);
  const std::string_view driver = plugin ? driver_of_plugin(*plugin) : std::string_view();
  return !driver.empty() && annotate(metadata, api::kMigratedTo, driver);
}

api::core::v1::Pod make_recycler(const PersistentVolume& volume) {
  constexpr int64_t kGibibyte = int64_t{1} << 30;
  const auto& source = volume.spec.persistent_volume_source;
  api::core::v1::Pod pod;
  pod.metadata.namespace_ = "default";
  pod.metadata.name = "recycler-for-" + volume.metadata.name;
  pod.spec.restart_policy = "Never";
  const auto size = volume.spec.capacity.find("storage");
  const int64_t bytes = size == volume.spec.capacity.end() ? 0 : object::QuantityValue::of(size->second).value();
  pod.spec.active_deadline_seconds = std::max<int64_t>(source.nfs ? 300 : 60, 30 * (bytes / kGibibyte));
  auto& scrubbed = pod.spec.volumes.emplace_back();
  scrubbed.name = "vol";
  scrubbed.volume_source.host_path = source.host_path;
  scrubbed.volume_source.nfs = source.nfs;
  auto& container = pod.spec.containers.emplace_back();
  container.name = "pv-recycler";
  container.image = "registry.k8s.io/build-image/debian-base:bookworm-v1.0.4";
  container.command = {"/bin/sh"};
  container.args = {"-c", "test -e /scrub && find /scrub -mindepth 1 -delete && test -z \"$(ls -A /scrub)\" || exit 1"};
  auto& mount = container.volume_mounts.emplace_back();
  mount.name = "vol";
  mount.mount_path = "/scrub";
  return pod;
}

}  // namespace controllers::persistentvolume
