#include "controllers/deployment/replica_sets.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <tuple>

#include "gen/codec.h"

namespace controllers::deployment {
namespace {

using api::core::v1::PodTemplateSpec;

constexpr std::string_view kSafeAlphabet = "bcdfghjklmnpqrstvwxz2456789";

uint32_t fnv32a(std::string_view bytes) {
  uint32_t hash = 2166136261u;
  for (const char byte : bytes) hash = (hash ^ static_cast<uint8_t>(byte)) * 16777619u;
  return hash;
}

// A count or a percentage of `total`.
int32_t resolve(const object::IntOrString& value, int32_t total, bool up) {
  if (!value.is_string()) return value.int_val;
  int32_t percent = 0;
  std::from_chars(value.str_val.data(), value.str_val.data() + value.str_val.size(), percent);
  const int64_t product = static_cast<int64_t>(percent) * total;
  return static_cast<int32_t>(up ? (product + 99) / 100 : product / 100);
}

struct Fenceposts {
  int32_t surge = 0;
  int32_t unavailable = 0;
};

Fenceposts fenceposts(const Deployment& deployment) {
  const auto& rolling = deployment.spec.strategy.rolling_update;
  Fenceposts result;
  if (rolling) {
    const int32_t total = replicas_of(deployment);
    if (rolling->max_surge) result.surge = resolve(*rolling->max_surge, total, true);
    if (rolling->max_unavailable) result.unavailable = resolve(*rolling->max_unavailable, total, false);
  }
  // Compat: both may round to zero, and the rollout must still go on.
  if (result.surge == 0 && result.unavailable == 0) result.unavailable = 1;
  return result;
}

bool is_carried_over(const std::string& name) {
  return name != "kubectl.kubernetes.io/last-applied-configuration" && name != kRevision && name != kRevisionHistory &&
         name != kDesiredReplicas && name != kMaxReplicas && name != "deprecated.deployment.rollback.to";
}

bool set_annotation(ReplicaSet& set, const std::string& name, const std::string& value) {
  auto [at, inserted] = set.metadata.annotations.try_emplace(name, value);
  if (!inserted && at->second == value) return false;
  at->second = value;
  return true;
}

}  // namespace

std::string template_hash(const PodTemplateSpec& pod_template, std::optional<int32_t> collision_count) {
  std::string bytes = gen::encode(pod_template);
  if (collision_count) bytes += "#" + std::to_string(*collision_count);
  const std::string decimal = std::to_string(fnv32a(bytes));
  std::string text;
  for (const char digit : decimal) text += kSafeAlphabet[static_cast<size_t>(digit) % kSafeAlphabet.size()];
  return text;
}

bool same_template(const PodTemplateSpec& a, const PodTemplateSpec& b) {
  if (!(a.spec == b.spec)) return false;
  auto left = a.metadata;
  auto right = b.metadata;
  left.labels.erase(kHashLabel);
  right.labels.erase(kHashLabel);
  return left == right;
}

void sort_by_creation(Sets& sets) {
  std::ranges::sort(sets, {}, [](const ReplicaSet* set) {
    return std::tuple(set->metadata.creation_timestamp, std::string_view(set->metadata.name));
  });
}

ReplicaSet* find_new(const Deployment& deployment, const Sets& sets) {
  Sets ordered = sets;
  sort_by_creation(ordered);
  for (ReplicaSet* set : ordered) {
    if (same_template(set->spec.template_, deployment.spec.template_)) return set;
  }
  return nullptr;
}

int32_t replicas_of(const ReplicaSet& set) { return set.spec.replicas.value_or(1); }
int32_t replicas_of(const Deployment& deployment) { return deployment.spec.replicas.value_or(1); }

int32_t sum_replicas(const Sets& sets) {
  int32_t sum = 0;
  for (const ReplicaSet* set : sets) sum += replicas_of(*set);
  return sum;
}

int32_t sum_available(const Sets& sets) {
  int32_t sum = 0;
  for (const ReplicaSet* set : sets) sum += set->status.available_replicas;
  return sum;
}

bool is_rolling(const Deployment& deployment) { return deployment.spec.strategy.type != "Recreate"; }
int32_t max_surge(const Deployment& deployment) { return is_rolling(deployment) ? fenceposts(deployment).surge : 0; }

int32_t max_unavailable(const Deployment& deployment) {
  const int32_t replicas = replicas_of(deployment);
  if (!is_rolling(deployment) || replicas == 0) return 0;
  return std::min(fenceposts(deployment).unavailable, replicas);
}

int32_t new_set_replicas(const Deployment& deployment, const Sets& all, int32_t current) {
  const int32_t replicas = replicas_of(deployment);
  if (!is_rolling(deployment)) return replicas;
  const int32_t most = replicas + max_surge(deployment);
  const int32_t total = sum_replicas(all);
  if (total >= most) return current;
  return current + std::min(most - total, replicas - current);
}

bool is_saturated(const Deployment& deployment, const ReplicaSet* new_set) {
  if (!new_set) return false;
  const int32_t replicas = replicas_of(deployment);
  return annotated_number(new_set->metadata.annotations, kDesiredReplicas, -1) == replicas &&
         replicas_of(*new_set) == replicas && new_set->status.available_replicas == replicas;
}

int32_t proportion(const Deployment& deployment, const ReplicaSet& set, int32_t to_add, int32_t added) {
  const int32_t size = replicas_of(set);
  if (size == 0 || to_add == 0 || to_add == added) return 0;
  int32_t fraction = -size;
  if (replicas_of(deployment) != 0) {
    int64_t before = annotated_number(set.metadata.annotations, kMaxReplicas, 0);
    if (before <= 0) before = deployment.status.replicas;
    if (before <= 0) return 0;
    const double scaled =
        static_cast<double>(size) * (replicas_of(deployment) + max_surge(deployment)) / static_cast<double>(before);
    fraction = static_cast<int32_t>(std::lround(scaled)) - size;
  }
  const int32_t left = to_add - added;
  return to_add > 0 ? std::min(fraction, left) : std::max(fraction, left);
}

int64_t annotated_number(const std::map<std::string, std::string>& annotations, const char* name, int64_t absent) {
  const auto found = annotations.find(name);
  if (found == annotations.end()) return absent;
  int64_t number = absent;
  std::from_chars(found->second.data(), found->second.data() + found->second.size(), number);
  return number;
}

bool annotate_replicas(ReplicaSet& set, int32_t desired, int32_t max) {
  const bool first = set_annotation(set, kDesiredReplicas, std::to_string(desired));
  const bool second = set_annotation(set, kMaxReplicas, std::to_string(max));
  return first || second;
}

bool annotate_new_set(const Deployment& deployment, ReplicaSet& set, int64_t revision) {
  bool changed = false;
  for (const auto& [name, value] : deployment.metadata.annotations) {
    if (is_carried_over(name)) changed |= set_annotation(set, name, value);
  }
  const auto old_text = set.metadata.annotations.find(kRevision);
  const std::string before = old_text == set.metadata.annotations.end() ? "" : old_text->second;
  if (annotated_number(set.metadata.annotations, kRevision, 0) >= revision) return changed;
  set_annotation(set, kRevision, std::to_string(revision));
  if (!before.empty()) {
    std::string& history = set.metadata.annotations[kRevisionHistory];
    history += (history.empty() ? "" : ",") + before;
  }
  return true;
}

int64_t revision_of(const ReplicaSet& set) { return annotated_number(set.metadata.annotations, kRevision, 0); }

}  // namespace controllers::deployment
