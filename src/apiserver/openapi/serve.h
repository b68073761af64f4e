// /openapi/v2 and /openapi/v3. Documents are built when first asked for, on a worker, and then kept compressed.
// Thread: the handlers run on any loop.
#pragma once

#include "apiserver/core.h"
#include "apiserver/paths.h"

namespace apiserver {

// `core` outlives the paths.
void add_openapi_paths(Paths& paths, const Core& core);

}  // namespace apiserver
