#include <algorithm>
#include <map>
#include <set>
#include <tuple>

#include "scheduler/framework/algorithm.h"
#include "scheduler/plugins/plugins.h"

namespace scheduler {
namespace {

constexpr std::string_view kNotHelpful = "Preemption is not helpful for scheduling";
constexpr std::string_view kNoVictims = "No preemption victims found for incoming pod";

// Compat: how many nodes are tried.
constexpr size_t kMinCandidatePercent = 10;
constexpr size_t kMinCandidates = 100;

struct Candidate {
  uint32_t node;
  std::vector<PodRef> victims;  // most important first
  size_t violations = 0;        // victims whose disruption budgets are used up
};

bool more_important(const PodRef& a, const PodRef& b) {
  return std::tuple(-a->priority, a->start_seconds) < std::tuple(-b->priority, b->start_seconds);
}

// Which of the pods (most important first) would go against a disruption budget if all of them went. Compat: a budget
// bears so many of them, in that order; those whose eviction it counts already do not count again.
std::vector<char> against_budgets(const std::vector<PodRef>& pods, const Cache& cache) {
  std::vector<char> against(pods.size(), 0);
  std::map<const BudgetInfo*, int32_t> left;
  for (size_t i = 0; i < pods.size(); ++i) {
    const auto* budgets = cache.budgets(pods[i]->ns);
    if (!budgets || pods[i]->labels.empty()) continue;
    for (const auto& [name, budget] : *budgets) {
      if (!matches(budget.selector, pods[i]->labels)) continue;
      if (std::ranges::find(budget.disrupted, pods[i]->name) != budget.disrupted.end()) continue;
      if (--left.try_emplace(&budget, budget.allowed).first->second < 0) against[i] = 1;
    }
  }
  return against;
}

class DefaultPreemption final : public Plugin, public PostFilterPlugin {
 public:
  std::string_view name() const override { return "DefaultPreemption"; }
  uint32_t requeue_events() const override { return kPodDelete; }

  PostFilterResult post_filter(const PodRef& pod, const Diagnosis& diagnosis, Algorithm& algorithm) override {
    if (pod->preemption_policy == PreemptionPolicy::kNever) {
      return {"preemption: not eligible due to preemptionPolicy=Never.", kNoNode, EarlierPromise::kKeep, {}};
    }
    if (awaits_victims(*pod, algorithm)) {
      return {"preemption: not eligible due to a terminating pod on the nominated node.",
              kNoNode,
              EarlierPromise::kKeep,
              {}};
    }
    std::vector<uint32_t> helpful = helpful_nodes(diagnosis, algorithm.cache());
    size_t hopeless = diagnosis.nodes - helpful.size();
    std::vector<Candidate> candidates;
    size_t fruitless = 0;
    if (!helpful.empty()) {
      size_t wanted = std::min(helpful.size(), std::max(kMinCandidates, helpful.size() * kMinCandidatePercent / 100));
      size_t offset = algorithm.rng().below(helpful.size());
      for (size_t i = 0; i < helpful.size() && candidates.size() < wanted; ++i) {
        auto candidate = try_node(pod, helpful[(offset + i) % helpful.size()], algorithm);
        candidate ? candidates.push_back(*std::move(candidate)) : static_cast<void>(++fruitless);
      }
    }
    if (candidates.empty())
      return {explain(diagnosis.nodes, hopeless, fruitless), kNoNode, EarlierPromise::kWithdraw, {}};
    Candidate best = *std::ranges::min_element(candidates, better);
    return {"", best.node, EarlierPromise::kWithdraw, std::move(best.victims)};
  }

 private:
  // Victims on the promised node are still going away: wait for them.
  static bool awaits_victims(const PodInfo& pod, Algorithm& algorithm) {
    std::string promised = algorithm.nominator().node_of(pod.uid);
    if (promised.empty()) promised = pod.nominated_node_name;
    uint32_t slot = promised.empty() ? kNoNode : algorithm.cache().slot_of(promised);
    if (slot == kNoNode) return false;
    return std::ranges::any_of(algorithm.cache().nodes().pods[slot],
                               [&](const PodRef& other) { return other->deleting && other->priority < pod.priority; });
  }

  static std::vector<uint32_t> helpful_nodes(const Diagnosis& diagnosis, const Cache& cache) {
    if (!diagnosis.pre_filter_message.empty()) return {};
    std::set<uint32_t> hopeless, rejected;
    for (const Rejection& rejection : diagnosis.rejections) {
      rejected.insert(rejection.node);
      if (rejection.resolvable == Resolvable::kNo) hopeless.insert(rejection.node);
    }
    std::vector<uint32_t> nodes;
    for (uint32_t node : cache.order()) {
      if (rejected.contains(node) && !hopeless.contains(node)) nodes.push_back(node);
    }
    return nodes;
  }

  // Takes all pods of lower priority away, then puts back those that may stay: first those whose budgets do not bear
  // it, then the others, each the most important first.
  static std::optional<Candidate> try_node(const PodRef& pod, uint32_t node, Algorithm& algorithm) {
    Cache& cache = algorithm.cache();
    std::vector<PodRef> lower;
    for (const PodRef& other : cache.nodes().pods[node]) {
      if (other->priority < pod->priority) lower.push_back(other);
    }
    if (lower.empty()) return std::nullopt;
    std::ranges::sort(lower, more_important);
    std::set<std::string> assumed;
    for (const PodRef& other : lower) {
      if (cache.assumed(other->uid)) assumed.insert(other->uid);
      cache.remove_pod(other->uid);
    }
    auto put_back = [&](const PodRef& other) {
      assumed.contains(other->uid) ? cache.assume(other) : cache.set_pod(other);
    };
    Candidate candidate{node, {}};
    const bool fits = algorithm.feasible_on(*pod, node);
    const std::vector<char> against = against_budgets(lower, cache);
    for (const char turn : {1, 0}) {
      for (size_t i = 0; i < lower.size(); ++i) {
        if (against[i] != turn) continue;
        put_back(lower[i]);
        if (!fits || algorithm.feasible_on(*pod, node)) continue;
        cache.remove_pod(lower[i]->uid);
        candidate.victims.push_back(lower[i]);
        candidate.violations += static_cast<size_t>(turn);
      }
    }
    std::ranges::sort(candidate.victims, more_important);
    for (const PodRef& victim : candidate.victims) put_back(victim);
    if (!fits || candidate.victims.empty()) return std::nullopt;
    return candidate;
  }

  // Compat: the fewest broken budgets, the lowest highest priority, the lowest sum (each counted from the least int),
  // the fewest, the latest start.
  static bool better(const Candidate& a, const Candidate& b) {
    auto rank = [](const Candidate& candidate) {
      int64_t sum = 0;
      for (const PodRef& victim : candidate.victims) sum += victim->priority + int64_t{INT32_MAX} + 1;
      const PodInfo& first = *candidate.victims.front();
      return std::tuple(candidate.violations, first.priority, sum, candidate.victims.size(), -first.start_seconds);
    };
    return rank(a) < rank(b);
  }

  static std::string explain(size_t nodes, size_t hopeless, size_t fruitless) {
    std::vector<std::string> lines;
    if (hopeless > 0) lines.push_back(std::to_string(hopeless) + " " + std::string(kNotHelpful));
    if (fruitless > 0) lines.push_back(std::to_string(fruitless) + " " + std::string(kNoVictims));
    std::ranges::sort(lines);
    std::string text = "preemption: 0/" + std::to_string(nodes) + " nodes are available:";
    for (size_t i = 0; i < lines.size(); ++i) text.append(i == 0 ? " " : ", ").append(lines[i]);
    return text + ".";
  }
};

}  // namespace

PluginRef default_preemption() { return std::make_unique<DefaultPreemption>(); }

}  // namespace scheduler
