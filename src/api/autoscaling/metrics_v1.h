// The metrics of autoscaling/v1, which exist only as JSON in annotations, to and from those of v2. Pure; thread: any.
#pragma once

#include "gen/autoscaling/v1.h"
#include "gen/autoscaling/v2.h"

namespace api {

autoscaling::v1::MetricSpec metric_to_v1(const autoscaling::v2::MetricSpec& metric);
autoscaling::v2::MetricSpec metric_from_v1(const autoscaling::v1::MetricSpec& metric);
autoscaling::v1::MetricStatus metric_status_to_v1(const autoscaling::v2::MetricStatus& status);
autoscaling::v2::MetricStatus metric_status_from_v1(const autoscaling::v1::MetricStatus& status);

}  // namespace api
