#include "scheduler/volume_info.h"

#include <algorithm>

#include "api/label_selector.h"
#include "object/quantity.h"
#include "scheduler/decode_affinity.h"

namespace scheduler {
namespace {

// Compat: the labels that say where a volume is, in upstream's order.
constexpr const char* kZoneLabels[] = {"failure-domain.beta.kubernetes.io/zone",
                                       "failure-domain.beta.kubernetes.io/region", "topology.kubernetes.io/zone",
                                       "topology.kubernetes.io/region"};

// "a__b" = in a and in b. Nothing when a part is empty: such a label does not count.
std::vector<std::string> split_zones(const std::string& text) {
  std::vector<std::string> zones;
  for (size_t at = 0; at <= text.size();) {
    const size_t end = std::min(text.find("__", at), text.size());
    if (end == at) return {};
    zones.push_back(text.substr(at, end - at));
    at = end + 2;
  }
  return zones;
}

}  // namespace

ClaimInfo claim_info(const api::core::v1::PersistentVolumeClaim& claim) {
  ClaimInfo info{api::facts_of(claim), {}};
  for (const auto& owner : claim.metadata.owner_references) {
    if (owner.controller == true) info.owner_uid = owner.uid;
  }
  return info;
}

VolumeInfo volume_info(const api::core::v1::PersistentVolume& volume) {
  VolumeInfo info;
  info.facts = api::facts_of(volume);
  if (volume.spec.node_affinity && volume.spec.node_affinity->required)
    info.affinity = to_node_terms(*volume.spec.node_affinity->required);
  for (const char* label : kZoneLabels) {
    const auto found = volume.metadata.labels.find(label);
    if (found == volume.metadata.labels.end()) continue;
    std::vector<std::string> zones = split_zones(found->second);
    if (!zones.empty()) info.zone_labels.emplace_back(label, std::move(zones));
  }
  if (const auto& csi = volume.spec.persistent_volume_source.csi) {
    info.driver = csi->driver;
    info.handle = csi->volume_handle;
  }
  return info;
}

StorageClassInfo storage_class_info(const api::storage::v1::StorageClass& storage_class) {
  StorageClassInfo info;
  info.provisioner = storage_class.provisioner;
  if (storage_class.volume_binding_mode == "WaitForFirstConsumer") info.mode = BindingMode::kWaitForFirstConsumer;
  for (const auto& from : storage_class.allowed_topologies) {
    NodeTerm& term = info.allowed_topologies.emplace_back();
    for (const auto& expression : from.match_label_expressions)
      term.labels.push_back({expression.key, NodeRequirement::Op::kIn, expression.values});
  }
  return info;
}

VolumeLimits volume_limits(const api::storage::v1::CSINode& node) {
  VolumeLimits limits;
  for (const auto& driver : node.spec.drivers) {
    if (driver.allocatable && driver.allocatable->count) limits[driver.name] = *driver.allocatable->count;
  }
  return limits;
}

StorageCapacityInfo storage_capacity_info(const api::storage::v1::CSIStorageCapacity& capacity) {
  StorageCapacityInfo info;
  info.storage_class = capacity.storage_class_name;
  if (capacity.node_topology) {
    if (auto selector = api::to_selector(*capacity.node_topology)) info.topology = *std::move(selector);
  }
  // Compat: the largest size is more exact than what is free.
  const auto& limit = capacity.maximum_volume_size ? capacity.maximum_volume_size : capacity.capacity;
  info.limit = limit ? object::QuantityValue::of(*limit).value() : -1;
  return info;
}

}  // namespace scheduler
