// What the scheduler keeps of a Pod, a Node, … : the few fields it needs, taken from the stored bytes once. Immutable
// after decoding and shared by queue and cache. Pure; thread: any.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "client/transport.h"
#include "object/selector.h"

namespace scheduler {

using StringPairs = std::vector<std::pair<std::string, std::string>>;

// Units: thousandths of a core, bytes, bytes, whole units.
struct Resources {
  int64_t milli_cpu = 0;
  int64_t memory = 0;
  int64_t ephemeral_storage = 0;
  std::vector<std::pair<std::string, int64_t>> extended;  // sorted by name
};

enum class TaintEffect : uint8_t { kNoSchedule, kPreferNoSchedule, kNoExecute };
struct Taint {
  std::string key;
  std::string value;
  TaintEffect effect;
  bool operator==(const Taint&) const = default;
};
struct Toleration {
  std::string key;
  std::string value;
  std::optional<TaintEffect> effect;  // none = every effect
  enum class Op : uint8_t { kEqual, kExists, kLess, kGreater } op = Op::kEqual;
  bool tolerates(const Taint& taint) const;
};

struct HostPort {
  std::string ip;  // "0.0.0.0" = every address
  std::string protocol;
  int32_t port = 0;
  bool conflicts(const HostPort& other) const;
  bool operator==(const HostPort&) const = default;
};

// One requirement on a node's labels or fields.
struct NodeRequirement {
  enum class Op : uint8_t { kIn, kNotIn, kExists, kDoesNotExist, kGt, kLt, kInvalid };
  std::string key;
  Op op = Op::kIn;
  std::vector<std::string> values;
};
// All must hold; a term without any matches no node.
struct NodeTerm {
  std::vector<NodeRequirement> labels;
  std::vector<NodeRequirement> fields;
};
struct PreferredNodeTerm {
  int32_t weight = 0;
  NodeTerm term;
};

struct PodInfo;
// Labels of a namespace by its name; null when it is unknown.
class NamespaceLabels {
 public:
  virtual const StringPairs* labels_of(std::string_view ns) const = 0;

 protected:
  ~NamespaceLabels() = default;
};

// Which pods are meant: those that satisfy every clause.
struct PodQuery {
  struct Clause {
    std::vector<std::string> namespaces;  // sorted
    std::optional<object::LabelSelector> namespace_selector;
    object::LabelSelector selector;
  };
  enum class Terminating : uint8_t { kCount, kSkip };
  std::vector<Clause> clauses;
  Terminating terminating = Terminating::kCount;
  std::string key;  // equal for equal queries; made by make_key()

  void make_key();
  bool matches(const PodInfo& pod, const NamespaceLabels& namespaces) const;
};

struct AffinityTerm {
  enum class Kind : uint8_t { kRequiredAffinity, kRequiredAntiAffinity, kPreferredAffinity, kPreferredAntiAffinity };
  Kind kind;
  int32_t weight = 0;
  std::string topology_key;
  PodQuery query;
  std::string key;  // equal for equal terms of different pods
};

struct SpreadConstraint {
  enum class When : uint8_t { kDoNotSchedule, kScheduleAnyway };
  enum class Policy : uint8_t { kHonor, kIgnore };
  int32_t max_skew = 1;
  int32_t min_domains = 1;
  When when = When::kDoNotSchedule;
  Policy node_affinity = Policy::kHonor;
  Policy node_taints = Policy::kIgnore;
  std::string topology_key;
  object::LabelSelector selector;
  PodQuery query;
};

enum class PreemptionPolicy : uint8_t { kPreemptLowerPriority, kNever };

// A PersistentVolumeClaim that a pod uses.
struct ClaimUse {
  enum class Kind : uint8_t { kNamed, kEphemeral } kind = Kind::kNamed;
  std::string name;
};

// A disk that the pod names itself, and that the pods of one node cannot all have.
struct InlineDisk {
  enum class Kind : uint8_t { kGce, kAws, kIscsi, kRbd } kind;
  enum class Access : uint8_t { kReadWrite, kReadOnly } access;
  std::string id;
  std::vector<std::string> monitors;  // of kRbd
  bool conflicts(const InlineDisk& other) const;
};

struct PodInfo {
  client::RawObject raw;
  std::string ns;
  std::string name;
  std::string uid;
  StringPairs labels;
  std::string owner_kind;  // of the controlling owner
  std::string owner_name;
  std::string scheduler_name;
  std::string node_name;
  std::string nominated_node_name;
  int64_t priority = 0;
  int64_t generation = 0;
  int64_t start_seconds = 0;
  PreemptionPolicy preemption_policy = PreemptionPolicy::kPreemptLowerPriority;
  bool deleting = false;
  bool terminal = false;  // phase Succeeded or Failed
  bool gated = false;
  bool best_effort = false;  // asks for neither cpu nor memory

  Resources request;
  int64_t scoring_milli_cpu = 0;  // with upstream's assumption for containers that ask for nothing
  int64_t scoring_memory = 0;
  std::vector<HostPort> host_ports;
  std::vector<Toleration> tolerations;
  StringPairs node_selector;
  std::optional<std::vector<NodeTerm>> required_node_terms;  // one of them must match
  std::vector<PreferredNodeTerm> preferred_node_terms;
  std::vector<AffinityTerm> affinity_terms;
  std::vector<SpreadConstraint> spread_constraints;
  std::vector<ClaimUse> claims;  // each once
  std::vector<InlineDisk> disks;

  bool assigned() const { return !node_name.empty(); }
  std::string full_name() const { return ns + "/" + name; }
};
using PodRef = std::shared_ptr<const PodInfo>;

struct NodeInfo {
  std::string name;
  StringPairs labels;
  std::vector<Taint> taints;
  bool unschedulable = false;
  Resources allocatable;
  int64_t allowed_pods = 0;
  std::vector<std::pair<std::string, int64_t>> images;  // names and bytes; not kept by the cache
};

base::Result<PodRef> decode_pod(client::RawObject raw);
// The same pod as if it were bound to the node.
PodRef with_node(const PodRef& pod, std::string node_name);
base::Result<NodeInfo> decode_node(const client::RawObject& raw);
bool matches(const object::LabelSelector& selector, const StringPairs& labels);
bool tolerates(const std::vector<Toleration>& tolerations, const Taint& taint);

}  // namespace scheduler
