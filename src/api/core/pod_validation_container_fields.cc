// What holds for every container: name, image, ports, policies.
#include "api/core/pod_validation.h"
#include "object/names.h"

namespace api {

using core::v1::Container;
using object::FieldErrors;
using object::FieldPath;

namespace {

void validate_ports(const Container& container, const FieldPath& path, FieldErrors& errors) {
  std::set<std::string_view> names;
  for (size_t i = 0; i < container.ports.size(); ++i) {
    const auto& port = container.ports[i];
    const FieldPath at = path.index(i);
    if (!port.name.empty()) {
      const auto messages = object::validate_port_name(port.name);
      errors.invalid_each(at.child("name"), port.name, messages);
      if (messages.empty() && !names.insert(port.name).second) errors.duplicate(at.child("name"), port.name);
    }
    if (port.container_port == 0) {
      errors.required(at.child("containerPort"));
    } else {
      errors.invalid_each(at.child("containerPort"), port.container_port,
                          object::validate_port_number(port.container_port));
    }
    if (port.host_port != 0) {
      errors.invalid_each(at.child("hostPort"), port.host_port, object::validate_port_number(port.host_port));
    }
    if (port.protocol.empty()) {
      errors.required(at.child("protocol"));
    } else if (port.protocol != "TCP" && port.protocol != "UDP" && port.protocol != "SCTP") {
      errors.not_supported(at.child("protocol"), port.protocol, {"SCTP", "TCP", "UDP"});
    }
  }
}

void validate_pull_policy(const std::string& policy, const FieldPath& path, FieldErrors& errors) {
  if (policy.empty()) {
    errors.required(path);
  } else if (policy != "Always" && policy != "IfNotPresent" && policy != "Never") {
    errors.not_supported(path, policy, {"Always", "IfNotPresent", "Never"});
  }
}

// Compat: reported at the list, but for duplicates.
void validate_resize_policy(const PodCheck& check, const Container& container, const FieldPath& path) {
  FieldErrors& errors = check.errors;
  std::set<std::string_view> seen;
  for (size_t i = 0; i < container.resize_policy.size(); ++i) {
    const auto& policy = container.resize_policy[i];
    if (!seen.insert(policy.resource_name).second) errors.duplicate(path.index(i), policy.resource_name);
    if (policy.resource_name.empty()) {
      errors.required(path);
    } else if (policy.resource_name != "cpu" && policy.resource_name != "memory") {
      errors.not_supported(path, policy.resource_name, {"cpu", "memory"});
    }
    if (policy.restart_policy.empty()) {
      errors.required(path);
    } else if (policy.restart_policy != "NotRequired" && policy.restart_policy != "RestartContainer") {
      errors.not_supported(path, policy.restart_policy, {"NotRequired", "RestartContainer"});
    }
    if (check.spec.restart_policy == "Never" && policy.restart_policy != "NotRequired") {
      errors.invalid(path, policy.restart_policy, "must be 'NotRequired' when `restartPolicy` is 'Never'");
    }
  }
}

}  // namespace

void validate_container_common(const PodCheck& check, const Container& container, const FieldPath& path) {
  FieldErrors& errors = check.errors;
  if (container.name.empty()) {
    errors.required(path.child("name"));
  } else {
    validate_dns1123_label(container.name, path.child("name"), errors);
  }
  if (container.image.empty()) errors.required(path.child("image"));
  const std::string& message_policy = container.termination_message_policy;
  if (message_policy.empty()) {
    errors.required(path.child("terminationMessagePolicy"));
  } else if (message_policy != "File" && message_policy != "FallbackToLogsOnError") {
    errors.not_supported(path.child("terminationMessagePolicy"), message_policy, {"File", "FallbackToLogsOnError"});
  }
  validate_ports(container, path.child("ports"), errors);
  validate_env(check, container.env, path.child("env"));
  validate_env_from(container.env_from, path.child("envFrom"), errors);
  validate_mounts(check, container, path.child("volumeMounts"));
  validate_devices(check, container, path.child("volumeDevices"));
  validate_pull_policy(container.image_pull_policy, path.child("imagePullPolicy"), errors);
  validate_container_resources(check, container.resources, path.child("resources"));
  validate_resize_policy(check, container, path.child("resizePolicy"));
  if (container.security_context) {
    validate_container_security_context(check, *container.security_context, path.child("securityContext"));
  }
}

}  // namespace api
