#include "scheduler/cache/cache.h"

#include <algorithm>

#include "base/check.h"
#include "scheduler/limits.h"

namespace scheduler {
namespace {

constexpr std::string_view kRegionLabel = "topology.kubernetes.io/region";
constexpr std::string_view kZoneLabel = "topology.kubernetes.io/zone";

std::string zone_of(const NodeInfo& node) {
  std::string_view region, zone;
  for (const auto& [key, value] : node.labels) {
    if (key == kRegionLabel) region = value;
    if (key == kZoneLabel) zone = value;
  }
  return std::string(region).append(1, '\0').append(zone);
}

bool same(const Resources& a, const Resources& b) {
  return a.milli_cpu == b.milli_cpu && a.memory == b.memory && a.ephemeral_storage == b.ephemeral_storage &&
         a.extended == b.extended;
}

uint8_t difference(const NodeInfo& before, const NodeInfo& after) {
  uint8_t bits = 0;
  if (!same(before.allocatable, after.allocatable) || before.allowed_pods != after.allowed_pods) {
    bits |= static_cast<uint8_t>(NodeChange::kAllocatable);
  }
  if (before.labels != after.labels) bits |= static_cast<uint8_t>(NodeChange::kLabels);
  // Compat: cordoning counts as a change of taints.
  if (before.taints != after.taints || before.unschedulable != after.unschedulable) {
    bits |= static_cast<uint8_t>(NodeChange::kTaints);
  }
  return bits;
}

}  // namespace

uint32_t Cache::slot_of(std::string_view node_name) const {
  auto found = slots_.find(std::string(node_name));
  return found == slots_.end() ? kNoNode : found->second;
}

const LabelColumn* Cache::label(std::string_view key) const {
  auto found = labels_.find(key);
  return found == labels_.end() ? nullptr : found->second.get();
}

uint32_t Cache::make_slot(std::string_view name) {
  if (uint32_t slot = slot_of(name); slot != kNoNode) return slot;
  uint32_t slot;
  if (!free_slots_.empty()) {
    slot = free_slots_.back();
    free_slots_.pop_back();
  } else {
    slot = static_cast<uint32_t>(nodes_.size());
    size_t size = slot + 1;
    nodes_.name.resize(size);
    nodes_.present.resize(size);
    nodes_.unschedulable.resize(size);
    nodes_.taints.resize(size);
    for (ResourceColumn* column : {&nodes_.milli_cpu, &nodes_.memory, &nodes_.ephemeral_storage}) {
      column->allocatable.resize(size);
      column->requested.resize(size);
    }
    for (auto& [key, column] : nodes_.extended) {
      column.allocatable.resize(size);
      column.requested.resize(size);
    }
    for (auto* column : {&nodes_.allowed_pods, &nodes_.pod_count, &nodes_.scoring_milli_cpu, &nodes_.scoring_memory}) {
      column->resize(size);
    }
    nodes_.host_ports.resize(size);
    nodes_.pods.resize(size);
    infos_.resize(size);
    for (auto& [key, column] : labels_) column->values.resize(size);
    for (auto& [key, counter] : counters_) counter.per_node.resize(size);
    for (auto& [key, group] : term_groups_) group.per_node.resize(size);
  }
  nodes_.name[slot] = name;
  slots_.emplace(name, slot);
  return slot;
}

void Cache::release_slot(uint32_t slot) {
  if (nodes_.present[slot] || !nodes_.pods[slot].empty()) return;
  slots_.erase(nodes_.name[slot]);
  nodes_.name[slot].clear();
  free_slots_.push_back(slot);
}

void Cache::set_labels(uint32_t slot, const StringPairs& labels) {
  for (const auto& [key, value] : infos_[slot].labels) labels_.find(key)->second->values[slot] = 0;
  for (const auto& [key, value] : labels) {
    std::unique_ptr<LabelColumn>& column = labels_[key];
    if (!column) {
      column = std::make_unique<LabelColumn>();
      column->values.resize(nodes_.size());
    }
    column->values[slot] = column->intern(value);
  }
}

void Cache::set_images(uint32_t slot, const std::vector<std::pair<std::string, int64_t>>& images) {
  if (slot >= images_of_node_.size()) {
    if (images.empty()) return;
    images_of_node_.resize(slot + 1);
  }
  std::vector<const std::string*>& held = images_of_node_[slot];
  const auto same = [](const std::string* name, const auto& image) { return *name == image.first; };
  if (std::ranges::equal(held, images, same)) return;
  for (const std::string* name : held) {
    const auto at = images_.find(*name);
    at->second.present[slot] = 0;
    if (--at->second.nodes == 0) images_.erase(at);
  }
  held.clear();
  for (const auto& [name, bytes] : images) {
    const auto at = images_.try_emplace(name).first;
    ImageColumn& image = at->second;
    image.bytes = bytes;
    if (image.on(slot)) continue;  // named twice
    held.push_back(&at->first);
    if (slot >= image.present.size()) image.present.resize(slot + 1);
    image.present[slot] = 1;
    ++image.nodes;
  }
}

uint8_t Cache::set_node(const NodeInfo& node) {
  uint32_t slot = make_slot(node.name);
  bool fresh = !nodes_.present[slot];
  set_images(slot, node.images);
  uint8_t bits = fresh ? static_cast<uint8_t>(NodeChange::kAdded) : difference(infos_[slot], node);
  if (bits == 0) return 0;
  if (fresh || zone_of(infos_[slot]) != zone_of(node)) order_stale_ = true;
  set_labels(slot, node.labels);
  for (const auto& [name, amount] : node.allocatable.extended) {
    ResourceColumn& column = nodes_.extended[name];
    column.allocatable.resize(nodes_.size());
    column.requested.resize(nodes_.size());
  }
  for (auto& [name, column] : nodes_.extended) column.allocatable[slot] = 0;
  for (const auto& [name, amount] : node.allocatable.extended) nodes_.extended[name].allocatable[slot] = amount;
  nodes_.present[slot] = 1;
  nodes_.unschedulable[slot] = node.unschedulable ? 1 : 0;
  nodes_.taints[slot] = node.taints;
  nodes_.milli_cpu.allocatable[slot] = node.allocatable.milli_cpu;
  nodes_.memory.allocatable[slot] = node.allocatable.memory;
  nodes_.ephemeral_storage.allocatable[slot] = node.allocatable.ephemeral_storage;
  nodes_.allowed_pods[slot] = node.allowed_pods;
  infos_[slot] = node;
  infos_[slot].images = {};
  ++node_generation_;
  return bits;
}

void Cache::remove_node(std::string_view name) {
  uint32_t slot = slot_of(name);
  if (slot == kNoNode || !nodes_.present[slot]) return;
  set_labels(slot, {});
  set_images(slot, {});
  infos_[slot] = {};
  nodes_.present[slot] = 0;
  order_stale_ = true;
  ++node_generation_;
  release_slot(slot);
}

std::span<const uint32_t> Cache::order() const {
  if (order_stale_) rebuild_order();
  return order_;
}

// Compat: nodes in the order in which they came within a zone; zones take turns.
void Cache::rebuild_order() const {
  std::map<std::string, std::vector<uint32_t>> zones;
  for (uint32_t slot = 0; slot < nodes_.size(); ++slot) {
    if (nodes_.present[slot]) zones[zone_of(infos_[slot])].push_back(slot);
  }
  order_.clear();
  for (size_t round = 0, left = zones.size(); left > 0; ++round) {
    left = 0;
    for (const auto& [zone, slots] : zones) {
      if (round < slots.size()) order_.push_back(slots[round]);
      if (round + 1 < slots.size()) ++left;
    }
  }
  order_stale_ = false;
}

// ---- pods ----

void Cache::account(const PodInfo& pod, uint32_t slot, Direction direction) {
  int64_t sign = static_cast<int64_t>(direction);
  nodes_.milli_cpu.requested[slot] += sign * pod.request.milli_cpu;
  nodes_.memory.requested[slot] += sign * pod.request.memory;
  nodes_.ephemeral_storage.requested[slot] += sign * pod.request.ephemeral_storage;
  nodes_.scoring_milli_cpu[slot] += sign * pod.scoring_milli_cpu;
  nodes_.scoring_memory[slot] += sign * pod.scoring_memory;
  nodes_.pod_count[slot] += sign;
  for (const auto& [name, amount] : pod.request.extended) {
    ResourceColumn& column = nodes_.extended[name];
    column.allocatable.resize(nodes_.size());
    column.requested.resize(nodes_.size());
    column.requested[slot] += sign * amount;
  }
}

void Cache::count(const PodInfo& pod, uint32_t slot, Direction direction) {
  int32_t sign = static_cast<int32_t>(direction);
  for (auto& [key, counter] : counters_) {
    if (!counter.query.matches(pod, *this)) continue;
    counter.per_node[slot] += sign;
    counter.total += sign;
  }
  for (const AffinityTerm& term : pod.affinity_terms) {
    auto [at, fresh] = term_groups_.try_emplace(term.key);
    TermGroup& group = at->second;
    if (fresh) {
      group.term = term;
      group.per_node.resize(nodes_.size());
    }
    group.per_node[slot] += sign;
    group.total += sign;
    if (group.total == 0) term_groups_.erase(at);
  }
}

void Cache::place(const PodRef& pod, uint32_t slot) {
  nodes_.pods[slot].push_back(pod);
  for (const HostPort& port : pod->host_ports) nodes_.host_ports[slot].push_back(port);
  for (const ClaimUse& use : pod->claims) volumes_.count_use(pod->ns + "/" + use.name, 1);
  account(*pod, slot, Direction::kAdd);
  count(*pod, slot, Direction::kAdd);
}

void Cache::displace(const PodRef& pod, uint32_t slot) {
  std::vector<PodRef>& pods = nodes_.pods[slot];
  auto at = std::ranges::find(pods, pod);
  CHECK(at != pods.end());
  pods.erase(at);
  for (const HostPort& port : pod->host_ports) {
    auto found = std::ranges::find(nodes_.host_ports[slot], port);
    if (found != nodes_.host_ports[slot].end()) nodes_.host_ports[slot].erase(found);
  }
  for (const ClaimUse& use : pod->claims) volumes_.count_use(pod->ns + "/" + use.name, -1);
  account(*pod, slot, Direction::kRemove);
  count(*pod, slot, Direction::kRemove);
  release_slot(slot);
}

void Cache::insert(const PodRef& pod, CachedPod::State state) {
  remove_pod(pod->uid);
  uint32_t slot = make_slot(pod->node_name);
  place(pod, slot);
  pods_[pod->uid] = {pod, slot, state, {}};
}

void Cache::set_pod(const PodRef& pod) {
  auto found = pods_.find(pod->uid);
  bool confirmed = found != pods_.end() && found->second.pod->node_name == pod->node_name &&
                   found->second.pod->labels == pod->labels && found->second.pod->deleting == pod->deleting &&
                   same(found->second.pod->request, pod->request);
  if (!confirmed) return insert(pod, CachedPod::State::kConfirmed);
  // The usual case, a pod that we placed and that has not changed: nothing that is counted moves.
  CachedPod& cached = found->second;
  *std::ranges::find(nodes_.pods[cached.slot], cached.pod) = pod;
  cached.pod = pod;
  cached.state = CachedPod::State::kConfirmed;
}

void Cache::assume(const PodRef& pod_with_node) { insert(pod_with_node, CachedPod::State::kAssumed); }

void Cache::bound(std::string_view uid, base::MonoTime deadline) {
  auto found = pods_.find(std::string(uid));
  if (found == pods_.end() || found->second.state != CachedPod::State::kAssumed) return;
  found->second.state = CachedPod::State::kBound;
  found->second.deadline = deadline;
}

PodRef Cache::remove_pod(std::string_view uid) {
  auto found = pods_.find(std::string(uid));
  if (found == pods_.end()) return nullptr;
  CachedPod cached = std::move(found->second);
  pods_.erase(found);
  displace(cached.pod, cached.slot);
  return cached.pod;
}

std::vector<PodRef> Cache::expire(base::MonoTime now) {
  std::vector<PodRef> expired;
  for (const auto& [uid, cached] : pods_) {
    if (cached.state == CachedPod::State::kBound && cached.deadline <= now) expired.push_back(cached.pod);
  }
  for (const PodRef& pod : expired) remove_pod(pod->uid);
  return expired;
}

const PodRef* Cache::find_pod(std::string_view uid) const {
  auto found = pods_.find(std::string(uid));
  return found == pods_.end() ? nullptr : &found->second.pod;
}

bool Cache::assumed(std::string_view uid) const {
  auto found = pods_.find(std::string(uid));
  return found != pods_.end() && found->second.state != CachedPod::State::kConfirmed;
}

// ---- namespaces, workloads ----

void Cache::set_namespace(std::string name, StringPairs labels) {
  StringPairs& known = namespaces_[std::move(name)];
  if (known == labels) return;
  known = std::move(labels);
  std::erase_if(counters_, [](const auto& entry) {
    return std::ranges::any_of(entry.second.query.clauses,
                               [](const PodQuery::Clause& clause) { return clause.namespace_selector.has_value(); });
  });
}

void Cache::remove_namespace(const std::string& name) {
  namespaces_.erase(name);
  services_.erase(name);
}

const StringPairs* Cache::labels_of(std::string_view ns) const {
  auto found = namespaces_.find(ns);
  return found == namespaces_.end() ? nullptr : &found->second;
}

void Cache::set_service(std::string_view ns, std::string_view name, std::optional<object::LabelSelector> selector) {
  auto& services = services_[std::string(ns)];
  if (selector && !selector->empty()) {
    services[std::string(name)] = *std::move(selector);
  } else {
    services.erase(std::string(name));
  }
}

void Cache::set_workload(std::string_view ns, std::string_view kind, std::string_view name,
                         std::optional<object::LabelSelector> selector) {
  std::string key = std::string(ns).append("/").append(kind).append("/").append(name);
  if (selector) {
    workloads_[std::move(key)] = *std::move(selector);
  } else {
    workloads_.erase(key);
  }
}

object::LabelSelector Cache::default_selector(const PodInfo& pod) const {
  std::vector<object::Requirement> requirements;
  auto add = [&](const object::LabelSelector& selector) {
    for (const object::Requirement& requirement : selector.requirements()) {
      if (std::ranges::find(requirements, requirement) == requirements.end()) requirements.push_back(requirement);
    }
  };
  if (auto services = services_.find(pod.ns); services != services_.end()) {
    for (const auto& [name, selector] : services->second) {
      if (matches(selector, pod.labels)) add(selector);
    }
  }
  if (!pod.owner_kind.empty()) {
    auto workload = workloads_.find(pod.ns + "/" + pod.owner_kind + "/" + pod.owner_name);
    if (workload != workloads_.end()) add(workload->second);
  }
  if (requirements.empty()) return {};
  auto selector = object::LabelSelector::from_requirements(std::move(requirements));
  return selector ? *std::move(selector) : object::LabelSelector();
}

// ---- disruption budgets ----

void Cache::set_budget(const std::string& ns, const std::string& name, std::optional<BudgetInfo> budget) {
  auto& of = budgets_[ns];
  if (budget) {
    of[name] = *std::move(budget);
  } else {
    of.erase(name);
  }
  if (of.empty()) budgets_.erase(ns);
}

const std::map<std::string, BudgetInfo>* Cache::budgets(std::string_view ns) const {
  const auto found = budgets_.find(ns);
  return found == budgets_.end() ? nullptr : &found->second;
}

// ---- counts ----

const PodCounter& Cache::counter(const PodQuery& query) {
  auto found = counters_.find(query.key);
  if (found == counters_.end()) {
    if (counters_.size() >= kMaxPodCounters) drop_old_counters();
    found = counters_.try_emplace(query.key).first;
    PodCounter& counter = found->second;
    counter.query = query;
    counter.per_node.resize(nodes_.size());
    for (const auto& [uid, cached] : pods_) {
      if (!query.matches(*cached.pod, *this)) continue;
      ++counter.per_node[cached.slot];
      ++counter.total;
    }
  }
  found->second.last_used = ++uses_;
  return found->second;
}

// The less recently used half goes, so that a full table is not searched for every new query. Counters that the current
// cycle holds are among the newest.
void Cache::drop_old_counters() {
  uint64_t limit = uses_ > kMaxPodCounters / 2 ? uses_ - kMaxPodCounters / 2 : 0;
  std::erase_if(counters_, [&](const auto& entry) { return entry.second.last_used <= limit; });
}

}  // namespace scheduler
