#include "controllers/cronjob/plan.h"

#include <algorithm>
#include <cstdio>

#include "client/client.h"
#include "client/events.h"
#include "controllers/runtime/owners.h"
#include "object/time.h"

namespace controllers::cronjob {
namespace {

using api::batch::v1::CronJob;
using api::batch::v1::Job;
using api::batch::v1::JobCondition;
using base::WallTime;

constexpr base::Duration kDelta = std::chrono::milliseconds(100);  // Compat: upstream's nextScheduleDelta
constexpr int64_t kTooMany = 100;

// "Complete", "Failed" or "" while it runs.
std::string ended_as(const Job& job) {
  for (const JobCondition& condition : job.status.conditions) {
    if ((condition.type == "Complete" || condition.type == "Failed") && condition.status == "True")
      return condition.type;
  }
  return "";
}

int64_t seconds_of(WallTime time) { return std::chrono::floor<std::chrono::seconds>(time).time_since_epoch().count(); }

// Go's RFC1123Z in UTC: "Mon, 02 Jan 2006 15:04:05 +0000".
std::string rfc1123(WallTime time) {
  constexpr const char* kDays[] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
  constexpr const char* kMonths[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                     "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  const auto day = std::chrono::floor<std::chrono::days>(time);
  const std::chrono::year_month_day date(day);
  const std::chrono::hh_mm_ss clock(std::chrono::floor<std::chrono::seconds>(time - day));
  char text[64];
  std::snprintf(text, sizeof text, "%s, %02u %s %04d %02d:%02d:%02d +0000",
                kDays[std::chrono::weekday(day).c_encoding()], static_cast<unsigned>(date.day()),
                kMonths[static_cast<unsigned>(date.month()) - 1], static_cast<int>(date.year()),
                static_cast<int>(clock.hours().count()), static_cast<int>(clock.minutes().count()),
                static_cast<int>(clock.seconds().count()));
  return text;
}

// RFC 3339 with the zone's offset; Z for none.
std::string rfc3339(WallTime time, const api::TimeZone& zone) {
  const int32_t offset = zone.at(seconds_of(time)).offset_seconds;
  std::string text = object::format_time(object::to_time(time + std::chrono::seconds(offset)));
  if (offset == 0) return text;
  text.pop_back();  // the Z
  const int32_t minutes = std::abs(offset) / 60;
  char shown[16];
  std::snprintf(shown, sizeof shown, "%c%02d:%02d", offset < 0 ? '-' : '+', minutes / 60, minutes % 60);
  return text + shown;
}

class Planner {
 public:
  explicit Planner(const Observed& observed) : observed_(observed), cron_(observed.cron_job) {}

  Plan make() {
    plan_.status = cron_.status;
    settle_active();
    trim(true, cron_.spec.successful_jobs_history_limit);
    trim(false, cron_.spec.failed_jobs_history_limit);
    const bool suspended = cron_.spec.suspend.value_or(false);
    if (!cron_.metadata.deletion_timestamp && !suspended && observed_.schedule) schedule();
    return std::move(plan_);
  }

 private:
  auto active(const std::string& uid) {
    return std::ranges::find(plan_.status.active, uid, &api::core::v1::ObjectReference::uid);
  }

  // Jobs that ended, or are gone, leave the list of active ones.
  void settle_active() {
    for (const Job& job : observed_.jobs) {
      const std::string ended = ended_as(job);
      const auto found = active(job.metadata.uid);
      const bool known = found != plan_.status.active.end();
      if (!known && ended.empty()) {
        // Made, but the status that tells of it was not written: it counts.
        plan_.status.active.push_back(client::reference_to(job));
      } else if (known && !ended.empty()) {
        plan_.status.active.erase(found);
        plan_.events.push_back(
            {false, "SawCompletedJob", "Saw completed job: " + job.metadata.name + ", condition: " + ended});
      }
      if (ended == "Complete" && job.status.completion_time) {
        auto& last = plan_.status.last_successful_time;
        if (!last || *last < *job.status.completion_time) last.ensure() = *job.status.completion_time;
      }
    }
    std::erase_if(plan_.status.active, [&](const auto& reference) {
      const bool there =
          std::ranges::any_of(observed_.jobs, [&](const Job& job) { return job.metadata.uid == reference.uid; });
      if (!there) plan_.events.push_back({false, "MissingJob", "Active job went missing: " + reference.name});
      return !there;
    });
  }

  void trim(bool successful, std::optional<int32_t> limit) {
    if (!limit) return;
    std::vector<size_t> ended;
    for (size_t i = 0; i < observed_.jobs.size(); ++i) {
      if (ended_as(observed_.jobs[i]) == (successful ? "Complete" : "Failed")) ended.push_back(i);
    }
    std::ranges::sort(ended, {}, [&](size_t at) {
      const Job& job = observed_.jobs[at];
      return std::pair(job.status.start_time ? *job.status.start_time : job.metadata.creation_timestamp,
                       job.metadata.name);
    });
    const auto keep = static_cast<size_t>(std::max(*limit, 0));
    for (size_t i = 0; i + keep < ended.size(); ++i) plan_.remove.push_back(ended[i]);
  }

  void schedule() {
    wait_for_next();
    WallTime earliest = object::to_wall_time(cron_.status.last_schedule_time ? *cron_.status.last_schedule_time
                                                                             : cron_.metadata.creation_timestamp);
    const auto& deadline = cron_.spec.starting_deadline_seconds;
    if (deadline) earliest = std::max(earliest, observed_.now - std::chrono::seconds(*deadline));
    const Missed missed = missed_times(*observed_.schedule, *observed_.zone, earliest, observed_.now);
    if (missed.never) {
      // Compat: upstream's reason for a schedule without a time: its first two times are the same.
      plan_.events.push_back({true, "InvalidSchedule",
                              "invalid schedule: " + cron_.spec.schedule +
                                  " : time difference between two schedules is less than 1 second"});
    }
    if (missed.count > kTooMany) {
      plan_.events.push_back({true, "TooManyMissedTimes",
                              "too many missed start times. Set or decrease .spec.startingDeadlineSeconds or check "
                              "clock skew"});
    }
    if (!missed.newest) return;
    if (deadline && *missed.newest + std::chrono::seconds(*deadline) < observed_.now) {
      plan_.events.push_back(
          {true, "MissSchedule", "Missed scheduled time to start a job: " + rfc1123(*missed.newest)});
      return;
    }
    if (processed(*missed.newest)) return;
    if (cron_.spec.concurrency_policy == "Forbid" && !plan_.status.active.empty()) {
      plan_.events.push_back({false, "JobAlreadyActive",
                              "Not starting job because prior execution is running and concurrency policy is Forbid"});
      return;
    }
    if (cron_.spec.concurrency_policy == "Replace") {
      for (size_t i = 0; i < observed_.jobs.size(); ++i) {
        if (active(observed_.jobs[i].metadata.uid) != plan_.status.active.end()) plan_.remove.push_back(i);
      }
    }
    plan_.create = missed.newest;
  }

  bool processed(WallTime scheduled) const {
    const std::string name = job_name(cron_, scheduled);
    const auto& last = cron_.status.last_schedule_time;
    if (last && last->seconds == seconds_of(scheduled)) return true;
    return std::ranges::any_of(observed_.jobs, [&](const Job& job) { return job.metadata.name == name; });
  }

  void wait_for_next() {
    if (const auto next = observed_.schedule->next(observed_.now, *observed_.zone))
      plan_.look_again = *next - observed_.now + kDelta;
  }

  const Observed& observed_;
  const CronJob& cron_;
  Plan plan_;
};

}  // namespace

Plan plan(const Observed& observed) { return Planner(observed).make(); }

Missed missed_times(const api::CronSchedule& schedule, const api::TimeZone& zone, WallTime earliest, WallTime now) {
  Missed missed;
  auto first = schedule.next(earliest, zone);
  missed.never = !first;
  if (!first || *first > now) return missed;
  const auto second = schedule.next(*first, zone);
  missed.never = !second;
  if (!second) return missed;
  if (*second > now) return {first, 1};
  // Compat: many missed times are counted by the distance of the first two, and only the newest are looked at.
  const auto between = std::max<base::Duration>(*second - *first, std::chrono::seconds(1));
  missed.count = (now - *first) / between + 1;
  WallTime from = *first;
  if (missed.count > 2) from += between * (missed.count - 2) - std::chrono::seconds(1);
  for (auto time = schedule.next(from - std::chrono::seconds(1), zone); time && *time <= now;
       time = schedule.next(*time, zone)) {
    missed.newest = time;
  }
  if (!missed.newest) missed.newest = first;
  return missed;
}

std::string job_name(const CronJob& cron_job, WallTime scheduled) {
  return cron_job.metadata.name + "-" + std::to_string(seconds_of(scheduled) / 60);
}

Job make_job(const CronJob& cron_job, WallTime scheduled, const api::TimeZone& zone) {
  Job job;
  const auto& from = cron_job.spec.job_template;
  job.metadata.name = job_name(cron_job, scheduled);
  job.metadata.namespace_ = cron_job.metadata.namespace_;
  job.metadata.labels = from.metadata.labels;
  job.metadata.annotations = from.metadata.annotations;
  job.metadata.annotations[kScheduledAnnotation] = rfc3339(scheduled, zone);
  job.metadata.owner_references = {controller_reference(client::resource_of<CronJob>(), cron_job.metadata)};
  job.spec = from.spec;
  return job;
}

}  // namespace controllers::cronjob
