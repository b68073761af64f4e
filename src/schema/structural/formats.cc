#include "schema/structural/formats.h"

#include <re2/re2.h>

#include <algorithm>
#include <array>
#include <string>
#include <vector>

#include "object/names.h"
#include "object/time.h"

namespace schema {
namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_hex(char c) { return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F'); }
bool is_alpha(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
bool all_digits(std::string_view text) { return !text.empty() && std::ranges::all_of(text, is_digit); }

bool matches(std::string_view text, const re2::RE2& expression) {
  return re2::RE2::FullMatch(re2::StringPiece(text.data(), text.size()), expression);
}

// Eight, four, four, four and twelve hexadecimal digits with optional dashes; `version` and `variant` 0: any.
bool is_uuid(std::string_view text, char version, std::string_view variants) {
  static constexpr std::array<size_t, 5> kGroups{8, 4, 4, 4, 12};
  size_t at = 0;
  for (size_t group = 0; group < kGroups.size(); ++group) {
    if (group > 0 && at < text.size() && text[at] == '-') ++at;
    if (text.size() - at < kGroups[group]) return false;
    const std::string_view part = text.substr(at, kGroups[group]);
    if (!std::ranges::all_of(part, is_hex)) return false;
    if (group == 2 && version != 0 && part[0] != version) return false;
    if (group == 3 && !variants.empty() && variants.find(part[0]) == std::string_view::npos) return false;
    at += kGroups[group];
  }
  return at == text.size();
}

bool is_date(std::string_view text) {
  if (text.size() != 10 || text[4] != '-' || text[7] != '-') return false;
  // The calendar is parse_time's.
  return object::parse_time(std::string(text) + "T00:00:00Z").has_value();
}

// Compat: the time is checked loosely: a separator before the fraction may be any character.
bool is_date_time(std::string_view text) {
  if (text.size() < 4) return false;
  std::string lower(text);
  std::ranges::transform(lower, lower.begin(), [](char c) { return c >= 'A' && c <= 'Z' ? char(c + 32) : c; });
  const size_t middle = lower.find('t');
  if (middle == std::string::npos || !is_date(std::string_view(lower).substr(0, middle))) return false;
  std::string_view time = std::string_view(lower).substr(middle + 1);
  time = time.substr(0, time.find('t'));
  const auto two = [&](size_t at, std::string_view max) {
    return time.size() >= at + 2 && is_digit(time[at]) && is_digit(time[at + 1]) && time.substr(at, 2) <= max;
  };
  if (time.size() < 9 || !two(0, "23") || time[2] != ':' || !two(3, "59") || time[5] != ':' || !two(6, "59")) {
    return false;
  }
  std::string_view rest = time.substr(8);
  const auto is_zone = [](std::string_view zone) {
    return zone == "z" || (zone.size() == 6 && (zone[0] == '+' || zone[0] == '-') && all_digits(zone.substr(1, 2)) &&
                           zone[3] == ':' && all_digits(zone.substr(4)));
  };
  if (is_zone(rest)) return true;
  size_t digits = 1;
  while (digits < rest.size() && is_digit(rest[digits])) ++digits;
  return digits > 1 && is_zone(rest.substr(digits));
}

// Go's durations, or any text with `<number> <unit>` in it: "22 ns", "3 days".
bool is_duration(std::string_view text) {
  if (object::parse_duration(text)) return true;
  static const re2::RE2 kUnit(
      "(?i)[0-9]+\\s*(?:(?:ns|us|ms|s|m|h|hr|d|w|wk|µs)(?:$|[^A-Za-zµ])|nano|micro|milli|sec|min|hour|day|week)");
  return re2::RE2::PartialMatch(re2::StringPiece(text.data(), text.size()), kUnit);
}

std::string without(std::string_view text, std::string_view characters) {
  std::string out;
  for (const char c : text) {
    if (characters.find(c) == std::string_view::npos) out += c;
  }
  return out;
}

bool is_isbn10(std::string_view text) {
  const std::string digits = without(text, " \t\n\r\f\v-");
  if (digits.size() != 10 || !all_digits(std::string_view(digits).substr(0, 9))) return false;
  if (!is_digit(digits[9]) && digits[9] != 'X') return false;
  int sum = 0;
  for (int i = 0; i < 9; ++i) sum += (i + 1) * (digits[static_cast<size_t>(i)] - '0');
  sum += 10 * (digits[9] == 'X' ? 10 : digits[9] - '0');
  return sum % 11 == 0;
}

bool is_isbn13(std::string_view text) {
  const std::string digits = without(text, " \t\n\r\f\v-");
  if (digits.size() != 13 || !all_digits(digits)) return false;
  int sum = 0;
  for (size_t i = 0; i < 12; ++i) sum += (i % 2 == 0 ? 1 : 3) * (digits[i] - '0');
  return (10 - sum % 10) % 10 == digits[12] - '0';
}

bool is_credit_card(std::string_view text) {
  std::string digits;
  for (const char c : text) {
    if (is_digit(c)) digits += c;
  }
  static const re2::RE2 kCard(
      "4[0-9]{12}(?:[0-9]{3})?|5[1-5][0-9]{14}|(?:222[1-9]|22[3-9][0-9]|2[3-6][0-9]{2}|27[01][0-9]|2720)[0-9]{12}|"
      "6(?:011|5[0-9][0-9])[0-9]{12}|3[47][0-9]{13}|3(?:0[0-5]|[68][0-9])[0-9]{11}|(?:2131|1800|35[0-9]{3})[0-9]{11}|"
      "6[27][0-9]{14}");
  if (!matches(digits, kCard)) return false;
  int sum = 0;
  for (size_t i = 0; i < digits.size(); ++i) {
    int digit = digits[digits.size() - 1 - i] - '0';
    if (i % 2 == 1) digit = digit * 2 > 9 ? digit * 2 - 9 : digit * 2;
    sum += digit;
  }
  return sum % 10 == 0;
}

// Six, eight or twenty bytes: 00:00:5e:00:53:01, 00-00-…, 0000.5e00.5301.
bool is_mac(std::string_view text) {
  const char separator = text.size() > 4 && text[4] == '.' ? '.' : text.size() > 2 ? text[2] : ' ';
  const size_t width = separator == '.' ? 4 : 2;
  if (separator != '.' && separator != ':' && separator != '-') return false;
  if ((text.size() + 1) % (width + 1) != 0) return false;
  const size_t bytes = (text.size() + 1) / (width + 1) * width / 2;
  if (bytes != 6 && bytes != 8 && bytes != 20) return false;
  for (size_t i = 0; i < text.size(); ++i) {
    const bool between = i % (width + 1) == width;
    if (between ? text[i] != separator : !is_hex(text[i])) return false;
  }
  return true;
}

// One code point that is a letter, or, where asked for, a symbol.
enum class Symbols : uint8_t { kRefused, kAllowed };
bool is_letter(std::string_view code_point, Symbols symbols) {
  if (code_point.size() == 1) {
    const char c = code_point[0];
    return is_alpha(c) ||
           (symbols == Symbols::kAllowed && std::string_view("$+<=>^`|~").find(c) != std::string_view::npos);
  }
  static const re2::RE2 kLetter("\\pL"), kLetterOrSymbol("[\\pL\\pS]");
  return matches(code_point, symbols == Symbols::kAllowed ? kLetterOrSymbol : kLetter);
}

std::vector<std::string_view> code_points(std::string_view text) {
  std::vector<std::string_view> out;
  for (size_t i = 0; i < text.size();) {
    size_t size = 1;
    while (i + size < text.size() && (static_cast<unsigned char>(text[i + size]) & 0xC0) == 0x80) ++size;
    out.push_back(text.substr(i, size));
    i += size;
  }
  return out;
}

bool is_label_character(std::string_view code_point) {
  return (code_point.size() == 1 && is_digit(code_point[0])) || is_letter(code_point, Symbols::kAllowed);
}

// The only label. Compat: one dash, after the first character.
bool is_single_label(std::string_view text) {
  const auto points = code_points(text);
  if (points.empty() || !is_label_character(points[0])) return false;
  const size_t rest = points.size() > 1 && points[1] == "-" ? 2 : 1;
  return points.size() - rest <= 62 &&
         std::all_of(points.begin() + static_cast<ptrdiff_t>(rest), points.end(), is_label_character);
}

bool is_label(std::string_view text) {
  const auto points = code_points(text);
  const auto inside = [](std::string_view point) { return point == "-" || is_label_character(point); };
  return !points.empty() && points.size() <= 63 && is_label_character(points.front()) &&
         is_label_character(points.back()) && std::ranges::all_of(points, inside);
}

bool is_top_level(std::string_view text) {
  const auto points = code_points(text);
  return points.size() >= 2 && points.size() <= 63 &&
         std::ranges::all_of(points, [](std::string_view point) { return is_letter(point, Symbols::kRefused); });
}

bool is_hostname(std::string_view text) {
  if (text.size() > 255) return false;
  size_t start = 0;
  while (true) {
    const size_t end = std::min(text.find('.', start), text.size());
    const std::string_view label = text.substr(start, end - start);
    if (label.size() > 63) return false;
    if (end == text.size()) return start == 0 ? is_single_label(label) : is_top_level(label);
    if (!is_label(label)) return false;
    start = end + 1;
  }
}

bool has_valid_escapes(std::string_view text) {
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') continue;
    if (i + 2 >= text.size() || !is_hex(text[i + 1]) || !is_hex(text[i + 2])) return false;
  }
  return true;
}

// What Go's url.ParseRequestURI takes: an absolute path, or a scheme and something after it.
bool is_request_uri(std::string_view text) {
  if (text.empty()) return false;
  for (const char c : text) {
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7F) return false;
  }
  if (text == "*") return true;
  const size_t colon = text.find(':');
  std::string_view rest = text;
  bool has_scheme = false;
  if (colon != std::string_view::npos && is_alpha(text[0])) {
    const auto scheme = text.substr(0, colon);
    has_scheme = std::ranges::all_of(
        scheme, [](char c) { return is_alpha(c) || is_digit(c) || c == '+' || c == '-' || c == '.'; });
    if (has_scheme) rest = text.substr(colon + 1);
  }
  if (!has_scheme && colon == 0) return false;
  rest = rest.substr(0, rest.find('?'));
  if (!rest.starts_with('/')) return has_scheme;
  if (has_scheme && rest.starts_with("//")) {
    rest.remove_prefix(2);
    const std::string_view authority = rest.substr(0, rest.find('/'));
    rest.remove_prefix(authority.size());
    const std::string_view host = authority.substr(authority.rfind('@') + 1);
    const size_t port = host.rfind(':');
    if (host.find_first_of(" <>\"\\^`{|}") != std::string_view::npos) return false;
    const bool literal = host.starts_with('[');
    if (literal && host.find(']') == std::string_view::npos) return false;
    if (port != std::string_view::npos && (!literal || host.find(']') < port) && port + 1 < host.size() &&
        !all_digits(host.substr(port + 1))) {
      return false;
    }
  }
  return has_valid_escapes(rest);
}

bool is_atom_text(std::string_view text) {
  const auto allowed = [](char c) {
    return is_alpha(c) || is_digit(c) || static_cast<signed char>(c) < 0 ||
           std::string_view("!#$%&'*+-/=?^_`{|}~.").find(c) != std::string_view::npos;
  };
  return !text.empty() && std::ranges::all_of(text, allowed) && text.front() != '.' && text.back() != '.' &&
         text.find("..") == std::string_view::npos;
}

// "a@b.c" or "Name <a@b.c>".
bool is_email(std::string_view text) {
  while (!text.empty() && text.front() == ' ') text.remove_prefix(1);
  while (!text.empty() && text.back() == ' ') text.remove_suffix(1);
  if (text.ends_with('>')) {
    const size_t open = text.rfind('<');
    if (open == std::string_view::npos) return false;
    text = text.substr(open + 1, text.size() - open - 2);
  }
  const size_t at = text.rfind('@');
  if (at == std::string_view::npos) return false;
  const std::string_view local = text.substr(0, at), domain = text.substr(at + 1);
  const bool quoted = local.size() >= 2 && local.front() == '"' && local.back() == '"';
  const bool literal = domain.size() > 2 && domain.front() == '[' && domain.back() == ']';
  return (quoted || is_atom_text(local)) && (literal || is_atom_text(domain));
}

bool is_base64(std::string_view text) {
  if (text.empty() || text.size() % 4 != 0) return false;
  const size_t padding = text.ends_with("==") ? 2 : text.ends_with('=') ? 1 : 0;
  return std::ranges::all_of(text.substr(0, text.size() - padding),
                             [](char c) { return is_alpha(c) || is_digit(c) || c == '+' || c == '/'; });
}

bool is_hex_color(std::string_view text) {
  if (text.starts_with('#')) text.remove_prefix(1);
  return (text.size() == 3 || text.size() == 6) && std::ranges::all_of(text, is_hex);
}

bool is_rgb_color(std::string_view text) {
  static const re2::RE2 kColor(
      R"(rgb\(\s*(0|[1-9]\d?|1\d\d?|2[0-4]\d|25[0-5])\s*,\s*(0|[1-9]\d?|1\d\d?|2[0-4]\d|25[0-5])\s*,\s*(0|[1-9]\d?|1\d\d?|2[0-4]\d|25[0-5])\s*\))");
  return matches(text, kColor);
}

bool is_ssn(std::string_view text) {
  static const re2::RE2 kNumber(R"(\d{3}[- ]?\d{2}[- ]?\d{4})");
  return text.size() == 11 && matches(text, kNumber);
}

bool is_ip(std::string_view text, object::IpSyntax syntax) {
  object::IpAddress address;
  return object::parse_ip(text, address, syntax);
}

struct Named {
  std::string_view name;
  Format format;
};
constexpr Named kFormats[] = {
    {"bsonobjectid", Format::kBsonObjectId},
    {"uri", Format::kUri},
    {"email", Format::kEmail},
    {"hostname", Format::kHostname},
    {"ipv4", Format::kIpv4},
    {"ipv6", Format::kIpv6},
    {"cidr", Format::kCidr},
    {"mac", Format::kMac},
    {"uuid", Format::kUuid},
    {"uuid3", Format::kUuid3},
    {"uuid4", Format::kUuid4},
    {"uuid5", Format::kUuid5},
    {"isbn", Format::kIsbn},
    {"isbn10", Format::kIsbn10},
    {"isbn13", Format::kIsbn13},
    {"creditcard", Format::kCreditCard},
    {"ssn", Format::kSsn},
    {"hexcolor", Format::kHexColor},
    {"rgbcolor", Format::kRgbColor},
    {"byte", Format::kByte},
    {"password", Format::kPassword},
    {"date", Format::kDate},
    {"duration", Format::kDuration},
    {"datetime", Format::kDateTime},
    {"k8sshortname", Format::kShortName},
    {"k8slongname", Format::kLongName},
};

}  // namespace

Format format_by_name(std::string_view name) {
  const std::string plain = without(name, "-");
  const auto* found = std::ranges::find(kFormats, plain, &Named::name);
  return found == std::end(kFormats) ? Format::kNone : found->format;
}

bool has_format(Format format, std::string_view value) {
  switch (format) {
    case Format::kNone:
    case Format::kPassword:
      return true;
    case Format::kBsonObjectId:
      return value.size() == 24 && std::ranges::all_of(value, is_hex);
    case Format::kUri:
      return is_request_uri(value);
    case Format::kEmail:
      return is_email(value);
    case Format::kHostname:
      return is_hostname(value);
    case Format::kIpv4:
      return is_ip(value, object::IpSyntax::kLegacy) && value.find('.') != std::string_view::npos;
    case Format::kIpv6:
      return is_ip(value, object::IpSyntax::kLegacy) && value.find(':') != std::string_view::npos;
    case Format::kCidr: {
      object::IpPrefix prefix;
      return object::parse_cidr(value, prefix, object::IpSyntax::kLegacy);
    }
    case Format::kMac:
      return is_mac(value);
    case Format::kUuid:
      return is_uuid(value, 0, "");
    case Format::kUuid3:
      return is_uuid(value, '3', "");
    case Format::kUuid4:
      return is_uuid(value, '4', "89abAB");
    case Format::kUuid5:
      return is_uuid(value, '5', "89abAB");
    case Format::kIsbn:
      return is_isbn10(value) || is_isbn13(value);
    case Format::kIsbn10:
      return is_isbn10(value);
    case Format::kIsbn13:
      return is_isbn13(value);
    case Format::kCreditCard:
      return is_credit_card(value);
    case Format::kSsn:
      return is_ssn(value);
    case Format::kHexColor:
      return is_hex_color(value);
    case Format::kRgbColor:
      return is_rgb_color(value);
    case Format::kByte:
      return is_base64(value);
    case Format::kDate:
      return is_date(value);
    case Format::kDuration:
      return is_duration(value);
    case Format::kDateTime:
      return is_date_time(value);
    case Format::kShortName:
      return object::is_dns1123_label(value);
    case Format::kLongName:
      return object::is_dns1123_subdomain(value);
  }
  return true;
}

}  // namespace schema
