// What the scheduler knows of the cluster: nodes as columns (structure of arrays, indexed by slot), the pods assigned
// to them, those that it assumes to be, and counts that follow. The cycle reads the columns directly. Invariants:
// requested columns are the sums over the pods of the slot; every counter equals a walk over the pods; a slot whose
// node is gone stays while pods are on it and is in no order list. Thread: the scheduler's strand.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/clock.h"
#include "scheduler/cache/label_column.h"
#include "scheduler/cache/pod_counter.h"
#include "scheduler/cache/volume_cache.h"
#include "scheduler/pod_info.h"

namespace scheduler {

inline constexpr uint32_t kNoNode = UINT32_MAX;

struct ResourceColumn {
  std::vector<int64_t> allocatable;
  std::vector<int64_t> requested;
};

struct NodeColumns {
  std::vector<std::string> name;
  std::vector<uint8_t> present;
  std::vector<uint8_t> unschedulable;
  std::vector<std::vector<Taint>> taints;
  ResourceColumn milli_cpu, memory, ephemeral_storage;
  std::vector<int64_t> allowed_pods;
  std::vector<int64_t> pod_count;
  std::vector<int64_t> scoring_milli_cpu, scoring_memory;  // requested, with assumptions for those that ask for none
  std::map<std::string, ResourceColumn, std::less<>> extended;
  std::vector<std::vector<HostPort>> host_ports;
  std::vector<std::vector<PodRef>> pods;
  size_t size() const { return name.size(); }
};

// An image: which nodes have it, by slot.
struct ImageColumn {
  int64_t bytes = 0;
  size_t nodes = 0;
  std::vector<uint8_t> present;  // may be shorter than there are nodes
  bool on(uint32_t slot) const { return slot < present.size() && present[slot] != 0; }
};

// What a node's change means to waiting pods; bits.
enum class NodeChange : uint8_t { kAdded = 1, kAllocatable = 2, kLabels = 4, kTaints = 8 };

class Cache final : public NamespaceLabels {
 public:
  Cache() = default;
  Cache(const Cache&) = delete;

  // ---- nodes ----
  // The NodeChange bits of the difference.
  uint8_t set_node(const NodeInfo& node);
  void remove_node(std::string_view name);
  uint32_t slot_of(std::string_view node_name) const;
  const NodeColumns& nodes() const { return nodes_; }
  // Slots of present nodes, zones interleaved.
  std::span<const uint32_t> order() const;
  // Null when no node has the label.
  const LabelColumn* label(std::string_view key) const;
  const StringPairs& labels_of_node(uint32_t slot) const { return infos_[slot].labels; }
  const std::map<std::string, ImageColumn, std::less<>>& images() const { return images_; }

  // ---- pods ----
  // Adds or replaces by uid; the pod has a node name. Confirms an assumed pod.
  void set_pod(const PodRef& pod);
  // The pod is taken to be on the node until set_pod, forget or expiry.
  void assume(const PodRef& pod_with_node);
  // From now on the assumption ends by itself at `deadline`.
  void bound(std::string_view uid, base::MonoTime deadline);
  // Removes an assigned or assumed pod; null when it is unknown.
  PodRef remove_pod(std::string_view uid);
  std::vector<PodRef> expire(base::MonoTime now);
  const PodRef* find_pod(std::string_view uid) const;
  bool assumed(std::string_view uid) const;
  size_t pod_count() const { return pods_.size(); }

  // ---- namespaces, workloads ----
  void set_namespace(std::string name, StringPairs labels);
  void remove_namespace(const std::string& name);
  const StringPairs* labels_of(std::string_view ns) const override;
  // The selector of a Service, or of the controller "Kind/name" in the namespace; null removes it.
  void set_service(std::string_view ns, std::string_view name, std::optional<object::LabelSelector> selector);
  void set_workload(std::string_view ns, std::string_view kind, std::string_view name,
                    std::optional<object::LabelSelector> selector);
  // Compat: requirements of every Service that selects the pod and of its controller; empty = nothing selects it.
  object::LabelSelector default_selector(const PodInfo& pod) const;

  // ---- volumes ----
  VolumeCache& volumes() { return volumes_; }
  const VolumeCache& volumes() const { return volumes_; }

  // ---- disruption budgets ----
  void set_budget(const std::string& ns, const std::string& name, std::optional<BudgetInfo> budget);
  // Of the namespace, by name; null = none.
  const std::map<std::string, BudgetInfo>* budgets(std::string_view ns) const;

  // ---- counts ----
  const PodCounter& counter(const PodQuery& query);
  const std::unordered_map<std::string, TermGroup>& term_groups() const { return term_groups_; }
  // Rises whenever nodes, labels or taints change.
  uint64_t node_generation() const { return node_generation_; }

 private:
  struct CachedPod {
    PodRef pod;
    uint32_t slot = kNoNode;
    enum class State : uint8_t { kAssumed, kBound, kConfirmed } state = State::kConfirmed;
    base::MonoTime deadline{};
  };
  enum class Direction : int8_t { kAdd = 1, kRemove = -1 };

  uint32_t make_slot(std::string_view name);
  void release_slot(uint32_t slot);
  void set_labels(uint32_t slot, const StringPairs& labels);
  void set_images(uint32_t slot, const std::vector<std::pair<std::string, int64_t>>& images);
  void place(const PodRef& pod, uint32_t slot);
  void displace(const PodRef& pod, uint32_t slot);
  void account(const PodInfo& pod, uint32_t slot, Direction direction);
  void count(const PodInfo& pod, uint32_t slot, Direction direction);
  void insert(const PodRef& pod, CachedPod::State state);
  void drop_old_counters();
  void rebuild_order() const;

  NodeColumns nodes_;
  std::vector<NodeInfo> infos_;  // by slot
  std::unordered_map<std::string, uint32_t> slots_;
  std::vector<uint32_t> free_slots_;
  std::map<std::string, std::unique_ptr<LabelColumn>, std::less<>> labels_;
  mutable std::vector<uint32_t> order_;
  mutable bool order_stale_ = false;
  uint64_t node_generation_ = 0;

  std::unordered_map<std::string, CachedPod> pods_;  // by uid
  std::map<std::string, StringPairs, std::less<>> namespaces_;
  std::map<std::string, std::map<std::string, object::LabelSelector>, std::less<>> services_;  // by namespace
  std::unordered_map<std::string, object::LabelSelector> workloads_;                           // "ns/Kind/name"

  VolumeCache volumes_;
  std::map<std::string, std::map<std::string, BudgetInfo>, std::less<>> budgets_;  // by namespace
  std::map<std::string, ImageColumn, std::less<>> images_;
  std::vector<std::vector<const std::string*>> images_of_node_;  // by slot: names in images_

  std::unordered_map<std::string, PodCounter> counters_;  // by query key
  std::unordered_map<std::string, TermGroup> term_groups_;
  uint64_t uses_ = 0;
};

}  // namespace scheduler
