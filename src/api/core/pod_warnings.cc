// Warnings for Pods and templates that are valid but unwise.
#include <algorithm>
#include <array>
#include <map>
#include <set>

#include "api/core/pod_spec.h"
#include "api/core/pod_validation.h"
#include "object/names.h"
#include "object/quantity.h"

namespace api {
namespace {

using core::v1::Container;
using core::v1::ContainerPort;
using core::v1::PodSpec;
using object::FieldPath;

enum class Form : uint8_t { kPod, kTemplate };

std::string quoted(std::string_view text) { return object::BadValue(text).text(); }

// What the checks of one template share.
class Warnings {
 public:
  Warnings(const PodSpec& spec, const StringMap& annotations, const FieldPath& path, Form form,
           std::vector<std::string>& out)
      : spec_(spec), annotations_(annotations), path_(path), form_(form), out_(out) {}

  void run() {
    node_labels();
    spread();
    annotations();
    volumes();
    token_paths();
    host_aliases();
    pull_secrets();
    const FieldPath overhead = spec_path_.child("overhead");
    fractional(spec_.overhead, overhead, "memory");
    fractional(spec_.overhead, overhead, "ephemeral-storage");
    seccomp();
    visit_containers(spec_, spec_path_, [&](const Container& c, const FieldPath& at) { container(c, at); });
    ports();
    if (spec_.termination_grace_period_seconds.value_or(0) < 0) {
      warn(spec_path_.child("terminationGracePeriodSeconds"),
           "must be >= 0; negative values are invalid and will be treated as 1");
    }
    affinity();
    name_servers();
  }

 private:
  void warn(const FieldPath& path, std::string_view text) {
    out_.push_back(path.to_string() + ": " + std::string(text));
  }

  // Labels of nodes that have newer names; "" for the others.
  static std::string deprecated_label(std::string_view label) {
    struct Old {
      std::string_view label, since, use;
    };
    constexpr std::array<Old, 5> kOld = {{
        {"beta.kubernetes.io/arch", "v1.14", "kubernetes.io/arch"},
        {"beta.kubernetes.io/os", "v1.14", "kubernetes.io/os"},
        {"failure-domain.beta.kubernetes.io/region", "v1.17", "topology.kubernetes.io/region"},
        {"failure-domain.beta.kubernetes.io/zone", "v1.17", "topology.kubernetes.io/zone"},
        {"beta.kubernetes.io/instance-type", "v1.17", "node.kubernetes.io/instance-type"},
    }};
    const auto found = std::ranges::find(kOld, label, &Old::label);
    if (found == kOld.end()) return "";
    return "deprecated since " + std::string(found->since) + "; use \"" + std::string(found->use) + "\" instead";
  }

  enum class Values : uint8_t { kTrusted, kChecked };
  void node_term(const core::v1::NodeSelectorTerm& term, Values values, const FieldPath& path) {
    const FieldPath expressions = path.child("matchExpressions");
    for (size_t i = 0; i < term.match_expressions.size(); ++i) {
      const auto& expression = term.match_expressions[i];
      const FieldPath at = expressions.index(i);
      const std::string message = deprecated_label(expression.key);
      if (!message.empty()) warn(at.child("key"), expression.key + " is " + message);
      if (values == Values::kTrusted) continue;
      const FieldPath list = at.child("values");
      for (size_t j = 0; j < expression.values.size(); ++j) {
        for (const auto& problem : object::validate_label_value(expression.values[j])) {
          warn(list.index(j), expression.values[j] + " is invalid, " + problem);
        }
      }
    }
  }

  void node_labels() {
    const FieldPath selector = spec_path_.child("nodeSelector");
    for (const auto& [key, value] : spec_.node_selector) {
      const std::string message = deprecated_label(key);
      if (!message.empty()) warn(selector.key(key), message);
    }
    if (!spec_.affinity || !spec_.affinity->node_affinity) return;
    const auto& node = *spec_.affinity->node_affinity;
    const FieldPath affinity = spec_path_.child("affinity");
    const FieldPath at = affinity.child("nodeAffinity");
    if (const auto& required = node.required_during_scheduling_ignored_during_execution) {
      const FieldPath outer = at.child("requiredDuringSchedulingIgnoredDuringExecution");
      const FieldPath terms = outer.child("nodeSelectorTerms");
      for (size_t i = 0; i < required->node_selector_terms.size(); ++i) {
        node_term(required->node_selector_terms[i], Values::kTrusted, terms.index(i));
      }
    }
    const FieldPath preferred = at.child("preferredDuringSchedulingIgnoredDuringExecution");
    const auto& terms = node.preferred_during_scheduling_ignored_during_execution;
    for (size_t i = 0; i < terms.size(); ++i) {
      const FieldPath term = preferred.index(i);
      node_term(terms[i].preference, Values::kChecked, term.child("preference"));
    }
  }

  void spread() {
    const FieldPath list = spec_path_.child("topologySpreadConstraints");
    for (size_t i = 0; i < spec_.topology_spread_constraints.size(); ++i) {
      const auto& constraint = spec_.topology_spread_constraints[i];
      const FieldPath at = list.index(i);
      const std::string message = deprecated_label(constraint.topology_key);
      if (!message.empty()) warn(at.child("topologyKey"), constraint.topology_key + " is " + message);
      null_selector(constraint.label_selector, at.child("labelSelector"));
    }
  }

  void null_selector(const base::Box<meta::v1::LabelSelector>& selector, const FieldPath& path) {
    if (!selector) warn(path, "a null labelSelector results in matching no pod");
  }

  void annotations() {
    constexpr std::array<std::pair<std::string_view, std::string_view>, 3> kDead = {{
        {"scheduler.alpha.kubernetes.io/critical-pod",
         "non-functional in v1.16+; use the \"priorityClassName\" field instead"},
        {"security.alpha.kubernetes.io/sysctls", "non-functional in v1.11+; use the \"sysctls\" field instead"},
        {"security.alpha.kubernetes.io/unsafe-sysctls", "non-functional in v1.11+; use the \"sysctls\" field instead"},
    }};
    for (const auto& [key, message] : kDead) {
      if (annotations_.contains(std::string(key))) warn(annotations_path_.key(key), message);
    }
  }

  void volumes() {
    const FieldPath list = spec_path_.child("volumes");
    for (size_t i = 0; i < spec_.volumes.size(); ++i) {
      const auto& source = spec_.volumes[i].volume_source;
      const FieldPath at = list.index(i);
      auto old = [&](bool used, std::string_view name, std::string_view text) {
        if (used) warn(at.child(name), text);
      };
      old(static_cast<bool>(source.photon_persistent_disk), "photonPersistentDisk",
          "deprecated in v1.11, non-functional in v1.16+");
      old(static_cast<bool>(source.git_repo), "gitRepo", "deprecated in v1.11, and disabled by default in v1.33+");
      old(static_cast<bool>(source.scale_io), "scaleIO", "deprecated in v1.16, non-functional in v1.22+");
      old(static_cast<bool>(source.flocker), "flocker", "deprecated in v1.22, non-functional in v1.25+");
      old(static_cast<bool>(source.storageos), "storageOS", "deprecated in v1.22, non-functional in v1.25+");
      old(static_cast<bool>(source.quobyte), "quobyte", "deprecated in v1.22, non-functional in v1.25+");
      old(static_cast<bool>(source.glusterfs), "glusterfs", "deprecated in v1.25, non-functional in v1.26+");
      if (source.ephemeral && source.ephemeral->volume_claim_template) {
        const FieldPath a = at.child("ephemeral"), b = a.child("volumeClaimTemplate"), c = b.child("spec");
        const FieldPath resources = c.child("resources");
        const auto& claim = source.ephemeral->volume_claim_template->spec.resources;
        fractional(claim.requests, resources.child("requests"), "storage");
        fractional(claim.limits, resources.child("limits"), "storage");
      }
      old(static_cast<bool>(source.cephfs), "cephfs", "deprecated in v1.28, non-functional in v1.31+");
      old(static_cast<bool>(source.rbd), "rbd", "deprecated in v1.28, non-functional in v1.31+");
    }
  }

  void token_paths() {
    std::set<std::string_view> tokens;
    for (const auto& volume : spec_.volumes) {
      if (!volume.volume_source.projected) continue;
      for (const auto& source : volume.volume_source.projected->sources) {
        if (source.service_account_token) tokens.insert(source.service_account_token->path);
      }
    }
    if (tokens.empty()) return;
    const FieldPath list = spec_path_.child("volumes");
    for (size_t i = 0; i < spec_.volumes.size(); ++i) {
      const auto& projected = spec_.volumes[i].volume_source.projected;
      if (!projected) continue;
      const FieldPath volume = list.index(i);
      const FieldPath at = volume.child("projected");
      const FieldPath sources = at.child("sources");
      auto clashes = [&](const auto& files, std::string_view name) {
        const FieldPath kind = sources.child(name);
        for (size_t j = 0; j < files.size(); ++j) {
          if (!tokens.contains(files[j].path)) continue;
          warn(kind.index(j), "has duplicated path with ServiceAccountToken " + quoted(files[j].path));
        }
      };
      for (const auto& source : projected->sources) {
        if (source.config_map) clashes(source.config_map->items, "configMap");
        if (source.secret) clashes(source.secret->items, "secrets");
        if (source.downward_api) clashes(source.downward_api->items, "downwardAPI");
      }
    }
  }

  void host_aliases() {
    std::set<std::string_view> seen;
    const FieldPath list = spec_path_.child("hostAliases");
    for (size_t i = 0; i < spec_.host_aliases.size(); ++i) {
      const std::string& ip = spec_.host_aliases[i].ip;
      const FieldPath at = list.index(i);
      if (!seen.insert(ip).second) warn(at.child("ip"), "duplicate ip " + quoted(ip));
      ip_warnings(ip, at.child("ip"), out_);
    }
  }

  void pull_secrets() {
    std::set<std::string_view> seen;
    const FieldPath list = spec_path_.child("imagePullSecrets");
    for (size_t i = 0; i < spec_.image_pull_secrets.size(); ++i) {
      const std::string& name = spec_.image_pull_secrets[i].name;
      const FieldPath at = list.index(i);
      if (!seen.insert(name).second) warn(at.child("name"), "duplicate name " + quoted(name));
    }
    for (size_t i = 0; i < spec_.image_pull_secrets.size(); ++i) {
      const FieldPath at = list.index(i);
      if (spec_.image_pull_secrets[i].name.empty()) warn(at.child("name"), "invalid empty name \"\"");
    }
  }

  void fractional(const ResourceList& list, const FieldPath& path, const char* resource) {
    const auto found = list.find(resource);
    if (found == list.end() || object::QuantityValue::of(found->second).milli_value() % 1000 == 0) return;
    warn(path.key(resource),
         "fractional byte value " + quoted(found->second.string) + " is invalid, must be an integer");
  }

  void seccomp() {
    constexpr std::string_view kPod = "seccomp.security.alpha.kubernetes.io/pod";
    if (spec_.security_context && spec_.security_context->seccomp_profile) return;
    if (annotations_.contains(std::string(kPod))) warn(annotations_path_.key(kPod), kUseSeccompField);
  }

  void container(const Container& container, const FieldPath& path) {
    const auto& context = container.security_context;
    const std::string seccomp = "container.seccomp.security.alpha.kubernetes.io/" + container.name;
    if ((!context || !context->seccomp_profile) && annotations_.contains(seccomp)) {
      warn(annotations_path_.key(seccomp), kUseSeccompField);
    }
    const bool field = (spec_.security_context && spec_.security_context->app_armor_profile) ||
                       (context && context->app_armor_profile);
    const std::string app_armor = "container.apparmor.security.beta.kubernetes.io/" + container.name;
    if (form_ == Form::kTemplate && !field && annotations_.contains(app_armor)) {
      warn(annotations_path_.key(app_armor), "deprecated since v1.30; use the \"appArmorProfile\" field instead");
    }
    const FieldPath resources = path.child("resources");
    const FieldPath limits = resources.child("limits"), requests = resources.child("requests");
    fractional(container.resources.limits, limits, "memory");
    fractional(container.resources.requests, requests, "memory");
    fractional(container.resources.limits, limits, "ephemeral-storage");
    fractional(container.resources.requests, requests, "ephemeral-storage");
    environment(container, path.child("env"));
  }

  // A variable set again without using its former value.
  void environment(const Container& container, const FieldPath& path) {
    std::set<std::string_view> seen;
    for (size_t i = 0; i < container.env.size(); ++i) {
      const auto& variable = container.env[i];
      if (seen.insert(variable.name).second) continue;
      const std::string former = "$(" + variable.name + ")";
      if (!variable.value_from && variable.value != former && variable.value.find(former) != std::string::npos)
        continue;
      warn(path.index(i),
           "hides previous definition of " + quoted(variable.name) + ", which may be dropped when using apply");
    }
  }

  void ports() {
    struct Seen {
      std::string at;
      ContainerPort port;
    };
    std::map<std::string, std::vector<Seen>> all;
    visit_containers(spec_, spec_path_, [&](const Container& container, const FieldPath& path) {
      const FieldPath list = path.child("ports");
      for (size_t i = 0; i < container.ports.size(); ++i) {
        const ContainerPort& port = container.ports[i];
        const FieldPath at = list.index(i);
        if (!port.host_ip.empty() && port.host_port == 0) {
          warn(at, "hostIP set without hostPort: {Name:" + port.name +
                       " HostPort:0 ContainerPort:" + std::to_string(port.container_port) +
                       " Protocol:" + port.protocol + " HostIP:" + port.host_ip + "}");
        }
        auto& others = all[std::to_string(port.container_port) + "/" + port.protocol];
        for (const Seen& other : others) {
          const bool one_ip = port.host_ip.empty() != other.port.host_ip.empty();
          if (port.host_ip == other.port.host_ip && port.host_port == other.port.host_port) {
            warn(at, "duplicate port definition with " + other.at);
          } else if (port.host_port == 0 || other.port.host_port == 0) {
            warn(at, "overlapping port definition with " + other.at);
          } else if (port.host_port == other.port.host_port && one_ip) {
            warn(at, "dangerously ambiguous port definition with " + other.at);
          }
        }
        others.push_back({at.to_string(), port});
      }
    });
  }

  // PodAffinity or PodAntiAffinity.
  template <typename Affinity>
  void pod_affinity(const base::Box<Affinity>& affinity, const FieldPath& path) {
    if (!affinity) return;
    const FieldPath required = path.child("requiredDuringSchedulingIgnoredDuringExecution");
    const auto& terms = affinity->required_during_scheduling_ignored_during_execution;
    for (size_t i = 0; i < terms.size(); ++i) {
      const FieldPath at = required.index(i);
      null_selector(terms[i].label_selector, at.child("labelSelector"));
    }
    const FieldPath preferred = path.child("preferredDuringSchedulingIgnoredDuringExecution");
    const auto& weighted = affinity->preferred_during_scheduling_ignored_during_execution;
    for (size_t i = 0; i < weighted.size(); ++i) {
      const FieldPath at = preferred.index(i);
      const FieldPath term = at.child("podAffinityTerm");
      null_selector(weighted[i].pod_affinity_term.label_selector, term.child("labelSelector"));
    }
  }

  void affinity() {
    if (!spec_.affinity) return;
    const FieldPath path = spec_path_.child("affinity");
    pod_affinity(spec_.affinity->pod_affinity, path.child("podAffinity"));
    pod_affinity(spec_.affinity->pod_anti_affinity, path.child("podAntiAffinity"));
  }

  void name_servers() {
    if (!spec_.dns_config) return;
    const FieldPath config = spec_path_.child("dnsConfig");
    const FieldPath list = config.child("nameservers");
    for (size_t i = 0; i < spec_.dns_config->nameservers.size(); ++i) {
      ip_warnings(spec_.dns_config->nameservers[i], list.index(i), out_);
    }
  }

  static constexpr std::string_view kUseSeccompField =
      "non-functional in v1.27+; use the \"seccompProfile\" field instead";

  const PodSpec& spec_;
  const StringMap& annotations_;
  const FieldPath& path_;
  const FieldPath spec_path_ = path_.child("spec");
  const FieldPath metadata_path_ = path_.child("metadata");
  const FieldPath annotations_path_ = metadata_path_.child("annotations");
  Form form_;
  std::vector<std::string>& out_;
};

}  // namespace

void pod_template_warnings(const core::v1::PodTemplateSpec& pod_template, const core::v1::PodTemplateSpec*,
                           const FieldPath& path, std::vector<std::string>& warnings) {
  Warnings(pod_template.spec, pod_template.metadata.annotations, path, Form::kTemplate, warnings).run();
}

void pod_warnings(const core::v1::Pod& pod, const core::v1::Pod*, std::vector<std::string>& warnings) {
  if (const auto messages = object::validate_dns1123_label(pod.metadata.name); !messages.empty()) {
    std::string list;
    for (const auto& message : messages) list += (list.empty() ? "" : " ") + message;
    warnings.push_back(
        "metadata.name: this is used in the Pod's hostname, which can result in surprising behavior; a DNS label is "
        "recommended: [" +
        list + "]");
  }
  const FieldPath root;
  Warnings(pod.spec, pod.metadata.annotations, root, Form::kPod, warnings).run();
}

void pod_status_warnings(const core::v1::Pod& pod, std::vector<std::string>& warnings) {
  const FieldPath status("status");
  const FieldPath pod_ips = status.child("podIPs"), host_ips = status.child("hostIPs");
  for (size_t i = 0; i < pod.status.pod_ips.size(); ++i) {
    const FieldPath at = pod_ips.index(i);
    ip_warnings(pod.status.pod_ips[i].ip, at.child("ip"), warnings);
  }
  for (size_t i = 0; i < pod.status.host_ips.size(); ++i) {
    const FieldPath at = host_ips.index(i);
    ip_warnings(pod.status.host_ips[i].ip, at.child("ip"), warnings);
  }
}

}  // namespace api
