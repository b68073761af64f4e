// IP addresses and prefixes of object/names.h.
#include <algorithm>
#include <charconv>
#include <cstring>

#include "object/names.h"

namespace object {
namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }

bool parse_v4(std::string_view text, uint8_t* bytes, IpSyntax syntax) {
  for (int part = 0; part < 4; ++part) {
    if (part > 0) {
      if (!text.starts_with('.')) return false;
      text.remove_prefix(1);
    }
    unsigned value = 0;
    size_t digits = 0;
    for (; digits < text.size() && is_digit(text[digits]); ++digits) {
      value = value * 10 + static_cast<unsigned>(text[digits] - '0');
      if (value > 255) return false;
    }
    if (digits == 0 || (syntax == IpSyntax::kStrict && digits > 1 && text[0] == '0')) return false;
    bytes[part] = static_cast<uint8_t>(value);
    text.remove_prefix(digits);
  }
  return text.empty();
}

// Groups of hexadecimal digits, one "::", an IPv4 tail; no zone.
bool parse_v6(std::string_view text, uint8_t* bytes, IpSyntax syntax) {
  int at = 0;         // bytes written
  int ellipsis = -1;  // where "::" stands
  if (text.starts_with("::")) {
    ellipsis = 0;
    text.remove_prefix(2);
  }
  while (!text.empty()) {
    if (at == 16) return false;
    unsigned value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, 16);
    const auto length = static_cast<size_t>(end - text.data());
    if (error != std::errc() || length == 0 || value > 0xFFFF || (syntax == IpSyntax::kStrict && length > 4)) {
      return false;
    }
    if (length < text.size() && text[length] == '.') {
      if ((ellipsis < 0 && at != 12) || at > 12 || !parse_v4(text, bytes + at, syntax)) return false;
      at += 4;
      text = {};
      break;
    }
    bytes[at++] = static_cast<uint8_t>(value >> 8);
    bytes[at++] = static_cast<uint8_t>(value);
    text.remove_prefix(length);
    if (text.empty()) break;
    if (text[0] != ':' || text.size() == 1) return false;
    text.remove_prefix(1);
    if (text[0] == ':') {
      if (ellipsis >= 0) return false;
      ellipsis = at;
      text.remove_prefix(1);
    }
  }
  if (ellipsis < 0) return at == 16;
  if (at == 16) return false;  // "::" stands for at least one group
  const int tail = at - ellipsis;
  std::memmove(bytes + 16 - tail, bytes + ellipsis, static_cast<size_t>(tail));
  std::memset(bytes + ellipsis, 0, static_cast<size_t>(16 - at));
  return true;
}

bool is_mapped(const uint8_t* bytes) {
  return std::all_of(bytes, bytes + 10, [](uint8_t b) { return b == 0; }) && bytes[10] == 0xFF && bytes[11] == 0xFF;
}

void append_hex(std::string& out, unsigned value) {
  char digits[8];
  out.append(digits, std::to_chars(digits, digits + sizeof(digits), value, 16).ptr);
}

bool parse_bits(std::string_view text, int limit, IpSyntax syntax, int& bits) {
  if (text.empty() || text.size() > 6 || !std::ranges::all_of(text, is_digit)) return false;
  if (syntax == IpSyntax::kStrict && text.size() > 1 && text[0] == '0') return false;
  std::from_chars(text.data(), text.data() + text.size(), bits);
  return bits <= limit;
}

}  // namespace

bool parse_ip(std::string_view text, IpAddress& address, IpSyntax syntax) {
  address = {};
  if (text.find(':') == std::string_view::npos) {
    address.size = 4;
    return parse_v4(text, address.bytes, syntax);
  }
  if (!parse_v6(text, address.bytes, syntax)) return false;
  address.size = 16;
  if (is_mapped(address.bytes)) {
    if (syntax == IpSyntax::kStrict) return false;
    std::memcpy(address.bytes, address.bytes + 12, 4);
    std::memset(address.bytes + 4, 0, 12);
    address.size = 4;
  }
  return true;
}

bool parse_cidr(std::string_view text, IpPrefix& prefix, IpSyntax syntax) {
  const size_t slash = text.find('/');
  if (slash == std::string_view::npos || !parse_ip(text.substr(0, slash), prefix.address, syntax)) return false;
  const bool wide = text.find(':') < slash;
  if (!parse_bits(text.substr(slash + 1), wide ? 128 : 32, syntax, prefix.bits)) return false;
  if (wide && prefix.address.is_v4()) {  // IPv4-mapped: the mask counts from the mapped form
    if (prefix.bits < 96) return false;
    prefix.bits -= 96;
  }
  return true;
}

IpAddress IpPrefix::network() const {
  IpAddress result = address;
  for (int i = 0; i < result.size; ++i) {
    const int kept = std::clamp(bits - i * 8, 0, 8);
    result.bytes[i] &= static_cast<uint8_t>(0xFF00 >> kept);
  }
  return result;
}

bool IpPrefix::contains(const IpAddress& ip) const {
  return ip.size == address.size && IpPrefix{ip, bits}.network() == network();
}

std::string format_ip(const IpAddress& address) {
  std::string out;
  if (address.is_v4()) {
    for (int i = 0; i < 4; ++i) out.append(i == 0 ? "" : ".").append(std::to_string(address.bytes[i]));
    return out;
  }
  unsigned groups[8];
  for (int i = 0; i < 8; ++i) groups[i] = static_cast<unsigned>(address.bytes[i * 2] << 8 | address.bytes[i * 2 + 1]);
  int best = -1, best_length = 1;  // the longest run of zeros, the first of equals, at least two
  for (int i = 0; i < 8; ++i) {
    int length = 0;
    while (i + length < 8 && groups[i + length] == 0) ++length;
    if (length > best_length) {
      best = i;
      best_length = length;
    }
    i += length;
  }
  for (int i = 0; i < 8;) {
    if (i == best) {
      out += "::";
      i += best_length;
      continue;
    }
    if (!out.empty() && out.back() != ':') out += ':';
    append_hex(out, groups[i++]);
  }
  return out;
}

std::string format_cidr(const IpPrefix& prefix) {
  return format_ip(prefix.address) + '/' + std::to_string(prefix.bits);
}

Messages validate_ip(std::string_view text) {
  IpAddress address;
  if (parse_ip(text, address)) return {};
  return {"must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)"};
}

Messages validate_ip_strict(std::string_view text) {
  IpAddress address;
  if (parse_ip(text, address, IpSyntax::kStrict)) return {};
  if (!parse_ip(text, address)) return validate_ip(text);
  if (text.find(':') == std::string_view::npos) return {"must not have leading 0s"};
  return {"must not be an IPv4-mapped IPv6 address"};
}

Messages validate_cidr(std::string_view text) {
  IpPrefix prefix;
  if (parse_cidr(text, prefix)) return {};
  return {"must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)"};
}

Messages validate_cidr_strict(std::string_view text) {
  IpPrefix prefix;
  Messages messages = validate_cidr(text);
  if (!messages.empty()) return messages;
  const size_t slash = text.find('/');
  if (!parse_ip(text.substr(0, slash), prefix.address, IpSyntax::kStrict)) {
    messages.emplace_back(text.find(':') == std::string_view::npos ? "must not have leading 0s in IP"
                                                                   : "must not have an IPv4-mapped IPv6 address");
  }
  if (text.substr(slash + 1).size() > 1 && text[slash + 1] == '0') {
    messages.emplace_back("must not have leading 0s in prefix length");
  }
  parse_cidr(text, prefix);
  if (prefix.network() != prefix.address) messages.emplace_back("must not have bits set beyond the prefix length");
  return messages;
}

}  // namespace object
