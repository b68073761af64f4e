#include "api/rbac/subject_validation.h"

#include "object/names.h"

namespace api {
namespace {

using rbac::v1::PolicyRule;
using rbac::v1::RoleRef;
using rbac::v1::Subject;

void check_rule(const PolicyRule& rule, Scope scope, const FieldPath& path, FieldErrors& errors) {
  if (rule.verbs.empty()) errors.required(path.child("verbs"), "verbs must contain at least one value");
  if (!rule.non_resource_urls.empty()) {
    const FieldPath urls = path.child("nonResourceURLs");
    if (scope == Scope::kNamespaced) {
      errors.invalid(urls, shown(rule.non_resource_urls), "namespaced rules cannot apply to non-resource URLs");
    }
    if (!rule.api_groups.empty() || !rule.resources.empty() || !rule.resource_names.empty()) {
      errors.invalid(urls, shown(rule.non_resource_urls),
                     "rules cannot apply to both regular resources and non-resource URLs");
    }
    return;
  }
  if (rule.api_groups.empty()) {
    errors.required(path.child("apiGroups"), "resource rules must supply at least one api group");
  }
  if (rule.resources.empty()) {
    errors.required(path.child("resources"), "resource rules must supply at least one resource");
  }
}

void check_subject(const Subject& subject, Scope scope, const FieldPath& path, FieldErrors& errors) {
  const FieldPath name = path.child("name"), group = path.child("apiGroup");
  if (subject.name.empty()) errors.required(name);
  if (subject.kind == "ServiceAccount") {
    if (!subject.name.empty()) {
      errors.invalid_each(name, subject.name, object::validate_dns1123_subdomain(subject.name));
    }
    if (!subject.api_group.empty()) errors.not_supported(group, subject.api_group, {""});
    if (scope == Scope::kCluster && subject.namespace_.empty()) errors.required(path.child("namespace"));
  } else if (subject.kind == "User" || subject.kind == "Group") {
    if (subject.name.empty()) {
      errors.invalid(name, subject.name,
                     subject.kind == "User" ? "user name cannot be empty" : "group name cannot be empty");
    }
    if (subject.api_group != kRbacGroup) errors.not_supported(group, subject.api_group, {kRbacGroup});
  } else {
    errors.not_supported(path.child("kind"), subject.kind, {"ServiceAccount", "User", "Group"});
  }
}

}  // namespace

void validate_policy_rules(const std::vector<PolicyRule>& rules, Scope scope, FieldErrors& errors) {
  const FieldPath path("rules");
  for (size_t i = 0; i < rules.size(); ++i) check_rule(rules[i], scope, path.index(i), errors);
}

void set_binding_defaults(RoleRef& reference, std::vector<Subject>& subjects) {
  if (reference.api_group.empty()) reference.api_group = kRbacGroup;
  for (auto& subject : subjects) {
    if (subject.api_group.empty() && (subject.kind == "User" || subject.kind == "Group")) {
      subject.api_group = kRbacGroup;
    }
  }
}

void validate_binding(const RoleRef& reference, const std::vector<Subject>& subjects, Scope scope,
                      FieldErrors& errors) {
  const FieldPath path("roleRef"), list("subjects");
  if (reference.api_group != kRbacGroup) {
    errors.not_supported(path.child("apiGroup"), reference.api_group, {kRbacGroup});
  }
  if (scope == Scope::kCluster) {
    if (reference.kind != "ClusterRole") errors.not_supported(path.child("kind"), reference.kind, {"ClusterRole"});
  } else if (reference.kind != "Role" && reference.kind != "ClusterRole") {
    errors.not_supported(path.child("kind"), reference.kind, {"Role", "ClusterRole"});
  }
  if (reference.name.empty()) {
    errors.required(path.child("name"));
  } else {
    errors.invalid_each(path.child("name"), reference.name, object::validate_path_segment_name(reference.name));
  }
  for (size_t i = 0; i < subjects.size(); ++i) check_subject(subjects[i], scope, list.index(i), errors);
}

void validate_role_ref_unchanged(const RoleRef& reference, const RoleRef& old, FieldErrors& errors) {
  if (reference == old) return;
  object::Object text;
  text.append("APIGroup", reference.api_group);
  text.append("Kind", reference.kind);
  text.append("Name", reference.name);
  errors.invalid(FieldPath("roleRef"), shown_json(std::move(text)), "cannot change roleRef");
}

std::string role_cell(const RoleRef& reference) { return reference.kind + "/" + reference.name; }

std::string subjects_cell(const std::vector<Subject>& subjects, std::string_view kind) {
  std::string text;
  bool first = true;
  for (const auto& subject : subjects) {
    if (subject.kind != kind) continue;
    if (!first) text += ", ";
    first = false;
    text += kind == "ServiceAccount" ? subject.namespace_ + "/" + subject.name : subject.name;
  }
  return text;
}

}  // namespace api
