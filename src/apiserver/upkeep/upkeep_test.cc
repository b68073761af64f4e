#include <gtest/gtest.h>

#include "apiserver/upkeep/conditions.h"

namespace apiserver::upkeep {
namespace {

constexpr base::WallTime kNow{std::chrono::seconds(1'767'323'045)};
constexpr base::WallTime kLater = kNow + std::chrono::seconds(60);

TEST(Upkeep, SaysWhetherThePriorityLevelExists) {
  ::api::flowcontrol::v1::FlowSchema schema;
  schema.spec.priority_level_configuration.name = "low";
  const auto first = dangling(schema, Found::kYes, kNow);
  ASSERT_TRUE(first);
  EXPECT_EQ(first->type + first->status + first->reason, "DanglingFalseFound");
  EXPECT_EQ(first->message,
            R"(This FlowSchema references the PriorityLevelConfiguration object named "low" and it exists)");
  schema.status.conditions = {*first};
  EXPECT_FALSE(dangling(schema, Found::kYes, kLater));
  const auto gone = dangling(schema, Found::kNo, kLater);
  ASSERT_TRUE(gone);
  EXPECT_EQ(gone->status + gone->reason, "TrueNotFound");
  EXPECT_EQ(gone->last_transition_time.seconds, first->last_transition_time.seconds + 60);
  // Another level that is there as well: other words, the same state.
  schema.spec.priority_level_configuration.name = "high";
  const auto renamed = dangling(schema, Found::kYes, kLater);
  ASSERT_TRUE(renamed);
  EXPECT_EQ(renamed->last_transition_time, first->last_transition_time);
}

TEST(Upkeep, SaysWhetherAnApiServiceIsThere) {
  ::api::apiregistration::v1::APIService object;
  EXPECT_FALSE(available(object, Found::kNo, kNow)) << "an API of this server";
  object.spec.service.ensure().name = "s";
  object.spec.service->namespace_ = "n";
  const auto missing = available(object, Found::kNo, kNow);
  ASSERT_TRUE(missing);
  EXPECT_EQ(missing->status + missing->reason, "FalseServiceNotFound");
  EXPECT_EQ(missing->message, R"(service/s in "n" is not present)");
  object.status.conditions = {*missing};
  EXPECT_FALSE(available(object, Found::kNo, kLater));
  EXPECT_EQ(available(object, Found::kYes, kLater)->reason, "FailedDiscoveryCheck");
}

}  // namespace
}  // namespace apiserver::upkeep
