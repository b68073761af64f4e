#include <gtest/gtest.h>

#include "admission/plugins/plugins.h"
#include "admission/testing.h"

namespace admission {
namespace {

using testing::Request;
using testing::World;

World ranges(std::string_view limits = R"([
    {"type":"Container","default":{"cpu":"500m","memory":"128Mi"},"defaultRequest":{"cpu":"100m","memory":"128Mi"},
     "max":{"cpu":"1","memory":"1Gi"},"min":{"cpu":"50m"},"maxLimitRequestRatio":{"memory":"2"}},
    {"type":"Pod","max":{"cpu":"1500m"}},
    {"type":"PersistentVolumeClaim","min":{"storage":"1Gi"},"max":{"storage":"2Gi"}}])") {
  World world;
  world.put("core.v1 LimitRange", "", "limitranges",
            R"({"metadata":{"name":"l","namespace":"lr"},"spec":{"limits":)" + std::string(limits) + "}}");
  return world;
}

std::string pod(const std::string& containers, const std::string& init = "[]") {
  return R"({"metadata":{"name":"p","namespace":"lr"},"spec":{"containers":)" + containers + R"(,"initContainers":)" +
         init + "}}";
}
std::string container(const std::string& resources) { return R"([{"name":"c","resources":)" + resources + "}]"; }

TEST(LimitRanger, Defaults) {
  const std::string both =
      R"([{"name":"c","resources":{"limits":{"cpu":"500m","memory":"128Mi"},"requests":{"cpu":"100m",)"
      R"("memory":"128Mi"}}}])";
  auto plugin = make_limit_ranger();
  Request one(Operation::kCreate, "pods", "core.v1 Pod", "lr", pod(container("{}")));
  EXPECT_EQ(one.run(*plugin, ranges()), "");
  EXPECT_EQ(one.at("metadata.annotations"),
            R"({"kubernetes.io/limit-ranger":"LimitRanger plugin set: cpu, memory request for container c; )"
            R"(cpu, memory limit for container c"})");
  EXPECT_TRUE(one.at("spec.containers").starts_with(both.substr(0, both.size() - 2))) << one.at("spec.containers");
  Request part(Operation::kCreate, "pods", "core.v1 Pod", "lr",
               pod(container(R"({"limits":{"cpu":"800m"},"requests":{"cpu":"800m"}})"), R"([{"name":"i"}])"));
  EXPECT_EQ(part.run(*plugin, ranges()), "");
  EXPECT_EQ(part.at("metadata.annotations"),
            R"({"kubernetes.io/limit-ranger":"LimitRanger plugin set: memory request for container c; )"
            R"(memory limit for container c; )"
            R"(cpu, memory request for init container i; cpu, memory limit for init container i"})");
  Request elsewhere(Operation::kCreate, "pods", "core.v1 Pod", "other", pod(container("{}")));
  EXPECT_EQ(elsewhere.run(*plugin, ranges()), "");
  EXPECT_EQ(elsewhere.at("metadata.annotations"), "");
}

TEST(LimitRanger, Pods) {
  const std::string p = "pods \"p\" is forbidden: ";
  const std::pair<std::string, std::string> cases[] = {
      {pod(container(R"({"limits":{"cpu":"2"},"requests":{"cpu":"2"}})")),
       p + "[maximum cpu usage per Container is 1, but limit is 2, maximum cpu usage per Pod is 1500m, but limit is "
           "2]"},
      {pod(container(R"({"requests":{"cpu":"10m"}})")),
       p + "minimum cpu usage per Container is 50m, but request is 10m"},
      {pod(container(R"({"limits":{"memory":"256Mi"},"requests":{"memory":"64Mi"}})")),
       p + "memory max limit to request ratio per Container is 2, but provided ratio is 4.000000"},
      {pod(container(R"({"limits":{"cpu":"1","memory":"2Gi"},"requests":{"memory":"2Gi"}})")),
       p + "maximum memory usage per Container is 1Gi, but limit is 2Gi"},
      {pod(R"([{"name":"a","resources":{"limits":{"cpu":"900m"},"requests":{"cpu":"900m"}}},
               {"name":"b","resources":{"limits":{"cpu":"900m"},"requests":{"cpu":"900m"}}}])"),
       p + "maximum cpu usage per Pod is 1500m, but limit is 1800m"},
      // An init container runs alone: the larger of the two counts.
      {pod(container(R"({"limits":{"cpu":"900m"}})"), R"([{"name":"i","resources":{"limits":{"cpu":"900m"}}}])"), ""},
  };
  auto plugin = make_limit_ranger();
  for (const auto& [json, refusal] : cases) {
    Request request(Operation::kCreate, "pods", "core.v1 Pod", "lr", json);
    EXPECT_EQ(request.run(*plugin, ranges()), refusal) << json;
    if (!refusal.empty()) {
      EXPECT_EQ(request.error.reason, base::Reason::kForbidden);
    }
  }
}

TEST(LimitRanger, NothingStated) {
  const World world =
      ranges(R"([{"type":"Container","min":{"a.b/c":"1"},"max":{"a.b/d":"1"},"maxLimitRequestRatio":{"a.b/e":"2"}}])");
  auto plugin = make_limit_ranger();
  Request request(Operation::kCreate, "pods", "core.v1 Pod", "lr", pod(container("{}")));
  EXPECT_EQ(request.run(*plugin, world),
            "pods \"p\" is forbidden: [minimum a.b/c usage per Container is 1.  No request is specified, "
            "maximum a.b/d usage per Container is 1.  No limit is specified, "
            "a.b/e max limit to request ratio per Container is 2, but no request is specified or request is 0]");
  Request update(Operation::kUpdate, "pods", "core.v1 Pod", "lr", pod(container("{}")), pod(container("{}")));
  EXPECT_EQ(update.run(*plugin, world), "");
  Request resize(Operation::kUpdate, "pods/resize", "core.v1 Pod", "lr", pod(container("{}")), pod(container("{}")));
  EXPECT_NE(resize.run(*plugin, world), "");
}

TEST(LimitRanger, Claims) {
  const auto claim = [](const std::string& storage) {
    return R"({"metadata":{"name":"c","namespace":"lr"},"spec":{"resources":{"requests":{"storage":")" + storage +
           "\"}}}}";
  };
  const std::pair<std::string, std::string> cases[] = {
      {"500Mi",
       "persistentvolumeclaims \"c\" is forbidden: minimum storage usage per PersistentVolumeClaim is 1Gi, but request "
       "is 500Mi"},
      {"1Gi", ""},
      {"2Gi", ""},
      {"3Gi",
       "persistentvolumeclaims \"c\" is forbidden: maximum storage usage per PersistentVolumeClaim is 2Gi, but request "
       "is 3Gi"},
  };
  auto plugin = make_limit_ranger();
  for (const auto& [storage, refusal] : cases) {
    Request request(Operation::kCreate, "persistentvolumeclaims", "core.v1 PersistentVolumeClaim", "lr",
                    claim(storage));
    EXPECT_EQ(request.run(*plugin, ranges()), refusal) << storage;
  }
}

}  // namespace
}  // namespace admission
