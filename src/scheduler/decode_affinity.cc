#include "scheduler/decode_affinity.h"

#include <algorithm>

#include "api/label_selector.h"
#include "gen/core/v1.h"

namespace scheduler {
namespace {
namespace v1 = api::core::v1;
using object::LabelSelector;
using object::Requirement;
using object::SelectorOp;

NodeRequirement to_requirement(const v1::NodeSelectorRequirement& from) {
  using Op = NodeRequirement::Op;
  static constexpr std::pair<std::string_view, Op> kOps[] = {
      {"In", Op::kIn}, {"NotIn", Op::kNotIn}, {"Exists", Op::kExists}, {"DoesNotExist", Op::kDoesNotExist},
      {"Gt", Op::kGt}, {"Lt", Op::kLt}};
  NodeRequirement result{from.key, Op::kInvalid, from.values};
  for (const auto& [text, op] : kOps) {
    if (text == from.operator_) result.op = op;
  }
  return result;
}

NodeTerm to_term(const v1::NodeSelectorTerm& from) {
  NodeTerm term;
  for (const auto& requirement : from.match_expressions) term.labels.push_back(to_requirement(requirement));
  for (const auto& requirement : from.match_fields) term.fields.push_back(to_requirement(requirement));
  return term;
}

// matchLabelKeys: the pod's own values are added to the selector. (Adding again what the API server added is harmless.)
LabelSelector with_keys(LabelSelector selector, const std::vector<std::string>& keys, SelectorOp op,
                        const StringPairs& labels) {
  if (keys.empty() || selector.matches_nothing()) return selector;
  std::vector<Requirement> requirements = selector.requirements();
  for (const std::string& key : keys) {
    for (const auto& [name, value] : labels) {
      if (name == key) requirements.push_back({key, op, {value}});
    }
  }
  auto merged = LabelSelector::from_requirements(std::move(requirements));
  return merged ? *std::move(merged) : selector;
}

LabelSelector selector_of(const base::Box<api::meta::v1::LabelSelector>& from) {
  auto selector = api::to_selector(from);
  return selector ? *std::move(selector) : LabelSelector::nothing();
}

AffinityTerm to_affinity_term(const v1::PodAffinityTerm& from, AffinityTerm::Kind kind, int32_t weight,
                              const PodInfo& pod) {
  AffinityTerm term{kind, weight, from.topology_key, {}, {}};
  PodQuery::Clause clause;
  clause.selector = with_keys(selector_of(from.label_selector), from.match_label_keys, SelectorOp::kIn, pod.labels);
  clause.selector = with_keys(std::move(clause.selector), from.mismatch_label_keys, SelectorOp::kNotIn, pod.labels);
  clause.namespaces = from.namespaces;
  // Compat: without namespaces and selector, the term means the pod's own namespace.
  if (clause.namespaces.empty() && !from.namespace_selector) clause.namespaces.push_back(pod.ns);
  std::ranges::sort(clause.namespaces);
  if (from.namespace_selector) clause.namespace_selector = selector_of(from.namespace_selector);
  term.query.clauses.push_back(std::move(clause));
  term.query.make_key();
  term.key = std::to_string(static_cast<int>(kind)) + "/" + std::to_string(weight) + "/" + term.topology_key + "/" +
             term.query.key;
  return term;
}

template <typename Side>
void read_pod_terms(const Side& side, AffinityTerm::Kind required, AffinityTerm::Kind preferred, PodInfo& pod) {
  for (const auto& term : side.required_during_scheduling_ignored_during_execution) {
    pod.affinity_terms.push_back(to_affinity_term(term, required, 0, pod));
  }
  for (const auto& weighted : side.preferred_during_scheduling_ignored_during_execution) {
    pod.affinity_terms.push_back(to_affinity_term(weighted.pod_affinity_term, preferred, weighted.weight, pod));
  }
}

SpreadConstraint to_constraint(const v1::TopologySpreadConstraint& from, const PodInfo& pod) {
  SpreadConstraint result;
  result.max_skew = from.max_skew;
  result.min_domains = from.min_domains.value_or(1);
  result.topology_key = from.topology_key;
  if (from.when_unsatisfiable == "ScheduleAnyway") result.when = SpreadConstraint::When::kScheduleAnyway;
  if (from.node_affinity_policy == "Ignore") result.node_affinity = SpreadConstraint::Policy::kIgnore;
  if (from.node_taints_policy == "Honor") result.node_taints = SpreadConstraint::Policy::kHonor;
  result.selector = with_keys(selector_of(from.label_selector), from.match_label_keys, SelectorOp::kIn, pod.labels);
  result.query.clauses.push_back({{pod.ns}, std::nullopt, result.selector});
  result.query.terminating = PodQuery::Terminating::kSkip;
  result.query.make_key();
  return result;
}

}  // namespace

std::vector<NodeTerm> to_node_terms(const v1::NodeSelector& selector) {
  std::vector<NodeTerm> terms;
  for (const auto& term : selector.node_selector_terms) terms.push_back(to_term(term));
  return terms;
}

void read_affinity(const v1::PodSpec& spec, PodInfo& pod) {
  for (const auto& constraint : spec.topology_spread_constraints) {
    pod.spread_constraints.push_back(to_constraint(constraint, pod));
  }
  if (!spec.affinity) return;
  using Kind = AffinityTerm::Kind;
  if (const auto& node = spec.affinity->node_affinity) {
    if (const auto& required = node->required_during_scheduling_ignored_during_execution) {
      pod.required_node_terms = to_node_terms(*required);
    }
    for (const auto& preferred : node->preferred_during_scheduling_ignored_during_execution) {
      pod.preferred_node_terms.push_back({preferred.weight, to_term(preferred.preference)});
    }
  }
  if (const auto& side = spec.affinity->pod_affinity) {
    read_pod_terms(*side, Kind::kRequiredAffinity, Kind::kPreferredAffinity, pod);
  }
  if (const auto& side = spec.affinity->pod_anti_affinity) {
    read_pod_terms(*side, Kind::kRequiredAntiAffinity, Kind::kPreferredAntiAffinity, pod);
  }
}

}  // namespace scheduler
