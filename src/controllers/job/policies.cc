#include "controllers/job/policies.h"

#include <algorithm>
#include <charconv>

#include "controllers/job/index_set.h"

namespace controllers::job {
namespace {

using api::batch::v1::Job;
using api::batch::v1::PodFailurePolicyOnExitCodesRequirement;
using api::batch::v1::PodFailurePolicyRule;
using api::batch::v1::SuccessPolicyRule;
using api::core::v1::ContainerStatus;
using api::core::v1::Pod;

FailureAction action_of(const PodFailurePolicyRule& rule) {
  if (rule.action == "Ignore") return FailureAction::kIgnore;
  if (rule.action == "FailIndex") return FailureAction::kFailIndex;
  return rule.action == "FailJob" ? FailureAction::kFailJob : FailureAction::kCount;
}

bool fulfils(const ContainerStatus& container, const PodFailurePolicyOnExitCodesRequirement& wanted) {
  if (!container.state.terminated || container.state.terminated->exit_code == 0) return false;
  if (wanted.container_name && *wanted.container_name != container.name) return false;
  const bool listed = std::ranges::find(wanted.values, container.state.terminated->exit_code) != wanted.values.end();
  return wanted.operator_ == "In" ? listed : wanted.operator_ == "NotIn" && !listed;
}

const ContainerStatus* find_exit(const Pod& pod, const PodFailurePolicyOnExitCodesRequirement& wanted) {
  for (const auto* list : {&pod.status.container_statuses, &pod.status.init_container_statuses}) {
    for (const ContainerStatus& container : *list) {
      if (fulfils(container, wanted)) return &container;
    }
  }
  return nullptr;
}

// Why the rule applies; nothing when it does not.
std::optional<std::string> applies(const PodFailurePolicyRule& rule, const Pod& pod) {
  const std::string name = pod.metadata.namespace_ + "/" + pod.metadata.name;
  if (rule.on_exit_codes) {
    const ContainerStatus* found = find_exit(pod, *rule.on_exit_codes);
    if (!found) return std::nullopt;
    return "Container " + found->name + " for pod " + name + " failed with exit code " +
           std::to_string(found->state.terminated->exit_code);
  }
  for (const auto& wanted : rule.on_pod_conditions) {
    const bool found = std::ranges::any_of(pod.status.conditions, [&](const auto& condition) {
      return condition.type == wanted.type && condition.status == (wanted.status.empty() ? "True" : wanted.status);
    });
    if (found) return "Pod " + name + " has condition " + wanted.type;
  }
  return std::nullopt;
}

bool is_met(const SuccessPolicyRule& rule, const std::set<int32_t>& completed, int32_t completions) {
  if (!rule.succeeded_indexes)
    return rule.succeeded_count && static_cast<int64_t>(completed.size()) >= *rule.succeeded_count;
  const std::set<int32_t> wanted = parse_indexes(*rule.succeeded_indexes, completions);
  const auto done = std::ranges::count_if(wanted, [&](int32_t index) { return completed.contains(index); });
  return done >= rule.succeeded_count.value_or(static_cast<int32_t>(wanted.size()));
}

}  // namespace

Failure judge_failure(const Job& job, const Pod& pod) {
  if (!job.spec.pod_failure_policy || pod.status.phase != "Failed") return {};
  const auto& rules = job.spec.pod_failure_policy->rules;
  for (size_t i = 0; i < rules.size(); ++i) {
    const auto reason = applies(rules[i], pod);
    if (!reason) continue;
    // Compat: without limits of its own an index cannot fail.
    FailureAction action = action_of(rules[i]);
    if (action == FailureAction::kFailIndex && !job.spec.backoff_limit_per_index) action = FailureAction::kCount;
    return {action, *reason + " matching " + rules[i].action + " rule at index " + std::to_string(i)};
  }
  return {};
}

int32_t failure_count(const Pod& pod) {
  const auto found = pod.metadata.annotations.find(kFailureCountAnnotation);
  if (found == pod.metadata.annotations.end()) return 0;
  int32_t count = 0;
  const std::string& text = found->second;
  if (std::from_chars(text.data(), text.data() + text.size(), count).ec != std::errc()) return 0;
  return std::max(count, 0);
}

std::optional<std::string> success_by_policy(const Job& job, const std::set<int32_t>& completed) {
  if (!job.spec.success_policy) return std::nullopt;
  const auto& rules = job.spec.success_policy->rules;
  for (size_t i = 0; i < rules.size(); ++i) {
    if (is_met(rules[i], completed, job.spec.completions.value_or(0)))
      return "Matched rules at index " + std::to_string(i);
  }
  return std::nullopt;
}

}  // namespace controllers::job
