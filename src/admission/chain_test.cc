// All plugins in their order: what an ordinary Pod comes to, and who speaks first.
#include <gtest/gtest.h>

#include "admission/testing.h"

namespace admission {
namespace {

using testing::Request;
using testing::World;

World cluster() {
  World world;
  world.ns("n").ns("ending", "{}", "Terminating");
  world.put("core.v1 ServiceAccount", "", "serviceaccounts", R"({"metadata":{"name":"default","namespace":"n"}})");
  return world;
}
constexpr std::string_view kPod =
    R"({"metadata":{"name":"p","namespace":"n"},"spec":{"automountServiceAccountToken":false,)"
    R"("containers":[{"name":"c","image":"i"}]}})";

TEST(Chain, Order) {
  std::string names;
  for (const auto& plugin : default_plugins()) names += std::string(plugin->name()) + " ";
  EXPECT_EQ(names,
            "NamespaceLifecycle LimitRanger ServiceAccount TaintNodesByCondition PodSecurity Priority "
            "DefaultTolerationSeconds "
            "DefaultStorageClass StorageObjectInUseProtection PersistentVolumeClaimResize RuntimeClass "
            "CertificateSubjectRestriction DefaultIngressClass PodTopologyLabels ResourceQuota ");
}

TEST(Chain, PluginsAreChosen) {
  const auto chosen = [](const PluginChoice& choice) {
    auto plugins = choose_plugins(choice);
    if (!plugins) return plugins.error().message;
    std::string names;
    for (const auto& plugin : *plugins) names += std::string(plugin->name()) + " ";
    return names;
  };
  EXPECT_EQ(chosen({.enable = {"ResourceQuota", "AlwaysPullImages"},
                    .disable = {"ServiceAccount", "PodSecurity", "DefaultStorageClass", "ValidatingAdmissionWebhook"}}),
            "NamespaceLifecycle LimitRanger TaintNodesByCondition Priority DefaultTolerationSeconds "
            "StorageObjectInUseProtection PersistentVolumeClaimResize RuntimeClass CertificateSubjectRestriction "
            "DefaultIngressClass PodTopologyLabels ResourceQuota ");
  EXPECT_EQ(chosen({.enable = {"Nonsense"}}), "enable-admission-plugins plugin \"Nonsense\" is unknown");
  EXPECT_EQ(chosen({.disable = {"serviceaccount"}}), "disable-admission-plugins plugin \"serviceaccount\" is unknown");
  EXPECT_EQ(chosen({.enable = {"Priority"}, .disable = {"Priority"}}),
            "[Priority] in enable-admission-plugins and disable-admission-plugins overlapped");
}

TEST(Chain, OrdinaryPod) {
  const Chain chain(default_plugins());
  const World world = cluster();
  Request request(Operation::kCreate, "pods", "core.v1 Pod", "n", kPod);
  ASSERT_TRUE(chain.admit(request.attributes, world));
  ASSERT_TRUE(chain.validate(request.attributes, world));
  EXPECT_EQ(
      request.at("spec"),
      R"({"containers":[{"name":"c","image":"i","resources":{}}],"serviceAccountName":"default",)"
      R"("serviceAccount":"default",)"
      R"("automountServiceAccountToken":false,"tolerations":[)"
      R"({"key":"node.kubernetes.io/not-ready","operator":"Exists","effect":"NoExecute","tolerationSeconds":300},)"
      R"({"key":"node.kubernetes.io/unreachable","operator":"Exists","effect":"NoExecute","tolerationSeconds":300}],)"
      R"("priority":0,"preemptionPolicy":"PreemptLowerPriority"})");
  EXPECT_TRUE(request.warnings.empty());
  EXPECT_EQ(world.namespace_reads, 1);
}

TEST(Chain, NamespaceSpeaksFirst) {
  const Chain chain(default_plugins());
  const World world = cluster();
  for (const auto& [ns, message] : {std::pair{"nosuch", "namespaces \"nosuch\" not found"},
                                    std::pair{"ending",
                                              "pods \"p\" is forbidden: unable to create new content in namespace "
                                              "ending because it is being terminated"}}) {
    Request request(Operation::kCreate, "pods", "core.v1 Pod", ns, kPod);
    auto result = chain.admit(request.attributes, world);
    ASSERT_FALSE(result);
    EXPECT_EQ(result.error().message, message);
  }
}

}  // namespace
}  // namespace admission
