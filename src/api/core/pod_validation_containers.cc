// Lists of containers: init, regular, ephemeral.
#include <algorithm>

#include "api/core/pod_resources.h"
#include "api/core/pod_validation.h"
#include "object/names.h"

namespace api {

using core::v1::Container;
using object::FieldErrors;
using object::FieldPath;

namespace {

// Host ports may be taken once; `taken` spans the containers that run together.
void validate_host_ports(const Container& container, const FieldPath& path, std::set<std::string>& taken,
                         FieldErrors& errors) {
  const FieldPath ports = path.child("ports");
  for (size_t i = 0; i < container.ports.size(); ++i) {
    const auto& port = container.ports[i];
    if (port.host_port == 0) continue;
    const std::string key = port.protocol + "/" + port.host_ip + "/" + std::to_string(port.host_port);
    const FieldPath at = ports.index(i);
    if (!taken.insert(key).second) errors.duplicate(at.child("hostPort"), key);
  }
}

// When a container of the Pod is started again, by the container's own policy and rules.
void validate_restart_rules(const Container& container, const FieldPath& path, FieldErrors& errors) {
  constexpr size_t kMaxRules = 20, kMaxExitCodes = 255;
  if (!container.restart_policy) {
    if (!container.restart_policy_rules.empty()) {
      errors.required(path.child("restartPolicy"), "must specify restartPolicy when restart rules are used");
    }
  } else {
    const std::string& policy = *container.restart_policy;
    if (policy != "Always" && policy != "OnFailure" && policy != "Never") {
      errors.not_supported(path.child("restartPolicy"), policy, {"Always", "Never", "OnFailure"});
    }
  }
  const FieldPath rules = path.child("restartPolicyRules");
  const auto count = container.restart_policy_rules.size();
  if (count > kMaxRules) errors.too_many(rules, static_cast<int64_t>(count), kMaxRules);
  for (size_t i = 0; i < count; ++i) {
    const auto& rule = container.restart_policy_rules[i];
    const FieldPath at = rules.index(i);
    if (rule.action != "Restart") errors.not_supported(at.child("action"), rule.action, {"Restart"});
    const FieldPath codes = at.child("exitCodes");
    if (!rule.exit_codes) {
      errors.required(codes, "must be specified");
      continue;
    }
    const std::string& op = rule.exit_codes->operator_;
    if (op != "In" && op != "NotIn") errors.not_supported(codes.child("operator"), op, {"In", "NotIn"});
    const auto values = rule.exit_codes->values.size();
    if (values > kMaxExitCodes) errors.too_many(codes.child("values"), static_cast<int64_t>(values), kMaxExitCodes);
  }
}

void refuse_in_ephemeral(const Container& container, const FieldPath& path, FieldErrors& errors) {
  auto refuse = [&](bool set, std::string_view field) {
    if (set) errors.forbidden(path.child(field), "cannot be set for an Ephemeral Container");
  };
  const auto& resources = container.resources;
  refuse(!container.ports.empty(), "ports");
  refuse(!resources.limits.empty() || !resources.requests.empty() || !resources.claims.empty(), "resources");
  refuse(!container.resize_policy.empty(), "resizePolicy");
  refuse(container.restart_policy.has_value(), "restartPolicy");
  refuse(!container.restart_policy_rules.empty(), "restartPolicyRules");
  refuse(static_cast<bool>(container.liveness_probe), "livenessProbe");
  refuse(static_cast<bool>(container.readiness_probe), "readinessProbe");
  refuse(static_cast<bool>(container.startup_probe), "startupProbe");
  refuse(static_cast<bool>(container.lifecycle), "lifecycle");
  // Sub-paths are bind mounts that outlive the container.
  const FieldPath mounts = path.child("volumeMounts");
  for (size_t i = 0; i < container.volume_mounts.size(); ++i) {
    const FieldPath at = mounts.index(i);
    const auto& mount = container.volume_mounts[i];
    if (!mount.sub_path.empty()) errors.forbidden(at.child("subPath"), "cannot be set for an Ephemeral Container");
    if (!mount.sub_path_expr.empty()) {
      errors.forbidden(at.child("subPathExpr"), "cannot be set for an Ephemeral Container");
    }
  }
}

void validate_image_space(const Container& container, const FieldPath& path, FieldErrors& errors) {
  constexpr std::string_view kSpace = " \t\n\v\f\r";
  const std::string& image = container.image;
  if (image.empty()) return;
  if (kSpace.find(image.front()) != std::string_view::npos || kSpace.find(image.back()) != std::string_view::npos) {
    errors.invalid(path.child("image"), image, "must not have leading or trailing whitespace");
  }
}

}  // namespace

Container as_container(const core::v1::EphemeralContainerCommon& c) {
  Container out;
  out.name = c.name;
  out.image = c.image;
  out.command = c.command;
  out.args = c.args;
  out.working_dir = c.working_dir;
  out.ports = c.ports;
  out.env_from = c.env_from;
  out.env = c.env;
  out.resources = c.resources;
  out.resize_policy = c.resize_policy;
  out.restart_policy = c.restart_policy;
  out.restart_policy_rules = c.restart_policy_rules;
  out.volume_mounts = c.volume_mounts;
  out.volume_devices = c.volume_devices;
  out.liveness_probe = c.liveness_probe;
  out.readiness_probe = c.readiness_probe;
  out.startup_probe = c.startup_probe;
  out.lifecycle = c.lifecycle;
  out.termination_message_path = c.termination_message_path;
  out.termination_message_policy = c.termination_message_policy;
  out.image_pull_policy = c.image_pull_policy;
  out.security_context = c.security_context;
  out.stdin = c.stdin;
  out.stdin_once = c.stdin_once;
  out.tty = c.tty;
  return out;
}

void visit_containers(const core::v1::PodSpec& spec, const FieldPath& spec_path, const ContainerVisitor& visit) {
  const FieldPath init = spec_path.child("initContainers");
  for (size_t i = 0; i < spec.init_containers.size(); ++i) visit(spec.init_containers[i], init.index(i));
  const FieldPath regular = spec_path.child("containers");
  for (size_t i = 0; i < spec.containers.size(); ++i) visit(spec.containers[i], regular.index(i));
  const FieldPath ephemeral = spec_path.child("ephemeralContainers");
  for (size_t i = 0; i < spec.ephemeral_containers.size(); ++i) {
    visit(as_container(spec.ephemeral_containers[i].ephemeral_container_common), ephemeral.index(i));
  }
}

void validate_containers(const PodCheck& check, const FieldPath& path) {
  FieldErrors& errors = check.errors;
  const auto& containers = check.spec.containers;
  if (containers.empty()) return errors.required(path);
  std::set<std::string_view> names;
  for (size_t i = 0; i < containers.size(); ++i) {
    const FieldPath at = path.index(i);
    validate_container_common(check, containers[i], at);
    if (!names.insert(containers[i].name).second) errors.duplicate(at.child("name"), containers[i].name);
    if (containers[i].lifecycle) validate_lifecycle(check, *containers[i].lifecycle, at.child("lifecycle"));
    validate_probes(check, containers[i], at);
    validate_restart_rules(containers[i], at, errors);
  }
  std::set<std::string> host_ports;
  for (size_t i = 0; i < containers.size(); ++i) validate_host_ports(containers[i], path.index(i), host_ports, errors);
}

void validate_init_containers(const PodCheck& check, const FieldPath& path) {
  FieldErrors& errors = check.errors;
  const auto& containers = check.spec.init_containers;
  std::set<std::string_view> names;
  for (const auto& container : check.spec.containers) names.insert(container.name);
  for (size_t i = 0; i < containers.size(); ++i) {
    const Container& container = containers[i];
    const FieldPath at = path.index(i);
    validate_container_common(check, container, at);
    validate_restart_rules(container, at, errors);
    if (names.contains(container.name)) {
      errors.duplicate(at.child("name"), container.name);
    } else if (!container.name.empty()) {
      names.insert(container.name);
    }
    // They run one by one. Compat: the index that upstream reports is that of a list of one.
    std::set<std::string> host_ports;
    validate_host_ports(container, path.index(0), host_ports, errors);
    if (restartable_init_container(container)) {
      if (container.lifecycle) validate_lifecycle(check, *container.lifecycle, at.child("lifecycle"));
      validate_probes(check, container, at);
      continue;
    }
    auto refuse = [&](bool set, std::string_view field) {
      if (set) errors.forbidden(at.child(field), "may not be set for init containers without restartPolicy=Always");
    };
    refuse(static_cast<bool>(container.lifecycle), "lifecycle");
    refuse(static_cast<bool>(container.liveness_probe), "livenessProbe");
    refuse(static_cast<bool>(container.readiness_probe), "readinessProbe");
    refuse(static_cast<bool>(container.startup_probe), "startupProbe");
  }
}

void validate_ephemeral_containers(const PodCheck& check, const FieldPath& path) {
  FieldErrors& errors = check.errors;
  const auto& containers = check.spec.ephemeral_containers;
  std::set<std::string_view> others;
  for (const auto& container : check.spec.containers) others.insert(container.name);
  for (const auto& container : check.spec.init_containers) others.insert(container.name);
  std::set<std::string_view> names = others;
  for (size_t i = 0; i < containers.size(); ++i) {
    const FieldPath at = path.index(i);
    const std::string& name = containers[i].ephemeral_container_common.name;
    const Container container = as_container(containers[i].ephemeral_container_common);
    validate_container_common(check, container, at);
    validate_image_space(container, at, errors);
    if (!names.insert(name).second) errors.duplicate(at.child("name"), name);
    const std::string& target = containers[i].target_container_name;
    if (!target.empty() && !others.contains(target)) errors.not_found(at.child("targetContainerName"), target);
    refuse_in_ephemeral(container, at, errors);
  }
}

void validate_pod_images(const std::vector<Container>& containers, const FieldPath& path, FieldErrors& errors) {
  for (size_t i = 0; i < containers.size(); ++i) validate_image_space(containers[i], path.index(i), errors);
}

}  // namespace api
