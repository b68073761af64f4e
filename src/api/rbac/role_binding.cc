// RoleBinding and ClusterRoleBinding.
#include "api/rbac/subject_validation.h"
#include "api/shared/cells.h"

namespace api {
namespace {

// The two differ in scope only.
template <typename Binding, Scope kScope>
class BindingRules final : public RulesFor<Binding> {
 public:
  explicit BindingRules(std::string_view kind) : RulesFor<Binding>(kRbacGroup, "v1", kind) {}
  NameValidator name_validator() const override { return name_is_path_segment; }
  CreateOnUpdate create_on_update() const override { return CreateOnUpdate::kAllowed; }

  void set_defaults(Binding& binding) const override { set_binding_defaults(binding.role_ref, binding.subjects); }
  void validate(RuleContext&, const Binding& binding, FieldErrors& errors) const override {
    validate_binding(binding.role_ref, binding.subjects, kScope, errors);
  }
  void validate_update(RuleContext& context, const Binding& binding, const Binding& old,
                       FieldErrors& errors) const override {
    validate(context, binding, errors);
    validate_role_ref_unchanged(binding.role_ref, old.role_ref, errors);
  }
  void cells(const Binding& binding, base::WallTime now, TableRow& row) const override {
    row.cells = {binding.metadata.name,
                 role_cell(binding.role_ref),
                 age_cell(binding.metadata, now),
                 subjects_cell(binding.subjects, "User"),
                 subjects_cell(binding.subjects, "Group"),
                 subjects_cell(binding.subjects, "ServiceAccount")};
  }
};

}  // namespace

std::unique_ptr<const KindRules> role_binding_rules() {
  return std::make_unique<BindingRules<rbac::v1::RoleBinding, Scope::kNamespaced>>("RoleBinding");
}
std::unique_ptr<const KindRules> cluster_role_binding_rules() {
  return std::make_unique<BindingRules<rbac::v1::ClusterRoleBinding, Scope::kCluster>>("ClusterRoleBinding");
}

}  // namespace api
