// The scheduling loop: changes of the cluster and answers to requests come in as tasks of one strand, which owns cache,
// queue and plugins; between them it schedules one pod after the other: pop → decide → assume → bind without waiting.
// schedule_one.cc is that path; bind_volumes.cc is what lies before the binding of a pod with claims; loop.cc is the
// strand and what changes do, changes.cc those of volumes and budgets.
// Invariants: state is touched on the strand alone; nothing is locked while calling out; a pod holds its place on a
// node from the decision until the watch confirms it, the binding fails or the pod goes. Thread: public members from
// any.
#pragma once

#include <atomic>
#include <condition_variable>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/executor.h"
#include "base/mutex.h"
#include "base/rng.h"
#include "client/transport.h"
#include "scheduler/framework/algorithm.h"
#include "scheduler/queue/scheduling_queue.h"
#include "scheduler/records.h"

namespace scheduler {

struct LoopDependencies {
  std::shared_ptr<client::Transport> transport;
  const base::Clock* clock = nullptr;
  base::Rng* rng = nullptr;
  base::Executor* executor = nullptr;
  std::string scheduler_name = "default-scheduler";
  std::string host = "keelson";
};

struct LoopStats {
  uint64_t scheduled = 0;      // bound
  uint64_t unschedulable = 0;  // attempts without a node
  uint64_t errors = 0;         // failed bindings
  uint64_t events_dropped = 0;
};

class SchedulingLoop : public std::enable_shared_from_this<SchedulingLoop> {
 public:
  explicit SchedulingLoop(LoopDependencies dependencies);
  SchedulingLoop(const SchedulingLoop&) = delete;

  // Changes; `after` is empty for a deletion, `before` for an addition.
  void pod_changed(client::RawObject before, client::RawObject after);
  void node_changed(client::RawObject before, client::RawObject after);
  // Nothing removes.
  void namespace_changed(std::string name, std::optional<StringPairs> labels);
  void service_changed(std::string ns, std::string name, std::optional<object::LabelSelector> selector);
  void workload_changed(std::string ns, std::string kind, std::string name,
                        std::optional<object::LabelSelector> selector);
  void claim_changed(std::string ns, std::string name, std::optional<ClaimInfo> claim);
  void volume_changed(std::string name, std::optional<VolumeInfo> volume);
  void storage_class_changed(std::string name, std::optional<StorageClassInfo> storage_class);
  void volume_limits_changed(std::string node, std::optional<VolumeLimits> limits);
  void driver_changed(std::string name, std::optional<bool> tracks_capacity);
  void storage_capacity_changed(std::string key, std::optional<StorageCapacityInfo> capacity);
  void attachment_changed(std::string name, std::optional<AttachmentInfo> attachment);
  void budget_changed(std::string ns, std::string name, std::optional<BudgetInfo> budget);
  // The first picture of the cluster is complete: pods are scheduled from now on.
  void begin();
  // Once it has returned nothing runs any more; answers that are under way are ignored.
  void stop();
  LoopStats stats() const;

 private:
  // ---- loop.cc ----
  void post(base::Task task);
  void drain();
  bool run_cycles();
  void arm_timer();
  void expire_assumed();
  void apply_pod(const client::RawObject& raw);
  void apply_assigned(const PodRef& pod);
  void forget_pod(const std::string& uid);
  void apply_node(const client::RawObject& before, const client::RawObject& after);
  void announce(uint32_t events, uint32_t node);
  // To waiting pods that `concerns` says yes to.
  void announce_to(uint32_t events, const std::function<bool(const PodInfo& pod)>& concerns);

  // ---- schedule_one.cc ----
  // False when there is nothing to do now.
  bool schedule_one();
  void bind(const PodRef& pod, uint32_t node, int attempt);
  void binding_done(const PodRef& pod, const std::string& node, base::Result<client::RawObject> result);
  void send_binding(const PodRef& pod, std::string node);
  // The attempt came to nothing after the pod was assumed to be on its node.
  void binding_failed(const PodRef& pod, const std::string& node, const base::Error& error, std::string message);
  void unschedulable(const PodRef& pod, Diagnosis diagnosis);
  void preempt(const PodRef& pod, const PostFilterResult& result);
  void report_failure(const PodRef& pod, FailureReason reason, const std::string& message,
                      const std::string& nominated);
  void record(const PodInfo& pod, EventText text);
  void send_event();

  // ---- bind_volumes.cc ----
  struct VolumeWait {
    PodRef pod;
    std::string node;
    std::vector<const Profile::Entry<PreBindPlugin>*> plugins;  // that have reserved something
    size_t writes_left = 0;
    uint64_t number = 0;  // unlike that of every other wait
    base::MonoTime deadline{};
  };
  // True when the pod is to be bound later, or not at all.
  bool wait_for_volumes(const PodRef& pod, uint32_t node);
  void send_volume_writes(VolumeWait& wait);
  void volume_written(const std::string& uid, uint64_t number, const Profile::Entry<PreBindPlugin>& plugin, size_t call,
                      const base::Result<client::RawObject>& result);
  void look_at_wait(const std::string& uid);
  void look_at_waits_for(std::string_view ns, std::string_view claim);
  void fail_wait(const std::string& uid, std::string_view plugin, const base::Error& error);
  void drop_wait(const std::string& uid);
  void expire_waits();
  std::optional<base::MonoTime> next_wait_deadline() const;

  void send(client::Call call, std::string_view what);

  const LoopDependencies with_;
  Cache cache_;
  Profile profile_;
  Nominator nominator_;
  SchedulingQueue queue_;
  Algorithm algorithm_;
  bool begun_ = false;
  size_t bindings_in_flight_ = 0;
  size_t events_in_flight_ = 0;
  std::map<std::string, VolumeWait> volume_waits_;  // by uid
  uint64_t wait_numbers_ = 0;
  std::deque<client::Call> events_waiting_;
  std::optional<base::MonoTime> timer_at_;
  base::MonoTime next_expiry_{};
  struct Reported {
    std::string message;
    base::MonoTime at;
  };
  std::map<std::string, Reported> reported_;  // the last failure by uid

  mutable base::Mutex mutex_;
  std::condition_variable idle_;
  std::vector<base::Task> mailbox_ GUARDED_BY(mutex_);
  bool draining_ GUARDED_BY(mutex_) = false;  // a drain is posted or runs
  bool running_ GUARDED_BY(mutex_) = false;
  bool stopped_ GUARDED_BY(mutex_) = false;

  std::atomic<uint64_t> scheduled_{0}, unschedulable_{0}, errors_{0}, events_dropped_{0};
};

}  // namespace scheduler
