// What an update of a Pod may change: through the Pod itself, its ephemeral containers, its resources.
#include <algorithm>

#include "api/core/pod_resources.h"
#include "api/core/pod_validation.h"
#include "object/quantity.h"

namespace api {

using core::v1::Container;
using core::v1::NodeAffinity;
using core::v1::NodeSelectorTerm;
using core::v1::Pod;
using core::v1::PodSpec;
using object::FieldErrors;
using object::FieldPath;

namespace {

constexpr std::string_view kMirror = "kubernetes.io/config.mirror";
constexpr std::string_view kAppArmor = "container.apparmor.security.beta.kubernetes.io/";
constexpr std::string_view kUpdatable =
    "`spec.containers[*].image`,`spec.initContainers[*].image`,`spec.activeDeadlineSeconds`,`spec.tolerations` (only "
    "additions to existing tolerations),`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was "
    "previously negative)";

// Names the members that differ, in the place where upstream prints a diff of its structs.
std::string changed_members(const PodSpec& a, const PodSpec& b) {
  std::string out;
  auto note = [&](bool same, std::string_view name) {
    if (same) return;
    if (!out.empty()) out += ", ";
    out += name;
  };
  note(a.volumes == b.volumes, "Volumes");
  note(a.init_containers == b.init_containers, "InitContainers");
  note(a.containers == b.containers, "Containers");
  note(a.ephemeral_containers == b.ephemeral_containers, "EphemeralContainers");
  note(a.restart_policy == b.restart_policy, "RestartPolicy");
  note(a.termination_grace_period_seconds == b.termination_grace_period_seconds, "TerminationGracePeriodSeconds");
  note(a.dns_policy == b.dns_policy, "DNSPolicy");
  note(a.node_selector == b.node_selector, "NodeSelector");
  note(a.service_account_name == b.service_account_name, "ServiceAccountName");
  note(a.automount_service_account_token == b.automount_service_account_token, "AutomountServiceAccountToken");
  note(a.node_name == b.node_name, "NodeName");
  note(a.host_network == b.host_network, "HostNetwork");
  note(a.host_pid == b.host_pid, "HostPID");
  note(a.host_ipc == b.host_ipc, "HostIPC");
  note(a.share_process_namespace == b.share_process_namespace, "ShareProcessNamespace");
  note(a.security_context == b.security_context, "SecurityContext");
  note(a.image_pull_secrets == b.image_pull_secrets, "ImagePullSecrets");
  note(a.hostname == b.hostname, "Hostname");
  note(a.subdomain == b.subdomain, "Subdomain");
  note(a.affinity == b.affinity, "Affinity");
  note(a.scheduler_name == b.scheduler_name, "SchedulerName");
  note(a.host_aliases == b.host_aliases, "HostAliases");
  note(a.priority_class_name == b.priority_class_name, "PriorityClassName");
  note(a.priority == b.priority, "Priority");
  note(a.dns_config == b.dns_config, "DNSConfig");
  note(a.topology_spread_constraints == b.topology_spread_constraints, "TopologySpreadConstraints");
  note(a.resources == b.resources, "Resources");
  return "  core.PodSpec{" + (out.empty() ? std::string("…") : out) + "}";
}

bool is_image_space(const std::string& image) {
  constexpr std::string_view kSpace = " \t\n\v\f\r";
  return !image.empty() &&
         (kSpace.find(image.front()) != std::string_view::npos || kSpace.find(image.back()) != std::string_view::npos);
}

// False when the lists differ in length and nothing below makes sense.
bool validate_container_list(const std::vector<Container>& containers, const std::vector<Container>& old,
                             const FieldPath& path, FieldErrors& errors) {
  if (containers.size() != old.size()) {
    errors.forbidden(path, "pod updates may not add or remove containers");
    return false;
  }
  for (size_t i = 0; i < containers.size(); ++i) {
    const FieldPath at = path.index(i);
    const std::string& image = containers[i].image;
    if (image.empty()) errors.required(at.child("image"));
    if (is_image_space(image)) errors.invalid(at.child("image"), image, "must not have leading or trailing whitespace");
  }
  return true;
}

// It may be set once, and then lowered. False when nothing else is to be reported.
bool validate_deadline(const PodSpec& spec, const PodSpec& old, const FieldPath& path, FieldErrors& errors) {
  const auto& deadline = spec.active_deadline_seconds;
  const auto& before = old.active_deadline_seconds;
  if (!deadline) {
    if (before) {
      errors.invalid(path, object::BadValue::verbatim("null"), "must not update from a positive integer to nil value");
    }
    return true;
  }
  if (*deadline < 0 || *deadline > INT32_MAX) {
    errors.invalid(path, *deadline, inclusive_range_message(0, INT32_MAX));
    return false;
  }
  if (before && *before < *deadline) {
    errors.invalid(path, *deadline, "must be less than or equal to previous value");
    return false;
  }
  return true;
}

void validate_added_tolerations(const PodSpec& spec, const PodSpec& old, const FieldPath& path, FieldErrors& errors) {
  for (core::v1::Toleration before : old.tolerations) {
    const bool kept = std::ranges::any_of(spec.tolerations, [&](const core::v1::Toleration& each) {
      before.toleration_seconds = each.toleration_seconds;
      return before == each;
    });
    if (kept) continue;
    return errors.forbidden(path, "existing toleration can not be modified except its tolerationSeconds");
  }
  validate_tolerations(spec.tolerations, path, errors);
}

void validate_removed_gates(const PodSpec& spec, const PodSpec& old, const FieldPath& path, FieldErrors& errors) {
  for (size_t i = 0; i < spec.scheduling_gates.size(); ++i) {
    const auto& gate = spec.scheduling_gates[i];
    if (std::ranges::find(old.scheduling_gates, gate) != old.scheduling_gates.end()) continue;
    const FieldPath at = path.index(i);
    errors.forbidden(at.child("name"), "only deletion is allowed, but found new scheduling gate '" + gate.name + "'");
  }
}

bool starts_with(const std::vector<core::v1::NodeSelectorRequirement>& list,
                 const std::vector<core::v1::NodeSelectorRequirement>& start) {
  return list.size() >= start.size() && std::equal(start.begin(), start.end(), list.begin());
}

bool term_only_narrowed(const NodeSelectorTerm& term, const NodeSelectorTerm& old) {
  if (term == old) return true;
  const bool was_empty = old.match_expressions.empty() && old.match_fields.empty();
  return !was_empty && starts_with(term.match_expressions, old.match_expressions) &&
         starts_with(term.match_fields, old.match_fields);
}

// A gated Pod's required node affinity may be narrowed: each of its terms gets more requirements.
void validate_gated_affinity(const NodeAffinity* affinity, const NodeAffinity* old, const FieldPath& path,
                             FieldErrors& errors) {
  if (!old || !old->required_during_scheduling_ignored_during_execution) return;
  const FieldPath required = path.child("requiredDuringSchedulingIgnoredDuringExecution");
  const FieldPath terms_path = required.child("nodeSelectorTerms");
  std::vector<NodeSelectorTerm> terms;
  if (affinity && affinity->required_during_scheduling_ignored_during_execution) {
    terms = affinity->required_during_scheduling_ignored_during_execution->node_selector_terms;
  }
  const auto& old_terms = old->required_during_scheduling_ignored_during_execution->node_selector_terms;
  if (!old_terms.empty() && terms.size() != old_terms.size()) {
    return errors.invalid(terms_path, object::BadValue::verbatim("[]"),
                          "no additions/deletions to non-empty NodeSelectorTerms list are allowed");
  }
  for (size_t i = 0; i < old_terms.size(); ++i) {
    if (term_only_narrowed(terms[i], old_terms[i])) continue;
    errors.invalid(terms_path.index(i), object::BadValue::verbatim("{}"),
                   "only additions are allowed (no mutations or deletions)");
  }
}

void validate_gated_selector(const StringMap& selector, const StringMap& old, const FieldPath& path,
                             FieldErrors& errors) {
  for (const auto& [key, value] : old) {
    const auto found = selector.find(key);
    if (found != selector.end() && found->second == value) continue;
    return errors.invalid(path, shown(selector),
                          "only additions to spec.nodeSelector are allowed (no mutations or deletions)");
  }
}

const NodeAffinity* node_affinity(const PodSpec& spec) {
  return spec.affinity ? spec.affinity->node_affinity.get() : nullptr;
}

// Puts the old node affinity back, so that what is left can be compared.
void restore_node_affinity(PodSpec& spec, const PodSpec& old) {
  const NodeAffinity* before = node_affinity(old);
  if (!spec.affinity) {
    if (before) spec.affinity.ensure().node_affinity = *before;
    return;
  }
  if (!old.affinity && !spec.affinity->pod_affinity && !spec.affinity->pod_anti_affinity) return spec.affinity.reset();
  spec.affinity->node_affinity.reset();
  if (before) spec.affinity->node_affinity = *before;
}

void validate_gated_changes(PodSpec& rest, const PodSpec& old, const FieldPath& path, FieldErrors& errors) {
  if (rest.node_selector != old.node_selector) {
    validate_gated_selector(rest.node_selector, old.node_selector, path.child("nodeSelector"), errors);
    rest.node_selector = old.node_selector;
  }
  const NodeAffinity *after = node_affinity(rest), *before = node_affinity(old);
  const bool same = after && before ? *after == *before : after == before;
  if (same) return;
  const FieldPath affinity = path.child("affinity");
  validate_gated_affinity(after, before, affinity.child("nodeAffinity"), errors);
  restore_node_affinity(rest, old);
}

bool is_mirror(const Pod& pod) { return pod.metadata.annotations.contains(std::string(kMirror)); }

void keep_compute(ResourceList& list, const ResourceList& old) {
  if (old.empty()) {
    list.clear();
    return;
  }
  for (const char* name : {"cpu", "memory"}) {
    list.erase(name);
    if (const auto before = old.find(name); before != old.end()) list.insert(*before);
  }
}

// The container as it was, but for changes of cpu and memory; those are put back.
Container without_compute_changes(const Container& container, const Container& old) {
  Container out = container;
  keep_compute(out.resources.limits, old.resources.limits);
  keep_compute(out.resources.requests, old.resources.requests);
  out.resources.claims.clear();
  return out;
}

bool anything_removed(const ResourceList& list, const ResourceList& old) {
  return std::ranges::any_of(old, [&](const auto& entry) { return !list.contains(entry.first); });
}

void validate_container_resize(const Container& container, const Container& old, const FieldPath& path,
                               FieldErrors& errors) {
  if (anything_removed(container.resources.requests, old.resources.requests)) {
    errors.forbidden(path.child("requests"), "resource requests cannot be removed");
  }
  if (anything_removed(container.resources.limits, old.resources.limits)) {
    errors.forbidden(path.child("limits"), "resource limits cannot be removed");
  }
}

// A node that does not report the resources of a running container cannot change them.
bool resize_supported(const Pod& pod) {
  for (const auto& status : pod.status.container_statuses) {
    if (status.state.running) return static_cast<bool>(status.resources);
  }
  return true;
}

}  // namespace

void validate_pod_annotation_updates(const Pod& pod, const Pod& old, const PodValidationOptions& options,
                                     FieldErrors& errors) {
  const FieldPath metadata("metadata");
  const FieldPath path = metadata.child("annotations");
  const auto& annotations = pod.metadata.annotations;
  for (const auto& [key, value] : old.metadata.annotations) {
    const auto found = annotations.find(key);
    if (found != annotations.end() && found->second == value) continue;
    if (key.starts_with(kAppArmor)) errors.forbidden(path.key(key), "may not remove or update AppArmor annotations");
    if (key == kMirror) errors.forbidden(path.key(key), "may not remove or update mirror pod annotation");
  }
  for (const auto& [key, value] : annotations) {
    if (old.metadata.annotations.contains(key)) continue;
    if (key.starts_with(kAppArmor)) errors.forbidden(path.key(key), "may not add AppArmor annotations");
    if (key == kMirror) errors.forbidden(path.key(key), "may not add mirror pod annotation");
  }
  validate_pod_annotations(annotations, pod.spec, path, options, errors);
}

void validate_pod_update(const Pod& pod, const Pod& old, const PodValidationOptions& options, FieldErrors& errors) {
  const FieldPath spec("spec");
  validate_whole_pod(pod, options, errors);
  validate_pod_annotation_updates(pod, old, options, errors);
  if (!validate_container_list(pod.spec.containers, old.spec.containers, spec.child("containers"), errors)) return;
  if (!validate_container_list(pod.spec.init_containers, old.spec.init_containers, spec.child("initContainers"),
                               errors)) {
    return;
  }
  if (!validate_deadline(pod.spec, old.spec, spec.child("activeDeadlineSeconds"), errors)) return;
  validate_added_tolerations(pod.spec, old.spec, spec.child("tolerations"), errors);
  validate_removed_gates(pod.spec, old.spec, spec.child("schedulingGates"), errors);
  if (pod.spec == old.spec) return;

  // Put back what may change; whatever differs then may not.
  PodSpec rest = pod.spec;
  for (size_t i = 0; i < rest.containers.size(); ++i) rest.containers[i].image = old.spec.containers[i].image;
  for (size_t i = 0; i < rest.init_containers.size(); ++i) {
    rest.init_containers[i].image = old.spec.init_containers[i].image;
  }
  rest.active_deadline_seconds = old.spec.active_deadline_seconds;
  rest.scheduling_gates = old.spec.scheduling_gates;
  rest.tolerations = old.spec.tolerations;
  if (old.spec.termination_grace_period_seconds.value_or(0) < 0 && rest.termination_grace_period_seconds == 1) {
    rest.termination_grace_period_seconds = old.spec.termination_grace_period_seconds;
  }
  if (!old.spec.scheduling_gates.empty()) validate_gated_changes(rest, old.spec, spec, errors);
  if (!(rest == old.spec)) {
    errors.forbidden(spec, "pod updates may not change fields other than " + std::string(kUpdatable) + "\n" +
                               changed_members(rest, old.spec));
  }
}

void validate_pod_ephemeral_update(const Pod& pod, const Pod& old, const PodValidationOptions& options,
                                   FieldErrors& errors) {
  if (is_mirror(old)) {
    errors = {};
    return errors.forbidden(FieldPath(""), "static pods do not support ephemeral containers");
  }
  validate_whole_pod(pod, options, errors);
  validate_pod_annotation_updates(pod, old, options, errors);
  const FieldPath spec("spec");
  const FieldPath path = spec.child("ephemeralContainers");
  for (const auto& before : old.spec.ephemeral_containers) {
    const std::string& name = before.ephemeral_container_common.name;
    const auto found = std::ranges::find_if(
        pod.spec.ephemeral_containers, [&](const auto& each) { return each.ephemeral_container_common.name == name; });
    const std::string which = "existing ephemeral containers " + object::BadValue(name).text();
    if (found == pod.spec.ephemeral_containers.end()) {
      errors.forbidden(path, which + " may not be removed\n");
    } else if (!(*found == before)) {
      errors.forbidden(path, which + " may not be changed\n  core.EphemeralContainer{…}");
    }
  }
}

void validate_pod_resize(const Pod& pod, const Pod& old, const PodValidationOptions& options, FieldErrors& errors) {
  auto refuse = [&](std::string_view detail) {
    errors = {};
    errors.forbidden(FieldPath(""), detail);
  };
  validate_whole_pod(pod, options, errors);
  auto pod_level = [](const Pod& each) {
    return each.spec.resources && (!each.spec.resources->requests.empty() || !each.spec.resources->limits.empty());
  };
  if (pod_level(pod) || pod_level(old)) return refuse("pods with pod-level resources cannot be resized");
  if (is_mirror(old)) return refuse("static pods cannot be resized");
  if (old.spec.os && old.spec.os->name == "windows") return refuse("windows pods cannot be resized");

  const FieldPath spec("spec");
  const std::string_view before = old.status.qos_class.empty() ? compute_qos_class(old) : old.status.qos_class;
  if (before != compute_qos_class(pod)) {
    errors.invalid(spec, pod.status.qos_class, "Pod QOS Class may not change as a result of resizing");
  }
  if (!resize_supported(old)) errors.forbidden(spec, "Pod running on node without support for resize");
  // The lists have the same containers: anything else was put back or is refused with the whole spec.
  if (pod.spec.containers.size() != old.spec.containers.size() ||
      pod.spec.init_containers.size() != old.spec.init_containers.size()) {
    return errors.forbidden(spec, "only cpu and memory resources are mutable");
  }
  PodSpec rest = pod.spec;
  const FieldPath init = spec.child("initContainers"), regular = spec.child("containers");
  for (size_t i = 0; i < old.spec.init_containers.size(); ++i) {
    const Container& container = old.spec.init_containers[i];
    if (!restartable_init_container(container)) continue;
    const FieldPath at = init.index(i);
    validate_container_resize(pod.spec.init_containers[i], container, at.child("resources"), errors);
  }
  for (size_t i = 0; i < old.spec.containers.size(); ++i) {
    const FieldPath at = regular.index(i);
    validate_container_resize(pod.spec.containers[i], old.spec.containers[i], at.child("resources"), errors);
  }
  for (size_t i = 0; i < rest.containers.size(); ++i) {
    rest.containers[i] = without_compute_changes(pod.spec.containers[i], old.spec.containers[i]);
    if (!(rest.containers[i] == old.spec.containers[i])) {
      errors.forbidden(spec, "only cpu and memory resources are mutable");
    }
  }
  for (size_t i = 0; i < rest.init_containers.size(); ++i) {
    const Container& container = old.spec.init_containers[i];
    if (restartable_init_container(container)) {
      rest.init_containers[i] = without_compute_changes(pod.spec.init_containers[i], container);
      if (!(rest.init_containers[i] == container)) {
        errors.forbidden(spec, "only cpu and memory resources for sidecar containers are mutable");
      }
    } else if (!(rest.init_containers[i] == container)) {
      errors.forbidden(spec, "resources for non-sidecar init containers are immutable");
    }
  }
  if (errors.empty() && !(rest == old.spec)) errors.forbidden(spec, "only cpu and memory resources are mutable");
}

}  // namespace api
