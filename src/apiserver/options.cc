#include "apiserver/options.h"

#include <charconv>

#include "net/http.h"
#include "object/field_error.h"

namespace apiserver {
namespace {

base::Result<int64_t> parse_int(std::string_view text) {
  int64_t value = 0;
  std::string_view digits = text.starts_with('+') ? text.substr(1) : text;
  auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
  if (error == std::errc::result_out_of_range) {
    return base::fail(base::Reason::kBadRequest,
                      "strconv.ParseInt: parsing \"" + std::string(text) + "\": value out of range");
  }
  if (error != std::errc() || end != digits.data() + digits.size() || digits.empty()) {
    return base::fail(base::Reason::kBadRequest,
                      "strconv.ParseInt: parsing \"" + std::string(text) + "\": invalid syntax");
  }
  return value;
}

// Compat: upstream's query conversion: "false" and "0" are false, anything else that is there is true.
bool parse_bool(std::string_view text) { return text != "0" && !net::equal_ignore_case(text, "false"); }

constexpr std::string_view kMeta = "meta.k8s.io";

// "" or what is wrong with the first character that cannot be printed. Compat: the position counts bytes.
std::string unprintable(std::string_view text) {
  for (size_t i = 0; i < text.size(); ++i) {
    const auto c = static_cast<unsigned char>(text[i]);
    if (c >= 0x20 && c != 0x7f) continue;
    constexpr std::string_view kHex = "0123456789ABCDEF";
    return std::string("invalid character U+00") + kHex[c >> 4] + kHex[c & 15] + " (at position " + std::to_string(i) +
           ")";
  }
  return "";
}

// Compat: the manager of a client that names none is the part of its user agent before the slash.
std::string default_manager(std::string_view user_agent) {
  std::string_view name = user_agent.substr(0, user_agent.find('/'));
  return std::string(name.substr(0, 128));
}

}  // namespace

base::Result<void> check_dry_run(const Query& query, object::FieldErrors& errors, DryRun& dry_run) {
  object::Array given;
  bool known = true;
  for (std::string_view value : query.all("dryRun")) {
    given.emplace_back(value);
    known = known && value == "All";
    dry_run = DryRun::kYes;
  }
  // Compat: the message shows the whole list.
  if (!known) errors.not_supported(object::FieldPath("dryRun"), object::Value(std::move(given)), {"All"});
  return {};
}

base::Result<WriteOptions> parse_write_options(std::string_view kind, const Query& query, std::string_view user_agent) {
  WriteOptions options;
  object::FieldErrors errors;
  if (query.has("force")) options.force = parse_bool(query.get("force"));
  options.field_manager = query.get("fieldManager");
  const object::FieldPath manager("fieldManager");
  if (options.field_manager.size() > 128) errors.too_long(manager, 128);
  if (const std::string fault = unprintable(options.field_manager); !fault.empty())
    errors.invalid(manager, options.field_manager, fault);
  TRY(check_dry_run(query, errors, options.dry_run));
  const std::string_view validation = query.get("fieldValidation");
  if (validation == "Ignore") {
    options.field_validation = FieldValidation::kIgnore;
  } else if (validation == "Strict") {
    options.field_validation = FieldValidation::kStrict;
  } else if (!validation.empty() && validation != "Warn") {
    errors.not_supported(object::FieldPath("fieldValidation"), validation, {"", "Ignore", "Strict", "Warn"});
  }
  if (!errors.empty()) return base::fail(object::invalid_error(kMeta, kind, "", errors));
  if (options.field_manager.empty()) options.field_manager = default_manager(user_agent);
  return options;
}

base::Result<ListOptions> parse_list_options(const Query& query, ListUse use) {
  ListOptions options;
  const auto integer = [&](std::string_view name) -> base::Result<std::optional<int64_t>> {
    if (query.get(name).empty()) return std::nullopt;
    TRY_ASSIGN(int64_t value, parse_int(query.get(name)));
    return value;
  };
  TRY_ASSIGN(options.labels, object::LabelSelector::parse(query.get("labelSelector")));
  TRY_ASSIGN(options.fields, object::FieldSelector::parse(query.get("fieldSelector")));
  TRY_ASSIGN(options.timeout_seconds, integer("timeoutSeconds"));
  TRY_ASSIGN(auto limit, integer("limit"));
  options.limit = limit.value_or(0);
  options.continue_token = query.get("continue");
  options.resource_version = query.get("resourceVersion");
  if (query.has("allowWatchBookmarks") && parse_bool(query.get("allowWatchBookmarks")))
    options.bookmarks = Bookmarks::kYes;
  if (query.has("sendInitialEvents")) options.send_initial_events = parse_bool(query.get("sendInitialEvents"));

  object::FieldErrors errors;
  const object::FieldPath match_path("resourceVersionMatch");
  const std::string_view match = query.get("resourceVersionMatch");
  if (use == ListUse::kWatch || use == ListUse::kPlainWatch) {
    if (options.send_initial_events) {
      if (match != "NotOlderThan")
        errors.forbidden(match_path, "sendInitialEvents requires setting resourceVersionMatch to NotOlderThan");
      if (use == ListUse::kPlainWatch) {
        errors.forbidden(object::FieldPath("sendInitialEvents"),
                         "sendInitialEvents is forbidden for watch unless the WatchList feature gate is enabled");
      }
      if (!match.empty() && match != "NotOlderThan") errors.not_supported(match_path, match, {"NotOlderThan"});
    } else if (!match.empty()) {
      errors.forbidden(match_path, "resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided");
    }
  } else {
    if (options.send_initial_events) {
      errors.forbidden(object::FieldPath("sendInitialEvents"), "sendInitialEvents is forbidden for list");
    }
    if (!match.empty()) {
      if (options.resource_version.empty())
        errors.forbidden(match_path, "resourceVersionMatch is forbidden unless resourceVersion is provided");
      if (!options.continue_token.empty())
        errors.forbidden(match_path, "resourceVersionMatch is forbidden when continue is provided");
      if (match != "Exact" && match != "NotOlderThan")
        errors.not_supported(match_path, match, {"Exact", "NotOlderThan"});
      if (match == "Exact" && options.resource_version == "0") {
        errors.forbidden(match_path, "resourceVersionMatch \"exact\" is forbidden for resourceVersion \"0\"");
      }
    }
  }
  if (!errors.empty()) return base::fail(object::invalid_error(kMeta, "ListOptions", "", errors));
  if (match == "Exact") options.match = VersionMatch::kExact;
  if (match == "NotOlderThan") options.match = VersionMatch::kNotOlderThan;
  return options;
}

base::Result<uint64_t> parse_resource_version(std::string_view text) {
  if (text.empty()) return uint64_t{0};
  uint64_t value = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error == std::errc() && end == text.data() + text.size()) return value;
  const std::string quoted = "\"" + std::string(text) + "\"";
  // Compat: upstream lets this parse error through as an error without a reason: 500.
  return base::fail(base::Reason::kUnknown,
                    "resourceVersion: Invalid value: " + quoted + ": strconv.ParseUint: parsing " + quoted +
                        (error == std::errc::result_out_of_range ? ": value out of range" : ": invalid syntax"));
}

}  // namespace apiserver
