// /api, /apis and what hangs below them, up to the lists of resources. Answers are made when first asked for and kept.
// Thread: the handlers run on any loop.
#pragma once

#include "apiserver/core.h"
#include "apiserver/paths.h"

namespace apiserver {

// `core` outlives the paths.
void add_discovery_paths(Paths& paths, const Core& core);

}  // namespace apiserver
