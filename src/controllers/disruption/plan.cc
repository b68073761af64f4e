#include "controllers/disruption/plan.h"

#include <algorithm>
#include <charconv>

#include "object/time.h"

namespace controllers::disruption {
namespace {

using api::policy::v1::PodDisruptionBudget;
using api::policy::v1::PodDisruptionBudgetStatus;

// The number, or the share of `total`, rounded up.
base::Result<int32_t> resolve(const object::IntOrString& value, int32_t total) {
  if (!value.is_string()) return value.int_val;
  int32_t percent = 0;
  const std::string& text = value.str_val;
  const char* end = text.data() + text.size();
  const auto [at, error] = std::from_chars(text.data(), end, percent);
  if (error != std::errc() || at + 1 != end || *at != '%')
    return base::fail(base::Reason::kInvalid,
                      "invalid value for IntOrString: invalid type: string is not a percentage");
  return static_cast<int32_t>((int64_t{percent} * total + 99) / 100);
}

struct Wanted {
  int32_t expected = 0;
  int32_t healthy = 0;
};

base::Result<Wanted> wanted(const Observed& observed) {
  const auto& spec = observed.budget->spec;
  const auto matching = static_cast<int32_t>(observed.pods.size());
  if (spec.max_unavailable) {
    TRY_ASSIGN(const int32_t away, resolve(*spec.max_unavailable, observed.scale->pods));
    return Wanted{observed.scale->pods, std::max(0, observed.scale->pods - away)};
  }
  if (!spec.min_available) return Wanted{};
  if (!spec.min_available->is_string()) return Wanted{matching, spec.min_available->int_val};
  TRY_ASSIGN(const int32_t least, resolve(*spec.min_available, observed.scale->pods));
  return Wanted{observed.scale->pods, least};
}

void set_condition(PodDisruptionBudgetStatus& status, std::string value, std::string reason, std::string message,
                   base::WallTime now) {
  auto found = std::ranges::find(status.conditions, "DisruptionAllowed", &api::meta::v1::Condition::type);
  if (found == status.conditions.end()) {
    found = status.conditions.insert(status.conditions.end(), api::meta::v1::Condition());
    found->type = "DisruptionAllowed";
  }
  if (found->status != value) {
    found->last_transition_time = object::to_time(now);
    found->last_transition_time.nanos = 0;
  }
  found->status = std::move(value);
  found->reason = std::move(reason);
  found->message = std::move(message);
  found->observed_generation = status.observed_generation;
}

// Carries over the evictions that still may happen.
void follow_disrupted(const Observed& observed, Plan& plan) {
  for (size_t i = 0; i < observed.pods.size(); ++i) {
    const PodView& pod = observed.pods[i];
    const auto& noted = observed.budget->status.disrupted_pods;
    const auto found = noted.find(std::string(pod.metadata.name));
    if (pod.deleting() || found == noted.end()) continue;
    const base::WallTime due = object::to_wall_time(found->second) + kDeletionTimeout;
    if (due < observed.now) {
      plan.not_deleted.push_back(i);
      continue;
    }
    plan.status.disrupted_pods.insert(*found);
    const base::Duration left = due - observed.now + std::chrono::milliseconds(1);
    plan.look_again = plan.look_again ? std::min(*plan.look_again, left) : left;
  }
}

int32_t count_healthy(const std::vector<PodView>& pods, const PodDisruptionBudgetStatus& status) {
  return static_cast<int32_t>(std::ranges::count_if(pods, [&](const PodView& pod) {
    return !pod.deleting() && pod.ready && !status.disrupted_pods.contains(std::string(pod.metadata.name));
  }));
}

}  // namespace

bool needs_scale(const PodDisruptionBudget& budget) {
  return budget.spec.max_unavailable || (budget.spec.min_available && budget.spec.min_available->is_string());
}

base::Result<Plan> plan(const Observed& observed) {
  TRY_ASSIGN(const Wanted want, wanted(observed));
  Plan plan;
  plan.status.conditions = observed.budget->status.conditions;
  follow_disrupted(observed, plan);
  plan.status.observed_generation = observed.budget->metadata.generation;
  plan.status.expected_pods = want.expected;
  plan.status.desired_healthy = want.healthy;
  plan.status.current_healthy = count_healthy(observed.pods, plan.status);
  // Compat: without expected Pods nothing is allowed, so that the first ones are safe before they are counted.
  const int32_t spare = plan.status.current_healthy - want.healthy;
  plan.status.disruptions_allowed = want.expected > 0 ? std::max(0, spare) : 0;
  const bool allowed = plan.status.disruptions_allowed > 0;
  set_condition(plan.status, allowed ? "True" : "False", allowed ? "SufficientPods" : "InsufficientPods", "",
                observed.now);
  return plan;
}

PodDisruptionBudgetStatus failed_status(const PodDisruptionBudget& budget, const std::string& problem,
                                        base::WallTime now) {
  PodDisruptionBudgetStatus status = budget.status;
  status.disruptions_allowed = 0;
  set_condition(status, "False", "SyncFailed", problem, now);
  return status;
}

}  // namespace controllers::disruption
