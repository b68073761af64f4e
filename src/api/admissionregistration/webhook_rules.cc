#include "api/admissionregistration/webhook_rules.h"

#include <algorithm>
#include <set>

#include "api/admissionregistration/policy_expressions.h"
#include "api/apiextensions/compiled_rule.h"
#include "object/names.h"

namespace api {
namespace {

constexpr int64_t kMaxConditions = 64;

void check_list(const std::vector<std::string>& list, std::string_view others, const FieldPath& path,
                FieldErrors& errors) {
  if (list.empty()) return errors.required(path);
  if (list.size() > 1 && std::ranges::find(list, "*") != list.end()) {
    errors.invalid(path, shown(list), "if '*' is present, must not specify other " + std::string(others));
  }
  for (size_t i = 0; i < list.size(); ++i) {
    if (list[i].empty() && others != "API groups") errors.required(path.index(i));
  }
}

// https://host[/path]
void check_url(const std::string& url, const FieldPath& path, FieldErrors& errors) {
  constexpr std::string_view kForm = "; desired format: https://host[/path]";
  auto invalid = [&](std::string_view part, std::string_view what) {
    errors.invalid(path, part, std::string(what) + std::string(kForm));
  };
  const size_t colon = url.find("://");
  const std::string_view scheme = colon == std::string::npos ? "" : std::string_view(url).substr(0, colon);
  if (scheme != "https") invalid(scheme, "'https' is the only allowed URL scheme");
  std::string_view rest = colon == std::string::npos ? std::string_view() : std::string_view(url).substr(colon + 3);
  std::string_view fragment, query;
  if (const size_t hash = rest.find('#'); hash != std::string_view::npos) {
    fragment = rest.substr(hash + 1);
    rest = rest.substr(0, hash);
  }
  if (const size_t mark = rest.find('?'); mark != std::string_view::npos) {
    query = rest.substr(mark + 1);
    rest = rest.substr(0, mark);
  }
  std::string_view host = rest.substr(0, rest.find('/'));
  std::string_view user;
  if (const size_t at = host.rfind('@'); at != std::string_view::npos) {
    user = host.substr(0, at);
    host = host.substr(at + 1);
  }
  if (host.empty()) invalid(host, "host must be specified");
  if (!user.empty()) errors.invalid(path, user, "user information is not permitted in the URL");
  if (!fragment.empty()) errors.invalid(path, fragment, "fragments are not permitted in the URL");
  if (!query.empty()) errors.invalid(path, query, "query parameters are not permitted in the URL");
}

void check_service(const admissionregistration::v1::ServiceReference& service, const FieldPath& path,
                   FieldErrors& errors) {
  // Compat: upstream takes the one for the other.
  if (service.namespace_.empty()) errors.required(path.child("name"));
  if (service.name.empty()) errors.required(path.child("namespace"));
  for (const auto& message : object::validate_port_number(service.port.value_or(443))) {
    errors.invalid(path.child("port"), service.port.value_or(443), "port is not valid: " + message);
  }
  if (!service.path || *service.path == "/" || service.path->empty()) return;
  const FieldPath url_path = path.child("path");
  std::string_view rest = *service.path;
  if (rest == "//") return errors.invalid(url_path, *service.path, "segment[0] may not be empty");
  if (!rest.starts_with('/')) errors.invalid(url_path, *service.path, "must start with a '/'");
  rest.remove_prefix(1);
  if (rest.ends_with('/')) rest.remove_suffix(1);
  for (size_t i = 0, start = 0; start <= rest.size(); ++i) {
    const size_t end = std::min(rest.find('/', start), rest.size());
    const std::string_view segment = rest.substr(start, end - start);
    const std::string label = "segment[" + std::to_string(i) + "]";
    if (segment.empty()) {
      errors.invalid(url_path, *service.path, label + " may not be empty");
    } else {
      for (const auto& message : object::validate_dns1123_subdomain(segment)) {
        errors.invalid(url_path, *service.path, label + ": " + message);
      }
    }
    start = end + 1;
  }
}

// "pods", "pods/log", "pods/*", "*/scale", "*", "*/*"
void check_resources(const std::vector<std::string>& resources, const FieldPath& path, FieldErrors& errors) {
  if (resources.empty()) errors.required(path);
  std::set<std::string> of_resource, of_subresource;  // x/* and */x
  bool double_wildcard = false, wildcard = false, plain = false;
  for (size_t i = 0; i < resources.size(); ++i) {
    const std::string& text = resources[i];
    if (text.empty()) {
      errors.required(path.index(i));
      continue;
    }
    double_wildcard = double_wildcard || text == "*/*";
    wildcard = wildcard || text == "*";
    const size_t slash = text.find('/');
    if (slash == std::string::npos) {
      plain = text != "*";  // Compat: the last one decides
      continue;
    }
    const std::string resource = text.substr(0, slash), subresource = text.substr(slash + 1);
    if (of_resource.contains(resource)) {
      errors.invalid(path.index(i), text, "if '" + resource + "/*' is present, must not specify " + text);
    }
    if (of_subresource.contains(subresource)) {
      errors.invalid(path.index(i), text, "if '*/" + subresource + "' is present, must not specify " + text);
    }
    if (subresource == "*") of_resource.insert(resource);
    if (resource == "*") of_subresource.insert(subresource);
  }
  if (resources.size() > 1 && double_wildcard) {
    errors.invalid(path, shown(resources), "if '*/*' is present, must not specify other resources");
  }
  if (wildcard && plain) {
    errors.invalid(path, shown(resources), "if '*' is present, must not specify other resources without subresources");
  }
}

void check_named_rule(const admissionregistration::v1::NamedRuleWithOperations& rule, const FieldPath& path,
                      FieldErrors& errors) {
  const FieldPath names = path.child("resourceNames");
  std::set<std::string_view> seen;
  for (size_t i = 0; i < rule.resource_names.size(); ++i) {
    const std::string& name = rule.resource_names[i];
    errors.invalid_each(names.index(i), name, object::validate_path_segment_name(name));
    if (!seen.insert(name).second) errors.duplicate(names.index(i), name);
  }
  validate_rule(rule.rule_with_operations, path, errors);
}

}  // namespace

void set_rule_defaults(RuleWithOperations& rule) {
  if (!rule.rule.scope) rule.rule.scope = "*";
}

void validate_rule(const RuleWithOperations& rule, const FieldPath& path, FieldErrors& errors) {
  const FieldPath operations = path.child("operations");
  check_list(rule.operations, "operations", operations, errors);
  for (size_t i = 0; i < rule.operations.size(); ++i) {
    check_enum(rule.operations[i], operations.index(i), errors, {"*", "CONNECT", "CREATE", "DELETE", "UPDATE"});
  }
  check_list(rule.rule.api_groups, "API groups", path.child("apiGroups"), errors);
  check_list(rule.rule.api_versions, "API versions", path.child("apiVersions"), errors);
  check_resources(rule.rule.resources, path.child("resources"), errors);
  if (rule.rule.scope) check_enum(*rule.rule.scope, path.child("scope"), errors, {"*", "Cluster", "Namespaced"});
}

void validate_match_conditions(const std::vector<MatchCondition>& conditions, const std::vector<MatchCondition>& stored,
                               HasParams params, const FieldPath& path, FieldErrors& errors) {
  const auto count = static_cast<int64_t>(conditions.size());
  if (count > kMaxConditions) errors.too_many(path, count, kMaxConditions);
  PolicyExpressions expressions;
  PolicyExpressions::Use use{.names = PolicyExpressions::kAuthorizer};
  if (params == HasParams::kYes) use.names |= PolicyExpressions::kParams;
  std::set<std::string_view> seen;
  for (size_t i = 0; i < conditions.size(); ++i) {
    const FieldPath item = path.index(i), name = item.child("name"), expression = item.child("expression");
    const std::string text = without_surrounding_space(conditions[i].expression);
    if (text.empty()) {
      errors.required(expression);
    } else {
      const bool known = std::ranges::find(stored, text, &MatchCondition::expression) != stored.end();
      use.language = known ? PolicyExpressions::Language::kStored : PolicyExpressions::Language::kNew;
      expressions.check(text, use, expression, errors);
    }
    if (conditions[i].name.empty()) {
      errors.required(name);
    } else {
      errors.invalid_each(name, conditions[i].name, object::validate_qualified_name(conditions[i].name));
      if (!seen.insert(conditions[i].name).second) errors.duplicate(name, conditions[i].name);
    }
  }
}

void validate_failure_policy(const std::optional<std::string>& policy, const FieldPath& path, FieldErrors& errors) {
  if (policy) check_enum(*policy, path, errors, {"Fail", "Ignore"});
}

void validate_client_config(const admissionregistration::v1::WebhookClientConfig& config, const FieldPath& path,
                            FieldErrors& errors) {
  if (bool(config.url) == bool(config.service)) {
    errors.required(path, "exactly one of url or service is required");
  } else if (config.url) {
    check_url(*config.url, path.child("url"), errors);
  } else {
    check_service(*config.service, path.child("service"), errors);
  }
}

void validate_review_versions(const std::vector<std::string>& versions, const FieldPath& path, FieldErrors& errors) {
  if (versions.empty()) return errors.required(path, "must specify one of v1, v1beta1");
  std::set<std::string_view> seen;
  bool accepted = false;
  for (size_t i = 0; i < versions.size(); ++i) {
    if (!seen.insert(versions[i]).second) errors.invalid(path.index(i), versions[i], "duplicate version");
    errors.invalid_each(path.index(i), versions[i], object::validate_dns1035_label(versions[i]));
    accepted = accepted || versions[i] == "v1" || versions[i] == "v1beta1";
  }
  if (!accepted) errors.invalid(path, shown(versions), "must include at least one of v1, v1beta1");
}

void set_match_resources_defaults(admissionregistration::v1::MatchResources& match) {
  if (!match.match_policy) match.match_policy = "Equivalent";
  match.namespace_selector.ensure();
  match.object_selector.ensure();
  for (auto& rule : match.resource_rules) set_rule_defaults(rule.rule_with_operations);
  for (auto& rule : match.exclude_resource_rules) set_rule_defaults(rule.rule_with_operations);
}

void validate_match_resources(const admissionregistration::v1::MatchResources& match, const FieldPath& path,
                              FieldErrors& errors) {
  check_enum(match.match_policy.value_or(""), path.child("matchPolicy"), errors, {"Equivalent", "Exact"});
  if (!match.namespace_selector) {
    errors.required(path.child("namespaceSelector"));
  } else {
    validate_label_selector(*match.namespace_selector, path.child("namespaceSelector"), errors);
  }
  if (!match.object_selector) {
    errors.required(path.child("objectSelector"));
  } else {
    validate_label_selector(*match.object_selector, path.child("objectSelector"), errors);
  }
  const FieldPath rules = path.child("resourceRules"), excluded = path.child("excludeResourceRules");
  for (size_t i = 0; i < match.resource_rules.size(); ++i) {
    check_named_rule(match.resource_rules[i], rules.index(i), errors);
  }
  for (size_t i = 0; i < match.exclude_resource_rules.size(); ++i) {
    check_named_rule(match.exclude_resource_rules[i], excluded.index(i), errors);
  }
}

}  // namespace api
