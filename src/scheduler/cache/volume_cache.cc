#include "scheduler/cache/volume_cache.h"

#include <algorithm>

namespace scheduler {
namespace {

std::string key_of(std::string_view ns, std::string_view name) { return std::string(ns).append("/").append(name); }

bool is_free(const VolumeInfo& volume) { return !volume.facts.claim && volume.facts.available; }

FreeVolumes::Place place_of(const VolumeInfo& volume) { return {volume.facts.capacity, volume.facts.name}; }

// The one requirement of the affinity, where it is of the form that can be looked up.
const NodeRequirement* simple_requirement(const VolumeInfo& volume) {
  if (!volume.affinity || volume.affinity->size() != 1) return nullptr;
  const NodeTerm& term = volume.affinity->front();
  if (term.labels.size() != 1 || !term.fields.empty()) return nullptr;
  return term.labels.front().op == NodeRequirement::Op::kIn ? &term.labels.front() : nullptr;
}

}  // namespace

// ---- claims ----

void VolumeCache::set_claim(const std::string& ns, const std::string& name, std::optional<ClaimInfo> claim) {
  const std::string key = key_of(ns, name);
  if (!claim) {
    claims_.erase(key);
    return;
  }
  Entry<ClaimRef>& entry = claims_[key];
  if (entry.seen && entry.seen->facts.revision == claim->facts.revision && claim->facts.revision != 0) return;
  entry = {std::make_shared<const ClaimInfo>(*std::move(claim)), nullptr};
}

const ClaimInfo* VolumeCache::claim(std::string_view ns, std::string_view name) const {
  const auto found = claims_.find(key_of(ns, name));
  return found == claims_.end() ? nullptr : found->second.newest().get();
}

const ClaimInfo* VolumeCache::seen_claim(std::string_view ns, std::string_view name) const {
  const auto found = claims_.find(key_of(ns, name));
  return found == claims_.end() ? nullptr : found->second.seen.get();
}

void VolumeCache::assume_node(const ClaimInfo& claim, const std::string& node) {
  const auto found = claims_.find(claim.key());
  if (found == claims_.end()) return;
  auto assumed = std::make_shared<ClaimInfo>(*found->second.seen);
  assumed->facts.selected_node = node;
  found->second.assumed = std::move(assumed);
}

void VolumeCache::forget_claim(const std::string& ns, const std::string& name) {
  const auto found = claims_.find(key_of(ns, name));
  if (found != claims_.end()) found->second.assumed = nullptr;
}

void VolumeCache::count_use(const std::string& key, int32_t change) {
  int32_t& count = uses_[key];
  count += change;
  if (count == 0) uses_.erase(key);
}

int32_t VolumeCache::uses(const std::string& key) const {
  const auto found = uses_.find(key);
  return found == uses_.end() ? 0 : found->second;
}

// ---- volumes ----

void VolumeCache::each_list(const VolumeInfo& volume, const std::function<void(FreeVolumes::Sorted&)>& visit) {
  FreeVolumes& free = free_[volume.facts.storage_class];
  if (!volume.affinity) return visit(free.anywhere);
  const NodeRequirement* requirement = simple_requirement(volume);
  if (!requirement) return visit(free.complex);
  auto& values = free.by_label[requirement->key];
  for (const std::string& value : requirement->values) {
    FreeVolumes::Sorted& list = values[value];
    visit(list);
    if (list.empty()) values.erase(value);
  }
  if (values.empty()) free.by_label.erase(requirement->key);
}

void VolumeCache::link(const VolumeRef& volume) {
  if (const auto& claim = volume->facts.claim) by_claim_[key_of(claim->ns, claim->name)].insert(volume->facts.name);
  if (is_free(*volume)) each_list(*volume, [&](FreeVolumes::Sorted& list) { list[place_of(*volume)] = volume; });
}

void VolumeCache::unlink(const VolumeRef& volume) {
  if (const auto& claim = volume->facts.claim) {
    const auto of = by_claim_.find(key_of(claim->ns, claim->name));
    of->second.erase(volume->facts.name);
    if (of->second.empty()) by_claim_.erase(of);
  }
  if (!is_free(*volume)) return;
  each_list(*volume, [&](FreeVolumes::Sorted& list) { list.erase(place_of(*volume)); });
  const auto in_class = free_.find(volume->facts.storage_class);
  if (in_class->second.empty()) free_.erase(in_class);
}

void VolumeCache::set_volume(const std::string& name, std::optional<VolumeInfo> volume) {
  const auto known = volumes_.find(name);
  if (known != volumes_.end()) {
    const int64_t revision = known->second.seen->facts.revision;
    if (volume && volume->facts.revision == revision && revision != 0) return;
    unlink(known->second.newest());
    if (!volume) volumes_.erase(known);
  }
  if (!volume) return;
  Entry<VolumeRef>& entry = volumes_[name];
  entry = {std::make_shared<const VolumeInfo>(*std::move(volume)), nullptr};
  link(entry.seen);
}

const VolumeInfo* VolumeCache::volume(std::string_view name) const {
  const auto found = volumes_.find(name);
  return found == volumes_.end() ? nullptr : found->second.newest().get();
}

const VolumeInfo* VolumeCache::seen_volume(std::string_view name) const {
  const auto found = volumes_.find(name);
  return found == volumes_.end() ? nullptr : found->second.seen.get();
}

void VolumeCache::assume_bound(const std::string& volume, const ClaimInfo& claim) {
  const auto found = volumes_.find(volume);
  if (found == volumes_.end()) return;
  Entry<VolumeRef>& entry = found->second;
  unlink(entry.newest());
  auto assumed = std::make_shared<VolumeInfo>(*entry.seen);
  assumed->facts.claim = api::VolumeFacts::Claim{claim.facts.ns, claim.facts.name, claim.facts.uid};
  entry.assumed = std::move(assumed);
  link(entry.assumed);
}

void VolumeCache::forget_volume(const std::string& volume) {
  const auto found = volumes_.find(volume);
  if (found == volumes_.end() || !found->second.assumed) return;
  unlink(found->second.assumed);
  found->second.assumed = nullptr;
  link(found->second.seen);
}

const VolumeInfo* VolumeCache::reserved_for(const ClaimInfo& claim) const {
  const auto found = by_claim_.find(claim.key());
  if (found == by_claim_.end()) return nullptr;
  for (const std::string& name : found->second) {
    const VolumeInfo& one = *volumes_.find(name)->second.newest();
    if (api::is_bound_to(one.facts, claim.facts) && api::fits(one.facts, claim.facts)) return &one;
  }
  return nullptr;
}

const FreeVolumes* VolumeCache::free_of(std::string_view storage_class) const {
  const auto found = free_.find(storage_class);
  return found == free_.end() ? nullptr : &found->second;
}

// ---- classes, drivers ----

void VolumeCache::set_storage_class(const std::string& name, std::optional<StorageClassInfo> storage_class) {
  if (storage_class) {
    storage_classes_[name] = *std::move(storage_class);
  } else {
    storage_classes_.erase(name);
  }
}

const StorageClassInfo* VolumeCache::storage_class(std::string_view name) const {
  const auto found = storage_classes_.find(name);
  return found == storage_classes_.end() ? nullptr : &found->second;
}

bool VolumeCache::waits_for_consumer(const ClaimInfo& claim) const {
  const StorageClassInfo* known = storage_class(claim.facts.storage_class);
  return known && known->mode == BindingMode::kWaitForFirstConsumer;
}

void VolumeCache::set_limits(const std::string& node, std::optional<VolumeLimits> limits) {
  if (limits) {
    limits_[node] = *std::move(limits);
  } else {
    limits_.erase(node);
  }
}

const VolumeLimits* VolumeCache::limits(const std::string& node) const {
  const auto found = limits_.find(node);
  return found == limits_.end() ? nullptr : &found->second;
}

void VolumeCache::set_tracks_capacity(const std::string& driver, std::optional<bool> tracks) {
  if (tracks) {
    tracks_capacity_[driver] = *tracks;
  } else {
    tracks_capacity_.erase(driver);
  }
}

void VolumeCache::set_capacity(const std::string& key, std::optional<StorageCapacityInfo> capacity) {
  if (capacity) {
    capacities_[key] = *std::move(capacity);
  } else {
    capacities_.erase(key);
  }
}

bool VolumeCache::has_room(const ClaimInfo& claim, const StorageClassInfo& storage_class,
                           const StringPairs& node_labels) const {
  const auto tracks = tracks_capacity_.find(storage_class.provisioner);
  if (tracks == tracks_capacity_.end() || !tracks->second || claim.facts.request.zero()) return true;
  const int64_t size = claim.facts.request.value();
  return std::ranges::any_of(capacities_, [&](const auto& entry) {
    const StorageCapacityInfo& capacity = entry.second;
    return capacity.storage_class == claim.facts.storage_class && capacity.limit >= size && capacity.topology &&
           matches(*capacity.topology, node_labels);
  });
}

void VolumeCache::set_attachment(const std::string& name, std::optional<AttachmentInfo> attachment) {
  const auto known = attachments_.find(name);
  if (known != attachments_.end()) {
    auto of = attachments_of_node_.find(known->second.node);
    of->second.erase(name);
    if (of->second.empty()) attachments_of_node_.erase(of);
    attachments_.erase(known);
  }
  if (!attachment) return;
  attachments_of_node_[attachment->node].insert(name);
  attachments_[name] = *std::move(attachment);
}

std::vector<const AttachmentInfo*> VolumeCache::attached_to(const std::string& node) const {
  std::vector<const AttachmentInfo*> found;
  const auto of = attachments_of_node_.find(node);
  if (of == attachments_of_node_.end()) return found;
  for (const std::string& name : of->second) found.push_back(&attachments_.find(name)->second);
  return found;
}

}  // namespace scheduler
