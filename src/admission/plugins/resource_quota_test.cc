#include <gtest/gtest.h>

#include "admission/plugins/plugins.h"
#include "admission/testing.h"

namespace admission {
namespace {

using testing::Request;
using testing::World;

void quota(World& world, const std::string& hard, const std::string& more = "", const std::string& status = "{}") {
  world.put(
      "core.v1 ResourceQuota", "", "resourcequotas",
      R"({"metadata":{"name":"q","namespace":"n"},"spec":{"hard":)" + hard + more + R"(},"status":)" + status + "}");
}
std::string pod(const std::string& name, const std::string& resources = "{}", const std::string& spec = "",
                const std::string& phase = "Running") {
  return R"({"metadata":{"name":")" + name + R"(","namespace":"n"},"spec":{"containers":[{"name":"c","resources":)" +
         resources + "}]" + spec + R"(},"status":{"phase":")" + phase + "\"}}";
}
std::string refusal(const World& world, const std::string& json) {
  auto plugin = make_resource_quota();
  Request request(Operation::kCreate, "pods", "core.v1 Pod", "n", json);
  return request.run(*plugin, world);
}
const std::string kForbidden = "pods \"p\" is forbidden: ";

TEST(ResourceQuota, CountsPods) {
  World world;
  world.put("core.v1 Pod", "", "pods", pod("a")).put("core.v1 Pod", "", "pods", pod("b"));
  EXPECT_EQ(refusal(world, pod("p")), "");
  quota(world, R"({"pods":"2"})");
  EXPECT_EQ(refusal(world, pod("p")),
            kForbidden + "exceeded quota: q, requested: pods=1, used: pods=2, limited: pods=2");
  // Finished Pods are in storage and nowhere else.
  world.put("core.v1 Pod", "", "pods", pod("b", "{}", "", "Succeeded"));
  EXPECT_EQ(refusal(world, pod("p")), "");
  quota(world, R"({"pods":"2","count/pods":"2"})");
  EXPECT_EQ(refusal(world, pod("p")),
            kForbidden + "exceeded quota: q, requested: count/pods=1, used: count/pods=2, limited: count/pods=2");
  // What the controller has confirmed goes before what is asked for.
  quota(world, R"({"pods":"0"})", "", R"({"hard":{"pods":"5"},"used":{"pods":"1"}})");
  EXPECT_EQ(refusal(world, pod("p")), "");
}

// Between admission and the end of the create.
TEST(ResourceQuota, WhatWasLetThroughHoldsItsPlace) {
  World world;
  quota(world, R"({"pods":"2"})");
  const auto plugin = make_resource_quota();
  const auto create = [&](const std::string& uid, DryRun dry_run = DryRun::kNo) {
    std::string json = pod("p");
    json.replace(json.find("\"namespace\""), 0, "\"uid\":\"" + uid + "\",");
    Request request(Operation::kCreate, "pods", "core.v1 Pod", "n", json);
    request.attributes.dry_run = dry_run;
    return request.validate(*plugin, world);
  };
  EXPECT_EQ(create("a"), "");
  EXPECT_EQ(create("x", DryRun::kYes), "") << "takes no room";
  EXPECT_EQ(create("b"), "");
  EXPECT_NE(create("c"), "") << "two are on their way";
  plugin->create_ended("c");
  std::string visible = pod("a");
  visible.replace(visible.find("\"namespace\""), 0, "\"uid\":\"a\",");
  world.put("core.v1 Pod", "", "pods", visible);
  EXPECT_NE(create("d"), "") << "counted once: one can be seen, the other not yet";
  plugin->create_ended("d");
  plugin->create_ended("a");
  plugin->create_ended("b");
  EXPECT_EQ(create("e"), "") << "b has failed";
  plugin->create_ended("e");
  EXPECT_EQ(create("f"), "") << "so has e";
}

TEST(ResourceQuota, Compute) {
  World world;
  world.put("core.v1 Pod", "", "pods",
            pod("a", R"({"requests":{"cpu":"300m","memory":"1Gi","x.y/gpu":"1"},"limits":{"cpu":"1","x.y/gpu":"1"}})"));
  quota(world, R"({"requests.cpu":"1","requests.memory":"2Gi","limits.cpu":"2","requests.x.y/gpu":"1"})");
  EXPECT_EQ(refusal(world, pod("p", R"({"requests":{"cpu":"700m","memory":"1Gi"},"limits":{"cpu":"1"}})")), "");
  EXPECT_EQ(refusal(world, pod("p", R"({"requests":{"cpu":"800m","memory":"1536Mi"},"limits":{"cpu":"1"}})")),
            kForbidden +
                "exceeded quota: q, requested: requests.cpu=800m,requests.memory=1536Mi, used: "
                "requests.cpu=300m,requests.memory=1Gi, limited: requests.cpu=1,requests.memory=2Gi");
  EXPECT_EQ(
      refusal(world,
              pod("p", R"({"requests":{"cpu":"1m","memory":"1","x.y/gpu":"1"},"limits":{"cpu":"1m","x.y/gpu":"1"}})")),
      kForbidden +
          "exceeded quota: q, requested: requests.x.y/gpu=1, used: requests.x.y/gpu=1, limited: requests.x.y/gpu=1");
  EXPECT_EQ(
      refusal(world, pod("p")),
      kForbidden + "failed quota: q: must specify limits.cpu for: c; requests.cpu for: c; requests.memory for: c");
}

TEST(ResourceQuota, Scopes) {
  World world;
  world.put("core.v1 Pod", "", "pods", pod("a"))
      .put("core.v1 Pod", "", "pods", pod("b", R"({"requests":{"cpu":"1"}})"));
  quota(world, R"({"pods":"1"})", R"(,"scopes":["BestEffort"])");
  EXPECT_EQ(refusal(world, pod("p")),
            kForbidden + "exceeded quota: q, requested: pods=1, used: pods=1, limited: pods=1");
  EXPECT_EQ(refusal(world, pod("p", R"({"requests":{"cpu":"1"}})")), "");
  quota(world, R"({"pods":"0"})",
        R"(,"scopeSelector":{"matchExpressions":[{"scopeName":"PriorityClass","operator":"In","values":["hi"]}]})");
  EXPECT_EQ(refusal(world, pod("p")), "");
  EXPECT_EQ(refusal(world, pod("p", "{}", R"(,"priorityClassName":"hi")")),
            kForbidden + "exceeded quota: q, requested: pods=1, used: pods=0, limited: pods=0");
  quota(world, R"({"pods":"0"})", R"(,"scopes":["Terminating"])");
  EXPECT_EQ(refusal(world, pod("p")), "");
  EXPECT_NE(refusal(world, pod("p", "{}", R"(,"activeDeadlineSeconds":5)")), "");
}

TEST(ResourceQuota, OtherKinds) {
  World world;
  auto plugin = make_resource_quota();
  world.put("core.v1 ConfigMap", "", "configmaps", R"({"metadata":{"name":"a","namespace":"n"}})");
  world.put("apps.v1 Deployment", "apps", "deployments", R"({"metadata":{"name":"d","namespace":"n"}})");
  quota(world, R"({"configmaps":"1","count/deployments.apps":"1","services":"5","services.nodeports":"1",)"
               R"("services.loadbalancers":"0"})");
  struct Case {
    std::string_view resource, type, spec, refusal;
  };
  const Case cases[] = {
      {"configmaps", "core.v1 ConfigMap", "",
       "configmaps \"x\" is forbidden: exceeded quota: q, requested: configmaps=1, used: configmaps=1, limited: "
       "configmaps=1"},
      {"apps/deployments", "apps.v1 Deployment", "",
       "deployments.apps \"x\" is forbidden: exceeded quota: q, requested: count/deployments.apps=1, used: "
       "count/deployments.apps=1, limited: count/deployments.apps=1"},
      {"apps/replicasets", "apps.v1 ReplicaSet", "", ""},
      {"secrets", "core.v1 Secret", "", ""},
      {"services", "core.v1 Service", R"(,"spec":{"type":"ClusterIP","ports":[{"port":1}]})", ""},
      {"services", "core.v1 Service", R"(,"spec":{"type":"NodePort","ports":[{"port":1},{"port":2}]})",
       "services \"x\" is forbidden: exceeded quota: q, requested: services.nodeports=2, used: services.nodeports=0, "
       "limited: services.nodeports=1"},
      {"services", "core.v1 Service",
       R"(,"spec":{"type":"LoadBalancer","allocateLoadBalancerNodePorts":false,"ports":[{"port":1}]})",
       "services \"x\" is forbidden: exceeded quota: q, requested: services.loadbalancers=1, used: "
       "services.loadbalancers=0, limited: services.loadbalancers=0"},
  };
  for (const Case& c : cases) {
    Request request(Operation::kCreate, c.resource, c.type, "n",
                    R"({"metadata":{"name":"x","namespace":"n"})" + std::string(c.spec) + "}");
    EXPECT_EQ(request.run(*plugin, world), c.refusal) << c.resource << c.spec;
  }
}

TEST(ResourceQuota, Claims) {
  World world;
  auto plugin = make_resource_quota();
  const auto claim = [](const std::string& name, const std::string& storage) {
    return R"({"metadata":{"name":")" + name +
           R"(","namespace":"n"},"spec":{"storageClassName":"gold","resources":{"requests":{"storage":")" + storage +
           "\"}}}}";
  };
  constexpr std::string_view kType = "core.v1 PersistentVolumeClaim", kResource = "persistentvolumeclaims";
  world.put(kType, "", kResource, claim("a", "2Gi"));
  quota(world, R"({"gold.storageclass.storage.k8s.io/requests.storage":"5Gi",)"
               R"("silver.storageclass.storage.k8s.io/persistentvolumeclaims":"0"})");
  Request fits(Operation::kCreate, kResource, kType, "n", claim("x", "3Gi"));
  EXPECT_EQ(fits.run(*plugin, world), "");
  Request large(Operation::kCreate, kResource, kType, "n", claim("x", "4Gi"));
  const std::string g = "gold.storageclass.storage.k8s.io/requests.storage";
  EXPECT_EQ(large.run(*plugin, world), "persistentvolumeclaims \"x\" is forbidden: exceeded quota: q, requested: " + g +
                                           "=4Gi, used: " + g + "=2Gi, limited: " + g + "=5Gi");
  // Growth is charged for what it adds.
  Request grown(Operation::kUpdate, kResource, kType, "n", claim("a", "5Gi"), claim("a", "2Gi"));
  EXPECT_EQ(grown.run(*plugin, world), "");
  Request too_large(Operation::kUpdate, kResource, kType, "n", claim("a", "6Gi"), claim("a", "2Gi"));
  EXPECT_NE(too_large.run(*plugin, world).find("requested: " + g + "=4Gi, used: " + g + "=2Gi"), std::string::npos);
}

}  // namespace
}  // namespace admission
