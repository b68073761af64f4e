// Node selector terms bound to the cache's label columns, so that a test of a node is a few array look-ups. Valid for
// one cycle. Thread: the scheduler's strand.
#pragma once

#include <cstdint>
#include <vector>

#include "scheduler/cache/cache.h"

namespace scheduler {

class NodeTermMatch {
 public:
  NodeTermMatch(const NodeTerm& term, const Cache& cache);
  bool matches(uint32_t node) const;

 private:
  struct Bound {
    const NodeRequirement* requirement;
    const LabelColumn* column;     // null: no node has the label
    std::vector<uint32_t> values;  // of In and NotIn
  };
  static bool holds(const Bound& bound, uint32_t node);
  const NodeTerm& term_;
  const Cache& cache_;
  std::vector<Bound> labels_;
};

// The pod's nodeSelector and required node affinity together. Of the pod given to bind() last.
class RequiredNodes {
 public:
  explicit RequiredNodes(const Cache& cache) : cache_(cache) {}
  void bind(const PodInfo& pod);
  // Nothing is required.
  bool empty() const { return selector_.empty() && !has_terms_; }
  bool matches(uint32_t node) const;

 private:
  const Cache& cache_;
  std::vector<std::pair<const LabelColumn*, uint32_t>> selector_;
  std::vector<NodeTermMatch> terms_;
  bool has_terms_ = false;
};

}  // namespace scheduler
