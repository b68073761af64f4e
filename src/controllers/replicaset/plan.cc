#include "controllers/replicaset/plan.h"

#include <algorithm>
#include <bit>
#include <charconv>
#include <tuple>
#include <unordered_map>

#include "client/client.h"
#include "controllers/runtime/owners.h"
#include "object/time.h"

namespace controllers::replicaset {
namespace {

using api::apps::v1::ReplicaSet;
using api::apps::v1::ReplicaSetCondition;
using api::apps::v1::ReplicaSetStatus;

constexpr std::string_view kDeletionCost = "controller.kubernetes.io/pod-deletion-cost";
constexpr std::string_view kFailure = "ReplicaFailure";

int64_t seconds_of(base::WallTime time) {
  return std::chrono::floor<std::chrono::seconds>(time).time_since_epoch().count();
}

bool has_labels(const PodView& pod, const std::map<std::string, std::string>& labels) {
  return std::ranges::all_of(
      labels, [&](const auto& label) { return schema::find(pod.metadata.labels, label.first) == label.second; });
}

int32_t deletion_cost(const PodView& pod) {
  int32_t cost = 0;
  if (const auto text = schema::find(pod.metadata.annotations, kDeletionCost)) {
    std::from_chars(text->data(), text->data() + text->size(), cost);
  }
  return cost;
}

int phase_rank(const PodView& pod) { return pod.phase == "Running" ? 2 : pod.phase == "Unknown" ? 1 : 0; }

// Time in powers of two of seconds: pods of about the same age are equal.
int age_bucket(int64_t since, int64_t now) {
  return since == 0 || now <= since ? 0 : static_cast<int>(std::bit_width(static_cast<uint64_t>(now - since)));
}

}  // namespace

void order_for_deletion(const std::vector<PodView>& pods, std::vector<size_t>& positions, base::WallTime now) {
  const int64_t now_seconds = seconds_of(now);
  std::unordered_map<std::string_view, int> on_node;
  for (const size_t at : positions) ++on_node[pods[at].node];
  const auto rank = [&](size_t at) {
    const PodView& pod = pods[at];
    return std::tuple(!pod.node.empty(), phase_rank(pod), pod.ready, deletion_cost(pod),
                      pod.node.empty() ? 0 : -on_node[pod.node],
                      age_bucket(pod.ready ? pod.ready_since : 0, now_seconds), -pod.restarts,
                      age_bucket(pod.metadata.creation_seconds.value_or(0), now_seconds));
  };
  std::vector<std::pair<decltype(rank(0)), size_t>> ranked;
  ranked.reserve(positions.size());
  for (const size_t at : positions) ranked.emplace_back(rank(at), at);
  std::ranges::sort(ranked);
  for (size_t i = 0; i < ranked.size(); ++i) positions[i] = ranked[i].second;
}

Plan plan(const Observed& observed) {
  const ReplicaSet& set = *observed.replica_set;
  const int32_t wanted = set.spec.replicas.value_or(1);
  const int64_t now = seconds_of(observed.now);
  Plan plan;
  plan.status = set.status;
  plan.status.replicas = plan.status.fully_labeled_replicas = plan.status.ready_replicas =
      plan.status.available_replicas = 0;
  plan.status.terminating_replicas = 0;
  plan.status.observed_generation = set.metadata.generation;
  std::vector<size_t> active;
  for (size_t i = 0; i < observed.pods.size(); ++i) {
    const PodView& pod = observed.pods[i];
    if (pod.deleting() && !pod.terminal()) ++*plan.status.terminating_replicas;
    if (!pod.active()) continue;
    active.push_back(i);
    ++plan.status.replicas;
    if (has_labels(pod, set.spec.template_.metadata.labels)) ++plan.status.fully_labeled_replicas;
    if (!pod.ready) continue;
    ++plan.status.ready_replicas;
    if (pod.available(set.spec.min_ready_seconds, now)) {
      ++plan.status.available_replicas;
    } else {
      const base::Duration wait = std::chrono::seconds(pod.ready_since + set.spec.min_ready_seconds - now);
      if (!plan.look_again || wait < *plan.look_again) plan.look_again = wait;
    }
  }
  if (set.metadata.deletion_timestamp) return plan;
  const int32_t difference = static_cast<int32_t>(active.size()) - wanted;
  if (difference < 0) plan.create = std::min(-difference, kBurstReplicas);
  if (difference > 0) {
    const auto count = static_cast<size_t>(std::min(difference, kBurstReplicas));
    if (count < active.size()) order_for_deletion(observed.pods, active, observed.now);
    active.resize(count);
    plan.remove = std::move(active);
  }
  return plan;
}

void set_failure(ReplicaSetStatus& status, std::string_view reason, const std::string& message, base::WallTime now) {
  const auto found = std::ranges::find(status.conditions, kFailure, &ReplicaSetCondition::type);
  if (reason.empty()) {
    if (found != status.conditions.end()) status.conditions.erase(found);
    return;
  }
  if (found != status.conditions.end()) return;  // Compat: the first failure's text stays until it is over
  ReplicaSetCondition condition;
  condition.type = kFailure;
  condition.status = "True";
  condition.last_transition_time = object::to_time(now);
  condition.reason = reason;
  condition.message = message;
  status.conditions.push_back(std::move(condition));
}

api::core::v1::Pod make_pod(const ReplicaSet& replica_set, const schema::Resource& kind) {
  api::core::v1::Pod pod;
  const auto& metadata = replica_set.spec.template_.metadata;
  pod.metadata.generate_name = replica_set.metadata.name + "-";
  pod.metadata.namespace_ = replica_set.metadata.namespace_;
  pod.metadata.labels = metadata.labels;
  pod.metadata.annotations = metadata.annotations;
  pod.metadata.finalizers = metadata.finalizers;
  pod.metadata.owner_references = {controller_reference(kind, replica_set.metadata)};
  pod.spec = replica_set.spec.template_.spec;
  return pod;
}

}  // namespace controllers::replicaset
