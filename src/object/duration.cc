// Go's duration text.
#include <array>

#include "codec/json_text.h"
#include "object/time.h"

namespace object {
namespace {

struct Unit {
  std::string_view name;
  uint64_t nanos;
};
constexpr uint64_t kSecond = 1'000'000'000;
constexpr std::array<Unit, 8> kUnits = {{{"ns", 1},
                                         {"us", 1000},
                                         {"\u00b5s", 1000},
                                         {"\u03bcs", 1000},
                                         {"ms", 1'000'000},
                                         {"s", kSecond},
                                         {"m", 60 * kSecond},
                                         {"h", 3600 * kSecond}}};
constexpr uint64_t kMagnitudeLimit = uint64_t{1} << 63;

bool is_digit(char c) { return c >= '0' && c <= '9'; }

// One <decimal><unit> off the front of `text`, added to `total`; false with the words of the failure.
bool add_part(std::string_view& text, uint64_t& total, std::string& why) {
  uint64_t whole = 0, fraction = 0;
  double scale = 1;
  size_t digits = 0, fraction_digits = 0;
  for (; digits < text.size() && is_digit(text[digits]); ++digits) {
    if (whole > kMagnitudeLimit / 10) return why = "", false;
    whole = whole * 10 + static_cast<uint64_t>(text[digits] - '0');
    if (whole > kMagnitudeLimit) return why = "", false;
  }
  text.remove_prefix(digits);
  if (text.starts_with('.')) {
    text.remove_prefix(1);
    for (; fraction_digits < text.size() && is_digit(text[fraction_digits]); ++fraction_digits) {
      if (fraction > kMagnitudeLimit / 10 - 1) continue;  // digits too small to count
      fraction = fraction * 10 + static_cast<uint64_t>(text[fraction_digits] - '0');
      scale *= 10;
    }
    text.remove_prefix(fraction_digits);
  }
  if (digits == 0 && fraction_digits == 0) return why = "", false;
  size_t length = 0;
  while (length < text.size() && text[length] != '.' && !is_digit(text[length])) ++length;
  const std::string_view name = text.substr(0, length);
  if (name.empty()) return why = "missing unit", false;
  for (const Unit& unit : kUnits) {
    if (unit.name != name) continue;
    text.remove_prefix(length);
    if (whole > kMagnitudeLimit / unit.nanos) return why = "", false;
    uint64_t value = whole * unit.nanos;
    if (fraction > 0) value += static_cast<uint64_t>(static_cast<double>(fraction) * (double(unit.nanos) / scale));
    if (value > kMagnitudeLimit || (total += value) > kMagnitudeLimit) return why = "", false;
    return true;
  }
  why = "unknown unit " + codec::go_quoted(name);
  return false;
}

std::unexpected<base::Error> bad_duration(std::string_view text, const std::string& why) {
  std::string message = "time: " + (why.empty() ? "invalid" : why);
  message += why.empty() ? " duration " : " in duration ";
  codec::append_go_quoted(message, text);
  return base::fail(base::Reason::kBadRequest, std::move(message));
}

// `value` / `unit` with its fraction, trailing zeros removed.
void append_fraction(std::string& out, uint64_t value, uint64_t unit) {
  codec::append_json_uint(out, value / unit);
  uint64_t rest = value % unit;
  if (rest == 0) return;
  out += '.';
  for (; rest != 0; rest %= unit) {
    unit /= 10;
    out += static_cast<char>('0' + rest / unit);
  }
}

}  // namespace

base::Result<Duration> parse_duration(std::string_view text) {
  std::string_view rest = text;
  const bool negative = rest.starts_with('-');
  if (negative || rest.starts_with('+')) rest.remove_prefix(1);
  if (rest == "0") return Duration{0};
  uint64_t total = 0;
  std::string why;
  do {
    if (!add_part(rest, total, why)) return bad_duration(text, why);
  } while (!rest.empty());
  if (negative) return Duration{static_cast<int64_t>(-total)};
  if (total == kMagnitudeLimit) return bad_duration(text, "");
  return Duration{static_cast<int64_t>(total)};
}

void append_duration(std::string& out, const Duration& duration) {
  const bool negative = duration.duration < 0;
  uint64_t nanos = static_cast<uint64_t>(duration.duration);
  if (negative) {
    nanos = -nanos;
    out += '-';
  }
  if (nanos == 0) {
    out += "0s";
  } else if (nanos < 1000) {
    codec::append_json_uint(out, nanos);
    out += "ns";
  } else if (nanos < 1'000'000) {
    append_fraction(out, nanos, 1000);
    out += "\u00b5s";
  } else if (nanos < kSecond) {
    append_fraction(out, nanos, 1'000'000);
    out += "ms";
  } else {
    const uint64_t minutes = nanos / (60 * kSecond);
    if (minutes >= 60) {
      codec::append_json_uint(out, minutes / 60);
      out += 'h';
    }
    if (minutes > 0) {
      codec::append_json_uint(out, minutes % 60);
      out += 'm';
    }
    append_fraction(out, nanos % (60 * kSecond), kSecond);
    out += 's';
  }
}

std::string format_duration(const Duration& duration) {
  std::string out;
  append_duration(out, duration);
  return out;
}

}  // namespace object
