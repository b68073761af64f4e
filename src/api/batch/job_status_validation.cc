#include <algorithm>
#include <set>

#include "api/batch/job_validation.h"
#include "object/time.h"

namespace api {
namespace {

using batch::v1::Job;
using batch::v1::JobStatus;

bool is_true(const JobStatus& status, std::string_view type) {
  return std::ranges::any_of(status.conditions, [&](const auto& c) { return c.type == type && c.status == "True"; });
}
bool is_finished(const JobStatus& status) { return is_true(status, "Complete") || is_true(status, "Failed"); }

BadValue omitted() { return BadValue::verbatim(""); }

void check_uids(const std::vector<std::string>& uids, std::set<std::string_view>& seen, const FieldPath& path,
                FieldErrors& errors) {
  for (size_t i = 0; i < uids.size(); ++i) {
    if (uids[i].empty()) {
      errors.invalid(path.index(i), uids[i], "must not be empty");
    } else if (!seen.insert(uids[i]).second) {
      errors.duplicate(path.index(i), uids[i]);
    }
  }
}

void check_counters(const Job& job, const FieldPath& path, FieldErrors& errors) {
  const JobStatus& status = job.status;
  validate_not_negative(status.active, path.child("active"), errors);
  validate_not_negative(status.succeeded, path.child("succeeded"), errors);
  validate_not_negative(status.failed, path.child("failed"), errors);
  if (status.ready) validate_not_negative(*status.ready, path.child("ready"), errors);
  if (status.terminating) validate_not_negative(*status.terminating, path.child("terminating"), errors);
  if (status.ready && *status.ready > status.active) {
    errors.invalid(path.child("ready"), *status.ready, "cannot set more ready pods than active");
  }
  if (!status.uncounted_terminated_pods) return;
  const FieldPath uncounted = path.child("uncountedTerminatedPods");
  std::set<std::string_view> seen;
  check_uids(status.uncounted_terminated_pods->succeeded, seen, uncounted.child("succeeded"), errors);
  check_uids(status.uncounted_terminated_pods->failed, seen, uncounted.child("failed"), errors);
}

void check_finished(const Job& job, const FieldPath& path, FieldErrors& errors) {
  const JobStatus& status = job.status;
  const FieldPath conditions = path.child("conditions");
  const bool complete = is_true(status, "Complete"), failed = is_true(status, "Failed");
  if (complete && failed) {
    errors.invalid(conditions, omitted(), "cannot set Complete=True and Failed=true conditions");
  }
  if (complete && !is_true(status, "SuccessCriteriaMet")) {
    errors.invalid(conditions, omitted(),
                   "cannot set Complete=True condition without the SuccessCriteriaMet=true condition");
  }
  if (failed && !is_true(status, "FailureTarget")) {
    errors.invalid(conditions, omitted(), "cannot set Failed=True condition without the FailureTarget=true condition");
  }
  if (complete && !status.completion_time) {
    errors.required(path.child("completionTime"), "completionTime is required for Complete jobs");
  }
  if (!complete && status.completion_time) {
    errors.invalid(path.child("completionTime"), object::format_time(*status.completion_time),
                   "cannot set completionTime when there is no Complete=True condition");
  }
  if (!complete && !failed) return;
  if (!status.start_time) errors.required(path.child("startTime"), "startTime is required for finished job");
  if (status.active > 0) {
    errors.invalid(path.child("active"), status.active, "active>0 is invalid for finished job");
  }
  const auto& uncounted = status.uncounted_terminated_pods;
  if (uncounted && (!uncounted->succeeded.empty() || !uncounted->failed.empty())) {
    errors.invalid(path.child("uncountedTerminatedPods"), omitted(),
                   "uncountedTerminatedPods needs to be empty for finished job");
  }
  if (status.start_time && status.completion_time && *status.completion_time < *status.start_time) {
    errors.invalid(path.child("completionTime"), object::format_time(*status.completion_time),
                   "completionTime cannot be set before startTime");
  }
}

void check_changes(const Job& job, const Job& old, const FieldPath& path, FieldErrors& errors) {
  const JobStatus& now = job.status;
  const JobStatus& before = old.status;
  const bool suspended = job.spec.suspend.value_or(false);
  if (now.failed < before.failed)
    errors.invalid(path.child("failed"), now.failed, "cannot decrease the failed counter");
  // Compat: an indexed Job that shrinks may forget indexes that succeeded.
  if (now.succeeded < before.succeeded && job.spec.completion_mode != "Indexed") {
    errors.invalid(path.child("succeeded"), now.succeeded, "cannot decrease the succeeded counter");
  }
  if (is_finished(before) && now.completion_time != before.completion_time) {
    errors.invalid(
        path.child("completionTime"),
        now.completion_time ? BadValue(object::format_time(*now.completion_time)) : BadValue::verbatim("null"),
        "completionTime cannot be mutated");
  }
  if (before.start_time && !now.start_time && !suspended) {
    errors.required(path.child("startTime"), "startTime cannot be removed for unsuspended job");
  }
  auto kept = [&](std::string_view type, std::string_view message) {
    if (is_true(before, type) && !is_true(now, type)) errors.invalid(path.child("conditions"), omitted(), message);
  };
  kept("Complete", "cannot disable the terminal Complete=True condition");
  kept("Failed", "cannot disable the terminal Failed=True condition");
  kept("SuccessCriteriaMet", "cannot disable the SuccessCriteriaMet=True condition");
  kept("FailureTarget", "cannot disable the FailureTarget=True condition");
}

}  // namespace

void validate_job_status(const Job& job, const Job& old, FieldErrors& errors) {
  const FieldPath path("status");
  check_counters(job, path, errors);
  check_finished(job, path, errors);
  check_changes(job, old, path, errors);
}

}  // namespace api
