// The constraints of a PodSpec on nodes and other pods, as PodInfo keeps them. Pure; thread: any.
#pragma once

#include "scheduler/pod_info.h"

namespace api::core::v1 {
struct NodeSelector;
struct PodSpec;
}  // namespace api::core::v1

namespace scheduler {

// Fills node terms, affinity terms and spread constraints; the pod's namespace and labels are already there.
void read_affinity(const api::core::v1::PodSpec& spec, PodInfo& pod);
std::vector<NodeTerm> to_node_terms(const api::core::v1::NodeSelector& selector);

}  // namespace scheduler
