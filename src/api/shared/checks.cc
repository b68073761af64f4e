#include "api/shared/checks.h"

#include <algorithm>
#include <cctype>
#include <set>

#include "object/json.h"
#include "object/names.h"
#include "object/time.h"

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

namespace {

bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

bool is_condition_reason(std::string_view text) {
  const auto inner = [](char c) { return is_letter(c) || (c >= '0' && c <= '9') || c == '_'; };
  return !text.empty() && is_letter(text.front()) && inner(text.back()) &&
         std::ranges::all_of(text, [&](char c) { return inner(c) || c == ',' || c == ':'; });
}

void validate_condition(const meta::v1::Condition& condition, const FieldPath& path, FieldErrors& errors) {
  constexpr size_t kMaxReason = 1024, kMaxMessage = 32768;
  const FieldPath reason = path.child("reason");
  validate_label_name(condition.type, path.child("type"), errors);
  if (condition.status != "True" && condition.status != "False" && condition.status != "Unknown") {
    errors.not_supported(path.child("status"), condition.status, {"False", "True", "Unknown"});
  }
  if (condition.observed_generation < 0) {
    errors.invalid(path.child("observedGeneration"), condition.observed_generation,
                   "must be greater than or equal to zero");
  }
  if (condition.last_transition_time.zero()) errors.required(path.child("lastTransitionTime"));
  if (condition.reason.empty()) {
    errors.required(reason);
  } else if (!is_condition_reason(condition.reason)) {
    errors.invalid(reason, condition.reason,
                   "a condition reason must start with alphabetic character, optionally followed by a string of "
                   "alphanumeric characters or '_,:', and must end with an alphanumeric character or '_' (e.g. "
                   "'my_name',  or 'MY_NAME',  or 'MyName',  or 'ReasonA,ReasonB',  or 'ReasonA:ReasonB', regex used "
                   "for validation is '[A-Za-z]([A-Za-z0-9_,:]*[A-Za-z0-9_])?')");
  }
  if (condition.reason.size() > kMaxReason) errors.too_long(reason, kMaxReason);
  if (condition.message.size() > kMaxMessage) errors.too_long(path.child("message"), kMaxMessage);
}

}  // namespace

void validate_conditions(const std::vector<meta::v1::Condition>& conditions, const FieldPath& path,
                         FieldErrors& errors) {
  std::set<std::string_view> seen;
  for (size_t i = 0; i < conditions.size(); ++i) {
    const FieldPath item = path.index(i);
    if (!seen.insert(conditions[i].type).second) errors.duplicate(item.child("type"), conditions[i].type);
    validate_condition(conditions[i], item, errors);
  }
}

BadValue shown(const std::vector<meta::v1::Condition>& conditions) {
  object::Array list;
  for (const auto& condition : conditions) {
    object::Object json;
    json.set("type", condition.type);
    json.set("status", condition.status);
    if (condition.observed_generation != 0) json.set("observedGeneration", condition.observed_generation);
    const object::Time& time = condition.last_transition_time;
    json.set("lastTransitionTime", time.zero() ? object::Value(nullptr) : object::Value(object::format_time(time)));
    json.set("reason", condition.reason);
    json.set("message", condition.message);
    list.emplace_back(std::move(json));
  }
  if (list.empty()) return BadValue::verbatim("null");
  return object::Value(std::move(list));
}

void validate_signer_name(const std::string& name, const FieldPath& path, FieldErrors& errors) {
  constexpr size_t kMaxDomain = 253, kMaxName = 571;
  if (name.empty()) return errors.required(path);
  const size_t slash = name.find('/');
  if (slash == std::string::npos || name.find('/', slash + 1) != std::string::npos) {
    return errors.invalid(path, name,
                          "must be a fully qualified domain and path of the form 'example.com/signer-name'");
  }
  const std::string domain = name.substr(0, slash), rest = name.substr(slash + 1);
  // Compat: what follows the first label that is wrong is not looked at.
  const auto check_labels = [&](const std::string& segment, object::Messages (*validate)(std::string_view)) {
    for (size_t start = 0; start <= segment.size();) {
      const size_t end = std::min(segment.find('.', start), segment.size());
      const std::string label = segment.substr(start, end - start);
      const object::Messages messages = validate(label);
      for (const auto& text : messages) errors.invalid(path, segment, "validating label \"" + label + "\": " + text);
      if (!messages.empty()) return;
      start = end + 1;
    }
  };
  if (domain.size() > kMaxDomain) errors.too_long(path, kMaxDomain);
  check_labels(domain, object::validate_dns1123_label);
  if (domain.find('.') == std::string::npos) {
    errors.invalid(path, domain, "should be a domain with at least two segments separated by dots");
  }
  check_labels(rest, object::validate_dns1123_subdomain);
  if (name.size() > kMaxName) errors.too_long(path, kMaxName);
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
