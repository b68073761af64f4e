#include "object/yaml_scalar.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <string>

namespace object {
namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }

bool one_of(std::string_view text, std::initializer_list<std::string_view> words) {
  return std::ranges::find(words, text) != words.end();
}

bool parse_radix(std::string_view digits, int base, uint64_t& magnitude) {
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), magnitude, base);
  return error == std::errc() && end == digits.data() + digits.size() && !digits.empty();
}

// Compat: strconv.ParseInt with base 0: 0x, 0o, 0b and a leading zero choose the base.
bool parse_integer(std::string_view text, Value& value) {
  const bool negative = text.starts_with('-');
  if (negative || text.starts_with('+')) text.remove_prefix(1);
  int base = 10;
  if (text.size() > 1 && text[0] == '0') {
    const char mark = text[1];
    base = mark == 'x' || mark == 'X' ? 16 : mark == 'b' || mark == 'B' ? 2 : 8;
    text.remove_prefix(base != 8 || mark == 'o' || mark == 'O' ? 2 : 1);
  }
  uint64_t magnitude;
  if (!parse_radix(text, base, magnitude)) return false;
  if (magnitude <= INT64_MAX) {
    value = negative ? -static_cast<int64_t>(magnitude) : static_cast<int64_t>(magnitude);
  } else if (negative && magnitude == uint64_t{1} << 63) {
    value = INT64_MIN;
  } else {
    value = negative ? -static_cast<double>(magnitude) : static_cast<double>(magnitude);
  }
  return true;
}

// ^[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?$
bool is_float(std::string_view text) {
  const auto skip_digits = [&] {
    const size_t count = std::min(text.find_first_not_of("0123456789"), text.size());
    text.remove_prefix(count);
    return count;
  };
  if (text.starts_with('+') || text.starts_with('-')) text.remove_prefix(1);
  const size_t whole = skip_digits();
  if (text.starts_with('.')) {
    text.remove_prefix(1);
    if (skip_digits() == 0 && whole == 0) return false;
  } else if (whole == 0) {
    return false;
  }
  if (text.starts_with('e') || text.starts_with('E')) {
    text.remove_prefix(1);
    if (text.starts_with('+') || text.starts_with('-')) text.remove_prefix(1);
    if (skip_digits() == 0) return false;
  }
  return text.empty();
}

bool parse_float(std::string_view text, Value& value) {
  if (!is_float(text)) return false;
  if (text.starts_with('+')) text.remove_prefix(1);
  double number = 0;
  const auto error = std::from_chars(text.data(), text.data() + text.size(), number).ec;
  if (error == std::errc::result_out_of_range && text.find("e-") == std::string_view::npos) return false;
  if (number == std::trunc(number) && std::abs(number) < 9.2e18) {
    value = static_cast<int64_t>(number);
  } else {
    value = number;
  }
  return true;
}

// Compat: the layouts of go-yaml: a date, or a date and a time; such a scalar stays a string but is quoted on output.
bool is_timestamp(std::string_view text) {
  const auto number = [&](size_t least, size_t most) {
    size_t count = 0;
    while (count < most && count < text.size() && is_digit(text[count])) ++count;
    text.remove_prefix(count);
    return count >= least;
  };
  const auto literal = [&](std::string_view any_of) {
    if (text.empty() || any_of.find(text[0]) == std::string_view::npos) return false;
    text.remove_prefix(1);
    return true;
  };
  if (!number(4, 4) || !literal("-") || !number(1, 2) || !literal("-") || !number(1, 2)) return false;
  if (text.empty()) return true;
  const bool spaced = text[0] == ' ';
  if (!literal("Tt ") || !number(1, 2) || !literal(":") || !number(1, 2) || !literal(":") || !number(1, 2))
    return false;
  if (literal(".") && !number(1, text.size())) return false;
  if (spaced) return text.empty();
  if (literal("Z")) return text.empty();
  return literal("+-") && number(2, 2) && literal(":") && number(2, 2) && text.empty();
}

}  // namespace

bool is_base60(std::string_view text) {
  if (text.starts_with('+') || text.starts_with('-')) text.remove_prefix(1);
  const size_t colon = text.find(':');
  if (colon == std::string_view::npos || colon == 0 || !is_digit(text[0])) return false;
  if (text.substr(0, colon).find_first_not_of("0123456789_") != std::string_view::npos) return false;
  text.remove_prefix(colon);
  while (text.starts_with(':')) {
    text.remove_prefix(1);
    const size_t digits = std::min(text.find_first_not_of("0123456789"), text.size());
    if (digits == 0 || digits > 2 || (digits == 2 && text[0] > '5')) return false;
    text.remove_prefix(digits);
  }
  if (text.starts_with('.')) text.remove_prefix(std::min(text.find_first_not_of("0123456789_", 1), text.size()));
  return text.empty();
}

PlainScalar resolve_plain_scalar(std::string_view text) {
  if (one_of(text, {"", "~", "null", "Null", "NULL"})) return {ScalarKind::kNull, nullptr};
  if (one_of(text, {"y", "Y", "yes", "Yes", "YES", "true", "True", "TRUE", "on", "On", "ON"})) {
    return {ScalarKind::kBool, true};
  }
  if (one_of(text, {"n", "N", "no", "No", "NO", "false", "False", "FALSE", "off", "Off", "OFF"})) {
    return {ScalarKind::kBool, false};
  }
  if (one_of(text,
             {".nan", ".NaN", ".NAN", ".inf", ".Inf", ".INF", "+.inf", "+.Inf", "+.INF", "-.inf", "-.Inf", "-.INF"})) {
    return {ScalarKind::kInfinity, text};
  }
  PlainScalar result{ScalarKind::kString, text};
  if (text[0] == '.') {
    if (parse_float(text, result.value)) result.kind = ScalarKind::kFloat;
  } else if (is_digit(text[0]) || text[0] == '+' || text[0] == '-') {
    std::string plain(text);
    std::erase(plain, '_');
    if (is_timestamp(text)) {
      result.kind = ScalarKind::kTimestamp;
    } else if (parse_integer(plain, result.value)) {
      result.kind = ScalarKind::kInt;
    } else if (parse_float(plain, result.value)) {
      result.kind = ScalarKind::kFloat;
    }
  }
  return result;
}

}  // namespace object
