// Pods that wait for a node. Active ones by priority, then by age; those that failed wait in back-off or, until an
// event that may help them, as unschedulable; gated ones wait for their gates to go. Invariants: a pod is in one place;
// a popped pod is in flight until done() or reject(); an update that may help, and that comes while a pod is in flight,
// is not lost. Pure: time comes in as an argument. Thread: the scheduler's strand.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <tuple>
#include <unordered_map>

#include "base/clock.h"
#include "scheduler/framework/framework.h"
#include "scheduler/pod_info.h"

namespace scheduler {

class SchedulingQueue {
 public:
  // May the event help this pod, which the plugin (index in the profile) rejected?
  using Hint = std::function<bool(const PodInfo& pod, uint8_t plugin)>;
  struct Popped {
    PodRef pod;
    int attempt = 0;  // from 1
    base::MonoTime first_seen;
  };

  // `profile` outlives the queue.
  explicit SchedulingQueue(const Profile* profile) : profile_(*profile) {}
  SchedulingQueue(const SchedulingQueue&) = delete;

  // A new pod, or the newer state of one that is known.
  void add(PodRef pod, base::MonoTime now);
  void remove(const std::string& uid);
  // The next pod, or none. Compat: with nothing active, a pod that was rejected by plugins need not sit out its
  // back-off.
  std::optional<Popped> pop(base::MonoTime now);
  // The attempt failed. `plugins`: bits of those that rejected the pod; 0 = an error, after which it is tried again
  // when its back-off is over.
  void reject(const std::string& uid, uint64_t plugins, base::MonoTime now);
  // The pod is bound or needs no node any more.
  void done(const std::string& uid) { remove(uid); }
  // Moves unschedulable pods which the event (ClusterEvent bits) may help.
  void on_event(uint32_t events, const Hint& hint, base::MonoTime now);
  // When pop() may have something to give that it has not now.
  std::optional<base::MonoTime> next_wake() const;

  const PodRef* find(const std::string& uid) const;
  struct Sizes {
    size_t active = 0, backoff = 0, unschedulable = 0, gated = 0, in_flight = 0;
  };
  Sizes sizes() const;

 private:
  enum class Place : uint8_t { kActive, kBackoff, kUnschedulable, kGated, kInFlight };
  using ActiveKey = std::tuple<int64_t, base::MonoTime, uint64_t>;  // -priority, time, number
  using BackoffKey = std::pair<base::MonoTime, uint64_t>;
  struct Entry {
    PodRef pod;
    uint64_t number = 0;
    int attempts = 0;
    int errors = 0;  // in a row
    uint64_t plugins = 0;
    base::MonoTime first_seen{}, queued{}, until{};
    Place place = Place::kActive;
    bool retry_soon = false;  // something that may help came while in flight
  };

  void leave(Entry& entry);
  void activate(Entry& entry, base::MonoTime now);
  void back_off_or_activate(Entry& entry, base::MonoTime now);
  void update(Entry& entry, PodRef pod, base::MonoTime now);
  void flush(base::MonoTime now);
  bool helps(const Entry& entry, uint32_t events, const Hint& hint) const;
  static base::Duration backoff(const Entry& entry);

  const Profile& profile_;
  std::unordered_map<std::string, std::unique_ptr<Entry>> entries_;
  std::map<ActiveKey, Entry*> active_;
  std::map<BackoffKey, Entry*> backoff_;
  std::map<BackoffKey, Entry*> unschedulable_;  // by when they are tried anyway
  uint64_t numbers_ = 0;
};

}  // namespace scheduler
