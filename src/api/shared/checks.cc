#include "api/shared/checks.h"

#include <algorithm>
#include <cctype>

#include "object/json.h"
#include "object/names.h"

namespace api {

void check_positive(int64_t value, const FieldPath& path, FieldErrors& errors) {
  if (value <= 0) errors.invalid(path, value, "must be greater than 0");
}

void check_enum(std::string_view value, const FieldPath& path, FieldErrors& errors,
                std::initializer_list<std::string_view> supported) {
  if (value.empty()) return errors.required(path);
  if (std::ranges::find(supported, value) == supported.end()) errors.not_supported(path, value, supported);
}

void check_non_special_ip(std::string_view text, const FieldPath& path, FieldErrors& errors) {
  object::IpAddress ip;
  if (!object::parse_ip(text, ip)) return errors.invalid(path, text, "must be a valid IP address");
  auto all_zero = [&](size_t count) {
    return std::all_of(ip.bytes, ip.bytes + count, [](uint8_t b) { return b == 0; });
  };
  const uint8_t* b = ip.bytes;
  if (all_zero(ip.size)) errors.invalid(path, text, "may not be unspecified (" + std::string(text) + ")");
  if (ip.is_v4() ? b[0] == 127 : all_zero(15) && b[15] == 1) {
    errors.invalid(path, text, "may not be in the loopback range (127.0.0.0/8, ::1/128)");
  }
  if (ip.is_v4() ? b[0] == 169 && b[1] == 254 : b[0] == 0xfe && (b[1] & 0xc0) == 0x80) {
    errors.invalid(path, text, "may not be in the link-local range (169.254.0.0/16, fe80::/10)");
  }
  if (ip.is_v4() ? b[0] == 224 && b[1] == 0 && b[2] == 0 : b[0] == 0xff && (b[1] & 0x0f) == 0x02) {
    errors.invalid(path, text, "may not be in the link-local multicast range (224.0.0.0/24, ff02::/10)");
  }
}

void check_domain_prefixed_path(std::string_view text, const FieldPath& path, FieldErrors& errors) {
  if (text.empty()) return errors.required(path);
  const size_t slash = text.find('/');
  if (slash == std::string_view::npos || slash == 0 || slash + 1 == text.size()) {
    return errors.invalid(path, text, "must be a domain-prefixed path (such as \"acme.io/foo\")");
  }
  const std::string_view host = text.substr(0, slash), rest = text.substr(slash + 1);
  errors.invalid_each(path, host, object::validate_dns1123_subdomain(host));
  constexpr std::string_view kOthers = "/-._~%!$&'()*+,;=:";
  const bool valid = std::ranges::all_of(rest, [&](unsigned char c) {
    return (c < 0x80 && std::isalnum(c)) || kOthers.find(static_cast<char>(c)) != std::string_view::npos;
  });
  if (!valid) {
    errors.invalid(path, rest, "Invalid path (e.g. regex used for validation is '[A-Za-z0-9/\\-._~%!$&'()*+,;=:]+')");
  }
}

void check_int_or_percent(const object::IntOrString& value, const FieldPath& path, FieldErrors& errors) {
  if (!value.is_string()) return validate_not_negative(value.int_val, path, errors);
  errors.invalid_each(path, value.str_val, object::validate_percent(value.str_val));
}

void check_not_over_100_percent(const object::IntOrString& value, const FieldPath& path, FieldErrors& errors) {
  if (!value.is_string() || !object::validate_percent(value.str_val).empty()) return;
  if (int_or_percent_number(value) > 100) errors.invalid(path, value.str_val, "must not be greater than 100%");
}

int int_or_percent_number(const object::IntOrString& value) {
  if (!value.is_string()) return value.int_val;
  if (!object::validate_percent(value.str_val).empty()) return 0;
  int64_t number = 0;
  for (char c : value.str_val) {
    if (c >= '0' && c <= '9') number = std::min<int64_t>(number * 10 + (c - '0'), 1 << 30);
  }
  return static_cast<int>(number);
}

BadValue bad_int_or_string(const object::IntOrString& value) {
  return value.is_string() ? BadValue(value.str_val) : BadValue(value.int_val);
}

std::string int_or_string_text(const object::IntOrString& value) {
  return value.is_string() ? value.str_val : std::to_string(value.int_val);
}

BadValue shown(const base::Box<meta::v1::LabelSelector>& selector) {
  return selector ? shown(*selector) : BadValue::verbatim("null");
}

BadValue shown_json(const object::Value& value) { return BadValue::verbatim(object::to_json(value)); }

std::string changed_members(std::string_view type, std::initializer_list<ChangedMember> members) {
  std::string out = "  core." + std::string(type) + "{";
  std::string_view separator = "";
  for (const ChangedMember& member : members) {
    if (member.same) continue;
    out.append(separator).append(member.name);
    separator = ", ";
  }
  return out + "}";
}

}  // namespace api
