// Time zones of the IANA database, read from the machine's compiled files (RFC 8536). The data is constant; loading it
// is the only input this folder takes from outside. Thread: a loaded zone is immutable.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace api {

class TimeZone {
 public:
  // A span of time with one offset: valid for start ≤ t < end, in Unix seconds.
  struct Span {
    int32_t offset_seconds = 0;  // east of UTC
    int64_t start = INT64_MIN;
    int64_t end = INT64_MAX;
  };

  TimeZone() = default;  // UTC
  // "" and "UTC" are UTC. Errors: `unknown time zone X`.
  static base::Result<TimeZone> load(std::string_view name);
  // From the bytes of a compiled file; for tests.
  static base::Result<TimeZone> parse(std::string_view file);

  Span at(int64_t unix_seconds) const;
  // The instant of a local time given as if it were UTC. Compat: a local time that a change of clocks skips or repeats
  // is resolved as Go's time.Date does.
  int64_t to_unix(int64_t local_seconds) const;

 private:
  // A change of clocks by rule (POSIX TZ): the day as month, week, weekday or as a day of the year.
  struct Rule {
    enum class Kind : uint8_t { kMonthWeekDay, kJulian, kDayOfYear } kind = Kind::kMonthWeekDay;
    int month = 0, week = 0, day = 0;
    int32_t time_seconds = 7200;
  };
  static bool parse_rule(std::string_view& text, Rule& rule);
  bool parse_footer(std::string_view text);
  static int64_t rule_time(const Rule& rule, int year);
  Span by_footer(int64_t unix_seconds, int64_t from) const;

  std::vector<int64_t> times_;    // of the changes, ascending
  std::vector<int32_t> offsets_;  // after the change at the same place
  int32_t first_offset_ = 0;      // before all changes
  bool has_footer_ = false;       // what holds after the last change
  bool has_summer_ = false;
  int32_t standard_offset_ = 0, summer_offset_ = 0;
  Rule to_summer_, to_standard_;
};

}  // namespace api
