// Which Services a Pod stands behind, and which Pods a Service selects: shared by the controllers of Endpoints and of
// EndpointSlices. Thread: any.
#pragma once

#include <vector>

#include "controllers/runtime/controller.h"
#include "gen/core/v1.h"

namespace controllers {

// Enqueues the keys of the Services whose selector matches the Pod before or after the change.
MapFunction enqueue_services_of_pod(client::Informer& services);
// Decoded Pods in the Service's namespace that its selector matches. The selector is not empty.
std::vector<api::core::v1::Pod> select_pods(const client::Informer& pods, const api::core::v1::Service& service);

}  // namespace controllers
