#include <gtest/gtest.h>

#include "apiserver/body.h"
#include "apiserver/testing.h"
#include "apiserver/verbs/verbs.h"
#include "apiserver/write.h"
#include "gen/apps/v1.h"
#include "gen/autoscaling/v1.h"
#include "gen/codec.h"

namespace apiserver {
namespace {

using Deployment = ::api::apps::v1::Deployment;
using Scale = ::api::autoscaling::v1::Scale;

class ScaleTest : public ::testing::Test {
 protected:
  const Endpoint& endpoint(std::string_view subresource) const {
    return *test_.core->endpoints().find("apps", "v1", "deployments", subresource);
  }
  RequestContext context(std::string_view subresource) const {
    RequestContext made = test_.context();
    made.endpoint = &endpoint(subresource);
    made.info.ns = "ns";
    made.info.name = "d";
    return made;
  }
  void create() {
    Deployment object;
    object.metadata.name = "d";
    object.spec.replicas = 2;
    object.spec.selector.ensure().match_labels = {{"a", "b"}};
    object.spec.template_.metadata.labels = {{"a", "b"}};
    auto& container = object.spec.template_.spec.containers.emplace_back();
    container.name = "c";
    container.image = "image";
    RequestContext request = context("");
    WriteOptions options;
    options.field_manager = "creator";
    auto stored = to_stored(endpoint(""), gen::encode(object));
    auto answer = create_object(request, endpoint(""), std::move(*stored), options, FieldOwnership::kTrack);
    ASSERT_TRUE(answer) << answer.error().message;
  }
  void scale(int32_t replicas, std::string manager) {
    Scale wanted;
    wanted.metadata.name = "d";
    wanted.spec.replicas = replicas;
    const std::string body = gen::encode(wanted);
    RequestContext request = context("scale");
    request.body = body;
    request.body_type = MediaType::kRawProtobuf;
    request.query.set("fieldManager", std::move(manager));
    auto answer = update_scale(request);
    ASSERT_TRUE(answer) << answer.error().message;
  }
  // "manager/subresource" of the entries that own spec.replicas.
  std::string owners() const {
    auto object = gen::decode<Deployment>(*test_.core->get("apps", "deployments", "ns", "d"));
    std::string out;
    for (const auto& entry : object->metadata.managed_fields) {
      if (entry.fields_v1->raw->find("f:replicas") == std::string::npos) continue;
      out += (out.empty() ? "" : " ") + entry.manager + "/" + entry.subresource;
      if (entry.subresource == "scale") EXPECT_FALSE(entry.time);
    }
    return out;
  }

  testing::TestCore test_;
};

TEST_F(ScaleTest, WhoScalesOwnsTheReplicas) {
  create();
  EXPECT_EQ(owners(), "creator/");
  scale(2, "same");  // changes nothing, owns nothing
  EXPECT_EQ(owners(), "creator/");
  scale(3, "scaler");
  EXPECT_EQ(owners(), "scaler/scale");
  scale(4, "other");
  EXPECT_EQ(owners(), "other/scale");
  auto object = gen::decode<Deployment>(*test_.core->get("apps", "deployments", "ns", "d"));
  EXPECT_EQ(object->metadata.managed_fields.size(), 2U);  // the creator keeps the rest
}

}  // namespace
}  // namespace apiserver
