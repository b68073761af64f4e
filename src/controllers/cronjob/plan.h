// What a CronJob needs now: a Job made, running ones replaced, old ones deleted, and its status. Pure.
// Compat: upstream's cron job controller, version 2.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "api/batch/cron_schedule.h"
#include "base/clock.h"
#include "gen/batch/v1.h"

namespace controllers::cronjob {

inline constexpr const char* kScheduledAnnotation = "batch.kubernetes.io/cronjob-scheduled-timestamp";

struct Observed {
  api::batch::v1::CronJob cron_job;
  std::vector<api::batch::v1::Job> jobs;        // that it controls
  const api::CronSchedule* schedule = nullptr;  // null = it has none that can be read
  const api::TimeZone* zone = nullptr;
  base::WallTime now;
};
struct Message {
  bool warning = false;
  std::string reason;
  std::string text;
};
struct Plan {
  api::batch::v1::CronJobStatus status;  // before anything is made
  std::vector<size_t> remove;            // positions in Observed::jobs: beyond the history, or replaced
  std::optional<base::WallTime> create;  // the Job of that time
  std::vector<Message> events;
  std::optional<base::Duration> look_again;
};
Plan plan(const Observed& observed);

// The newest time after `earliest` and not after `now` that the schedule names; how many there were (capped).
struct Missed {
  std::optional<base::WallTime> newest;
  int64_t count = 0;
  bool never = false;  // the schedule can be read but names no time, as February 31st
};
Missed missed_times(const api::CronSchedule& schedule, const api::TimeZone& zone, base::WallTime earliest,
                    base::WallTime now);

std::string job_name(const api::batch::v1::CronJob& cron_job, base::WallTime scheduled);
api::batch::v1::Job make_job(const api::batch::v1::CronJob& cron_job, base::WallTime scheduled,
                             const api::TimeZone& zone);

}  // namespace controllers::cronjob
