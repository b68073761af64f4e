#include "api/batch/job_validation.h"
#include "api/core/pod_spec.h"
#include "api/shared/cells.h"
#include "api/shared/strategy.h"
#include "api/shared/warnings.h"
#include "object/names.h"

namespace api {
namespace {

using batch::v1::Job;
using batch::v1::JobSpec;

constexpr const char* kUidLabels[] = {"batch.kubernetes.io/controller-uid", "controller-uid"};
constexpr const char* kNameLabels[] = {"batch.kubernetes.io/job-name", "job-name"};

// Labels that tell the Job's Pods from all others, and a selector for them. Values that are there already stay;
// validation refuses wrong ones.
void generate_selector(Job& job) {
  auto& labels = job.spec.template_.metadata.labels;
  for (const char* key : kNameLabels) labels.emplace(key, job.metadata.name);
  for (const char* key : kUidLabels) labels.emplace(key, job.metadata.uid);
  job.spec.selector.ensure().match_labels.emplace(kUidLabels[0], job.metadata.uid);
}

void check_label(const Job& job, const char* key, const std::string& value, FieldErrors& errors) {
  const FieldPath spec("spec"), pods = spec.child("template"), metadata = pods.child("metadata"),
                                labels = metadata.child("labels");
  const auto& actual = job.spec.template_.metadata.labels;
  auto found = actual.find(key);
  if (found == actual.end()) {
    errors.required(labels.key(key), "must be '" + value + "'");
  } else if (found->second != value) {
    errors.invalid(labels.key(key), shown(actual), "must be '" + value + "'");
  }
}

void check_generated_selector(const Job& job, FieldErrors& errors) {
  if (job.spec.manual_selector.value_or(false) || !job.spec.selector) return;
  const FieldPath metadata("metadata"), spec("spec");
  if (job.metadata.uid.empty()) errors.required(metadata.child("uid"));
  std::map<std::string, std::string> expected;
  for (const char* key : {kUidLabels[1], kUidLabels[0]}) {
    check_label(job, key, job.metadata.uid, errors);
    expected[key] = job.metadata.uid;
  }
  for (const char* key : {kNameLabels[1], kNameLabels[0]}) {
    check_label(job, key, job.metadata.name, errors);
    expected[key] = job.metadata.name;
  }
  auto selector = to_selector(job.spec.selector);
  if (selector && !selects(*selector, expected)) {
    errors.invalid(spec.child("selector"), shown(job.spec.selector), "`selector` not auto-generated");
  }
}

// Compat: scheduling directives may change while the Job is suspended and never ran.
JobSpec with_allowed_changes(const Job& job, const Job& old) {
  JobSpec allowed = old.spec;
  if (!old.spec.suspend.value_or(false) || old.status.start_time) return allowed;
  auto& pods = allowed.template_;
  const auto& wanted = job.spec.template_;
  pods.metadata.annotations = wanted.metadata.annotations;
  pods.metadata.labels = wanted.metadata.labels;
  pods.spec.node_selector = wanted.spec.node_selector;
  pods.spec.tolerations = wanted.spec.tolerations;
  pods.spec.scheduling_gates = wanted.spec.scheduling_gates;
  auto& affinity = pods.spec.affinity;
  if (wanted.spec.affinity) {
    affinity.ensure().node_affinity = wanted.spec.affinity->node_affinity;
  } else if (affinity) {
    affinity->node_affinity.reset();
    if (!affinity->pod_affinity && !affinity->pod_anti_affinity) affinity.reset();
  }
  return allowed;
}

BadValue shown_or_null(const auto& value) { return value ? BadValue(*value) : BadValue::verbatim("null"); }

void check_changes(const Job& job, const Job& old, FieldErrors& errors) {
  const FieldPath spec("spec");
  const JobSpec& now = job.spec;
  const JobSpec& before = old.spec;
  const FieldPath completions = spec.child("completions");
  if (now.completions != before.completions) {
    if (now.completion_mode != "Indexed") {
      errors.invalid(completions, shown_or_null(now.completions), kFieldImmutable);
    } else if (now.completions != now.parallelism) {
      errors.invalid(completions, shown_or_null(now.completions),
                     "can only be modified in tandem with spec.parallelism");
    }
  }
  validate_immutable(now.selector, before.selector, shown(now.selector), spec.child("selector"), errors);
  object::Object pods;
  pods.append("labels", object::Value(object::Object()));
  for (const auto& [key, value] : now.template_.metadata.labels) (*pods.find("labels")->object_if()).append(key, value);
  validate_immutable(now.template_, with_allowed_changes(job, old).template_, shown_json(std::move(pods)),
                     spec.child("template"), errors);
  validate_immutable(now.completion_mode, before.completion_mode, shown_or_null(now.completion_mode),
                     spec.child("completionMode"), errors);
  const auto same = [&](const auto& value, const auto& was, std::string_view field) {
    validate_immutable(value, was, value ? BadValue::verbatim("{}") : BadValue::verbatim("null"), spec.child(field),
                       errors);
  };
  same(now.pod_failure_policy, before.pod_failure_policy, "podFailurePolicy");
  validate_immutable(now.backoff_limit_per_index, before.backoff_limit_per_index,
                     shown_or_null(now.backoff_limit_per_index), spec.child("backoffLimitPerIndex"), errors);
  validate_immutable(now.managed_by, before.managed_by, shown_or_null(now.managed_by), spec.child("managedBy"), errors);
  same(now.success_policy, before.success_policy, "successPolicy");
}

bool has_condition(const Job& job, std::string_view type) {
  for (const auto& condition : job.status.conditions) {
    if (condition.type == type && condition.status == "True") return true;
  }
  return false;
}

std::string status_cell(const Job& job) {
  if (has_condition(job, "Complete")) return "Complete";
  if (has_condition(job, "Failed")) return "Failed";
  if (job.metadata.deletion_timestamp) return "Terminating";
  for (const char* type : {"Suspended", "FailureTarget", "SuccessCriteriaMet"}) {
    if (has_condition(job, type)) return type;
  }
  return "Running";
}

std::string completions_cell(const Job& job) {
  const std::string succeeded = std::to_string(job.status.succeeded);
  if (job.spec.completions) return succeeded + "/" + std::to_string(*job.spec.completions);
  const int32_t parallelism = job.spec.parallelism.value_or(0);
  return succeeded + "/1" + (parallelism > 1 ? " of " + std::to_string(parallelism) : "");
}

std::string duration_cell(const Job& job, base::WallTime now) {
  if (!job.status.start_time) return "";
  const base::WallTime end = job.status.completion_time ? object::to_wall_time(*job.status.completion_time) : now;
  return object::human_duration(end - object::to_wall_time(*job.status.start_time));
}

class JobRules final : public SpecStatusRules<Job> {
 public:
  JobRules() : SpecStatusRules("batch", "v1", "Job") {}
  DefaultPropagation default_propagation() const override { return DefaultPropagation::kOrphan; }

  void set_defaults(Job& job) const override {
    auto& spec = job.spec;
    set_pod_template_defaults(spec.template_);
    set_failure_policy_defaults(spec);
    if (!spec.completions && !spec.parallelism) spec.completions = 1;
    if (!spec.parallelism) spec.parallelism = 1;
    if (!spec.backoff_limit) {
      spec.backoff_limit = spec.backoff_limit_per_index ? std::numeric_limits<int32_t>::max() : 6;
    }
    if (!spec.completion_mode) spec.completion_mode = "NonIndexed";
    if (!spec.suspend) spec.suspend = false;
    if (!spec.manual_selector) spec.manual_selector = false;
    if (!spec.pod_replacement_policy) {
      spec.pod_replacement_policy = spec.pod_failure_policy ? "Failed" : "TerminatingOrFailed";
    }
  }
  bool owns_more() const override { return true; }
  void show_to_field_managers_any(void* object) const override {
    Job& job = *static_cast<Job*>(object);
    if (job.metadata.labels.empty()) job.metadata.labels = job.spec.template_.metadata.labels;
  }
  void prepare_for_create(RuleContext& context, Job& job) const override {
    drop_disabled_pod_fields(job.spec.template_.spec, nullptr);
    SpecStatusRules::prepare_for_create(context, job);
    const bool own_labels = !job.metadata.labels.empty();
    const bool template_labels = !job.spec.template_.metadata.labels.empty();
    if (!job.spec.manual_selector.value_or(false)) generate_selector(job);
    // Compat: a Job without labels takes those of its template; upstream shares one map between the two, so that the
    // generated labels arrive in both. This cannot be told apart in set_defaults, which has no uid yet.
    if (!own_labels && template_labels) job.metadata.labels = job.spec.template_.metadata.labels;
    warn_of_name(job.metadata, context);
    warn(context, job, nullptr);
  }
  void prepare_for_update(RuleContext& context, Job& job, const Job& old) const override {
    drop_disabled_pod_fields(job.spec.template_.spec, &old.spec.template_.spec);
    SpecStatusRules::prepare_for_update(context, job, old);
    if (job.metadata.labels.empty()) job.metadata.labels = job.spec.template_.metadata.labels;
    if (job.metadata.generation != old.metadata.generation) warn(context, job, &old);
  }
  void validate(RuleContext& context, const Job& job, FieldErrors& errors) const override {
    validate_whole(context, job, nullptr, errors);
  }
  void validate_update(RuleContext& context, const Job& job, const Job& old, FieldErrors& errors) const override {
    // Compat: the spec is checked twice, which shows in the causes of an error.
    validate_whole(context, job, &old.spec, errors);
    const FieldPath spec("spec");
    validate_job_spec(context, job.spec, &old.spec, spec, errors);
    check_changes(job, old, errors);
  }
  void validate_subresource(std::string_view, RuleContext&, const Job& job, const Job& old,
                            FieldErrors& errors) const override {
    validate_job_status(job, old, errors);
  }
  void cells(const Job& job, base::WallTime now, TableRow& row) const override {
    const auto& pods = job.spec.template_.spec;
    row.cells = {job.metadata.name,           status_cell(job),
                 completions_cell(job),       duration_cell(job, now),
                 age_cell(job.metadata, now), container_names(pods),
                 container_images(pods),      format_label_selector(job.spec.selector)};
  }
  std::vector<SelectableField> selectable_fields(const Job& job) const override {
    return {{"status.successful", std::to_string(job.status.succeeded)}};
  }
  std::string unknown_field_label(std::string_view label, std::string_view) const override {
    return "field label \"" + std::string(label) + "\" not supported for Job";
  }

 private:
  static void set_failure_policy_defaults(JobSpec& spec) {
    if (!spec.pod_failure_policy) return;
    for (auto& rule : spec.pod_failure_policy->rules) {
      for (auto& pattern : rule.on_pod_conditions) {
        if (pattern.status.empty()) pattern.status = "True";
      }
    }
  }
  static void validate_whole(RuleContext& context, const Job& job, const JobSpec* old, FieldErrors& errors) {
    check_generated_selector(job, errors);
    validate_job_spec(context, job.spec, old, FieldPath("spec"), errors);
    if (job.spec.completion_mode != "Indexed" || job.spec.completions.value_or(0) <= 0) return;
    const std::string host = job.metadata.name + "-" + std::to_string(*job.spec.completions - 1);
    if (object::is_dns1123_label(host)) return;
    const FieldPath metadata("metadata");
    errors.invalid(metadata.child("name"), job.metadata.name,
                   "will not able to create pod with invalid DNS label: " + host);
  }
  static void warn(RuleContext& context, const Job& job, const Job* old) {
    constexpr int32_t kManyCompletions = 100000, kManyParallel = 10000;
    const auto& spec = job.spec;
    if (spec.completion_mode == "Indexed" && spec.completions.value_or(0) > kManyCompletions &&
        spec.parallelism.value_or(0) > kManyParallel) {
      context.warnings->push_back(
          "In Indexed Jobs with a number of completions higher than 10^5 and a parallelism higher than 10^4, "
          "Kubernetes might not be able to track completedIndexes when a big number of indexes fail");
    }
    const FieldPath path("spec");
    pod_template_warnings(spec.template_, old ? &old->spec.template_ : nullptr, path.child("template"),
                          *context.warnings);
  }
};

}  // namespace

std::unique_ptr<const KindRules> job_rules() { return std::make_unique<JobRules>(); }

}  // namespace api
