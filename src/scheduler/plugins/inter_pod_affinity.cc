#include <algorithm>

#include "scheduler/plugins/plugins.h"

namespace scheduler {
namespace {

using Kind = AffinityTerm::Kind;

// Compat: weight of a placed pod's required affinity when it meets the pod to place.
constexpr int64_t kHardPodAffinityWeight = 1;

// Counts by domain of one topology key.
struct Domains {
  const LabelColumn* column;  // null: no node has the label
  std::vector<int64_t> counts;
  int64_t at(uint32_t node) const { return column ? counts[column->at(node)] : 0; }
};

class InterPodAffinity final : public Plugin,
                               public PreFilterPlugin,
                               public FilterPlugin,
                               public PreScorePlugin,
                               public ScorePlugin {
 public:
  explicit InterPodAffinity(Cache* cache) : cache_(*cache) {}
  std::string_view name() const override { return "InterPodAffinity"; }
  uint32_t requeue_events() const override { return kPodAdd | kPodLabel | kPodDelete | kNodeAdd | kNodeLabel; }
  NodeHint node_hint() const override { return NodeHint::kAlways; }

  PreFilterResult pre_filter(const PodInfo& pod) override {
    existing_.clear();
    affinity_.clear();
    anti_.clear();
    any_affinity_ = self_affinity_ = false;
    for (const auto& [key, group] : cache_.term_groups()) {
      if (group.term.kind == Kind::kRequiredAntiAffinity && group.term.query.matches(pod, cache_)) {
        existing_.push_back(sum(group.term.topology_key, group.per_node));
      }
    }
    bind_affinity(pod);
    for (const AffinityTerm& term : pod.affinity_terms) {
      if (term.kind != Kind::kRequiredAntiAffinity) continue;
      anti_.push_back(sum(term.topology_key, cache_.counter(term.query).per_node));
    }
    bool nothing = existing_.empty() && affinity_.empty() && anti_.empty();
    return {nothing ? Interest::kSkip : Interest::kRun, {}, {}};
  }

  void filter(const PodInfo&, NodeBatch& batch) override {
    batch.for_each_alive([&](size_t i, uint32_t node) {
      if (!satisfies_affinity(node)) {
        batch.reject(i, "node(s) didn't match pod affinity rules", Resolvable::kNo);
      } else if (occupied(anti_, node)) {
        batch.reject(i, "node(s) didn't match pod anti-affinity rules", Resolvable::kByPreemption);
      } else if (occupied(existing_, node)) {
        batch.reject(i, "node(s) didn't satisfy existing pods anti-affinity rules", Resolvable::kByPreemption);
      }
    });
  }

  Interest pre_score(const PodInfo& pod, std::span<const uint32_t>) override {
    weighted_.clear();
    for (const AffinityTerm& term : pod.affinity_terms) {
      if (term.kind != Kind::kPreferredAffinity && term.kind != Kind::kPreferredAntiAffinity) continue;
      add_weighted(term.topology_key, cache_.counter(term.query).per_node, signed_weight(term));
    }
    for (const auto& [key, group] : cache_.term_groups()) {
      if (group.term.kind == Kind::kRequiredAntiAffinity || !group.term.query.matches(pod, cache_)) continue;
      add_weighted(group.term.topology_key, group.per_node, signed_weight(group.term));
    }
    return weighted_.empty() ? Interest::kSkip : Interest::kRun;
  }

  void score(const PodInfo&, std::span<const uint32_t> nodes, std::span<int64_t> scores) override {
    for (const Weighted& weighted : weighted_) {
      for (size_t i = 0; i < nodes.size(); ++i) scores[i] += weighted.weight * weighted.domains.at(nodes[i]);
    }
    auto [least, most] = std::ranges::minmax(scores);
    for (int64_t& score : scores) {
      score = most == least
                  ? 0
                  : static_cast<int64_t>(static_cast<double>(kMaxScore) *
                                         (static_cast<double>(score - least) / static_cast<double>(most - least)));
    }
  }

 private:
  struct Weighted {
    Domains domains;
    int64_t weight;
  };

  // Pods by domain; nodes without the label have no domain (count 0 at value 0).
  Domains sum(const std::string& topology_key, const std::vector<int32_t>& per_node) const {
    Domains domains{cache_.label(topology_key), {}};
    if (!domains.column) return domains;
    domains.counts.assign(domains.column->domains(), 0);
    for (uint32_t node : cache_.order()) domains.counts[domains.column->at(node)] += per_node[node];
    domains.counts[0] = 0;
    return domains;
  }

  // Compat: pods that satisfy every required term count, for each term in the domain of its key.
  void bind_affinity(const PodInfo& pod) {
    PodQuery all;
    for (const AffinityTerm& term : pod.affinity_terms) {
      if (term.kind == Kind::kRequiredAffinity) all.clauses.push_back(term.query.clauses.front());
    }
    if (all.clauses.empty()) return;
    all.make_key();
    const PodCounter& counter = cache_.counter(all);
    for (const AffinityTerm& term : pod.affinity_terms) {
      if (term.kind != Kind::kRequiredAffinity) continue;
      affinity_.push_back(sum(term.topology_key, counter.per_node));
      any_affinity_ = any_affinity_ || std::ranges::any_of(affinity_.back().counts, [](int64_t n) { return n > 0; });
    }
    self_affinity_ = all.matches(pod, cache_);
  }

  bool satisfies_affinity(uint32_t node) const {
    bool met = true;
    for (const Domains& domains : affinity_) {
      if (!domains.column || domains.column->at(node) == 0) return false;
      met = met && domains.at(node) > 0;
    }
    // Compat: the first pod of a group that wants to be together may go anywhere.
    return met || (!any_affinity_ && self_affinity_);
  }

  static bool occupied(const std::vector<Domains>& terms, uint32_t node) {
    return std::ranges::any_of(terms, [&](const Domains& domains) { return domains.at(node) > 0; });
  }

  static int64_t signed_weight(const AffinityTerm& term) {
    switch (term.kind) {
      case Kind::kRequiredAffinity:
        return kHardPodAffinityWeight;
      case Kind::kPreferredAffinity:
        return term.weight;
      case Kind::kPreferredAntiAffinity:
        return -term.weight;
      case Kind::kRequiredAntiAffinity:
        break;
    }
    return 0;
  }

  void add_weighted(const std::string& topology_key, const std::vector<int32_t>& per_node, int64_t weight) {
    Domains domains = sum(topology_key, per_node);
    if (std::ranges::any_of(domains.counts, [](int64_t count) { return count > 0; })) {
      weighted_.push_back({std::move(domains), weight});
    }
  }

  Cache& cache_;
  std::vector<Domains> existing_, affinity_, anti_;
  bool any_affinity_ = false;   // some pod satisfies the required terms
  bool self_affinity_ = false;  // the pod itself does
  std::vector<Weighted> weighted_;
};

}  // namespace

PluginRef inter_pod_affinity(Cache* cache) { return std::make_unique<InterPodAffinity>(cache); }

}  // namespace scheduler
