#include "api/autoscaling/horizontal_pod_autoscaler.h"
#include "api/shared/cells.h"
#include "object/names.h"
#include "object/quantity.h"

namespace api {
namespace {

using autoscaling::v2::CrossVersionObjectReference;
using autoscaling::v2::MetricSpec;
using autoscaling::v2::MetricTarget;

bool positive(const base::Box<object::Quantity>& value) {
  return value && object::QuantityValue::of(*value).sign() > 0;
}

void check_target(const MetricTarget& target, const FieldPath& path, FieldErrors& errors) {
  if (target.type.empty()) errors.required(path.child("type"), "must specify a metric target type");
  if (target.type != "Utilization" && target.type != "Value" && target.type != "AverageValue") {
    errors.invalid(path.child("type"), target.type, "must be either Utilization, Value, or AverageValue");
  }
  if (target.value && !positive(target.value)) {
    errors.invalid(path.child("value"), target.value->string, "must be positive");
  }
  if (target.average_value && !positive(target.average_value)) {
    errors.invalid(path.child("averageValue"), target.average_value->string, "must be positive");
  }
  if (target.average_utilization && *target.average_utilization < 1) {
    errors.invalid(path.child("averageUtilization"), *target.average_utilization, "must be greater than 0");
  }
}

void check_identifier(const autoscaling::v2::MetricIdentifier& metric, const FieldPath& path, FieldErrors& errors) {
  if (metric.name.empty()) return errors.required(path.child("name"), "must specify a metric name");
  errors.invalid_each(path.child("name"), metric.name, object::validate_path_segment_name(metric.name));
}

void check_reference(const CrossVersionObjectReference& reference, const FieldPath& path, FieldErrors& errors) {
  auto check = [&](const std::string& value, std::string_view field) {
    if (value.empty()) return errors.required(path.child(field));
    errors.invalid_each(path.child(field), value, object::validate_path_segment_name(value));
  };
  check(reference.kind, "kind");
  check(reference.name, "name");
}

void check_resource_target(const std::string& name, const MetricTarget& target, const FieldPath& path,
                           FieldErrors& errors) {
  const FieldPath target_path = path.child("target");
  if (name.empty()) errors.required(path.child("name"), "must specify a resource name");
  check_target(target, target_path, errors);
  if (!target.average_utilization && !target.average_value) {
    errors.required(target_path.child("averageUtilization"),
                    "must set either a target raw value or a target utilization");
  }
  if (target.average_utilization && target.average_value) {
    errors.forbidden(target_path.child("averageValue"), "may not set both a target raw value and a target utilization");
  }
}

void check_source(const MetricSpec& metric, std::string_view field, const FieldPath& path, FieldErrors& errors) {
  const FieldPath target = path.child("target");
  if (field == "object") {
    check_reference(metric.object->described_object, path.child("describedObject"), errors);
    check_identifier(metric.object->metric, path.child("metric"), errors);
    check_target(metric.object->target, target, errors);
    if (!metric.object->target.value && !metric.object->target.average_value) {
      errors.required(target.child("averageValue"), "must set either a target value or averageValue");
    }
  } else if (field == "external") {
    check_identifier(metric.external->metric, path.child("metric"), errors);
    check_target(metric.external->target, target, errors);
    const bool value = bool(metric.external->target.value), average = bool(metric.external->target.average_value);
    if (!value && !average) {
      errors.required(target.child("averageValue"), "must set either a target value for metric or a per-pod target");
    }
    if (value && average) {
      errors.forbidden(target.child("value"), "may not set both a target value for metric and a per-pod target");
    }
  } else if (field == "pods") {
    check_identifier(metric.pods->metric, path.child("metric"), errors);
    check_target(metric.pods->target, target, errors);
    if (!positive(metric.pods->target.average_value)) {
      errors.required(target.child("averageValue"), "must specify a positive target averageValue");
    }
  } else if (field == "resource") {
    check_resource_target(metric.resource->name, metric.resource->target, path, errors);
  } else {
    if (metric.container_resource->container.empty()) {
      errors.required(path.child("container"), "must specify a container");
    }
    check_resource_target(metric.container_resource->name, metric.container_resource->target, path, errors);
  }
}

std::string_view field_of_type(std::string_view type) {
  static constexpr std::pair<std::string_view, std::string_view> kFields[] = {
      {"Object", "object"},
      {"External", "external"},
      {"Pods", "pods"},
      {"Resource", "resource"},
      {"ContainerResource", "containerResource"}};
  for (const auto& [name, field] : kFields) {
    if (name == type) return field;
  }
  return "";
}

void check_metric(const MetricSpec& metric, const FieldPath& path, FieldErrors& errors) {
  if (metric.type.empty()) errors.required(path.child("type"), "must specify a metric source type");
  const std::string_view expected = field_of_type(metric.type);
  if (expected.empty() && !metric.type.empty()) {
    // Compat: upstream says it twice: of the source, and of the source's members.
    for (int i = 0; i < 2; ++i) {
      errors.not_supported(path.child("type"), metric.type,
                           {"ContainerResource", "External", "Object", "Pods", "Resource"});
    }
  }
  std::vector<std::string_view> present;
  if (metric.object) present.emplace_back("object");
  if (metric.external) present.emplace_back("external");
  if (metric.pods) present.emplace_back("pods");
  if (metric.resource) present.emplace_back("resource");
  if (metric.container_resource) present.emplace_back("containerResource");
  if (!present.empty()) check_source(metric, present.front(), path.child(present.front()), errors);
  if (expected.empty()) return;
  bool found = false;
  for (std::string_view field : present) found = found || field == expected;
  if (!found) errors.required(path.child(expected), "must populate information for the given metric source");
  if (present.size() == 1) return;
  for (std::string_view field : present) {
    if (field != expected) errors.forbidden(path.child(field), "must populate the given metric source only");
  }
}

std::string quantity_text(const base::Box<object::Quantity>& value) {
  return !value ? "<unknown>" : value->string.empty() ? "0" : value->string;
}
std::string percent_text(const std::optional<int32_t>& value, std::string_view missing) {
  return value ? std::to_string(*value) + "%" : std::string(missing);
}

// The value of a target without or with its average, and "(avg)" then.
std::string value_or_average(const MetricTarget& target, const autoscaling::v2::MetricValueStatus* current) {
  const base::Box<object::Quantity> unknown;
  if (target.average_value) {
    return quantity_text(current ? current->average_value : unknown) + "/" + quantity_text(target.average_value) +
           " (avg)";
  }
  return quantity_text(current ? current->value : unknown) + "/" + quantity_text(target.value);
}

std::string resource_text(const std::string& name, const MetricTarget& target,
                          const autoscaling::v2::MetricValueStatus* current) {
  if (target.average_value) {
    const base::Box<object::Quantity> unknown;
    return name + ": " + quantity_text(current ? current->average_value : unknown) + "/" +
           quantity_text(target.average_value);
  }
  return name + ": " + percent_text(current ? current->average_utilization : std::nullopt, "<unknown>") + "/" +
         percent_text(target.average_utilization, "<auto>");
}

std::string metric_text(const MetricSpec& metric, const autoscaling::v2::MetricStatus* status) {
  if (metric.type == "External" && metric.external) {
    return value_or_average(metric.external->target, status && status->external ? &status->external->current : nullptr);
  }
  if (metric.type == "Object" && metric.object) {
    return value_or_average(metric.object->target, status && status->object ? &status->object->current : nullptr);
  }
  if (metric.type == "Pods" && metric.pods) {
    const base::Box<object::Quantity> unknown;
    return quantity_text(status && status->pods ? status->pods->current.average_value : unknown) + "/" +
           quantity_text(metric.pods->target.average_value);
  }
  if (metric.type == "Resource" && metric.resource) {
    return resource_text(metric.resource->name, metric.resource->target,
                         status && status->resource ? &status->resource->current : nullptr);
  }
  if (metric.type == "ContainerResource" && metric.container_resource) {
    return resource_text(metric.container_resource->name, metric.container_resource->target,
                         status && status->container_resource ? &status->container_resource->current : nullptr);
  }
  return "<unknown type>";
}

}  // namespace

void validate_autoscaler_metrics(const autoscaling::v2::HorizontalPodAutoscalerSpec& spec, const FieldPath& path,
                                 FieldErrors& errors) {
  bool outside = false;
  for (size_t i = 0; i < spec.metrics.size(); ++i) {
    check_metric(spec.metrics[i], path.index(i), errors);
    outside = outside || spec.metrics[i].type == "Object" || spec.metrics[i].type == "External";
  }
  if (spec.min_replicas == 0 && !outside) {
    errors.forbidden(path, "must specify at least one Object or External metric to support scaling to zero replicas");
  }
}

std::string autoscaler_targets_cell(const autoscaling::v2::HorizontalPodAutoscaler& object) {
  constexpr size_t kMost = 2;
  const auto& metrics = object.spec.metrics;
  if (metrics.empty()) return "<none>";
  std::vector<std::string> parts;
  for (size_t i = 0; i < std::min(metrics.size(), kMost); ++i) {
    const auto& current = object.status.current_metrics;
    parts.push_back(metric_text(metrics[i], i < current.size() ? &current[i] : nullptr));
  }
  const std::string text = join(parts, ", ");
  return metrics.size() <= kMost ? text : text + " + " + std::to_string(metrics.size() - kMost) + " more...";
}

}  // namespace api
