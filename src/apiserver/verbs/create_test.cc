// What the server makes of metadata in a body to be created that is not the client's to set.
#include <gtest/gtest.h>

#include "apiserver/body.h"
#include "apiserver/testing.h"
#include "apiserver/write.h"
#include "gen/codec.h"
#include "gen/core/v1.h"

namespace apiserver {
namespace {

using ConfigMap = ::api::core::v1::ConfigMap;

class CreateTest : public ::testing::Test {
 protected:
  base::Result<Answer> create(std::string name, std::string resource_version, DryRun dry_run) {
    ConfigMap object;
    object.metadata.name = std::move(name);
    object.metadata.resource_version = std::move(resource_version);
    const Endpoint& endpoint = *test_.core->endpoints().find("", "v1", "configmaps", "");
    RequestContext request = test_.context();
    request.info.ns = "ns";
    WriteOptions options;
    options.dry_run = dry_run;
    auto stored = to_stored(endpoint, gen::encode(object));
    return create_object(request, endpoint, std::move(*stored), options, FieldOwnership::kDone);
  }
  std::string problem(std::string name, std::string resource_version, DryRun dry_run = DryRun::kNo) {
    auto answer = create(std::move(name), std::move(resource_version), dry_run);
    return answer ? "" : answer.error().message;
  }

  testing::TestCore test_;
};

TEST_F(CreateTest, TheStoreRefusesAResourceVersion) {
  const std::string refusal = "resourceVersion should not be set on objects to be created";
  EXPECT_EQ(problem("a", "12"), refusal);
  EXPECT_EQ(problem("a", "0"), "");
  EXPECT_EQ(problem("a", "12"), refusal);  // before it looks whether the name is taken
  EXPECT_NE(problem("Not A Name", "12").find("Invalid value"), std::string::npos);
  EXPECT_EQ(problem("b", "no number"), "");
  EXPECT_EQ(gen::decode<ConfigMap>(*test_.core->get("", "configmaps", "ns", "b"))->metadata.resource_version, "");
}

TEST_F(CreateTest, ADryRunTakesOne) {
  auto answer = create("a", "12", DryRun::kYes);
  ASSERT_TRUE(answer) << answer.error().message;
  EXPECT_EQ(answer->revision, 12);
  EXPECT_FALSE(test_.core->get("", "configmaps", "ns", "a"));
}

TEST_F(CreateTest, AnObjectOfNoNamespaceLosesTheOneItNames) {
  ::api::core::v1::Node node;
  node.metadata.name = "n";
  node.metadata.namespace_ = "ns";
  const Endpoint& endpoint = *test_.core->endpoints().find("", "v1", "nodes", "");
  RequestContext request = test_.context();
  auto stored = to_stored(endpoint, gen::encode(node));
  auto answer = create_object(request, endpoint, std::move(*stored), {}, FieldOwnership::kDone);
  ASSERT_TRUE(answer) << answer.error().message;
  EXPECT_EQ(gen::decode<::api::core::v1::Node>(*test_.core->get("", "nodes", "", "n"))->metadata.namespace_, "");
}

}  // namespace
}  // namespace apiserver
