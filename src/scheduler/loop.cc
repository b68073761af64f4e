#include <utility>

#include "base/check.h"
#include "base/log.h"
#include "scheduler/catalogue.h"
#include "scheduler/limits.h"
#include "scheduler/schedule_one.h"
#include "schema/metadata_view.h"

namespace scheduler {
namespace {

std::string uid_of(const client::RawObject& raw) {
  if (!raw) return {};
  auto metadata = schema::view_metadata(raw.payload());
  return metadata ? std::string(metadata->uid) : std::string();
}

bool scaled_down(const PodInfo& before, const PodInfo& after) {
  return after.request.milli_cpu < before.request.milli_cpu || after.request.memory < before.request.memory;
}

uint32_t events_of(uint8_t changes) {
  uint32_t events = 0;
  auto has = [&](NodeChange change) { return (changes & static_cast<uint8_t>(change)) != 0; };
  if (has(NodeChange::kAdded)) events |= kNodeAdd;
  if (has(NodeChange::kAllocatable)) events |= kNodeAllocatable;
  if (has(NodeChange::kLabels)) events |= kNodeLabel;
  if (has(NodeChange::kTaints)) events |= kNodeTaint;
  return events;
}

}  // namespace

SchedulingLoop::SchedulingLoop(LoopDependencies dependencies)
    : with_(std::move(dependencies)),
      profile_(default_profile(&cache_)),
      queue_(&profile_),
      algorithm_(&cache_, &profile_, &nominator_, with_.rng) {}

// ---- the strand ----

void SchedulingLoop::post(base::Task task) {
  {
    base::MutexLock lock(mutex_);
    if (stopped_) return;
    mailbox_.push_back(std::move(task));
    if (draining_) return;
    draining_ = true;
  }
  with_.executor->post([self = shared_from_this()] { self->drain(); });
}

void SchedulingLoop::drain() {
  std::vector<base::Task> tasks;
  {
    base::MutexLock lock(mutex_);
    if (stopped_) return;
    running_ = true;
    tasks.swap(mailbox_);
  }
  for (base::Task& task : tasks) task();
  tasks.clear();
  expire_assumed();
  if (!volume_waits_.empty()) expire_waits();
  bool more = begun_ && run_cycles();
  if (!more && begun_) arm_timer();
  bool again = false;
  {
    base::MutexLock lock(mutex_);
    running_ = false;
    again = draining_ = !stopped_ && (more || !mailbox_.empty());
    if (stopped_) mailbox_.clear();
    idle_.notify_all();
  }
  if (again) with_.executor->post([self = shared_from_this()] { self->drain(); });
}

// True when there may be more to schedule at once.
bool SchedulingLoop::run_cycles() {
  for (int i = 0; i < kCyclesPerTurn; ++i) {
    if (!schedule_one()) return false;
  }
  return true;
}

void SchedulingLoop::arm_timer() {
  std::optional<base::MonoTime> wake = queue_.next_wake();
  if (const auto deadline = next_wait_deadline()) wake = wake ? std::min(*wake, *deadline) : deadline;
  if (!wake || (timer_at_ && *timer_at_ <= *wake)) return;
  timer_at_ = wake;
  base::Duration delay = std::max<base::Duration>(*wake - with_.clock->mono_now(), base::Duration(0));
  with_.executor->post_after(delay, [weak = weak_from_this()] {
    auto self = weak.lock();
    if (!self) return;
    SchedulingLoop* loop = self.get();
    self->post([loop] { loop->timer_at_.reset(); });
  });
}

void SchedulingLoop::expire_assumed() {
  base::MonoTime now = with_.clock->mono_now();
  if (now < next_expiry_) return;
  next_expiry_ = now + kAssumedPodTtl / 4;
  for (const PodRef& pod : cache_.expire(now)) {
    base::log::warning("a bound pod was never seen on its node", {{"pod", pod->full_name()}, {"node", pod->node_name}});
    announce(kPodDelete, kNoNode);
  }
}

void SchedulingLoop::begin() {
  post([this] { begun_ = true; });
}

void SchedulingLoop::stop() {
  std::vector<base::Task> dropped;
  {
    base::UniqueLock lock(mutex_);
    stopped_ = true;
    while (running_) idle_.wait(lock.native());
    dropped.swap(mailbox_);
  }
}

LoopStats SchedulingLoop::stats() const { return {scheduled_, unschedulable_, errors_, events_dropped_}; }

// ---- changes ----

void SchedulingLoop::pod_changed(client::RawObject before, client::RawObject after) {
  post([this, before = std::move(before), after = std::move(after)] {
    std::string old_uid = uid_of(before);
    if (!old_uid.empty() && (!after || uid_of(after) != old_uid)) forget_pod(old_uid);
    if (after) apply_pod(after);
  });
}

void SchedulingLoop::forget_pod(const std::string& uid) {
  nominator_.remove(uid);
  reported_.erase(uid);
  queue_.remove(uid);
  drop_wait(uid);
  if (PodRef gone = cache_.remove_pod(uid)) announce(kPodDelete, kNoNode);
}

void SchedulingLoop::apply_pod(const client::RawObject& raw) {
  auto decoded = decode_pod(raw);
  if (!decoded) {
    base::log::error("a pod cannot be read", {{"error", decoded.error().message}});
    return;
  }
  const PodRef& pod = *decoded;
  if (pod->terminal) return forget_pod(pod->uid);
  if (pod->assigned()) return apply_assigned(pod);
  if (pod->scheduler_name != with_.scheduler_name) return;
  // Its binding is under way: what matters comes with the watch's next word or with the binding's answer.
  if (cache_.find_pod(pod->uid)) {
    if (queue_.find(pod->uid)) queue_.add(pod, with_.clock->mono_now());
    return;
  }
  if (!pod->nominated_node_name.empty() && nominator_.node_of(pod->uid).empty()) {
    nominator_.nominate(pod, pod->nominated_node_name);
  }
  queue_.add(pod, with_.clock->mono_now());
}

void SchedulingLoop::apply_assigned(const PodRef& pod) {
  const PodRef* known = cache_.find_pod(pod->uid);
  PodRef before = known ? *known : nullptr;
  bool assumed = cache_.assumed(pod->uid);
  cache_.set_pod(pod);
  drop_wait(pod->uid);
  nominator_.remove(pod->uid);
  reported_.erase(pod->uid);
  queue_.done(pod->uid);
  if (!before || assumed) return announce(kPodAdd, kNoNode);
  uint32_t events = 0;
  if (before->labels != pod->labels) events |= kPodLabel;
  if (scaled_down(*before, *pod)) events |= kPodScaleDown;
  if (events != 0) announce(events, kNoNode);
}

void SchedulingLoop::node_changed(client::RawObject before, client::RawObject after) {
  post([this, before = std::move(before), after = std::move(after)] { apply_node(before, after); });
}

void SchedulingLoop::apply_node(const client::RawObject& before, const client::RawObject& after) {
  if (!after) {
    auto metadata = schema::view_metadata(before.payload());
    if (!metadata) return;
    cache_.remove_node(metadata->name);
    return announce(kNodeDelete, kNoNode);
  }
  auto node = decode_node(after);
  if (!node) {
    base::log::error("a node cannot be read", {{"error", node.error().message}});
    return;
  }
  uint8_t changes = cache_.set_node(*node);
  if (changes != 0) announce(events_of(changes), cache_.slot_of(node->name));
}

// Tells the queue; events of one node ask the rejecting plugin about that node.
void SchedulingLoop::announce(uint32_t events, uint32_t node) {
  queue_.on_event(
      events, [&](const PodInfo& pod, uint8_t plugin) { return node == kNoNode || algorithm_.hint(pod, plugin, node); },
      with_.clock->mono_now());
}

void SchedulingLoop::namespace_changed(std::string name, std::optional<StringPairs> labels) {
  post([this, name = std::move(name), labels = std::move(labels)]() mutable {
    labels ? cache_.set_namespace(std::move(name), *std::move(labels)) : cache_.remove_namespace(name);
  });
}

void SchedulingLoop::service_changed(std::string ns, std::string name, std::optional<object::LabelSelector> selector) {
  post([this, ns = std::move(ns), name = std::move(name), selector = std::move(selector)]() mutable {
    cache_.set_service(ns, name, std::move(selector));
  });
}

void SchedulingLoop::workload_changed(std::string ns, std::string kind, std::string name,
                                      std::optional<object::LabelSelector> selector) {
  post([this, ns = std::move(ns), kind = std::move(kind), name = std::move(name),
        selector = std::move(selector)]() mutable { cache_.set_workload(ns, kind, name, std::move(selector)); });
}

}  // namespace scheduler
