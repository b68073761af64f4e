// Extension points of a scheduling cycle as small interfaces; a plugin implements those it needs. Filters and scores
// see many nodes at a call (columns), so that a cycle costs nanoseconds a node. Invariants: a plugin keeps what
// pre_filter and pre_score compute only for the current cycle; it changes nothing but its own members and, from reserve
// to release, the cache's assumptions; reasons are upstream's texts and outlive the cycle. Thread: the scheduler's
// strand.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "scheduler/cache/cache.h"
#include "scheduler/pod_info.h"

namespace scheduler {

inline constexpr int64_t kMaxScore = 100;

// What happens in the cluster that may let a waiting pod be scheduled; a set of bits.
enum ClusterEvent : uint32_t {
  kNodeAdd = 1 << 0,
  kNodeAllocatable = 1 << 1,
  kNodeLabel = 1 << 2,
  kNodeTaint = 1 << 3,
  kNodeDelete = 1 << 4,
  kPodAdd = 1 << 5,         // of an assigned pod
  kPodLabel = 1 << 6,       // of an assigned pod
  kPodDelete = 1 << 7,      // of an assigned pod
  kPodScaleDown = 1 << 8,   // of an assigned pod
  kPodToleration = 1 << 9,  // of the waiting pod itself, as are its own labels and scale-down
  kClaim = 1 << 10,
  kVolume = 1 << 11,
  kStorageClass = 1 << 12,
  kCsiNode = 1 << 13,
  kCsiDriver = 1 << 14,
  kStorageCapacity = 1 << 15,
  kDetach = 1 << 16,  // a VolumeAttachment went
  kEverything = 0xffffffff,
};
inline constexpr uint32_t kNodeEvents = kNodeAdd | kNodeAllocatable | kNodeLabel | kNodeTaint;

// Could preemption help on the node that was rejected?
enum class Resolvable : uint8_t { kByPreemption, kNo };

struct Rejection {
  uint32_t node;
  uint8_t plugin;  // index in the profile
  Resolvable resolvable;
  std::string_view reason;
};

// Nodes under evaluation. A plugin walks those alive and rejects; a node may be rejected for several reasons by one
// plugin, and is not shown to the plugins after it.
class NodeBatch {
 public:
  NodeBatch(std::span<const uint32_t> nodes, std::vector<Rejection>& rejections)
      : nodes_(nodes), alive_(nodes.size(), 1), rejections_(rejections) {}
  template <typename Body>
  void for_each_alive(Body body) {
    for (size_t i = 0; i < nodes_.size(); ++i) {
      if (alive_[i]) body(i, nodes_[i]);
    }
  }
  void reject(size_t i, std::string_view reason, Resolvable resolvable) {
    alive_[i] = 0;
    rejections_.push_back({nodes_[i], plugin_, resolvable, reason});
  }
  bool alive(size_t i) const { return alive_[i] != 0; }
  size_t size() const { return nodes_.size(); }
  uint32_t node(size_t i) const { return nodes_[i]; }
  void set_plugin(uint8_t index) { plugin_ = index; }

 private:
  std::span<const uint32_t> nodes_;
  std::vector<uint8_t> alive_;
  std::vector<Rejection>& rejections_;
  uint8_t plugin_ = 0;
};

class Plugin {
 public:
  virtual ~Plugin() = default;
  virtual std::string_view name() const = 0;
  // ClusterEvent bits that may undo a rejection by this plugin.
  virtual uint32_t requeue_events() const { return 0; }
};

// Whether the next step of the plugin (Filter, Score) has anything to do in this cycle.
enum class Interest : uint8_t { kSkip, kRun };

struct PreFilterResult {
  Interest interest = Interest::kRun;
  std::string rejection;                       // not empty: no node can do
  std::optional<std::vector<uint32_t>> nodes;  // when set, only these slots are considered
};
class PreFilterPlugin {
 public:
  virtual PreFilterResult pre_filter(const PodInfo& pod) = 0;

 protected:
  ~PreFilterPlugin() = default;
};

// When a node event may help a pod that the plugin rejected: only if the plugin now accepts that node, or because it
// moves what other nodes are compared with.
enum class NodeHint : uint8_t { kThatNodeMustPass, kAlways };
class FilterPlugin {
 public:
  virtual void filter(const PodInfo& pod, NodeBatch& batch) = 0;
  virtual NodeHint node_hint() const { return NodeHint::kThatNodeMustPass; }

 protected:
  ~FilterPlugin() = default;
};

class PreScorePlugin {
 public:
  virtual Interest pre_score(const PodInfo& pod, std::span<const uint32_t> nodes) = 0;

 protected:
  ~PreScorePlugin() = default;
};

class ScorePlugin {
 public:
  // Writes scores[i] in 0..kMaxScore, normalized, for nodes[i].
  virtual void score(const PodInfo& pod, std::span<const uint32_t> nodes, std::span<int64_t> scores) = 0;

 protected:
  ~ScorePlugin() = default;
};

// What must be written and seen before a pod may be bound to the node that was chosen. Of pods with claims alone.
class PreBindPlugin {
 public:
  // Takes what the pod needs there, in memory. kSkip: nothing; no other call follows.
  virtual Interest reserve(const PodInfo& pod, uint32_t node) = 0;
  // The writes that make it true. The answers come to written(), by the place in the list.
  virtual std::vector<client::Call> pre_bind(const PodInfo& pod) = 0;
  virtual void written(const PodInfo& pod, size_t call, int64_t revision) = 0;
  // Once all is written: has the cluster followed? False = not yet; an error ends the attempt.
  virtual base::Result<bool> followed(const PodInfo& pod) = 0;
  // The end of what reserve() began, in success and in failure.
  virtual void release(const PodInfo& pod) = 0;

 protected:
  ~PreBindPlugin() = default;
};

struct Diagnosis {
  size_t nodes = 0;  // in the cluster
  std::string pre_filter_message;
  std::vector<Rejection> rejections;
  uint64_t plugins = 0;      // bits of those that rejected, by index in the profile
  uint64_t restricting = 0;  // those of them that left nodes out of the search
};

// What becomes of an earlier promise when no node is promised now.
enum class EarlierPromise : uint8_t { kWithdraw, kKeep };
struct PostFilterResult {
  std::string message;
  uint32_t nominated = kNoNode;
  EarlierPromise earlier = EarlierPromise::kWithdraw;
  std::vector<PodRef> victims;
};
class Algorithm;
class PostFilterPlugin {
 public:
  // Runs when no node is feasible.
  virtual PostFilterResult post_filter(const PodRef& pod, const Diagnosis& diagnosis, Algorithm& algorithm) = 0;

 protected:
  ~PostFilterPlugin() = default;
};

// 100 × score / greatest; kReversed: 100 less that. Compat: upstream's default normalization.
enum class Normalize : uint8_t { kPlain, kReversed };
void normalize(std::span<int64_t> scores, Normalize how);

// The plugins of one profile by extension point, in running order. `index` is the place in `plugins`.
struct Profile {
  template <typename Point>
  struct Entry {
    Point* point;
    uint8_t index;
    int64_t weight;
  };
  std::vector<std::unique_ptr<Plugin>> plugins;
  std::vector<Entry<PreFilterPlugin>> pre_filters;
  std::vector<Entry<FilterPlugin>> filters;
  std::vector<Entry<PostFilterPlugin>> post_filters;
  std::vector<Entry<PreScorePlugin>> pre_scores;
  std::vector<Entry<ScorePlugin>> scores;
  std::vector<Entry<PreBindPlugin>> pre_binds;

  void add(std::unique_ptr<Plugin> plugin, int64_t weight);
  // The index of the plugin; CHECKs that there is one.
  uint8_t index_of(std::string_view name) const;
};

}  // namespace scheduler
