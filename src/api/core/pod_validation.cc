// Validation of a whole PodSpec, of Pod templates and of new Pods.
#include "api/core/pod_validation.h"

#include <algorithm>
#include <charconv>

#include "api/core/pod_resources.h"
#include "object/names.h"

namespace api {

using core::v1::Pod;
using core::v1::PodSpec;
using object::FieldErrors;
using object::FieldPath;

namespace {

void validate_enum(const std::string& value, std::initializer_list<std::string_view> supported, const FieldPath& path,
                   FieldErrors& errors) {
  if (value.empty()) {
    errors.required(path);
  } else if (std::ranges::find(supported, value) == supported.end()) {
    errors.not_supported(path, value, supported);
  }
}

// On the host's network a port of a container is that port of the host. A template may leave host ports unset.
void validate_host_network_ports(const PodCheck& check, const FieldPath& path) {
  if (!check.spec.host_network) return;
  const FieldPath containers = path.child("containers");
  for (size_t i = 0; i < check.spec.containers.size(); ++i) {
    const FieldPath container = containers.index(i);
    const FieldPath ports = container.child("ports");
    const auto& list = check.spec.containers[i].ports;
    for (size_t j = 0; j < list.size(); ++j) {
      if (list[j].host_port == list[j].container_port || (!check.is_pod() && list[j].host_port == 0)) continue;
      const FieldPath at = ports.index(j);
      check.errors.invalid(at.child("hostPort"), list[j].host_port,
                           "must match `containerPort` when `hostNetwork` is true");
    }
  }
}

void validate_dns_searches(const std::vector<std::string>& searches, const FieldPath& path, FieldErrors& errors) {
  constexpr size_t kMaxSearches = 32, kMaxCharacters = 2048;
  size_t characters = searches.empty() ? 0 : searches.size() - 1;
  for (const auto& search : searches) characters += search.size();
  if (searches.size() > kMaxSearches) errors.invalid(path, shown(searches), "must not have more than 32 search paths");
  if (characters > kMaxCharacters) {
    errors.invalid(path, shown(searches),
                   "must not have more than 2048 characters (including spaces) in the search list");
  }
  for (size_t i = 0; i < searches.size(); ++i) {
    std::string_view search = searches[i];
    if (search == ".") continue;
    if (search.ends_with('.')) search.remove_suffix(1);
    errors.invalid_each(path.index(i), search, object::validate_dns1123_subdomain_with_underscore(search));
  }
}

void validate_dns(const PodSpec& spec, const FieldPath& path, FieldErrors& errors) {
  constexpr size_t kMaxNameservers = 3;
  const auto& config = spec.dns_config;
  const FieldPath servers = path.child("nameservers");
  if (spec.dns_policy == "None") {
    if (!config) return errors.required(path, "must provide `dnsConfig` when `dnsPolicy` is None");
    if (config->nameservers.empty()) {
      return errors.required(servers, "must provide at least one DNS nameserver when `dnsPolicy` is None");
    }
  }
  if (!config) return;
  if (config->nameservers.size() > kMaxNameservers) {
    errors.invalid(servers, shown(config->nameservers), "must not have more than 3 nameservers");
  }
  for (size_t i = 0; i < config->nameservers.size(); ++i) {
    errors.invalid_each(servers.index(i), config->nameservers[i], object::validate_ip(config->nameservers[i]));
  }
  validate_dns_searches(config->searches, path.child("searches"), errors);
  const FieldPath options = path.child("options");
  for (size_t i = 0; i < config->options.size(); ++i) {
    if (config->options[i].name.empty()) errors.required(options.index(i), "must not be empty");
  }
}

void validate_host_users(const PodCheck& check, const FieldPath& path) {
  constexpr std::string_view kMessage = "when `pod.Spec.HostUsers` is false";
  const PodSpec& spec = check.spec;
  if (check.host_users()) return;
  if (spec.host_network) check.errors.forbidden(path.child("hostNetwork"), kMessage);
  if (spec.host_pid) check.errors.forbidden(path.child("HostPID"), kMessage);
  if (spec.host_ipc) check.errors.forbidden(path.child("HostIPC"), kMessage);
  visit_containers(spec, path, [&](const core::v1::Container& container, const FieldPath& at) {
    if (!container.volume_devices.empty()) check.errors.forbidden(at.child("volumeDevices"), kMessage);
  });
}

void validate_host_names(const PodSpec& spec, const FieldPath& path, FieldErrors& errors) {
  constexpr size_t kMaxHostname = 64;
  if (!spec.hostname.empty()) validate_dns1123_label(spec.hostname, path.child("hostname"), errors);
  if (!spec.subdomain.empty()) validate_dns1123_label(spec.subdomain, path.child("subdomain"), errors);
  if (!spec.hostname_override) return;
  const FieldPath at = path.child("hostnameOverride");
  validate_dns1123_subdomain(*spec.hostname_override, at, errors);
  if (spec.hostname_override->size() > kMaxHostname) errors.too_long(at, kMaxHostname);
  if (spec.set_hostname_as_fqdn.value_or(false)) {
    errors.forbidden(at, "may not be specified when `setHostnameAsFQDN` is true");
  }
  if (spec.host_network) errors.forbidden(at, "may not be specified when `hostNetwork` is true");
}

void validate_host_aliases(const PodSpec& spec, const FieldPath& path, FieldErrors& errors) {
  for (size_t i = 0; i < spec.host_aliases.size(); ++i) {
    const auto& alias = spec.host_aliases[i];
    const FieldPath at = path.index(i);
    errors.invalid_each(at.child("ip"), alias.ip, object::validate_ip(alias.ip));
    const FieldPath names = at.child("hostnames");
    for (size_t j = 0; j < alias.hostnames.size(); ++j) {
      validate_dns1123_subdomain(alias.hostnames[j], names.index(j), errors);
    }
  }
}

// The references by name, and what has but one check.
void validate_names(const PodCheck& check, const FieldPath& path) {
  FieldErrors& errors = check.errors;
  const PodSpec& spec = check.spec;
  if (!spec.service_account_name.empty()) {
    validate_dns1123_subdomain(spec.service_account_name, path.child("serviceAccountName"), errors);
  }
  if (!spec.node_name.empty()) validate_dns1123_subdomain(spec.node_name, path.child("nodeName"), errors);
  if (const auto& deadline = spec.active_deadline_seconds; deadline && (*deadline < 1 || *deadline > INT32_MAX)) {
    errors.invalid(path.child("activeDeadlineSeconds"), *deadline, inclusive_range_message(1, INT32_MAX));
  }
  validate_host_names(spec, path, errors);
  validate_tolerations(spec.tolerations, path.child("tolerations"), errors);
  validate_host_aliases(spec, path.child("hostAliases"), errors);
  if (!spec.priority_class_name.empty()) {
    validate_dns1123_subdomain(spec.priority_class_name, path.child("priorityClassName"), errors);
  }
  if (spec.runtime_class_name) {
    validate_dns1123_subdomain(*spec.runtime_class_name, path.child("runtimeClassName"), errors);
  }
  if (spec.preemption_policy) {
    validate_enum(*spec.preemption_policy, {"PreemptLowerPriority", "Never"}, path.child("preemptionPolicy"), errors);
  }
  if (!spec.overhead.empty()) {
    core::v1::ResourceRequirements overhead;
    overhead.limits = spec.overhead;
    validate_resource_requirements(overhead, {}, path.child("overhead"), check.options, errors);
  }
}

bool valid_deletion_cost(const std::string& text) {
  if (text.empty()) return false;
  const bool first = text[0] == '-' || text == "0" || (text[0] >= '1' && text[0] <= '9');
  int32_t cost = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), cost);
  return first && error == std::errc() && end == text.data() + text.size();
}

bool has_invalid_values(const meta::v1::LabelSelector& selector) {
  FieldErrors errors;
  validate_label_selector(selector, FieldPath(), errors);
  return !errors.empty();
}

bool affinity_selects_badly(const core::v1::Affinity& affinity) {
  auto bad = [](const core::v1::PodAffinityTerm& term) {
    return (term.label_selector && has_invalid_values(*term.label_selector)) ||
           (term.namespace_selector && has_invalid_values(*term.namespace_selector));
  };
  auto any = [&](const auto& kind) {
    if (!kind) return false;
    return std::ranges::any_of(kind->required_during_scheduling_ignored_during_execution, bad) ||
           std::ranges::any_of(kind->preferred_during_scheduling_ignored_during_execution,
                               [&](const auto& term) { return bad(term.pod_affinity_term); });
  };
  return any(affinity.pod_affinity) || any(affinity.pod_anti_affinity);
}

// Old objects keep what was let in before the checks were made.
PodValidationOptions lenient_options(const RuleContext& context, PodSubject subject, const PodSpec* old,
                                     const StringMap* old_annotations) {
  PodValidationOptions options;
  options.subject = subject;
  options.privileged = context.privileged;
  if (!old) return options;
  const auto cost = old_annotations->find("controller.kubernetes.io/pod-deletion-cost");
  options.allow_invalid_deletion_cost = cost != old_annotations->end() && !valid_deletion_cost(cost->second);
  if (old->affinity && affinity_selects_badly(*old->affinity)) options.selector_values = SelectorValues::kUnchecked;
  options.allow_invalid_spread_selector =
      std::ranges::any_of(old->topology_spread_constraints, [](const auto& constraint) {
        return constraint.label_selector && has_invalid_values(*constraint.label_selector);
      });
  options.allow_sysctls_with_host_namespaces =
      old->security_context && !old->security_context->sysctls.empty() && (old->host_network || old->host_ipc);
  auto uses_huge_pages = [](const auto& container) {
    return std::ranges::any_of(container.resources.limits,
                               [](const auto& entry) { return is_huge_page_resource(entry.first); });
  };
  options.allow_indivisible_huge_pages = std::ranges::any_of(old->containers, uses_huge_pages) ||
                                         std::ranges::any_of(old->init_containers, uses_huge_pages);
  for (const auto& volume : old->volumes) {
    if (!volume.volume_source.projected) continue;
    for (const auto& source : volume.volume_source.projected->sources) {
      if (!source.service_account_token) continue;
      FieldErrors errors;
      validate_local_path(source.service_account_token->path, FieldPath(), errors);
      if (!errors.empty()) options.allow_non_local_token_path = true;
    }
  }
  return options;
}

}  // namespace

PodValidationOptions pod_validation_options(const RuleContext& context, const Pod&, const Pod* old) {
  return lenient_options(context, PodSubject::kPod, old ? &old->spec : nullptr,
                         old ? &old->metadata.annotations : nullptr);
}

PodValidationOptions template_validation_options(const RuleContext& context, const core::v1::PodTemplateSpec&,
                                                 const core::v1::PodTemplateSpec* old) {
  return lenient_options(context, PodSubject::kTemplate, old ? &old->spec : nullptr,
                         old ? &old->metadata.annotations : nullptr);
}

void validate_pod_spec(const PodSpec& spec, const meta::v1::ObjectMeta* metadata, const FieldPath& path,
                       const PodValidationOptions& options, FieldErrors& errors) {
  PodCheck check{spec, metadata, options, errors, {}, {}};
  if (!spec.termination_grace_period_seconds) errors.required(path.child("terminationGracePeriodSeconds"));
  validate_volumes(check, path.child("volumes"));
  validate_resource_claims(check, path.child("resourceClaims"));
  validate_containers(check, path.child("containers"));
  validate_init_containers(check, path.child("initContainers"));
  validate_ephemeral_containers(check, path.child("ephemeralContainers"));
  validate_pod_level_resources(check, path.child("resources"));
  validate_host_network_ports(check, path);
  validate_enum(spec.restart_policy, {"Always", "OnFailure", "Never"}, path.child("restartPolicy"), errors);
  validate_enum(spec.dns_policy, {"ClusterFirstWithHostNet", "ClusterFirst", "Default", "None"},
                path.child("dnsPolicy"), errors);
  validate_labels(spec.node_selector, path.child("nodeSelector"), errors);
  validate_pod_security_context(check, path);
  if (spec.affinity) validate_affinity(check, *spec.affinity, path.child("affinity"));
  validate_dns(spec, path.child("dnsConfig"), errors);
  const FieldPath gates = path.child("readinessGates");
  for (size_t i = 0; i < spec.readiness_gates.size(); ++i) {
    const FieldPath at = gates.index(i);
    validate_qualified_name(spec.readiness_gates[i].condition_type, at.child("conditionType"), errors);
  }
  validate_scheduling_gates(check, path.child("schedulingGates"));
  validate_spread_constraints(check, path.child("topologySpreadConstraints"));
  validate_host_process(check, path);
  validate_host_users(check, path);
  validate_names(check, path);
  validate_os(check, path);
}

void validate_pod_annotations(const StringMap& annotations, const PodSpec& spec, const FieldPath& path,
                              const PodValidationOptions& options, FieldErrors& errors) {
  if (const auto mirror = annotations.find("kubernetes.io/config.mirror"); mirror != annotations.end()) {
    if (spec.node_name.empty()) {
      errors.invalid(path.key(mirror->first), mirror->second, "must set spec.nodeName if mirror pod annotation is set");
    }
  }
  const auto cost = annotations.find("controller.kubernetes.io/pod-deletion-cost");
  if (cost != annotations.end() && !options.allow_invalid_deletion_cost && !valid_deletion_cost(cost->second)) {
    errors.invalid(path.key(cost->first), cost->second, "must be a 32bit integer");
  }
  validate_security_annotations(annotations, spec, path, errors);
}

void validate_pod_template_spec(const core::v1::PodTemplateSpec& pod_template, const FieldPath& path,
                                const PodValidationOptions& options, FieldErrors& errors) {
  const auto& metadata = pod_template.metadata;
  const FieldPath annotations = path.child("annotations"), spec = path.child("spec");
  validate_labels(metadata.labels, path.child("labels"), errors);
  validate_annotations(metadata.annotations, annotations, errors);
  validate_pod_annotations(metadata.annotations, pod_template.spec, annotations, options, errors);
  validate_pod_spec(pod_template.spec, nullptr, spec, options, errors);
  validate_security_annotations_match(metadata.annotations, pod_template.spec, spec, errors);
  if (!pod_template.spec.ephemeral_containers.empty()) {
    errors.forbidden(spec.child("ephemeralContainers"), "ephemeral containers not allowed in pod template");
  }
}

void validate_whole_pod(const Pod& pod, const PodValidationOptions& options, FieldErrors& errors) {
  const FieldPath metadata("metadata"), spec("spec");
  validate_pod_annotations(pod.metadata.annotations, pod.spec, metadata.child("annotations"), options, errors);
  validate_pod_spec(pod.spec, &pod.metadata, spec, options, errors);
  if (pod.spec.service_account_name.empty()) {
    const FieldPath volumes = spec.child("volumes");
    for (size_t i = 0; i < pod.spec.volumes.size(); ++i) {
      const auto& projected = pod.spec.volumes[i].volume_source.projected;
      if (!projected) continue;
      const FieldPath volume = volumes.index(i);
      const FieldPath source = volume.child("projected");
      const FieldPath sources = source.child("sources");
      for (size_t j = 0; j < projected->sources.size(); ++j) {
        const FieldPath at = sources.index(j);
        if (projected->sources[j].service_account_token) {
          errors.forbidden(at.child("serviceAccountToken"), "must not be specified when serviceAccountName is not set");
        }
      }
    }
  }
  validate_pod_images(pod.spec.containers, spec.child("containers"), errors);
  validate_pod_images(pod.spec.init_containers, spec.child("initContainers"), errors);
}

void validate_pod_create(const Pod& pod, const PodValidationOptions& options, FieldErrors& errors) {
  validate_whole_pod(pod, options, errors);
  const FieldPath spec("spec");
  if (!pod.spec.ephemeral_containers.empty()) {
    errors.forbidden(spec.child("ephemeralContainers"), "cannot be set on create");
  }
  if (!pod.spec.node_name.empty() && !pod.spec.scheduling_gates.empty()) {
    errors.forbidden(spec.child("nodeName"), "cannot be set until all schedulingGates have been cleared");
  }
  validate_security_annotations_match(pod.metadata.annotations, pod.spec, spec, errors);
}

}  // namespace api
