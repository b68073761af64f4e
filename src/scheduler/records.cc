#include "scheduler/records.h"

#include <charconv>

#include "base/check.h"
#include "codec/json_text.h"
#include "gen/codec.h"
#include "gen/core/v1.h"
#include "object/time.h"
#include "schema/metadata_view.h"

namespace scheduler {
namespace {
namespace v1 = api::core::v1;

const schema::Resource* resource(std::string_view name, std::string_view subresource) {
  const schema::Resource* found = gen::find_resource("", "v1", name, subresource);
  CHECK(found);
  return found;
}

client::Call pod_call(client::Verb verb, const PodInfo& pod, std::string_view subresource) {
  client::Call call;
  call.verb = verb;
  call.resource = resource("pods", subresource);
  call.ns = pod.ns;
  call.name = pod.name;
  return call;
}

std::string_view text_of(FailureReason reason) {
  return reason == FailureReason::kUnschedulable ? "Unschedulable" : "SchedulerError";
}

v1::PodStatus status_of(const PodInfo& pod) {
  v1::PodStatus status;
  if (auto bytes = schema::find_bytes(pod.raw.payload(), {3})) {
    if (auto decoded = gen::decode<v1::PodStatus>(*bytes)) status = *std::move(decoded);
  }
  return status;
}

void member(std::string& json, std::string_view key, std::string_view value) {
  if (json.back() != '{') json += ',';
  codec::append_json_string(json, key);
  json += ':';
  codec::append_json_string(json, value);
}

v1::ObjectReference reference(const PodInfo& pod) {
  v1::ObjectReference result;
  result.kind = "Pod";
  result.api_version = "v1";
  result.namespace_ = pod.ns;
  result.name = pod.name;
  result.uid = pod.uid;
  if (pod.raw) result.resource_version = std::to_string(pod.raw.revision);
  return result;
}

// Compat: Events carry at most 1,024 bytes of text.
std::string shortened(std::string text) {
  constexpr size_t kMaxMessageBytes = 1024;
  constexpr std::string_view kEllipsis = " ...";
  if (text.size() <= kMaxMessageBytes) return text;
  size_t end = kMaxMessageBytes - kEllipsis.size();
  while (end > 0 && (text[end] & 0xc0) == 0x80) --end;
  return text.erase(end).append(kEllipsis);
}

}  // namespace

client::Call binding_call(const PodInfo& pod, std::string_view node) {
  client::Call call = pod_call(client::Verb::kCreate, pod, "binding");
  v1::Binding binding;
  binding.metadata.namespace_ = pod.ns;
  binding.metadata.name = pod.name;
  binding.metadata.uid = pod.uid;
  binding.target.kind = "Node";
  binding.target.name = node;
  gen::encode(binding, call.body);
  return call;
}

std::optional<client::Call> failure_patch(const PodInfo& pod, FailureReason reason, std::string_view message,
                                          std::string_view nominated, base::WallTime now) {
  object::Time transition = object::to_time(now);
  bool changed = true;
  for (const v1::PodCondition& condition : status_of(pod).conditions) {
    if (condition.type != "PodScheduled") continue;
    if (condition.status == "False") transition = condition.last_transition_time;
    changed = condition.status != "False" || condition.reason != text_of(reason) || condition.message != message ||
              condition.observed_generation != pod.generation;
  }
  bool promises = !nominated.empty() && nominated != pod.nominated_node_name;
  if (!changed && !promises) return std::nullopt;
  client::Call call = pod_call(client::Verb::kPatch, pod, "status");
  call.patch_type = client::PatchType::kStrategicMerge;
  std::string& json = call.body;
  json = "{\"metadata\":{";
  member(json, "uid", pod.uid);
  json += "},\"status\":{";
  if (promises) {
    member(json, "nominatedNodeName", nominated);
    json += ',';
  }
  json += "\"conditions\":[{";
  member(json, "type", "PodScheduled");
  member(json, "status", "False");
  member(json, "reason", text_of(reason));
  member(json, "message", message);
  member(json, "lastTransitionTime", object::format_time(transition));
  json += ",\"lastProbeTime\":null";
  if (pod.generation > 0) json += ",\"observedGeneration\":" + std::to_string(pod.generation);
  json += "}]}}";
  return call;
}

client::Call withdrawal_patch(const PodInfo& pod) {
  client::Call call = pod_call(client::Verb::kPatch, pod, "status");
  call.patch_type = client::PatchType::kMerge;
  call.body = "{\"metadata\":{";
  member(call.body, "uid", pod.uid);
  call.body += "},\"status\":{\"nominatedNodeName\":null}}";
  return call;
}

client::Call victim_patch(const PodInfo& victim, std::string_view scheduler_name, base::WallTime now) {
  client::Call call = pod_call(client::Verb::kPatch, victim, "status");
  call.patch_type = client::PatchType::kStrategicMerge;
  std::string& json = call.body;
  json = "{\"metadata\":{";
  member(json, "uid", victim.uid);
  json += "},\"status\":{\"conditions\":[{";
  member(json, "type", "DisruptionTarget");
  member(json, "status", "True");
  member(json, "reason", "PreemptionByScheduler");
  member(json, "message", std::string(scheduler_name) + ": preempting to accommodate a higher priority pod");
  member(json, "lastTransitionTime", object::format_time(object::to_time(now)));
  json += ",\"lastProbeTime\":null";
  if (victim.generation > 0) json += ",\"observedGeneration\":" + std::to_string(victim.generation);
  json += "}]}}";
  return call;
}

client::Call victim_delete(const PodInfo& victim) {
  client::Call call = pod_call(client::Verb::kDelete, victim, "");
  call.precondition_uid = victim.uid;
  return call;
}

client::Call volume_patch(const VolumeInfo& volume, const ClaimInfo& claim) {
  client::Call call;
  call.verb = client::Verb::kPatch;
  call.resource = resource("persistentvolumes", "");
  call.name = volume.facts.name;
  call.patch_type = client::PatchType::kMerge;
  std::string& json = call.body;
  json = "{\"metadata\":{";
  member(json, "resourceVersion", std::to_string(volume.facts.revision));
  // Compat: a volume that somebody reserved for the claim is not marked.
  if (!api::is_bound_to(volume.facts, claim.facts)) {
    json += ",\"annotations\":{";
    member(json, api::kBoundByController, "yes");
    json += '}';
  }
  json += "},\"spec\":{\"claimRef\":{";
  member(json, "kind", "PersistentVolumeClaim");
  member(json, "apiVersion", "v1");
  member(json, "namespace", claim.facts.ns);
  member(json, "name", claim.facts.name);
  member(json, "uid", claim.facts.uid);
  member(json, "resourceVersion", std::to_string(claim.facts.revision));
  json += "}}}";
  return call;
}

client::Call selected_node_patch(const ClaimInfo& claim, std::string_view node) {
  client::Call call;
  call.verb = client::Verb::kPatch;
  call.resource = resource("persistentvolumeclaims", "");
  call.ns = claim.facts.ns;
  call.name = claim.facts.name;
  call.patch_type = client::PatchType::kMerge;
  call.body = "{\"metadata\":{";
  member(call.body, "resourceVersion", std::to_string(claim.facts.revision));
  call.body += ",\"annotations\":{";
  member(call.body, api::kSelectedNode, node);
  call.body += "}}}";
  return call;
}

client::Call event_call(const PodInfo& pod, const EventText& text, std::string_view component, std::string_view host,
                        base::WallTime now) {
  v1::Event event;
  char hex[20];
  auto [end, error] = std::to_chars(hex, hex + sizeof(hex), now.time_since_epoch().count(), 16);
  CHECK(error == std::errc());
  event.metadata.name = pod.name + "." + std::string(hex, end);
  event.metadata.namespace_ = pod.ns;
  event.involved_object = reference(pod);
  if (text.related) event.related = reference(*text.related);
  event.reason = text.reason;
  event.action = text.action;
  event.message = shortened(text.message);
  event.type = text.type == EventType::kNormal ? "Normal" : "Warning";
  event.event_time = object::to_micro_time(now);
  event.reporting_component = component;
  event.reporting_instance = std::string(component).append("-").append(host);
  client::Call call;
  call.verb = client::Verb::kCreate;
  call.resource = resource("events", "");
  call.ns = pod.ns;
  gen::encode(event, call.body);
  return call;
}

}  // namespace scheduler
