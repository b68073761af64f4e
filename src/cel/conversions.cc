#include "cel/conversions.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdlib>

#include "codec/utf8.h"

namespace cel {

namespace {

Value no_conversion(CallContext& context, std::string_view from, std::string_view to) {
  return context.error("type conversion error from '" + std::string(from) + "' to '" + std::string(to) + "'");
}

// Digits of a field of fixed width.
bool digits(std::string_view text, size_t at, size_t count, int64_t& out) {
  if (at + count > text.size()) return false;
  out = 0;
  for (size_t i = at; i < at + count; ++i) {
    if (text[i] < '0' || text[i] > '9') return false;
    out = out * 10 + (text[i] - '0');
  }
  return true;
}

int64_t days_from_civil(int64_t year, int64_t month, int64_t day) {
  year -= month <= 2;
  const int64_t era = (year >= 0 ? year : year - 399) / 400;
  const int64_t of_era = year - era * 400;
  const int64_t of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
  return era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719468;
}

int64_t days_in_month(int64_t year, int64_t month) {
  static constexpr int kDays[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  const bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
  return month == 2 && leap ? 29 : kDays[month - 1];
}

// The offset at the end of an RFC 3339 time, in seconds.
bool parse_offset(std::string_view text, size_t at, int64_t& seconds) {
  seconds = 0;
  if (text.substr(at) == "Z") return true;
  if (text.size() != at + 6 || (text[at] != '+' && text[at] != '-') || text[at + 3] != ':') return false;
  int64_t hours = 0, minutes = 0;
  if (!digits(text, at + 1, 2, hours) || !digits(text, at + 4, 2, minutes) || hours > 24 || minutes > 60) return false;
  seconds = (hours * 60 + minutes) * 60 * (text[at] == '-' ? -1 : 1);
  return true;
}

bool duration_unit(std::string_view text, size_t& at, int64_t& nanoseconds) {
  static constexpr std::pair<std::string_view, int64_t> kUnits[] = {
      {"ns", 1},         {"us", 1'000},        {"\u00b5s", 1'000},    {"\u03bcs", 1'000},
      {"ms", 1'000'000}, {"s", 1'000'000'000}, {"m", 60'000'000'000}, {"h", 3'600'000'000'000},
  };
  for (const auto& [name, size] : kUnits) {
    if (text.substr(at).starts_with(name)) {
      at += name.size();
      nanoseconds = size;
      return true;
    }
  }
  return false;
}

}  // namespace

std::string double_text(double value) {
  if (std::isnan(value)) return "NaN";
  if (std::isinf(value)) return value > 0 ? "+Inf" : "-Inf";
  const double magnitude = std::abs(value);
  char buffer[64];
  // Compat: Go's %g with the shortest digits: an exponent below 1e-4 and from 1e21 on.
  const bool exponent = magnitude != 0 && (magnitude < 1e-4 || magnitude >= 1e21);
  const auto end = std::to_chars(buffer, buffer + sizeof(buffer), value,
                                 exponent ? std::chars_format::scientific : std::chars_format::fixed);
  return std::string(buffer, end.ptr);
}

std::string duration_text(int64_t nanoseconds) {
  const double seconds =
      static_cast<double>(nanoseconds / 1'000'000'000) + static_cast<double>(nanoseconds % 1'000'000'000) / 1e9;
  char buffer[64];
  const auto end = std::to_chars(buffer, buffer + sizeof(buffer), seconds, std::chars_format::fixed);
  return std::string(buffer, end.ptr) + "s";
}

std::string timestamp_text(const Value& value) {
  const int64_t seconds = value.as_int();
  const int64_t days = (seconds >= 0 ? seconds : seconds - 86399) / 86400;
  const int64_t of_day = seconds - days * 86400;
  const int64_t z = days + 719468;
  const int64_t era = (z >= 0 ? z : z - 146096) / 146097;
  const int64_t of_era = z - era * 146097;
  const int64_t year_of_era = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
  const int64_t of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
  const int64_t shifted = (5 * of_year + 2) / 153;
  const int64_t day = of_year - (153 * shifted + 2) / 5 + 1;
  const int64_t month = shifted < 10 ? shifted + 3 : shifted - 9;
  const int64_t year = year_of_era + era * 400 + (month <= 2 ? 1 : 0);
  std::string text = fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}", year, month, day, of_day / 3600,
                                 of_day / 60 % 60, of_day % 60);
  if (value.nanoseconds() != 0) {
    std::string fraction = fmt::format(".{:09}", value.nanoseconds());
    while (fraction.back() == '0') fraction.pop_back();
    text += fraction;
  }
  return text + 'Z';
}

bool parse_timestamp(std::string_view text, int64_t& seconds, uint32_t& nanoseconds) {
  int64_t year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0, offset = 0;
  const bool shape = digits(text, 0, 4, year) && digits(text, 5, 2, month) && digits(text, 8, 2, day) &&
                     digits(text, 11, 2, hour) && digits(text, 14, 2, minute) && digits(text, 17, 2, second) &&
                     text[4] == '-' && text[7] == '-' && text[10] == 'T' && text[13] == ':' && text[16] == ':';
  if (!shape || month < 1 || month > 12 || day < 1 || day > days_in_month(year, month)) return false;
  if (hour > 23 || minute > 59 || second > 59 || text.size() < 20) return false;
  size_t at = 19;
  nanoseconds = 0;
  if (text[at] == '.' || text[at] == ',') {
    uint32_t scale = 100'000'000;
    const size_t first = ++at;
    for (; at < text.size() && text[at] >= '0' && text[at] <= '9'; ++at, scale /= 10) {
      nanoseconds += static_cast<uint32_t>(text[at] - '0') * scale;
    }
    if (at == first || at >= text.size()) return false;
  }
  if (!parse_offset(text, at, offset)) return false;
  seconds = days_from_civil(year, month, day) * 86400 + hour * 3600 + minute * 60 + second - offset;
  return true;
}

bool parse_duration(std::string_view text, int64_t& nanoseconds) {
  size_t at = 0;
  const bool negative = text.starts_with('-');
  if (negative || text.starts_with('+')) ++at;
  if (text.substr(at) == "0") {
    nanoseconds = 0;
    return true;
  }
  if (at == text.size()) return false;
  __extension__ using Wide = __int128;
  Wide total = 0;
  while (at < text.size()) {
    Wide whole = 0;
    double fraction = 0, scale = 0.1;
    const size_t first = at;
    size_t count = 0;
    for (; at < text.size() && text[at] >= '0' && text[at] <= '9'; ++at, ++count) {
      whole = whole * 10 + (text[at] - '0');
      if (whole > Wide{INT64_MAX}) return false;
    }
    if (at < text.size() && text[at] == '.') {
      for (++at; at < text.size() && text[at] >= '0' && text[at] <= '9'; ++at, ++count, scale /= 10) {
        fraction += (text[at] - '0') * scale;
      }
    }
    int64_t unit = 0;
    if (count == 0 || at == first || !duration_unit(text, at, unit)) return false;
    total += whole * unit + static_cast<Wide>(fraction * static_cast<double>(unit) + 1e-6);
    if (total > Wide{INT64_MAX} + (negative ? 1 : 0)) return false;
  }
  nanoseconds = static_cast<int64_t>(negative ? -total : total);
  return true;
}

Value identity(CallContext&, std::span<const Value> args) { return args[0]; }

Value type_of(CallContext&, std::span<const Value> args) { return Value::of_type(runtime_type(args[0])); }

Value convert_to_int(CallContext& context, std::span<const Value> args) {
  const Value& from = args[0];
  switch (from.kind()) {
    case Kind::kUint:
      return from.as_uint() > INT64_MAX ? Value::error("integer overflow") : Value::of_int(from.as_int());
    case Kind::kDouble: {
      const double number = from.as_double();
      // Compat: the ends themselves are refused, since they are not exact as doubles.
      if (!(number > -9223372036854775808.0 && number < 9223372036854775807.0)) return Value::error("integer overflow");
      return Value::of_int(static_cast<int64_t>(number));
    }
    case Kind::kString: {
      std::string_view text = from.text();
      if (text.starts_with('+') && !text.substr(1).starts_with('-')) text.remove_prefix(1);
      int64_t value = 0;
      const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
      if (text.empty() || error != std::errc() || end != text.data() + text.size()) {
        return no_conversion(context, "string", "int");
      }
      return Value::of_int(value);
    }
    default:
      return Value::of_int(from.as_int());  // int; duration in nanoseconds; timestamp in seconds
  }
}

Value convert_to_uint(CallContext& context, std::span<const Value> args) {
  const Value& from = args[0];
  switch (from.kind()) {
    case Kind::kInt:
      return from.as_int() < 0 ? Value::error("unsigned integer overflow") : Value::of_uint(from.as_uint());
    case Kind::kDouble: {
      const double number = from.as_double();
      if (!(number >= 0 && number < 18446744073709551615.0)) return Value::error("unsigned integer overflow");
      return Value::of_uint(static_cast<uint64_t>(number));
    }
    case Kind::kString: {
      const std::string_view text = from.text();
      uint64_t value = 0;
      const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
      if (text.empty() || error != std::errc() || end != text.data() + text.size()) {
        return no_conversion(context, "string", "uint");
      }
      return Value::of_uint(value);
    }
    default:
      return from;
  }
}

Value convert_to_double(CallContext& context, std::span<const Value> args) {
  const Value& from = args[0];
  switch (from.kind()) {
    case Kind::kInt:
      return Value::of_double(static_cast<double>(from.as_int()));
    case Kind::kUint:
      return Value::of_double(static_cast<double>(from.as_uint()));
    case Kind::kString: {
      const std::string text(from.text());
      char* end = nullptr;
      const double value = std::strtod(text.c_str(), &end);
      const bool odd =
          text.empty() || std::isspace(static_cast<unsigned char>(text[0])) || end != text.c_str() + text.size();
      const bool overflow = std::isinf(value) && text.find_first_of("iI") == std::string::npos;
      if (odd || overflow || text.find("nan(") != std::string::npos) return no_conversion(context, "string", "double");
      return Value::of_double(value);
    }
    default:
      return from;
  }
}

Value convert_to_string(CallContext& context, std::span<const Value> args) {
  const Value& from = args[0];
  switch (from.kind()) {
    case Kind::kString:
      return from;
    case Kind::kBytes:
      return codec::utf8_valid(from.text()) ? Value::of_string(from.text())
                                            : Value::error("invalid UTF-8 in bytes, cannot convert to string");
    default:
      return context.string(debug_text(from));
  }
}

Value convert_to_bytes(CallContext&, std::span<const Value> args) { return Value::of_bytes(args[0].text()); }

Value convert_to_bool(CallContext& context, std::span<const Value> args) {
  if (args[0].is_bool()) return args[0];
  static constexpr std::string_view kTrue[] = {"1", "t", "T", "true", "TRUE", "True"};
  static constexpr std::string_view kFalse[] = {"0", "f", "F", "false", "FALSE", "False"};
  if (std::ranges::find(kTrue, args[0].text()) != std::end(kTrue)) return Value::of_bool(true);
  if (std::ranges::find(kFalse, args[0].text()) != std::end(kFalse)) return Value::of_bool(false);
  return no_conversion(context, "string", "bool");
}

Value convert_to_timestamp(CallContext& context, std::span<const Value> args) {
  const Value& from = args[0];
  if (from.kind() == Kind::kTimestamp) return from;
  int64_t seconds = from.as_int();
  uint32_t nanoseconds = 0;
  if (from.is_string() && !parse_timestamp(from.text(), seconds, nanoseconds)) {
    return no_conversion(context, "string", "google.protobuf.Timestamp");
  }
  if (seconds < kMinTimestamp || seconds > kMaxTimestamp) return Value::error("timestamp overflow");
  return Value::of_timestamp(seconds, nanoseconds);
}

Value convert_to_duration(CallContext& context, std::span<const Value> args) {
  const Value& from = args[0];
  if (from.kind() == Kind::kDuration) return from;
  if (from.kind() == Kind::kInt) return Value::of_duration(from.as_int());
  int64_t nanoseconds = 0;
  if (!parse_duration(from.text(), nanoseconds)) return no_conversion(context, "string", "google.protobuf.Duration");
  return Value::of_duration(nanoseconds);
}

}  // namespace cel
