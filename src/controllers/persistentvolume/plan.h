// What is to be done about a claim or a volume, and the changes that binding makes to them. Pure; thread: any.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "gen/core/v1.h"
#include "gen/storage/v1.h"

namespace controllers::persistentvolume {

struct EventText {
  bool warning = false;
  std::string reason;
  std::string message;
};

struct ClaimObserved {
  const api::core::v1::PersistentVolumeClaim* claim = nullptr;
  // The volume that the claim names; when it names none, the one that it may take. Null = there is none.
  const api::core::v1::PersistentVolume* volume = nullptr;
  const api::storage::v1::StorageClass* storage_class = nullptr;  // null = no such class
  std::string default_class;                                      // "" = none
  std::vector<std::string> waiting_pods;                          // that use the claim and have no node
};
struct ClaimPlan {
  enum class Step : uint8_t {
    kNothing,
    kSetPending,
    kSetLost,
    kBind,              // to the observed volume
    kTakeDefaultClass,  // observed default_class
    kAwaitProvisioner,  // `provisioner` makes a volume
  };
  Step step = Step::kNothing;
  std::optional<EventText> event;
  std::string provisioner;
  std::string problem;  // not empty: the reconcile fails
};
ClaimPlan plan_claim(const ClaimObserved& observed);
// The claim is not bound and the class says that its volume is chosen when its first consumer is scheduled.
bool waits_for_consumer(const api::storage::v1::StorageClass* storage_class);
// The name of the class that claims without one get: the newest of those marked as default; "" = none.
std::string default_class(const std::vector<api::storage::v1::StorageClass>& classes);
// Why the claim cannot have the volume that it names; "" = it can.
std::string mismatch(const api::core::v1::PersistentVolume& volume, const api::core::v1::PersistentVolumeClaim& claim);

struct VolumePlan {
  enum class Step : uint8_t {
    kNothing,
    kSetAvailable,
    kSetBound,
    kRelease,    // and reclaim it
    kWakeClaim,  // that the volume names: binding is to be finished there
    kUnbind,     // the claim is bound elsewhere
    kMismatch,   // of volume modes: events on both
  };
  Step step = Step::kNothing;
};
// `claim`: the one that the volume's claimRef names, null when it is gone.
VolumePlan plan_volume(const api::core::v1::PersistentVolume& volume,
                       const api::core::v1::PersistentVolumeClaim* claim);

struct Reclaim {
  enum class Step : uint8_t { kNothing, kRecycle, kFail } step = Step::kNothing;
  EventText event;  // of kFail; its message goes into the status
};
// What becomes of a released volume. Compat: volumes that somebody else provisions are somebody else's to delete.
Reclaim plan_reclaim(const api::core::v1::PersistentVolume& volume);

// The changes; true = something changed.
bool bind_volume(api::core::v1::PersistentVolume& volume, const api::core::v1::PersistentVolumeClaim& claim);
bool bind_claim(api::core::v1::PersistentVolumeClaim& claim, const api::core::v1::PersistentVolume& volume);
bool unbind_volume(api::core::v1::PersistentVolume& volume);
bool set_phase(api::core::v1::PersistentVolume& volume, std::string_view phase, std::string_view message);
bool set_phase(api::core::v1::PersistentVolumeClaim& claim, std::string_view phase,
               const api::core::v1::PersistentVolume* volume);
bool set_provisioner(api::core::v1::PersistentVolumeClaim& claim, const std::string& provisioner);
// Notes on the object which external driver has taken over from the in-tree plugin that it names.
bool note_migration(api::meta::v1::ObjectMeta& metadata);

// The CSI driver that took over from an in-tree plugin; "" = none did.
std::string_view driver_of_plugin(std::string_view plugin);

// The Pod that empties a volume. Compat: upstream's template for hostPath and NFS.
api::core::v1::Pod make_recycler(const api::core::v1::PersistentVolume& volume);

}  // namespace controllers::persistentvolume
