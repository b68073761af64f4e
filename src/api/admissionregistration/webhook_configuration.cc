// MutatingWebhookConfiguration and ValidatingWebhookConfiguration.
#include <algorithm>
#include <set>

#include "api/admissionregistration/webhook_rules.h"
#include "api/shared/cells.h"
#include "api/shared/strategy.h"
#include "object/names.h"

namespace api {
namespace {

using admissionregistration::v1::MutatingWebhook;
using admissionregistration::v1::MutatingWebhookConfiguration;
using admissionregistration::v1::ValidatingWebhook;
using admissionregistration::v1::ValidatingWebhookConfiguration;

constexpr int32_t kDefaultTimeout = 10;
constexpr int32_t kMaxTimeout = 30;

template <typename Webhook>
void set_webhook_defaults(Webhook& hook) {
  if (!hook.failure_policy) hook.failure_policy = "Fail";
  if (!hook.match_policy) hook.match_policy = "Equivalent";
  hook.namespace_selector.ensure();
  hook.object_selector.ensure();
  if (!hook.timeout_seconds) hook.timeout_seconds = kDefaultTimeout;
  for (auto& rule : hook.rules) set_rule_defaults(rule);
  if (hook.client_config.service && !hook.client_config.service->port) hook.client_config.service->port = 443;
  if constexpr (std::is_same_v<Webhook, MutatingWebhook>) {
    if (!hook.reinvocation_policy) hook.reinvocation_policy = "Never";
  }
}

template <typename Webhook>
void check_webhook(const Webhook& hook, const std::vector<MatchCondition>* stored, const FieldPath& path,
                   FieldErrors& errors) {
  const FieldPath rules = path.child("rules"), effects = path.child("sideEffects");
  errors.invalid_each(path.child("name"), hook.name, object::validate_fully_qualified_name(hook.name));
  for (size_t i = 0; i < hook.rules.size(); ++i) validate_rule(hook.rules[i], rules.index(i), errors);
  validate_failure_policy(hook.failure_policy, path.child("failurePolicy"), errors);
  if (hook.match_policy) check_enum(*hook.match_policy, path.child("matchPolicy"), errors, {"Equivalent", "Exact"});
  if (!hook.side_effects) {
    errors.required(effects, "must specify one of None, NoneOnDryRun");
  } else if (*hook.side_effects != "None" && *hook.side_effects != "NoneOnDryRun") {
    errors.not_supported(effects, *hook.side_effects, {"None", "NoneOnDryRun"});
  }
  if (hook.timeout_seconds && (*hook.timeout_seconds < 1 || *hook.timeout_seconds > kMaxTimeout)) {
    errors.invalid(path.child("timeoutSeconds"), *hook.timeout_seconds,
                   "the timeout value must be between 1 and 30 seconds");
  }
  if (hook.namespace_selector) {
    validate_label_selector(*hook.namespace_selector, path.child("namespaceSelector"), errors);
  }
  if (hook.object_selector) validate_label_selector(*hook.object_selector, path.child("objectSelector"), errors);
  if constexpr (std::is_same_v<Webhook, MutatingWebhook>) {
    if (hook.reinvocation_policy) {
      check_enum(*hook.reinvocation_policy, path.child("reinvocationPolicy"), errors, {"IfNeeded", "Never"});
    }
  }
  validate_client_config(hook.client_config, path.child("clientConfig"), errors);
  if (!stored) return;
  validate_match_conditions(hook.match_conditions, *stored, HasParams::kNo, path.child("matchConditions"), errors);
}

// Of all webhooks.
template <typename Configuration>
std::vector<MatchCondition> conditions_of(const Configuration& object) {
  std::vector<MatchCondition> all;
  for (const auto& hook : object.webhooks) {
    all.insert(all.end(), hook.match_conditions.begin(), hook.match_conditions.end());
  }
  return all;
}

template <typename Configuration>
bool same_conditions(const Configuration& object, const Configuration& old) {
  return std::ranges::equal(
      object.webhooks, old.webhooks, {}, [](const auto& hook) { return hook.match_conditions; },
      [](const auto& hook) { return hook.match_conditions; });
}

template <typename Configuration>
class WebhookConfigurationRules final : public RulesFor<Configuration> {
 public:
  explicit WebhookConfigurationRules(std::string_view kind)
      : RulesFor<Configuration>("admissionregistration.k8s.io", "v1", kind) {}
  UpdateWithoutVersion update_without_version() const override { return UpdateWithoutVersion::kRefused; }

  void set_defaults(Configuration& object) const override {
    for (auto& hook : object.webhooks) set_webhook_defaults(hook);
  }
  void prepare_for_create(RuleContext&, Configuration& object) const override { object.metadata.generation = 1; }
  void prepare_for_update(RuleContext&, Configuration& object, const Configuration& old) const override {
    follow_generation(object.metadata, old.metadata, object.webhooks, old.webhooks);
  }
  void validate(RuleContext&, const Configuration& object, FieldErrors& errors) const override {
    const std::vector<MatchCondition> none;
    check(object, &none, errors);
  }
  void validate_update(RuleContext&, const Configuration& object, const Configuration& old,
                       FieldErrors& errors) const override {
    // Compat: conditions that did not change are not looked at again.
    const std::vector<MatchCondition> stored = conditions_of(old);
    check(object, same_conditions(object, old) ? nullptr : &stored, errors);
  }
  void cells(const Configuration& object, base::WallTime now, TableRow& row) const override {
    row.cells = {object.metadata.name, static_cast<int64_t>(object.webhooks.size()), age_cell(object.metadata, now)};
  }

 private:
  // `stored` null: conditions are not checked.
  static void check(const Configuration& object, const std::vector<MatchCondition>* stored, FieldErrors& errors) {
    const FieldPath webhooks("webhooks");
    std::set<std::string_view> names;
    for (size_t i = 0; i < object.webhooks.size(); ++i) {
      const auto& hook = object.webhooks[i];
      const FieldPath item = webhooks.index(i);
      check_webhook(hook, stored, item, errors);
      validate_review_versions(hook.admission_review_versions, item.child("admissionReviewVersions"), errors);
      if (!names.insert(hook.name).second) errors.duplicate(item.child("name"), hook.name);
    }
  }
};

}  // namespace

std::unique_ptr<const KindRules> mutating_webhook_configuration_rules() {
  return std::make_unique<WebhookConfigurationRules<MutatingWebhookConfiguration>>("MutatingWebhookConfiguration");
}
std::unique_ptr<const KindRules> validating_webhook_configuration_rules() {
  return std::make_unique<WebhookConfigurationRules<ValidatingWebhookConfiguration>>("ValidatingWebhookConfiguration");
}

}  // namespace api
