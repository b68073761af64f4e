// How many pods that satisfy a query are on each node, kept true as pods come and go, so that a scheduling cycle never
// walks over pods. Thread: the scheduler's strand.
#pragma once

#include <cstdint>
#include <vector>

#include "scheduler/pod_info.h"

namespace scheduler {

struct PodCounter {
  PodQuery query;
  std::vector<int32_t> per_node;  // by node slot
  int64_t total = 0;
  uint64_t last_used = 0;
};

// The pods on each node that carry an equal affinity term: their term is evaluated once for all of them.
struct TermGroup {
  AffinityTerm term;
  std::vector<int32_t> per_node;  // by node slot
  int64_t total = 0;
};

}  // namespace scheduler
