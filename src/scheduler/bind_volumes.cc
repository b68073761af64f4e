// Between the choice of a node and the binding of a pod with claims: what plugins reserved is written, and the volume
// controller's or a provisioner's answer is waited for, while other pods are scheduled.
#include <algorithm>
#include <utility>

#include "base/log.h"
#include "scheduler/limits.h"
#include "scheduler/schedule_one.h"

namespace scheduler {

bool SchedulingLoop::wait_for_volumes(const PodRef& pod, uint32_t node) {
  VolumeWait wait{pod, cache_.nodes().name[node], {}, 0, ++wait_numbers_, {}};
  for (const auto& entry : profile_.pre_binds) {
    if (entry.point->reserve(*pod, node) == Interest::kRun) wait.plugins.push_back(&entry);
  }
  if (wait.plugins.empty()) return false;
  cache_.assume(with_node(pod, wait.node));
  wait.deadline = with_.clock->mono_now() + kVolumeBindTimeout;
  const std::string uid = pod->uid;
  const bool full = volume_waits_.size() >= kMaxVolumeWaits;
  VolumeWait& kept = volume_waits_[uid] = std::move(wait);
  if (full) {
    fail_wait(uid, "VolumeBinding", {base::Reason::kTooManyRequests, "too many pods wait for their volumes"});
    return true;
  }
  send_volume_writes(kept);
  return true;
}

void SchedulingLoop::send_volume_writes(VolumeWait& wait) {
  struct Write {
    const Profile::Entry<PreBindPlugin>* plugin;
    size_t index;
    client::Call call;
  };
  std::vector<Write> writes;
  for (const auto* plugin : wait.plugins) {
    std::vector<client::Call> calls = plugin->point->pre_bind(*wait.pod);
    for (size_t i = 0; i < calls.size(); ++i) writes.push_back({plugin, i, std::move(calls[i])});
  }
  wait.writes_left = writes.size();
  const std::string uid = wait.pod->uid;
  const uint64_t number = wait.number;
  if (writes.empty()) return look_at_wait(uid);
  for (Write& write : writes) {
    with_.transport->call(std::move(write.call), [self = shared_from_this(), uid, number, plugin = write.plugin,
                                                  index = write.index](base::Result<client::RawObject> result) {
      SchedulingLoop* loop = self.get();
      loop->post([loop, uid, number, plugin, index, result = std::move(result)] {
        loop->volume_written(uid, number, *plugin, index, result);
      });
    });
  }
}

void SchedulingLoop::volume_written(const std::string& uid, uint64_t number,
                                    const Profile::Entry<PreBindPlugin>& plugin, size_t call,
                                    const base::Result<client::RawObject>& result) {
  const auto found = volume_waits_.find(uid);
  if (found == volume_waits_.end() || found->second.number != number) return;  // of an attempt that has ended
  VolumeWait& wait = found->second;
  if (!result) return fail_wait(uid, profile_.plugins[plugin.index]->name(), result.error());
  plugin.point->written(*wait.pod, call, result->revision);
  if (--wait.writes_left == 0) look_at_wait(uid);
}

void SchedulingLoop::look_at_wait(const std::string& uid) {
  const auto found = volume_waits_.find(uid);
  if (found == volume_waits_.end() || found->second.writes_left > 0) return;
  VolumeWait& wait = found->second;
  for (const auto* plugin : wait.plugins) {
    const base::Result<bool> followed = plugin->point->followed(*wait.pod);
    if (!followed) {
      base::Error error = followed.error();
      error.message.insert(0, "binding volumes: ");
      return fail_wait(uid, profile_.plugins[plugin->index]->name(), error);
    }
    if (!*followed) return;
  }
  const VolumeWait done = std::move(wait);
  volume_waits_.erase(found);
  for (const auto* plugin : done.plugins) plugin->point->release(*done.pod);
  send_binding(done.pod, done.node);
}

void SchedulingLoop::look_at_waits_for(std::string_view ns, std::string_view claim) {
  if (volume_waits_.empty()) return;
  std::vector<std::string> concerned;
  for (const auto& [uid, wait] : volume_waits_) {
    if (wait.pod->ns != ns) continue;
    if (std::ranges::find(wait.pod->claims, claim, &ClaimUse::name) != wait.pod->claims.end()) concerned.push_back(uid);
  }
  for (const std::string& uid : concerned) look_at_wait(uid);
}

void SchedulingLoop::fail_wait(const std::string& uid, std::string_view plugin, const base::Error& error) {
  const auto found = volume_waits_.find(uid);
  if (found == volume_waits_.end()) return;
  const VolumeWait wait = std::move(found->second);
  volume_waits_.erase(found);
  for (const auto* reserved : wait.plugins) reserved->point->release(*wait.pod);
  // A claim or volume that is gone is no reason to forget the pod.
  base::Error failure = error;
  if (failure.reason == base::Reason::kNotFound) failure.reason = base::Reason::kConflict;
  binding_failed(wait.pod, wait.node, failure,
                 "running PreBind plugin \"" + std::string(plugin) + "\": " + error.message);
}

void SchedulingLoop::drop_wait(const std::string& uid) {
  const auto found = volume_waits_.find(uid);
  if (found == volume_waits_.end()) return;
  const VolumeWait wait = std::move(found->second);
  volume_waits_.erase(found);
  for (const auto* reserved : wait.plugins) reserved->point->release(*wait.pod);
}

void SchedulingLoop::expire_waits() {
  const base::MonoTime now = with_.clock->mono_now();
  std::vector<std::string> late;
  for (const auto& [uid, wait] : volume_waits_) {
    if (wait.deadline <= now) late.push_back(uid);
  }
  for (const std::string& uid : late)
    fail_wait(uid, "VolumeBinding", {base::Reason::kTimeout, "binding volumes: context deadline exceeded"});
}

std::optional<base::MonoTime> SchedulingLoop::next_wait_deadline() const {
  std::optional<base::MonoTime> next;
  for (const auto& [uid, wait] : volume_waits_) next = next ? std::min(*next, wait.deadline) : wait.deadline;
  return next;
}

}  // namespace scheduler
