#include "api/batch/cron_schedule.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>
#include <chrono>
#include <span>
#include <vector>

#include "object/time.h"

namespace api {
namespace {

using base::Reason;

constexpr uint64_t kStarBit = uint64_t{1} << 63;
constexpr std::array<std::string_view, 12> kMonths = {"jan", "feb", "mar", "apr", "may", "jun",
                                                      "jul", "aug", "sep", "oct", "nov", "dec"};
constexpr std::array<std::string_view, 7> kWeekdays = {"sun", "mon", "tue", "wed", "thu", "fri", "sat"};

struct Bounds {
  unsigned low, high;
  std::span<const std::string_view> names;  // of low, low + 1, …
};
constexpr Bounds kMinuteBounds{0, 59, {}}, kHourBounds{0, 23, {}}, kDayBounds{1, 31, {}}, kMonthBounds{1, 12, kMonths},
    kWeekdayBounds{0, 6, kWeekdays};

std::vector<std::string_view> split(std::string_view text, char separator) {
  std::vector<std::string_view> parts;
  for (;;) {
    const size_t end = text.find(separator);
    parts.push_back(text.substr(0, end));
    if (end == std::string_view::npos) return parts;
    text.remove_prefix(end + 1);
  }
}

std::string quoted(std::string_view text) { return "\"" + std::string(text) + "\""; }

base::Result<unsigned> parse_int(std::string_view text) {
  std::string_view digits = text.starts_with('+') ? text.substr(1) : text;
  int64_t value = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
  if (error != std::errc() || end != digits.data() + digits.size()) {
    const bool range = error == std::errc::result_out_of_range;
    return base::fail(Reason::kInvalid, "failed to parse int from " + std::string(text) + ": strconv.Atoi: parsing " +
                                            quoted(text) + (range ? ": value out of range" : ": invalid syntax"));
  }
  if (value < 0) {
    return base::fail(Reason::kInvalid,
                      "negative number (" + std::to_string(value) + ") not allowed: " + std::string(text));
  }
  return static_cast<unsigned>(std::min<int64_t>(value, 1 << 30));
}

base::Result<unsigned> parse_int_or_name(std::string_view text, const Bounds& bounds) {
  std::string lower(text);
  std::ranges::transform(lower, lower.begin(), [](unsigned char c) { return std::tolower(c); });
  auto found = std::ranges::find(bounds.names, lower);
  if (found != bounds.names.end()) return bounds.low + static_cast<unsigned>(found - bounds.names.begin());
  return parse_int(text);
}

// number | number "-" number [ "/" number ], or * and ? for all.
base::Result<uint64_t> parse_range(std::string_view text, const Bounds& bounds) {
  const auto range_and_step = split(text, '/');
  const auto low_and_high = split(range_and_step[0], '-');
  const std::string shown(text);
  unsigned start = bounds.low, end = bounds.high, step = 1;
  uint64_t extra = 0;
  if (low_and_high[0] == "*" || low_and_high[0] == "?") {
    extra = kStarBit;
  } else {
    TRY_ASSIGN(start, parse_int_or_name(low_and_high[0], bounds));
    end = start;
    if (low_and_high.size() > 2) return base::fail(Reason::kInvalid, "too many hyphens: " + shown);
    if (low_and_high.size() == 2) {
      TRY_ASSIGN(end, parse_int_or_name(low_and_high[1], bounds));
    }
  }
  if (range_and_step.size() > 2) return base::fail(Reason::kInvalid, "too many slashes: " + shown);
  if (range_and_step.size() == 2) {
    TRY_ASSIGN(step, parse_int(range_and_step[1]));
    if (low_and_high.size() == 1) end = bounds.high;  // "5/15" means "5-59/15"
    if (step > 1) extra = 0;
  }
  auto problem = [&](const std::string& what) { return base::fail(Reason::kInvalid, what + ": " + shown); };
  if (start < bounds.low) {
    return problem("beginning of range (" + std::to_string(start) + ") below minimum (" + std::to_string(bounds.low) +
                   ")");
  }
  if (end > bounds.high) {
    return problem("end of range (" + std::to_string(end) + ") above maximum (" + std::to_string(bounds.high) + ")");
  }
  if (start > end) {
    return problem("beginning of range (" + std::to_string(start) + ") beyond end of range (" + std::to_string(end) +
                   ")");
  }
  if (step == 0) return problem("step of range should be a positive number");
  uint64_t bits = extra;
  for (unsigned i = start; i <= end; i += std::min(step, 64U)) bits |= uint64_t{1} << i;
  return bits;
}

base::Result<uint64_t> parse_field(std::string_view text, const Bounds& bounds) {
  uint64_t bits = 0;
  for (std::string_view part : split(text, ',')) {
    if (part.empty()) continue;
    TRY_ASSIGN(const uint64_t range, parse_range(part, bounds));
    bits |= range;
  }
  return bits;
}

std::vector<std::string_view> words(std::string_view text) {
  std::vector<std::string_view> found;
  size_t i = 0;
  while (i < text.size()) {
    while (i < text.size() && std::isspace(static_cast<unsigned char>(text[i]))) ++i;
    const size_t start = i;
    while (i < text.size() && !std::isspace(static_cast<unsigned char>(text[i]))) ++i;
    if (i > start) found.push_back(text.substr(start, i - start));
  }
  return found;
}

// The five fields that a word such as @hourly stands for; "" when there is no such word.
std::string_view expand(std::string_view word) {
  static constexpr std::pair<std::string_view, std::string_view> kWords[] = {
      {"@yearly", "0 0 1 1 *"}, {"@annually", "0 0 1 1 *"}, {"@monthly", "0 0 1 * *"}, {"@weekly", "0 0 * * 0"},
      {"@daily", "0 0 * * *"},  {"@midnight", "0 0 * * *"}, {"@hourly", "0 * * * *"}};
  for (const auto& [name, fields] : kWords) {
    if (name == word) return fields;
  }
  return "";
}

}  // namespace

base::Result<CronSchedule> CronSchedule::parse(std::string_view text) {
  CronSchedule schedule;
  if (text.empty()) return base::fail(Reason::kInvalid, "empty spec string");
  if (text.starts_with("TZ=") || text.starts_with("CRON_TZ=")) {
    const size_t equals = text.find('='), space = text.find(' ');
    const std::string name(text.substr(equals + 1, space == std::string_view::npos ? space : space - equals - 1));
    if (auto zone = TimeZone::load(name); !zone) {
      return base::fail(Reason::kInvalid, "provided bad location " + name + ": " + zone.error().message);
    }
    schedule.zone_name_ = name;
    text = space == std::string_view::npos ? std::string_view() : text.substr(space);
    while (text.starts_with(' ')) text.remove_prefix(1);
  }
  if (text.starts_with('@')) {
    constexpr std::string_view kEvery = "@every ";
    if (text.starts_with(kEvery)) {
      const std::string_view duration = text.substr(kEvery.size());
      auto parsed = object::parse_duration(duration);
      if (!parsed) {
        return base::fail(Reason::kInvalid,
                          "failed to parse duration " + std::string(text) + ": " + parsed.error().message);
      }
      constexpr int64_t kSecond = 1'000'000'000;
      schedule.every_ = base::Duration(std::max(kSecond, parsed->duration / kSecond * kSecond));
      return schedule;
    }
    const std::string_view fields = expand(text);
    if (fields.empty()) return base::fail(Reason::kInvalid, "unrecognized descriptor: " + std::string(text));
    text = fields;
  }
  const auto fields = words(text);
  if (fields.size() != 5) {
    std::string shown;
    for (std::string_view field : fields) shown += (shown.empty() ? "" : " ") + std::string(field);
    return base::fail(Reason::kInvalid,
                      "expected exactly 5 fields, found " + std::to_string(fields.size()) + ": [" + shown + "]");
  }
  TRY_ASSIGN(schedule.minutes_, parse_field(fields[0], kMinuteBounds));
  TRY_ASSIGN(schedule.hours_, parse_field(fields[1], kHourBounds));
  TRY_ASSIGN(schedule.days_, parse_field(fields[2], kDayBounds));
  TRY_ASSIGN(schedule.months_, parse_field(fields[3], kMonthBounds));
  TRY_ASSIGN(schedule.weekdays_, parse_field(fields[4], kWeekdayBounds));
  return schedule;
}

bool CronSchedule::day_matches(unsigned day_of_month, unsigned day_of_week) const {
  const bool month_day = days_ >> day_of_month & 1, week_day = weekdays_ >> day_of_week & 1;
  // Compat: when both days are restricted, either will do.
  return (days_ & kStar) || (weekdays_ & kStar) ? month_day && week_day : month_day || week_day;
}

// A local time that is moved forward field by field.
struct CronWalk {
  const CronSchedule& schedule;
  const TimeZone& zone;
  int64_t now = 0;  // Unix seconds

  struct Local {
    std::chrono::year_month_day date;
    int hour, minute, second;
    unsigned weekday;
  };
  Local local() const {
    using namespace std::chrono;
    const sys_seconds time{seconds(now + zone.at(now).offset_seconds)};
    const auto day = floor<days>(time);
    const int64_t rest = (time - day).count();
    return {year_month_day(day), static_cast<int>(rest / 3600), static_cast<int>(rest / 60 % 60),
            static_cast<int>(rest % 60), weekday(day).c_encoding()};
  }
  void set(std::chrono::sys_days day, int hour, int minute) {
    now = zone.to_unix(int64_t{day.time_since_epoch().count()} * 86400 + hour * 3600 + minute * 60);
  }

  // Each moves to the next match of its field and says whether a larger field changed by that.
  enum class Moved : uint8_t { kWithin, kWrapped };

  Moved month(bool& floored) {
    using namespace std::chrono;
    for (Local at = local(); !(schedule.months_ >> unsigned(at.date.month()) & 1); at = local()) {
      floored = true;
      const auto next = year_month(at.date.year(), at.date.month()) + months(1);
      set(sys_days(next / 1), 0, 0);
      if (next.month() == January) return Moved::kWrapped;
    }
    return Moved::kWithin;
  }
  Moved day(bool& floored) {
    using namespace std::chrono;
    for (Local at = local(); !schedule.day_matches(unsigned(at.date.day()), at.weekday); at = local()) {
      floored = true;
      const sys_days next = sys_days(at.date) + days(1);
      set(next, 0, 0);
      // Compat: midnight may not exist when clocks change; stay near it.
      const int hour = local().hour;
      if (hour != 0) now += hour > 12 ? (24 - hour) * 3600 : -hour * 3600;
      if (unsigned(year_month_day(next).day()) == 1) return Moved::kWrapped;
    }
    return Moved::kWithin;
  }
  Moved hour(bool& floored) {
    for (Local at = local(); !(schedule.hours_ >> at.hour & 1); at = local()) {
      if (!floored) set(std::chrono::sys_days(at.date), at.hour, 0);
      floored = true;
      now += 3600;
      if (local().hour == 0) return Moved::kWrapped;
    }
    return Moved::kWithin;
  }
  Moved minute(bool& floored) {
    for (Local at = local(); !(schedule.minutes_ >> at.minute & 1) || at.second != 0; at = local()) {
      if (!floored) now -= at.second;
      floored = true;
      now += 60;
      if (local().minute == 0) return Moved::kWrapped;
    }
    return Moved::kWithin;
  }
};

std::optional<base::WallTime> CronSchedule::next(base::WallTime after, const TimeZone& zone) const {
  using namespace std::chrono;
  const auto whole = floor<seconds>(after);
  if (every_) return base::WallTime(whole) + *every_;
  CronWalk walk{*this, zone, whole.time_since_epoch().count() + 1};
  const int last_year = int(walk.local().date.year()) + 5;
  bool floored = false;
  while (int(walk.local().date.year()) <= last_year) {
    using Moved = CronWalk::Moved;
    if (walk.month(floored) == Moved::kWrapped || walk.day(floored) == Moved::kWrapped ||
        walk.hour(floored) == Moved::kWrapped || walk.minute(floored) == Moved::kWrapped) {
      continue;
    }
    return base::WallTime(sys_seconds(seconds(walk.now)));
  }
  return std::nullopt;
}

}  // namespace api
