// PersistentVolume, PersistentVolumeClaim, ResourceQuota, LimitRange, ComponentStatus.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "api/shared/rules_test.h"
#include "gen/core/v1.h"

namespace api {
namespace {

using core::v1::LimitRange;
using core::v1::PersistentVolume;
using core::v1::PersistentVolumeClaim;

object::Quantity quantity(const char* text) { return {text}; }

PersistentVolumeClaim claim() {
  PersistentVolumeClaim object;
  object.metadata.name = "c";
  object.spec.access_modes = {"ReadWriteOnce"};
  object.spec.resources.requests["storage"] = quantity("1Gi");
  return object;
}

TEST(PersistentVolumeClaim, Rules) {
  RulesHarness h(persistent_volume_claim_rules());
  PersistentVolumeClaim empty;
  EXPECT_EQ(h.create(empty),
            "[spec.accessModes: Required value: at least 1 access mode is required, spec.resources[storage]: Required "
            "value]");
  auto object = claim();
  object.spec.data_source.ensure().kind = "PersistentVolumeClaim";
  object.spec.data_source->name = "other";
  EXPECT_EQ(h.create(object), "");
  EXPECT_EQ(object.status.phase, "Pending");
  EXPECT_EQ(object.spec.volume_mode, "Filesystem");
  EXPECT_EQ(object.spec.data_source_ref->name, "other");
  EXPECT_EQ(h.cells(object), "c|Pending|||||<unset>|<unknown>|Filesystem");
}

TEST(PersistentVolumeClaim, Update) {
  RulesHarness h(persistent_volume_claim_rules());
  auto old = claim();
  h.create(old);
  auto bound = old;
  bound.spec.volume_name = "pv";
  EXPECT_EQ(h.update(bound, old), "");
  auto changed = old;
  changed.spec.access_modes = {"ReadWriteMany"};
  EXPECT_THAT(h.update(changed, old),
              ::testing::StartsWith("spec: Forbidden: spec is immutable after creation except resources.requests and "
                                    "volumeAttributesClassName for bound claims\n"));
  // Growth needs a bound claim.
  auto grown = old;
  grown.spec.resources.requests["storage"] = quantity("2Gi");
  EXPECT_THAT(h.update(grown, old), ::testing::StartsWith("spec: Forbidden"));
  auto bound_old = bound;
  bound_old.status.phase = "Bound";
  bound_old.status.capacity["storage"] = quantity("1Gi");
  grown = bound_old;
  grown.spec.resources.requests["storage"] = quantity("2Gi");
  EXPECT_EQ(h.update(grown, bound_old), "");
  grown.spec.resources.requests["storage"] = quantity("500Mi");
  EXPECT_EQ(h.update(grown, bound_old),
            "spec.resources.requests.storage: Forbidden: field can not be less than status.capacity");
}

TEST(PersistentVolume, Rules) {
  RulesHarness h(persistent_volume_rules());
  PersistentVolume empty;
  EXPECT_EQ(h.create(empty),
            "[spec.accessModes: Required value, spec.capacity: Required value, spec.capacity: Unsupported value: null: "
            "supported values: \"storage\", spec: Required value: must specify a volume type]");
  PersistentVolume volume;
  volume.metadata.name = "v";
  volume.spec.capacity["storage"] = quantity("5Gi");
  volume.spec.access_modes = {"ReadWriteMany", "ReadWriteOnce"};
  volume.spec.persistent_volume_reclaim_policy = "Recycle";
  volume.spec.persistent_volume_source.host_path.ensure().path = "/x";
  EXPECT_EQ(h.create(volume), "");
  EXPECT_THAT(h.warnings,
              ::testing::ElementsAre(::testing::StartsWith("spec.persistentVolumeReclaimPolicy: The Recycle")));
  EXPECT_EQ(volume.spec.persistent_volume_source.host_path->type, "");
  EXPECT_TRUE(volume.status.last_phase_transition_time);
  EXPECT_EQ(h.cells(volume), "v|5Gi|RWO,RWX|Recycle|Pending|||<unset>||<unknown>|Filesystem");
  auto changed = volume;
  changed.spec.persistent_volume_source.host_path->path = "../x";
  EXPECT_EQ(
      h.update(changed, volume),
      "[spec.hostPath.path: Invalid value: \"../x\": must not contain '..', spec.persistentvolumesource: "
      "Forbidden: spec.persistentvolumesource is immutable after creation\n  core.PersistentVolumeSource{HostPath}]");
  changed = volume;
  changed.spec.persistent_volume_source.nfs.ensure().server = "s";
  changed.spec.persistent_volume_source.nfs->path = "/";
  EXPECT_EQ(h.create(changed), "spec.nfs: Forbidden: may not specify more than 1 volume type");
}

LimitRange limit_range(const char* type) {
  LimitRange object;
  object.metadata.name = "l";
  object.spec.limits.resize(1);
  object.spec.limits[0].type = type;
  return object;
}

TEST(LimitRange, Rules) {
  RulesHarness h(limit_range_rules());
  auto object = limit_range("Container");
  object.spec.limits[0].max["cpu"] = quantity("1");
  object.spec.limits[0].min["memory"] = quantity("1Mi");
  EXPECT_EQ(h.create(object), "");
  EXPECT_EQ(object.spec.limits[0].default_.at("cpu").string, "1");
  EXPECT_EQ(object.spec.limits[0].default_request.at("cpu").string, "1");
  EXPECT_EQ(object.spec.limits[0].default_request.at("memory").string, "1Mi");
  object = limit_range("Container");
  object.spec.limits[0].max["cpu"] = quantity("1");
  object.spec.limits[0].min["cpu"] = quantity("2");
  EXPECT_EQ(
      h.create(object),
      "[spec.limits[0].min[cpu]: Invalid value: \"2\": min value 2 is greater than max value 1, "
      "spec.limits[0].defaultRequest[cpu]: Invalid value: \"1\": min value 2 is greater than default request value "
      "1, spec.limits[0].default[cpu]: Invalid value: \"2\": min value 2 is greater than default value 1]");
  object = limit_range("X");
  EXPECT_EQ(h.create(object),
            "spec.limits[0].type: Invalid value: \"X\": must be a standard limit type or fully qualified");
  object = limit_range("PersistentVolumeClaim");
  EXPECT_EQ(
      h.create(object),
      "spec.limits[0].limits: Required value: either minimum or maximum storage value is required, but neither was "
      "provided");
  object = limit_range("Pod");
  object.spec.limits[0].default_["cpu"] = quantity("1");
  EXPECT_EQ(h.create(object), "spec.limits[0].default: Forbidden: may not be specified when `type` is 'Pod'");
  object = limit_range("Container");
  object.spec.limits[0].max_limit_request_ratio["cpu"] = quantity("500m");
  EXPECT_EQ(h.create(object),
            "spec.limits[0].maxLimitRequestRatio[cpu]: Invalid value: \"500m\": ratio 500m is less "
            "than 1");
}

TEST(ResourceQuota, Rules) {
  RulesHarness h(resource_quota_rules());
  core::v1::ResourceQuota quota;
  quota.metadata.name = "q";
  quota.spec.hard["pods"] = quantity("5");
  quota.spec.scopes = {"BestEffort"};
  EXPECT_EQ(h.create(quota), "");
  quota.spec.scopes = {"BestEffort", "NotBestEffort"};
  EXPECT_EQ(h.create(quota), "spec.scopes: Invalid value: [\"BestEffort\",\"NotBestEffort\"]: conflicting scopes");
  auto changed = quota;
  changed.spec.scopes = {};
  EXPECT_EQ(h.update(changed, quota), "spec.scopes: Invalid value: null: field is immutable");
  quota.status.hard = {{"pods", quantity("5")}, {"limits.cpu", quantity("2")}};
  quota.status.used = {{"pods", quantity("1")}};
  EXPECT_EQ(h.cells(quota), "q|pods: 1/5|limits.cpu: 0/2|<unknown>");
}

TEST(ComponentStatus, Cells) {
  RulesHarness h(component_status_rules());
  core::v1::ComponentStatus status;
  status.metadata.name = "scheduler";
  status.conditions.resize(1);
  status.conditions[0].type = "Healthy";
  status.conditions[0].status = "True";
  status.conditions[0].message = "ok";
  EXPECT_EQ(h.cells(status), "scheduler|Healthy|ok|");
}

}  // namespace
}  // namespace api
