// Parts of timestamps and durations. Time zones are offsets ("+02:30") or names of the system's zone database.
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <optional>
#include <string>

#include "cel/conversions.h"
#include "cel/standard.h"

namespace cel {

namespace {

constexpr const char* kZoneFolder = "/usr/share/zoneinfo/";

uint64_t big_endian(const std::string& bytes, size_t at, size_t count) {
  uint64_t value = 0;
  for (size_t i = 0; i < count; ++i) value = value << 8 | static_cast<unsigned char>(bytes[at + i]);
  return value;
}

bool sound_zone_name(std::string_view name) {
  if (name.empty() || name.front() == '/' || name.find("..") != std::string_view::npos || name.size() > 64)
    return false;
  return name.find_first_not_of("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_+-/") ==
         std::string_view::npos;
}

// The offset that a TZif file (RFC 8536, its 64-bit block) gives for a time. Times after its last transition take the
// last one's offset.
std::optional<int64_t> offset_in_zone(std::string_view name, int64_t seconds) {
  if (name == "UTC" || name == "GMT") return 0;
  if (!sound_zone_name(name)) return {};
  std::ifstream file(kZoneFolder + std::string(name), std::ios::binary);
  const std::string bytes((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
  constexpr size_t kHeader = 44;
  if (bytes.size() < kHeader || !bytes.starts_with("TZif")) return {};
  const auto count = [&](size_t header, size_t index) { return big_endian(bytes, header + 20 + 4 * index, 4); };
  // Skip the 32-bit block: transitions, types, names, leap seconds and the two indicator lists.
  const size_t second =
      kHeader + count(0, 3) * 5 + count(0, 4) * 6 + count(0, 5) + count(0, 2) * 8 + count(0, 1) + count(0, 0);
  if (bytes.size() < second + kHeader || bytes.compare(second, 4, "TZif") != 0) return {};
  const size_t transitions = count(second, 3), times = second + kHeader, kinds = times + transitions * 8;
  const size_t records = kinds + transitions;
  if (bytes.size() < records + count(second, 4) * 6) return {};
  size_t kind = 0;
  for (size_t i = 0; i < transitions && static_cast<int64_t>(big_endian(bytes, times + i * 8, 8)) <= seconds; ++i) {
    kind = static_cast<unsigned char>(bytes[kinds + i]);
  }
  if (kind >= count(second, 4)) return {};
  return static_cast<int32_t>(big_endian(bytes, records + kind * 6, 4));
}

std::optional<int64_t> offset_of(std::string_view zone, int64_t seconds) {
  const size_t colon = zone.find(':');
  if (colon == std::string_view::npos) return offset_in_zone(zone, seconds);
  const bool negative = zone.starts_with('-');
  if (negative || zone.starts_with('+')) zone.remove_prefix(1);
  int64_t hours = 0, minutes = 0;
  const size_t split = zone.find(':');
  const auto number = [](std::string_view text, int64_t& out) {
    if (text.empty() || text.size() > 2) return false;
    for (const char c : text) {
      if (c < '0' || c > '9') return false;
      out = out * 10 + (c - '0');
    }
    return true;
  };
  if (!number(zone.substr(0, split), hours) || !number(zone.substr(split + 1), minutes)) return {};
  return (hours * 60 + minutes) * 60 * (negative ? -1 : 1);
}

struct Parts {
  int64_t year, month, day, of_year, weekday, hour, minute, second;
};

Parts parts_of(int64_t seconds) {
  Parts parts{};
  const int64_t days = (seconds >= 0 ? seconds : seconds - 86399) / 86400;
  const int64_t of_day = seconds - days * 86400;
  const int64_t z = days + 719468;
  const int64_t era = (z >= 0 ? z : z - 146096) / 146097;
  const int64_t of_era = z - era * 146097;
  const int64_t year_of_era = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
  const int64_t from_march = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
  const int64_t shifted = (5 * from_march + 2) / 153;
  parts.day = from_march - (153 * shifted + 2) / 5 + 1;
  parts.month = shifted < 10 ? shifted + 3 : shifted - 9;
  parts.year = year_of_era + era * 400 + (parts.month <= 2 ? 1 : 0);
  const bool leap = parts.year % 4 == 0 && (parts.year % 100 != 0 || parts.year % 400 == 0);
  parts.of_year = parts.month > 2 ? from_march + 59 + (leap ? 1 : 0) : from_march - 306;
  parts.weekday = ((days % 7) + 11) % 7;
  parts.hour = of_day / 3600;
  parts.minute = of_day / 60 % 60;
  parts.second = of_day % 60;
  return parts;
}

template <typename Pick>
Value part(CallContext& context, std::span<const Value> args, Pick pick) {
  int64_t seconds = args[0].as_int();
  if (args.size() == 2) {
    const auto offset = offset_of(args[1].text(), seconds);
    if (!offset) return context.error("unknown time zone " + std::string(args[1].text()));
    seconds += *offset;
  }
  return Value::of_int(pick(parts_of(seconds)));
}

Value year(CallContext& c, std::span<const Value> a) {
  return part(c, a, [](const Parts& p) { return p.year; });
}
Value month(CallContext& c, std::span<const Value> a) {
  return part(c, a, [](const Parts& p) { return p.month - 1; });
}
Value of_year(CallContext& c, std::span<const Value> a) {
  return part(c, a, [](const Parts& p) { return p.of_year; });
}
Value day(CallContext& c, std::span<const Value> a) {
  return part(c, a, [](const Parts& p) { return p.day - 1; });
}
Value date(CallContext& c, std::span<const Value> a) {
  return part(c, a, [](const Parts& p) { return p.day; });
}
Value weekday(CallContext& c, std::span<const Value> a) {
  return part(c, a, [](const Parts& p) { return p.weekday; });
}
Value hours(CallContext& c, std::span<const Value> a) {
  return part(c, a, [](const Parts& p) { return p.hour; });
}
Value minutes(CallContext& c, std::span<const Value> a) {
  return part(c, a, [](const Parts& p) { return p.minute; });
}
Value seconds(CallContext& c, std::span<const Value> a) {
  return part(c, a, [](const Parts& p) { return p.second; });
}
Value millis(CallContext& c, std::span<const Value> a) {
  const int64_t value = a[0].nanoseconds() / 1'000'000;
  return part(c, a, [value](const Parts&) { return value; });
}

constexpr int64_t kNano = 1'000'000'000;
Value duration_hours(CallContext&, std::span<const Value> a) { return Value::of_int(a[0].as_int() / (3600 * kNano)); }
Value duration_minutes(CallContext&, std::span<const Value> a) { return Value::of_int(a[0].as_int() / (60 * kNano)); }
Value duration_seconds(CallContext&, std::span<const Value> a) { return Value::of_int(a[0].as_int() / kNano); }
Value duration_millis(CallContext&, std::span<const Value> a) { return Value::of_int(a[0].as_int() / 1'000'000); }

constexpr Declaration kTime[] = {
    {"timestamp_to_year", "timestamp.getFullYear(): int", year},
    {"timestamp_to_year_with_tz", "timestamp.getFullYear(string): int", year},
    {"timestamp_to_month", "timestamp.getMonth(): int", month},
    {"timestamp_to_month_with_tz", "timestamp.getMonth(string): int", month},
    {"timestamp_to_day_of_year", "timestamp.getDayOfYear(): int", of_year},
    {"timestamp_to_day_of_year_with_tz", "timestamp.getDayOfYear(string): int", of_year},
    {"timestamp_to_day_of_month", "timestamp.getDayOfMonth(): int", day},
    {"timestamp_to_day_of_month_with_tz", "timestamp.getDayOfMonth(string): int", day},
    {"timestamp_to_day_of_month_1_based", "timestamp.getDate(): int", date},
    {"timestamp_to_day_of_month_1_based_with_tz", "timestamp.getDate(string): int", date},
    {"timestamp_to_day_of_week", "timestamp.getDayOfWeek(): int", weekday},
    {"timestamp_to_day_of_week_with_tz", "timestamp.getDayOfWeek(string): int", weekday},
    {"timestamp_to_hours", "timestamp.getHours(): int", hours},
    {"timestamp_to_hours_with_tz", "timestamp.getHours(string): int", hours},
    {"duration_to_hours", "duration.getHours(): int", duration_hours},
    {"timestamp_to_minutes", "timestamp.getMinutes(): int", minutes},
    {"timestamp_to_minutes_with_tz", "timestamp.getMinutes(string): int", minutes},
    {"duration_to_minutes", "duration.getMinutes(): int", duration_minutes},
    {"timestamp_to_seconds", "timestamp.getSeconds(): int", seconds},
    {"timestamp_to_seconds_tz", "timestamp.getSeconds(string): int", seconds},
    {"duration_to_seconds", "duration.getSeconds(): int", duration_seconds},
    {"timestamp_to_milliseconds", "timestamp.getMilliseconds(): int", millis},
    {"timestamp_to_milliseconds_with_tz", "timestamp.getMilliseconds(string): int", millis},
    {"duration_to_milliseconds", "duration.getMilliseconds(): int", duration_millis},
};

}  // namespace

std::span<const Declaration> time_declarations() { return kTime; }

}  // namespace cel
