#include "api/batch/time_zone.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <fstream>
#include <sstream>

namespace api {
namespace {

constexpr std::array kDirectories = {"/usr/share/zoneinfo/", "/usr/lib/zoneinfo/", "/usr/share/lib/zoneinfo/",
                                     "/etc/zoneinfo/"};
constexpr int64_t kDay = 86400;

int64_t big_endian(std::string_view bytes) {
  uint64_t value = static_cast<unsigned char>(bytes[0]) & 0x80 ? ~uint64_t{0} : 0;
  for (char c : bytes) value = (value << 8) | static_cast<unsigned char>(c);
  return static_cast<int64_t>(value);
}

// Takes the next `count` bytes; empty when there are fewer.
std::string_view take(std::string_view& bytes, size_t count) {
  if (bytes.size() < count) {
    bytes = {};
    return {};
  }
  std::string_view taken = bytes.substr(0, count);
  bytes.remove_prefix(count);
  return taken;
}

struct Header {
  char version = 0;
  size_t utc_flags = 0, standard_flags = 0, leaps = 0, times = 0, types = 0, names = 0;
  size_t body(size_t time_size) const {
    return times * time_size + times + types * 6 + names + leaps * (time_size + 4) + standard_flags + utc_flags;
  }
};

bool take_header(std::string_view& bytes, Header& header) {
  std::string_view text = take(bytes, 44);
  if (text.substr(0, 4) != "TZif") return false;
  header.version = text[4];
  auto count = [&](size_t i) { return static_cast<size_t>(big_endian(text.substr(20 + 4 * i, 4)) & 0xffffffff); };
  header.utc_flags = count(0);
  header.standard_flags = count(1);
  header.leaps = count(2);
  header.times = count(3);
  header.types = count(4);
  header.names = count(5);
  return header.times < 10000 && header.types > 0 && header.types <= 256 && header.names < 10000 &&
         header.leaps < 10000;
}

bool take_number(std::string_view& text, int& value) {
  size_t used = 0;
  value = 0;
  while (used < text.size() && used < 5 && text[used] >= '0' && text[used] <= '9') {
    value = value * 10 + (text[used++] - '0');
  }
  text.remove_prefix(used);
  return used > 0;
}

// [+-]hh[:mm[:ss]]
bool take_offset(std::string_view& text, int32_t& seconds) {
  int sign = 1, hours = 0, minutes = 0, rest = 0;
  if (text.starts_with('-') || text.starts_with('+')) {
    if (text[0] == '-') sign = -1;
    text.remove_prefix(1);
  }
  if (!take_number(text, hours)) return false;
  if (text.starts_with(':')) {
    text.remove_prefix(1);
    if (!take_number(text, minutes)) return false;
    if (text.starts_with(':')) {
      text.remove_prefix(1);
      if (!take_number(text, rest)) return false;
    }
  }
  seconds = sign * (hours * 3600 + minutes * 60 + rest);
  return true;
}

bool take_name(std::string_view& text) {
  size_t used = 0;
  if (text.starts_with('<')) {
    used = text.find('>');
    if (used == std::string_view::npos) return false;
    ++used;
  } else {
    while (used < text.size() && std::isalpha(static_cast<unsigned char>(text[used]))) ++used;
  }
  text.remove_prefix(used);
  return used >= 3;
}

base::Error unknown(std::string_view name) {
  return base::Error(base::Reason::kInvalid, "unknown time zone " + std::string(name));
}

}  // namespace

base::Result<TimeZone> TimeZone::load(std::string_view name) {
  if (name.empty() || name == "UTC") return TimeZone();
  if (name.starts_with('/') || name.starts_with('\\') || name.find("..") != std::string_view::npos) {
    return base::fail(base::Reason::kInvalid, "time: invalid location name");
  }
  for (const char* directory : kDirectories) {
    std::ifstream file(directory + std::string(name), std::ios::binary);
    std::ostringstream bytes;
    if (!file || !(bytes << file.rdbuf())) continue;
    if (auto zone = parse(bytes.str())) return zone;
  }
  // Images without the database still know UTC by its usual names.
  if (name == "Etc/UTC" || name == "GMT" || name == "Etc/GMT") return TimeZone();
  return base::fail(unknown(name));
}

base::Result<TimeZone> TimeZone::parse(std::string_view file) {
  const auto malformed = base::Error(base::Reason::kInvalid, "malformed time zone information");
  Header header;
  if (!take_header(file, header)) return base::fail(malformed);
  size_t time_size = 4;
  if (header.version >= '2') {
    // The first block repeats the second with short times.
    take(file, header.body(4));
    if (!take_header(file, header)) return base::fail(malformed);
    time_size = 8;
  }
  std::string_view body = take(file, header.body(time_size));
  if (body.empty()) return base::fail(malformed);
  std::string_view times = take(body, header.times * time_size), indexes = take(body, header.times);
  std::string_view types = take(body, header.types * 6);
  TimeZone zone;
  auto offset = [&](size_t type) { return static_cast<int32_t>(big_endian(types.substr(type * 6, 4))); };
  for (size_t i = 0; i < header.types; ++i) {
    if (types[i * 6 + 4] == 0) {
      zone.first_offset_ = offset(i);
      break;
    }
  }
  for (size_t i = 0; i < header.times; ++i) {
    const size_t type = static_cast<unsigned char>(indexes[i]);
    if (type >= header.types) return base::fail(malformed);
    zone.times_.push_back(big_endian(times.substr(i * time_size, time_size)));
    zone.offsets_.push_back(offset(type));
  }
  if (time_size == 8 && file.starts_with('\n')) {
    file.remove_prefix(1);
    zone.has_footer_ = zone.parse_footer(file.substr(0, file.find('\n')));
  }
  return zone;
}

bool TimeZone::parse_rule(std::string_view& text, Rule& rule) {
  if (!text.starts_with(',')) return false;
  text.remove_prefix(1);
  if (text.starts_with('M')) {
    text.remove_prefix(1);
    if (!take_number(text, rule.month) || !text.starts_with('.')) return false;
    text.remove_prefix(1);
    if (!take_number(text, rule.week) || !text.starts_with('.')) return false;
    text.remove_prefix(1);
    if (!take_number(text, rule.day)) return false;
    if (rule.month < 1 || rule.month > 12 || rule.week < 1 || rule.week > 5 || rule.day > 6) return false;
  } else {
    rule.kind = text.starts_with('J') ? Rule::Kind::kJulian : Rule::Kind::kDayOfYear;
    if (rule.kind == Rule::Kind::kJulian) text.remove_prefix(1);
    if (!take_number(text, rule.day)) return false;
  }
  if (!text.starts_with('/')) return true;
  text.remove_prefix(1);
  return take_offset(text, rule.time_seconds);
}

bool TimeZone::parse_footer(std::string_view text) {
  if (!take_name(text) || !take_offset(text, standard_offset_)) return false;
  standard_offset_ = -standard_offset_;  // POSIX counts west of Greenwich
  if (text.empty()) return true;
  if (!take_name(text)) return false;
  summer_offset_ = standard_offset_ + 3600;
  if (!text.empty() && text[0] != ',') {
    if (!take_offset(text, summer_offset_)) return false;
    summer_offset_ = -summer_offset_;
  }
  has_summer_ = parse_rule(text, to_summer_) && parse_rule(text, to_standard_);
  return has_summer_;
}

// Local seconds (as if UTC) of the change in a year.
int64_t TimeZone::rule_time(const Rule& rule, int year) {
  using namespace std::chrono;
  const std::chrono::year y(year);
  sys_days day = sys_days(y / January / 1);
  if (rule.kind == Rule::Kind::kJulian) {
    day += days(rule.day - 1 + (y.is_leap() && rule.day >= 60 ? 1 : 0));
  } else if (rule.kind == Rule::Kind::kDayOfYear) {
    day += days(rule.day);
  } else {
    const auto month = y / static_cast<unsigned>(rule.month);
    const weekday on(static_cast<unsigned>(rule.day));
    day = rule.week == 5 ? sys_days(month / on[last]) : sys_days(month / on[static_cast<unsigned>(rule.week)]);
  }
  return day.time_since_epoch().count() * kDay + rule.time_seconds;
}

TimeZone::Span TimeZone::by_footer(int64_t unix_seconds, int64_t from) const {
  if (!has_summer_) return {standard_offset_, from, INT64_MAX};
  using namespace std::chrono;
  const int year = int(year_month_day(floor<days>(sys_seconds(seconds(unix_seconds + standard_offset_)))).year());
  Span span{standard_offset_, from, INT64_MAX};
  for (int y = year - 1; y <= year + 1; ++y) {
    const std::pair<int64_t, int32_t> changes[] = {{rule_time(to_summer_, y) - standard_offset_, summer_offset_},
                                                   {rule_time(to_standard_, y) - summer_offset_, standard_offset_}};
    for (const auto& [time, offset] : changes) {
      if (time <= unix_seconds && time >= span.start) {
        span.start = time;
        span.offset_seconds = offset;
      } else if (time > unix_seconds) {
        span.end = std::min(span.end, time);
      }
    }
  }
  return span;
}

TimeZone::Span TimeZone::at(int64_t unix_seconds) const {
  auto next = std::ranges::upper_bound(times_, unix_seconds);
  const size_t i = static_cast<size_t>(next - times_.begin());
  if (next == times_.end() && has_footer_) return by_footer(unix_seconds, times_.empty() ? INT64_MIN : times_.back());
  Span span;
  span.offset_seconds = i == 0 ? first_offset_ : offsets_[i - 1];
  if (i > 0) span.start = times_[i - 1];
  if (next != times_.end()) span.end = *next;
  return span;
}

int64_t TimeZone::to_unix(int64_t local_seconds) const {
  Span span = at(local_seconds);
  const int64_t guess = local_seconds - span.offset_seconds;
  if (guess < span.start || guess >= span.end) span = at(guess);
  return local_seconds - span.offset_seconds;
}

}  // namespace api
