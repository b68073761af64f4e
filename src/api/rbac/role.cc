// Role and ClusterRole.
#include "api/rbac/subject_validation.h"
#include "api/rules.h"

namespace api {
namespace {

using rbac::v1::ClusterRole;
using rbac::v1::Role;

class RoleRules final : public RulesFor<Role> {
 public:
  RoleRules() : RulesFor(kRbacGroup, "v1", "Role") {}
  NameValidator name_validator() const override { return name_is_path_segment; }
  CreateOnUpdate create_on_update() const override { return CreateOnUpdate::kAllowed; }

  void validate(RuleContext&, const Role& role, FieldErrors& errors) const override {
    validate_policy_rules(role.rules, Scope::kNamespaced, errors);
  }
  void validate_update(RuleContext& context, const Role& role, const Role&, FieldErrors& errors) const override {
    validate(context, role, errors);
  }
};

class ClusterRoleRules final : public RulesFor<ClusterRole> {
 public:
  ClusterRoleRules() : RulesFor(kRbacGroup, "v1", "ClusterRole") {}
  NameValidator name_validator() const override { return name_is_path_segment; }
  CreateOnUpdate create_on_update() const override { return CreateOnUpdate::kAllowed; }

  void validate(RuleContext&, const ClusterRole& role, FieldErrors& errors) const override {
    validate_policy_rules(role.rules, Scope::kCluster, errors);
    if (!role.aggregation_rule) return;
    const FieldPath rule("aggregationRule"), path = rule.child("clusterRoleSelectors");
    const auto& selectors = role.aggregation_rule->cluster_role_selectors;
    if (selectors.empty()) {
      errors.required(path, "at least one clusterRoleSelector required if aggregationRule is non-nil");
    }
    for (size_t i = 0; i < selectors.size(); ++i) {
      validate_label_selector(selectors[i], path.index(i), errors);
      if (!to_selector(selectors[i])) {
        errors.invalid(path.index(i), shown(selectors[i]), "invalid label selector.");
      }
    }
  }
  void validate_update(RuleContext& context, const ClusterRole& role, const ClusterRole&,
                       FieldErrors& errors) const override {
    validate(context, role, errors);
  }
};

}  // namespace

std::unique_ptr<const KindRules> role_rules() { return std::make_unique<RoleRules>(); }
std::unique_ptr<const KindRules> cluster_role_rules() { return std::make_unique<ClusterRoleRules>(); }

}  // namespace api
