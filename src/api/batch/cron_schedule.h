// Cron schedules as CronJobs write them: five fields (minute, hour, day of month, month, day of week) with lists,
// ranges, steps and names; @hourly and its like; @every <duration>; an optional TZ= or CRON_TZ= prefix. Pure; thread:
// a parsed schedule is immutable.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "api/batch/time_zone.h"
#include "base/clock.h"
#include "base/result.h"

namespace api {

class CronSchedule {
 public:
  // Errors are kInvalid with upstream's text: `expected exactly 5 fields, found 4: [* * * *]`.
  static base::Result<CronSchedule> parse(std::string_view text);

  // The zone of a TZ= prefix; "" when there is none.
  const std::string& zone_name() const { return zone_name_; }

  // The first time after `after` that the schedule names, in the zone; nothing when there is none within five years.
  // Example: "30 4 1 * *" after 2024-01-15T00:00:00Z in UTC is 2024-02-01T04:30:00Z.
  std::optional<base::WallTime> next(base::WallTime after, const TimeZone& zone) const;

 private:
  friend struct CronWalk;
  static constexpr uint64_t kStar = uint64_t{1} << 63;
  bool day_matches(unsigned day_of_month, unsigned day_of_week) const;

  uint64_t minutes_ = 0, hours_ = 0, days_ = 0, months_ = 0, weekdays_ = 0;  // bit sets; kStar: the field was * or ?
  std::optional<base::Duration> every_;
  std::string zone_name_;
};

}  // namespace api
