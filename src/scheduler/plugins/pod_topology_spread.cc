#include <algorithm>
#include <cmath>

#include "scheduler/plugins/node_term_match.h"
#include "scheduler/plugins/plugins.h"

namespace scheduler {
namespace {

using When = SpreadConstraint::When;
using Policy = SpreadConstraint::Policy;

constexpr std::string_view kHostname = "kubernetes.io/hostname";
constexpr std::string_view kZone = "topology.kubernetes.io/zone";
constexpr std::string_view kMismatch = "node(s) didn't match pod topology spread constraints";
constexpr std::string_view kMissing = "node(s) didn't match pod topology spread constraints (missing required label)";

// A constraint bound to the cache for one cycle.
struct Spread {
  const SpreadConstraint* constraint;
  const LabelColumn* column;  // null: no node has the label
  const PodCounter* counter;
  int64_t self = 0;                // 1 when the pod counts itself
  std::vector<int64_t> domains{};  // pods by value of the label; -1 = a domain without eligible node
  int64_t least = 0;
  double weight = 0;
  bool by_node = false;  // every node is its own domain
};

class PodTopologySpread final : public Plugin,
                                public PreFilterPlugin,
                                public FilterPlugin,
                                public PreScorePlugin,
                                public ScorePlugin {
 public:
  explicit PodTopologySpread(Cache* cache) : cache_(*cache), required_(*cache) {}
  std::string_view name() const override { return "PodTopologySpread"; }
  uint32_t requeue_events() const override {
    return kPodAdd | kPodLabel | kPodDelete | kNodeAdd | kNodeDelete | kNodeLabel | kNodeTaint;
  }
  NodeHint node_hint() const override { return NodeHint::kAlways; }

  PreFilterResult pre_filter(const PodInfo& pod) override {
    hard_.clear();
    for (const SpreadConstraint& constraint : pod.spread_constraints) {
      if (constraint.when == When::kDoNotSchedule) hard_.push_back(bind(constraint, pod));
    }
    if (hard_.empty()) return {Interest::kSkip, {}, {}};
    required_.bind(pod);
    for (uint32_t node : cache_.order()) {
      if (!has_all(hard_, node)) continue;
      for (Spread& spread : hard_) {
        if (!eligible(*spread.constraint, pod, node)) continue;
        int64_t& domain = spread.domains[spread.column->at(node)];
        domain = std::max<int64_t>(domain, 0) + spread.counter->per_node[node];
      }
    }
    for (Spread& spread : hard_) find_least(spread);
    return {};
  }

  void filter(const PodInfo&, NodeBatch& batch) override {
    batch.for_each_alive([&](size_t i, uint32_t node) {
      for (const Spread& spread : hard_) {
        uint32_t value = spread.column ? spread.column->at(node) : 0;
        if (value == 0) return batch.reject(i, kMissing, Resolvable::kNo);
        int64_t count = std::max<int64_t>(spread.domains[value], 0);
        if (count + spread.self - spread.least > spread.constraint->max_skew) {
          return batch.reject(i, kMismatch, Resolvable::kByPreemption);
        }
      }
    });
  }

  Interest pre_score(const PodInfo& pod, std::span<const uint32_t> nodes) override {
    soft_.clear();
    require_all_ = !pod.spread_constraints.empty();
    if (require_all_) {
      for (const SpreadConstraint& constraint : pod.spread_constraints) {
        if (constraint.when == When::kScheduleAnyway) soft_.push_back(bind(constraint, pod));
      }
    } else {
      bind_defaults(pod);
    }
    if (soft_.empty()) return Interest::kSkip;
    required_.bind(pod);
    size_t ignored = mark_domains(nodes);
    for (Spread& spread : soft_) {
      size_t size =
          spread.by_node
              ? nodes.size() - ignored
              : static_cast<size_t>(std::ranges::count_if(spread.domains, [](int64_t count) { return count >= 0; }));
      spread.weight = std::log(static_cast<double>(size + 2));
    }
    count_domains(pod);
    return Interest::kRun;
  }

  void score(const PodInfo&, std::span<const uint32_t> nodes, std::span<int64_t> scores) override {
    int64_t least = INT64_MAX, most = 0;
    for (size_t i = 0; i < nodes.size(); ++i) {
      if (ignored_[i]) continue;
      double sum = 0;
      for (const Spread& spread : soft_) {
        uint32_t value = spread.column ? spread.column->at(nodes[i]) : 0;
        if (value == 0) continue;
        int64_t count = spread.by_node ? spread.counter->per_node[nodes[i]] : spread.domains[value];
        sum += static_cast<double>(count) * spread.weight + static_cast<double>(spread.constraint->max_skew - 1);
      }
      scores[i] = std::llround(sum);
      least = std::min(least, scores[i]);
      most = std::max(most, scores[i]);
    }
    for (size_t i = 0; i < nodes.size(); ++i) {
      if (ignored_[i]) {
        scores[i] = 0;
      } else {
        scores[i] = most == 0 ? kMaxScore : kMaxScore * (most + least - scores[i]) / most;
      }
    }
  }

 private:
  Spread bind(const SpreadConstraint& constraint, const PodInfo& pod) {
    Spread spread{&constraint, cache_.label(constraint.topology_key), &cache_.counter(constraint.query)};
    spread.self = matches(constraint.selector, pod.labels) ? 1 : 0;
    spread.by_node = constraint.topology_key == kHostname;
    if (spread.column) spread.domains.assign(spread.column->domains(), -1);
    return spread;
  }

  // Compat: a pod without constraints that a Service or controller selects is spread softly over hosts and zones.
  void bind_defaults(const PodInfo& pod) {
    object::LabelSelector selector = cache_.default_selector(pod);
    if (selector.empty()) return;
    for (auto [key, skew, at] : {std::tuple{kHostname, 3, 0}, std::tuple{kZone, 5, 1}}) {
      SpreadConstraint& constraint = defaults_[at];
      constraint = {};
      constraint.max_skew = skew;
      constraint.when = When::kScheduleAnyway;
      constraint.topology_key = key;
      constraint.selector = selector;
      constraint.query.clauses.push_back({{pod.ns}, std::nullopt, selector});
      constraint.query.terminating = PodQuery::Terminating::kSkip;
      constraint.query.make_key();
      soft_.push_back(bind(constraint, pod));
    }
  }

  static bool has_all(const std::vector<Spread>& spreads, uint32_t node) {
    return std::ranges::all_of(spreads,
                               [&](const Spread& spread) { return spread.column && spread.column->at(node) != 0; });
  }

  bool eligible(const SpreadConstraint& constraint, const PodInfo& pod, uint32_t node) const {
    if (constraint.node_affinity == Policy::kHonor && !required_.empty() && !required_.matches(node)) return false;
    if (constraint.node_taints == Policy::kIgnore) return true;
    return std::ranges::all_of(cache_.nodes().taints[node], [&](const Taint& taint) {
      return taint.effect == TaintEffect::kPreferNoSchedule || tolerates(pod.tolerations, taint);
    });
  }

  static void find_least(Spread& spread) {
    int64_t least = INT64_MAX;
    int64_t domains = 0;
    for (int64_t count : spread.domains) {
      if (count < 0) continue;
      ++domains;
      least = std::min(least, count);
    }
    // Compat: with fewer domains than minDomains the least is taken to be 0.
    spread.least = domains < spread.constraint->min_domains || domains == 0 ? 0 : least;
  }

  // Domains of the feasible nodes begin at 0. Returns how many nodes have no part in the score.
  size_t mark_domains(std::span<const uint32_t> nodes) {
    ignored_.assign(nodes.size(), 0);
    size_t ignored = 0;
    for (size_t i = 0; i < nodes.size(); ++i) {
      if (require_all_ && !has_all(soft_, nodes[i])) {
        ignored_[i] = 1;
        ++ignored;
        continue;
      }
      for (Spread& spread : soft_) {
        if (spread.by_node || !spread.column) continue;
        if (uint32_t value = spread.column->at(nodes[i])) spread.domains[value] = 0;
      }
    }
    return ignored;
  }

  void count_domains(const PodInfo& pod) {
    if (std::ranges::all_of(soft_, [](const Spread& spread) { return spread.by_node || !spread.column; })) return;
    for (uint32_t node : cache_.order()) {
      if (require_all_ && !has_all(soft_, node)) continue;
      for (Spread& spread : soft_) {
        if (spread.by_node || !spread.column || !eligible(*spread.constraint, pod, node)) continue;
        uint32_t value = spread.column->at(node);
        if (value != 0 && spread.domains[value] >= 0) spread.domains[value] += spread.counter->per_node[node];
      }
    }
  }

  Cache& cache_;
  RequiredNodes required_;
  std::vector<Spread> hard_, soft_;
  SpreadConstraint defaults_[2];
  std::vector<uint8_t> ignored_;
  bool require_all_ = false;
};

}  // namespace

PluginRef pod_topology_spread(Cache* cache) { return std::make_unique<PodTopologySpread>(cache); }

}  // namespace scheduler
