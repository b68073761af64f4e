#include <algorithm>
#include <charconv>
#include <set>

#include "api/batch/job_validation.h"

namespace api {
namespace {

using batch::v1::JobSpec;
using batch::v1::PodFailurePolicyRule;

constexpr size_t kMaxRules = 20;
constexpr size_t kMaxExitCodes = 255;
constexpr size_t kMaxConditions = 20;
constexpr int64_t kMaxIndexesBytes = 64 * 1024;

// Compat: the value is left out of the message.
BadValue omitted() { return BadValue::verbatim(""); }

object::Value numbers(const std::vector<int32_t>& values) { return object::Array(values.begin(), values.end()); }

void check_exit_codes(const JobSpec& spec, const batch::v1::PodFailurePolicyOnExitCodesRequirement& codes,
                      const FieldPath& path, FieldErrors& errors) {
  const FieldPath op = path.child("operator"), values = path.child("values");
  if (codes.operator_.empty()) {
    errors.required(op, "valid values: [\"In\" \"NotIn\"]");
  } else if (codes.operator_ != "In" && codes.operator_ != "NotIn") {
    errors.not_supported(op, codes.operator_, {"In", "NotIn"});
  }
  if (codes.container_name) {
    auto named = [&](const core::v1::Container& container) { return container.name == *codes.container_name; };
    const auto& pods = spec.template_.spec;
    if (std::ranges::none_of(pods.containers, named) && std::ranges::none_of(pods.init_containers, named)) {
      errors.invalid(path.child("containerName"), *codes.container_name,
                     "must be one of the container or initContainer names in the pod template");
    }
  }
  if (codes.values.empty()) {
    errors.invalid(values, shown_json(numbers(codes.values)), "at least one value is required");
  } else if (codes.values.size() > kMaxExitCodes) {
    errors.too_many(values, static_cast<int64_t>(codes.values.size()), kMaxExitCodes);
  }
  std::set<int32_t> seen;
  for (size_t i = 0; i < codes.values.size(); ++i) {
    const int32_t value = codes.values[i];
    if (codes.operator_ == "In" && value == 0) {
      errors.invalid(values.index(i), value, "must not be 0 for the In operator");
    }
    if (!seen.insert(value).second) errors.duplicate(values.index(i), value);
  }
  if (!std::ranges::is_sorted(codes.values)) {
    errors.invalid(values, shown_json(numbers(codes.values)), "must be ordered");
  }
}

void check_conditions(const PodFailurePolicyRule& rule, const FieldPath& path, FieldErrors& errors) {
  if (rule.on_pod_conditions.size() > kMaxConditions) {
    errors.too_many(path, static_cast<int64_t>(rule.on_pod_conditions.size()), kMaxConditions);
  }
  for (size_t i = 0; i < rule.on_pod_conditions.size(); ++i) {
    const auto& pattern = rule.on_pod_conditions[i];
    const FieldPath item = path.index(i);
    validate_qualified_name(pattern.type, item.child("type"), errors);
    if (pattern.status.empty()) {
      errors.required(item.child("status"), "valid values: [\"False\" \"True\" \"Unknown\"]");
    } else {
      check_enum(pattern.status, item.child("status"), errors, {"False", "True", "Unknown"});
    }
  }
}

void check_rule(const JobSpec& spec, const PodFailurePolicyRule& rule, const FieldPath& path, FieldErrors& errors) {
  const FieldPath action = path.child("action");
  if (rule.action.empty()) {
    errors.required(action, "valid values: [\"Count\" \"FailIndex\" \"FailJob\" \"Ignore\"]");
  } else if (rule.action == "FailIndex") {
    if (!spec.backoff_limit_per_index) {
      errors.invalid(action, rule.action, "requires the backoffLimitPerIndex to be set");
    }
  } else {
    check_enum(rule.action, action, errors, {"Count", "FailIndex", "FailJob", "Ignore"});
  }
  if (rule.on_exit_codes) check_exit_codes(spec, *rule.on_exit_codes, path.child("onExitCodes"), errors);
  check_conditions(rule, path.child("onPodConditions"), errors);
  if (rule.on_exit_codes && !rule.on_pod_conditions.empty()) {
    errors.invalid(path, omitted(), "specifying both OnExitCodes and OnPodConditions is not supported");
  }
  if (!rule.on_exit_codes && rule.on_pod_conditions.empty()) {
    errors.invalid(path, omitted(), "specifying one of OnExitCodes and OnPodConditions is required");
  }
}

// "0-3,5": ascending ranges below `completions`. The count, or what is wrong.
base::Result<int32_t> count_indexes(std::string_view text, int32_t completions) {
  int32_t count = 0, last = -1;
  while (!text.empty()) {
    const std::string_view range = text.substr(0, text.find(','));
    text.remove_prefix(std::min(text.size(), range.size() + 1));
    int32_t first = 0, end = 0;
    const size_t dash = range.find('-');
    auto number = [](std::string_view digits, int32_t& value) {
      const auto [stop, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
      return error == std::errc() && stop == digits.data() + digits.size();
    };
    if (!number(range.substr(0, dash), first)) {
      return base::fail(base::Reason::kInvalid,
                        "cannot convert string to integer for index: \"" + std::string(range.substr(0, dash)) + "\"");
    }
    end = first;
    if (dash != std::string_view::npos && !number(range.substr(dash + 1), end)) {
      return base::fail(base::Reason::kInvalid,
                        "cannot convert string to integer for index: \"" + std::string(range.substr(dash + 1)) + "\"");
    }
    if (end >= completions) {
      return base::fail(base::Reason::kInvalid, "too large index: \"" + std::to_string(end) + "\"");
    }
    if (first <= last) {
      return base::fail(base::Reason::kInvalid, "non-increasing order, previous: " + std::to_string(last) +
                                                    ", current: " + std::to_string(first));
    }
    if (dash != std::string_view::npos && first >= end) {
      return base::fail(base::Reason::kInvalid, "non-increasing order, previous: " + std::to_string(first) +
                                                    ", current: " + std::to_string(end));
    }
    count += end - first + 1;
    last = end;
  }
  return count;
}

void check_success_rule(const JobSpec& spec, const batch::v1::SuccessPolicyRule& rule, const FieldPath& path,
                        FieldErrors& errors) {
  const FieldPath count_path = path.child("succeededCount"), indexes_path = path.child("succeededIndexes");
  if (!rule.succeeded_count && !rule.succeeded_indexes) {
    return errors.required(path, "at least one of succeededCount or succeededIndexes must be specified");
  }
  const int32_t completions = spec.completions.value_or(0);
  int32_t total = 0;
  if (rule.succeeded_indexes) {
    if (static_cast<int64_t>(rule.succeeded_indexes->size()) > kMaxIndexesBytes) {
      errors.too_long(indexes_path, kMaxIndexesBytes);
    } else if (auto counted = count_indexes(*rule.succeeded_indexes, completions)) {
      total = *counted;
    } else {
      errors.invalid(indexes_path, *rule.succeeded_indexes,
                     "error parsing succeededIndexes: " + counted.error().message);
    }
  }
  if (!rule.succeeded_count) return;
  const int32_t count = *rule.succeeded_count;
  check_positive(count, count_path, errors);
  if (count > completions) {
    errors.invalid(
        count_path, count,
        "must be less than or equal to " + std::to_string(completions) + " (the number of specified completions)");
  }
  if (rule.succeeded_indexes && count > total) {
    errors.invalid(count_path, count,
                   "must be less than or equal to " + std::to_string(total) +
                       " (the number of indexes in the specified succeededIndexes field)");
  }
}

object::Value shown_success_policy(const batch::v1::SuccessPolicy& policy) {
  object::Array rules;
  for (const auto& rule : policy.rules) {
    object::Object text;
    text.append("SucceededIndexes", rule.succeeded_indexes ? object::Value(*rule.succeeded_indexes) : object::Value());
    text.append("SucceededCount", rule.succeeded_count ? object::Value(*rule.succeeded_count) : object::Value());
    rules.emplace_back(std::move(text));
  }
  object::Object shown;
  shown.append("Rules", std::move(rules));
  return shown;
}

}  // namespace

void validate_pod_failure_policy(const JobSpec& spec, const FieldPath& path, FieldErrors& errors) {
  const auto& rules = spec.pod_failure_policy->rules;
  const FieldPath rules_path = path.child("rules");
  if (rules.size() > kMaxRules) errors.too_many(rules_path, static_cast<int64_t>(rules.size()), kMaxRules);
  for (size_t i = 0; i < rules.size(); ++i) check_rule(spec, rules[i], rules_path.index(i), errors);
}

void validate_success_policy(const JobSpec& spec, const FieldPath& path, FieldErrors& errors) {
  if (spec.completion_mode != "Indexed") {
    return errors.invalid(path, shown_json(shown_success_policy(*spec.success_policy)),
                          "requires indexed completion mode");
  }
  const auto& rules = spec.success_policy->rules;
  const FieldPath rules_path = path.child("rules");
  if (rules.empty()) {
    errors.required(rules_path, "at least one rules must be specified when the successPolicy is specified");
  }
  if (rules.size() > kMaxRules) errors.too_many(rules_path, static_cast<int64_t>(rules.size()), kMaxRules);
  for (size_t i = 0; i < rules.size(); ++i) check_success_rule(spec, rules[i], rules_path.index(i), errors);
}

}  // namespace api
