// Where a Pod may run: selectors, affinity, tolerations, spreading, gates.
#include <algorithm>

#include "api/core/pod_validation.h"
#include "object/names.h"

namespace api {

using core::v1::NodeSelectorRequirement;
using core::v1::NodeSelectorTerm;
using core::v1::PodAffinityTerm;
using object::FieldErrors;
using object::FieldPath;

namespace {

std::string joined(const std::vector<std::string>& messages) {
  std::string out;
  for (const auto& message : messages) {
    if (!out.empty()) out += ';';
    out += message;
  }
  return out;
}

// Compat: preferred terms may have values that no label can have.
enum class TermValues : uint8_t { kChecked, kUnchecked };

void validate_requirement(const NodeSelectorRequirement& requirement, TermValues values, const FieldPath& path,
                          FieldErrors& errors) {
  const std::string& op = requirement.operator_;
  if (op == "In" || op == "NotIn") {
    if (requirement.values.empty()) {
      errors.required(path.child("values"), "must be specified when `operator` is 'In' or 'NotIn'");
    }
  } else if (op == "Exists" || op == "DoesNotExist") {
    if (!requirement.values.empty()) {
      errors.forbidden(path.child("values"), "may not be specified when `operator` is 'Exists' or 'DoesNotExist'");
    }
  } else if (op == "Gt" || op == "Lt") {
    if (requirement.values.size() != 1) {
      errors.required(path.child("values"), "must be specified single value when `operator` is 'Lt' or 'Gt'");
    }
  } else {
    errors.invalid(path.child("operator"), op, "not a valid selector operator");
  }
  validate_label_name(requirement.key, path.child("key"), errors);
  if (values == TermValues::kUnchecked) return;
  const FieldPath list = path.child("values");
  for (size_t i = 0; i < requirement.values.size(); ++i) {
    errors.invalid_each(list.index(i), requirement.values[i], object::validate_label_value(requirement.values[i]));
  }
}

void validate_field_requirement(const NodeSelectorRequirement& requirement, const FieldPath& path,
                                FieldErrors& errors) {
  const std::string& op = requirement.operator_;
  if (op == "In" || op == "NotIn") {
    if (requirement.values.size() != 1) {
      errors.required(path.child("values"),
                      "must be only one value when `operator` is 'In' or 'NotIn' for node field selector");
    }
  } else {
    errors.invalid(path.child("operator"), op, "not a valid selector operator");
  }
  if (requirement.key != "metadata.name") {
    return errors.invalid(path.child("key"), requirement.key, "not a valid field selector key");
  }
  const FieldPath list = path.child("values");
  for (size_t i = 0; i < requirement.values.size(); ++i) {
    validate_dns1123_subdomain(requirement.values[i], list.index(i), errors);
  }
}

void validate_term(const NodeSelectorTerm& term, TermValues values, const FieldPath& path, FieldErrors& errors) {
  const FieldPath expressions = path.child("matchExpressions");
  for (size_t i = 0; i < term.match_expressions.size(); ++i) {
    validate_requirement(term.match_expressions[i], values, expressions.index(i), errors);
  }
  const FieldPath fields = path.child("matchFields");
  for (size_t i = 0; i < term.match_fields.size(); ++i) {
    validate_field_requirement(term.match_fields[i], fields.index(i), errors);
  }
}

void validate_weight(int32_t weight, const FieldPath& path, FieldErrors& errors) {
  if (weight < 1 || weight > 100) errors.invalid(path.child("weight"), weight, "must be in the range 1-100");
}

void validate_node_affinity(const core::v1::NodeAffinity& affinity, const FieldPath& path, FieldErrors& errors) {
  if (affinity.required_during_scheduling_ignored_during_execution) {
    validate_node_selector(*affinity.required_during_scheduling_ignored_during_execution,
                           path.child("requiredDuringSchedulingIgnoredDuringExecution"), errors);
  }
  const FieldPath preferred = path.child("preferredDuringSchedulingIgnoredDuringExecution");
  const auto& terms = affinity.preferred_during_scheduling_ignored_during_execution;
  for (size_t i = 0; i < terms.size(); ++i) {
    const FieldPath at = preferred.index(i);
    validate_weight(terms[i].weight, at, errors);
    validate_term(terms[i].preference, TermValues::kUnchecked, at.child("preference"), errors);
  }
}

void validate_label_keys(const std::vector<std::string>& keys, const base::Box<meta::v1::LabelSelector>& selector,
                         const FieldPath& path, FieldErrors& errors) {
  if (keys.empty()) return;
  if (!selector) return errors.forbidden(path, "must not be specified when labelSelector is not set");
  for (size_t i = 0; i < keys.size(); ++i) validate_label_name(keys[i], path.index(i), errors);
}

// Keys that the server merges into the selector on create; a key that stands there twice came from the client.
void validate_merged_keys(const PodAffinityTerm& term, const FieldPath& path, FieldErrors& errors) {
  if (!term.label_selector) return;
  std::set<std::string_view> in_selector;
  for (const auto& [key, value] : term.label_selector->match_labels) in_selector.insert(key);
  for (const auto& expression : term.label_selector->match_expressions) {
    const auto match = std::ranges::find(term.match_label_keys, expression.key);
    if (match != term.match_label_keys.end() && in_selector.contains(expression.key)) {
      errors.invalid(path.index(static_cast<size_t>(match - term.match_label_keys.begin())), expression.key,
                     "exists in both matchLabelKeys and labelSelector");
    }
    in_selector.insert(expression.key);
  }
}

void validate_pod_affinity_term(const PodCheck& check, const PodAffinityTerm& term, const FieldPath& path) {
  FieldErrors& errors = check.errors;
  const auto values = check.options.selector_values;
  if (term.label_selector) {
    validate_label_selector(*term.label_selector, path.child("labelSelector"), errors, values);
  }
  if (term.namespace_selector) {
    validate_label_selector(*term.namespace_selector, path.child("namespaceSelector"), errors, values);
  }
  for (const auto& name : term.namespaces) validate_dns1123_label(name, path.child("namespace"), errors);
  const FieldPath match = path.child("matchLabelKeys"), mismatch = path.child("mismatchLabelKeys");
  validate_label_keys(term.match_label_keys, term.label_selector, match, errors);
  validate_label_keys(term.mismatch_label_keys, term.label_selector, mismatch, errors);
  validate_merged_keys(term, path, errors);
  for (size_t i = 0; i < term.match_label_keys.size(); ++i) {
    const std::string& key = term.match_label_keys[i];
    if (std::ranges::count(term.mismatch_label_keys, key) > 0) {
      errors.invalid(match.index(i), key, "exists in both matchLabelKeys and mismatchLabelKeys");
    }
  }
  if (term.topology_key.empty()) errors.required(path.child("topologyKey"), "can not be empty");
  validate_label_name(term.topology_key, path.child("topologyKey"), errors);
}

// PodAffinity or PodAntiAffinity.
template <typename Affinity>
void validate_pod_affinity(const PodCheck& check, const Affinity& affinity, const FieldPath& path) {
  const FieldPath required = path.child("requiredDuringSchedulingIgnoredDuringExecution");
  const auto& terms = affinity.required_during_scheduling_ignored_during_execution;
  for (size_t i = 0; i < terms.size(); ++i) validate_pod_affinity_term(check, terms[i], required.index(i));
  const FieldPath preferred = path.child("preferredDuringSchedulingIgnoredDuringExecution");
  const auto& weighted = affinity.preferred_during_scheduling_ignored_during_execution;
  for (size_t i = 0; i < weighted.size(); ++i) {
    const FieldPath at = preferred.index(i);
    validate_weight(weighted[i].weight, at, check.errors);
    validate_pod_affinity_term(check, weighted[i].pod_affinity_term, at.child("podAffinityTerm"));
  }
}

void validate_inclusion_policy(const std::optional<std::string>& policy, const FieldPath& path, FieldErrors& errors) {
  if (policy && *policy != "Honor" && *policy != "Ignore") errors.not_supported(path, *policy, {"Honor", "Ignore"});
}

void validate_spread_keys(const core::v1::TopologySpreadConstraint& constraint, const FieldPath& path,
                          FieldErrors& errors) {
  const auto& keys = constraint.match_label_keys;
  if (keys.empty()) return;
  if (!constraint.label_selector) errors.forbidden(path, "must not be specified when labelSelector is not set");
  for (size_t i = 0; i < keys.size(); ++i) validate_label_name(keys[i], path.index(i), errors);
  if (!constraint.label_selector) return;
  // As with affinity: the server merges the keys in, so only a second occurrence is the client's.
  std::set<std::string_view> seen;
  for (const auto& [key, value] : constraint.label_selector->match_labels) seen.insert(key);
  for (const auto& expression : constraint.label_selector->match_expressions) {
    const auto match = std::ranges::find(keys, expression.key);
    if (match != keys.end() && seen.contains(expression.key)) {
      errors.invalid(path.index(static_cast<size_t>(match - keys.begin())), expression.key,
                     "exists in both matchLabelKeys and labelSelector");
    }
    seen.insert(expression.key);
  }
}

}  // namespace

void validate_node_selector_term(const NodeSelectorTerm& term, const FieldPath& path, FieldErrors& errors) {
  validate_term(term, TermValues::kChecked, path, errors);
}

void validate_node_selector(const core::v1::NodeSelector& selector, const FieldPath& path, FieldErrors& errors) {
  const FieldPath terms = path.child("nodeSelectorTerms");
  if (selector.node_selector_terms.empty()) return errors.required(terms, "must have at least one node selector term");
  for (size_t i = 0; i < selector.node_selector_terms.size(); ++i) {
    validate_node_selector_term(selector.node_selector_terms[i], terms.index(i), errors);
  }
}

void validate_affinity(const PodCheck& check, const core::v1::Affinity& affinity, const FieldPath& path) {
  if (affinity.node_affinity) validate_node_affinity(*affinity.node_affinity, path.child("nodeAffinity"), check.errors);
  if (affinity.pod_affinity) validate_pod_affinity(check, *affinity.pod_affinity, path.child("podAffinity"));
  if (affinity.pod_anti_affinity) {
    validate_pod_affinity(check, *affinity.pod_anti_affinity, path.child("podAntiAffinity"));
  }
}

void validate_taint_effect(std::string_view effect, const FieldPath& path, FieldErrors& errors) {
  if (effect == "NoSchedule" || effect == "PreferNoSchedule" || effect == "NoExecute") return;
  errors.not_supported(path, effect, {"NoSchedule", "PreferNoSchedule", "NoExecute"});
}

void validate_tolerations(const std::vector<core::v1::Toleration>& tolerations, const FieldPath& path,
                          FieldErrors& errors) {
  for (size_t i = 0; i < tolerations.size(); ++i) {
    const auto& toleration = tolerations[i];
    const std::string& op = toleration.operator_;
    const FieldPath at = path.index(i);
    if (!toleration.key.empty()) validate_label_name(toleration.key, at.child("key"), errors);
    if (toleration.key.empty() && op != "Exists") {
      errors.invalid(at.child("operator"), op,
                     "operator must be Exists when `key` is empty, which means \"match all values and all keys\"");
    }
    if (toleration.toleration_seconds && toleration.effect != "NoExecute") {
      errors.invalid(at.child("effect"), toleration.effect,
                     "effect must be 'NoExecute' when `tolerationSeconds` is set");
    }
    if (op.empty() || op == "Equal") {
      const auto messages = object::validate_label_value(toleration.value);
      if (!messages.empty()) errors.invalid(at.child("operator"), toleration.value, joined(messages));
    } else if (op == "Exists") {
      if (!toleration.value.empty()) {
        errors.invalid(at.child("operator"), toleration.value, "value must be empty when `operator` is 'Exists'");
      }
    } else {
      errors.not_supported(at.child("operator"), op, {"Equal", "Exists"});
    }
    if (!toleration.effect.empty()) validate_taint_effect(toleration.effect, at.child("effect"), errors);
  }
}

void validate_spread_constraints(const PodCheck& check, const FieldPath& path) {
  FieldErrors& errors = check.errors;
  const auto& constraints = check.spec.topology_spread_constraints;
  for (size_t i = 0; i < constraints.size(); ++i) {
    const auto& constraint = constraints[i];
    const FieldPath at = path.index(i);
    if (constraint.max_skew <= 0) errors.invalid(at.child("maxSkew"), constraint.max_skew, "must be greater than zero");
    if (constraint.topology_key.empty()) errors.required(at.child("topologyKey"), "can not be empty");
    const std::string& action = constraint.when_unsatisfiable;
    if (action != "DoNotSchedule" && action != "ScheduleAnyway") {
      errors.not_supported(at.child("whenUnsatisfiable"), action, {"DoNotSchedule", "ScheduleAnyway"});
    }
    const bool repeated =
        std::any_of(constraints.begin() + static_cast<ptrdiff_t>(i) + 1, constraints.end(), [&](const auto& other) {
          return other.topology_key == constraint.topology_key && other.when_unsatisfiable == action;
        });
    if (repeated) {
      errors.duplicate(at.child("{topologyKey, whenUnsatisfiable}"),
                       "{" + constraint.topology_key + ", " + action + "}");
    }
    if (constraint.min_domains) {
      const FieldPath domains = at.child("minDomains");
      if (*constraint.min_domains <= 0) errors.invalid(domains, *constraint.min_domains, "must be greater than zero");
      if (action != "DoNotSchedule") {
        errors.invalid(domains, *constraint.min_domains,
                       "can only use minDomains if whenUnsatisfiable=DoNotSchedule, not " + action);
      }
    }
    validate_inclusion_policy(constraint.node_affinity_policy, at.child("nodeAffinityPolicy"), errors);
    validate_inclusion_policy(constraint.node_taints_policy, at.child("nodeTaintsPolicy"), errors);
    validate_spread_keys(constraint, at.child("matchLabelKeys"), errors);
    if (constraint.label_selector && !check.options.allow_invalid_spread_selector) {
      validate_label_selector(*constraint.label_selector, at.child("labelSelector"), errors);
    }
  }
}

void validate_scheduling_gates(const PodCheck& check, const FieldPath& path) {
  std::set<std::string_view> seen;
  for (size_t i = 0; i < check.spec.scheduling_gates.size(); ++i) {
    const std::string& name = check.spec.scheduling_gates[i].name;
    validate_qualified_name(name, path.index(i), check.errors);
    if (!seen.insert(name).second) check.errors.duplicate(path.index(i), name);
  }
}

}  // namespace api
