// How Pods are prepared before they are validated and stored. Pure; thread: any.
#pragma once

#include "api/rules.h"
#include "gen/core/v1.h"

namespace api {

void prepare_pod_for_create(RuleContext& context, core::v1::Pod& pod);
void prepare_pod_for_update(core::v1::Pod& pod, const core::v1::Pod& old);
// "status", "ephemeralcontainers", "resize".
void prepare_pod_for_subresource(std::string_view subresource, core::v1::Pod& pod, const core::v1::Pod& old);

}  // namespace api
