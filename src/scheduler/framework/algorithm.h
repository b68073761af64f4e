// One scheduling decision: which node for this pod? filter → score → select, over the cache's columns. It changes
// nothing but the rotation of the node order. Thread: the scheduler's strand.
#pragma once

#include <span>
#include <vector>

#include "base/rng.h"
#include "scheduler/framework/framework.h"
#include "scheduler/framework/nominator.h"

namespace scheduler {

struct Decision {
  uint32_t node = kNoNode;
  size_t evaluated = 0;
  size_t feasible = 0;
  Diagnosis diagnosis;  // filled when there is no node
};

class Algorithm {
 public:
  Algorithm(Cache* cache, Profile* profile, Nominator* nominator, base::Rng* rng)
      : cache_(*cache), profile_(*profile), nominator_(*nominator), rng_(*rng) {}

  Decision decide(const PodRef& pod);
  // Runs the post filters of a pod that got no node.
  PostFilterResult post_filter(const PodRef& pod, const Diagnosis& diagnosis);
  // Does the node, as the cache shows it now, pass every filter?
  bool feasible_on(const PodInfo& pod, uint32_t node);
  // Does a plugin that rejected the pod accept the node now, as far as it looks at that node alone?
  bool hint(const PodInfo& pod, uint8_t plugin, uint32_t node);

  Cache& cache() { return cache_; }
  const Profile& profile() const { return profile_; }
  Nominator& nominator() { return nominator_; }
  base::Rng& rng() { return rng_; }

  // Compat: how many feasible nodes end the search.
  static size_t nodes_to_find(size_t nodes);

 private:
  // False when a plugin rejected the pod at once. `candidates` becomes the nodes to look at.
  bool pre_filter(const PodInfo& pod, Diagnosis& diagnosis, std::span<const uint32_t>& candidates);
  void find_feasible(const PodRef& pod, std::span<const uint32_t> candidates, Decision& decision);
  void filter(const PodInfo& pod, NodeBatch& batch);
  // Compat: where pods of at least this priority are nominated, the node must do with them and without them.
  void filter_with_nominated(const PodRef& pod, NodeBatch& batch);
  uint32_t select(const PodInfo& pod);

  Cache& cache_;
  Profile& profile_;
  Nominator& nominator_;
  base::Rng& rng_;
  size_t next_start_ = 0;
  uint64_t active_ = 0;  // plugins whose filter runs in this cycle
  // Scratch of a cycle, kept to save allocations.
  std::vector<uint32_t> chosen_, restricted_, feasible_;
  std::vector<int64_t> totals_, scores_;
};

}  // namespace scheduler
