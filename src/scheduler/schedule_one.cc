#include "scheduler/schedule_one.h"

#include <utility>

#include "base/log.h"
#include "scheduler/framework/fit_error.h"
#include "scheduler/limits.h"

namespace scheduler {

bool SchedulingLoop::schedule_one() {
  if (bindings_in_flight_ >= kMaxBindingsInFlight) return false;
  const base::MonoTime now = with_.clock->mono_now();
  std::optional<SchedulingQueue::Popped> popped = queue_.pop(now);
  if (!popped) return false;
  const PodRef pod = popped->pod;
  if (pod->deleting) {
    record(*pod,
           {EventType::kWarning, "FailedScheduling", "Scheduling", "skip schedule deleting pod: " + pod->full_name()});
    queue_.done(pod->uid);
    return true;
  }
  if (cache_.find_pod(pod->uid)) {  // assigned meanwhile
    queue_.done(pod->uid);
    return true;
  }
  Decision decision = algorithm_.decide(pod);
  if (decision.node == kNoNode) {
    unschedulable(pod, std::move(decision.diagnosis));
  } else {
    bind(pod, decision.node, popped->attempt);
  }
  return true;
}

void SchedulingLoop::bind(const PodRef& pod, uint32_t node, int) {
  if (!pod->claims.empty() && wait_for_volumes(pod, node)) return;
  std::string name = cache_.nodes().name[node];
  cache_.assume(with_node(pod, name));
  send_binding(pod, std::move(name));
}

void SchedulingLoop::send_binding(const PodRef& pod, std::string name) {
  ++bindings_in_flight_;
  client::Call call = binding_call(*pod, name);
  with_.transport->call(std::move(call), [self = shared_from_this(), pod,
                                          name = std::move(name)](base::Result<client::RawObject> result) mutable {
    SchedulingLoop* loop = self.get();
    loop->post([loop, pod = std::move(pod), name = std::move(name), result = std::move(result)]() mutable {
      loop->binding_done(pod, name, std::move(result));
    });
  });
}

void SchedulingLoop::binding_done(const PodRef& pod, const std::string& node, base::Result<client::RawObject> result) {
  --bindings_in_flight_;
  const base::MonoTime now = with_.clock->mono_now();
  if (result) {
    ++scheduled_;
    cache_.bound(pod->uid, now + kAssumedPodTtl);
    nominator_.remove(pod->uid);
    reported_.erase(pod->uid);
    queue_.done(pod->uid);
    record(*pod,
           {EventType::kNormal, "Scheduled", "Binding", "Successfully assigned " + pod->full_name() + " to " + node});
    return;
  }
  binding_failed(pod, node, result.error(),
                 "binding rejected: running Bind plugin \"DefaultBinder\": " + result.error().message);
}

void SchedulingLoop::binding_failed(const PodRef& pod, const std::string& node, const base::Error& error,
                                    std::string message) {
  const base::MonoTime now = with_.clock->mono_now();
  ++errors_;
  // The watch may have shown the pod on a node before the answer came: then that is the truth.
  if (cache_.assumed(pod->uid)) cache_.remove_pod(pod->uid);
  announce(kPodDelete, kNoNode);  // what it held on the node is free again
  if (error.reason == base::Reason::kNotFound || !queue_.find(pod->uid)) return queue_.done(pod->uid);
  queue_.reject(pod->uid, 0, now);
  base::log::warning("binding failed", {{"pod", pod->full_name()}, {"node", node}, {"error", error.message}});
  report_failure(pod, FailureReason::kSchedulerError, message, "");
}

void SchedulingLoop::unschedulable(const PodRef& pod, Diagnosis diagnosis) {
  ++unschedulable_;
  const base::MonoTime now = with_.clock->mono_now();
  if (diagnosis.nodes == 0) {
    // Any new node is worth an attempt: the rejection is put on plugins that new nodes wake.
    queue_.reject(pod->uid, uint64_t{1} << profile_.index_of("PodTopologySpread"), now);
    return report_failure(pod, FailureReason::kUnschedulable, "no nodes available to schedule pods", "");
  }
  PostFilterResult after = algorithm_.post_filter(pod, diagnosis);
  std::string message = fit_error_message(diagnosis, profile_, after.message);
  std::string nominated;
  if (after.nominated != kNoNode) {
    nominated = cache_.nodes().name[after.nominated];
    diagnosis.plugins |= uint64_t{1} << profile_.index_of("DefaultPreemption");
    nominator_.nominate(pod, nominated);
  } else if (after.earlier == EarlierPromise::kWithdraw) {
    nominator_.remove(pod->uid);
    if (!pod->nominated_node_name.empty()) send(withdrawal_patch(*pod), "withdrawal of a promised node");
  }
  queue_.reject(pod->uid, diagnosis.plugins, now);
  report_failure(pod, FailureReason::kUnschedulable, message, nominated);
  if (after.nominated != kNoNode) preempt(pod, after);
}

void SchedulingLoop::preempt(const PodRef& pod, const PostFilterResult& result) {
  const std::string& node = cache_.nodes().name[result.nominated];
  // Nominees of lower priority may not keep what this pod takes.
  if (auto found = nominator_.nodes().find(node); found != nominator_.nodes().end()) {
    std::vector<PodRef> nominees = found->second;
    for (const PodRef& other : nominees) {
      if (other->priority < pod->priority) nominator_.remove(other->uid);
    }
  }
  for (const PodRef& victim : result.victims) {
    if (victim->deleting) continue;
    send(victim_patch(*victim, with_.scheduler_name, with_.clock->wall_now()), "condition of a preempted pod");
    send(victim_delete(*victim), "deletion of a preempted pod");
    EventText text{EventType::kNormal, "Preempted", "Preempting", "Preempted by pod " + pod->uid + " on node " + node,
                   pod.get()};
    record(*victim, std::move(text));
  }
}

void SchedulingLoop::report_failure(const PodRef& pod, FailureReason reason, const std::string& message,
                                    const std::string& nominated) {
  const PodRef* newest = queue_.find(pod->uid);
  const PodInfo& subject = newest ? **newest : *pod;
  const base::MonoTime now = with_.clock->mono_now();
  auto [last, fresh] = reported_.try_emplace(pod->uid, Reported{message, now});
  if (fresh || last->second.message != message || now - last->second.at >= kRepeatedEventInterval) {
    last->second = {message, now};
    record(subject, {EventType::kWarning, "FailedScheduling", "Scheduling", message});
  }
  if (auto patch = failure_patch(subject, reason, message, nominated, with_.clock->wall_now())) {
    send(*std::move(patch), "condition of an unschedulable pod");
  }
}

// ---- writes that nothing waits for ----

void SchedulingLoop::send(client::Call call, std::string_view what) {
  with_.transport->call(std::move(call), [what](base::Result<client::RawObject> result) {
    if (result || result.error().reason == base::Reason::kNotFound) return;
    base::log::warning("a write of the scheduler failed", {{"what", what}, {"error", result.error().message}});
  });
}

void SchedulingLoop::record(const PodInfo& pod, EventText text) {
  if (events_waiting_.size() >= kMaxEventsWaiting) {
    events_waiting_.pop_front();
    ++events_dropped_;
  }
  events_waiting_.push_back(event_call(pod, text, with_.scheduler_name, with_.host, with_.clock->wall_now()));
  send_event();
}

void SchedulingLoop::send_event() {
  while (events_in_flight_ < kMaxEventsInFlight && !events_waiting_.empty()) {
    client::Call call = std::move(events_waiting_.front());
    events_waiting_.pop_front();
    ++events_in_flight_;
    with_.transport->call(std::move(call), [self = shared_from_this()](base::Result<client::RawObject>) {
      SchedulingLoop* loop = self.get();
      loop->post([loop] {
        --loop->events_in_flight_;
        loop->send_event();
      });
    });
  }
}

}  // namespace scheduler
