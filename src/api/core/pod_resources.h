// Resources of a whole Pod from those of its containers. Pure; thread: any.
#pragma once

#include "api/meta_validation.h"
#include "gen/core/v1.h"

namespace api {

bool restartable_init_container(const core::v1::Container& container);  // a sidecar: restartPolicy Always

// What all containers of the Pod need at its most demanding moment: the regular containers and sidecars together, or an
// init container beside the sidecars started before it, whichever is larger. Without overhead and pod-level resources.
ResourceList aggregate_container_requests(const core::v1::PodSpec& spec);
ResourceList aggregate_container_limits(const core::v1::PodSpec& spec);

// Resources that a Pod may state as a whole: cpu, memory, huge pages.
bool is_pod_level_resource(std::string_view name);
bool pod_level_resources_set(const core::v1::PodSpec& spec);

}  // namespace api
