#include <set>

#include "api/core/pod_spec.h"
#include "api/shared/cells.h"
#include "api/shared/checks.h"
#include "object/quantity.h"

namespace api {
namespace {

using core::v1::LimitRange;
using core::v1::LimitRangeItem;
using object::QuantityValue;
using Amounts = std::map<std::string, object::Quantity>;

const object::Quantity* find(const Amounts& amounts, const std::string& name) {
  auto found = amounts.find(name);
  return found == amounts.end() ? nullptr : &found->second;
}

// Is a set and above b?
bool above(const object::Quantity* a, const object::Quantity* b) { return a && b && object::compare(*a, *b) > 0; }

std::string greater(std::string_view what, const object::Quantity& a, std::string_view than,
                    const object::Quantity& b) {
  return std::string(what) + " value " + a.string + " is greater than " + std::string(than) + " value " + b.string;
}

void check_resource(const LimitRangeItem& item, const std::string& name, const FieldPath& path, FieldErrors& errors) {
  const auto* min = find(item.min, name);
  const auto* max = find(item.max, name);
  const auto* limit = find(item.default_, name);
  const auto* request = find(item.default_request, name);
  const auto* ratio = find(item.max_limit_request_ratio, name);
  const FieldPath min_path = path.child("min"), limit_path = path.child("default");
  const FieldPath request_path = path.child("defaultRequest"), ratio_path = path.child("maxLimitRequestRatio");
  if (above(min, max)) errors.invalid(min_path.key(name), min->string, greater("min", *min, "max", *max));
  if (above(min, request)) {
    errors.invalid(request_path.key(name), request->string, greater("min", *min, "default request", *request));
  }
  if (above(request, max)) {
    errors.invalid(request_path.key(name), request->string, greater("default request", *request, "max", *max));
  }
  if (above(request, limit)) {
    errors.invalid(request_path.key(name), request->string,
                   greater("default request", *request, "default limit", *limit));
  }
  if (above(min, limit)) errors.invalid(limit_path.key(name), min->string, greater("min", *min, "default", *limit));
  if (above(limit, max)) errors.invalid(limit_path.key(name), max->string, greater("default", *limit, "max", *max));
  if (ratio) {
    if (QuantityValue::of(*ratio) < QuantityValue::from_int(1)) {
      errors.invalid(ratio_path.key(name), ratio->string, "ratio " + ratio->string + " is less than 1");
    }
    if (min && max && !QuantityValue::of(*min).zero()) {
      const double most = QuantityValue::of(*max).approximate() / QuantityValue::of(*min).approximate();
      if (QuantityValue::of(*ratio).approximate() > most) {
        errors.invalid(ratio_path.key(name), ratio->string,
                       "ratio " + ratio->string + " is greater than max/min = " + std::to_string(most));
      }
    }
  }
  if (limit && request && !is_overcommit_allowed(name) && object::compare(*limit, *request) != 0) {
    errors.invalid(
        request_path.key(name), request->string,
        "default value " + limit->string + " must equal to defaultRequest value " + request->string + " in " + name);
  }
}

void check_type(const LimitRangeItem& item, const FieldPath& path, FieldErrors& errors) {
  const size_t before = errors.size();
  validate_qualified_name(item.type, path, errors);
  if (errors.size() > before || item.type.find('/') != std::string::npos) return;
  if (item.type != "Pod" && item.type != "Container" && item.type != "PersistentVolumeClaim") {
    errors.invalid(path, item.type, "must be a standard limit type or fully qualified");
  }
}

void check_item(const LimitRangeItem& item, const FieldPath& path, FieldErrors& errors) {
  std::set<std::string> names;
  auto check_names = [&](const Amounts& amounts, std::string_view field) {
    const FieldPath list = path.child(field);
    for (const auto& [name, quantity] : amounts) {
      if (item.type == "Pod" || item.type == "Container") {
        validate_container_resource_name(name, list.key(name), errors);
      } else {
        validate_resource_name(name, list.key(name), errors);
      }
      names.insert(name);
    }
  };
  check_names(item.max, "max");
  check_names(item.min, "min");
  if (item.type == "Pod") {
    constexpr std::string_view kNotForPods = "may not be specified when `type` is 'Pod'";
    if (!item.default_.empty()) errors.forbidden(path.child("default"), kNotForPods);
    if (!item.default_request.empty()) errors.forbidden(path.child("defaultRequest"), kNotForPods);
  } else {
    check_names(item.default_, "default");
    check_names(item.default_request, "defaultRequest");
  }
  if (item.type == "PersistentVolumeClaim" && !item.min.contains("storage") && !item.max.contains("storage")) {
    errors.required(path.child("limits"),
                    "either minimum or maximum storage value is required, but neither was provided");
  }
  check_names(item.max_limit_request_ratio, "maxLimitRequestRatio");
  for (const auto& name : names) check_resource(item, name, path, errors);
}

void fill_in(Amounts& amounts, const Amounts& from) { amounts.insert(from.begin(), from.end()); }

class LimitRangeRules final : public RulesFor<LimitRange> {
 public:
  LimitRangeRules() : RulesFor("", "v1", "LimitRange") {}
  CreateOnUpdate create_on_update() const override { return CreateOnUpdate::kAllowed; }

  void set_defaults(LimitRange& object) const override {
    for (auto& item : object.spec.limits) {
      for (Amounts* amounts :
           {&item.max, &item.min, &item.default_, &item.default_request, &item.max_limit_request_ratio}) {
        set_resource_list_defaults(*amounts);
      }
      if (item.type != "Container") continue;
      fill_in(item.default_, item.max);
      fill_in(item.default_request, item.default_);
      fill_in(item.default_request, item.min);
    }
  }
  void validate(RuleContext&, const LimitRange& object, FieldErrors& errors) const override {
    const FieldPath spec("spec"), limits = spec.child("limits");
    std::set<std::string_view> types;
    for (size_t i = 0; i < object.spec.limits.size(); ++i) {
      const auto& item = object.spec.limits[i];
      const FieldPath path = limits.index(i);
      check_type(item, path.child("type"), errors);
      if (!types.insert(item.type).second) errors.duplicate(path.child("type"), item.type);
      check_item(item, path, errors);
    }
  }
  void validate_update(RuleContext& context, const LimitRange& object, const LimitRange&,
                       FieldErrors& errors) const override {
    validate(context, object, errors);
  }
};

}  // namespace

std::unique_ptr<const KindRules> limit_range_rules() { return std::make_unique<LimitRangeRules>(); }

}  // namespace api
