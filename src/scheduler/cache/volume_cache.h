// Claims, volumes and what decides about them, as the watch shows them, with the scheduler's own assumptions over
// them: a volume that was chosen for a claim is taken, and a claim has its node, before the server says so. Invariants:
// an assumption ends when a newer state of its object comes, or when it is taken back; every free volume is in exactly
// those lists of its class that its node affinity puts it in. Thread: the scheduler's strand.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <tuple>
#include <unordered_map>
#include <vector>

#include "scheduler/volume_info.h"

namespace scheduler {

using VolumeRef = std::shared_ptr<const VolumeInfo>;
using ClaimRef = std::shared_ptr<const ClaimInfo>;

// Free volumes of one class by size. Those whose affinity is one requirement `label In values` are found by the
// node's value of the label; others are asked one by one.
struct FreeVolumes {
  using Place = std::pair<object::QuantityValue, std::string>;
  using Sorted = std::map<Place, VolumeRef>;
  Sorted anywhere;
  Sorted complex;
  std::map<std::string, std::unordered_map<std::string, Sorted>> by_label;  // label → value → volumes
  bool empty() const { return anywhere.empty() && complex.empty() && by_label.empty(); }
};

class VolumeCache {
 public:
  VolumeCache() = default;
  VolumeCache(const VolumeCache&) = delete;

  // Nothing removes.
  void set_claim(const std::string& ns, const std::string& name, std::optional<ClaimInfo> claim);
  void set_volume(const std::string& name, std::optional<VolumeInfo> volume);
  void set_storage_class(const std::string& name, std::optional<StorageClassInfo> storage_class);
  void set_limits(const std::string& node, std::optional<VolumeLimits> limits);
  void set_tracks_capacity(const std::string& driver, std::optional<bool> tracks);
  void set_capacity(const std::string& key, std::optional<StorageCapacityInfo> capacity);
  void set_attachment(const std::string& name, std::optional<AttachmentInfo> attachment);

  // With assumptions; null = unknown.
  const ClaimInfo* claim(std::string_view ns, std::string_view name) const;
  const VolumeInfo* volume(std::string_view name) const;
  // As the server has it.
  const ClaimInfo* seen_claim(std::string_view ns, std::string_view name) const;
  const VolumeInfo* seen_volume(std::string_view name) const;
  const StorageClassInfo* storage_class(std::string_view name) const;
  const VolumeLimits* limits(const std::string& node) const;  // null = the node's drivers say nothing
  bool waits_for_consumer(const ClaimInfo& claim) const;
  // A fitting volume that somebody reserved for the claim; null = none.
  const VolumeInfo* reserved_for(const ClaimInfo& claim) const;
  const FreeVolumes* free_of(std::string_view storage_class) const;  // null = none
  // Does the driver's storage that nodes with these labels reach have room for the claim?
  bool has_room(const ClaimInfo& claim, const StorageClassInfo& storage_class, const StringPairs& node_labels) const;
  std::vector<const AttachmentInfo*> attached_to(const std::string& node) const;

  void assume_bound(const std::string& volume, const ClaimInfo& claim);
  void assume_node(const ClaimInfo& claim, const std::string& node);
  void forget_volume(const std::string& volume);
  void forget_claim(const std::string& ns, const std::string& name);

  // How many pods on nodes use the claim.
  void count_use(const std::string& key, int32_t change);
  int32_t uses(const std::string& key) const;

 private:
  template <typename Ref>
  struct Entry {
    Ref seen, assumed;
    const Ref& newest() const { return assumed ? assumed : seen; }
  };
  void link(const VolumeRef& volume);
  void unlink(const VolumeRef& volume);
  void each_list(const VolumeInfo& volume, const std::function<void(FreeVolumes::Sorted&)>& visit);

  std::unordered_map<std::string, Entry<ClaimRef>> claims_;  // "ns/name"
  std::map<std::string, Entry<VolumeRef>, std::less<>> volumes_;
  std::map<std::string, FreeVolumes, std::less<>> free_;             // by class
  std::unordered_map<std::string, std::set<std::string>> by_claim_;  // "ns/name" → volumes
  std::map<std::string, StorageClassInfo, std::less<>> storage_classes_;
  std::unordered_map<std::string, VolumeLimits> limits_;
  std::map<std::string, bool> tracks_capacity_;
  std::map<std::string, StorageCapacityInfo> capacities_;
  std::map<std::string, AttachmentInfo> attachments_;
  std::unordered_map<std::string, std::set<std::string>> attachments_of_node_;
  std::unordered_map<std::string, int32_t> uses_;
};

}  // namespace scheduler
