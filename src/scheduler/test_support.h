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
