// HorizontalPodAutoscalers are stored as autoscaling/v2; v1 is a view with the CPU target alone. Pure; thread: any.
//
// Compat: v1 carries what it has no fields for (other metrics, the behavior, current metrics, conditions) as JSON in
// annotations, which are read back when v1 is written and are never stored.
#pragma once

#include <span>

#include "api/shared/checks.h"
#include "gen/autoscaling/v1.h"
#include "gen/autoscaling/v2.h"

namespace api {

void autoscaler_to_stored(const autoscaling::v1::HorizontalPodAutoscaler& served,
                          autoscaling::v2::HorizontalPodAutoscaler& stored);
void autoscaler_from_stored(const autoscaling::v2::HorizontalPodAutoscaler& stored,
                            autoscaling::v1::HorizontalPodAutoscaler& served);
void autoscaler_v1_defaults(autoscaling::v1::HorizontalPodAutoscaler& served);
// Those that autoscaler_from_stored may write.
std::span<const char* const> autoscaler_v1_annotations();

// --- Parts of the v2 rules ---
void validate_autoscaler_metrics(const autoscaling::v2::HorizontalPodAutoscalerSpec& spec, const FieldPath& path,
                                 FieldErrors& errors);
// "cpu: 10%/80%, 5/10 + 1 more..."
std::string autoscaler_targets_cell(const autoscaling::v2::HorizontalPodAutoscaler& object);

}  // namespace api
