#include <algorithm>

#include "scheduler/plugins/node_term_match.h"
#include "scheduler/plugins/plugins.h"

namespace scheduler {
namespace {

class NodeAffinity final : public Plugin,
                           public PreFilterPlugin,
                           public FilterPlugin,
                           public PreScorePlugin,
                           public ScorePlugin {
 public:
  explicit NodeAffinity(Cache* cache) : cache_(*cache), required_(*cache) {}
  std::string_view name() const override { return "NodeAffinity"; }
  uint32_t requeue_events() const override { return kNodeAdd | kNodeLabel; }

  PreFilterResult pre_filter(const PodInfo& pod) override {
    required_.bind(pod);
    if (required_.empty()) return {Interest::kSkip, {}, {}};
    PreFilterResult result;
    if (!pod.required_node_terms) return result;
    // Pods of a DaemonSet name their node; then no other is looked at. Every term must name nodes for that.
    std::vector<uint32_t> named;
    for (const NodeTerm& term : *pod.required_node_terms) {
      std::optional<std::vector<std::string>> names;
      for (const NodeRequirement& requirement : term.fields) {
        if (requirement.key == "metadata.name" && requirement.op == NodeRequirement::Op::kIn) {
          if (names && *names != requirement.values) names->clear();
          if (!names) names = requirement.values;
        }
      }
      if (!names) return result;
      for (const std::string& name : *names) {
        uint32_t slot = cache_.slot_of(name);
        if (slot != kNoNode && cache_.nodes().present[slot] && std::ranges::count(named, slot) == 0) {
          named.push_back(slot);
        }
      }
      // Compat: names that exclude each other end the attempt.
      if (names->empty()) result.rejection = "pod affinity terms conflict";
    }
    if (!named.empty()) result.rejection.clear();
    if (result.rejection.empty()) result.nodes = std::move(named);
    return result;
  }

  void filter(const PodInfo&, NodeBatch& batch) override {
    batch.for_each_alive([&](size_t i, uint32_t node) {
      if (required_.matches(node)) return;
      batch.reject(i, "node(s) didn't match Pod's node affinity/selector", Resolvable::kNo);
    });
  }

  Interest pre_score(const PodInfo& pod, std::span<const uint32_t>) override {
    preferred_.clear();
    for (const PreferredNodeTerm& term : pod.preferred_node_terms) {
      if (term.weight != 0) preferred_.push_back({NodeTermMatch(term.term, cache_), term.weight});
    }
    return preferred_.empty() ? Interest::kSkip : Interest::kRun;
  }

  void score(const PodInfo&, std::span<const uint32_t> nodes, std::span<int64_t> scores) override {
    for (const Preferred& preferred : preferred_) {
      for (size_t i = 0; i < nodes.size(); ++i) {
        if (preferred.term.matches(nodes[i])) scores[i] += preferred.weight;
      }
    }
    normalize(scores, Normalize::kPlain);
  }

 private:
  struct Preferred {
    NodeTermMatch term;
    int64_t weight;
  };
  Cache& cache_;
  RequiredNodes required_;
  std::vector<Preferred> preferred_;
};

}  // namespace

PluginRef node_affinity(Cache* cache) { return std::make_unique<NodeAffinity>(cache); }

}  // namespace scheduler
