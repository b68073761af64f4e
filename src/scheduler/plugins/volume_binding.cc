// Nodes whose storage a pod's claims can have: bound volumes must reach the node, claims that wait for their first
// consumer must find a free volume there or a provisioner for it. What was chosen is written and waited for before the
// pod is bound. Compat: upstream's volume binder.
#include <algorithm>
#include <map>
#include <tuple>

#include "base/check.h"
#include "codec/json_text.h"
#include "scheduler/plugins/node_term_match.h"
#include "scheduler/plugins/plugins.h"
#include "scheduler/records.h"

namespace scheduler {
namespace {

constexpr std::string_view kNodeConflict = "node(s) didn't match PersistentVolume's node affinity";
constexpr std::string_view kBindConflict = "node(s) didn't find available persistent volumes to bind";
constexpr std::string_view kNotEnoughSpace = "node(s) did not have enough free storage";
constexpr std::string_view kVolumeMissing = "node(s) unavailable due to one or more pvc(s) bound to non-existent pv(s)";

std::vector<NodeTermMatch> bind_terms(const std::vector<NodeTerm>& terms, const Cache& cache) {
  std::vector<NodeTermMatch> bound;
  for (const NodeTerm& term : terms) bound.emplace_back(term, cache);
  return bound;
}
bool any_matches(const std::vector<NodeTermMatch>& terms, uint32_t node) {
  return std::ranges::any_of(terms, [&](const NodeTermMatch& term) { return term.matches(node); });
}

// A claim that waits for its consumer, with what the cycle needs to know of it.
struct Waiting {
  const ClaimInfo* claim;
  const FreeVolumes* free;           // null = none
  const VolumeInfo* reserved;        // null = none
  const StorageClassInfo* in_class;  // never null
  std::vector<NodeTermMatch> topologies;
  bool provisions() const { return !in_class->provisioner.empty() && in_class->provisioner != api::kNoProvisioner; }
};

// What a node offers to the waiting claims.
struct Offer {
  std::vector<std::pair<const VolumeInfo*, const ClaimInfo*>> bindings;
  std::vector<const ClaimInfo*> provisions;
};

// What was decided for a pod, until it is bound or the attempt has failed.
struct Reservation {
  struct Binding {
    std::string volume;
    std::string claim;
    int64_t revision = 0;  // of the write
  };
  std::string node;
  std::vector<Binding> bindings;
  std::vector<Binding> provisions;
};

class VolumeBinding final : public Plugin, public PreFilterPlugin, public FilterPlugin, public PreBindPlugin {
 public:
  explicit VolumeBinding(Cache* cache) : cache_(*cache), volumes_(cache->volumes()) {}
  std::string_view name() const override { return "VolumeBinding"; }
  uint32_t requeue_events() const override {
    return kClaim | kVolume | kStorageClass | kCsiDriver | kStorageCapacity | kNodeAdd | kNodeLabel;
  }

  PreFilterResult pre_filter(const PodInfo& pod) override {
    if (pod.claims.empty()) return {Interest::kSkip, {}, {}};
    bound_.clear();
    waiting_.clear();
    missing_ = false;
    bool unbound = false;
    for (const ClaimUse& use : pod.claims) {
      const ClaimInfo* claim = volumes_.claim(pod.ns, use.name);
      if (std::string problem = check(pod, use, claim); !problem.empty())
        return {Interest::kRun, std::move(problem), {}};
      if (claim->facts.bound()) {
        add_bound(*claim);
      } else if (claim->facts.volume_name.empty() && volumes_.waits_for_consumer(*claim)) {
        add_waiting(*claim);
      } else {
        unbound = true;
      }
    }
    if (unbound) return {Interest::kRun, "pod has unbound immediate PersistentVolumeClaims", {}};
    // Compat: small claims choose first.
    std::ranges::sort(waiting_, [](const Waiting& a, const Waiting& b) {
      return std::tie(a.claim->facts.request, a.claim->facts.name) <
             std::tie(b.claim->facts.request, b.claim->facts.name);
    });
    const bool idle = bound_.empty() && waiting_.empty() && !missing_;
    return {idle ? Interest::kSkip : Interest::kRun, {}, {}};
  }

  void filter(const PodInfo&, NodeBatch& batch) override {
    batch.for_each_alive([&](size_t i, uint32_t node) {
      const bool reached = std::ranges::all_of(
          bound_, [&](const std::vector<NodeTermMatch>& terms) { return any_matches(terms, node); });
      Offer offer;
      const std::string_view problem = waiting_.empty() ? std::string_view() : offer_of(node, offer);
      if (!reached) batch.reject(i, kNodeConflict, Resolvable::kNo);
      if (!problem.empty()) batch.reject(i, problem, Resolvable::kNo);
      if (missing_) batch.reject(i, kVolumeMissing, Resolvable::kNo);
    });
  }

  Interest reserve(const PodInfo& pod, uint32_t node) override {
    if (pod.claims.empty() || !pre_filter(pod).rejection.empty() || waiting_.empty()) return Interest::kSkip;
    Offer offer;
    CHECK(offer_of(node, offer).empty());  // the filter has said so in this cycle
    Reservation& taken = reserved_[pod.uid] = {};
    taken.node = cache_.nodes().name[node];
    // What the offer points to changes with the assumptions: names first.
    std::vector<ClaimInfo> claims;
    for (const auto& [volume, claim] : offer.bindings) {
      taken.bindings.push_back({volume->facts.name, claim->facts.name});
      claims.push_back(*claim);
    }
    for (const ClaimInfo* claim : offer.provisions) taken.provisions.push_back({"", claim->facts.name});
    for (size_t i = 0; i < claims.size(); ++i) volumes_.assume_bound(taken.bindings[i].volume, claims[i]);
    for (const auto& provision : taken.provisions)
      volumes_.assume_node(*volumes_.claim(pod.ns, provision.claim), taken.node);
    return Interest::kRun;
  }

  std::vector<client::Call> pre_bind(const PodInfo& pod) override {
    std::vector<client::Call> calls;
    const Reservation& taken = reserved_.at(pod.uid);
    for (const auto& binding : taken.bindings) {
      const VolumeInfo* volume = volumes_.seen_volume(binding.volume);
      const ClaimInfo* claim = volumes_.seen_claim(pod.ns, binding.claim);
      calls.push_back(volume_patch(*volume, *claim));
    }
    for (const auto& provision : taken.provisions)
      calls.push_back(selected_node_patch(*volumes_.seen_claim(pod.ns, provision.claim), taken.node));
    return calls;
  }

  void written(const PodInfo& pod, size_t call, int64_t revision) override {
    Reservation& taken = reserved_.at(pod.uid);
    const size_t bindings = taken.bindings.size();
    (call < bindings ? taken.bindings[call] : taken.provisions[call - bindings]).revision = revision;
  }

  // Compat: upstream's checks, in its order and with its words.
  base::Result<bool> followed(const PodInfo& pod) override {
    const Reservation& taken = reserved_.at(pod.uid);
    bool all = true;
    for (const auto& binding : taken.bindings) {
      TRY_ASSIGN(const bool one, binding_followed(pod, binding, taken.node));
      all = all && one;
    }
    for (const auto& provision : taken.provisions) {
      TRY_ASSIGN(const bool one, provision_followed(pod, provision, taken.node));
      all = all && one;
    }
    return all;
  }

  void release(const PodInfo& pod) override {
    const auto found = reserved_.find(pod.uid);
    if (found == reserved_.end()) return;
    for (const auto& binding : found->second.bindings) volumes_.forget_volume(binding.volume);
    for (const auto& provision : found->second.provisions) volumes_.forget_claim(pod.ns, provision.claim);
    reserved_.erase(found);
  }

 private:
  static std::string check(const PodInfo& pod, const ClaimUse& use, const ClaimInfo* claim) {
    const std::string quoted = codec::go_quoted(use.name);
    const bool ephemeral = use.kind == ClaimUse::Kind::kEphemeral;
    if (!claim) {
      if (ephemeral) return "waiting for ephemeral volume controller to create the persistentvolumeclaim " + quoted;
      return "persistentvolumeclaim " + quoted + " not found";
    }
    if (claim->facts.lost) {
      return "persistentvolumeclaim " + quoted + " bound to non-existent persistentvolume " +
             codec::go_quoted(claim->facts.volume_name);
    }
    if (claim->facts.deleting) return "persistentvolumeclaim " + quoted + " is being deleted";
    if (ephemeral && claim->owner_uid != pod.uid) {
      return "PVC " + claim->key() + " was not created for pod " + pod.full_name() + " (pod is not owner)";
    }
    return "";
  }

  void add_bound(const ClaimInfo& claim) {
    const VolumeInfo* volume = volumes_.volume(claim.facts.volume_name);
    if (!volume) {
      missing_ = true;
    } else if (volume->affinity) {
      bound_.push_back(bind_terms(*volume->affinity, cache_));
    }
  }

  void add_waiting(const ClaimInfo& claim) {
    const StorageClassInfo* in_class = volumes_.storage_class(claim.facts.storage_class);
    waiting_.push_back({&claim, volumes_.free_of(claim.facts.storage_class), volumes_.reserved_for(claim), in_class,
                        bind_terms(in_class->allowed_topologies, cache_)});
  }

  // Why the node cannot serve all waiting claims; "" = it can, as `offer` says.
  std::string_view offer_of(uint32_t node, Offer& offer) const {
    const std::string& name = cache_.nodes().name[node];
    std::vector<const Waiting*> to_provision;
    for (const Waiting& one : waiting_) {
      const std::string& selected = one.claim->facts.selected_node;
      if (!selected.empty() && selected != name) return kBindConflict;
    }
    for (const Waiting& one : waiting_) {
      if (!one.claim->facts.selected_node.empty()) {
        to_provision.push_back(&one);
      } else if (const VolumeInfo* volume = find_volume(one, node, offer)) {
        offer.bindings.emplace_back(volume, one.claim);
      } else {
        to_provision.push_back(&one);
      }
    }
    for (const Waiting* one : to_provision) {
      if (!one->provisions()) return kBindConflict;
      if (!one->in_class->allowed_topologies.empty() && !any_matches(one->topologies, node)) return kBindConflict;
      if (!volumes_.has_room(*one->claim, *one->in_class, cache_.labels_of_node(node))) return kNotEnoughSpace;
      offer.provisions.push_back(one->claim);
    }
    return {};
  }

  bool reaches(const VolumeInfo& volume, uint32_t node) const {
    if (!volume.affinity) return true;
    return std::ranges::any_of(*volume.affinity,
                               [&](const NodeTerm& term) { return NodeTermMatch(term, cache_).matches(node); });
  }

  // The smallest volume that the node reaches and that nobody has taken.
  const VolumeInfo* find_volume(const Waiting& one, uint32_t node, const Offer& offer) const {
    if (one.reserved) return reaches(*one.reserved, node) ? one.reserved : nullptr;
    if (!one.free) return nullptr;
    const VolumeInfo* best = nullptr;
    const auto consider = [&](const FreeVolumes::Sorted& list, const auto& accepts) {
      for (const auto& [place, volume] : list) {
        if (best && FreeVolumes::Place{best->facts.capacity, best->facts.name} <= place) return;
        const auto taken = [&](const auto& binding) { return binding.first == volume.get(); };
        if (!api::is_free_for(volume->facts, one.claim->facts) || std::ranges::any_of(offer.bindings, taken)) continue;
        if (!accepts(*volume)) continue;
        best = volume.get();
        return;
      }
    };
    const auto always = [](const VolumeInfo&) { return true; };
    consider(one.free->anywhere, always);
    for (const auto& [label, values] : one.free->by_label) {
      const LabelColumn* column = cache_.label(label);
      const uint32_t value = column ? column->at(node) : 0;
      if (value == 0) continue;
      if (const auto list = values.find(column->text(value)); list != values.end()) consider(list->second, always);
    }
    consider(one.free->complex, [&](const VolumeInfo& volume) { return reaches(volume, node); });
    return best;
  }

  base::Result<void> check_affinity(const VolumeInfo& volume, const std::string& node) const {
    const uint32_t slot = cache_.slot_of(node);
    if (slot == kNoNode || !cache_.nodes().present[slot])
      return base::fail(base::Reason::kNotFound, "failed to get node " + codec::go_quoted(node) + ": node not found");
    if (reaches(volume, slot)) return {};
    return base::fail(base::Reason::kConflict, "pv " + codec::go_quoted(volume.facts.name) +
                                                   " node affinity doesn't match node " + codec::go_quoted(node) +
                                                   ": no matching NodeSelectorTerms");
  }

  base::Result<bool> binding_followed(const PodInfo& pod, const Reservation::Binding& binding,
                                      const std::string& node) const {
    const VolumeInfo* volume = volumes_.seen_volume(binding.volume);
    const ClaimInfo* claim = volumes_.seen_claim(pod.ns, binding.claim);
    if (!volume || !claim) {
      return base::fail(base::Reason::kNotFound, "failed to check binding: could not find " +
                                                     (volume ? "claim " + binding.claim : "volume " + binding.volume));
    }
    if (volume->facts.revision < binding.revision) return false;
    TRY(check_affinity(*volume, node));
    if (!volume->facts.claim || volume->facts.claim->uid.empty())
      return base::fail(base::Reason::kConflict, "ClaimRef got reset for pv " + codec::go_quoted(binding.volume));
    return claim->facts.bound();
  }

  base::Result<bool> provision_followed(const PodInfo& pod, const Reservation::Binding& provision,
                                        const std::string& node) const {
    const ClaimInfo* claim = volumes_.seen_claim(pod.ns, provision.claim);
    if (!claim)
      return base::fail(base::Reason::kNotFound,
                        "failed to check provisioning pvc: could not find " + pod.ns + "/" + provision.claim);
    if (claim->facts.revision < provision.revision) return false;
    const std::string quoted = codec::go_quoted(provision.claim);
    if (claim->facts.selected_node.empty())
      return base::fail(base::Reason::kConflict, "selectedNode annotation reset for PVC " + quoted);
    if (claim->facts.selected_node != node)
      return base::fail(base::Reason::kConflict, "provisioning failed for PVC " + quoted);
    if (!claim->facts.volume_name.empty()) {
      const VolumeInfo* volume = volumes_.seen_volume(claim->facts.volume_name);
      if (!volume) return false;
      TRY(check_affinity(*volume, node));
    }
    return claim->facts.bound();
  }

  Cache& cache_;
  VolumeCache& volumes_;
  // Of the cycle.
  std::vector<std::vector<NodeTermMatch>> bound_;  // affinities of bound volumes
  std::vector<Waiting> waiting_;
  bool missing_ = false;  // a bound volume is not there

  std::map<std::string, Reservation> reserved_;  // by the pod's uid
};

}  // namespace

PluginRef volume_binding(Cache* cache) { return std::make_unique<VolumeBinding>(cache); }

}  // namespace scheduler
