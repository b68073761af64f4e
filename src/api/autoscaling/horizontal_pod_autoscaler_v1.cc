#include <algorithm>
#include <cctype>

#include "api/autoscaling/horizontal_pod_autoscaler.h"
#include "api/autoscaling/metrics_v1.h"
#include "gen/codec.h"
#include "object/json.h"
#include "schema/proto_value.h"
#include "schema/transcode.h"

namespace api {
namespace {

using V1 = autoscaling::v1::HorizontalPodAutoscaler;
using V2 = autoscaling::v2::HorizontalPodAutoscaler;
using Condition = autoscaling::v2::HorizontalPodAutoscalerCondition;
using autoscaling::v2::HorizontalPodAutoscalerBehavior;
using autoscaling::v2::HPAScalingRules;

constexpr const char* kMetrics = "autoscaling.alpha.kubernetes.io/metrics";
constexpr const char* kBehavior = "autoscaling.alpha.kubernetes.io/behavior";
constexpr const char* kCurrentMetrics = "autoscaling.alpha.kubernetes.io/current-metrics";
constexpr const char* kConditions = "autoscaling.alpha.kubernetes.io/conditions";
constexpr const char* kAnnotations[] = {kMetrics,
                                        kBehavior,
                                        kCurrentMetrics,
                                        kConditions,
                                        "autoscaling.alpha.kubernetes.io/scale-down-tolerance",
                                        "autoscaling.alpha.kubernetes.io/scale-up-tolerance"};
constexpr int32_t kDefaultCpuPercent = 80;

bool is_cpu_utilization(const autoscaling::v2::MetricSpec& metric) {
  return metric.type == "Resource" && metric.resource && metric.resource->name == "cpu" &&
         metric.resource->target.average_utilization.has_value();
}

autoscaling::v2::MetricSpec cpu_metric(int32_t percent) {
  autoscaling::v2::MetricSpec metric;
  metric.type = "Resource";
  auto& resource = metric.resource.ensure();
  resource.name = "cpu";
  resource.target.type = "Utilization";
  resource.target.average_utilization = percent;
  return metric;
}

template <typename T>
std::string json_list(const std::vector<T>& items) {
  std::string text = "[";
  for (const T& item : items) {
    if (text.size() > 1) text += ',';
    // What was just encoded can be read.
    if (!schema::append_json(gen::message_of<T>(), gen::encode(item), {}, text)) return "[]";
  }
  return text + "]";
}

template <typename T>
std::optional<T> from_tree(const object::Value& tree) {
  std::string raw;
  if (!schema::encode_value(gen::message_of<T>(), tree, raw, {})) return std::nullopt;
  auto item = gen::decode<T>(raw);
  return item ? std::optional(*std::move(item)) : std::nullopt;
}

// Nothing when there is no such annotation, or it cannot be read.
template <typename T>
std::optional<std::vector<T>> list_in(const StringMap& annotations, const char* name) {
  const auto found = annotations.find(name);
  if (found == annotations.end()) return std::nullopt;
  const auto tree = object::parse_json(found->second);
  if (!tree || !(tree->array_if() || tree->is_null())) return std::nullopt;
  std::vector<T> items;
  if (tree->is_null()) return items;
  for (const object::Value& each : *tree->array_if()) {
    auto item = from_tree<T>(each);
    if (!item) return std::nullopt;
    items.push_back(*std::move(item));
  }
  return items;
}

// Compat: the behavior is written as upstream's internal struct, whose members have no names for JSON.
object::Value rules_json(const base::Box<HPAScalingRules>& rules) {
  if (!rules) return nullptr;
  object::Array policies;
  for (const auto& policy : rules->policies) {
    object::Object json;
    json.set("Type", policy.type);
    json.set("Value", policy.value);
    json.set("PeriodSeconds", policy.period_seconds);
    policies.emplace_back(std::move(json));
  }
  const auto& seconds = rules->stabilization_window_seconds;
  object::Object json;
  json.set("StabilizationWindowSeconds", seconds ? object::Value(*seconds) : object::Value(nullptr));
  json.set("SelectPolicy", rules->select_policy ? object::Value(*rules->select_policy) : object::Value(nullptr));
  json.set("Policies", policies.empty() ? object::Value(nullptr) : object::Value(std::move(policies)));
  json.set("Tolerance", rules->tolerance ? object::Value(rules->tolerance->string) : object::Value(nullptr));
  return json;
}
std::string behavior_json(const HorizontalPodAutoscalerBehavior& behavior) {
  object::Object json;
  json.set("ScaleUp", rules_json(behavior.scale_up));
  json.set("ScaleDown", rules_json(behavior.scale_down));
  return object::to_json(object::Value(std::move(json)));
}

// "ScaleUp" → "scaleUp", at every depth.
object::Value with_api_names(const object::Value& value) {
  if (const object::Array* list = value.array_if()) {
    object::Array items;
    for (const object::Value& each : *list) items.push_back(with_api_names(each));
    return items;
  }
  const object::Object* members = value.object_if();
  if (!members) return value;
  object::Object named;
  for (const object::Member& member : *members) {
    std::string key = member.key;
    if (!key.empty()) key[0] = static_cast<char>(std::tolower(static_cast<unsigned char>(key[0])));
    named.set(key, with_api_names(member.value));
  }
  return named;
}
std::optional<HorizontalPodAutoscalerBehavior> behavior_in(const StringMap& annotations) {
  const auto found = annotations.find(kBehavior);
  if (found == annotations.end()) return std::nullopt;
  const auto tree = object::parse_json(found->second);
  if (!tree) return std::nullopt;
  auto behavior = from_tree<HorizontalPodAutoscalerBehavior>(with_api_names(*tree));
  if (behavior && !behavior->scale_up && !behavior->scale_down) return std::nullopt;
  return behavior;
}

void drop_annotations(StringMap& annotations) {
  for (const char* name : kAnnotations) annotations.erase(name);
}

void spec_to_stored(const V1& served, autoscaling::v2::HorizontalPodAutoscalerSpec& spec) {
  const StringMap& annotations = served.metadata.annotations;
  spec.scale_target_ref = served.spec.scale_target_ref;
  spec.min_replicas = served.spec.min_replicas;
  spec.max_replicas = served.spec.max_replicas;
  spec.metrics.clear();
  if (const auto others = list_in<autoscaling::v1::MetricSpec>(annotations, kMetrics)) {
    for (const auto& metric : *others) spec.metrics.push_back(metric_from_v1(metric));
  }
  if (served.spec.target_cpu_utilization_percentage) {
    spec.metrics.push_back(cpu_metric(*served.spec.target_cpu_utilization_percentage));
  }
  if (spec.metrics.empty()) spec.metrics.push_back(cpu_metric(kDefaultCpuPercent));
  spec.behavior = {};
  if (auto behavior = behavior_in(annotations)) spec.behavior.ensure() = *std::move(behavior);
}

void status_to_stored(const V1& served, autoscaling::v2::HorizontalPodAutoscalerStatus& status) {
  const StringMap& annotations = served.metadata.annotations;
  status.observed_generation = served.status.observed_generation;
  status.last_scale_time = served.status.last_scale_time;
  status.current_replicas = served.status.current_replicas;
  status.desired_replicas = served.status.desired_replicas;
  status.current_metrics.clear();
  if (const auto metrics = list_in<autoscaling::v1::MetricStatus>(annotations, kCurrentMetrics)) {
    for (const auto& metric : *metrics) status.current_metrics.push_back(metric_status_from_v1(metric));
  } else if (served.status.current_cpu_utilization_percentage) {
    auto& metric = status.current_metrics.emplace_back();
    metric.type = "Resource";
    metric.resource.ensure().name = "cpu";
    metric.resource->current.average_utilization = served.status.current_cpu_utilization_percentage;
  }
  status.conditions = list_in<Condition>(annotations, kConditions).value_or(std::vector<Condition>());
}

}  // namespace

void autoscaler_to_stored(const V1& served, V2& stored) {
  stored.metadata = served.metadata;
  spec_to_stored(served, stored.spec);
  status_to_stored(served, stored.status);
  drop_annotations(stored.metadata.annotations);
}

void autoscaler_from_stored(const V2& stored, V1& served) {
  served.metadata = stored.metadata;
  StringMap& annotations = served.metadata.annotations;
  // Whoever wrote them, they say what the object has.
  drop_annotations(annotations);
  const auto& spec = stored.spec;
  served.spec.scale_target_ref = spec.scale_target_ref;
  served.spec.min_replicas = spec.min_replicas;
  served.spec.max_replicas = spec.max_replicas;
  served.spec.target_cpu_utilization_percentage.reset();
  std::vector<autoscaling::v1::MetricSpec> others;
  for (const auto& metric : spec.metrics) {
    auto& percent = served.spec.target_cpu_utilization_percentage;
    if (!is_cpu_utilization(metric)) {
      others.push_back(metric_to_v1(metric));
    } else if (!percent) {
      percent = metric.resource->target.average_utilization;
    }
  }
  if (!others.empty()) annotations[kMetrics] = json_list(others);
  if (spec.behavior) annotations[kBehavior] = behavior_json(*spec.behavior);
  const auto& status = stored.status;
  served.status.observed_generation = status.observed_generation;
  served.status.last_scale_time = status.last_scale_time;
  served.status.current_replicas = status.current_replicas;
  served.status.desired_replicas = status.desired_replicas;
  served.status.current_cpu_utilization_percentage.reset();
  std::vector<autoscaling::v1::MetricStatus> current;
  for (const auto& metric : status.current_metrics) {
    current.push_back(metric_status_to_v1(metric));
    const bool is_cpu = metric.type == "Resource" && metric.resource && metric.resource->name == "cpu";
    if (is_cpu && metric.resource->current.average_utilization) {
      served.status.current_cpu_utilization_percentage = metric.resource->current.average_utilization;
    }
  }
  if (!current.empty()) annotations[kCurrentMetrics] = json_list(current);
  if (!status.conditions.empty()) annotations[kConditions] = json_list(status.conditions);
}

std::span<const char* const> autoscaler_v1_annotations() { return kAnnotations; }

void autoscaler_v1_defaults(V1& served) {
  if (!served.spec.min_replicas) served.spec.min_replicas = 1;
}

}  // namespace api
