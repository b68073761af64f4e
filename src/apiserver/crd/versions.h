// The order of version names: v2 before v1 before v1beta2 before v1beta1 before v1alpha1, anything else after them by
// name. Compat: upstream's "kube-aware" order. Pure.
#pragma once

#include <string_view>

namespace apiserver {

// Does `a` come before `b` in discovery?
bool version_precedes(std::string_view a, std::string_view b);

}  // namespace apiserver
