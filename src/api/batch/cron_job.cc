#include <algorithm>
#include <cctype>

#include "api/batch/cron_schedule.h"
#include "api/batch/job_validation.h"
#include "api/core/pod_spec.h"
#include "api/shared/cells.h"
#include "api/shared/strategy.h"
#include "api/shared/warnings.h"

namespace api {
namespace {

using batch::v1::CronJob;
using batch::v1::CronJobSpec;

constexpr size_t kMaxNameBytes = 52;  // a Job's name adds 11
constexpr size_t kMaxZonePartBytes = 14;

bool names_zone(std::string_view schedule) { return schedule.find("TZ") != std::string_view::npos; }

enum class ZoneInSchedule : uint8_t { kRefused, kAllowed };

void check_schedule(const CronJobSpec& spec, ZoneInSchedule zone, const FieldPath& path, FieldErrors& errors) {
  if (spec.schedule.empty()) return errors.required(path);
  if (auto parsed = CronSchedule::parse(spec.schedule); !parsed) {
    errors.invalid(path, spec.schedule, parsed.error().message);
  }
  if (!names_zone(spec.schedule)) return;
  if (zone == ZoneInSchedule::kRefused) {
    errors.invalid(path, spec.schedule, "cannot use TZ or CRON_TZ in schedule, use timeZone field instead");
  } else if (spec.time_zone) {
    errors.invalid(path, spec.schedule, "cannot use both timeZone field and TZ or CRON_TZ in schedule");
  }
}

bool zone_part_valid(std::string_view part) {
  if (part.empty() || part.size() > kMaxZonePartBytes || part == "." || part == ".." || part.starts_with('-')) {
    return false;
  }
  return std::ranges::all_of(
      part, [](unsigned char c) { return std::isalnum(c) || c == '.' || c == '-' || c == '_' || c == '+'; });
}

void check_time_zone(const std::string& zone, const FieldPath& path, FieldErrors& errors) {
  if (zone.empty()) return errors.invalid(path, zone, "timeZone must be nil or non-empty string");
  for (size_t start = 0; start <= zone.size();) {
    const size_t end = std::min(zone.find('/', start), zone.size());
    if (!zone_part_valid(std::string_view(zone).substr(start, end - start))) {
      return errors.invalid(path, zone, "unknown time zone " + zone);
    }
    start = end + 1;
  }
  std::string lower = zone;
  std::ranges::transform(lower, lower.begin(), [](unsigned char c) { return std::tolower(c); });
  if (lower == "local") {
    errors.invalid(path, zone, "timeZone must be an explicit time zone as defined in https://www.iana.org/time-zones");
  }
  if (zone == "Local") return;
  if (auto loaded = TimeZone::load(zone); !loaded) errors.invalid(path, zone, loaded.error().message);
}

void check_template(RuleContext& context, const batch::v1::JobTemplateSpec& job, const batch::v1::JobTemplateSpec* old,
                    const FieldPath& path, FieldErrors& errors) {
  const FieldPath spec = path.child("spec");
  validate_job_spec_fields(context, job.spec, old ? &old->spec : nullptr, spec, errors);
  if (job.spec.selector) {
    errors.invalid(spec.child("selector"), shown(job.spec.selector), "`selector` will be auto-generated");
  }
  if (job.spec.manual_selector.value_or(false)) {
    errors.not_supported(spec.child("manualSelector"), true, {"nil", "false"});
  }
}

void check_spec(RuleContext& context, const CronJobSpec& spec, const CronJobSpec* old, FieldErrors& errors) {
  const FieldPath path("spec");
  const auto zone = old && names_zone(old->schedule) ? ZoneInSchedule::kAllowed : ZoneInSchedule::kRefused;
  check_schedule(spec, zone, path.child("schedule"), errors);
  if (spec.starting_deadline_seconds) {
    validate_not_negative(*spec.starting_deadline_seconds, path.child("startingDeadlineSeconds"), errors);
  }
  if (spec.time_zone && (!old || old->time_zone != spec.time_zone)) {
    check_time_zone(*spec.time_zone, path.child("timeZone"), errors);
  }
  check_enum(spec.concurrency_policy, path.child("concurrencyPolicy"), errors, {"Allow", "Forbid", "Replace"});
  check_template(context, spec.job_template, old ? &old->job_template : nullptr, path.child("jobTemplate"), errors);
  if (spec.successful_jobs_history_limit) {
    validate_not_negative(*spec.successful_jobs_history_limit, path.child("successfulJobsHistoryLimit"), errors);
  }
  if (spec.failed_jobs_history_limit) {
    validate_not_negative(*spec.failed_jobs_history_limit, path.child("failedJobsHistoryLimit"), errors);
  }
}

class CronJobRules final : public SpecStatusRules<CronJob> {
 public:
  CronJobRules() : SpecStatusRules("batch", "v1", "CronJob") {}

  void set_defaults(CronJob& object) const override {
    auto& spec = object.spec;
    set_pod_template_defaults(spec.job_template.spec.template_);
    if (auto& policy = spec.job_template.spec.pod_failure_policy) {
      for (auto& rule : policy->rules) {
        for (auto& pattern : rule.on_pod_conditions) {
          if (pattern.status.empty()) pattern.status = "True";
        }
      }
    }
    if (spec.concurrency_policy.empty()) spec.concurrency_policy = "Allow";
    if (!spec.suspend) spec.suspend = false;
    if (!spec.successful_jobs_history_limit) spec.successful_jobs_history_limit = 3;
    if (!spec.failed_jobs_history_limit) spec.failed_jobs_history_limit = 1;
  }
  void prepare_for_create(RuleContext& context, CronJob& object) const override {
    drop_disabled_pod_fields(object.spec.job_template.spec.template_.spec, nullptr);
    SpecStatusRules::prepare_for_create(context, object);
    warn_of_name(object.metadata, context);
    warn(context, object, nullptr);
  }
  void prepare_for_update(RuleContext& context, CronJob& object, const CronJob& old) const override {
    drop_disabled_pod_fields(object.spec.job_template.spec.template_.spec, &old.spec.job_template.spec.template_.spec);
    SpecStatusRules::prepare_for_update(context, object, old);
    if (object.metadata.generation != old.metadata.generation) warn(context, object, &old);
  }
  void validate(RuleContext& context, const CronJob& object, FieldErrors& errors) const override {
    check_spec(context, object.spec, nullptr, errors);
    if (object.metadata.name.size() <= kMaxNameBytes) return;
    const FieldPath metadata("metadata");
    errors.invalid(metadata.child("name"), object.metadata.name, "must be no more than 52 characters");
  }
  void validate_update(RuleContext& context, const CronJob& object, const CronJob& old,
                       FieldErrors& errors) const override {
    check_spec(context, object.spec, &old.spec, errors);
  }
  void cells(const CronJob& object, base::WallTime now, TableRow& row) const override {
    const auto& spec = object.spec;
    const auto& job = spec.job_template.spec;
    const auto& last = object.status.last_schedule_time;
    row.cells = {object.metadata.name,
                 spec.schedule,
                 spec.time_zone.value_or("<none>"),
                 spec.suspend ? (*spec.suspend ? "True" : "False") : "<unset>",
                 static_cast<int64_t>(object.status.active.size()),
                 last ? object::human_age(*last, now) : std::string("<none>"),
                 age_cell(object.metadata, now),
                 container_names(job.template_.spec),
                 container_images(job.template_.spec),
                 format_label_selector(job.selector)};
  }

 private:
  static void warn(RuleContext& context, const CronJob& object, const CronJob* old) {
    const FieldPath spec("spec"), job = spec.child("jobTemplate"), job_spec = job.child("spec");
    pod_template_warnings(object.spec.job_template.spec.template_,
                          old ? &old->spec.job_template.spec.template_ : nullptr, job_spec.child("template"),
                          *context.warnings);
    if (names_zone(object.spec.schedule)) {
      context.warnings->push_back("cannot use TZ or CRON_TZ in spec.schedule, use spec.timeZone instead");
    }
  }
};

}  // namespace

std::unique_ptr<const KindRules> cron_job_rules() { return std::make_unique<CronJobRules>(); }

}  // namespace api
