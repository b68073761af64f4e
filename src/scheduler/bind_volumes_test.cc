// Pods whose claims wait for their first consumer: from the choice of a node to the binding, with what may come
// between. The volume controller is played by the test.
#include <gmock/gmock.h>

#include "client/client.h"
#include "client/memory_transport.h"
#include "client/virtual_executor.h"
#include "scheduler/scheduler.h"
#include "scheduler/test_support.h"

namespace scheduler {
namespace {

using api::core::v1::Event;
using api::core::v1::PersistentVolume;
using api::core::v1::PersistentVolumeClaim;
using api::core::v1::Pod;
using std::chrono::seconds;
using testing::Contains;
using testing::HasSubstr;

constexpr const char* kHost = "kubernetes.io/hostname";

class BindVolumesTest : public testing::Test {
 protected:
  void SetUp() override {
    scheduler_.start();
    informers_.start();
    api::storage::v1::StorageClass local;
    local.metadata.name = "local";
    local.provisioner = "kubernetes.io/no-provisioner";
    local.volume_binding_mode = "WaitForFirstConsumer";
    create(local);
    local.metadata.name = "disks";
    local.provisioner = "example.com/disks";
    create(local);
    create(api_node("n1"));
    create(api_node("n2"));
  }
  void TearDown() override {
    informers_.stop();
    scheduler_.stop();
  }
  template <typename T>
  void create(T object) {
    object.metadata.uid.clear();
    ASSERT_TRUE(client_.create(object));
    settle();
  }
  void settle() { time_.advance(std::chrono::milliseconds(20)); }
  std::string node_of(const std::string& pod) { return client_.get<Pod>("default", pod)->spec.node_name; }
  PersistentVolume volume(const std::string& name) { return *client_.get<PersistentVolume>("", name); }
  PersistentVolumeClaim claim(const std::string& name) { return *client_.get<PersistentVolumeClaim>("default", name); }
  // What the volume controller does once a volume names the claim.
  void complete(const std::string& claim_name, const std::string& volume_name) {
    PersistentVolumeClaim bound = claim(claim_name);
    bound_to(volume_name)(bound);
    ASSERT_TRUE(client_.update(bound));
    settle();
  }
  std::vector<std::string> events() {
    std::vector<std::string> found;
    for (const Event& event : *client_.list<Event>("default")) found.push_back(event.reason + ": " + event.message);
    return found;
  }

  client::VirtualExecutor time_;
  std::unique_ptr<base::Rng> rng_ = base::seeded_rng(1);
  std::shared_ptr<client::MemoryTransport> server_ = std::make_shared<client::MemoryTransport>(&time_);
  client::Client client_{server_};
  client::InformerFactory informers_{server_, &time_};
  Scheduler scheduler_{{&informers_, server_, &time_, rng_.get(), &time_, "test"}};
};

TEST_F(BindVolumesTest, AVolumeOnANodeIsGivenToTheClaimThenThePodIsBound) {
  create(api_volume("v2", "local", "1Gi", only_on(kHost, {"n2"})));
  create(api_claim("a", "local"));
  create(api_pod("p", uses_claim("a")));
  EXPECT_EQ(volume("v2").spec.claim_ref->uid, claim("a").metadata.uid);
  EXPECT_EQ(volume("v2").metadata.annotations.at("pv.kubernetes.io/bound-by-controller"), "yes");
  EXPECT_EQ(node_of("p"), "") << "its claim is not bound yet";
  // Meanwhile others are scheduled, and the volume is taken.
  create(api_pod("plain"));
  EXPECT_NE(node_of("plain"), "");
  create(api_claim("b", "local"));
  create(api_pod("q", uses_claim("b")));
  EXPECT_THAT(events(), Contains(HasSubstr("FailedScheduling: 0/2 nodes are available: 2 node(s) didn't find available "
                                           "persistent volumes to bind.")));
  complete("a", "v2");
  EXPECT_EQ(node_of("p"), "n2");
  create(api_volume("v1", "local", "1Gi", only_on(kHost, {"n1"})));
  time_.advance(seconds(2));
  ASSERT_TRUE(volume("v1").spec.claim_ref) << "the waiting pod is tried again for a new volume";
  complete("b", "v1");
  EXPECT_EQ(node_of("q"), "n1");
}

TEST_F(BindVolumesTest, AProvisionerIsToldTheNode) {
  create(api_claim("a", "disks"));
  create(api_pod("p", all_of({uses_claim("a"), [](Pod& pod) { pod.spec.node_selector[kHost] = "n2"; }})));
  EXPECT_EQ(claim("a").metadata.annotations.at("volume.kubernetes.io/selected-node"), "n2");
  create(api_volume("pvc-1", "disks"));
  EXPECT_EQ(node_of("p"), "");
  complete("a", "pvc-1");
  EXPECT_EQ(node_of("p"), "n2");
}

TEST_F(BindVolumesTest, AProvisionerThatGivesUpIsAskedAgain) {
  create(api_claim("a", "disks"));
  create(api_pod("p", uses_claim("a")));
  PersistentVolumeClaim failed = claim("a");
  failed.metadata.annotations.clear();
  ASSERT_TRUE(client_.update(failed));
  settle();
  EXPECT_THAT(events(), Contains("FailedScheduling: running PreBind plugin \"VolumeBinding\": binding volumes: "
                                 "selectedNode annotation reset for PVC \"a\""));
  time_.advance(seconds(2));
  EXPECT_TRUE(claim("a").metadata.annotations.contains("volume.kubernetes.io/selected-node"));
  create(api_volume("pvc-1", "disks"));
  complete("a", "pvc-1");
  EXPECT_NE(node_of("p"), "");
}

TEST_F(BindVolumesTest, APodThatGoesGivesItsReservationBack) {
  server_->fail_next(client::Verb::kPatch, "persistentvolumes", 1, {base::Reason::kConflict, "changed"});
  create(api_volume("v", "local"));
  create(api_claim("a", "local"));
  create(api_pod("p", uses_claim("a")));
  EXPECT_THAT(events(), Contains("FailedScheduling: running PreBind plugin \"VolumeBinding\": changed"));
  EXPECT_FALSE(volume("v").spec.claim_ref);
  ASSERT_TRUE(client_.remove<Pod>("default", "p"));
  settle();
  create(api_claim("b", "local"));
  create(api_pod("q", uses_claim("b")));
  ASSERT_TRUE(volume("v").spec.claim_ref);
  EXPECT_EQ(volume("v").spec.claim_ref->name, "b");
}

TEST_F(BindVolumesTest, WaitingEnds) {
  create(api_volume("v", "local"));
  create(api_claim("a", "local"));
  create(api_pod("p", uses_claim("a")));
  time_.advance(seconds(599));
  EXPECT_THAT(events(), Not(Contains(HasSubstr("deadline"))));
  time_.advance(seconds(2));
  EXPECT_THAT(events(), Contains("FailedScheduling: running PreBind plugin \"VolumeBinding\": binding volumes: context "
                                 "deadline exceeded"));
  time_.advance(seconds(5));
  complete("a", "v");
  EXPECT_NE(node_of("p"), "") << "the volume is still the claim's";
}

TEST_F(BindVolumesTest, APodThatGoesIsNotWaitedFor) {
  create(api_claim("a", "disks"));
  create(api_pod("p", uses_claim("a")));
  EXPECT_TRUE(claim("a").metadata.annotations.contains("volume.kubernetes.io/selected-node"));
  ASSERT_TRUE(client_.remove<Pod>("default", "p"));
  time_.advance(seconds(700));
  EXPECT_EQ(scheduler_.stats().errors, 0u);
  EXPECT_THAT(events(), testing::IsEmpty());
}

TEST_F(BindVolumesTest, ARaisedLimitOfVolumesWakesAPod) {
  api::storage::v1::CSINode limits;
  auto& driver = limits.spec.drivers.emplace_back();
  driver.name = "example.com/disks";
  driver.allocatable.ensure().count = 0;
  for (const char* name : {"n1", "n2"}) {
    limits.metadata.name = name;
    create(limits);
  }
  create(api_volume("v", "", "1Gi", [](PersistentVolume& one) {
    auto& source = one.spec.persistent_volume_source.csi.ensure();
    source.driver = "example.com/disks";
    source.volume_handle = "h";
  }));
  create(api_claim("a", "", "1Gi", bound_to("v")));
  create(api_pod("p", uses_claim("a")));
  EXPECT_THAT(events(),
              Contains(HasSubstr("FailedScheduling: 0/2 nodes are available: 2 node(s) exceed max volume count.")));
  auto raised = *client_.get<api::storage::v1::CSINode>("", "n2");
  raised.spec.drivers[0].allocatable->count = 1;
  ASSERT_TRUE(client_.update(raised));
  time_.advance(seconds(2));
  EXPECT_EQ(node_of("p"), "n2");
}

TEST_F(BindVolumesTest, OnlyItsOwnClaimWakesAPod) {
  create(api_pod("p", uses_claim("a")));
  const uint64_t attempts = scheduler_.stats().unschedulable;
  create(api_claim("other", ""));
  time_.advance(seconds(20));
  EXPECT_EQ(scheduler_.stats().unschedulable, attempts);
  create(api_volume("v", ""));
  create(api_claim("a", "", "1Gi", bound_to("v")));
  time_.advance(seconds(20));
  EXPECT_NE(node_of("p"), "");
}

}  // namespace
}  // namespace scheduler
