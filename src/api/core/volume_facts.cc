#include "api/core/volume_facts.h"

#include <bit>

#include "api/label_selector.h"

namespace api {
namespace {

using core::v1::PersistentVolume;
using core::v1::PersistentVolumeClaim;

object::QuantityValue storage_in(const std::map<std::string, object::Quantity>& resources) {
  const auto found = resources.find("storage");
  return found == resources.end() ? object::QuantityValue() : object::QuantityValue::of(found->second);
}

int64_t revision_of(const std::string& resource_version) {
  return resource_version.empty() ? 0 : std::strtoll(resource_version.c_str(), nullptr, 10);
}

std::string annotation(const meta::v1::ObjectMeta& metadata, std::string_view name) {
  const auto found = metadata.annotations.find(std::string(name));
  return found == metadata.annotations.end() ? std::string() : found->second;
}

}  // namespace

uint8_t access_modes_of(const std::vector<std::string>& modes) {
  uint8_t bits = 0;
  for (const std::string& mode : modes) {
    if (mode == "ReadWriteOnce") bits |= kReadWriteOnce;
    if (mode == "ReadOnlyMany") bits |= kReadOnlyMany;
    if (mode == "ReadWriteMany") bits |= kReadWriteMany;
    if (mode == "ReadWriteOncePod") bits |= kReadWriteOncePod;
  }
  return bits;
}

std::optional<std::string> class_of(const PersistentVolumeClaim& claim) {
  const auto beta = claim.metadata.annotations.find(std::string(kBetaStorageClass));
  if (beta != claim.metadata.annotations.end()) return beta->second;
  return claim.spec.storage_class_name;
}

std::string class_of(const PersistentVolume& volume) {
  const auto beta = volume.metadata.annotations.find(std::string(kBetaStorageClass));
  return beta != volume.metadata.annotations.end() ? beta->second : volume.spec.storage_class_name;
}

VolumeFacts facts_of(const PersistentVolume& volume) {
  VolumeFacts facts;
  facts.name = volume.metadata.name;
  facts.storage_class = class_of(volume);
  facts.attributes_class = volume.spec.volume_attributes_class_name.value_or("");
  if (const auto& reference = volume.spec.claim_ref)
    facts.claim = VolumeFacts::Claim{reference->namespace_, reference->name, reference->uid};
  facts.labels.assign(volume.metadata.labels.begin(), volume.metadata.labels.end());
  facts.capacity = storage_in(volume.spec.capacity);
  facts.revision = revision_of(volume.metadata.resource_version);
  facts.access_modes = access_modes_of(volume.spec.access_modes);
  facts.block = volume.spec.volume_mode == "Block";
  facts.deleting = static_cast<bool>(volume.metadata.deletion_timestamp);
  facts.available = volume.status.phase == "Available";
  return facts;
}

ClaimFacts facts_of(const PersistentVolumeClaim& claim) {
  ClaimFacts facts;
  facts.ns = claim.metadata.namespace_;
  facts.name = claim.metadata.name;
  facts.uid = claim.metadata.uid;
  facts.storage_class = class_of(claim).value_or("");
  facts.attributes_class = claim.spec.volume_attributes_class_name.value_or("");
  facts.volume_name = claim.spec.volume_name;
  facts.selected_node = annotation(claim.metadata, kSelectedNode);
  if (claim.spec.selector) {
    auto selector = to_selector(*claim.spec.selector);
    facts.selector = selector ? *std::move(selector) : object::LabelSelector::nothing();
  }
  facts.request = storage_in(claim.spec.resources.requests);
  facts.revision = revision_of(claim.metadata.resource_version);
  facts.access_modes = access_modes_of(claim.spec.access_modes);
  facts.block = claim.spec.volume_mode == "Block";
  facts.deleting = static_cast<bool>(claim.metadata.deletion_timestamp);
  facts.lost = claim.status.phase == "Lost";
  facts.bind_completed = claim.metadata.annotations.contains(std::string(kBindCompleted));
  return facts;
}

bool is_bound_to(const VolumeFacts& volume, const ClaimFacts& claim) {
  if (!volume.claim || volume.claim->name != claim.name || volume.claim->ns != claim.ns) return false;
  return volume.claim->uid.empty() || volume.claim->uid == claim.uid;
}

bool fits(const VolumeFacts& volume, const ClaimFacts& claim) {
  return !volume.deleting && volume.block == claim.block && volume.capacity >= claim.request &&
         volume.attributes_class == claim.attributes_class && (claim.access_modes & ~volume.access_modes) == 0;
}

bool is_free_for(const VolumeFacts& volume, const ClaimFacts& claim) {
  if (volume.claim || !volume.available || volume.storage_class != claim.storage_class) return false;
  if (!fits(volume, claim)) return false;
  using Labels = object::MapLabels<std::vector<std::pair<std::string, std::string>>>;
  return !claim.selector || claim.selector->matches(Labels(volume.labels));
}

VolumeIndex::Place VolumeIndex::place_of(const VolumeFacts& volume) {
  return {std::popcount(volume.access_modes), volume.capacity, volume.name};
}

void VolumeIndex::unlink(const VolumeFacts& volume) {
  if (const auto in_class = free_.find(volume.storage_class); in_class != free_.end()) {
    in_class->second.erase(place_of(volume));
    if (in_class->second.empty()) free_.erase(in_class);
  }
  if (!volume.claim) return;
  const auto of = by_claim_.find(volume.claim->ns + "/" + volume.claim->name);
  if (of == by_claim_.end()) return;
  of->second.erase(volume.name);
  if (of->second.empty()) by_claim_.erase(of);
}

void VolumeIndex::put(VolumeFacts volume) {
  VolumeFacts& stored = volumes_[volume.name];
  if (!stored.name.empty()) unlink(stored);
  stored = std::move(volume);
  if (!stored.claim && stored.available) free_[stored.storage_class][place_of(stored)] = &stored;
  if (stored.claim) by_claim_[stored.claim->ns + "/" + stored.claim->name].insert(stored.name);
}

void VolumeIndex::remove(const std::string& name) {
  const auto found = volumes_.find(name);
  if (found == volumes_.end()) return;
  unlink(found->second);
  volumes_.erase(found);
}

const VolumeFacts* VolumeIndex::find(std::string_view name) const {
  const auto found = volumes_.find(name);
  return found == volumes_.end() ? nullptr : &found->second;
}

std::vector<std::string> VolumeIndex::of_claim(const std::string& ns, const std::string& name) const {
  const auto found = by_claim_.find(ns + "/" + name);
  if (found == by_claim_.end()) return {};
  return {found->second.begin(), found->second.end()};
}

const VolumeFacts* VolumeIndex::reserved_for(const ClaimFacts& claim) const {
  const auto found = by_claim_.find(claim.ns + "/" + claim.name);
  if (found == by_claim_.end()) return nullptr;
  for (const std::string& name : found->second) {
    const VolumeFacts& volume = volumes_.find(name)->second;
    if (is_bound_to(volume, claim) && fits(volume, claim)) return &volume;
  }
  return nullptr;
}

size_t VolumeIndex::count_free(std::string_view storage_class) const {
  const auto in_class = free_.find(storage_class);
  return in_class == free_.end() ? 0 : in_class->second.size();
}

void VolumeIndex::each_free(const ClaimFacts& claim, const std::function<bool(const VolumeFacts&)>& visit) const {
  const auto in_class = free_.find(claim.storage_class);
  if (in_class == free_.end()) return;
  for (const auto& [place, volume] : in_class->second) {
    if (is_free_for(*volume, claim) && !visit(*volume)) return;
  }
}

}  // namespace api
