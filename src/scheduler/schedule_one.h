// The scheduling loop: changes of the cluster and answers to requests come in as tasks of one strand, which owns cache,
// queue and plugins; between them it schedules one pod after the other: pop → decide → assume → bind without waiting.
// schedule_one.cc is that path; loop.cc is the strand and what changes do.
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
  void storage_class_changed(std::string name, std::optional<BindingMode> mode);
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

  // ---- schedule_one.cc ----
  // False when there is nothing to do now.
  bool schedule_one();
  void bind(const PodRef& pod, uint32_t node, int attempt);
  void binding_done(const PodRef& pod, const std::string& node, base::Result<client::RawObject> result);
  void unschedulable(const PodRef& pod, Diagnosis diagnosis);
  void preempt(const PodRef& pod, const PostFilterResult& result);
  void report_failure(const PodRef& pod, FailureReason reason, const std::string& message,
                      const std::string& nominated);
  void record(const PodInfo& pod, EventText text);
  void send_event();
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
