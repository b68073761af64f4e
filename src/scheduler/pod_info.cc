#include "scheduler/pod_info.h"

#include <algorithm>
#include <charconv>

#include "gen/catalogue.h"
#include "gen/core/v1.h"
#include "object/quantity.h"
#include "scheduler/decode_affinity.h"
#include "schema/metadata_view.h"
#include "schema/proto_struct.h"

namespace scheduler {
namespace {
namespace v1 = api::core::v1;
using object::QuantityValue;
using QuantityMap = std::map<std::string, object::Quantity>;

// Compat: what a container without a request counts for in the scores.
constexpr int64_t kDefaultMilliCpu = 100;
constexpr int64_t kDefaultMemory = 200 * 1024 * 1024;

// Field numbers of Pod, Node and their parts.
constexpr uint32_t kSpec = 2, kStatus = 3, kPhase = 1, kNominatedNodeName = 11;

void add_extended(Resources& to, const std::string& name, int64_t amount) {
  auto at = std::lower_bound(to.extended.begin(), to.extended.end(), name,
                             [](const auto& pair, const std::string& key) { return pair.first < key; });
  if (at == to.extended.end() || at->first != name) at = to.extended.insert(at, {name, 0});
  at->second += amount;
}

Resources to_resources(const QuantityMap& map) {
  Resources result;
  for (const auto& [name, quantity] : map) {
    QuantityValue value = QuantityValue::of(quantity);
    if (name == "cpu") {
      result.milli_cpu = value.milli_value();
    } else if (name == "memory") {
      result.memory = value.value();
    } else if (name == "ephemeral-storage") {
      result.ephemeral_storage = value.value();
    } else if (name != "pods") {
      add_extended(result, name, value.value());
    }
  }
  return result;
}

void add(Resources& to, const Resources& more) {
  to.milli_cpu += more.milli_cpu;
  to.memory += more.memory;
  to.ephemeral_storage += more.ephemeral_storage;
  for (const auto& [name, amount] : more.extended) add_extended(to, name, amount);
}

void raise(Resources& to, const Resources& least) {
  to.milli_cpu = std::max(to.milli_cpu, least.milli_cpu);
  to.memory = std::max(to.memory, least.memory);
  to.ephemeral_storage = std::max(to.ephemeral_storage, least.ephemeral_storage);
  for (const auto& [name, amount] : least.extended) {
    int64_t have = 0;
    for (const auto& [other, value] : to.extended) have = other == name ? value : have;
    if (amount > have) add_extended(to, name, amount - have);
  }
}

enum class Missing : uint8_t { kZero, kAssumed };

// Compat: the sum of containers and of restartable init containers, or the largest moment of initialization, whichever
// is more; pod-level requests replace cpu and memory; then overhead.
Resources pod_request(const v1::PodSpec& spec, Missing missing) {
  auto of_container = [&](const v1::Container& container) {
    Resources result = to_resources(container.resources.requests);
    if (missing == Missing::kAssumed) {
      if (!container.resources.requests.contains("cpu")) result.milli_cpu = kDefaultMilliCpu;
      if (!container.resources.requests.contains("memory")) result.memory = kDefaultMemory;
    }
    return result;
  };
  Resources total;
  for (const v1::Container& container : spec.containers) add(total, of_container(container));
  Resources sidecars;
  Resources peak;
  for (const v1::Container& container : spec.init_containers) {
    Resources request = of_container(container);
    if (container.restart_policy == "Always") {
      add(total, request);
      add(sidecars, request);
      raise(peak, sidecars);
    } else {
      add(request, sidecars);
      raise(peak, request);
    }
  }
  raise(total, peak);
  if (spec.resources) {
    const QuantityMap& requests = spec.resources->requests;
    Resources pod_level = to_resources(requests);
    if (requests.contains("cpu")) total.milli_cpu = pod_level.milli_cpu;
    if (requests.contains("memory")) total.memory = pod_level.memory;
  }
  add(total, to_resources(spec.overhead));
  return total;
}

std::optional<TaintEffect> to_effect(const std::string& text) {
  if (text == "NoSchedule") return TaintEffect::kNoSchedule;
  if (text == "PreferNoSchedule") return TaintEffect::kPreferNoSchedule;
  if (text == "NoExecute") return TaintEffect::kNoExecute;
  return std::nullopt;
}

Toleration to_toleration(const v1::Toleration& from) {
  Toleration result{from.key, from.value, to_effect(from.effect)};
  if (from.operator_ == "Exists") result.op = Toleration::Op::kExists;
  if (from.operator_ == "Lt") result.op = Toleration::Op::kLess;
  if (from.operator_ == "Gt") result.op = Toleration::Op::kGreater;
  return result;
}

void read_ports(const std::vector<v1::Container>& containers, std::vector<HostPort>& ports) {
  for (const v1::Container& container : containers) {
    for (const v1::ContainerPort& port : container.ports) {
      if (port.host_port <= 0) continue;
      ports.push_back({port.host_ip.empty() ? "0.0.0.0" : port.host_ip, port.protocol.empty() ? "TCP" : port.protocol,
                       port.host_port});
    }
  }
}

void read_disk(const v1::VolumeSource& source, PodInfo& pod) {
  using Kind = InlineDisk::Kind;
  const auto access = [](bool read_only) {
    return read_only ? InlineDisk::Access::kReadOnly : InlineDisk::Access::kReadWrite;
  };
  if (const auto& gce = source.gce_persistent_disk)
    pod.disks.push_back({Kind::kGce, access(gce->read_only), gce->pd_name, {}});
  if (const auto& aws = source.aws_elastic_block_store)
    pod.disks.push_back({Kind::kAws, InlineDisk::Access::kReadWrite, aws->volume_id, {}});
  if (const auto& iscsi = source.iscsi) pod.disks.push_back({Kind::kIscsi, access(iscsi->read_only), iscsi->iqn, {}});
  if (const auto& rbd = source.rbd)
    pod.disks.push_back({Kind::kRbd, access(rbd->read_only), rbd->pool + "/" + rbd->image, rbd->monitors});
}

void read_volumes(const v1::PodSpec& spec, PodInfo& pod) {
  for (const v1::Volume& volume : spec.volumes) {
    const v1::VolumeSource& source = volume.volume_source;
    ClaimUse use;
    if (source.persistent_volume_claim) {
      use = {ClaimUse::Kind::kNamed, source.persistent_volume_claim->claim_name};
    } else if (source.ephemeral) {
      use = {ClaimUse::Kind::kEphemeral, pod.name + "-" + volume.name};
    } else {
      read_disk(source, pod);
      continue;
    }
    if (std::ranges::find(pod.claims, use.name, &ClaimUse::name) == pod.claims.end())
      pod.claims.push_back(std::move(use));
  }
}

void read_spec(const v1::PodSpec& spec, PodInfo& pod) {
  pod.scheduler_name = spec.scheduler_name;
  pod.node_name = spec.node_name;
  pod.priority = spec.priority.value_or(0);
  if (spec.preemption_policy == "Never") pod.preemption_policy = PreemptionPolicy::kNever;
  pod.gated = !spec.scheduling_gates.empty();
  pod.request = pod_request(spec, Missing::kZero);
  Resources scoring = pod_request(spec, Missing::kAssumed);
  pod.scoring_milli_cpu = scoring.milli_cpu;
  pod.scoring_memory = scoring.memory;
  pod.best_effort = pod.request.milli_cpu == 0 && pod.request.memory == 0;
  read_ports(spec.containers, pod.host_ports);
  for (const v1::Container& container : spec.init_containers) {
    if (container.restart_policy == "Always") read_ports({container}, pod.host_ports);
  }
  for (const v1::Toleration& toleration : spec.tolerations) pod.tolerations.push_back(to_toleration(toleration));
  pod.node_selector.assign(spec.node_selector.begin(), spec.node_selector.end());
  read_volumes(spec, pod);
  read_affinity(spec, pod);
}

bool compare_numbers(const Toleration& toleration, const Taint& taint) {
  int64_t wanted = 0, have = 0;
  auto parse = [](const std::string& text, int64_t& out) {
    auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out);
    return error == std::errc() && end == text.data() + text.size();
  };
  if (!parse(toleration.value, wanted) || !parse(taint.value, have)) return false;
  return toleration.op == Toleration::Op::kLess ? have < wanted : have > wanted;
}

}  // namespace

bool Toleration::tolerates(const Taint& taint) const {
  if (effect && *effect != taint.effect) return false;
  if (!key.empty() && key != taint.key) return false;
  if (op == Op::kExists) return true;
  if (op == Op::kEqual) return value == taint.value;
  return compare_numbers(*this, taint);
}

bool HostPort::conflicts(const HostPort& other) const {
  if (port != other.port || protocol != other.protocol) return false;
  return ip == other.ip || ip == "0.0.0.0" || other.ip == "0.0.0.0";
}

bool InlineDisk::conflicts(const InlineDisk& other) const {
  if (kind != other.kind || id != other.id) return false;
  if (access == Access::kReadOnly && other.access == Access::kReadOnly) return false;
  if (kind != Kind::kRbd) return true;
  return std::ranges::any_of(monitors, [&](const std::string& monitor) {
    return std::ranges::find(other.monitors, monitor) != other.monitors.end();
  });
}

bool matches(const object::LabelSelector& selector, const StringPairs& labels) {
  return selector.matches(object::MapLabels<StringPairs>(labels));
}

bool tolerates(const std::vector<Toleration>& tolerations, const Taint& taint) {
  return std::ranges::any_of(tolerations, [&](const Toleration& toleration) { return toleration.tolerates(taint); });
}

void PodQuery::make_key() {
  key.clear();
  for (const Clause& clause : clauses) {
    for (const std::string& ns : clause.namespaces) key.append(ns).append(",");
    key += '|';
    if (clause.namespace_selector) key.append("*").append(clause.namespace_selector->to_string());
    key += '|';
    key += clause.selector.matches_nothing() ? "!" : clause.selector.to_string();
    key += ';';
  }
  if (terminating == Terminating::kSkip) key += 'T';
}

bool PodQuery::matches(const PodInfo& pod, const NamespaceLabels& namespaces) const {
  if (terminating == Terminating::kSkip && pod.deleting) return false;
  for (const Clause& clause : clauses) {
    bool in_namespace = std::ranges::binary_search(clause.namespaces, pod.ns);
    if (!in_namespace && clause.namespace_selector) {
      const StringPairs* labels = namespaces.labels_of(pod.ns);
      in_namespace = scheduler::matches(*clause.namespace_selector, labels ? *labels : StringPairs());
    }
    if (!in_namespace || !scheduler::matches(clause.selector, pod.labels)) return false;
  }
  return true;
}

base::Result<PodRef> decode_pod(client::RawObject raw) {
  auto pod = std::make_shared<PodInfo>();
  TRY_ASSIGN(schema::MetadataView metadata, schema::view_metadata(raw.payload()));
  pod->ns = metadata.namespace_;
  pod->name = metadata.name;
  pod->uid = metadata.uid;
  pod->generation = metadata.generation;
  pod->start_seconds = metadata.creation_seconds.value_or(0);
  pod->deleting = metadata.deletion_seconds.has_value();
  for (auto [key, value] : metadata.labels) pod->labels.emplace_back(key, value);
  for (const schema::OwnerView& owner : metadata.owner_references) {
    if (!owner.controller) continue;
    pod->owner_kind = owner.kind;
    pod->owner_name = owner.name;
  }
  v1::PodSpec spec;
  if (auto bytes = schema::find_bytes(raw.payload(), {kSpec})) {
    TRY(schema::decode_struct(gen::message_of<v1::PodSpec>(), *bytes, &spec));
  }
  std::string_view phase = schema::find_bytes(raw.payload(), {kStatus, kPhase}).value_or("");
  pod->terminal = phase == "Succeeded" || phase == "Failed";
  pod->nominated_node_name = schema::find_bytes(raw.payload(), {kStatus, kNominatedNodeName}).value_or("");
  read_spec(spec, *pod);
  pod->raw = std::move(raw);
  return PodRef(std::move(pod));
}

PodRef with_node(const PodRef& pod, std::string node_name) {
  auto copy = std::make_shared<PodInfo>(*pod);
  copy->node_name = std::move(node_name);
  return copy;
}

base::Result<NodeInfo> decode_node(const client::RawObject& raw) {
  NodeInfo node;
  TRY_ASSIGN(schema::MetadataView metadata, schema::view_metadata(raw.payload()));
  node.name = metadata.name;
  for (auto [key, value] : metadata.labels) node.labels.emplace_back(key, value);
  v1::NodeSpec spec;
  if (auto bytes = schema::find_bytes(raw.payload(), {kSpec})) {
    TRY(schema::decode_struct(gen::message_of<v1::NodeSpec>(), *bytes, &spec));
  }
  v1::NodeStatus status;
  if (auto bytes = schema::find_bytes(raw.payload(), {kStatus})) {
    TRY(schema::decode_struct(gen::message_of<v1::NodeStatus>(), *bytes, &status));
  }
  node.unschedulable = spec.unschedulable;
  for (const v1::Taint& taint : spec.taints) {
    if (auto effect = to_effect(taint.effect)) node.taints.push_back({taint.key, taint.value, *effect});
  }
  node.allocatable = to_resources(status.allocatable);
  if (auto pods = status.allocatable.find("pods"); pods != status.allocatable.end()) {
    node.allowed_pods = QuantityValue::of(pods->second).value();
  }
  for (const v1::ContainerImage& image : status.images) {
    for (const std::string& name : image.names) node.images.emplace_back(name, image.size_bytes);
  }
  return node;
}

}  // namespace scheduler
