#include "api/autoscaling/metrics_v1.h"

namespace api {
namespace {

namespace v1 = autoscaling::v1;
namespace v2 = autoscaling::v2;
using object::Quantity;

// Zero where v1 has no pointer.
Quantity or_zero(const base::Box<Quantity>& quantity) { return quantity ? *quantity : Quantity(); }

void set(base::Box<Quantity>& box, const Quantity& quantity) { box.ensure() = quantity; }

// Resource and ContainerResource: a target in v2, two members in v1.
template <typename V2Source, typename V1Source>
void resource_to_v1(const V2Source& from, V1Source& to) {
  to.name = from.name;
  to.target_average_utilization = from.target.average_utilization;
  to.target_average_value = from.target.average_value;
}
template <typename V1Source, typename V2Source>
void resource_from_v1(const V1Source& from, V2Source& to) {
  to.name = from.name;
  to.target.type = from.target_average_utilization ? "Utilization" : "AverageValue";
  to.target.average_utilization = from.target_average_utilization;
  to.target.average_value = from.target_average_value;
}
template <typename V2Status, typename V1Status>
void resource_status_to_v1(const V2Status& from, V1Status& to) {
  to.name = from.name;
  to.current_average_utilization = from.current.average_utilization;
  to.current_average_value = or_zero(from.current.average_value);
}
template <typename V1Status, typename V2Status>
void resource_status_from_v1(const V1Status& from, V2Status& to) {
  to.name = from.name;
  to.current.average_utilization = from.current_average_utilization;
  set(to.current.average_value, from.current_average_value);
}

}  // namespace

v1::MetricSpec metric_to_v1(const v2::MetricSpec& metric) {
  v1::MetricSpec made;
  made.type = metric.type;
  if (metric.object) {
    auto& to = made.object.ensure();
    to.target = metric.object->described_object;
    to.metric_name = metric.object->metric.name;
    to.selector = metric.object->metric.selector;
    to.target_value = or_zero(metric.object->target.value);
    to.average_value = metric.object->target.average_value;
  }
  if (metric.pods) {
    auto& to = made.pods.ensure();
    to.metric_name = metric.pods->metric.name;
    to.selector = metric.pods->metric.selector;
    to.target_average_value = or_zero(metric.pods->target.average_value);
  }
  if (metric.resource) resource_to_v1(*metric.resource, made.resource.ensure());
  if (metric.container_resource) {
    auto& to = made.container_resource.ensure();
    resource_to_v1(*metric.container_resource, to);
    to.container = metric.container_resource->container;
  }
  if (metric.external) {
    auto& to = made.external.ensure();
    to.metric_name = metric.external->metric.name;
    to.metric_selector = metric.external->metric.selector;
    to.target_value = metric.external->target.value;
    to.target_average_value = metric.external->target.average_value;
  }
  return made;
}

v2::MetricSpec metric_from_v1(const v1::MetricSpec& metric) {
  v2::MetricSpec made;
  made.type = metric.type;
  if (metric.object) {
    auto& to = made.object.ensure();
    to.described_object = metric.object->target;
    to.metric.name = metric.object->metric_name;
    to.metric.selector = metric.object->selector;
    to.target.type = metric.object->average_value ? "AverageValue" : "Value";
    set(to.target.value, metric.object->target_value);
    to.target.average_value = metric.object->average_value;
  }
  if (metric.pods) {
    auto& to = made.pods.ensure();
    to.metric.name = metric.pods->metric_name;
    to.metric.selector = metric.pods->selector;
    to.target.type = "AverageValue";
    set(to.target.average_value, metric.pods->target_average_value);
  }
  if (metric.resource) resource_from_v1(*metric.resource, made.resource.ensure());
  if (metric.container_resource) {
    auto& to = made.container_resource.ensure();
    resource_from_v1(*metric.container_resource, to);
    to.container = metric.container_resource->container;
  }
  if (metric.external) {
    auto& to = made.external.ensure();
    to.metric.name = metric.external->metric_name;
    to.metric.selector = metric.external->metric_selector;
    to.target.type = metric.external->target_value ? "Value" : "AverageValue";
    to.target.value = metric.external->target_value;
    to.target.average_value = metric.external->target_average_value;
  }
  return made;
}

v1::MetricStatus metric_status_to_v1(const v2::MetricStatus& status) {
  v1::MetricStatus made;
  made.type = status.type;
  if (status.object) {
    auto& to = made.object.ensure();
    to.target = status.object->described_object;
    to.metric_name = status.object->metric.name;
    to.selector = status.object->metric.selector;
    to.current_value = or_zero(status.object->current.value);
    to.average_value = status.object->current.average_value;
  }
  if (status.pods) {
    auto& to = made.pods.ensure();
    to.metric_name = status.pods->metric.name;
    to.selector = status.pods->metric.selector;
    to.current_average_value = or_zero(status.pods->current.average_value);
  }
  if (status.resource) resource_status_to_v1(*status.resource, made.resource.ensure());
  if (status.container_resource) {
    auto& to = made.container_resource.ensure();
    resource_status_to_v1(*status.container_resource, to);
    to.container = status.container_resource->container;
  }
  if (status.external) {
    auto& to = made.external.ensure();
    to.metric_name = status.external->metric.name;
    to.metric_selector = status.external->metric.selector;
    to.current_value = or_zero(status.external->current.value);
    to.current_average_value = status.external->current.average_value;
  }
  return made;
}

v2::MetricStatus metric_status_from_v1(const v1::MetricStatus& status) {
  v2::MetricStatus made;
  made.type = status.type;
  if (status.object) {
    auto& to = made.object.ensure();
    to.described_object = status.object->target;
    to.metric.name = status.object->metric_name;
    to.metric.selector = status.object->selector;
    set(to.current.value, status.object->current_value);
    to.current.average_value = status.object->average_value;
  }
  if (status.pods) {
    auto& to = made.pods.ensure();
    to.metric.name = status.pods->metric_name;
    to.metric.selector = status.pods->selector;
    set(to.current.average_value, status.pods->current_average_value);
  }
  if (status.resource) resource_status_from_v1(*status.resource, made.resource.ensure());
  if (status.container_resource) {
    auto& to = made.container_resource.ensure();
    resource_status_from_v1(*status.container_resource, to);
    to.container = status.container_resource->container;
  }
  if (status.external) {
    auto& to = made.external.ensure();
    to.metric.name = status.external->metric_name;
    to.metric.selector = status.external->metric_selector;
    set(to.current.value, status.external->current_value);
    to.current.average_value = status.external->current_average_value;
  }
  return made;
}

}  // namespace api
