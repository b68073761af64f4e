// Probes and lifecycle handlers.
#include "api/core/pod_validation.h"
#include "object/names.h"

namespace api {

using core::v1::Probe;
using object::FieldErrors;
using object::FieldPath;

namespace {

// What probes and lifecycle handlers have between them.
struct Handler {
  const core::v1::ExecAction* exec = nullptr;
  const core::v1::HTTPGetAction* http_get = nullptr;
  const core::v1::TCPSocketAction* tcp_socket = nullptr;
  const core::v1::GRPCAction* grpc = nullptr;
  const core::v1::SleepAction* sleep = nullptr;
};

void validate_port(const object::IntOrString& port, const FieldPath& path, FieldErrors& errors) {
  if (port.is_string()) {
    errors.invalid_each(path, port.str_val, object::validate_port_name(port.str_val));
  } else {
    errors.invalid_each(path, port.int_val, object::validate_port_number(port.int_val));
  }
}

void validate_http_get(const core::v1::HTTPGetAction& action, const FieldPath& path, FieldErrors& errors) {
  if (action.path.empty()) errors.required(path.child("path"));
  validate_port(action.port, path.child("port"), errors);
  if (action.scheme != "HTTP" && action.scheme != "HTTPS") {
    errors.not_supported(path.child("scheme"), action.scheme, {"HTTP", "HTTPS"});
  }
  for (const auto& header : action.http_headers) {
    errors.invalid_each(path.child("httpHeaders"), header.name, object::validate_http_header_name(header.name));
  }
}

void validate_handler(const PodCheck& check, const Handler& handler, const FieldPath& path) {
  FieldErrors& errors = check.errors;
  int handlers = 0;
  auto first = [&](const void* action, std::string_view name) {
    if (!action) return false;
    if (handlers++ == 0) return true;
    errors.forbidden(path.child(name), "may not specify more than 1 handler type");
    return false;
  };
  if (first(handler.exec, "exec") && handler.exec->command.empty()) {
    const FieldPath at = path.child("exec");
    errors.required(at.child("command"));
  }
  if (first(handler.http_get, "httpGet")) validate_http_get(*handler.http_get, path.child("httpGet"), errors);
  if (first(handler.tcp_socket, "tcpSocket")) {
    const FieldPath at = path.child("tcpSocket");
    validate_port(handler.tcp_socket->port, at.child("port"), errors);
  }
  if (first(handler.grpc, "grpc")) {
    const FieldPath at = path.child("grpc");
    errors.invalid_each(at.child("port"), handler.grpc->port, object::validate_port_number(handler.grpc->port));
  }
  if (first(handler.sleep, "sleep")) {
    const auto& grace = check.spec.termination_grace_period_seconds;
    const int64_t seconds = handler.sleep->seconds;
    if (grace && (seconds < 0 || seconds > *grace)) {
      errors.invalid(
          path.child("sleep"), seconds,
          "must be non-negative and less than terminationGracePeriodSeconds (" + std::to_string(*grace) + ")");
    }
  }
  if (handlers == 0) errors.required(path, "must specify a handler type");
}

void validate_probe(const PodCheck& check, const Probe& probe, const FieldPath& path) {
  FieldErrors& errors = check.errors;
  const auto& handler = probe.handler;
  validate_handler(check,
                   {.exec = handler.exec.get(),
                    .http_get = handler.http_get.get(),
                    .tcp_socket = handler.tcp_socket.get(),
                    .grpc = handler.grpc.get()},
                   path);
  validate_not_negative(probe.initial_delay_seconds, path.child("initialDelaySeconds"), errors);
  validate_not_negative(probe.timeout_seconds, path.child("timeoutSeconds"), errors);
  validate_not_negative(probe.period_seconds, path.child("periodSeconds"), errors);
  validate_not_negative(probe.success_threshold, path.child("successThreshold"), errors);
  validate_not_negative(probe.failure_threshold, path.child("failureThreshold"), errors);
  const auto& grace = probe.termination_grace_period_seconds;
  if (grace && *grace <= 0)
    errors.invalid(path.child("terminationGracePeriodSeconds"), *grace, "must be greater than 0");
}

void validate_single_success(const Probe& probe, const FieldPath& path, FieldErrors& errors) {
  if (probe.success_threshold != 1) {
    errors.invalid(path.child("successThreshold"), probe.success_threshold, "must be 1");
  }
}

void validate_lifecycle_handler(const PodCheck& check, const core::v1::LifecycleHandler& handler,
                                const FieldPath& path) {
  validate_handler(check,
                   {.exec = handler.exec.get(),
                    .http_get = handler.http_get.get(),
                    .tcp_socket = handler.tcp_socket.get(),
                    .sleep = handler.sleep.get()},
                   path);
}

}  // namespace

void validate_probes(const PodCheck& check, const core::v1::Container& container, const FieldPath& path) {
  if (container.liveness_probe) {
    const FieldPath at = path.child("livenessProbe");
    validate_probe(check, *container.liveness_probe, at);
    validate_single_success(*container.liveness_probe, at, check.errors);
  }
  if (container.readiness_probe) {
    const FieldPath at = path.child("readinessProbe");
    validate_probe(check, *container.readiness_probe, at);
    const auto& grace = container.readiness_probe->termination_grace_period_seconds;
    if (grace) {
      check.errors.invalid(at.child("terminationGracePeriodSeconds"), *grace, "must not be set for readinessProbes");
    }
  }
  if (container.startup_probe) {
    const FieldPath at = path.child("startupProbe");
    validate_probe(check, *container.startup_probe, at);
    validate_single_success(*container.startup_probe, at, check.errors);
  }
}

void validate_lifecycle(const PodCheck& check, const core::v1::Lifecycle& lifecycle, const FieldPath& path) {
  if (lifecycle.post_start) validate_lifecycle_handler(check, *lifecycle.post_start, path.child("postStart"));
  if (lifecycle.pre_stop) validate_lifecycle_handler(check, *lifecycle.pre_stop, path.child("preStop"));
}

}  // namespace api
