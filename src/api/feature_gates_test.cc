#include "api/feature_gates.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace api {
namespace {

std::string refusal(std::string_view flag) {
  auto parsed = FeatureGates::parse(flag);
  return parsed ? "" : parsed.error().message;
}

TEST(FeatureGates, TheTableIsOrderedAndLocksOnlyWhatStays) {
  const auto features = known_features();
  EXPECT_GT(features.size(), 200u);
  for (size_t i = 1; i < features.size(); ++i) EXPECT_LT(features[i - 1].name, features[i].name);
  for (const Feature& feature : features) {
    EXPECT_FALSE(feature.stage == FeatureStage::kAlpha && feature.standard == FeatureDefault::kOn) << feature.name;
    EXPECT_FALSE(feature.stage == FeatureStage::kAlpha && feature.lock == FeatureLock::kLocked) << feature.name;
  }
}

TEST(FeatureGates, DefaultsHoldUntilTheFlagSaysOtherwise) {
  const FeatureGates none;
  EXPECT_TRUE(none.enabled("WatchList"));
  EXPECT_FALSE(none.enabled("HPAScaleToZero"));
  EXPECT_TRUE(none.changed().empty());
  const FeatureGates some = FeatureGates::parse(" WatchList = F ,,HPAScaleToZero=1,ImageVolume=true").value();
  EXPECT_FALSE(some.enabled("WatchList"));
  EXPECT_TRUE(some.enabled("HPAScaleToZero"));
  EXPECT_TRUE(some.enabled("ImageVolume"));
  EXPECT_THAT(some.changed(), ::testing::ElementsAre("HPAScaleToZero", "WatchList")) << "ImageVolume is on anyway";
  EXPECT_TRUE(FeatureGates::parse("kube:HPAScaleToZero=true").value().enabled("HPAScaleToZero"));
  EXPECT_FALSE(FeatureGates::parse("WatchList=true,WatchList=false").value().enabled("WatchList")) << "the last counts";
}

TEST(FeatureGates, AllOfAStageYieldsToWhatIsNamed) {
  const FeatureGates alpha = FeatureGates::parse("HPAScaleToZero=false,AllAlpha=true").value();
  EXPECT_TRUE(alpha.enabled("CSIVolumeHealth"));
  EXPECT_FALSE(alpha.enabled("HPAScaleToZero"));
  EXPECT_FALSE(alpha.enabled("AllBeta"));
  EXPECT_FALSE(alpha.enabled("SELinuxMount")) << "beta";
  const FeatureGates beta = FeatureGates::parse("AllBeta=false,WatchList=true").value();
  EXPECT_TRUE(beta.enabled("WatchList"));
  EXPECT_FALSE(beta.enabled("APIResponseCompression"));
  EXPECT_TRUE(beta.enabled("SidecarContainers")) << "general";
}

TEST(FeatureGates, RefusesWithTheWordsOfUpstream) {
  EXPECT_EQ(refusal("NoSuch=true"), "unrecognized feature gate: NoSuch");
  EXPECT_EQ(refusal("SidecarContainers=false"),
            "cannot set feature gate SidecarContainers to false, feature is locked to true");
  EXPECT_EQ(refusal("SidecarContainers=true"), "");
  EXPECT_EQ(refusal("AllowOverwriteTerminationGracePeriodSeconds=true"),
            "cannot set feature gate AllowOverwriteTerminationGracePeriodSeconds to true, feature is locked to false");
  EXPECT_EQ(refusal("WatchList=maybe"),
            "invalid value of WatchList=maybe, err: strconv.ParseBool: parsing \"maybe\": invalid syntax");
  EXPECT_EQ(refusal("WatchList"), "missing bool value for WatchList");
  EXPECT_EQ(refusal("other:WatchList=true"), "component not registered: other");
  EXPECT_EQ(refusal("kube:WatchList=true,ImageVolume=true"),
            "set kube feature gates with default empty prefix or kube: prefix consistently, do not mix use");
  EXPECT_EQ(refusal("GangScheduling=true"),
            "GangScheduling is enabled, but depends on features that are disabled: [GenericWorkload]");
  EXPECT_EQ(refusal("GangScheduling=true,GenericWorkload=true"), "");
  EXPECT_EQ(
      refusal("DynamicResourceAllocation=false,SidecarContainers=false"),
      "[cannot set feature gate DynamicResourceAllocation to false, feature is locked to true, cannot set feature "
      "gate SidecarContainers to false, feature is locked to true]");
}

TEST(FeatureGates, SaysWhatWillGoAway) {
  EXPECT_THAT(FeatureGates::parse("SidecarContainers=true,KMSv1=true,WatchList=false").value().warnings(),
              ::testing::ElementsAre(
                  "Setting deprecated feature gate KMSv1=true. It will be removed in a future release.",
                  "Setting GA feature gate SidecarContainers=true. It will be removed in a future release."));
}

TEST(FeatureGates, AreShownAsAMetric) {
  std::string text;
  base::MetricsWriter writer(text);
  FeatureGates::parse("WatchList=false").value().collect(writer);
  for (const char* line : {"kubernetes_feature_enabled{name=\"WatchList\",stage=\"BETA\"} 0\n",
                           "kubernetes_feature_enabled{name=\"SidecarContainers\",stage=\"\"} 1\n",
                           "kubernetes_feature_enabled{name=\"AllAlpha\",stage=\"ALPHA\"} 0\n"})
    EXPECT_NE(text.find(line), std::string::npos) << line;
}

}  // namespace
}  // namespace api
