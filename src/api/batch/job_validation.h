// The rules of a JobSpec wherever it stands: in Jobs and in the templates of CronJobs. Pure; thread: any.
#pragma once

#include "api/rules.h"
#include "api/shared/checks.h"
#include "gen/batch/v1.h"

namespace api {

// Everything but the selector.
void validate_job_spec_fields(RuleContext& context, const batch::v1::JobSpec& spec, const batch::v1::JobSpec* old,
                              const FieldPath& path, FieldErrors& errors);
// The selector too: required, well formed, matching the template.
void validate_job_spec(RuleContext& context, const batch::v1::JobSpec& spec, const batch::v1::JobSpec* old,
                       const FieldPath& path, FieldErrors& errors);
// job_policy_validation.cc
void validate_pod_failure_policy(const batch::v1::JobSpec& spec, const FieldPath& path, FieldErrors& errors);
void validate_success_policy(const batch::v1::JobSpec& spec, const FieldPath& path, FieldErrors& errors);
// job_status_validation.cc
void validate_job_status(const batch::v1::Job& job, const batch::v1::Job& old, FieldErrors& errors);

}  // namespace api
