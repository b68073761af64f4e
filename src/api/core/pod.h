// The Pod's operations that other folders call: binding, phases. Pure; thread: any.
#pragma once

#include "base/clock.h"
#include "base/result.h"
#include "gen/core/v1.h"
#include "object/field_error.h"

namespace api {

// Rules of the Binding itself (metadata is not checked here). Compat: upstream answers these errors as the text of the
// aggregate with code 500, not as Invalid.
void validate_binding(const core::v1::Binding& binding, object::FieldErrors& errors);
// Puts the Pod on the binding's node: spec.nodeName, the binding's annotations and labels, condition PodScheduled;
// clears the nomination. kConflict when the Pod is being deleted, bound already or has scheduling gates. Preconditions
// in the binding's metadata (uid, resourceVersion) are the store's business.
base::Result<void> assign_pod(core::v1::Pod& pod, const core::v1::Binding& binding, base::WallTime now);

// Sets the condition of that type; its transition time is `now` only when the status changed. False when nothing did.
bool set_pod_condition(core::v1::PodStatus& status, core::v1::PodCondition condition, base::WallTime now);

bool pod_ready(const core::v1::Pod& pod);     // condition Ready is True
bool pod_terminal(const core::v1::Pod& pod);  // phase Succeeded or Failed

}  // namespace api
