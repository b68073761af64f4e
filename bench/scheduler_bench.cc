// usage: scheduler_bench [part of a name]
// Scheduling cycles a second (decide and assume) on 1,000 and 5,000 nodes with pods on them, and the whole loop
// (decode, decide, bind, record the Event, see the watch's confirmation) with a transport that answers at once.
#include <chrono>
#include <cstdio>
#include <functional>
#include <queue>
#include <string_view>

#include "base/check.h"
#include "base/clock.h"
#include "gen/codec.h"
#include "gen/core/v1.h"
#include "scheduler/catalogue.h"
#include "scheduler/framework/algorithm.h"
#include "scheduler/schedule_one.h"

namespace {
using api::core::v1::Node;
using api::core::v1::Pod;
using Clock = std::chrono::steady_clock;
using PodChange = std::function<void(Pod&)>;

template <typename T>
client::RawObject raw_of(const T& object) {
  client::RawObject raw;
  raw.bytes = base::SharedBytes(gen::encode(object));
  raw.size = static_cast<uint32_t>(raw.bytes.size());
  raw.revision = 1;
  return raw;
}

Node make_node(int i) {
  Node node;
  node.metadata.name = "node-" + std::to_string(i);
  node.metadata.labels = {{"kubernetes.io/hostname", node.metadata.name},
                          {"kubernetes.io/os", "linux"},
                          {"topology.kubernetes.io/zone", "zone-" + std::to_string(i % 3)}};
  node.status.allocatable = {{"cpu", {"32"}}, {"memory", {"128Gi"}}, {"pods", {"110"}}};
  return node;
}

Pod make_pod(int i, const PodChange& change) {
  Pod pod;
  pod.metadata.name = "pod-" + std::to_string(i);
  pod.metadata.namespace_ = "bench";
  pod.metadata.uid = "00000000-0000-4000-8000-" + std::to_string(100'000'000'000 + i);
  pod.metadata.labels = {{"app", "web"}, {"pod-template-hash", "5d4f8c7b9"}};
  pod.spec.scheduler_name = "default-scheduler";
  auto& container = pod.spec.containers.emplace_back();
  container.name = "c";
  container.image = "registry.example.com/web:v1";
  container.resources.requests = {{"cpu", {"100m"}}, {"memory", {"128Mi"}}};
  auto& toleration = pod.spec.tolerations.emplace_back();
  toleration.key = "node.kubernetes.io/not-ready";
  toleration.operator_ = "Exists";
  toleration.effect = "NoExecute";
  if (change) change(pod);
  return pod;
}

void plain(Pod&) {}
void controlled(Pod& pod) {
  auto& owner = pod.metadata.owner_references.emplace_back();
  owner.kind = "ReplicaSet";
  owner.name = "web";
  owner.controller = true;
}
void spread(Pod& pod) {
  for (const char* when : {"DoNotSchedule", "ScheduleAnyway"}) {
    auto& constraint = pod.spec.topology_spread_constraints.emplace_back();
    constraint.max_skew = 5;
    constraint.topology_key = "topology.kubernetes.io/zone";
    constraint.when_unsatisfiable = when;
    constraint.label_selector.ensure().match_labels["app"] = "web";
  }
}
void rather_apart(Pod& pod) {
  auto& term = pod.spec.affinity.ensure()
                   .pod_anti_affinity.ensure()
                   .preferred_during_scheduling_ignored_during_execution.emplace_back();
  term.weight = 100;
  term.pod_affinity_term.topology_key = "kubernetes.io/hostname";
  term.pod_affinity_term.label_selector.ensure().match_labels["app"] = "web";
}
void together(Pod& pod) {
  auto& term = pod.spec.affinity.ensure()
                   .pod_affinity.ensure()
                   .required_during_scheduling_ignored_during_execution.emplace_back();
  term.topology_key = "topology.kubernetes.io/zone";
  term.label_selector.ensure().match_labels["app"] = "web";
}

double seconds_since(Clock::time_point start) { return std::chrono::duration<double>(Clock::now() - start).count(); }

void bench_cycles(const char* name, int nodes, const PodChange& change) {
  scheduler::Cache cache;
  scheduler::Profile profile = scheduler::default_profile(&cache);
  scheduler::Nominator nominator;
  auto rng = base::seeded_rng(1);
  scheduler::Algorithm algorithm(&cache, &profile, &nominator, rng.get());
  for (int i = 0; i < nodes; ++i) cache.set_node(*scheduler::decode_node(raw_of(make_node(i))));
  cache.set_workload("bench", "ReplicaSet", "web", object::LabelSelector::from_labels({{"app", "web"}}));
  constexpr int kPods = 5000;
  std::vector<scheduler::PodRef> pods;
  for (int i = 0; i < kPods; ++i) pods.push_back(*scheduler::decode_pod(raw_of(make_pod(i, change))));
  auto start = Clock::now();
  for (const scheduler::PodRef& pod : pods) {
    scheduler::Decision decision = algorithm.decide(pod);
    CHECK(decision.node != scheduler::kNoNode);
    cache.assume(scheduler::with_node(pod, cache.nodes().name[decision.node]));
  }
  double seconds = seconds_since(start);
  std::printf("%-24s %5d nodes %10.0f cycles/s %8.1f us a cycle\n", name, nodes, kPods / seconds,
              seconds / kPods * 1e6);
}

// A local volume on every node, and pods whose claims wait for their first consumer: decide, reserve, assume.
void bench_local_volumes(int nodes) {
  scheduler::Cache cache;
  scheduler::Profile profile = scheduler::default_profile(&cache);
  scheduler::Nominator nominator;
  auto rng = base::seeded_rng(1);
  scheduler::Algorithm algorithm(&cache, &profile, &nominator, rng.get());
  cache.volumes().set_storage_class(
      "local",
      scheduler::StorageClassInfo{std::string(api::kNoProvisioner), scheduler::BindingMode::kWaitForFirstConsumer, {}});
  std::vector<scheduler::PodRef> pods;
  for (int i = 0; i < nodes; ++i) {
    const std::string number = std::to_string(i);
    cache.set_node(*scheduler::decode_node(raw_of(make_node(i))));
    scheduler::VolumeInfo volume;
    volume.facts.name = "volume-" + number;
    volume.facts.storage_class = "local";
    volume.facts.available = true;
    volume.facts.access_modes = api::kReadWriteOnce;
    volume.facts.capacity = object::QuantityValue::from_int(1 << 30);
    volume.affinity.emplace().emplace_back().labels.push_back(
        {"kubernetes.io/hostname", scheduler::NodeRequirement::Op::kIn, {"node-" + number}});
    cache.volumes().set_volume(volume.facts.name, volume);
    scheduler::ClaimInfo claim;
    claim.facts.ns = "bench";
    claim.facts.name = claim.facts.uid = "claim-" + number;
    claim.facts.storage_class = "local";
    claim.facts.access_modes = api::kReadWriteOnce;
    claim.facts.request = object::QuantityValue::from_int(1 << 20);
    cache.volumes().set_claim("bench", claim.facts.name, claim);
    pods.push_back(*scheduler::decode_pod(raw_of(make_pod(i, [&](Pod& pod) {
      auto& source = pod.spec.volumes.emplace_back().volume_source;
      source.persistent_volume_claim.ensure().claim_name = "claim-" + number;
    }))));
  }
  auto start = Clock::now();
  for (const scheduler::PodRef& pod : pods) {
    scheduler::Decision decision = algorithm.decide(pod);
    CHECK(decision.node != scheduler::kNoNode);
    CHECK(profile.pre_binds[0].point->reserve(*pod, decision.node) == scheduler::Interest::kRun);
    cache.assume(scheduler::with_node(pod, cache.nodes().name[decision.node]));
  }
  double seconds = seconds_since(start);
  std::printf("%-24s %5d nodes %10.0f cycles/s %8.1f us a cycle\n", "local volumes", nodes, nodes / seconds,
              seconds / nodes * 1e6);
}

class Queue final : public base::Executor {
 public:
  void post(base::Task task) override { tasks_.push(std::move(task)); }
  void post_after(base::Duration, base::Task) override {}
  void run() {
    for (; !tasks_.empty(); tasks_.pop()) tasks_.front()();
  }

 private:
  std::queue<base::Task> tasks_;
};

class Echo final : public client::Transport {
 public:
  void call(client::Call call, client::Callback done) override {
    if (call.resource->subresource == "binding") bound.push_back(std::move(call));
    done(client::RawObject());
  }
  base::Result<client::ListResult> list(const client::ListCall&) override { return client::ListResult(); }
  base::Result<std::unique_ptr<client::WatchHandle>> watch(const client::ListCall&, int64_t,
                                                           client::WatchReceiver*) override {
    return base::fail(base::Reason::kInternalError, "no watch here");
  }
  std::vector<client::Call> bound;
};

void bench_loop(const char* name, int nodes, const PodChange& change) {
  base::SystemClock clock;
  Queue executor;
  auto server = std::make_shared<Echo>();
  auto rng = base::seeded_rng(1);
  auto loop = std::make_shared<scheduler::SchedulingLoop>(
      scheduler::LoopDependencies{server, &clock, rng.get(), &executor, "default-scheduler", "bench"});
  for (int i = 0; i < nodes; ++i) loop->node_changed({}, raw_of(make_node(i)));
  loop->begin();
  executor.run();
  constexpr int kPods = 10'000;
  std::vector<client::RawObject> pods, assigned;
  for (int i = 0; i < kPods; ++i) {
    Pod pod = make_pod(i, change);
    pods.push_back(raw_of(pod));
    pod.spec.node_name = "node-" + std::to_string(i % nodes);
    assigned.push_back(raw_of(pod));
  }
  auto start = Clock::now();
  for (const client::RawObject& pod : pods) loop->pod_changed({}, pod);
  executor.run();
  for (int i = 0; i < kPods; ++i) loop->pod_changed(pods[i], assigned[i]);
  executor.run();
  double seconds = seconds_since(start);
  CHECK(server->bound.size() == kPods);
  loop->stop();
  std::printf("%-24s %5d nodes %10.0f pods/s   %8.1f us a pod\n", name, nodes, kPods / seconds, seconds / kPods * 1e6);
}

}  // namespace

int main(int argc, char** argv) {
  std::string_view part = argc > 1 ? argv[1] : "";
  const std::pair<const char*, PodChange> kinds[] = {{"plain", plain},
                                                     {"controlled", controlled},
                                                     {"spread", spread},
                                                     {"rather_apart", rather_apart},
                                                     {"together", together}};
  for (int nodes : {1000, 5000}) {
    for (const auto& [name, change] : kinds) {
      if (std::string_view(name).find(part) != std::string_view::npos) bench_cycles(name, nodes, change);
    }
    if (std::string_view("volumes").find(part) != std::string_view::npos) bench_local_volumes(nodes);
    if (std::string_view("loop").find(part) != std::string_view::npos) bench_loop("loop plain", nodes, plain);
  }
}
