#include "api/core/pod_strategy.h"

#include <algorithm>
#include <map>

#include "api/core/pod.h"
#include "api/core/pod_spec.h"
#include "api/core/pod_validation.h"
#include "api/meta_validation.h"

namespace api {
namespace {

using core::v1::AppArmorProfile;
using core::v1::Container;
using core::v1::Pod;
using core::v1::PodSpec;

// Labels of the Pod become requirements of its own selectors: so Pods of one revision know each other.
void merge_label_keys(meta::v1::LabelSelector& selector, const std::vector<std::string>& keys, std::string_view op,
                      const StringMap& labels) {
  for (const auto& key : keys) {
    const auto label = labels.find(key);
    if (label == labels.end()) continue;
    auto& requirement = selector.match_expressions.emplace_back();
    requirement.key = key;
    requirement.operator_ = op;
    requirement.values = {label->second};
  }
}

void merge_label_keys(core::v1::PodAffinityTerm& term, const StringMap& labels) {
  if (!term.label_selector) return;
  merge_label_keys(*term.label_selector, term.match_label_keys, "In", labels);
  merge_label_keys(*term.label_selector, term.mismatch_label_keys, "NotIn", labels);
}

// PodAffinity or PodAntiAffinity.
template <typename Affinity>
void merge_label_keys(base::Box<Affinity>& affinity, const StringMap& labels) {
  if (!affinity) return;
  for (auto& term : affinity->preferred_during_scheduling_ignored_during_execution) {
    merge_label_keys(term.pod_affinity_term, labels);
  }
  for (auto& term : affinity->required_during_scheduling_ignored_during_execution) merge_label_keys(term, labels);
}

void merge_label_keys(Pod& pod) {
  if (pod.spec.affinity) {
    merge_label_keys(pod.spec.affinity->pod_affinity, pod.metadata.labels);
    merge_label_keys(pod.spec.affinity->pod_anti_affinity, pod.metadata.labels);
  }
  for (auto& constraint : pod.spec.topology_spread_constraints) {
    if (!constraint.label_selector) continue;
    merge_label_keys(*constraint.label_selector, constraint.match_label_keys, "In", pod.metadata.labels);
  }
}

std::optional<AppArmorProfile> profile_of(const std::string& annotation) {
  constexpr std::string_view kLocalhost = "localhost/";
  AppArmorProfile profile;
  if (annotation == "unconfined") {
    profile.type = "Unconfined";
  } else if (annotation == "runtime/default") {
    profile.type = "RuntimeDefault";
  } else if (annotation.starts_with(kLocalhost)) {
    profile.type = "Localhost";
    profile.localhost_profile = annotation.substr(kLocalhost.size());
  } else {
    return std::nullopt;
  }
  if (!valid_app_armor_profile(profile)) return std::nullopt;
  return profile;
}

// Compat: AppArmor annotations of old clients become fields, with a warning.
template <typename C>
void apply_app_armor_annotation(RuleContext& context, Pod& pod, C& container) {
  const std::string key = "container.apparmor.security.beta.kubernetes.io/" + container.name;
  const auto annotation = pod.metadata.annotations.find(key);
  if (annotation == pod.metadata.annotations.end()) return;
  if (container.security_context && container.security_context->app_armor_profile) return;
  const auto profile = profile_of(annotation->second);
  const auto& pod_context = pod.spec.security_context;
  const bool same_as_pod = profile && pod_context && pod_context->app_armor_profile == base::Box(*profile);
  if (same_as_pod) return;
  if (profile) container.security_context.ensure().app_armor_profile = *profile;
  context.warnings->push_back("metadata.annotations[" + key +
                              "]: deprecated since v1.30; use the \"appArmorProfile\" field instead");
}

void apply_app_armor_annotations(RuleContext& context, Pod& pod) {
  if (pod.metadata.annotations.empty() || (pod.spec.os && pod.spec.os->name == "windows")) return;
  for (auto& container : pod.spec.init_containers) apply_app_armor_annotation(context, pod, container);
  for (auto& container : pod.spec.containers) apply_app_armor_annotation(context, pod, container);
  for (auto& container : pod.spec.ephemeral_containers) {
    apply_app_armor_annotation(context, pod, container.ephemeral_container_common);
  }
}

void raise_generation(Pod& pod, const Pod& old) {
  pod.metadata.generation = old.metadata.generation + (pod.spec == old.spec ? 0 : 1);
}

// A report that leaves observedGeneration out does not take it back. Several conditions of one type keep their order.
void keep_observed_generation(Pod& pod, const Pod& old) {
  if (pod.status.observed_generation == 0) pod.status.observed_generation = old.status.observed_generation;
  std::map<std::string_view, std::vector<int64_t>> before;
  for (const auto& condition : old.status.conditions) before[condition.type].push_back(condition.observed_generation);
  for (auto& condition : pod.status.conditions) {
    auto found = before.find(condition.type);
    if (found == before.end() || found->second.empty()) continue;
    const int64_t generation = found->second.front();
    found->second.erase(found->second.begin());
    if (condition.observed_generation == 0) condition.observed_generation = generation;
  }
}

// What differs between the containers but resources and resize policy is put back. Containers that were renamed or
// moved are left for validation to refuse.
std::vector<Container> only_resized(const std::vector<Container>& containers, const std::vector<Container>& old) {
  std::vector<Container> out = old;
  for (size_t i = 0; i < containers.size(); ++i) {
    if (out[i].name != containers[i].name) return containers;
    out[i].resources = containers[i].resources;
    out[i].resize_policy = containers[i].resize_policy;
  }
  return out;
}

void prepare_for_resize(Pod& pod, const Pod& old) {
  if (pod.spec.containers.size() != old.spec.containers.size() ||
      pod.spec.init_containers.size() != old.spec.init_containers.size()) {
    return;
  }
  auto containers = only_resized(pod.spec.containers, old.spec.containers);
  auto init = only_resized(pod.spec.init_containers, old.spec.init_containers);
  pod.spec = old.spec;
  pod.spec.containers = std::move(containers);
  pod.spec.init_containers = std::move(init);
  pod.status = old.status;
  reset_meta_for_status(pod.metadata, old.metadata);
}

template <typename C>
bool drop_stop_signal(C& container) {
  if (!container.lifecycle || !container.lifecycle->stop_signal) return false;
  container.lifecycle->stop_signal.reset();
  if (!container.lifecycle->post_start && !container.lifecycle->pre_stop) container.lifecycle.reset();
  return true;
}

bool uses_stop_signals(const PodSpec& spec) {
  bool found = false;
  visit_containers(spec, object::FieldPath(), [&](const Container& container, const object::FieldPath&) {
    found |= container.lifecycle && container.lifecycle->stop_signal;
  });
  return found;
}

bool uses_projection(const PodSpec& spec, bool (*uses)(const core::v1::VolumeProjection&)) {
  return std::ranges::any_of(spec.volumes, [&](const auto& volume) {
    const auto& projected = volume.volume_source.projected;
    return projected && std::ranges::any_of(projected->sources, uses);
  });
}

}  // namespace

void drop_disabled_pod_fields(PodSpec& spec, const PodSpec* old) {
  if (!old || !old->workload_ref) spec.workload_ref.reset();
  if (!old || !uses_stop_signals(*old)) {
    for (auto& container : spec.init_containers) drop_stop_signal(container);
    for (auto& container : spec.containers) drop_stop_signal(container);
    for (auto& container : spec.ephemeral_containers) drop_stop_signal(container.ephemeral_container_common);
  }
  auto bundle = [](const core::v1::VolumeProjection& source) { return static_cast<bool>(source.cluster_trust_bundle); };
  auto certificate = [](const core::v1::VolumeProjection& source) { return static_cast<bool>(source.pod_certificate); };
  const bool keep_bundles = old && uses_projection(*old, bundle);
  const bool keep_certificates = old && uses_projection(*old, certificate);
  for (auto& volume : spec.volumes) {
    if (!volume.volume_source.projected) continue;
    for (auto& source : volume.volume_source.projected->sources) {
      if (!keep_bundles) source.cluster_trust_bundle.reset();
      if (!keep_certificates) source.pod_certificate.reset();
    }
  }
}

void prepare_pod_for_create(RuleContext& context, Pod& pod) {
  pod.metadata.generation = 1;
  pod.spec.service_account = pod.spec.service_account_name;
  pod.status = {};
  pod.status.phase = "Pending";
  pod.status.qos_class = compute_qos_class(pod);
  drop_disabled_pod_fields(pod.spec, nullptr);
  if (!pod.spec.scheduling_gates.empty()) {
    core::v1::PodCondition gated;
    gated.type = "PodScheduled";
    gated.status = "False";
    gated.reason = "SchedulingGated";
    gated.message = "Scheduling is blocked due to non-empty scheduling gates";
    set_pod_condition(pod.status, gated, context.now);
  }
  merge_label_keys(pod);
  apply_app_armor_annotations(context, pod);
}

void prepare_pod_for_update(Pod& pod, const Pod& old) {
  pod.status = old.status;
  drop_disabled_pod_fields(pod.spec, &old.spec);
  raise_generation(pod, old);
}

void prepare_pod_for_subresource(std::string_view subresource, Pod& pod, const Pod& old) {
  if (subresource == "status") {
    pod.spec = old.spec;
    // Compat: kubelets of old times corrupted owner references in status updates.
    pod.metadata.owner_references = old.metadata.owner_references;
    pod.metadata.deletion_timestamp = old.metadata.deletion_timestamp;
    if (pod.status.qos_class.empty()) pod.status.qos_class = old.status.qos_class;
    keep_observed_generation(pod, old);
    return;
  }
  if (subresource == "ephemeralcontainers") {
    auto containers = std::move(pod.spec.ephemeral_containers);
    pod.spec = old.spec;
    pod.spec.ephemeral_containers = std::move(containers);
    pod.status = old.status;
    reset_meta_for_status(pod.metadata, old.metadata);
  } else if (subresource == "resize") {
    prepare_for_resize(pod, old);
  }
  drop_disabled_pod_fields(pod.spec, &old.spec);
  raise_generation(pod, old);
}

}  // namespace api
