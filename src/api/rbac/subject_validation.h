// What roles and bindings share. Pure; thread: any.
#pragma once

#include <vector>

#include "api/shared/checks.h"
#include "gen/rbac/v1.h"

namespace api {

inline constexpr const char* kRbacGroup = "rbac.authorization.k8s.io";

void validate_policy_rules(const std::vector<rbac::v1::PolicyRule>& rules, Scope scope, FieldErrors& errors);
void set_binding_defaults(rbac::v1::RoleRef& reference, std::vector<rbac::v1::Subject>& subjects);
// `scope` is that of the binding.
void validate_binding(const rbac::v1::RoleRef& reference, const std::vector<rbac::v1::Subject>& subjects, Scope scope,
                      FieldErrors& errors);
void validate_role_ref_unchanged(const rbac::v1::RoleRef& reference, const rbac::v1::RoleRef& old, FieldErrors& errors);
std::string role_cell(const rbac::v1::RoleRef& reference);
// Names of the subjects of a kind, joined by ", "; service accounts as namespace/name.
std::string subjects_cell(const std::vector<rbac::v1::Subject>& subjects, std::string_view kind);

}  // namespace api
