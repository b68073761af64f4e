// The index of Pods by the node that they are assigned to. Thread: before the informer starts.
#pragma once

#include <string_view>

#include "client/informer.h"

namespace controllers {

inline constexpr std::string_view kNodeIndex = "spec.nodeName";  // unassigned pods: not in it
void index_by_node(client::Informer& pods);

}  // namespace controllers
