// kubeconfig files: writing one's own, and merging a context into the user's. Reading them: client/kubeconfig.h.
#pragma once

#include <string>

#include "base/result.h"
#include "client/kubeconfig.h"

namespace cmd {

using client::KubeconfigEntry;

// A whole kubeconfig with this one context, as YAML.
std::string make_kubeconfig(const KubeconfigEntry& entry);
// The file at `path` with the entry put in (same names are replaced) and made current; a new file if there is none.
// Everything else in the file stays. Written atomically, mode 0600.
base::Result<void> merge_kubeconfig(const std::string& path, const KubeconfigEntry& entry);
base::Result<void> write_kubeconfig(const std::string& path, const std::string& text);

}  // namespace cmd
