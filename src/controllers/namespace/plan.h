// What is left in a Namespace that ends, as conditions of its status, and when to look again. Pure.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "gen/core/v1.h"

namespace controllers::ns {

// What a sweep over all resources found after deleting.
struct Remaining {
  std::map<std::string, int64_t> instances;   // "pods." or "deployments.apps" → how many are left
  std::map<std::string, int64_t> finalizers;  // finalizer → how many objects it holds
  std::vector<std::string> failures;          // of deletions
  std::string discovery_failure;              // what else there may be is not known
  int64_t longest_grace_seconds = 0;          // of pods that are left
  bool empty() const { return instances.empty() && failures.empty() && discovery_failure.empty(); }
};

api::core::v1::NamespaceStatus plan_status(const api::core::v1::NamespaceStatus& status, const Remaining& remaining,
                                           base::WallTime now);
// Compat: half the estimated time and a second; 15 s are estimated when only finalizers hold content.
base::Duration look_again_after(const Remaining& remaining);

}  // namespace controllers::ns
