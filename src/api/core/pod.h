// The Pod's operations that other folders call: binding, phases. Pure; thread: any.
#pragma once

#include "base/clock.h"
#include "base/result.h"
#include "gen/core/v1.h"
#include "object/field_error.h"

namespace api {

// Rules of the Binding itself (metadata is not checked here).
void validate_binding(const core::v1::Binding& binding, object::FieldErrors& errors);
// Puts the Pod on the binding's node: spec.nodeName, the binding's annotations and labels, condition PodScheduled.
// kConflict when the Pod is being deleted, bound already or of another uid; kBadRequest while it has scheduling gates.
base::Result<void> assign_pod(core::v1::Pod& pod, const core::v1::Binding& binding, base::WallTime now);

bool pod_ready(const core::v1::Pod& pod);      // condition Ready is True
bool pod_terminal(const core::v1::Pod& pod);   // phase Succeeded or Failed

}  // namespace api
