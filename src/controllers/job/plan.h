// What a Job needs: Pods made or deleted, ended Pods counted, and its status. Pure.
// Counting: an ended Pod's uid is first written to uncountedTerminatedPods, then its finalizer is removed, then it
// moves into the counters; so no Pod is lost or counted twice, whenever this process stops.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "gen/batch/v1.h"
#include "gen/core/v1.h"

namespace controllers::job {

inline constexpr const char* kTrackingFinalizer = "batch.kubernetes.io/job-tracking";
inline constexpr const char* kIndexAnnotation = "batch.kubernetes.io/job-completion-index";
inline constexpr int32_t kMaxPodsPerSync = 500;  // Compat: created or deleted in one reconcile

struct Observed {
  api::batch::v1::Job job;
  std::vector<api::core::v1::Pod> pods;  // that it controls
  base::WallTime now;
};

struct Message {
  bool warning = false;
  std::string reason;
  std::string text;
};

struct Plan {
  api::batch::v1::JobStatus status;            // written first
  std::vector<size_t> release;                 // pods whose finalizer goes once the status is written
  std::vector<size_t> remove;                  // pods to delete
  std::vector<std::optional<int32_t>> create;  // one Pod each, of that index
  std::map<int32_t, int32_t> failures;         // how often such an index has failed, where that is counted
  std::vector<Message> events;
  std::optional<base::Duration> look_again;
};

Plan plan(const Observed& observed);

bool is_finished(const api::batch::v1::Job& job);
// failures: how often that index has failed.
api::core::v1::Pod make_pod(const api::batch::v1::Job& job, std::optional<int32_t> index, int32_t failures = 0);

}  // namespace controllers::job
