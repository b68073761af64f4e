#include "scheduler/queue/scheduling_queue.h"

#include <algorithm>

#include "scheduler/limits.h"

namespace scheduler {
namespace {

// Could the difference make a waiting pod schedulable? Its status, annotations and the like cannot.
bool relevant(const PodInfo& before, const PodInfo& after) {
  return before.labels != after.labels || before.gated != after.gated || before.deleting != after.deleting ||
         before.priority != after.priority || before.node_selector != after.node_selector ||
         before.tolerations.size() != after.tolerations.size() || before.request.milli_cpu != after.request.milli_cpu ||
         before.request.memory != after.request.memory || before.request.extended != after.request.extended;
}

}  // namespace

base::Duration SchedulingQueue::backoff(const Entry& entry) {
  int exponent = std::max(entry.errors > 0 ? entry.errors : entry.attempts, 1) - 1;
  base::Duration delay = kInitialBackoff;
  for (int i = 0; i < exponent && delay < kMaxBackoff; ++i) delay *= 2;
  return std::min(delay, kMaxBackoff);
}

void SchedulingQueue::leave(Entry& entry) {
  switch (entry.place) {
    case Place::kActive:
      active_.erase({-entry.pod->priority, entry.queued, entry.number});
      break;
    case Place::kBackoff:
      backoff_.erase({entry.until, entry.number});
      break;
    case Place::kUnschedulable:
      unschedulable_.erase({entry.queued + kUnschedulableMax, entry.number});
      break;
    case Place::kGated:
    case Place::kInFlight:
      break;
  }
}

void SchedulingQueue::activate(Entry& entry, base::MonoTime now) {
  leave(entry);
  entry.place = entry.pod->gated ? Place::kGated : Place::kActive;
  if (entry.place == Place::kGated) return;
  entry.queued = now;
  active_[{-entry.pod->priority, now, entry.number}] = &entry;
}

void SchedulingQueue::back_off_or_activate(Entry& entry, base::MonoTime now) {
  if (entry.until <= now || entry.pod->gated) return activate(entry, now);
  leave(entry);
  entry.place = Place::kBackoff;
  backoff_[{entry.until, entry.number}] = &entry;
}

void SchedulingQueue::add(PodRef pod, base::MonoTime now) {
  std::unique_ptr<Entry>& entry = entries_[pod->uid];
  if (entry) return update(*entry, std::move(pod), now);
  entry = std::make_unique<Entry>();
  entry->pod = std::move(pod);
  entry->number = ++numbers_;
  entry->first_seen = now;
  entry->place = Place::kInFlight;  // nowhere yet
  activate(*entry, now);
}

void SchedulingQueue::update(Entry& entry, PodRef pod, base::MonoTime now) {
  bool may_help = relevant(*entry.pod, *pod);
  if (entry.place == Place::kActive) {  // its priority may be part of its key
    leave(entry);
    entry.pod = std::move(pod);
    active_[{-entry.pod->priority, entry.queued, entry.number}] = &entry;
    if (entry.pod->gated) activate(entry, now);
    return;
  }
  entry.pod = std::move(pod);
  if (!may_help) return;
  if (entry.place == Place::kGated) {
    activate(entry, now);
  } else if (entry.place == Place::kUnschedulable) {
    back_off_or_activate(entry, now);
  } else if (entry.place == Place::kInFlight) {
    entry.retry_soon = true;
  }
}

void SchedulingQueue::remove(const std::string& uid) {
  auto found = entries_.find(uid);
  if (found == entries_.end()) return;
  leave(*found->second);
  entries_.erase(found);
}

void SchedulingQueue::flush(base::MonoTime now) {
  while (!backoff_.empty() && backoff_.begin()->first.first <= now) activate(*backoff_.begin()->second, now);
  while (!unschedulable_.empty() && unschedulable_.begin()->first.first <= now) {
    back_off_or_activate(*unschedulable_.begin()->second, now);
  }
}

std::optional<SchedulingQueue::Popped> SchedulingQueue::pop(base::MonoTime now) {
  flush(now);
  Entry* entry = nullptr;
  if (!active_.empty()) {
    entry = active_.begin()->second;
  } else {
    for (const auto& [key, candidate] : backoff_) {
      if (candidate->plugins == 0) continue;
      entry = candidate;
      break;
    }
  }
  if (!entry) return std::nullopt;
  leave(*entry);
  entry->place = Place::kInFlight;
  entry->retry_soon = false;
  ++entry->attempts;
  return Popped{entry->pod, entry->attempts, entry->first_seen};
}

void SchedulingQueue::reject(const std::string& uid, uint64_t plugins, base::MonoTime now) {
  auto found = entries_.find(uid);
  if (found == entries_.end()) return;
  Entry& entry = *found->second;
  entry.plugins = plugins;
  entry.errors = plugins == 0 ? entry.errors + 1 : 0;
  entry.queued = now;
  entry.until = now + backoff(entry);
  if (plugins == 0 || entry.retry_soon) return back_off_or_activate(entry, now);
  leave(entry);
  entry.place = Place::kUnschedulable;
  unschedulable_[{now + kUnschedulableMax, entry.number}] = &entry;
}

bool SchedulingQueue::helps(const Entry& entry, uint32_t events, const Hint& hint) const {
  for (size_t i = 0; i < profile_.plugins.size(); ++i) {
    if (!(entry.plugins & uint64_t{1} << i)) continue;
    if ((profile_.plugins[i]->requeue_events() & events) && hint(*entry.pod, static_cast<uint8_t>(i))) return true;
  }
  return false;
}

void SchedulingQueue::on_event(uint32_t events, const Hint& hint, base::MonoTime now) {
  std::vector<Entry*> moving;
  for (const auto& [key, entry] : unschedulable_) {
    if (helps(*entry, events, hint)) moving.push_back(entry);
  }
  for (Entry* entry : moving) back_off_or_activate(*entry, now);
}

std::optional<base::MonoTime> SchedulingQueue::next_wake() const {
  std::optional<base::MonoTime> wake;
  if (!backoff_.empty()) wake = backoff_.begin()->first.first;
  if (!unschedulable_.empty()) {
    base::MonoTime at = unschedulable_.begin()->first.first;
    wake = wake ? std::min(*wake, at) : at;
  }
  return wake;
}

const PodRef* SchedulingQueue::find(const std::string& uid) const {
  auto found = entries_.find(uid);
  return found == entries_.end() ? nullptr : &found->second->pod;
}

SchedulingQueue::Sizes SchedulingQueue::sizes() const {
  Sizes sizes{active_.size(), backoff_.size(), unschedulable_.size(), 0, 0};
  for (const auto& [uid, entry] : entries_) {
    if (entry->place == Place::kGated) ++sizes.gated;
    if (entry->place == Place::kInFlight) ++sizes.in_flight;
  }
  return sizes;
}

}  // namespace scheduler
