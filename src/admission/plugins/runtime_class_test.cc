#include <gtest/gtest.h>

#include "admission/plugins/plugins.h"
#include "admission/testing.h"

namespace admission {
namespace {

using testing::Request;
using testing::World;

TEST(RuntimeClass, Table) {
  World world;
  const auto put = [&](std::string_view json) {
    world.put("node.v1 RuntimeClass", "node.k8s.io", "runtimeclasses", json);
  };
  put(R"({"metadata":{"name":"rc"},"handler":"h","overhead":{"podFixed":{"cpu":"10m"}},
          "scheduling":{"nodeSelector":{"rc":"y"},"tolerations":[{"key":"rc","operator":"Exists"}]}})");
  put(R"({"metadata":{"name":"bare"},"handler":"h"})");
  struct Case {
    std::string_view spec, refusal, overhead, selector, tolerations;
  };
  const std::string p = "pods \"p\" is forbidden: ";
  const Case cases[] = {
      {R"({"runtimeClassName":"rc"})", "", R"({"cpu":"10m"})", R"({"rc":"y"})",
       R"([{"key":"rc","operator":"Exists"}])"},
      {R"({"runtimeClassName":"rc","overhead":{"cpu":"0.01"},"nodeSelector":{"a":"b"}})", "", R"({"cpu":"10m"})",
       R"({"a":"b","rc":"y"})", R"([{"key":"rc","operator":"Exists"}])"},
      // A toleration that the class's covers goes.
      {R"({"runtimeClassName":"rc","tolerations":[{"key":"z","operator":"Exists"},{"key":"rc","value":"v"}]})", "",
       R"({"cpu":"10m"})", R"({"rc":"y"})", R"([{"key":"z","operator":"Exists"},{"key":"rc","operator":"Exists"}])"},
      {R"({"runtimeClassName":"bare"})", "", "", "", ""},
      {"{}", "", "", "", ""},
      {R"({"runtimeClassName":"rc","overhead":{"cpu":"1"}})",
       "pod rejected: Pod's Overhead doesn't match RuntimeClass's defined Overhead", "", "", ""},
      {R"({"runtimeClassName":"nope"})", "pod rejected: RuntimeClass \"nope\" not found", "", "", ""},
      {R"({"runtimeClassName":"rc","nodeSelector":{"rc":"n"}})",
       "conflict: runtimeClass.scheduling.nodeSelector[rc] = y; pod.spec.nodeSelector[rc] = n", "", "", ""},
      {R"({"overhead":{"cpu":"1"}})",
       "pod rejected: Pod Overhead set without corresponding RuntimeClass defined Overhead", "", "", ""},
      {R"({"runtimeClassName":"bare","overhead":{"cpu":"1"}})",
       "pod rejected: Pod Overhead set without corresponding RuntimeClass defined Overhead", "", "", ""},
  };
  auto plugin = make_runtime_class();
  for (const Case& c : cases) {
    Request request(Operation::kCreate, "pods", "core.v1 Pod", "n",
                    R"({"metadata":{"name":"p"},"spec":)" + std::string(c.spec) + "}");
    EXPECT_EQ(request.run(*plugin, world), c.refusal.empty() ? "" : p + std::string(c.refusal)) << c.spec;
    if (!c.refusal.empty()) continue;
    EXPECT_EQ(request.at("spec.overhead"), c.overhead) << c.spec;
    EXPECT_EQ(request.at("spec.nodeSelector"), c.selector) << c.spec;
    EXPECT_EQ(request.at("spec.tolerations"), c.tolerations) << c.spec;
  }
}

}  // namespace
}  // namespace admission
