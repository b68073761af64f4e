#include "api/shared/cells.h"
#include "api/shared/checks.h"

namespace api {
namespace {

constexpr const char* kEnforceMountable = "kubernetes.io/enforce-mountable-secrets";

// Compat: only the names of secret references are kept.
void keep_secret_names(core::v1::ServiceAccount& account) {
  for (auto& secret : account.secrets) {
    core::v1::ObjectReference named;
    named.name = std::move(secret.name);
    secret = std::move(named);
  }
}

void warn(RuleContext& context) {
  context.warnings->push_back(
      "metadata.annotations[kubernetes.io/enforce-mountable-secrets]: deprecated in v1.32+; prefer separate namespaces "
      "to isolate access to mounted secrets");
}

class ServiceAccountRules final : public RulesFor<core::v1::ServiceAccount> {
 public:
  ServiceAccountRules() : RulesFor("", "v1", "ServiceAccount") {}

  void prepare_for_create(RuleContext& context, core::v1::ServiceAccount& account) const override {
    keep_secret_names(account);
    if (account.metadata.annotations.contains(kEnforceMountable)) warn(context);
  }
  void prepare_for_update(RuleContext& context, core::v1::ServiceAccount& account,
                          const core::v1::ServiceAccount& old) const override {
    keep_secret_names(account);
    if (account.metadata.annotations.contains(kEnforceMountable) &&
        !old.metadata.annotations.contains(kEnforceMountable)) {
      warn(context);
    }
  }
  void cells(const core::v1::ServiceAccount& account, base::WallTime now, TableRow& row) const override {
    row.cells = {account.metadata.name, age_cell(account.metadata, now)};
  }
};

}  // namespace

std::unique_ptr<const KindRules> service_account_rules() { return std::make_unique<ServiceAccountRules>(); }

}  // namespace api
