// Bindings: a scheduler's decision, carried out on the Pod.
#include <algorithm>

#include "api/core/pod.h"
#include "object/time.h"

namespace api {

using core::v1::Binding;
using core::v1::Pod;

namespace {

base::Error conflict(const Pod& pod, const std::string& why) {
  const std::string& name = pod.metadata.name;
  return {base::Reason::kConflict,
          "Operation cannot be fulfilled on pods/binding \"" + name + "\": " + why,
          {.name = name, .group = "", .kind = "pods/binding", .uid = "", .causes = {}, .retry_after_seconds = 0}};
}

}  // namespace

void validate_binding(const Binding& binding, object::FieldErrors& errors) {
  const object::FieldPath target("target");
  const std::string& kind = binding.target.kind;
  if (!kind.empty() && kind != "Node") errors.not_supported(target.child("kind"), kind, {"Node", "<empty>"});
  if (binding.target.name.empty()) errors.required(target.child("name"));
}

base::Result<void> assign_pod(Pod& pod, const Binding& binding, base::WallTime now) {
  const std::string& name = pod.metadata.name;
  if (pod.metadata.deletion_timestamp) {
    return base::fail(conflict(pod, "pod " + name + " is being deleted, cannot be assigned to a host"));
  }
  if (!pod.spec.node_name.empty()) {
    return base::fail(conflict(pod, "pod " + name + " is already assigned to node \"" + pod.spec.node_name + "\""));
  }
  if (!pod.spec.scheduling_gates.empty()) {
    return base::fail(conflict(pod, "pod " + name + " has non-empty .spec.schedulingGates"));
  }
  pod.spec.node_name = binding.target.name;
  for (const auto& [key, value] : binding.metadata.annotations) pod.metadata.annotations[key] = value;
  for (const auto& [key, value] : binding.metadata.labels) pod.metadata.labels[key] = value;
  pod.status.nominated_node_name.clear();
  core::v1::PodCondition scheduled;
  scheduled.type = "PodScheduled";
  scheduled.status = "True";
  set_pod_condition(pod.status, scheduled, now);
  return {};
}

bool set_pod_condition(core::v1::PodStatus& status, core::v1::PodCondition condition, base::WallTime now) {
  condition.last_transition_time = object::to_time(now);
  condition.last_transition_time.nanos = 0;
  const auto old = std::ranges::find(status.conditions, condition.type, &core::v1::PodCondition::type);
  if (old == status.conditions.end()) {
    status.conditions.push_back(std::move(condition));
    return true;
  }
  if (old->status == condition.status) condition.last_transition_time = old->last_transition_time;
  if (*old == condition) return false;
  *old = std::move(condition);
  return true;
}

}  // namespace api
