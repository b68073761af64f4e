#include "object/quantity.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdlib>

#include "codec/json_text.h"

namespace object {
namespace {

using Form = QuantityValue::Form;
__extension__ using Wide = __int128;

constexpr Wide kWideMax = static_cast<Wide>(~static_cast<unsigned __int128>(0) >> 1);
constexpr std::string_view kInt64MaxDigits = "9223372036854775807";
constexpr std::string_view kDecimalSuffixes[] = {"n", "u", "m", "", "k", "M", "G", "T", "P", "E"};
constexpr std::string_view kBinarySuffixes[] = {"", "Ki", "Mi", "Gi", "Ti", "Pi", "Ei"};

// A decimal of any size: digits × 10^exponent. Digits have no leading zero; zero has none at all.
struct Decimal {
  bool negative = false;
  std::string digits;
  int64_t exponent = 0;

  bool zero() const { return digits.empty(); }

  void strip_leading_zeros() { digits.erase(0, std::min(digits.find_first_not_of('0'), digits.size())); }

  void increment() {
    size_t i = digits.size();
    while (i > 0 && digits[i - 1] == '9') digits[--i] = '0';
    if (i > 0) {
      ++digits[i - 1];
    } else {
      digits.insert(0, 1, '1');
    }
  }

  void multiply(unsigned factor) {
    unsigned carry = 0;
    for (size_t i = digits.size(); i-- > 0;) {
      carry += static_cast<unsigned>(digits[i] - '0') * factor;
      digits[i] = static_cast<char>('0' + carry % 10);
      carry /= 10;
    }
    for (; carry > 0; carry /= 10) digits.insert(0, 1, static_cast<char>('0' + carry % 10));
  }

  // Drops what is finer than 10^scale, rounding away from zero. True when nothing was lost.
  bool round_up(int64_t scale) {
    if (zero() || exponent >= scale) return true;
    const auto drop = static_cast<uint64_t>(scale - exponent);
    std::string_view dropped = digits;
    if (drop < digits.size()) dropped = dropped.substr(digits.size() - drop);
    const bool exact = dropped.find_first_not_of('0') == std::string_view::npos;
    digits.resize(digits.size() - dropped.size());
    exponent = scale;
    if (!exact) increment();
    return exact;
  }

  // |this| compared with an integer written in digits.
  int compare_magnitude(std::string_view integer) const {
    const int64_t places = static_cast<int64_t>(digits.size()) + exponent;
    if (zero() || places < static_cast<int64_t>(integer.size())) return -1;
    if (places > static_cast<int64_t>(integer.size())) return 1;
    std::string_view whole = std::string_view(digits).substr(0, integer.size());
    if (const int order = whole.compare(integer.substr(0, whole.size())); order != 0) return order < 0 ? -1 : 1;
    // Equal so far; what is left on either side are more digits.
    if (integer.substr(whole.size()).find_first_not_of('0') != std::string_view::npos) return -1;
    return std::string_view(digits).substr(whole.size()).find_first_not_of('0') == std::string_view::npos ? 0 : 1;
  }
};

void append_decimal_suffix(std::string& out, int64_t exponent, Form form) {
  if (form == Form::kDecimalExponent) {
    if (exponent == 0) return;
    out += 'e';
    codec::append_json_int(out, exponent);
  } else if (exponent >= -9 && exponent <= 18) {
    out += kDecimalSuffixes[exponent / 3 + 3];
  }
  // Compat: above E the suffix is lost, an upstream defect that 1.35 has: 1000E prints as 1.
}

// The canonical text: the largest exponent divisible by 3 (or the largest power of 1024) that leaves an integer.
std::string canonical(Decimal value, Form form) {
  if (value.zero()) return "0";
  std::string out(value.negative ? "-" : "");
  if (form == Form::kBinarySi) {
    const bool fraction = value.exponent < 0 && !Decimal(value).round_up(0);
    if (value.compare_magnitude("1024") < 0 || fraction) form = Form::kDecimalSi;
  }
  if (form == Form::kBinarySi) {
    value.round_up(0);
    // The cap keeps binary magnitudes within int64, but sums may pass it: 128 bits hold what QuantityValue holds.
    unsigned __int128 mantissa = 0;
    for (char digit : value.digits) mantissa = mantissa * 10 + static_cast<unsigned>(digit - '0');
    for (int64_t i = 0; i < value.exponent; ++i) mantissa *= 10;
    size_t power = 0;
    for (; power < std::size(kBinarySuffixes) - 1 && mantissa % 1024 == 0; ++power) mantissa /= 1024;
    std::string digits;
    for (; mantissa > 0; mantissa /= 10) digits += static_cast<char>('0' + static_cast<int>(mantissa % 10));
    std::ranges::reverse(digits);
    return out.append(digits).append(kBinarySuffixes[power]);
  }
  const size_t zeros = value.digits.size() - 1 - value.digits.find_last_not_of('0');
  value.digits.resize(value.digits.size() - zeros);
  value.exponent += static_cast<int64_t>(zeros);
  for (; value.exponent % 3 != 0; --value.exponent) value.digits += '0';
  out += value.digits;
  append_decimal_suffix(out, value.exponent, form);
  return out;
}

// The pieces of a text, still uninterpreted.
struct Pieces {
  bool negative = false;
  std::string num;  // integer digits without leading zeros, "0" if there are none
  std::string den;  // fraction digits
  Form form = Form::kDecimalSi;
  int base = 10;
  int64_t exponent = 0;  // of the suffix
};

bool parse_exponent(std::string_view text, int64_t& exponent) {
  if (text.starts_with('+')) {
    text.remove_prefix(1);
    if (text.starts_with('-')) return false;
  }
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), exponent);
  if (error != std::errc() || end != text.data() + text.size()) return false;
  exponent = static_cast<int32_t>(exponent);  // Compat: cut to 32 bits
  return true;
}

bool parse_suffix(std::string_view text, Pieces& pieces) {
  for (size_t i = 0; i < std::size(kDecimalSuffixes); ++i) {
    if (text != kDecimalSuffixes[i]) continue;
    pieces.exponent = static_cast<int64_t>(i) * 3 - 9;
    return true;
  }
  for (size_t i = 1; i < std::size(kBinarySuffixes); ++i) {
    if (text != kBinarySuffixes[i]) continue;
    pieces.form = Form::kBinarySi;
    pieces.base = 2;
    pieces.exponent = static_cast<int64_t>(i) * 10;
    return true;
  }
  if (text.size() < 2 || (text[0] != 'e' && text[0] != 'E')) return false;
  pieces.form = Form::kDecimalExponent;
  return parse_exponent(text.substr(1), pieces.exponent);
}

bool parse_pieces(std::string_view text, Pieces& pieces) {
  if (text.empty()) return false;
  const auto is_digit = [](char c) { return c >= '0' && c <= '9'; };
  size_t at = 0;
  if (text[0] == '+' || text[0] == '-') pieces.negative = text[at++] == '-';
  size_t start = at;
  while (at < text.size() && is_digit(text[at])) ++at;
  pieces.num = text.substr(start, at - start);
  pieces.num.erase(0, std::min(pieces.num.find_first_not_of('0'), pieces.num.size()));
  if (pieces.num.empty()) pieces.num = "0";
  if (at < text.size() && text[at] == '.') {
    start = ++at;
    while (at < text.size() && is_digit(text[at])) ++at;
    pieces.den = text.substr(start, at - start);
  }
  return parse_suffix(text.substr(at), pieces);
}

// Compat: the texts that upstream keeps as they were written (facts: quantity, textKept).
bool keeps_text(const Pieces& pieces) {
  const std::string shifted = pieces.num + pieces.den;
  if (pieces.base == 10) {
    const int64_t scale = pieces.exponent - static_cast<int64_t>(pieces.den.size());
    return shifted.size() <= 18 && scale >= -9 && scale % 3 == 0 && !shifted.ends_with("000") && shifted[0] != '0';
  }
  const int64_t precision = 15 - static_cast<int64_t>(pieces.num.size()) - pieces.exponent * 3 / 10 - 1;
  if (!pieces.den.empty() || precision < 0) return false;
  const int64_t value = std::strtoll(shifted.c_str(), nullptr, 10);
  return value % 8 != 0 && value <= (INT64_MAX >> pieces.exponent);
}

// The exact value, rounded and capped as upstream does; may change the form of the pieces.
Decimal evaluate(Pieces& pieces) {
  Decimal value{pieces.negative, pieces.num + pieces.den, -static_cast<int64_t>(pieces.den.size())};
  value.strip_leading_zeros();
  if (pieces.base == 10) {
    value.exponent += pieces.exponent;
    value.round_up(-9);
    return value;
  }
  for (int64_t i = 0; i < pieces.exponent; i += 10) value.multiply(1024);
  value.round_up(-9);
  if (value.compare_magnitude(kInt64MaxDigits) > 0) {
    value.digits = kInt64MaxDigits;
    value.exponent = 0;
  }
  if (!value.zero() && value.compare_magnitude("1") < 0) pieces.form = Form::kDecimalSi;
  return value;
}

Wide to_nanos(const Decimal& value) {
  Wide nanos = 0;
  for (char digit : value.digits) {
    if (nanos > (kWideMax - 9) / 10) return value.negative ? -kWideMax : kWideMax;
    nanos = nanos * 10 + (digit - '0');
  }
  for (int64_t i = value.zero() ? -9 : value.exponent; i > -9; --i) {
    if (nanos > kWideMax / 10) return value.negative ? -kWideMax : kWideMax;
    nanos *= 10;
  }
  return value.negative ? -nanos : nanos;
}

// Compat: a text of the right form whose suffix is none is told of the suffix.
std::unexpected<base::Error> bad_quantity(std::string_view text) {
  const auto skip = [&](std::string_view any) {
    text.remove_prefix(std::min(text.find_first_not_of(any), text.size()));
  };
  if (text.starts_with('+') || text.starts_with('-')) text.remove_prefix(1);
  constexpr std::string_view kDigits = "0123456789";
  skip(kDigits);
  if (text.starts_with('.')) text.remove_prefix(1);
  skip(kDigits);
  const bool has_suffix = !text.empty();
  skip("eEinumkKMGTP");
  if (text.starts_with('+') || text.starts_with('-')) text.remove_prefix(1);
  skip(kDigits);
  return base::fail(base::Reason::kBadRequest,
                    std::string(has_suffix && text.empty() ? kQuantitySuffixMessage : kQuantityFormatMessage));
}

Wide saturating_add(Wide a, Wide b) {
  Wide sum;
  if (!__builtin_add_overflow(a, b, &sum) && sum >= -kWideMax) return sum;
  return b > 0 ? kWideMax : -kWideMax;
}

}  // namespace

QuantityValue QuantityValue::from_int(int64_t value, Form form) {
  QuantityValue result;
  result.nanos_ = static_cast<Wide>(value) * kNano;
  result.form_ = form;
  return result;
}

QuantityValue QuantityValue::from_milli(int64_t milli, Form form) {
  QuantityValue result;
  result.nanos_ = static_cast<Wide>(milli) * (kNano / 1000);
  result.form_ = form;
  return result;
}

base::Result<QuantityValue> QuantityValue::parse(std::string_view text) {
  Pieces pieces;
  if (!parse_pieces(text, pieces)) return bad_quantity(text);
  const Decimal value = evaluate(pieces);
  QuantityValue result;
  result.nanos_ = to_nanos(value);
  result.form_ = pieces.form;
  return result;
}

QuantityValue QuantityValue::of(const Quantity& quantity) {
  // The common texts, a small integer with no suffix, m, Ki, Mi or Gi, without an allocation.
  const std::string& text = quantity.string;
  int64_t number = 0;
  const char* end = text.data() + text.size();
  const auto [at, error] = std::from_chars(text.data(), end, number);
  if (error == std::errc() && number > -1'000'000'000 && number < 1'000'000'000) {
    const std::string_view suffix(at, static_cast<size_t>(end - at));
    if (suffix.empty()) return from_int(number);
    if (suffix == "m") return from_milli(number);
    if (suffix == "Ki") return from_int(number << 10, Form::kBinarySi);
    if (suffix == "Mi") return from_int(number << 20, Form::kBinarySi);
    if (suffix == "Gi") return from_int(number << 30, Form::kBinarySi);
  }
  return parse(text).value_or(QuantityValue());
}

std::string QuantityValue::to_string() const {
  Decimal value;
  value.negative = nanos_ < 0;
  value.exponent = -9;
  for (Wide rest = nanos_ < 0 ? -nanos_ : nanos_; rest > 0; rest /= 10) {
    value.digits += static_cast<char>('0' + static_cast<int>(rest % 10));
  }
  std::ranges::reverse(value.digits);
  return canonical(std::move(value), form_);
}

int64_t QuantityValue::scaled(int64_t unit) const {
  Wide result = nanos_ / unit;
  if (nanos_ % unit != 0) result += nanos_ > 0 ? 1 : -1;
  return static_cast<int64_t>(std::clamp<Wide>(result, INT64_MIN, INT64_MAX));
}

bool QuantityValue::as_int64(int64_t& value) const {
  if (nanos_ % kNano != 0 || nanos_ / kNano > INT64_MAX || nanos_ / kNano < INT64_MIN) return false;
  value = static_cast<int64_t>(nanos_ / kNano);
  return true;
}

double QuantityValue::approximate() const { return static_cast<double>(nanos_) / static_cast<double>(kNano); }

QuantityValue& QuantityValue::operator+=(const QuantityValue& other) {
  if (nanos_ == 0) form_ = other.form_;
  nanos_ = saturating_add(nanos_, other.nanos_);
  return *this;
}

QuantityValue& QuantityValue::operator-=(const QuantityValue& other) { return *this += -other; }

QuantityValue QuantityValue::operator-() const {
  QuantityValue result = *this;
  result.nanos_ = -nanos_;
  return result;
}

base::Result<Quantity> parse_quantity(std::string_view text) {
  constexpr std::string_view kSpace = " \t\n\v\f\r";
  const size_t first = text.find_first_not_of(kSpace);
  if (first == std::string_view::npos) return bad_quantity("");
  text = text.substr(first, text.find_last_not_of(kSpace) - first + 1);
  Pieces pieces;
  if (!parse_pieces(text, pieces)) return bad_quantity(text);
  if (text == "0") return Quantity{"0"};
  if (keeps_text(pieces)) return Quantity{std::string(text)};
  const Decimal value = evaluate(pieces);
  return Quantity{canonical(value, pieces.form)};
}

}  // namespace object
