#include <algorithm>
#include <array>

#include "api/shared/cells.h"
#include "api/shared/strategy.h"
#include "gen/flowcontrol/v1.h"

namespace api {
namespace {

using flowcontrol::v1::FlowSchema;
using flowcontrol::v1::FlowSchemaSpec;
using flowcontrol::v1::Subject;

constexpr int32_t kDefaultPrecedence = 1000;
constexpr int32_t kMaxPrecedence = 10000;
constexpr std::array<std::string_view, 9> kVerbs = {"create", "delete", "deletecollection", "get",  "list",
                                                    "patch",  "proxy",  "update",           "watch"};

bool has_wildcard(const std::vector<std::string>& list) { return std::ranges::find(list, "*") != list.end(); }

void check_list(const std::vector<std::string>& list, std::string_view missing, std::string_view others,
                const FieldPath& path, FieldErrors& errors) {
  if (list.empty()) {
    errors.required(path, missing);
  } else if (has_wildcard(list) && list.size() > 1) {
    errors.invalid(path, shown(list), "if '*' is present, must not specify other " + std::string(others));
  }
}

void check_verbs(const std::vector<std::string>& verbs, const FieldPath& path, FieldErrors& errors) {
  check_list(verbs, "verbs must contain at least one value", "verbs", path, errors);
  if (has_wildcard(verbs)) return;
  std::vector<std::string> unknown;
  for (const auto& verb : verbs) {
    if (std::ranges::find(kVerbs, verb) == kVerbs.end()) unknown.push_back(verb);
  }
  if (!unknown.empty()) {
    errors.not_supported(path, shown(unknown), std::vector<std::string>(kVerbs.begin(), kVerbs.end()));
  }
}

void check_account(const flowcontrol::v1::ServiceAccountSubject& account, const FieldPath& path, FieldErrors& errors) {
  const FieldPath name = path.child("name"), name_space = path.child("namespace");
  if (account.name.empty()) {
    errors.required(name);
  } else if (account.name != "*") {
    validate_dns1123_subdomain(account.name, name, errors);
  }
  if (account.namespace_.empty()) {
    errors.required(name_space, "must specify namespace for service account");
  } else {
    validate_dns1123_label(account.namespace_, name_space, errors);
  }
}

void check_subject(const Subject& subject, const FieldPath& path, FieldErrors& errors) {
  const FieldPath user = path.child("user"), group = path.child("group");
  auto missing = [&](std::string_view field) {
    errors.required(path, std::string(field) + " is required when subject kind is '" + subject.kind + "'");
  };
  if (subject.kind == "ServiceAccount") {
    if (!subject.service_account) return missing("serviceAccount");
    check_account(*subject.service_account, path.child("serviceAccount"), errors);
  } else if (subject.kind == "User") {
    if (!subject.user) return missing("user");
    if (subject.user->name.empty()) errors.required(user.child("name"));
  } else if (subject.kind == "Group") {
    if (!subject.group) return missing("group");
    if (subject.group->name.empty()) errors.required(group.child("name"));
  } else {
    return errors.not_supported(path.child("kind"), subject.kind, {"Group", "ServiceAccount", "User"});
  }
  auto unwanted = [&](bool present, std::string_view kind, std::string_view field) {
    if (!present || subject.kind == kind) return;
    errors.forbidden(path.child(field),
                     std::string(field) + " is forbidden when subject kind is not '" + std::string(kind) + "'");
  };
  unwanted(bool(subject.service_account), "ServiceAccount", "serviceAccount");
  unwanted(bool(subject.user), "User", "user");
  unwanted(bool(subject.group), "Group", "group");
}

void check_resource_rule(const flowcontrol::v1::ResourcePolicyRule& rule, const FieldPath& path, FieldErrors& errors) {
  check_verbs(rule.verbs, path.child("verbs"), errors);
  check_list(rule.api_groups, "resource rules must supply at least one api group", "api groups",
             path.child("apiGroups"), errors);
  check_list(rule.resources, "resource rules must supply at least one resource", "resources", path.child("resources"),
             errors);
  const FieldPath namespaces = path.child("namespaces");
  if (rule.namespaces.empty()) {
    if (!rule.cluster_scope) {
      errors.required(namespaces, "resource rules that are not cluster scoped must supply at least one namespace");
    }
    return;
  }
  check_list(rule.namespaces, "", "namespaces", namespaces, errors);
  for (size_t i = 0; i < rule.namespaces.size(); ++i) {
    if (rule.namespaces[i] != "*") validate_dns1123_label(rule.namespaces[i], namespaces.index(i), errors);
  }
}

void check_rule(const flowcontrol::v1::PolicyRulesWithSubjects& rule, const FieldPath& path, FieldErrors& errors) {
  const FieldPath subjects = path.child("subjects"), resources = path.child("resourceRules");
  const FieldPath others = path.child("nonResourceRules");
  if (rule.subjects.empty()) errors.required(subjects, "subjects must contain at least one value");
  for (size_t i = 0; i < rule.subjects.size(); ++i) check_subject(rule.subjects[i], subjects.index(i), errors);
  if (rule.resource_rules.empty() && rule.non_resource_rules.empty()) {
    errors.required(path, "at least one of resourceRules and nonResourceRules has to be non-empty");
  }
  for (size_t i = 0; i < rule.resource_rules.size(); ++i) {
    check_resource_rule(rule.resource_rules[i], resources.index(i), errors);
  }
  for (size_t i = 0; i < rule.non_resource_rules.size(); ++i) {
    const FieldPath item = others.index(i);
    check_verbs(rule.non_resource_rules[i].verbs, item.child("verbs"), errors);
    check_list(rule.non_resource_rules[i].non_resource_urls, "nonResourceURLs must contain at least one value",
               "non-resource URLs", item.child("nonResourceURLs"), errors);
  }
}

Subject group_subject(const char* name) {
  Subject subject;
  subject.kind = "Group";
  subject.group.ensure().name = name;
  return subject;
}

// The two schemas that every server needs keep their specs.
FlowSchemaSpec mandatory_spec(std::string_view name) {
  FlowSchemaSpec spec;
  spec.priority_level_configuration.name = name;
  auto& rule = spec.rules.emplace_back();
  if (name == "exempt") {
    spec.matching_precedence = 1;
    rule.subjects = {group_subject("system:masters")};
  } else {
    spec.matching_precedence = kMaxPrecedence;
    spec.distinguisher_method.ensure().type = "ByUser";
    rule.subjects = {group_subject("system:unauthenticated"), group_subject("system:authenticated")};
  }
  auto& resources = rule.resource_rules.emplace_back();
  resources.verbs = resources.api_groups = resources.resources = resources.namespaces = {"*"};
  resources.cluster_scope = true;
  auto& others = rule.non_resource_rules.emplace_back();
  others.verbs = others.non_resource_urls = {"*"};
  return spec;
}

class FlowSchemaRules final : public SpecStatusRules<FlowSchema> {
 public:
  FlowSchemaRules() : SpecStatusRules("flowcontrol.apiserver.k8s.io", "v1", "FlowSchema") {}
  UpdateWithoutVersion update_without_version() const override { return UpdateWithoutVersion::kRefused; }

  void set_defaults(FlowSchema& schema) const override {
    if (schema.spec.matching_precedence == 0) schema.spec.matching_precedence = kDefaultPrecedence;
  }
  void validate(RuleContext&, const FlowSchema& schema, FieldErrors& errors) const override {
    const FieldPath path("spec");
    const auto& spec = schema.spec;
    const FieldPath precedence = path.child("matchingPrecedence"), level = path.child("priorityLevelConfiguration");
    if (spec.matching_precedence <= 0) {
      errors.invalid(precedence, spec.matching_precedence, "must be a positive value");
    }
    if (spec.matching_precedence > kMaxPrecedence) {
      errors.invalid(precedence, spec.matching_precedence, "must not be greater than 10000");
    }
    if (spec.matching_precedence == 1 && schema.metadata.name != "exempt") {
      errors.invalid(precedence, spec.matching_precedence,
                     "only the schema named 'exempt' may have matchingPrecedence 1");
    }
    if (spec.distinguisher_method) {
      const FieldPath method = path.child("distinguisherMethod");
      const std::string& type = spec.distinguisher_method->type;
      if (type != "ByNamespace" && type != "ByUser") {
        object::Object text;
        text.append("Type", type);
        errors.not_supported(method.child("type"), shown_json(std::move(text)), {"ByNamespace", "ByUser"});
      }
    }
    if (spec.priority_level_configuration.name.empty()) {
      errors.required(level.child("name"), "must reference a priority level");
    } else {
      validate_dns1123_subdomain(spec.priority_level_configuration.name, level.child("name"), errors);
    }
    const FieldPath rules = path.child("rules");
    for (size_t i = 0; i < spec.rules.size(); ++i) check_rule(spec.rules[i], rules.index(i), errors);
    const std::string& name = schema.metadata.name;
    if ((name == "exempt" || name == "catch-all") && spec != mandatory_spec(name)) {
      errors.invalid(path, BadValue::verbatim("{}"), "spec of '" + name + "' must equal the fixed value");
    }
  }
  void validate_update(RuleContext& context, const FlowSchema& schema, const FlowSchema&,
                       FieldErrors& errors) const override {
    validate(context, schema, errors);
  }
  void cells(const FlowSchema& schema, base::WallTime now, TableRow& row) const override {
    std::string dangling = "?";
    for (const auto& condition : schema.status.conditions) {
      if (condition.type == "Dangling") dangling = condition.status;
    }
    row.cells = {schema.metadata.name,
                 schema.spec.priority_level_configuration.name,
                 schema.spec.matching_precedence,
                 schema.spec.distinguisher_method ? schema.spec.distinguisher_method->type : std::string("<none>"),
                 age_cell(schema.metadata, now),
                 dangling};
  }
};

}  // namespace

std::unique_ptr<const KindRules> flow_schema_rules() { return std::make_unique<FlowSchemaRules>(); }

}  // namespace api
