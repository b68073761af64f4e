#include <algorithm>
#include <cctype>

#include "api/resource/device_request_rules.h"
#include "api/shared/cells.h"
#include "api/shared/strategy.h"
#include "gen/resource/v1alpha3.h"
#include "object/names.h"

namespace api {
namespace {

using resource::v1alpha3::DeviceTaintRule;
using resource::v1alpha3::DeviceTaintSelector;

constexpr int64_t kMaxConditions = 8;
constexpr int64_t kMaxDriverName = 63;
constexpr int64_t kMaxPoolName = 253;

void check_driver(const std::string& driver, const FieldPath& path, FieldErrors& errors) {
  if (driver.empty()) return errors.required(path);
  if (static_cast<int64_t>(driver.size()) > kMaxDriverName) errors.too_long(path, kMaxDriverName);
  std::string lower = driver;
  std::ranges::transform(lower, lower.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  errors.invalid_each(path, driver, object::validate_dns1123_subdomain(lower));
}

void check_pool(const std::string& pool, const FieldPath& path, FieldErrors& errors) {
  if (pool.empty()) return errors.required(path);
  if (static_cast<int64_t>(pool.size()) > kMaxPoolName) errors.too_long(path, kMaxPoolName);
  for (size_t start = 0; start <= pool.size();) {
    const size_t end = std::min(pool.find('/', start), pool.size());
    validate_dns1123_subdomain(pool.substr(start, end - start), path, errors);
    start = end + 1;
  }
}

void check_selector(const DeviceTaintSelector& selector, const FieldPath& path, FieldErrors& errors) {
  if (selector.driver) check_driver(*selector.driver, path.child("driver"), errors);
  if (selector.pool) check_pool(*selector.pool, path.child("pool"), errors);
  if (selector.device) validate_dns1123_label(*selector.device, path.child("device"), errors);
}

class DeviceTaintRuleRules final : public SpecStatusRules<DeviceTaintRule> {
 public:
  DeviceTaintRuleRules() : SpecStatusRules("resource.k8s.io", "v1alpha3", "DeviceTaintRule") {}

  void prepare_for_create(RuleContext& context, DeviceTaintRule& rule) const override {
    set_taint_time(rule, context.now);
    SpecStatusRules::prepare_for_create(context, rule);
  }
  void prepare_for_update(RuleContext& context, DeviceTaintRule& rule, const DeviceTaintRule& old) const override {
    set_taint_time(rule, context.now);
    SpecStatusRules::prepare_for_update(context, rule, old);
  }
  void validate(RuleContext&, const DeviceTaintRule& rule, FieldErrors& errors) const override {
    check(rule, nullptr, errors);
  }
  void validate_update(RuleContext&, const DeviceTaintRule& rule, const DeviceTaintRule& old,
                       FieldErrors& errors) const override {
    check(rule, &old, errors);
  }
  void validate_subresource(std::string_view, RuleContext&, const DeviceTaintRule& rule, const DeviceTaintRule&,
                            FieldErrors& errors) const override {
    const FieldPath status("status"), path = status.child("conditions");
    validate_conditions(rule.status.conditions, path, errors);
    const auto count = static_cast<int64_t>(rule.status.conditions.size());
    if (count > kMaxConditions) errors.too_many(path, count, kMaxConditions);
  }
  std::vector<std::string_view> reset_fields(std::string_view subresource) const override {
    if (subresource.empty()) return {".status"};
    return {".metadata", ".spec"};
  }
  void cells(const DeviceTaintRule& rule, base::WallTime now, TableRow& row) const override {
    const auto& taint = rule.spec.taint;
    row.cells = {rule.metadata.name,
                 taint.key,
                 taint.value,
                 taint.effect,
                 taint.time_added ? object::human_age(*taint.time_added, now) : std::string(),
                 age_cell(rule.metadata, now)};
  }

 private:
  // Compat: upstream's defaulting looks at the clock.
  static void set_taint_time(DeviceTaintRule& rule, base::WallTime now) {
    if (!rule.spec.taint.time_added) rule.spec.taint.time_added.ensure() = object::to_time(now);
  }
  static void check(const DeviceTaintRule& rule, const DeviceTaintRule* old, FieldErrors& errors) {
    const FieldPath spec("spec"), path = spec.child("taint"), effect = path.child("effect");
    const auto& taint = rule.spec.taint;
    if (rule.spec.device_selector) check_selector(*rule.spec.device_selector, spec.child("deviceSelector"), errors);
    validate_label_name(taint.key, path.child("key"), errors);
    if (!taint.value.empty()) {
      errors.invalid_each(path.child("value"), taint.value, object::validate_label_value(taint.value));
    }
    if (!old || old->spec.taint.effect != taint.effect) {
      check_enum(taint.effect, effect, errors, {"NoExecute", "NoSchedule", "None"});
    }
  }
};

}  // namespace

std::unique_ptr<const KindRules> device_taint_rule_rules() { return std::make_unique<DeviceTaintRuleRules>(); }

}  // namespace api
