// Changes of volumes, of what decides about them, and of disruption budgets: into the cache, then to the pods that they
// may help. Compat: upstream's queueing hints.
#include <algorithm>
#include <utility>

#include "scheduler/schedule_one.h"

namespace scheduler {
namespace {

bool uses(const PodInfo& pod, std::string_view ns, std::string_view claim) {
  return pod.ns == ns && std::ranges::find(pod.claims, claim, &ClaimUse::name) != pod.claims.end();
}

// May the volume be, or become, that of one of the pod's claims?
bool may_serve(const PodInfo& pod, const VolumeInfo& volume, const VolumeCache& volumes) {
  return std::ranges::any_of(pod.claims, [&](const ClaimUse& use) {
    const ClaimInfo* claim = volumes.claim(pod.ns, use.name);
    if (!claim) return false;
    if (!claim->facts.volume_name.empty()) return claim->facts.volume_name == volume.facts.name;
    return claim->facts.storage_class == volume.facts.storage_class;
  });
}

}  // namespace

void SchedulingLoop::announce_to(uint32_t events, const std::function<bool(const PodInfo& pod)>& concerns) {
  queue_.on_event(events, [&](const PodInfo& pod, uint8_t) { return concerns(pod); }, with_.clock->mono_now());
}

void SchedulingLoop::claim_changed(std::string ns, std::string name, std::optional<ClaimInfo> claim) {
  post([this, ns = std::move(ns), name = std::move(name), claim = std::move(claim)]() mutable {
    cache_.volumes().set_claim(ns, name, std::move(claim));
    look_at_waits_for(ns, name);
    announce_to(kClaim, [&](const PodInfo& pod) { return uses(pod, ns, name); });
  });
}

void SchedulingLoop::volume_changed(std::string name, std::optional<VolumeInfo> volume) {
  post([this, name = std::move(name), volume = std::move(volume)]() mutable {
    const bool there = volume.has_value();
    cache_.volumes().set_volume(name, std::move(volume));
    if (!there) return;
    const VolumeInfo* now = cache_.volumes().seen_volume(name);
    if (now->facts.claim) look_at_waits_for(now->facts.claim->ns, now->facts.claim->name);
    announce_to(kVolume, [&](const PodInfo& pod) { return may_serve(pod, *now, cache_.volumes()); });
  });
}

void SchedulingLoop::storage_class_changed(std::string name, std::optional<StorageClassInfo> storage_class) {
  post([this, name = std::move(name), storage_class = std::move(storage_class)]() mutable {
    const bool there = storage_class.has_value();
    cache_.volumes().set_storage_class(name, std::move(storage_class));
    if (there) announce(kStorageClass, kNoNode);
  });
}

void SchedulingLoop::volume_limits_changed(std::string node, std::optional<VolumeLimits> limits) {
  post([this, node = std::move(node), limits = std::move(limits)]() mutable {
    const VolumeLimits* known = cache_.volumes().limits(node);
    const bool same = known && limits && *known == *limits;
    cache_.volumes().set_limits(node, std::move(limits));
    if (!same) announce(kCsiNode, kNoNode);
  });
}

void SchedulingLoop::driver_changed(std::string name, std::optional<bool> tracks_capacity) {
  post([this, name = std::move(name), tracks_capacity] {
    cache_.volumes().set_tracks_capacity(name, tracks_capacity);
    announce(kCsiDriver, kNoNode);
  });
}

void SchedulingLoop::storage_capacity_changed(std::string key, std::optional<StorageCapacityInfo> capacity) {
  post([this, key = std::move(key), capacity = std::move(capacity)]() mutable {
    const bool there = capacity.has_value();
    cache_.volumes().set_capacity(key, std::move(capacity));
    if (there) announce(kStorageCapacity, kNoNode);
  });
}

void SchedulingLoop::attachment_changed(std::string name, std::optional<AttachmentInfo> attachment) {
  post([this, name = std::move(name), attachment = std::move(attachment)]() mutable {
    const bool gone = !attachment.has_value();
    cache_.volumes().set_attachment(name, std::move(attachment));
    if (gone) announce(kDetach, kNoNode);
  });
}

void SchedulingLoop::budget_changed(std::string ns, std::string name, std::optional<BudgetInfo> budget) {
  post([this, ns = std::move(ns), name = std::move(name), budget = std::move(budget)]() mutable {
    cache_.set_budget(ns, name, std::move(budget));
  });
}

}  // namespace scheduler
