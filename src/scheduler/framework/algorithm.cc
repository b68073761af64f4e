#include "scheduler/framework/algorithm.h"

#include <algorithm>

namespace scheduler {

// Compat: all of fewer than 100; else max(5, 50 - n/125) percent, at least 100.
size_t Algorithm::nodes_to_find(size_t nodes) {
  constexpr size_t kMinimum = 100;
  if (nodes < kMinimum) return nodes;
  size_t dropped = nodes / 125;
  size_t percent = dropped >= 45 ? 5 : 50 - dropped;
  return std::max(kMinimum, nodes * percent / 100);
}

bool Algorithm::pre_filter(const PodInfo& pod, Diagnosis& diagnosis, std::span<const uint32_t>& candidates) {
  active_ = ~uint64_t{0};
  uint64_t restricting = 0;
  bool restricted = false;
  for (const auto& [plugin, index, weight] : profile_.pre_filters) {
    PreFilterResult result = plugin->pre_filter(pod);
    if (!result.rejection.empty()) {
      diagnosis.pre_filter_message = std::move(result.rejection);
      diagnosis.plugins |= uint64_t{1} << index;
      return false;
    }
    if (result.interest == Interest::kSkip) active_ &= ~(uint64_t{1} << index);
    if (!result.nodes) continue;
    restricting |= uint64_t{1} << index;
    if (restricted) {
      std::erase_if(restricted_, [&](uint32_t node) { return std::ranges::count(*result.nodes, node) == 0; });
    } else {
      restricted_ = *std::move(result.nodes);
      restricted = true;
    }
  }
  if (!restricted) return true;
  candidates = restricted_;
  // Compat: the nodes left out are reported under the names of the plugins that left them out.
  if (restricted_.size() < cache_.order().size()) {
    diagnosis.restricting = restricting;
    diagnosis.plugins |= restricting;
  }
  return true;
}

void Algorithm::filter(const PodInfo& pod, NodeBatch& batch) {
  for (const auto& [plugin, index, weight] : profile_.filters) {
    if (!(active_ & uint64_t{1} << index)) continue;
    batch.set_plugin(index);
    plugin->filter(pod, batch);
  }
}

void Algorithm::filter_with_nominated(const PodRef& pod, NodeBatch& batch) {
  for (size_t i = 0; i < batch.size(); ++i) {
    if (!batch.alive(i)) continue;
    auto found = nominator_.nodes().find(cache_.nodes().name[batch.node(i)]);
    if (found == nominator_.nodes().end()) continue;
    std::vector<PodRef> added;
    for (const PodRef& nominated : found->second) {
      if (nominated->priority < pod->priority || nominated->uid == pod->uid) continue;
      if (!cache_.find_pod(nominated->uid)) added.push_back(with_node(nominated, found->first));
    }
    if (added.empty()) continue;
    for (const PodRef& extra : added) cache_.assume(extra);
    std::vector<Rejection> rejections;
    uint32_t node = batch.node(i);
    bool passes = true;
    uint64_t active = active_;
    for (const auto& [plugin, index, weight] : profile_.pre_filters) {
      plugin->pre_filter(*pod);
      active_ |= uint64_t{1} << index;
    }
    NodeBatch one({&node, 1}, rejections);
    filter(*pod, one);
    passes = one.alive(0);
    for (const PodRef& extra : added) cache_.remove_pod(extra->uid);
    for (const auto& [plugin, index, weight] : profile_.pre_filters) plugin->pre_filter(*pod);
    active_ = active;
    if (passes) continue;
    batch.set_plugin(rejections.front().plugin);
    for (const Rejection& rejection : rejections) batch.reject(i, rejection.reason, rejection.resolvable);
  }
}

void Algorithm::find_feasible(const PodRef& pod, std::span<const uint32_t> candidates, Decision& decision) {
  constexpr size_t kSmallestBatch = 64;
  const size_t total = candidates.size();
  const size_t wanted = nodes_to_find(total);
  const size_t start = total == 0 ? 0 : next_start_ % total;
  size_t processed = 0;
  feasible_.clear();
  while (processed < total && feasible_.size() < wanted) {
    size_t count = std::min(total - processed, std::max(wanted - feasible_.size(), kSmallestBatch));
    chosen_.clear();
    for (size_t i = 0; i < count; ++i) {
      size_t at = start + processed + i;
      chosen_.push_back(candidates[at < total ? at : at - total]);
    }
    NodeBatch batch(chosen_, decision.diagnosis.rejections);
    filter(*pod, batch);
    if (!nominator_.empty()) filter_with_nominated(pod, batch);
    size_t i = 0;
    for (; i < count && feasible_.size() < wanted; ++i) {
      if (batch.alive(i)) feasible_.push_back(chosen_[i]);
    }
    processed += i;
  }
  if (total > 0) next_start_ = (start + processed) % total;
  decision.evaluated = processed;
  decision.feasible = feasible_.size();
}

uint32_t Algorithm::select(const PodInfo& pod) {
  if (feasible_.size() == 1) return feasible_.front();
  totals_.assign(feasible_.size(), 0);
  uint64_t scoring = ~uint64_t{0};
  for (const auto& [plugin, index, weight] : profile_.pre_scores) {
    if (plugin->pre_score(pod, feasible_) == Interest::kSkip) scoring &= ~(uint64_t{1} << index);
  }
  for (const auto& [plugin, index, weight] : profile_.scores) {
    if (!(scoring & uint64_t{1} << index)) continue;
    scores_.assign(feasible_.size(), 0);
    plugin->score(pod, feasible_, scores_);
    for (size_t i = 0; i < scores_.size(); ++i) totals_[i] += weight * scores_[i];
  }
  int64_t best = *std::ranges::max_element(totals_);
  uint64_t ties = static_cast<uint64_t>(std::ranges::count(totals_, best));
  uint64_t pick = ties == 1 ? 0 : rng_.below(ties);
  for (size_t i = 0;; ++i) {
    if (totals_[i] == best && pick-- == 0) return feasible_[i];
  }
}

Decision Algorithm::decide(const PodRef& pod) {
  Decision decision;
  std::span<const uint32_t> candidates = cache_.order();
  decision.diagnosis.nodes = candidates.size();
  if (!pre_filter(*pod, decision.diagnosis, candidates)) return decision;
  // A node that preemption cleared for this pod is tried first and, when it does, alone.
  std::string promised = nominator_.node_of(pod->uid);
  if (promised.empty()) promised = pod->nominated_node_name;
  uint32_t slot = promised.empty() ? kNoNode : cache_.slot_of(promised);
  if (slot != kNoNode && cache_.nodes().present[slot]) {
    std::vector<Rejection> ignored;
    NodeBatch batch({&slot, 1}, ignored);
    filter(*pod, batch);
    filter_with_nominated(pod, batch);
    if (batch.alive(0)) {
      decision.node = slot;
      decision.evaluated = decision.feasible = 1;
      return decision;
    }
  }
  find_feasible(pod, candidates, decision);
  if (!feasible_.empty()) {
    decision.node = select(*pod);
    return decision;
  }
  for (const Rejection& rejection : decision.diagnosis.rejections) {
    decision.diagnosis.plugins |= uint64_t{1} << rejection.plugin;
  }
  return decision;
}

PostFilterResult Algorithm::post_filter(const PodRef& pod, const Diagnosis& diagnosis) {
  PostFilterResult result;
  std::string messages;
  for (const auto& [plugin, index, weight] : profile_.post_filters) {
    PostFilterResult one = plugin->post_filter(pod, diagnosis, *this);
    if (!messages.empty() && !one.message.empty()) messages += ", ";
    messages += one.message;
    if (one.earlier == EarlierPromise::kKeep) result.earlier = EarlierPromise::kKeep;
    if (one.nominated == kNoNode) continue;
    result.nominated = one.nominated;
    result.victims = std::move(one.victims);
    return result;  // Compat: what the plugins before it said is dropped
  }
  result.message = std::move(messages);
  return result;
}

bool Algorithm::feasible_on(const PodInfo& pod, uint32_t node) {
  active_ = ~uint64_t{0};
  for (const auto& [plugin, index, weight] : profile_.pre_filters) {
    PreFilterResult result = plugin->pre_filter(pod);
    if (!result.rejection.empty()) return false;
    if (result.nodes && std::ranges::count(*result.nodes, node) == 0) return false;
    if (result.interest == Interest::kSkip) active_ &= ~(uint64_t{1} << index);
  }
  std::vector<Rejection> ignored;
  NodeBatch batch({&node, 1}, ignored);
  filter(pod, batch);
  return batch.alive(0);
}

bool Algorithm::hint(const PodInfo& pod, uint8_t plugin, uint32_t node) {
  for (const auto& [filter, index, weight] : profile_.filters) {
    if (index != plugin) continue;
    if (filter->node_hint() == NodeHint::kAlways) return true;
    for (const auto& [pre_filter, pre_index, pre_weight] : profile_.pre_filters) {
      if (pre_index == plugin && !pre_filter->pre_filter(pod).rejection.empty()) return false;
    }
    std::vector<Rejection> ignored;
    NodeBatch batch({&node, 1}, ignored);
    filter->filter(pod, batch);
    return batch.alive(0);
  }
  return true;
}

}  // namespace scheduler
