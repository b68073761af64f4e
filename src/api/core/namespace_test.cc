#include <gtest/gtest.h>

#include "api/kinds.h"
#include "api/testing.h"
#include "gen/core/v1.h"

namespace api {
namespace {

using core::v1::Namespace;

const std::string kNone = object::FieldErrors().to_string();

Namespace named(std::string name) {
  Namespace out;
  out.metadata.name = std::move(name);
  return out;
}

TEST(NamespaceRules, Create) {
  const auto rules = namespace_rules();
  Namespace object = named("a");
  object.metadata.labels["kubernetes.io/metadata.name"] = "other";
  object.status.phase = "Terminating";
  EXPECT_EQ(testing::create(*rules, object), kNone);
  EXPECT_EQ(object.metadata.labels["kubernetes.io/metadata.name"], "a");
  EXPECT_EQ(object.status.phase, "Active");
  EXPECT_EQ(object.spec.finalizers, std::vector<std::string>{"kubernetes"});

  Namespace bad = named("b");
  bad.spec.finalizers = {"bad"};
  EXPECT_EQ(
      testing::create(*rules, bad),
      "spec.finalizers: Invalid value: \"bad\": name is neither a standard finalizer name nor is it fully qualified");
}

TEST(NamespaceRules, UpdateKeepsSpecAndStatus) {
  const auto rules = namespace_rules();
  Namespace old = named("a");
  testing::create(*rules, old);
  Namespace object = old;
  object.spec.finalizers.clear();
  object.status.phase = "X";
  object.metadata.labels.clear();
  EXPECT_EQ(testing::update(*rules, object, old), kNone);
  EXPECT_EQ(object.spec.finalizers, old.spec.finalizers);
  EXPECT_EQ(object.status.phase, "Active");
  EXPECT_EQ(object.metadata.labels["kubernetes.io/metadata.name"], "a");
}

TEST(NamespaceRules, Subresources) {
  const auto rules = namespace_rules();
  Namespace old = named("a");
  testing::create(*rules, old);
  Namespace object = old;
  object.spec.finalizers = {"x.y/z"};
  object.status.phase = "Terminating";
  EXPECT_EQ(testing::update(*rules, "finalize", object, old), kNone);
  EXPECT_EQ(object.spec.finalizers, std::vector<std::string>{"x.y/z"});
  EXPECT_EQ(object.status.phase, "Active");
  object.status.phase = "Terminating";
  EXPECT_EQ(testing::update(*rules, "status", object, old),
            "status.Phase: Invalid value: \"Terminating\": may only be 'Active' if `deletionTimestamp` is empty");
  EXPECT_EQ(object.spec.finalizers, old.spec.finalizers);
}

TEST(NamespaceRules, Cells) {
  const auto rules = namespace_rules();
  Namespace object = named("a");
  object.status.phase = "Active";
  object.metadata.creation_timestamp = *object::parse_time("2026-01-01T00:00:00Z");
  EXPECT_EQ(testing::cells(*rules, object, testing::at("2026-01-01T05:00:00Z")), "a|Active|5h");
  EXPECT_EQ(rules->name_validator()("a.b", NameUse::kName), std::vector<std::string>{"must not contain dots"});
}

}  // namespace
}  // namespace api
