#include "controllers/deployment/plan.h"

#include <algorithm>

#include "client/client.h"
#include "controllers/deployment/replica_sets.h"
#include "controllers/deployment/status.h"
#include "controllers/runtime/owners.h"

namespace controllers::deployment {
namespace {

class Planner {
 public:
  explicit Planner(Observed observed) : observed_(std::move(observed)), deployment_(observed_.deployment) {
    for (ReplicaSet& set : observed_.sets) all_.push_back(&set);
    new_set_ = find_new(deployment_, all_);
    for (ReplicaSet* set : all_) {
      if (set != new_set_) old_.push_back(set);
    }
    plan_.status = deployment_.status;
  }

  Plan run() {
    if (deployment_.metadata.deletion_timestamp) {
      status_without_progress();
      return std::move(plan_);
    }
    note_pause();
    if (deployment_.spec.paused || is_scaling()) {
      sync_revision();
      scale();
      if (deployment_.spec.paused) clean_up();
      status_without_progress();
    } else if (is_rolling(deployment_)) {
      roll();
    } else {
      recreate();
    }
    return std::move(plan_);
  }

 private:
  // The condition says when a rollout was paused and resumed, so that the time between does not count.
  void note_pause() {
    if (!has_deadline(deployment_)) return;
    const auto* condition = find_condition(plan_.status, kProgressing);
    if (condition && condition->reason == kTimedOut) return;
    const bool noted = condition && condition->reason == "DeploymentPaused";
    if (deployment_.spec.paused && !noted) {
      set_condition(plan_.status,
                    make_condition(kProgressing, "Unknown", "DeploymentPaused", "Deployment is paused", observed_.now));
    } else if (!deployment_.spec.paused && noted) {
      set_condition(plan_.status, make_condition(kProgressing, "Unknown", "DeploymentResumed", "Deployment is resumed",
                                                 observed_.now));
    }
  }

  bool is_scaling() const {
    return std::ranges::any_of(all_, [&](const ReplicaSet* set) {
      const int64_t desired = annotated_number(set->metadata.annotations, kDesiredReplicas, -1);
      return replicas_of(*set) > 0 && desired >= 0 && desired != replicas_of(deployment_);
    });
  }

  int64_t next_revision() const {
    int64_t newest = 0;
    for (const ReplicaSet* set : old_) newest = std::max(newest, revision_of(*set));
    return newest + 1;
  }

  // Gives the new set its revision and annotations, and the Deployment the new set's revision.
  void sync_revision() {
    if (!new_set_) return;
    bool changed = annotate_new_set(deployment_, *new_set_, next_revision());
    if (new_set_->spec.min_ready_seconds != deployment_.spec.min_ready_seconds) {
      new_set_->spec.min_ready_seconds = deployment_.spec.min_ready_seconds;
      changed = true;
    }
    if (changed) touch(*new_set_);
    const auto revision = new_set_->metadata.annotations.find(kRevision);
    if (revision != new_set_->metadata.annotations.end() && annotation(kRevision) != revision->second) {
      plan_.revision = revision->second;
    }
    if (has_deadline(deployment_) && !find_condition(plan_.status, kProgressing)) {
      set_condition(plan_.status,
                    make_condition(kProgressing, "True", "FoundNewReplicaSet",
                                   "Found new replica set \"" + new_set_->metadata.name + "\"", observed_.now));
    }
  }

  std::string annotation(const char* name) const {
    const auto found = deployment_.metadata.annotations.find(name);
    return found == deployment_.metadata.annotations.end() ? "" : found->second;
  }

  void create_new_set() {
    ReplicaSet set;
    const std::string hash = template_hash(deployment_.spec.template_, deployment_.status.collision_count);
    set.metadata.name = deployment_.metadata.name + "-" + hash;
    set.metadata.namespace_ = deployment_.metadata.namespace_;
    set.metadata.labels = deployment_.spec.template_.metadata.labels;
    set.metadata.labels[kHashLabel] = hash;
    set.metadata.owner_references = {controller_reference(client::resource_of<Deployment>(), deployment_.metadata)};
    set.spec.min_ready_seconds = deployment_.spec.min_ready_seconds;
    set.spec.template_ = deployment_.spec.template_;
    set.spec.template_.metadata.labels[kHashLabel] = hash;
    set.spec.selector = deployment_.spec.selector;
    set.spec.selector.ensure().match_labels[kHashLabel] = hash;
    set.spec.replicas = new_set_replicas(deployment_, all_, 0);
    annotate_new_set(deployment_, set, next_revision());
    annotate_replicas(set, replicas_of(deployment_), replicas_of(deployment_) + max_surge(deployment_));
    const std::string revision = std::to_string(revision_of(set));
    if (annotation(kRevision) != revision) plan_.revision = revision;
    if (has_deadline(deployment_)) {
      set_condition(plan_.status,
                    make_condition(kProgressing, "True", "NewReplicaSetCreated",
                                   "Created new replica set \"" + set.metadata.name + "\"", observed_.now));
    }
    plan_.create = std::move(set);
  }

  void roll() {
    sync_revision();
    if (!new_set_) {
      create_new_set();
    } else if (!scale_new_set() && !scale_old_sets()) {
      finish();
    }
    status_with_progress();
  }

  void recreate() {
    sync_revision();
    bool scaled = false;
    for (ReplicaSet* set : old_) scaled |= scale_to(*set, 0);
    if (!scaled && observed_.old_pods == 0) {
      if (!new_set_) {
        create_new_set();
      } else if (!scale_to(*new_set_, replicas_of(deployment_))) {
        finish();
      }
    }
    status_with_progress();
  }

  void finish() {
    if (is_complete(deployment_, deployment_.status)) clean_up();
  }

  bool scale_new_set() {
    const int32_t current = replicas_of(*new_set_);
    const int32_t wanted = replicas_of(deployment_);
    if (current == wanted) return false;
    return scale_to(*new_set_, current > wanted ? wanted : new_set_replicas(deployment_, all_, current));
  }

  // Takes away what the new set has replaced: first what does not work, then what may be missed.
  bool scale_old_sets() {
    if (sum_replicas(old_) == 0) return false;
    const int32_t min_available = replicas_of(deployment_) - max_unavailable(deployment_);
    const int32_t new_unavailable = replicas_of(*new_set_) - new_set_->status.available_replicas;
    int32_t spare = sum_replicas(all_) - min_available - new_unavailable;
    if (spare <= 0) return false;
    Sets ordered = old_;
    sort_by_creation(ordered);
    bool scaled = false;
    for (ReplicaSet* set : ordered) {
      const int32_t unhealthy = replicas_of(*set) - set->status.available_replicas;
      if (replicas_of(*set) == 0 || unhealthy <= 0 || spare <= 0) continue;
      const int32_t count = std::min(unhealthy, spare);
      spare -= count;
      scaled |= scale_to(*set, replicas_of(*set) - count);
    }
    int32_t removable = sum_available(all_) - min_available;
    for (ReplicaSet* set : ordered) {
      if (removable <= 0) break;
      const int32_t count = std::min(replicas_of(*set), removable);
      if (count == 0) continue;
      removable -= count;
      scaled |= scale_to(*set, replicas_of(*set) - count);
    }
    return scaled;
  }

  // The Deployment was resized, or is paused: everything keeps its share.
  void scale() {
    Sets active;
    for (ReplicaSet* set : all_) {
      if (replicas_of(*set) > 0) active.push_back(set);
    }
    if (active.size() <= 1) {
      ReplicaSet* only = !active.empty() ? active[0] : new_set_ ? new_set_ : latest();
      if (only) scale_to(*only, replicas_of(deployment_));
      return;
    }
    if (is_saturated(deployment_, new_set_)) {
      for (ReplicaSet* set : old_) scale_to(*set, 0);
      return;
    }
    if (is_rolling(deployment_)) scale_proportionally(active);
  }

  ReplicaSet* latest() {
    Sets ordered = all_;
    sort_by_creation(ordered);
    return ordered.empty() ? nullptr : ordered.back();
  }

  void scale_proportionally(Sets active) {
    const int32_t wanted = replicas_of(deployment_);
    const int32_t allowed = wanted > 0 ? wanted + max_surge(deployment_) : 0;
    const int32_t to_add = allowed - sum_replicas(active);
    sort_by_creation(active);
    if (to_add > 0) std::ranges::reverse(active);
    // The biggest first; of equal ones the newest when growing, the oldest when shrinking.
    std::vector<std::pair<int32_t, size_t>> order;
    for (size_t i = 0; i < active.size(); ++i) order.emplace_back(-replicas_of(*active[i]), i);
    std::ranges::sort(order);
    Sets sorted;
    for (const auto& [size, at] : order) sorted.push_back(active[at]);
    active = std::move(sorted);
    std::vector<int32_t> sizes;
    int32_t added = 0;
    for (const ReplicaSet* set : active) {
      const int32_t share = proportion(deployment_, *set, to_add, added);
      added += share;
      sizes.push_back(replicas_of(*set) + share);
    }
    sizes[0] = std::max(0, sizes[0] + to_add - added);  // what rounding left over
    for (size_t i = 0; i < active.size(); ++i) scale_to(*active[i], sizes[i]);
  }

  // True when the size changes; annotations alone are written too.
  bool scale_to(ReplicaSet& set, int32_t size) {
    const int32_t from = replicas_of(set);
    const bool annotated =
        annotate_replicas(set, replicas_of(deployment_), replicas_of(deployment_) + max_surge(deployment_));
    set.spec.replicas = size;
    if (!annotated && from == size) return false;
    Update& update = touch(set);
    if (from == size) return false;
    // Two steps of one plan are one scaling.
    update.scaling = Scaling{update.scaling ? update.scaling->from : from, size};
    return true;
  }

  Update& touch(const ReplicaSet& set) {
    for (Update& update : plan_.updates) {
      if (update.set.metadata.name != set.metadata.name) continue;
      update.set = set;
      return update;
    }
    return plan_.updates.emplace_back(Update{set, {}});
  }

  void clean_up() {
    if (!deployment_.spec.revision_history_limit) return;
    Sets candidates;
    for (ReplicaSet* set : old_) {
      if (!set->metadata.deletion_timestamp) candidates.push_back(set);
    }
    const int64_t surplus = static_cast<int64_t>(candidates.size()) - *deployment_.spec.revision_history_limit;
    if (surplus <= 0) return;
    std::ranges::sort(candidates, {}, [](const ReplicaSet* set) {
      return std::pair(revision_of(*set), std::string_view(set->metadata.name));
    });
    for (int64_t i = 0; i < surplus; ++i) {
      const ReplicaSet& set = *candidates[static_cast<size_t>(i)];
      const bool in_use =
          set.status.replicas != 0 || replicas_of(set) != 0 || set.metadata.generation > set.status.observed_generation;
      if (!in_use) plan_.remove.push_back(set);
    }
  }

  void status_without_progress() { count_status(deployment_, all_, new_set_, observed_.now, plan_.status); }
  void status_with_progress() {
    count_status(deployment_, all_, new_set_, observed_.now, plan_.status);
    plan_.look_again = judge_progress(deployment_, all_, new_set_, observed_.now, plan_.status);
  }

  Observed observed_;
  Deployment& deployment_;
  Sets all_, old_;
  ReplicaSet* new_set_ = nullptr;
  Plan plan_;
};

}  // namespace

Plan plan(Observed observed) { return Planner(std::move(observed)).run(); }

const ReplicaSet* new_set_of(const Observed& observed) {
  Sets sets;
  for (const ReplicaSet& set : observed.sets) sets.push_back(const_cast<ReplicaSet*>(&set));
  return find_new(observed.deployment, sets);
}

}  // namespace controllers::deployment
