// What a Job's policies say of a failed Pod, and of the indexes that have succeeded. Pure.
#pragma once

#include <optional>
#include <set>
#include <string>

#include "gen/batch/v1.h"
#include "gen/core/v1.h"

namespace controllers::job {

// How often the index of a Pod has failed before it.
inline constexpr const char* kFailureCountAnnotation = "batch.kubernetes.io/job-index-failure-count";

enum class FailureAction : uint8_t { kCount, kIgnore, kFailIndex, kFailJob };

struct Failure {
  FailureAction action = FailureAction::kCount;
  std::string message;  // of the rule that ends the Job
};

// The first rule of the pod failure policy that the Pod fulfils decides.
Failure judge_failure(const api::batch::v1::Job& job, const api::core::v1::Pod& pod);
int32_t failure_count(const api::core::v1::Pod& pod);
// "Matched rules at index N" when the success policy is met.
std::optional<std::string> success_by_policy(const api::batch::v1::Job& job, const std::set<int32_t>& completed);

}  // namespace controllers::job
