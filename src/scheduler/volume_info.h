// What the scheduler keeps of claims, volumes, storage classes and of what CSI drivers say about nodes. Decoded once
// from the objects; immutable. Pure; thread: any.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "api/core/volume_facts.h"
#include "gen/storage/v1.h"
#include "object/selector.h"
#include "scheduler/pod_info.h"

namespace scheduler {

struct ClaimInfo {
  api::ClaimFacts facts;
  std::string owner_uid;  // of the controlling owner
  std::string key() const { return facts.ns + "/" + facts.name; }
};

struct VolumeInfo {
  api::VolumeFacts facts;
  std::optional<std::vector<NodeTerm>> affinity;                              // one of them must match the node
  std::vector<std::pair<std::string, std::vector<std::string>>> zone_labels;  // label of topology → values it allows
  std::string driver;                                                         // of a CSI volume
  std::string handle;
};

enum class BindingMode : uint8_t { kImmediate, kWaitForFirstConsumer };
struct StorageClassInfo {
  std::string provisioner;
  BindingMode mode = BindingMode::kImmediate;
  std::vector<NodeTerm> allowed_topologies;  // empty = everywhere
};

// Volumes that a node takes, by driver. A driver without a number has no limit.
using VolumeLimits = std::map<std::string, int32_t>;

struct StorageCapacityInfo {
  std::string storage_class;
  std::optional<object::LabelSelector> topology;  // of nodes that reach it; none = no node does
  int64_t limit = 0;                              // bytes of the largest volume
};

struct AttachmentInfo {
  std::string node;
  std::string driver;
  std::string volume;  // name of the PersistentVolume
};

// How many disruptions the Pods of a PodDisruptionBudget bear.
struct BudgetInfo {
  object::LabelSelector selector;  // matches nothing where the budget has none
  int32_t allowed = 0;
  std::vector<std::string> disrupted;  // Pods whose eviction is counted already
};

ClaimInfo claim_info(const api::core::v1::PersistentVolumeClaim& claim);
VolumeInfo volume_info(const api::core::v1::PersistentVolume& volume);
StorageClassInfo storage_class_info(const api::storage::v1::StorageClass& storage_class);
VolumeLimits volume_limits(const api::storage::v1::CSINode& node);
StorageCapacityInfo storage_capacity_info(const api::storage::v1::CSIStorageCapacity& capacity);

}  // namespace scheduler
