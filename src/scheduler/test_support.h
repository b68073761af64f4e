// For the tests of this folder: pods and nodes in a line each, and a cluster to decide in.
#pragma once

#include <functional>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "gen/codec.h"
#include "gen/core/v1.h"
#include "scheduler/catalogue.h"
#include "scheduler/framework/algorithm.h"
#include "scheduler/framework/fit_error.h"

namespace scheduler {

template <typename T>
client::RawObject raw_of(const T& object, int64_t revision = 1) {
  client::RawObject raw;
  raw.bytes = base::SharedBytes(gen::encode(object));
  raw.size = static_cast<uint32_t>(raw.bytes.size());
  raw.revision = revision;
  return raw;
}

using PodChange = std::function<void(api::core::v1::Pod&)>;
using NodeChangeFn = std::function<void(api::core::v1::Node&)>;

inline api::core::v1::Pod api_pod(const std::string& name, const PodChange& change = {}) {
  api::core::v1::Pod pod;
  pod.metadata.name = name;
  pod.metadata.namespace_ = "default";
  pod.metadata.uid = "uid-" + name;
  pod.metadata.generation = 1;
  pod.spec.scheduler_name = "default-scheduler";
  pod.spec.containers.emplace_back().name = "c";
  if (change) change(pod);
  return pod;
}
inline PodChange requests(const std::string& cpu, const std::string& memory = "") {
  return [=](api::core::v1::Pod& pod) {
    auto& map = pod.spec.containers[0].resources.requests;
    if (!cpu.empty()) map["cpu"].string = cpu;
    if (!memory.empty()) map["memory"].string = memory;
  };
}
inline PodChange all_of(std::vector<PodChange> changes) {
  return [=](api::core::v1::Pod& pod) {
    for (const PodChange& change : changes) change(pod);
  };
}
inline PodRef test_pod(const std::string& name, const PodChange& change = {}) {
  return *decode_pod(raw_of(api_pod(name, change)));
}

inline api::core::v1::Node api_node(const std::string& name, const NodeChangeFn& change = {}) {
  api::core::v1::Node node;
  node.metadata.name = name;
  node.metadata.labels = {{"kubernetes.io/hostname", name}};
  node.status.allocatable["cpu"].string = "4";
  node.status.allocatable["memory"].string = "8Gi";
  node.status.allocatable["pods"].string = "110";
  if (change) change(node);
  return node;
}
inline NodeInfo test_node(const std::string& name, const NodeChangeFn& change = {}) {
  return *decode_node(raw_of(api_node(name, change)));
}
inline NodeChangeFn label(const std::string& key, const std::string& value) {
  return [=](api::core::v1::Node& node) { node.metadata.labels[key] = value; };
}

// ---- volumes ----
inline PodChange uses_claim(const std::string& name) {
  return [=](api::core::v1::Pod& pod) {
    auto& volume = pod.spec.volumes.emplace_back();
    volume.name = name;
    volume.volume_source.persistent_volume_claim.ensure().claim_name = name;
  };
}
using ClaimChange = std::function<void(api::core::v1::PersistentVolumeClaim&)>;
inline api::core::v1::PersistentVolumeClaim api_claim(const std::string& name, const std::string& in_class,
                                                      const std::string& size = "1Gi", const ClaimChange& change = {}) {
  api::core::v1::PersistentVolumeClaim claim;
  claim.metadata.namespace_ = "default";
  claim.metadata.name = name;
  claim.metadata.uid = "uid-" + name;
  claim.spec.storage_class_name = in_class;
  claim.spec.access_modes = {"ReadWriteOnce"};
  claim.spec.resources.requests["storage"].string = size;
  claim.status.phase = "Pending";
  if (change) change(claim);
  return claim;
}
inline ClaimChange bound_to(const std::string& volume) {
  return [=](api::core::v1::PersistentVolumeClaim& claim) {
    claim.spec.volume_name = volume;
    claim.metadata.annotations["pv.kubernetes.io/bind-completed"] = "yes";
    claim.status.phase = "Bound";
  };
}
using VolumeChange = std::function<void(api::core::v1::PersistentVolume&)>;
inline api::core::v1::PersistentVolume api_volume(const std::string& name, const std::string& in_class,
                                                  const std::string& size = "1Gi", const VolumeChange& change = {}) {
  api::core::v1::PersistentVolume volume;
  volume.metadata.name = name;
  volume.spec.storage_class_name = in_class;
  volume.spec.access_modes = {"ReadWriteOnce"};
  volume.spec.capacity["storage"].string = size;
  volume.status.phase = "Available";
  if (change) change(volume);
  return volume;
}
// Reachable from nodes whose label is one of the values.
inline VolumeChange only_on(const std::string& label, const std::vector<std::string>& values) {
  return [=](api::core::v1::PersistentVolume& volume) {
    auto& term = volume.spec.node_affinity.ensure().required.ensure().node_selector_terms.emplace_back();
    auto& requirement = term.match_expressions.emplace_back();
    requirement.key = label;
    requirement.operator_ = "In";
    requirement.values = values;
  };
}

// A cache with the default profile over it.
struct TestCluster {
  Cache cache;
  Profile profile = default_profile(&cache);
  Nominator nominator;
  std::unique_ptr<base::Rng> rng = base::seeded_rng(1);
  Algorithm algorithm{&cache, &profile, &nominator, rng.get()};

  void node(const std::string& name, const NodeChangeFn& change = {}) { cache.set_node(test_node(name, change)); }
  void place(const std::string& name, const std::string& node, const PodChange& change = {}) {
    cache.set_pod(with_node(test_pod(name, change), node));
  }
  void claim(const api::core::v1::PersistentVolumeClaim& one) {
    cache.volumes().set_claim(one.metadata.namespace_, one.metadata.name, claim_info(one));
  }
  void volume(const api::core::v1::PersistentVolume& one) {
    cache.volumes().set_volume(one.metadata.name, volume_info(one));
  }
  void storage_class(const std::string& name, StorageClassInfo info) {
    cache.volumes().set_storage_class(name, std::move(info));
  }
  // What FailedScheduling says of the pod.
  std::string refusal(const PodRef& pod) {
    Decision decision = algorithm.decide(pod);
    return decision.node != kNoNode ? "" : fit_error_message(decision.diagnosis, profile, "");
  }
  // Names of the nodes that pass every filter.
  std::set<std::string> feasible(const PodRef& pod) {
    std::set<std::string> names;
    for (uint32_t slot : cache.order()) {
      if (algorithm.feasible_on(*pod, slot)) names.insert(cache.nodes().name[slot]);
    }
    return names;
  }
  std::string decide(const PodRef& pod) {
    Decision decision = algorithm.decide(pod);
    return decision.node == kNoNode ? "" : cache.nodes().name[decision.node];
  }
};

}  // namespace scheduler
