#include "object/names.h"

#include <algorithm>

namespace object {
namespace {

bool is_lower(char c) { return c >= 'a' && c <= 'z'; }
bool is_upper(char c) { return c >= 'A' && c <= 'Z'; }
bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_lower_alnum(char c) { return is_lower(c) || is_digit(c); }
bool is_alnum(char c) { return is_lower_alnum(c) || is_upper(c); }

// The texts of the regular expressions stand in messages only.
constexpr char kLabelFormat[] = "[a-z0-9]([-a-z0-9]*[a-z0-9])?";
constexpr char kSubdomainFormat[] = R"([a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*)";
constexpr char kQualifiedNameFormat[] = "([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]";

// Compat: validation.RegexError.
std::string format_message(std::string message, std::string_view format,
                           std::initializer_list<std::string_view> examples) {
  message += " (";
  bool first = true;
  for (std::string_view example : examples) {
    message.append(first ? "e.g. '" : " or '").append(example).append("', ");
    first = false;
  }
  return message.append("regex used for validation is '").append(format).append("')");
}

std::string too_long(size_t limit) { return "must be no more than " + std::to_string(limit) + " characters"; }
// Compat: labels count bytes, and say so.
constexpr std::string_view kLabelTooLong = "must be no more than 63 bytes";

// [a-z0-9]([-a-z0-9]*[a-z0-9])?
bool matches_label(std::string_view text) {
  return !text.empty() && text.front() != '-' && text.back() != '-' &&
         std::ranges::all_of(text, [](char c) { return is_lower_alnum(c) || c == '-'; });
}

// _?[a-z0-9]([-_a-z0-9]*[a-z0-9])?
bool matches_underscore_label(std::string_view text) {
  if (text.starts_with('_')) text.remove_prefix(1);
  return !text.empty() && is_lower_alnum(text.front()) && is_lower_alnum(text.back()) &&
         std::ranges::all_of(text, [](char c) { return is_lower_alnum(c) || c == '-' || c == '_'; });
}

template <typename Match>
bool all_labels(std::string_view text, Match match) {
  for (;;) {
    const size_t dot = text.find('.');
    if (!match(text.substr(0, dot))) return false;
    if (dot == std::string_view::npos) return true;
    text.remove_prefix(dot + 1);
  }
}

bool matches_subdomain(std::string_view text) { return all_labels(text, matches_label); }

bool matches_dns1035_label(std::string_view text) { return matches_label(text) && is_lower(text.front()); }

// ([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]
bool matches_name_part(std::string_view text) {
  return !text.empty() && is_alnum(text.front()) && is_alnum(text.back()) &&
         std::ranges::all_of(text, [](char c) { return is_alnum(c) || c == '-' || c == '_' || c == '.'; });
}

// Compat: names that would be or climb to another directory when a key becomes a file.
void add_dot_messages(Messages& messages, std::string_view text) {
  if (text == ".") {
    messages.emplace_back("must not be '.'");
  } else if (text == "..") {
    messages.emplace_back("must not be '..'");
  } else if (text.starts_with("..")) {
    messages.emplace_back("must not start with '..'");
  }
}

}  // namespace

bool is_dns1123_label(std::string_view text) { return text.size() <= 63 && matches_label(text); }
bool is_dns1123_subdomain(std::string_view text) { return text.size() <= 253 && matches_subdomain(text); }
bool is_dns1035_label(std::string_view text) { return text.size() <= 63 && matches_dns1035_label(text); }
bool is_label_value(std::string_view text) { return text.empty() || (text.size() <= 63 && matches_name_part(text)); }
bool is_qualified_name(std::string_view text) {
  const size_t slash = text.find('/');
  if (slash != std::string_view::npos) {
    if (!is_dns1123_subdomain(text.substr(0, slash))) return false;
    text.remove_prefix(slash + 1);
  }
  return text.size() <= 63 && matches_name_part(text);
}

Messages validate_dns1123_label(std::string_view text) {
  Messages messages;
  if (text.size() > 63) messages.push_back(too_long(63));
  if (matches_label(text)) return messages;
  if (matches_subdomain(text)) {
    messages.emplace_back("must not contain dots");
  } else {
    messages.push_back(format_message(
        "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end "
        "with an alphanumeric character",
        kLabelFormat, {"my-name", "123-abc"}));
  }
  return messages;
}

Messages validate_dns1123_subdomain(std::string_view text) {
  Messages messages;
  if (text.size() > 253) messages.push_back(too_long(253));
  if (!matches_subdomain(text)) {
    messages.push_back(format_message(
        "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start "
        "and end with an alphanumeric character",
        kSubdomainFormat, {"example.com"}));
  }
  return messages;
}

Messages validate_dns1123_subdomain_with_underscore(std::string_view text) {
  Messages messages;
  if (text.size() > 253) messages.push_back(too_long(253));
  if (!all_labels(text, matches_underscore_label)) {
    messages.push_back(format_message(
        "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '_', '-' or '.', and must "
        "start and end with an alphanumeric character",
        R"(_?[a-z0-9]([-_a-z0-9]*[a-z0-9])?(\._?[a-z0-9]([-_a-z0-9]*[a-z0-9])?)*)", {"example.com"}));
  }
  return messages;
}

Messages validate_dns1035_label(std::string_view text) {
  Messages messages;
  if (text.size() > 63) messages.push_back(too_long(63));
  if (!matches_dns1035_label(text)) {
    messages.push_back(format_message(
        "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic "
        "character, and end with an alphanumeric character",
        "[a-z]([-a-z0-9]*[a-z0-9])?", {"my-name", "abc-123"}));
  }
  return messages;
}

Messages validate_wildcard_dns1123_subdomain(std::string_view text) {
  Messages messages;
  if (text.size() > 253) messages.push_back(too_long(253));
  if (!text.starts_with("*.") || !matches_subdomain(text.substr(2))) {
    messages.push_back(format_message(
        "a wildcard DNS-1123 subdomain must start with '*.', followed by a valid DNS subdomain, which must consist of "
        "lower case alphanumeric characters, '-' or '.' and end with an alphanumeric character",
        std::string(R"(\*\.)") + kSubdomainFormat, {"*.example.com"}));
  }
  return messages;
}

Messages validate_qualified_name(std::string_view text) {
  constexpr char kConsist[] =
      " must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric "
      "character";
  Messages messages;
  const size_t slash = text.find('/');
  if (slash != std::string_view::npos) {
    if (text.find('/', slash + 1) != std::string_view::npos) {
      messages.push_back(format_message(std::string("a valid label key") + kConsist, kQualifiedNameFormat,
                                        {"MyName", "my.name", "123-abc"}) +
                         " with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')");
      return messages;
    }
    if (slash == 0) {
      messages.emplace_back("prefix part must be non-empty");
    } else {
      for (const std::string& message : validate_dns1123_subdomain(text.substr(0, slash))) {
        messages.push_back("prefix part " + message);
      }
    }
    text.remove_prefix(slash + 1);
  }
  if (text.empty()) {
    messages.emplace_back("name part must be non-empty");
  } else if (text.size() > 63) {
    messages.push_back("name part " + std::string(kLabelTooLong));
  }
  if (!matches_name_part(text)) {
    messages.push_back(
        format_message(std::string("name part") + kConsist, kQualifiedNameFormat, {"MyName", "my.name", "123-abc"}));
  }
  return messages;
}

Messages validate_label_value(std::string_view text) {
  Messages messages;
  if (text.size() > 63) messages.emplace_back(kLabelTooLong);
  if (!text.empty() && !matches_name_part(text)) {
    messages.push_back(format_message(
        "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start "
        "and end with an alphanumeric character",
        "(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?", {"MyValue", "my_value", "12345"}));
  }
  return messages;
}

Messages validate_config_map_key(std::string_view text) {
  Messages messages;
  if (text.size() > 253) messages.push_back(too_long(253));
  const auto allowed = [](char c) { return is_alnum(c) || c == '-' || c == '_' || c == '.'; };
  if (text.empty() || !std::ranges::all_of(text, allowed)) {
    messages.push_back(format_message("a valid config key must consist of alphanumeric characters, '-', '_' or '.'",
                                      "[-._a-zA-Z0-9]+", {"key.name", "KEY_NAME", "key-name"}));
  }
  add_dot_messages(messages, text);
  return messages;
}

Messages validate_env_var_name(std::string_view text) {
  Messages messages;
  const auto allowed = [](char c) { return is_alnum(c) || c == '-' || c == '_' || c == '.'; };
  if (text.empty() || is_digit(text[0]) || !std::ranges::all_of(text, allowed)) {
    messages.push_back(format_message(
        "a valid environment variable name must consist of alphabetic characters, digits, '_', '-', or '.', and must "
        "not start with a digit",
        "[-._a-zA-Z][-._a-zA-Z0-9]*", {"my.env-name", "MY_ENV.NAME", "MyEnvName1"}));
  }
  add_dot_messages(messages, text);
  return messages;
}

Messages validate_relaxed_env_var_name(std::string_view text) {
  Messages messages;
  if (text.empty()) messages.emplace_back("environment variable name must be non-empty");
  if (!std::ranges::all_of(text, [](char c) { return c >= 0x20 && c < 0x7F && c != '='; })) {
    messages.emplace_back(
        "a valid environment variable name must consist only of printable ASCII characters other than '='");
  }
  return messages;
}

Messages validate_c_identifier(std::string_view text) {
  const auto allowed = [](char c) { return is_alnum(c) || c == '_'; };
  if (!text.empty() && !is_digit(text[0]) && std::ranges::all_of(text, allowed)) return {};
  return {format_message(
      "a valid C identifier must start with alphabetic character or '_', followed by a string of alphanumeric "
      "characters or '_'",
      "[A-Za-z_][A-Za-z0-9_]*", {"my_name", "MY_NAME", "MyName"})};
}

Messages validate_port_name(std::string_view text) {
  Messages messages;
  if (text.size() > 15) messages.push_back(too_long(15));
  if (text.empty() || !std::ranges::all_of(text, [](char c) { return is_lower_alnum(c) || c == '-'; })) {
    messages.emplace_back("must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)");
  }
  if (std::ranges::none_of(text, is_lower)) messages.emplace_back("must contain at least one letter (a-z)");
  if (text.find("--") != std::string_view::npos) messages.emplace_back("must not contain consecutive hyphens");
  if (text.starts_with('-') || text.ends_with('-')) messages.emplace_back("must not begin or end with a hyphen");
  return messages;
}

Messages validate_port_number(int64_t port) {
  if (port >= 1 && port <= 65535) return {};
  return {"must be between 1 and 65535, inclusive"};
}

Messages validate_http_header_name(std::string_view text) {
  if (!text.empty() && std::ranges::all_of(text, [](char c) { return is_alnum(c) || c == '-'; })) return {};
  return {format_message("a valid HTTP header must consist of alphanumeric characters or '-'", "[-A-Za-z0-9]+",
                         {"X-Header-Name"})};
}

Messages validate_path_segment_name(std::string_view text) {
  if (text == ".") return {"may not be '.'"};
  if (text == "..") return {"may not be '..'"};
  return validate_path_segment_prefix(text);
}

Messages validate_path_segment_prefix(std::string_view text) {
  Messages messages;
  for (const char c : {'/', '%'}) {
    if (text.find(c) != std::string_view::npos) messages.push_back("may not contain '" + std::string(1, c) + "'");
  }
  return messages;
}

Messages validate_percent(std::string_view text) {
  if (text.size() >= 2 && text.ends_with('%') && std::ranges::all_of(text.substr(0, text.size() - 1), is_digit)) {
    return {};
  }
  return {format_message("a valid percent string must be a numeric string followed by an ending '%'", "[0-9]+%",
                         {"1%", "93%"})};
}

Messages validate_fully_qualified_name(std::string_view text) {
  Messages messages = validate_dns1123_subdomain(text);
  if (messages.empty() && std::ranges::count(text, '.') < 2) {
    messages.emplace_back("should be a domain with at least three segments separated by dots");
  }
  return messages;
}

}  // namespace object
