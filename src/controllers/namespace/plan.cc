#include "controllers/namespace/plan.h"

#include <algorithm>

#include "object/time.h"

namespace controllers::ns {
namespace {

using api::core::v1::NamespaceCondition;
using api::core::v1::NamespaceStatus;

constexpr int64_t kFinalizerEstimateSeconds = 15;

struct Wanted {
  const char* type;
  const char* status;
  const char* reason;
  std::string message;
};

std::string join(const std::vector<std::string>& parts) {
  std::string text;
  for (const std::string& part : parts) text += (text.empty() ? "" : ", ") + part;
  return text;
}

std::vector<Wanted> wanted_conditions(const Remaining& remaining) {
  std::vector<std::string> instances, finalizers;
  for (const auto& [name, count] : remaining.instances) {
    instances.push_back(name + " has " + std::to_string(count) + " resource instances");
  }
  for (const auto& [name, count] : remaining.finalizers) {
    finalizers.push_back(name + " in " + std::to_string(count) + " resource instances");
  }
  std::vector<Wanted> wanted = {
      {"NamespaceDeletionDiscoveryFailure", "False", "ResourcesDiscovered", "All resources successfully discovered"},
      {"NamespaceDeletionGroupVersionParsingFailure", "False", "ParsedGroupVersions",
       "All legacy kube types successfully parsed"},
      {"NamespaceDeletionContentFailure", "False", "ContentDeleted",
       "All content successfully deleted, may be waiting on finalization"},
      {"NamespaceContentRemaining", "False", "ContentRemoved", "All content successfully removed"},
      {"NamespaceFinalizersRemaining", "False", "ContentHasNoFinalizers",
       "All content-preserving finalizers finished"}};
  if (!remaining.discovery_failure.empty()) {
    wanted[0] = {wanted[0].type, "True", "DiscoveryFailed",
                 "Discovery failed for some groups, 1 failing: " + remaining.discovery_failure};
  }
  if (!remaining.failures.empty()) {
    wanted[2] = {wanted[2].type, "True", "ContentDeletionFailed",
                 "Failed to delete all resource types, " + std::to_string(remaining.failures.size()) +
                     " remaining: " + join(remaining.failures)};
  }
  if (!instances.empty()) {
    wanted[3] = {wanted[3].type, "True", "SomeResourcesRemain", "Some resources are remaining: " + join(instances)};
  }
  if (!finalizers.empty()) {
    wanted[4] = {wanted[4].type, "True", "SomeFinalizersRemain",
                 "Some content in the namespace has finalizers remaining: " + join(finalizers)};
  }
  return wanted;
}

}  // namespace

NamespaceStatus plan_status(const NamespaceStatus& status, const Remaining& remaining, base::WallTime now) {
  NamespaceStatus result = status;
  result.phase = "Terminating";
  for (Wanted& wanted : wanted_conditions(remaining)) {
    auto found = std::ranges::find(result.conditions, std::string_view(wanted.type), &NamespaceCondition::type);
    if (found == result.conditions.end()) found = result.conditions.emplace(result.conditions.end());
    if (found->status != wanted.status) found->last_transition_time = object::to_time(now);
    found->type = wanted.type;
    found->status = wanted.status;
    found->reason = wanted.reason;
    found->message = std::move(wanted.message);
  }
  return result;
}

base::Duration look_again_after(const Remaining& remaining) {
  int64_t estimate = remaining.longest_grace_seconds;
  if (estimate == 0 && !remaining.finalizers.empty()) estimate = kFinalizerEstimateSeconds;
  return std::chrono::seconds(estimate / 2 + 1);
}

}  // namespace controllers::ns
