#include <algorithm>
#include <array>
#include <set>

#include "api/core/pod_spec.h"
#include "api/shared/cells.h"
#include "api/shared/strategy.h"

namespace api {
namespace {

using core::v1::ResourceQuota;
using core::v1::ResourceQuotaSpec;

constexpr std::array<std::string_view, 7> kScopes = {"Terminating",          "NotTerminating",
                                                     "BestEffort",           "NotBestEffort",
                                                     "PriorityClass",        "CrossNamespacePodAffinity",
                                                     "VolumeAttributesClass"};

bool is_compute(std::string_view name) {
  return name == "cpu" || name == "memory" || name == "pods" || name == "ephemeral-storage" ||
         name.starts_with("requests.") || name.starts_with("limits.");
}

// Does the scope say anything about the resource?
bool scope_fits(std::string_view scope, std::string_view name) {
  if (scope == "BestEffort") return name == "pods";
  if (scope == "VolumeAttributesClass") return name == "persistentvolumeclaims" || name == "requests.storage";
  return is_compute(name);
}

void check_scope(const ResourceQuotaSpec& spec, std::string_view scope, const BadValue& shown_value,
                 const FieldPath& path, FieldErrors& errors) {
  if (std::ranges::find(kScopes, scope) == kScopes.end()) errors.invalid(path, shown_value, "unsupported scope");
  for (const auto& [name, quantity] : spec.hard) {
    if (name.find('/') != std::string::npos || scope_fits(scope, name)) continue;
    errors.invalid(path, shown_value, "unsupported scope applied to resource");
    break;
  }
}

void check_conflicts(const std::set<std::string_view>& scopes, const BadValue& shown_value, const FieldPath& path,
                     FieldErrors& errors) {
  for (auto [a, b] : {std::pair("BestEffort", "NotBestEffort"), std::pair("Terminating", "NotTerminating")}) {
    if (scopes.contains(a) && scopes.contains(b)) errors.invalid(path, shown_value, "conflicting scopes");
  }
}

void check_scope_selector(const ResourceQuotaSpec& spec, const FieldPath& path, FieldErrors& errors) {
  if (!spec.scope_selector) return;
  const FieldPath expressions = path.child("matchExpressions");
  for (size_t i = 0; i < spec.scope_selector->match_expressions.size(); ++i) {
    const auto& item = spec.scope_selector->match_expressions[i];
    check_scope(spec, item.scope_name, item.scope_name, expressions.child("scopeName"), errors);
    const bool named = item.operator_ == "In" || item.operator_ == "NotIn";
    const bool free_form = item.scope_name == "PriorityClass" || item.scope_name == "VolumeAttributesClass";
    if (!free_form && item.operator_ != "Exists") {
      errors.invalid(
          expressions.child("operator"), item.operator_,
          "must be 'Exist' when scope is any of ResourceQuotaScopeTerminating, "
          "ResourceQuotaScopeNotTerminating, ResourceQuotaScopeBestEffort, ResourceQuotaScopeNotBestEffort or "
          "ResourceQuotaScopeCrossNamespacePodAffinity");
    }
    if (named && item.values.empty()) {
      errors.required(expressions.child("values"),
                      "must be at least one value when `operator` is 'In' or 'NotIn' for scope selector");
    } else if ((item.operator_ == "Exists" || item.operator_ == "DoesNotExist") && !item.values.empty()) {
      errors.invalid(expressions.child("values"), shown(item.values),
                     "must be no value when `operator` is 'Exists' or 'DoesNotExist' for scope selector");
    } else if (!named && item.operator_ != "Exists" && item.operator_ != "DoesNotExist") {
      errors.invalid(expressions.child("operator"), item.operator_, "not a valid selector operator");
    }
  }
}

void check_amounts(const std::map<std::string, object::Quantity>& amounts, const FieldPath& path, FieldErrors& errors) {
  for (const auto& [name, quantity] : amounts) {
    const FieldPath item = path.key(name);
    validate_resource_name(name, item, errors);
    validate_resource_quantity(name, quantity, item, errors);
  }
}

class ResourceQuotaRules final : public PlainStatusRules<ResourceQuota> {
 public:
  ResourceQuotaRules() : PlainStatusRules("", "v1", "ResourceQuota") {}

  void set_defaults(ResourceQuota& quota) const override {
    set_resource_list_defaults(quota.spec.hard);
    set_resource_list_defaults(quota.status.hard);
    set_resource_list_defaults(quota.status.used);
  }
  void validate(RuleContext&, const ResourceQuota& quota, FieldErrors& errors) const override {
    const FieldPath path("spec");
    const FieldPath scopes = path.child("scopes");
    check_amounts(quota.spec.hard, path.child("hard"), errors);
    const BadValue given = shown(quota.spec.scopes);
    for (const auto& scope : quota.spec.scopes) check_scope(quota.spec, scope, given, scopes, errors);
    check_conflicts({quota.spec.scopes.begin(), quota.spec.scopes.end()}, given, scopes, errors);
    check_scope_selector(quota.spec, path.child("scopeSelector"), errors);
  }
  void validate_update(RuleContext& context, const ResourceQuota& quota, const ResourceQuota& old,
                       FieldErrors& errors) const override {
    validate(context, quota, errors);
    const std::set<std::string> now(quota.spec.scopes.begin(), quota.spec.scopes.end());
    const std::set<std::string> before(old.spec.scopes.begin(), old.spec.scopes.end());
    const FieldPath path("spec");
    validate_immutable(now, before, shown(quota.spec.scopes), path.child("scopes"), errors);
  }
  void validate_subresource(std::string_view, RuleContext&, const ResourceQuota& quota, const ResourceQuota&,
                            FieldErrors& errors) const override {
    const FieldPath path("status");
    check_amounts(quota.status.hard, path.child("hard"), errors);
    check_amounts(quota.status.used, path.child("used"), errors);
  }
  void cells(const ResourceQuota& quota, base::WallTime now, TableRow& row) const override {
    std::vector<std::string> requests, limits;
    for (const auto& [name, hard] : quota.status.hard) {
      auto used = quota.status.used.find(name);
      const std::string amount = used == quota.status.used.end() ? "0" : used->second.string;
      (name.starts_with("limits") ? limits : requests).push_back(name + ": " + amount + "/" + hard.string);
    }
    row.cells = {quota.metadata.name, join(requests, ", "), join(limits, ", "), age_cell(quota.metadata, now)};
  }
};

}  // namespace

std::unique_ptr<const KindRules> resource_quota_rules() { return std::make_unique<ResourceQuotaRules>(); }

}  // namespace api
