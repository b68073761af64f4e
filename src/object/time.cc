#include "object/time.h"

#include <algorithm>
#include <charconv>

#include "codec/json_text.h"

namespace object {
namespace {

constexpr int64_t kNanosPerSecond = 1'000'000'000;

void append_padded(std::string& out, int64_t value, size_t width) {
  char digits[24];
  const auto end = std::to_chars(digits, digits + sizeof(digits), value).ptr;
  const auto size = static_cast<size_t>(end - digits);
  if (size < width) out.append(width - size, '0');
  out.append(digits, size);
}

// YYYY-MM-DDTHH:MM:SS
void append_date_time(std::string& out, int64_t seconds) {
  const std::chrono::sys_seconds instant{std::chrono::seconds{seconds}};
  const auto day = std::chrono::floor<std::chrono::days>(instant);
  const std::chrono::year_month_day date{day};
  const int64_t in_day = (instant - day).count();
  append_padded(out, static_cast<int>(date.year()), 4);
  out += '-';
  append_padded(out, static_cast<unsigned>(date.month()), 2);
  out += '-';
  append_padded(out, static_cast<unsigned>(date.day()), 2);
  out += 'T';
  append_padded(out, in_day / 3600, 2);
  out += ':';
  append_padded(out, in_day / 60 % 60, 2);
  out += ':';
  append_padded(out, in_day % 60, 2);
}

enum class Fraction { kOptional, kSixDigits };

// Reads one layout, element by element, so that errors can name the element as Go's time.Parse does.
class TimeParser {
 public:
  TimeParser(std::string_view text, Fraction fraction) : text_(text), rest_(text), fraction_(fraction) {}

  base::Result<Time> parse() {
    int year, month, day, hour, minute, second;
    if (!number(4, year)) return mismatch("2006");
    if (!literal('-')) return mismatch("-");
    if (!number(2, month)) return mismatch("01");
    if (month < 1 || month > 12) return out_of_range("month");
    if (!literal('-')) return mismatch("-");
    if (!number(2, day)) return mismatch("02");
    if (!literal('T')) return mismatch("T");
    if (!number(2, hour)) return mismatch("15");
    if (hour > 23) return out_of_range("hour");
    if (!literal(':')) return mismatch(":");
    if (!number(2, minute)) return mismatch("04");
    if (minute > 59) return out_of_range("minute");
    if (!literal(':')) return mismatch(":");
    if (!number(2, second)) return mismatch("05");
    if (second > 59) return out_of_range("second");
    int32_t nanos = 0;
    if (!fraction(nanos)) return mismatch(".000000");
    int offset = 0;
    if (!zone(offset)) return mismatch("Z07:00");
    if (!rest_.empty()) return failure(": extra text: " + codec::go_quoted(rest_));
    const std::chrono::year_month_day date{std::chrono::year{year}, std::chrono::month{static_cast<unsigned>(month)},
                                           std::chrono::day{static_cast<unsigned>(day)}};
    if (!date.ok()) return out_of_range("day");
    const int64_t days = std::chrono::sys_days{date}.time_since_epoch().count();
    return Time{days * 86400 + hour * 3600 + minute * 60 + second - offset, nanos};
  }

 private:
  bool number(size_t digits, int& value) {
    if (rest_.size() < digits) return false;
    value = 0;
    for (size_t i = 0; i < digits; ++i) {
      if (rest_[i] < '0' || rest_[i] > '9') return false;
      value = value * 10 + (rest_[i] - '0');
    }
    rest_.remove_prefix(digits);
    return true;
  }
  bool literal(char c) {
    if (rest_.empty() || rest_[0] != c) return false;
    rest_.remove_prefix(1);
    return true;
  }
  // Optional: . or , and any number of digits, of which nine count (Compat: time.Parse takes a fraction that the layout
  // lacks). Six digits: a point and exactly six.
  bool fraction(int32_t& nanos) {
    const bool starts = rest_.size() >= 2 && (rest_[0] == '.' || rest_[0] == ',') && is_digit(rest_[1]);
    if (fraction_ == Fraction::kOptional && !starts) return true;
    size_t digits = 0;
    while (starts && digits + 1 < rest_.size() && is_digit(rest_[digits + 1])) ++digits;
    if (fraction_ == Fraction::kSixDigits && (digits != 6 || rest_[0] != '.')) return false;
    for (size_t i = 1; i <= 9; ++i) nanos = nanos * 10 + (i <= digits ? rest_[i] - '0' : 0);
    rest_.remove_prefix(digits + 1);
    return true;
  }
  bool zone(int& offset) {
    if (literal('Z')) return true;
    const int sign = rest_.starts_with('-') ? -1 : 1;
    std::string_view at_zone = rest_;
    int hours, minutes;
    if (rest_.empty() || (rest_[0] != '+' && rest_[0] != '-')) return false;
    rest_.remove_prefix(1);
    if (!number(2, hours) || !literal(':') || !number(2, minutes) || hours > 24 || minutes > 60) {
      rest_ = at_zone;
      return false;
    }
    offset = sign * (hours * 3600 + minutes * 60);
    return true;
  }
  static bool is_digit(char c) { return c >= '0' && c <= '9'; }

  std::unexpected<base::Error> mismatch(std::string_view element) {
    return failure(": cannot parse " + codec::go_quoted(rest_) + " as " + codec::go_quoted(element), true);
  }
  std::unexpected<base::Error> out_of_range(std::string_view what) {
    return failure(": " + std::string(what) + " out of range");
  }
  std::unexpected<base::Error> failure(const std::string& why, bool with_layout = false) {
    std::string message = "parsing time " + codec::go_quoted(text_);
    if (with_layout) {
      message += fraction_ == Fraction::kSixDigits ? R"( as "2006-01-02T15:04:05.000000Z07:00")"
                                                   : R"( as "2006-01-02T15:04:05Z07:00")";
    }
    return base::fail(base::Reason::kBadRequest, message + why);
  }

  std::string_view text_;
  std::string_view rest_;
  Fraction fraction_;
};

struct Split {
  int64_t seconds;
  int32_t nanos;
};
Split split(base::WallTime time) {
  const auto whole = std::chrono::floor<std::chrono::seconds>(time);
  return {whole.time_since_epoch().count(), static_cast<int32_t>((time - whole).count())};
}

base::WallTime joined(int64_t seconds, int32_t nanos) {
  constexpr int64_t kLimit = INT64_MAX / kNanosPerSecond;
  if (seconds >= kLimit) return base::WallTime::max();
  if (seconds <= -kLimit) return base::WallTime::min();
  return base::WallTime{base::Duration{seconds * kNanosPerSecond + nanos}};
}

}  // namespace

Time to_time(base::WallTime time) {
  const Split parts = split(time);
  return {parts.seconds, parts.nanos};
}
MicroTime to_micro_time(base::WallTime time) {
  const Split parts = split(time);
  return {parts.seconds, parts.nanos};
}
base::WallTime to_wall_time(const Time& time) { return joined(time.seconds, time.nanos); }
base::WallTime to_wall_time(const MicroTime& time) { return joined(time.seconds, time.nanos); }

base::Result<Time> parse_time(std::string_view text) { return TimeParser(text, Fraction::kOptional).parse(); }

base::Result<MicroTime> parse_micro_time(std::string_view text) {
  TRY_ASSIGN(const Time time, TimeParser(text, Fraction::kSixDigits).parse());
  return MicroTime{time.seconds, time.nanos};
}

void append_time(std::string& out, const Time& time) {
  append_date_time(out, time.seconds);
  out += 'Z';
}
std::string format_time(const Time& time) {
  std::string out;
  append_time(out, time);
  return out;
}

void append_micro_time(std::string& out, const MicroTime& time) {
  append_date_time(out, time.seconds);
  out += '.';
  append_padded(out, time.nanos / 1000, 6);
  out += 'Z';
}
std::string format_micro_time(const MicroTime& time) {
  std::string out;
  append_micro_time(out, time);
  return out;
}

std::string human_duration(base::Duration duration) {
  using std::to_string;
  const int64_t seconds = duration.count() / kNanosPerSecond;
  // Compat: client-go tolerates a second of clock skew.
  if (seconds < -1) return "<invalid>";
  if (seconds < 0) return "0s";
  const auto pair = [](int64_t big, const char* big_unit, int64_t small, const char* small_unit) {
    return to_string(big) + big_unit + (small == 0 ? "" : to_string(small) + small_unit);
  };
  const int64_t minutes = seconds / 60;
  const int64_t hours = minutes / 60;
  const int64_t days = hours / 24;
  if (seconds < 120) return to_string(seconds) + "s";
  if (minutes < 10) return pair(minutes, "m", seconds % 60, "s");
  if (minutes < 180) return to_string(minutes) + "m";
  if (hours < 8) return pair(hours, "h", minutes % 60, "m");
  if (hours < 48) return to_string(hours) + "h";
  if (hours < 192) return pair(days, "d", hours % 24, "h");
  if (days < 730) return to_string(days) + "d";
  if (days < 8 * 365) return pair(days / 365, "y", days % 365, "d");
  return to_string(days / 365) + "y";
}

std::string human_age(const Time& created, base::WallTime now) {
  if (created.zero()) return "<unknown>";
  return human_duration(now - to_wall_time(created));
}

}  // namespace object
