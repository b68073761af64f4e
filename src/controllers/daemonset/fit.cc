// On which nodes Pods of a DaemonSet run, and the Pods themselves.
#include <algorithm>
#include <charconv>

#include "client/client.h"
#include "controllers/daemonset/plan.h"
#include "controllers/runtime/owners.h"

namespace controllers::daemonset {
namespace {

using api::apps::v1::DaemonSet;
using api::core::v1::Node;
using api::core::v1::NodeSelectorRequirement;
using api::core::v1::NodeSelectorTerm;
using api::core::v1::Pod;
using api::core::v1::PodSpec;
using api::core::v1::Taint;
using api::core::v1::Toleration;

constexpr const char* kNameField = "metadata.name";

// Compat: what upstream adds to every daemon Pod.
struct DaemonToleration {
  const char* key;
  const char* effect;
};
constexpr DaemonToleration kTolerations[] = {
    {"node.kubernetes.io/not-ready", "NoExecute"},           {"node.kubernetes.io/unreachable", "NoExecute"},
    {"node.kubernetes.io/disk-pressure", "NoSchedule"},      {"node.kubernetes.io/memory-pressure", "NoSchedule"},
    {"node.kubernetes.io/pid-pressure", "NoSchedule"},       {"node.kubernetes.io/unschedulable", "NoSchedule"},
    {"node.kubernetes.io/network-unavailable", "NoSchedule"}};

void add_tolerations(PodSpec& spec) {
  for (const DaemonToleration& wanted : kTolerations) {
    if (std::string_view(wanted.key).ends_with("network-unavailable") && !spec.host_network) continue;
    const bool there = std::ranges::any_of(spec.tolerations, [&](const Toleration& toleration) {
      return toleration.key == wanted.key && toleration.effect == wanted.effect && toleration.operator_ == "Exists" &&
             !toleration.toleration_seconds;
    });
    if (there) continue;
    Toleration& toleration = spec.tolerations.emplace_back();
    toleration.key = wanted.key;
    toleration.operator_ = "Exists";
    toleration.effect = wanted.effect;
  }
}

bool tolerates(const Toleration& toleration, const Taint& taint) {
  if (!toleration.effect.empty() && toleration.effect != taint.effect) return false;
  if (!toleration.key.empty() && toleration.key != taint.key) return false;
  if (toleration.operator_ == "Exists") return true;
  return toleration.value == taint.value && (toleration.operator_.empty() || toleration.operator_ == "Equal");
}
bool tolerated(const PodSpec& spec, const Taint& taint) {
  return std::ranges::any_of(spec.tolerations,
                             [&](const Toleration& toleration) { return tolerates(toleration, taint); });
}

bool compare(const std::string& have, const NodeSelectorRequirement& requirement) {
  int64_t left = 0, right = 0;
  if (requirement.values.size() != 1) return false;
  const std::string& wanted = requirement.values[0];
  if (std::from_chars(have.data(), have.data() + have.size(), left).ec != std::errc()) return false;
  if (std::from_chars(wanted.data(), wanted.data() + wanted.size(), right).ec != std::errc()) return false;
  return requirement.operator_ == "Gt" ? left > right : left < right;
}

bool fulfils(const std::string* have, const NodeSelectorRequirement& requirement) {
  const std::string& how = requirement.operator_;
  if (how == "Exists") return have != nullptr;
  if (how == "DoesNotExist") return have == nullptr;
  const bool in = have && std::ranges::count(requirement.values, *have) > 0;
  if (how == "In") return in;
  if (how == "NotIn") return !in;
  return have && (how == "Gt" || how == "Lt") && compare(*have, requirement);
}

bool matches(const NodeSelectorTerm& term, const Node& node) {
  if (term.match_expressions.empty() && term.match_fields.empty()) return false;
  for (const NodeSelectorRequirement& requirement : term.match_expressions) {
    const auto found = node.metadata.labels.find(requirement.key);
    if (!fulfils(found == node.metadata.labels.end() ? nullptr : &found->second, requirement)) return false;
  }
  return std::ranges::all_of(term.match_fields, [&](const NodeSelectorRequirement& requirement) {
    return fulfils(requirement.key == kNameField ? &node.metadata.name : nullptr, requirement);
  });
}

bool fits_affinity(const PodSpec& spec, const Node& node) {
  for (const auto& [key, value] : spec.node_selector) {
    const auto found = node.metadata.labels.find(key);
    if (found == node.metadata.labels.end() || found->second != value) return false;
  }
  if (!spec.affinity || !spec.affinity->node_affinity) return true;
  const auto& required = spec.affinity->node_affinity->required_during_scheduling_ignored_during_execution;
  if (!required) return true;
  return std::ranges::any_of(required->node_selector_terms,
                             [&](const NodeSelectorTerm& term) { return matches(term, node); });
}

}  // namespace

Fit fit(const DaemonSet& set, const Node& node) {
  PodSpec spec = set.spec.template_.spec;
  if (!spec.node_name.empty() && spec.node_name != node.metadata.name) return {};
  if (!fits_affinity(spec, node)) return {};
  add_tolerations(spec);
  Fit result{true, true};
  for (const Taint& taint : node.spec.taints) {
    if ((taint.effect != "NoSchedule" && taint.effect != "NoExecute") || tolerated(spec, taint)) continue;
    result.run = false;
    if (taint.effect == "NoExecute") result.stay = false;
  }
  return result;
}

std::string target_node(const Pod& pod) {
  if (!pod.spec.node_name.empty()) return pod.spec.node_name;
  if (!pod.spec.affinity || !pod.spec.affinity->node_affinity) return "";
  const auto& required = pod.spec.affinity->node_affinity->required_during_scheduling_ignored_during_execution;
  if (!required) return "";
  for (const NodeSelectorTerm& term : required->node_selector_terms) {
    for (const NodeSelectorRequirement& requirement : term.match_fields) {
      if (requirement.key == kNameField && requirement.operator_ == "In" && requirement.values.size() == 1)
        return requirement.values[0];
    }
  }
  return "";
}

Pod make_pod(const DaemonSet& set, const std::string& hash, const std::string& node) {
  Pod pod;
  const auto& metadata = set.spec.template_.metadata;
  pod.metadata.generate_name = set.metadata.name + "-";
  pod.metadata.namespace_ = set.metadata.namespace_;
  pod.metadata.labels = metadata.labels;
  pod.metadata.annotations = metadata.annotations;
  pod.metadata.finalizers = metadata.finalizers;
  pod.metadata.labels[kHashLabel] = hash;
  const auto generation = set.metadata.annotations.find(kTemplateGeneration);
  if (generation != set.metadata.annotations.end()) pod.metadata.labels[kGenerationLabel] = generation->second;
  pod.metadata.owner_references = {controller_reference(client::resource_of<DaemonSet>(), set.metadata)};
  pod.spec = set.spec.template_.spec;
  add_tolerations(pod.spec);
  // Bound to its node by name; the other requirements of the template hold there already.
  auto& required =
      pod.spec.affinity.ensure().node_affinity.ensure().required_during_scheduling_ignored_during_execution.ensure();
  NodeSelectorTerm term;
  NodeSelectorRequirement& requirement = term.match_fields.emplace_back();
  requirement.key = kNameField;
  requirement.operator_ = "In";
  requirement.values = {node};
  if (required.node_selector_terms.empty()) {
    required.node_selector_terms = {std::move(term)};
  } else {
    for (NodeSelectorTerm& existing : required.node_selector_terms) existing.match_fields = term.match_fields;
  }
  return pod;
}

}  // namespace controllers::daemonset
