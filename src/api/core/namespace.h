// What the deletion of a Namespace needs beside its rules. Pure; thread: any.
#pragma once

#include "gen/core/v1.h"

namespace api {

// The phase that goes with a deletion timestamp, which the caller sets.
inline void mark_terminating(core::v1::Namespace& object) { object.status.phase = "Terminating"; }
// True when no finalizer holds it: then the namespace may be removed.
inline bool namespace_finalized(const core::v1::Namespace& object) {
  return object.spec.finalizers.empty() && object.metadata.finalizers.empty();
}

}  // namespace api
