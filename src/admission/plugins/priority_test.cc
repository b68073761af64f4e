#include <gtest/gtest.h>

#include "admission/plugins/plugins.h"
#include "admission/testing.h"

namespace admission {
namespace {

using testing::Request;
using testing::World;

constexpr std::string_view kType = "scheduling.v1 PriorityClass", kGroup = "scheduling.k8s.io";

World classes(std::string_view more = "") {
  World world;
  world.put(kType, kGroup, "priorityclasses", R"({"metadata":{"name":"hi"},"value":500,"preemptionPolicy":"Never"})");
  world.put(kType, kGroup, "priorityclasses", R"({"metadata":{"name":"plain"},"value":7})");
  if (!more.empty()) world.put(kType, kGroup, "priorityclasses", more);
  return world;
}
constexpr std::string_view kDefault =
    R"({"metadata":{"name":"def"},"value":11,"globalDefault":true,"preemptionPolicy":"PreemptLowerPriority"})";

std::string pod(const std::string& spec) { return R"({"metadata":{"name":"p"},"spec":{)" + spec + "}}"; }

TEST(Priority, Pods) {
  struct Case {
    std::string spec;
    bool with_default;
    std::string_view name, priority, policy, refusal;
  };
  const Case cases[] = {
      {R"("priorityClassName":"hi")", false, "\"hi\"", "500", "\"Never\"", ""},
      {R"("priorityClassName":"plain")", false, "\"plain\"", "7", "", ""},
      {"", false, "", "0", "\"PreemptLowerPriority\"", ""},
      {R"("priority":0)", false, "", "0", "\"PreemptLowerPriority\"", ""},
      {"", true, "\"def\"", "11", "\"PreemptLowerPriority\"", ""},
      {R"("priorityClassName":"hi","priority":3)", false, "", "", "",
       "pods \"p\" is forbidden: the integer value of priority (3) must not be provided in pod spec; priority "
       "admission "
       "controller computed 500 from the given PriorityClass name"},
      {R"("priorityClassName":"hi","preemptionPolicy":"PreemptLowerPriority")", false, "", "", "",
       "pods \"p\" is forbidden: the string value of PreemptionPolicy (PreemptLowerPriority) must not be provided in "
       "pod "
       "spec; priority admission controller computed Never from the given PriorityClass name"},
      {R"("priorityClassName":"nope")", false, "", "", "",
       "pods \"p\" is forbidden: no PriorityClass with name nope was found"},
  };
  auto plugin = make_priority();
  for (const Case& c : cases) {
    Request request(Operation::kCreate, "pods", "core.v1 Pod", "n", pod(c.spec));
    EXPECT_EQ(request.run(*plugin, classes(c.with_default ? kDefault : "")), c.refusal) << c.spec;
    if (!c.refusal.empty()) continue;
    EXPECT_EQ(request.at("spec.priorityClassName"), c.name) << c.spec;
    EXPECT_EQ(request.at("spec.priority"), c.priority) << c.spec;
    EXPECT_EQ(request.at("spec.preemptionPolicy"), c.policy) << c.spec;
  }
}

TEST(Priority, UpdatesKeepWhatWasComputed) {
  auto plugin = make_priority();
  Request request(Operation::kUpdate, "pods", "core.v1 Pod", "n", pod(""),
                  pod(R"("priority":9,"preemptionPolicy":"Never")"));
  EXPECT_EQ(request.run(*plugin, classes()), "");
  EXPECT_EQ(request.at("spec.priority"), "9");
  EXPECT_EQ(request.at("spec.preemptionPolicy"), "\"Never\"");
}

TEST(Priority, OneDefault) {
  auto plugin = make_priority();
  const std::string second = R"({"metadata":{"name":"def2"},"value":12,"globalDefault":true})";
  Request create(Operation::kCreate, "scheduling.k8s.io/priorityclasses", kType, "", second);
  EXPECT_EQ(
      create.run(*plugin, classes(kDefault)),
      "priorityclasses.scheduling.k8s.io \"def2\" is forbidden: PriorityClass def is already marked as default. Only "
      "one default can exist");
  EXPECT_EQ(create.error.details->group, "scheduling.k8s.io");
  EXPECT_EQ(create.run(*plugin, classes()), "");
  Request same(Operation::kUpdate, "scheduling.k8s.io/priorityclasses", kType, "", kDefault, kDefault);
  EXPECT_EQ(same.run(*plugin, classes(kDefault)), "");
  Request other(Operation::kUpdate, "scheduling.k8s.io/priorityclasses", kType, "", second, second);
  EXPECT_NE(other.run(*plugin, classes(kDefault)), "");
}

}  // namespace
}  // namespace admission
