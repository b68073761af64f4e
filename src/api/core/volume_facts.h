// What decides which PersistentVolume a claim gets, taken from the objects once. The volume controller and the
// scheduler match by the same rules. Compat: upstream's storage helpers. Pure; thread: any (a VolumeIndex: its owner).
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <tuple>
#include <unordered_map>
#include <utility>
#include <vector>

#include "gen/core/v1.h"
#include "object/quantity.h"
#include "object/selector.h"

namespace api {

// Annotations that claims and volumes carry between the components that bind them.
inline constexpr std::string_view kBindCompleted = "pv.kubernetes.io/bind-completed";
inline constexpr std::string_view kBoundByController = "pv.kubernetes.io/bound-by-controller";
inline constexpr std::string_view kProvisionedBy = "pv.kubernetes.io/provisioned-by";
inline constexpr std::string_view kMigratedTo = "pv.kubernetes.io/migrated-to";
inline constexpr std::string_view kSelectedNode = "volume.kubernetes.io/selected-node";
inline constexpr std::string_view kStorageProvisioner = "volume.kubernetes.io/storage-provisioner";
inline constexpr std::string_view kBetaStorageProvisioner = "volume.beta.kubernetes.io/storage-provisioner";
inline constexpr std::string_view kBetaStorageClass = "volume.beta.kubernetes.io/storage-class";
// The provisioner of classes whose volumes somebody makes by hand.
inline constexpr std::string_view kNoProvisioner = "kubernetes.io/no-provisioner";

enum AccessMode : uint8_t { kReadWriteOnce = 1, kReadOnlyMany = 2, kReadWriteMany = 4, kReadWriteOncePod = 8 };
uint8_t access_modes_of(const std::vector<std::string>& modes);  // a set of bits

struct VolumeFacts {
  struct Claim {
    std::string ns, name;
    std::string uid;  // "" = somebody reserved the volume by name
    bool operator==(const Claim&) const = default;
  };
  std::string name;
  std::string storage_class;
  std::string attributes_class;
  std::optional<Claim> claim;
  std::vector<std::pair<std::string, std::string>> labels;
  object::QuantityValue capacity;
  int64_t revision = 0;
  uint8_t access_modes = 0;
  bool block = false;
  bool deleting = false;
  bool available = false;  // its phase
};

struct ClaimFacts {
  std::string ns, name, uid;
  std::string storage_class;
  std::string attributes_class;
  std::string volume_name;
  std::string selected_node;
  std::optional<object::LabelSelector> selector;
  object::QuantityValue request;
  int64_t revision = 0;
  uint8_t access_modes = 0;
  bool block = false;
  bool deleting = false;
  bool lost = false;            // its phase
  bool bind_completed = false;  // as annotated by the volume controller
  bool bound() const { return bind_completed && !volume_name.empty(); }
};

VolumeFacts facts_of(const core::v1::PersistentVolume& volume);
ClaimFacts facts_of(const core::v1::PersistentVolumeClaim& claim);
// The class by the beta annotation or by the spec; nothing = the claim says nothing, "" = it wants none.
std::optional<std::string> class_of(const core::v1::PersistentVolumeClaim& claim);
std::string class_of(const core::v1::PersistentVolume& volume);

// Does the volume's claimRef mean this claim?
bool is_bound_to(const VolumeFacts& volume, const ClaimFacts& claim);
// Size, volume mode, access modes and attributes class fit, and the volume is not being deleted.
bool fits(const VolumeFacts& volume, const ClaimFacts& claim);
// A volume that nobody has claimed and that the claim may take.
bool is_free_for(const VolumeFacts& volume, const ClaimFacts& claim);

// Volumes by name, by the claim that they name, and the free ones of each class in the order in which the volume
// controller takes them. Compat: those of fewer access modes first, then smaller ones.
class VolumeIndex {
 public:
  void put(VolumeFacts volume);
  void remove(const std::string& name);
  const VolumeFacts* find(std::string_view name) const;
  std::vector<std::string> of_claim(const std::string& ns, const std::string& name) const;
  // The volume that names the claim, if it fits.
  const VolumeFacts* reserved_for(const ClaimFacts& claim) const;
  // Calls `visit` for every volume that is_free_for the claim, in order, until it returns false.
  void each_free(const ClaimFacts& claim, const std::function<bool(const VolumeFacts&)>& visit) const;
  size_t count_free(std::string_view storage_class) const;

 private:
  using Place = std::tuple<int, object::QuantityValue, std::string>;
  static Place place_of(const VolumeFacts& volume);
  void unlink(const VolumeFacts& volume);

  std::map<std::string, VolumeFacts, std::less<>> volumes_;
  std::map<std::string, std::map<Place, const VolumeFacts*>, std::less<>> free_;  // by class
  std::unordered_map<std::string, std::set<std::string>> by_claim_;               // "ns/name" → names of volumes
};

}  // namespace api
