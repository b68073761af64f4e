#include "controllers/daemonset/plan.h"

#include <algorithm>
#include <charconv>
#include <map>
#include <tuple>

namespace controllers::daemonset {
namespace {

using api::apps::v1::DaemonSet;
using api::core::v1::Node;

int64_t seconds_of(base::WallTime time) {
  return std::chrono::floor<std::chrono::seconds>(time).time_since_epoch().count();
}

// A count, or a percentage of `total` rounded up.
int32_t resolve(const base::Box<object::IntOrString>& value, int32_t total) {
  if (!value) return 0;
  if (!value->is_string()) return value->int_val;
  int32_t percent = 0;
  std::from_chars(value->str_val.data(), value->str_val.data() + value->str_val.size(), percent);
  return static_cast<int32_t>((static_cast<int64_t>(percent) * total + 99) / 100);
}

// One planning: the nodes with their Pods, oldest first.
class Planner {
 public:
  explicit Planner(const Observed& observed) : observed_(observed), now_(seconds_of(observed.now)) {
    for (size_t i = 0; i < observed.pods.size(); ++i) by_node_[observed.pods[i].node].push_back(i);
    for (auto& [node, pods] : by_node_) {
      std::ranges::sort(pods, {}, [&](size_t at) {
        const auto& metadata = view(at).metadata;
        return std::tuple(metadata.creation_seconds.value_or(0), metadata.name);
      });
    }
    for (const Node& node : observed.nodes) fits_.emplace_back(&node, fit(*observed.set, node));
  }

  Plan make() {
    count();
    if (observed_.set->metadata.deletion_timestamp) return std::move(plan_);
    for (const auto& [node, fits] : fits_) manage(node->metadata.name, fits);
    remove_from_gone_nodes();
    if (observed_.set->spec.update_strategy.type == "RollingUpdate") roll();
    if (plan_.create.size() > kBurst) plan_.create.resize(kBurst);
    if (plan_.remove.size() > kBurst) plan_.remove.resize(kBurst);
    return std::move(plan_);
  }

 private:
  const PodView& view(size_t at) const { return observed_.pods[at].view; }
  const std::vector<size_t>& pods_on(const std::string& node) const {
    static const std::vector<size_t> kNone;
    const auto found = by_node_.find(node);
    return found == by_node_.end() ? kNone : found->second;
  }
  bool is_new(size_t at) const { return schema::find(view(at).metadata.labels, kHashLabel) == observed_.hash; }
  bool available(size_t at) const { return view(at).available(observed_.set->spec.min_ready_seconds, now_); }
  bool removed(size_t at) const { return std::ranges::count(plan_.remove, at) > 0; }
  int32_t max_surge() const {
    const auto& rolling = observed_.set->spec.update_strategy.rolling_update;
    return rolling ? resolve(rolling->max_surge, plan_.status.desired_number_scheduled) : 0;
  }
  int32_t max_unavailable() const {
    const auto& rolling = observed_.set->spec.update_strategy.rolling_update;
    if (!rolling || !rolling->max_unavailable) return rolling && max_surge() > 0 ? 0 : 1;
    const int32_t count = resolve(rolling->max_unavailable, plan_.status.desired_number_scheduled);
    return count == 0 && max_surge() == 0 ? 1 : count;  // Compat: a rollout must go on
  }

  void wait_for(base::Duration wait) {
    if (!plan_.look_again || wait < *plan_.look_again) plan_.look_again = wait;
  }

  void count() {
    auto& status = plan_.status;
    status = observed_.set->status;
    status.current_number_scheduled = status.number_misscheduled = status.desired_number_scheduled = 0;
    status.number_ready = status.updated_number_scheduled = status.number_available = 0;
    status.observed_generation = observed_.set->metadata.generation;
    for (const auto& [node, fits] : fits_) {
      const auto& pods = pods_on(node->metadata.name);
      if (!fits.run) {
        if (!pods.empty()) ++status.number_misscheduled;
        continue;
      }
      ++status.desired_number_scheduled;
      if (pods.empty()) continue;
      ++status.current_number_scheduled;
      const size_t oldest = pods.front();
      if (view(oldest).ready) ++status.number_ready;
      if (available(oldest)) {
        ++status.number_available;
      } else if (view(oldest).ready) {
        wait_for(std::chrono::seconds(view(oldest).ready_since + observed_.set->spec.min_ready_seconds - now_));
      }
      if (is_new(oldest)) ++status.updated_number_scheduled;
    }
    status.number_unavailable = status.desired_number_scheduled - status.number_available;
  }

  void manage(const std::string& node, const Fit& fits) {
    const auto& pods = pods_on(node);
    if (fits.run && pods.empty()) {
      plan_.create.push_back(node);
      return;
    }
    std::vector<size_t> running;
    for (const size_t at : pods) {
      if (view(at).deleting()) continue;
      if (!fits.stay) {
        plan_.remove.push_back(at);
      } else if (observed_.pods[at].back_off) {
        wait_for(*observed_.pods[at].back_off);
      } else if (view(at).terminal()) {
        say_terminal(at, node);
        plan_.remove.push_back(at);
      } else {
        running.push_back(at);
      }
    }
    // More than one is too many, but for the pair of an update that surges.
    const bool surging = max_surge() > 0;
    for (size_t i = 1; i < running.size(); ++i) {
      if (surging && i == 1 && running.size() == 2 && is_new(running[0]) != is_new(running[1])) continue;
      plan_.remove.push_back(running[i]);
    }
  }

  void say_terminal(size_t at, const std::string& node) {
    const std::string name = std::string(view(at).metadata.namespace_) + "/" + std::string(view(at).metadata.name);
    if (view(at).phase == "Failed") {
      plan_.events.push_back(
          {true, "FailedDaemonPod", "Found failed daemon pod " + name + " on node " + node + ", will try to kill it"});
    } else {
      plan_.events.push_back({false, "SucceededDaemonPod",
                              "Found succeeded daemon pod " + name + " on node " + node + ", will try to delete it"});
    }
  }

  void remove_from_gone_nodes() {
    for (const auto& [node, pods] : by_node_) {
      const bool known =
          std::ranges::any_of(fits_, [&](const auto& entry) { return entry.first->metadata.name == node; });
      if (known || node.empty()) continue;
      for (const size_t at : pods) {
        // Those that were bound there are the Pod garbage collector's.
        if (!view(at).deleting() && view(at).node.empty()) plan_.remove.push_back(at);
      }
    }
  }

  // The old and the new Pod of a node that are not going.
  struct Pair {
    std::optional<size_t> old_pod, new_pod;
  };
  Pair pair_on(const std::string& node) const {
    Pair pair;
    for (const size_t at : pods_on(node)) {
      if (view(at).deleting() || removed(at)) continue;
      (is_new(at) ? pair.new_pod : pair.old_pod) = at;
    }
    return pair;
  }

  void roll() {
    if (max_surge() > 0) return roll_with_surge();
    int32_t unavailable = 0;
    std::vector<size_t> candidates;
    for (const auto& [node, fits] : fits_) {
      if (!fits.run) continue;
      const Pair pair = pair_on(node->metadata.name);
      if (pair.new_pod) {
        if (!available(*pair.new_pod)) ++unavailable;
      } else if (!pair.old_pod) {
        ++unavailable;  // being made, or going
      } else if (available(*pair.old_pod)) {
        candidates.push_back(*pair.old_pod);
      } else {
        ++unavailable;
        plan_.remove.push_back(*pair.old_pod);  // it gives nothing: replaced at once
      }
    }
    const int32_t may = std::max(0, max_unavailable() - unavailable);
    for (size_t i = 0; i < candidates.size() && i < static_cast<size_t>(may); ++i)
      plan_.remove.push_back(candidates[i]);
  }

  void roll_with_surge() {
    int32_t surging = 0;
    std::vector<std::string> candidates;
    for (const auto& [node, fits] : fits_) {
      if (!fits.run) continue;
      const Pair pair = pair_on(node->metadata.name);
      if (!pair.old_pod) continue;
      if (!pair.new_pod) {
        if (available(*pair.old_pod)) {
          candidates.push_back(node->metadata.name);
        } else {
          plan_.create.push_back(node->metadata.name);
        }
      } else if (available(*pair.new_pod)) {
        plan_.remove.push_back(*pair.old_pod);
      } else {
        ++surging;
      }
    }
    const int32_t may = std::max(0, max_surge() - surging);
    for (size_t i = 0; i < candidates.size() && i < static_cast<size_t>(may); ++i)
      plan_.create.push_back(candidates[i]);
  }

  const Observed& observed_;
  const int64_t now_;
  std::map<std::string, std::vector<size_t>> by_node_;
  std::vector<std::pair<const Node*, Fit>> fits_;
  Plan plan_;
};

}  // namespace

Plan plan(const Observed& observed) { return Planner(observed).make(); }

}  // namespace controllers::daemonset
