#include "controllers/nodelifecycle/plan.h"

#include <algorithm>

#include "object/time.h"

namespace controllers::nodelifecycle {
namespace {

using api::core::v1::Node;
using api::core::v1::NodeCondition;
using api::core::v1::Taint;

constexpr const char* kNotReady = "node.kubernetes.io/not-ready";
constexpr const char* kUnreachable = "node.kubernetes.io/unreachable";
constexpr const char* kUnschedulable = "node.kubernetes.io/unschedulable";
constexpr const char* kWatched[] = {"Ready", "MemoryPressure", "DiskPressure", "PIDPressure"};

struct ConditionTaint {
  const char* condition;
  const char* status;
  const char* taint;
};
constexpr ConditionTaint kConditionTaints[] = {
    {"Ready", "False", kNotReady},
    {"Ready", "Unknown", kUnreachable},
    {"MemoryPressure", "True", "node.kubernetes.io/memory-pressure"},
    {"DiskPressure", "True", "node.kubernetes.io/disk-pressure"},
    {"PIDPressure", "True", "node.kubernetes.io/pid-pressure"},
    {"NetworkUnavailable", "True", "node.kubernetes.io/network-unavailable"}};

const NodeCondition* find_condition(const std::vector<NodeCondition>& conditions, std::string_view type) {
  const auto found = std::ranges::find(conditions, type, &NodeCondition::type);
  return found == conditions.end() ? nullptr : &*found;
}

std::string status_of(const std::vector<NodeCondition>& conditions, std::string_view type) {
  const NodeCondition* condition = find_condition(conditions, type);
  return condition ? condition->status : "";
}

// Nothing was heard for too long: nobody knows how the node is.
void mark_unknown(const Node& node, base::WallTime now, std::vector<NodeCondition>& conditions) {
  for (const char* type : kWatched) {
    auto found = std::ranges::find(conditions, std::string_view(type), &NodeCondition::type);
    if (found == conditions.end()) {
      NodeCondition condition;
      condition.type = type;
      condition.status = "Unknown";
      condition.reason = "NodeStatusNeverUpdated";
      condition.message = "Kubelet never posted node status.";
      condition.last_heartbeat_time = node.metadata.creation_timestamp;
      condition.last_transition_time = object::to_time(now);
      conditions.push_back(std::move(condition));
    } else if (found->status != "Unknown") {
      found->status = "Unknown";
      found->reason = "NodeStatusUnknown";
      found->message = "Kubelet stopped posting node status.";
      found->last_transition_time = object::to_time(now);
    }
  }
}

bool is_ours(const Taint& taint) {
  if (taint.effect == "NoExecute") return taint.key == kNotReady || taint.key == kUnreachable;
  if (taint.effect != "NoSchedule") return false;
  return taint.key == kUnschedulable ||
         std::ranges::any_of(kConditionTaints, [&](const ConditionTaint& row) { return taint.key == row.taint; });
}

Taint make_taint(const char* key, const char* effect, base::WallTime now) {
  Taint taint;
  taint.key = key;
  taint.effect = effect;
  taint.time_added = object::to_time(now);
  return taint;
}

std::vector<Taint> wanted_taints(const Node& node, const std::vector<NodeCondition>& conditions, base::WallTime now) {
  std::vector<Taint> wanted;
  for (const ConditionTaint& row : kConditionTaints) {
    if (status_of(conditions, row.condition) == row.status) wanted.push_back(make_taint(row.taint, "NoSchedule", now));
  }
  if (node.spec.unschedulable) wanted.push_back(make_taint(kUnschedulable, "NoSchedule", now));
  const std::string ready = status_of(conditions, "Ready");
  if (ready == "False") wanted.push_back(make_taint(kNotReady, "NoExecute", now));
  if (ready == "Unknown") wanted.push_back(make_taint(kUnreachable, "NoExecute", now));
  return wanted;
}

// What is there stays in its place, with its time.
bool merge_taints(std::vector<Taint> wanted, std::vector<Taint>& taints) {
  const auto same = [](const Taint& a, const Taint& b) { return a.key == b.key && a.effect == b.effect; };
  const auto in = [&](const std::vector<Taint>& list, const Taint& taint) {
    return std::ranges::any_of(list, [&](const Taint& other) { return same(other, taint); });
  };
  const size_t erased = std::erase_if(taints, [&](const Taint& t) { return is_ours(t) && !in(wanted, t); });
  bool changed = erased > 0;
  for (Taint& taint : wanted) {
    if (in(taints, taint)) continue;
    taints.push_back(std::move(taint));
    changed = true;
  }
  return changed;
}

}  // namespace

void observe(std::optional<Heartbeat>& heartbeat, const Node& node, const std::optional<object::MicroTime>& renewed,
             base::MonoTime now) {
  const NodeCondition* ready = find_condition(node.status.conditions, "Ready");
  const object::Time status = ready ? ready->last_heartbeat_time : object::Time();
  const object::MicroTime lease = renewed.value_or(object::MicroTime());
  const bool fresh = !heartbeat || status > heartbeat->status || lease > heartbeat->lease;
  if (fresh) heartbeat = Heartbeat{now, status, lease};
}

Plan plan(const Node& node, const Heartbeat& heartbeat, base::MonoTime mono_now, base::WallTime now) {
  Plan plan;
  plan.conditions = node.status.conditions;
  plan.taints = node.spec.taints;
  const bool never_ready = find_condition(plan.conditions, "Ready") == nullptr;
  const base::Duration grace = never_ready ? kStartupGracePeriod : kGracePeriod;
  if (mono_now - heartbeat.heard > grace) {
    mark_unknown(node, now, plan.conditions);
    plan.write_status = !(plan.conditions == node.status.conditions);
    plan.became_not_ready =
        status_of(node.status.conditions, "Ready") == "True" && status_of(plan.conditions, "Ready") != "True";
  }
  plan.write_taints = merge_taints(wanted_taints(node, plan.conditions, now), plan.taints);
  return plan;
}

}  // namespace controllers::nodelifecycle
