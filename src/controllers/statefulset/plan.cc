#include "controllers/statefulset/plan.h"

#include <algorithm>

#include "object/time.h"

namespace controllers::statefulset {
namespace {

using api::apps::v1::StatefulSet;
using api::core::v1::Pod;
using api::core::v1::PodCondition;

class Planner {
 public:
  explicit Planner(const Observed& observed)
      : observed_(observed),
        set_(*observed.set),
        wanted_(observed.set->spec.replicas.value_or(1)),
        start_(observed.set->spec.ordinals ? observed.set->spec.ordinals->start : 0),
        ordered_(observed.set->spec.pod_management_policy != "Parallel"),
        replicas_(static_cast<size_t>(std::max(wanted_, 0)), nullptr) {
    for (const Pod& pod : observed.pods) place(pod);
    std::ranges::sort(condemned_, std::greater(), [&](const Pod* pod) { return ordinal(*pod); });
  }

  Plan make() {
    count();
    if (!set_.metadata.deletion_timestamp) take_steps();
    complete();
    return std::move(plan_);
  }

 private:
  void place(const Pod& pod) {
    const int32_t at = ordinal(pod);
    if (at >= start_ && at < start_ + wanted_) {
      replicas_[static_cast<size_t>(at - start_)] = &pod;
    } else if (at >= 0) {
      condemned_.push_back(&pod);
    }
  }
  int32_t ordinal(const Pod& pod) const { return ordinal_of(set_.metadata.name, pod.metadata.name); }
  size_t position(const Pod& pod) const { return static_cast<size_t>(&pod - observed_.pods.data()); }
  static bool terminating(const Pod& pod) { return static_cast<bool>(pod.metadata.deletion_timestamp); }
  static const PodCondition* ready_condition(const Pod& pod) {
    const auto found = std::ranges::find(pod.status.conditions, "Ready", &PodCondition::type);
    return found == pod.status.conditions.end() || found->status != "True" ? nullptr : &*found;
  }
  static bool running_and_ready(const Pod& pod) { return pod.status.phase == "Running" && ready_condition(pod); }
  static std::string_view revision_of(const Pod& pod) {
    const auto found = pod.metadata.labels.find(kRevisionLabel);
    return found == pod.metadata.labels.end() ? std::string_view() : std::string_view(found->second);
  }

  bool available(const Pod& pod) {
    if (!running_and_ready(pod)) return false;
    if (set_.spec.min_ready_seconds == 0) return true;
    const PodCondition& ready = *ready_condition(pod);
    const base::WallTime since = object::to_wall_time(ready.last_transition_time);
    const base::Duration left = since + std::chrono::seconds(set_.spec.min_ready_seconds) - observed_.now;
    if (left <= base::Duration::zero()) return true;
    if (!plan_.look_again || left < *plan_.look_again) plan_.look_again = left;
    return false;
  }
  bool healthy(const Pod& pod) const { return running_and_ready(pod) && !terminating(pod); }

  void count() {
    auto& status = plan_.status;
    status = set_.status;
    status.observed_generation = set_.metadata.generation;
    status.current_revision = observed_.current_revision;
    status.update_revision = observed_.update_revision;
    status.replicas = status.ready_replicas = status.available_replicas = 0;
    status.current_replicas = status.updated_replicas = 0;
    for (const Pod& pod : observed_.pods) {
      if (pod.status.phase.empty()) continue;
      ++status.replicas;
      if (running_and_ready(pod)) ++status.ready_replicas;
      if (available(pod)) ++status.available_replicas;
      if (terminating(pod)) continue;
      if (revision_of(pod) == observed_.current_revision) ++status.current_replicas;
      if (revision_of(pod) == observed_.update_revision) ++status.updated_replicas;
    }
  }

  int32_t partition() const {
    const auto& rolling = set_.spec.update_strategy.rolling_update;
    return rolling ? rolling->partition.value_or(0) : 0;
  }
  bool rolling() const { return set_.spec.update_strategy.type != "OnDelete"; }

  // In the order of upstream: replicas upwards, condemned downwards, then the update from the top. Each may end it.
  enum class Go : uint8_t { kOn, kStop };
  void take_steps() {
    for (size_t i = 0; i < replicas_.size(); ++i) {
      if (keep(start_ + static_cast<int32_t>(i), replicas_[i]) == Go::kStop) return;
    }
    const Pod* unhealthy = first_unhealthy();
    for (const Pod* pod : condemned_) {
      if (condemn(*pod, pod == unhealthy) == Go::kStop) return;
    }
    if (rolling()) update();
  }

  const Pod* first_unhealthy() const {
    for (const Pod* pod : replicas_) {
      if (pod && !healthy(*pod)) return pod;
    }
    for (size_t i = condemned_.size(); i-- > 0;) {
      if (!healthy(*condemned_[i])) return condemned_[i];
    }
    return nullptr;
  }

  Go keep(int32_t at, const Pod* pod) {
    const Go wait = ordered_ ? Go::kStop : Go::kOn;
    if (!pod) {
      Step step;
      step.ordinal = at;
      step.from = rolling() && at < start_ + partition() ? Template::kCurrent : Template::kUpdate;
      plan_.steps.push_back(std::move(step));
      return wait;
    }
    if (pod->status.phase == "Failed" || pod->status.phase == "Succeeded") {
      if (!terminating(*pod)) remove_ended(*pod);
      return wait;
    }
    plan_.steps.push_back({.kind = Step::Kind::kClaims, .ordinal = at});
    if (terminating(*pod) || !running_and_ready(*pod) || !available(*pod)) return wait;
    return Go::kOn;
  }

  void remove_ended(const Pod& pod) {
    const bool failed = pod.status.phase == "Failed";
    Step step{.kind = Step::Kind::kDelete, .pod = position(pod)};
    step.event_reason = failed ? "RecreatingFailedPod" : "RecreatingTerminatedPod";
    step.event_text = "StatefulSet " + set_.metadata.namespace_ + "/" + set_.metadata.name + " is recreating " +
                      (failed ? "failed" : "terminated") + " Pod " + pod.metadata.name;
    plan_.steps.push_back(std::move(step));
  }

  Go condemn(const Pod& pod, bool first_unhealthy) {
    if (terminating(pod)) return ordered_ ? Go::kStop : Go::kOn;
    if (ordered_ && !first_unhealthy && (!running_and_ready(pod) || !available(pod))) return Go::kStop;
    plan_.steps.push_back({.kind = Step::Kind::kDelete, .pod = position(pod)});
    return ordered_ ? Go::kStop : Go::kOn;
  }

  // One Pod of the old revision at a time, from the highest ordinal down to the partition.
  void update() {
    for (int32_t at = wanted_ - 1; at >= std::max(partition(), 0); --at) {
      const Pod* pod = replicas_[static_cast<size_t>(at)];
      if (!pod) return;
      if (revision_of(*pod) != observed_.update_revision && !terminating(*pod)) {
        plan_.steps.push_back({.kind = Step::Kind::kDelete, .pod = position(*pod)});
        return;
      }
      if (!healthy(*pod) || !available(*pod)) return;
    }
  }

  // A finished update makes its revision the current one.
  void complete() {
    auto& status = plan_.status;
    if (set_.spec.update_strategy.type == "OnDelete") return;
    if (status.updated_replicas != wanted_ || status.ready_replicas != wanted_ || status.replicas != wanted_) return;
    status.current_replicas = status.updated_replicas;
    status.current_revision = status.update_revision;
  }

  const Observed& observed_;
  const StatefulSet& set_;
  const int32_t wanted_, start_;
  const bool ordered_;
  std::vector<const Pod*> replicas_;   // by ordinal from the start; null = missing
  std::vector<const Pod*> condemned_;  // highest first
  Plan plan_;
};

}  // namespace

Plan plan(const Observed& observed) { return Planner(observed).make(); }

}  // namespace controllers::statefulset
