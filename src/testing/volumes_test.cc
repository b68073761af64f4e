// Claims, volumes and pods through the scheduler and the controllers together, on an API in memory and virtual time.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "client/client.h"
#include "client/memory_transport.h"
#include "client/virtual_executor.h"
#include "controllers/ephemeralvolume/controller.h"
#include "controllers/persistentvolume/controller.h"
#include "controllers/runtime/engine.h"
#include "controllers/statefulset/controller.h"
#include "controllers/volumeprotection/controller.h"
#include "gen/apps/v1.h"
#include "gen/core/v1.h"
#include "gen/storage/v1.h"
#include "scheduler/scheduler.h"

namespace in_process {
namespace {

using api::apps::v1::StatefulSet;
using api::core::v1::Node;
using api::core::v1::PersistentVolume;
using api::core::v1::PersistentVolumeClaim;
using api::core::v1::Pod;
using std::chrono::seconds;
using testing::UnorderedElementsAre;

constexpr const char* kHost = "kubernetes.io/hostname";

// Lets so many writes through and loses the answer of the last; then the server is out of reach, as for a process that
// was killed there.
class MortalTransport final : public client::Transport {
 public:
  MortalTransport(std::shared_ptr<client::Transport> inner, int writes) : inner_(std::move(inner)), left_(writes) {}
  void call(client::Call call, client::Callback done) override {
    if (call.verb == client::Verb::kGet || call.resource->name == "events")
      return inner_->call(std::move(call), std::move(done));
    if (left_ == 0) return done(base::fail(base::Reason::kServiceUnavailable, "dead"));
    if (--left_ > 0) return inner_->call(std::move(call), std::move(done));
    inner_->call(std::move(call),
                 [done = std::move(done)](auto) mutable { done(base::fail(base::Reason::kOutcomeUnknown, "dying")); });
  }
  base::Result<client::ListResult> list(const client::ListCall& call) override { return inner_->list(call); }
  base::Result<std::unique_ptr<client::WatchHandle>> watch(const client::ListCall& call, int64_t revision,
                                                           client::WatchReceiver* receiver) override {
    return inner_->watch(call, revision, receiver);
  }
  bool dead() const { return left_ == 0; }

 private:
  const std::shared_ptr<client::Transport> inner_;
  int left_;
};

// Scheduler and controllers of one process.
class ControlPlane {
 public:
  ControlPlane(std::shared_ptr<client::Transport> transport, client::VirtualExecutor* time)
      : informers_(transport, time),
        engine_(time, time),
        scheduler_({&informers_, transport, time, rng_.get(), time, "test"}) {
    const controllers::Dependencies with{&informers_, std::move(transport), time, rng_.get(), time};
    engine_.add(controllers::persistentvolume::make_controller(with));
    engine_.add(controllers::volumeprotection::make_claim_controller(with));
    engine_.add(controllers::volumeprotection::make_volume_controller(with));
    engine_.add(controllers::ephemeralvolume::make_controller(with));
    engine_.add(controllers::statefulset::make_controller(with));
    engine_.start();
    scheduler_.start();
    informers_.start();
  }
  ~ControlPlane() {
    engine_.stop();
    informers_.stop();
    scheduler_.stop();
  }

 private:
  std::unique_ptr<base::Rng> rng_ = base::seeded_rng(1);
  client::InformerFactory informers_;
  controllers::Engine engine_;
  scheduler::Scheduler scheduler_;
};

class VolumesInProcess : public testing::Test {
 protected:
  VolumesInProcess() {
    for (const char* name : {"n1", "n2"}) {
      Node node;
      node.metadata.name = name;
      node.metadata.labels = {{kHost, name}};
      node.status.allocatable["cpu"].string = "4";
      node.status.allocatable["memory"].string = "8Gi";
      node.status.allocatable["pods"].string = "110";
      EXPECT_TRUE(client_.create(node));
    }
    api::storage::v1::StorageClass local;
    local.metadata.name = "local";
    local.provisioner = "kubernetes.io/no-provisioner";
    local.volume_binding_mode = "WaitForFirstConsumer";
    EXPECT_TRUE(client_.create(local));
  }
  void start(int writes = 1'000'000) {
    transport_ = std::make_shared<MortalTransport>(server_, writes);
    plane_ = std::make_unique<ControlPlane>(transport_, &time_);
    time_.advance(seconds(1));
  }
  void stop() {
    plane_.reset();
    time_.advance(seconds(1));
  }
  void volume(const std::string& name, const std::string& in_class, const std::string& node = "") {
    PersistentVolume one;
    one.metadata.name = name;
    one.spec.capacity["storage"].string = "1Gi";
    one.spec.access_modes = {"ReadWriteOnce"};
    one.spec.storage_class_name = in_class;
    one.spec.persistent_volume_reclaim_policy = "Retain";
    if (!node.empty()) {
      auto& term = one.spec.node_affinity.ensure().required.ensure().node_selector_terms.emplace_back();
      auto& requirement = term.match_expressions.emplace_back();
      requirement.key = kHost;
      requirement.operator_ = "In";
      requirement.values = {node};
    }
    ASSERT_TRUE(client_.create(one));
  }
  static PersistentVolumeClaim make_claim(const std::string& name, const std::string& in_class) {
    PersistentVolumeClaim claim;
    claim.metadata.namespace_ = "ns";
    claim.metadata.name = name;
    claim.spec.storage_class_name = in_class;
    claim.spec.access_modes = {"ReadWriteOnce"};
    claim.spec.resources.requests["storage"].string = "1Gi";
    return claim;
  }
  void pod(const std::string& name, const std::string& claim) {
    Pod one;
    one.metadata.namespace_ = "ns";
    one.metadata.name = name;
    one.spec.scheduler_name = "default-scheduler";
    one.spec.containers.emplace_back().name = "c";
    auto& volume = one.spec.volumes.emplace_back();
    volume.name = "data";
    volume.volume_source.persistent_volume_claim.ensure().claim_name = claim;
    ASSERT_TRUE(client_.create(one));
  }
  // What kubelets would do.
  void run_bound_pods() {
    for (Pod& one : *client_.list<Pod>("ns")) {
      if (one.spec.node_name.empty() || one.status.phase == "Running") continue;
      one.status.phase = "Running";
      auto& condition = one.status.conditions.emplace_back();
      condition.type = "Ready";
      condition.status = "True";
      ASSERT_TRUE(client_.update_status(one));
    }
    time_.advance(seconds(1));
  }
  std::string node_of(const std::string& pod_name) { return client_.get<Pod>("ns", pod_name)->spec.node_name; }
  PersistentVolumeClaim claim(const std::string& name) { return *client_.get<PersistentVolumeClaim>("ns", name); }

  client::VirtualExecutor time_;
  std::shared_ptr<client::MemoryTransport> server_ = std::make_shared<client::MemoryTransport>(&time_);
  client::Client client_{server_};
  std::shared_ptr<MortalTransport> transport_;
  std::unique_ptr<ControlPlane> plane_;
};

TEST_F(VolumesInProcess, AStatefulSetGetsItsVolumes) {
  start();
  for (const char* name : {"v1", "v2", "v3"}) volume(name, "manual");
  StatefulSet set;
  set.metadata.namespace_ = "ns";
  set.metadata.name = "web";
  set.spec.replicas = 3;
  set.spec.service_name = "web";
  set.spec.pod_management_policy = "OrderedReady";
  set.spec.selector.ensure().match_labels = {{"app", "w"}};
  set.spec.template_.metadata.labels = {{"app", "w"}};
  set.spec.template_.spec.scheduler_name = "default-scheduler";
  set.spec.template_.spec.containers.emplace_back().name = "c";
  set.spec.update_strategy.type = "RollingUpdate";
  set.spec.volume_claim_templates = {make_claim("data", "manual")};
  ASSERT_TRUE(client_.create(set));
  time_.advance(seconds(1));
  for (int i = 0; i < 4; ++i) run_bound_pods();
  EXPECT_EQ(client_.get<StatefulSet>("ns", "web")->status.ready_replicas, 3);
  std::set<std::string> volumes;
  for (const char* name : {"data-web-0", "data-web-1", "data-web-2"}) {
    EXPECT_EQ(claim(name).status.phase, "Bound");
    volumes.insert(claim(name).spec.volume_name);
  }
  EXPECT_THAT(volumes, UnorderedElementsAre("v1", "v2", "v3"));
}

TEST_F(VolumesInProcess, LocalVolumesDecideTheNode) {
  start();
  volume("v1", "local", "n1");
  volume("v2", "local", "n2");
  for (const char* name : {"a", "b", "c"}) {
    ASSERT_TRUE(client_.create(make_claim(name, "local")));
    time_.advance(seconds(1));
    EXPECT_EQ(claim(name).spec.volume_name, "") << "it waits for a Pod";
    pod(std::string("p-") + name, name);
    time_.advance(seconds(1));
  }
  EXPECT_EQ(node_of("p-a"), claim("a").spec.volume_name == "v1" ? "n1" : "n2");
  EXPECT_EQ(node_of("p-b"), claim("b").spec.volume_name == "v1" ? "n1" : "n2");
  EXPECT_NE(node_of("p-a"), node_of("p-b"));
  EXPECT_EQ(node_of("p-c"), "");
  volume("v3", "local", "n2");
  time_.advance(seconds(12));
  EXPECT_EQ(node_of("p-c"), "n2");
  EXPECT_EQ(claim("c").spec.volume_name, "v3");
}

TEST_F(VolumesInProcess, AClaimThatLosesTheRaceIsBoundElsewhere) {
  start();
  volume("v1", "local", "n1");
  volume("v2", "local", "n1");
  for (const char* name : {"a", "b"}) {
    ASSERT_TRUE(client_.create(make_claim(name, "local")));
    pod(std::string("p-") + name, name);
  }
  time_.advance(seconds(1));
  EXPECT_EQ(node_of("p-a"), "n1");
  EXPECT_EQ(node_of("p-b"), "n1");
  EXPECT_NE(claim("a").spec.volume_name, claim("b").spec.volume_name);
}

// Whatever write was the last before everything was killed, a new start brings the Pod to run, on the node of the
// volume, and every volume is given once.
TEST_F(VolumesInProcess, KilledAnywhereBindingIsFinishedByTheNextStart) {
  int deaths = 0;
  for (int writes = 1; writes < 40; ++writes) {
    const std::string id = std::to_string(writes), claim_name = "c" + id, pod_name = "p" + id;
    volume("a" + id, "local", "n1");
    volume("b" + id, "local", "n2");
    ASSERT_TRUE(client_.create(make_claim(claim_name, "local")));
    pod(pod_name, claim_name);
    start(writes);
    time_.advance(seconds(5));
    deaths += transport_->dead();
    stop();
    start();
    time_.advance(seconds(15));
    const PersistentVolumeClaim bound = claim(claim_name);
    ASSERT_EQ(bound.status.phase, "Bound") << "after " << writes << " writes";
    const PersistentVolume given = *client_.get<PersistentVolume>("", bound.spec.volume_name);
    ASSERT_EQ(given.spec.claim_ref->uid, bound.metadata.uid);
    ASSERT_EQ(given.status.phase, "Bound");
    ASSERT_EQ(node_of(pod_name),
              given.spec.node_affinity->required->node_selector_terms[0].match_expressions[0].values[0])
        << "after " << writes << " writes";
    int owned = 0;
    for (const PersistentVolume& one : *client_.list<PersistentVolume>(""))
      owned += one.spec.claim_ref && one.spec.claim_ref->name == claim_name;
    EXPECT_EQ(owned, 1) << "after " << writes << " writes";
    stop();
  }
  EXPECT_GE(deaths, 8);
}

}  // namespace
}  // namespace in_process
