// Claims, volumes, their protection and ephemeral volumes on an API in memory.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "client/events.h"
#include "controllers/ephemeralvolume/controller.h"
#include "controllers/persistentvolume/controller.h"
#include "controllers/persistentvolume/plan.h"
#include "controllers/test_support.h"
#include "controllers/volumeprotection/controller.h"
#include "gen/core/v1.h"
#include "gen/storage/v1.h"

namespace controllers {
namespace {

using api::core::v1::Event;
using api::core::v1::PersistentVolume;
using api::core::v1::PersistentVolumeClaim;
using api::core::v1::Pod;
using api::storage::v1::StorageClass;
using testing::Contains;
using testing::ElementsAre;
using testing::IsEmpty;

class VolumesTest : public testing::Test {
 protected:
  VolumesTest() {
    cluster_.add(persistentvolume::make_controller(cluster_.dependencies()));
    cluster_.add(volumeprotection::make_claim_controller(cluster_.dependencies()));
    cluster_.add(volumeprotection::make_volume_controller(cluster_.dependencies()));
    cluster_.add(ephemeralvolume::make_controller(cluster_.dependencies()));
    cluster_.start();
  }

  using VolumeEdit = std::function<void(PersistentVolume&)>;
  using ClaimEdit = std::function<void(PersistentVolumeClaim&)>;
  void volume(const std::string& name, const std::string& size, const VolumeEdit& edit = {}) {
    PersistentVolume one;
    one.metadata.name = name;
    one.spec.capacity["storage"].string = size;
    one.spec.access_modes = {"ReadWriteOnce"};
    one.spec.storage_class_name = "manual";
    one.spec.persistent_volume_reclaim_policy = "Retain";
    one.spec.persistent_volume_source.host_path.ensure().path = "/data/" + name;
    if (edit) edit(one);
    ASSERT_TRUE(client_.create(one));
    cluster_.settle();
  }
  void claim(const std::string& name, const std::string& size, const ClaimEdit& edit = {}) {
    PersistentVolumeClaim one;
    one.metadata.namespace_ = "ns";
    one.metadata.name = name;
    one.spec.access_modes = {"ReadWriteOnce"};
    one.spec.storage_class_name = "manual";
    one.spec.resources.requests["storage"].string = size;
    one.status.phase = "Pending";
    if (edit) edit(one);
    ASSERT_TRUE(client_.create(one));
    cluster_.settle();
  }
  void storage_class(const std::string& name, const std::string& provisioner, const std::string& mode = "Immediate",
                     bool is_default = false) {
    StorageClass one;
    one.metadata.name = name;
    one.provisioner = provisioner;
    one.volume_binding_mode = mode;
    if (is_default) one.metadata.annotations["storageclass.kubernetes.io/is-default-class"] = "true";
    ASSERT_TRUE(client_.create(one));
    cluster_.settle();
  }
  PersistentVolume volume(const std::string& name) { return *client_.get<PersistentVolume>("", name); }
  PersistentVolumeClaim claim(const std::string& name) { return *client_.get<PersistentVolumeClaim>("ns", name); }
  // "Bound to v1" or the phase.
  std::string state(const std::string& name) {
    const PersistentVolumeClaim one = claim(name);
    return one.status.phase + (one.spec.volume_name.empty() ? "" : " to " + one.spec.volume_name);
  }
  std::string phase(const std::string& name) { return volume(name).status.phase; }
  void remove_claim(const std::string& name) {
    ASSERT_TRUE(client_.remove<PersistentVolumeClaim>("ns", name));
    cluster_.settle();
  }
  std::vector<std::string> events() {
    std::vector<std::string> found;
    for (const Event& event : *client_.list<Event>("")) found.push_back(event.reason + ": " + event.message);
    return found;
  }
  void pod(const std::string& name, const std::string& node, const std::string& claim_name) {
    Pod one;
    one.metadata.namespace_ = "ns";
    one.metadata.name = name;
    one.spec.node_name = node;
    auto& used = one.spec.volumes.emplace_back();
    used.name = "data";
    used.volume_source.persistent_volume_claim.ensure().claim_name = claim_name;
    ASSERT_TRUE(client_.create(one));
    cluster_.settle();
  }

  Cluster cluster_;
  client::Client& client_ = cluster_.client;
};

TEST_F(VolumesTest, AClaimTakesTheSmallestVolumeThatFitsAndReleasesIt) {
  volume("large", "10Gi");
  volume("small", "2Gi");
  volume("tiny", "1Gi");
  volume("other-class", "2Gi", [](auto& v) { v.spec.storage_class_name = "x"; });
  EXPECT_EQ(phase("small"), "Available");
  claim("a", "1500Mi");
  EXPECT_EQ(state("a"), "Bound to small");
  const PersistentVolumeClaim bound = claim("a");
  EXPECT_EQ(bound.metadata.annotations.at("pv.kubernetes.io/bind-completed"), "yes");
  EXPECT_EQ(bound.metadata.annotations.at("pv.kubernetes.io/bound-by-controller"), "yes");
  EXPECT_EQ(bound.status.capacity.at("storage").string, "2Gi");
  EXPECT_EQ(volume("small").spec.claim_ref->uid, bound.metadata.uid);
  EXPECT_EQ(phase("small"), "Bound");
  EXPECT_EQ(phase("large"), "Available");
  remove_claim("a");
  EXPECT_FALSE(client_.get<PersistentVolumeClaim>("ns", "a"));
  EXPECT_EQ(phase("small"), "Released");
  EXPECT_TRUE(volume("small").spec.claim_ref);
  ASSERT_TRUE(client_.remove<PersistentVolume>("", "small"));
  cluster_.settle();
  EXPECT_FALSE(client_.get<PersistentVolume>("", "small"));
}

TEST_F(VolumesTest, AClaimWaitsForAVolumeThatFits) {
  claim("a", "5Gi", [](auto& c) { c.spec.storage_class_name = ""; });
  EXPECT_THAT(events(),
              Contains("FailedBinding: no persistent volumes available for this claim and no storage class is "
                       "set"));
  volume("block", "9Gi", [](auto& v) {
    v.spec.storage_class_name = "";
    v.spec.volume_mode = "Block";
  });
  volume("read-only", "9Gi", [](auto& v) {
    v.spec.storage_class_name = "";
    v.spec.access_modes = {"ReadOnlyMany"};
  });
  EXPECT_EQ(state("a"), "Pending");
  volume("fits", "9Gi", [](auto& v) { v.spec.storage_class_name = ""; });
  EXPECT_EQ(state("a"), "Bound to fits");
}

TEST_F(VolumesTest, ManyClaimsAndVolumesMeetInAnyOrder) {
  for (int i = 0; i < 20; ++i) claim("large-" + std::to_string(i), "3Gi");
  for (int i = 0; i < 20; ++i) claim("small-" + std::to_string(i), "1Gi");
  for (int i = 0; i < 20; ++i) volume("s" + std::to_string(i), "1Gi");
  for (int i = 0; i < 20; ++i) EXPECT_EQ(claim("small-" + std::to_string(i)).status.phase, "Bound") << i;
  for (int i = 0; i < 19; ++i) volume("l" + std::to_string(i), "3Gi");
  std::string unbound;
  for (int i = 0; i < 20; ++i) {
    if (claim("large-" + std::to_string(i)).status.phase != "Bound") unbound = "large-" + std::to_string(i);
  }
  ASSERT_NE(unbound, "");
  remove_claim(unbound);
  claim("last", "2Gi");
  EXPECT_EQ(state("last"), "Pending");
  volume("l19", "3Gi");
  EXPECT_EQ(state("last"), "Bound to l19");
}

TEST_F(VolumesTest, SelectorsAndFewestModesDecide) {
  volume("many", "1Gi", [](auto& v) { v.spec.access_modes = {"ReadWriteOnce", "ReadWriteMany"}; });
  volume("one", "5Gi");
  claim("a", "1Gi");
  EXPECT_EQ(state("a"), "Bound to one");
  claim("b", "1Gi", [](auto& c) { c.spec.selector.ensure().match_labels = {{"disk", "fast"}}; });
  EXPECT_EQ(state("b"), "Pending");
  volume("fast", "3Gi", [](auto& v) { v.metadata.labels = {{"disk", "fast"}}; });
  EXPECT_EQ(state("b"), "Bound to fast");
}

TEST_F(VolumesTest, AReservedVolumeGoesToItsClaimOnly) {
  volume("reserved", "1Gi", [](auto& v) {
    v.spec.claim_ref.ensure().namespace_ = "ns";
    v.spec.claim_ref->name = "mine";
  });
  EXPECT_EQ(phase("reserved"), "Available");
  claim("other", "1Gi");
  EXPECT_EQ(state("other"), "Pending");
  claim("mine", "1Gi");
  EXPECT_EQ(state("mine"), "Bound to reserved");
  EXPECT_FALSE(volume("reserved").metadata.annotations.contains("pv.kubernetes.io/bound-by-controller"));
  EXPECT_EQ(volume("reserved").spec.claim_ref->uid, claim("mine").metadata.uid);
}

TEST_F(VolumesTest, AClaimThatNamesItsVolume) {
  claim("a", "1Gi", [](auto& c) { c.spec.volume_name = "v"; });
  EXPECT_EQ(state("a"), "Pending to v");
  volume("v", "500Mi");
  EXPECT_EQ(state("a"), "Pending to v");
  EXPECT_THAT(events(), Contains("VolumeMismatch: Cannot bind to requested volume \"v\": requested PV is too small"));
  PersistentVolume grown = volume("v");
  grown.spec.capacity["storage"].string = "1Gi";
  ASSERT_TRUE(client_.update(grown));
  cluster_.settle();
  EXPECT_EQ(state("a"), "Bound to v");
  EXPECT_FALSE(claim("a").metadata.annotations.contains("pv.kubernetes.io/bound-by-controller"));
  claim("b", "1Gi", [](auto& c) { c.spec.volume_name = "v"; });
  EXPECT_EQ(state("b"), "Pending to v");
  EXPECT_THAT(events(), Contains("FailedBinding: volume \"v\" already bound to a different claim."));
}

TEST_F(VolumesTest, ABoundClaimWithoutItsVolumeIsLost) {
  volume("v", "1Gi");
  claim("a", "1Gi");
  PersistentVolume ending = volume("v");
  ending.metadata.finalizers.clear();
  ASSERT_TRUE(client_.update(ending));
  ASSERT_TRUE(client_.remove<PersistentVolume>("", "v"));
  cluster_.settle();
  ASSERT_FALSE(client_.get<PersistentVolume>("", "v")) << "deleted before the finalizer came back";
  EXPECT_EQ(state("a"), "Lost to v");
  EXPECT_THAT(events(), Contains("ClaimLost: Bound claim has lost its PersistentVolume. Data on the volume is lost!"));
}

TEST_F(VolumesTest, TheDefaultClassIsGivenToClaimsWithoutOne) {
  claim("a", "1Gi", [](auto& c) { c.spec.storage_class_name.reset(); });
  EXPECT_EQ(state("a"), "Pending");
  storage_class("fast", "example.com/disks", "Immediate", true);
  EXPECT_EQ(claim("a").spec.storage_class_name, "fast");
  EXPECT_EQ(claim("a").metadata.annotations.at("volume.kubernetes.io/storage-provisioner"), "example.com/disks");
  EXPECT_EQ(claim("a").metadata.annotations.at("volume.beta.kubernetes.io/storage-provisioner"), "example.com/disks");
  EXPECT_THAT(events(), Contains(testing::StartsWith("ExternalProvisioning: Waiting for a volume to be created either "
                                                     "by the external provisioner 'example.com/disks' or")));
  // What the provisioner then does.
  const PersistentVolumeClaim waiting = claim("a");
  volume("pvc-1", "1Gi", [&](auto& v) {
    v.spec.storage_class_name = "fast";
    v.metadata.annotations["pv.kubernetes.io/provisioned-by"] = "example.com/disks";
    v.spec.persistent_volume_reclaim_policy = "Delete";
    v.spec.claim_ref = client::reference_to(waiting);
  });
  EXPECT_EQ(state("a"), "Bound to pvc-1");
  remove_claim("a");
  EXPECT_EQ(phase("pvc-1"), "Released") << "its provisioner deletes it";
}

TEST_F(VolumesTest, WaitForFirstConsumer) {
  storage_class("local", "kubernetes.io/no-provisioner", "WaitForFirstConsumer");
  volume("v", "1Gi", [](auto& v) { v.spec.storage_class_name = "local"; });
  claim("a", "1Gi", [](auto& c) { c.spec.storage_class_name = "local"; });
  EXPECT_EQ(state("a"), "Pending");
  EXPECT_THAT(events(), Contains("WaitForFirstConsumer: waiting for first consumer to be created before binding"));
  // The scheduler reserves the volume for the claim.
  PersistentVolume reserved = volume("v");
  ASSERT_TRUE(persistentvolume::bind_volume(reserved, claim("a")));
  ASSERT_TRUE(client_.update(reserved));
  cluster_.settle();
  EXPECT_EQ(state("a"), "Bound to v");
}

TEST_F(VolumesTest, AClassThatCannotBeProvisioned) {
  claim("a", "1Gi", [](auto& c) { c.spec.storage_class_name = "none"; });
  EXPECT_THAT(events(), Contains("ProvisioningFailed: storageclass.storage.k8s.io \"none\" not found"));
  storage_class("none", "kubernetes.io/no-provisioner");
  EXPECT_THAT(events(), Contains("ProvisioningFailed: no volume plugin matched name: kubernetes.io/no-provisioner"));
}

TEST_F(VolumesTest, WhoCannotDeleteFails) {
  volume("v", "1Gi", [](auto& v) { v.spec.persistent_volume_reclaim_policy = "Delete"; });
  claim("a", "1Gi");
  remove_claim("a");
  EXPECT_EQ(phase("v"), "Failed");
  EXPECT_EQ(volume("v").status.message, "host_path deleter only supports /tmp/.+ but received provided /data/v");
}

TEST_F(VolumesTest, RecyclingEmptiesAndGivesBack) {
  volume("v", "1Gi", [](auto& v) { v.spec.persistent_volume_reclaim_policy = "Recycle"; });
  claim("a", "1Gi");
  remove_claim("a");
  EXPECT_EQ(phase("v"), "Released");
  Pod recycler = *client_.get<Pod>("default", "recycler-for-v");
  recycler.status.phase = "Succeeded";
  ASSERT_TRUE(client_.update_status(recycler));
  cluster_.settle();
  EXPECT_EQ(phase("v"), "Available");
  EXPECT_FALSE(volume("v").spec.claim_ref);
  EXPECT_FALSE(client_.get<Pod>("default", "recycler-for-v"));
  EXPECT_THAT(events(), Contains("VolumeRecycled: Volume recycled"));
}

TEST_F(VolumesTest, BindingThatStoppedInBetweenIsFinished) {
  for (const char* resource : {"persistentvolumes", "persistentvolumeclaims"}) {
    const std::string name = resource;
    volume("v-" + name, "1Gi");
    cluster_.transport->fail_next(client::Verb::kUpdate, name, 3, {base::Reason::kServiceUnavailable, "gone away"});
    claim("c-" + name, "1Gi");
    cluster_.executor.advance(std::chrono::seconds(1));
    EXPECT_EQ(state("c-" + name), "Bound to v-" + name);
    EXPECT_EQ(phase("v-" + name), "Bound");
  }
}

TEST_F(VolumesTest, AVolumeOfAClaimThatWentElsewhereIsFreeAgain) {
  volume("v1", "1Gi");
  claim("a", "1Gi");
  PersistentVolume second;
  volume("v2", "1Gi", [&](auto& v) {
    v.spec.claim_ref = client::reference_to(claim("a"));
    v.metadata.annotations["pv.kubernetes.io/bound-by-controller"] = "yes";
  });
  EXPECT_EQ(phase("v2"), "Available");
  EXPECT_FALSE(volume("v2").spec.claim_ref);
  volume("v3", "1Gi", [&](auto& v) { v.spec.claim_ref = client::reference_to(claim("a")); });
  EXPECT_EQ(phase("v3"), "Available");
  EXPECT_EQ(volume("v3").spec.claim_ref->uid, "") << "reserved by its author: stays so";
}

TEST_F(VolumesTest, AClaimInUseStaysUntilItsPodIsGone) {
  volume("v", "1Gi");
  claim("a", "1Gi");
  EXPECT_THAT(claim("a").metadata.finalizers, ElementsAre("kubernetes.io/pvc-protection"));
  EXPECT_THAT(volume("v").metadata.finalizers, ElementsAre("kubernetes.io/pv-protection"));
  pod("waiting", "", "a");
  pod("running", "n1", "a");
  ASSERT_TRUE(client_.remove<PersistentVolume>("", "v"));
  remove_claim("a");
  EXPECT_TRUE(claim("a").metadata.deletion_timestamp);
  EXPECT_EQ(phase("v"), "Bound");
  client::DeleteOptions now;
  now.grace_period_seconds = 0;
  ASSERT_TRUE(client_.remove<Pod>("ns", "running", now));
  cluster_.settle();
  EXPECT_FALSE(client_.get<PersistentVolumeClaim>("ns", "a")) << "a Pod without a node does not hold it";
  EXPECT_FALSE(client_.get<PersistentVolume>("", "v")) << "released, so no longer protected";
}

TEST_F(VolumesTest, EphemeralVolumesGetClaims) {
  claim("p-taken", "1Gi");
  Pod one;
  one.metadata.namespace_ = "ns";
  one.metadata.name = "p";
  for (const char* name : {"scratch", "taken"}) {
    auto& used = one.spec.volumes.emplace_back();
    used.name = name;
    auto& wanted = used.volume_source.ephemeral.ensure().volume_claim_template.ensure();
    wanted.metadata.labels = {{"a", "b"}};
    wanted.spec.access_modes = {"ReadWriteOnce"};
    wanted.spec.resources.requests["storage"].string = "1Gi";
  }
  one = *client_.create(one);
  cluster_.settle();
  const PersistentVolumeClaim made = claim("p-scratch");
  EXPECT_EQ(made.metadata.labels.at("a"), "b");
  ASSERT_EQ(made.metadata.owner_references.size(), 1u);
  EXPECT_EQ(made.metadata.owner_references[0].uid, one.metadata.uid);
  EXPECT_EQ(made.metadata.owner_references[0].controller, true);
  EXPECT_THAT(events(), Contains("FailedBinding: ephemeral volume taken: PVC ns/p-taken was not created for pod ns/p "
                                 "(pod is not owner)"));
}

TEST(VolumePlan, ProvisionersThatWereTakenOver) {
  EXPECT_EQ(persistentvolume::driver_of_plugin("kubernetes.io/aws-ebs"), "ebs.csi.aws.com");
  EXPECT_EQ(persistentvolume::driver_of_plugin("example.com/x"), "");
  api::meta::v1::ObjectMeta metadata;
  metadata.annotations["pv.kubernetes.io/provisioned-by"] = "kubernetes.io/gce-pd";
  EXPECT_TRUE(persistentvolume::note_migration(metadata));
  EXPECT_EQ(metadata.annotations.at("pv.kubernetes.io/migrated-to"), "pd.csi.storage.gke.io");
  EXPECT_FALSE(persistentvolume::note_migration(metadata));
}

}  // namespace
}  // namespace controllers
