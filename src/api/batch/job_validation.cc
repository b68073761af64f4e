#include "api/batch/job_validation.h"

#include "api/core/pod_spec.h"

namespace api {
namespace {

using batch::v1::JobSpec;

constexpr int32_t kMaxIndexedParallelism = 100000;
constexpr int32_t kMaxFailedIndexes = 100000;
constexpr int32_t kManyCompletions = 100000;
constexpr int32_t kLimitWithManyCompletions = 10000;
constexpr int64_t kMaxManagedBy = 63;

bool is_indexed(const JobSpec& spec) { return spec.completion_mode == "Indexed"; }

void check_indexed(const JobSpec& spec, const FieldPath& path, FieldErrors& errors) {
  const FieldPath parallelism = path.child("parallelism"), failed = path.child("maxFailedIndexes");
  if (!spec.completions) {
    return errors.required(path.child("completions"), "when completion mode is Indexed");
  }
  if (spec.parallelism && *spec.parallelism > kMaxIndexedParallelism) {
    errors.invalid(parallelism, *spec.parallelism,
                   "must be less than or equal to 100000 when completion mode is Indexed");
  }
  if (spec.max_failed_indexes && *spec.max_failed_indexes > *spec.completions) {
    errors.invalid(failed, *spec.max_failed_indexes, "must be less than or equal to completions");
  }
  if (spec.max_failed_indexes && *spec.max_failed_indexes > kMaxFailedIndexes) {
    errors.invalid(failed, *spec.max_failed_indexes, "must be less than or equal to 100000");
  }
  if (*spec.completions <= kManyCompletions || !spec.backoff_limit_per_index) return;
  constexpr std::string_view kMany =
      "must be less than or equal to 10000 when completions are above 100000 and used with backoff limit per index";
  if (!spec.max_failed_indexes) {
    errors.required(failed, "must be specified when completions is above 100000");
  } else if (*spec.max_failed_indexes > kLimitWithManyCompletions) {
    errors.invalid(failed, *spec.max_failed_indexes, kMany);
  }
  if (spec.parallelism && *spec.parallelism > kLimitWithManyCompletions) {
    errors.invalid(parallelism, *spec.parallelism, kMany);
  }
}

void check_counts(const JobSpec& spec, const FieldPath& path, FieldErrors& errors) {
  auto check = [&](const auto& value, std::string_view field) {
    if (value) validate_not_negative(*value, path.child(field), errors);
  };
  check(spec.parallelism, "parallelism");
  check(spec.completions, "completions");
  check(spec.active_deadline_seconds, "activeDeadlineSeconds");
  check(spec.backoff_limit, "backoffLimit");
  check(spec.ttl_seconds_after_finished, "ttlSecondsAfterFinished");
  check(spec.backoff_limit_per_index, "backoffLimitPerIndex");
  check(spec.max_failed_indexes, "maxFailedIndexes");
  if (spec.max_failed_indexes && !spec.backoff_limit_per_index) {
    errors.required(path.child("backoffLimitPerIndex"), "when maxFailedIndexes is specified");
  }
  if (spec.managed_by) {
    const FieldPath managed = path.child("managedBy");
    check_domain_prefixed_path(*spec.managed_by, managed, errors);
    if (static_cast<int64_t>(spec.managed_by->size()) > kMaxManagedBy) errors.too_long(managed, kMaxManagedBy);
  }
}

void check_replacement_policy(const JobSpec& spec, const FieldPath& path, FieldErrors& errors) {
  if (!spec.pod_replacement_policy) return;
  const std::string& policy = *spec.pod_replacement_policy;
  if (spec.pod_failure_policy) {
    if (policy != "Failed") errors.not_supported(path, policy, {"Failed"});
  } else if (policy != "Failed" && policy != "TerminatingOrFailed") {
    errors.not_supported(path, policy, {"Failed", "TerminatingOrFailed"});
  }
}

}  // namespace

void validate_job_spec_fields(RuleContext& context, const JobSpec& spec, const JobSpec* old, const FieldPath& path,
                              FieldErrors& errors) {
  check_counts(spec, path, errors);
  const FieldPath mode = path.child("completionMode");
  if (spec.completion_mode && !is_indexed(spec) && *spec.completion_mode != "NonIndexed") {
    errors.not_supported(mode, *spec.completion_mode, {"NonIndexed", "Indexed"});
  }
  if (is_indexed(spec)) {
    check_indexed(spec, path, errors);
  } else {
    constexpr std::string_view kIndexedOnly = "requires indexed completion mode";
    if (spec.backoff_limit_per_index) {
      errors.invalid(path.child("backoffLimitPerIndex"), *spec.backoff_limit_per_index, kIndexedOnly);
    }
    if (spec.max_failed_indexes) {
      errors.invalid(path.child("maxFailedIndexes"), *spec.max_failed_indexes, kIndexedOnly);
    }
  }
  if (spec.pod_failure_policy) validate_pod_failure_policy(spec, path.child("podFailurePolicy"), errors);
  if (spec.success_policy) validate_success_policy(spec, path.child("successPolicy"), errors);
  check_replacement_policy(spec, path.child("podReplacementPolicy"), errors);
  const FieldPath pods = path.child("template"), pod_spec = pods.child("spec");
  validate_pod_template_spec(spec.template_, pods,
                             template_validation_options(context, spec.template_, old ? &old->template_ : nullptr),
                             errors);
  const std::string& restart = spec.template_.spec.restart_policy;
  if (restart != "OnFailure" && restart != "Never") {
    errors.required(pod_spec.child("restartPolicy"), "valid values: \"OnFailure\", \"Never\"");
  }
  if (spec.pod_failure_policy && restart != "Never") {
    errors.invalid(pod_spec.child("restartPolicy"), restart,
                   "only \"Never\" is supported when podFailurePolicy is specified");
  }
}

void validate_job_spec(RuleContext& context, const JobSpec& spec, const JobSpec* old, const FieldPath& path,
                       FieldErrors& errors) {
  validate_job_spec_fields(context, spec, old, path, errors);
  if (spec.selector) {
    validate_label_selector(*spec.selector, path.child("selector"), errors);
  } else {
    errors.required(path.child("selector"));
  }
  auto selector = to_selector(spec.selector);
  if (!selector || selects(*selector, spec.template_.metadata.labels)) return;
  const FieldPath pods = path.child("template"), metadata = pods.child("metadata");
  errors.invalid(metadata.child("labels"), shown(spec.template_.metadata.labels),
                 "`selector` does not match template `labels`");
}

}  // namespace api
