#include <algorithm>

#include "api/autoscaling/horizontal_pod_autoscaler.h"

namespace api {
namespace {

using V1 = autoscaling::v1::HorizontalPodAutoscaler;
using V2 = autoscaling::v2::HorizontalPodAutoscaler;

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

}  // namespace

void autoscaler_to_stored(const V1& served, V2& stored) {
  // `stored` may hold the object that is updated: what v1 cannot say stays as it is.
  stored.metadata = served.metadata;
  auto& spec = stored.spec;
  spec.scale_target_ref.kind = served.spec.scale_target_ref.kind;
  spec.scale_target_ref.name = served.spec.scale_target_ref.name;
  spec.scale_target_ref.api_version = served.spec.scale_target_ref.api_version;
  spec.min_replicas = served.spec.min_replicas;
  spec.max_replicas = served.spec.max_replicas;
  std::erase_if(spec.metrics, is_cpu_utilization);
  if (served.spec.target_cpu_utilization_percentage) {
    spec.metrics.insert(spec.metrics.begin(), cpu_metric(*served.spec.target_cpu_utilization_percentage));
  }
  auto& status = stored.status;
  status.observed_generation = served.status.observed_generation;
  status.last_scale_time = served.status.last_scale_time;
  status.current_replicas = served.status.current_replicas;
  status.desired_replicas = served.status.desired_replicas;
  if (served.status.current_cpu_utilization_percentage) {
    autoscaling::v2::MetricStatus current;
    current.type = "Resource";
    auto& resource = current.resource.ensure();
    resource.name = "cpu";
    resource.current.average_utilization = served.status.current_cpu_utilization_percentage;
    std::erase_if(status.current_metrics, [](const auto& m) { return m.resource && m.resource->name == "cpu"; });
    status.current_metrics.insert(status.current_metrics.begin(), std::move(current));
  }
}

void autoscaler_from_stored(const V2& stored, V1& served) {
  served.metadata = stored.metadata;
  const auto& spec = stored.spec;
  served.spec.scale_target_ref.kind = spec.scale_target_ref.kind;
  served.spec.scale_target_ref.name = spec.scale_target_ref.name;
  served.spec.scale_target_ref.api_version = spec.scale_target_ref.api_version;
  served.spec.min_replicas = spec.min_replicas;
  served.spec.max_replicas = spec.max_replicas;
  auto cpu = std::ranges::find_if(spec.metrics, is_cpu_utilization);
  served.spec.target_cpu_utilization_percentage.reset();
  if (cpu != spec.metrics.end()) {
    served.spec.target_cpu_utilization_percentage = cpu->resource->target.average_utilization;
  }
  served.status.observed_generation = stored.status.observed_generation;
  served.status.last_scale_time = stored.status.last_scale_time;
  served.status.current_replicas = stored.status.current_replicas;
  served.status.desired_replicas = stored.status.desired_replicas;
  served.status.current_cpu_utilization_percentage.reset();
  for (const auto& metric : stored.status.current_metrics) {
    if (metric.resource && metric.resource->name == "cpu" && metric.resource->current.average_utilization) {
      served.status.current_cpu_utilization_percentage = metric.resource->current.average_utilization;
    }
  }
}

void autoscaler_v1_defaults(V1& served) {
  if (!served.spec.min_replicas) served.spec.min_replicas = 1;
}

}  // namespace api
