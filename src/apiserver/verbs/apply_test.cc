// Who owns what after applies, and that patches and applies which see a part of an object only leave the rest as it is.
#include <gtest/gtest.h>

#include "apiserver/body.h"
#include "apiserver/testing.h"
#include "apiserver/verbs/verbs.h"
#include "gen/codec.h"
#include "gen/core/v1.h"

namespace apiserver {
namespace {

using Secret = ::api::core::v1::Secret;

class ApplyTest : public ::testing::Test {
 protected:
  Answer patch(client::PatchType type, std::string_view body, std::string manager) {
    RequestContext request = test_.context();
    request.endpoint = test_.core->endpoints().find("", "v1", "secrets", "");
    request.info.ns = "ns";
    request.info.name = "s";
    request.body = body;
    request.body_type = MediaType::kJson;
    request.patch_type = type;
    request.query.set("fieldManager", std::move(manager));
    auto answer = patch_verb(request);
    EXPECT_TRUE(answer) << (answer ? "" : answer.error().message);
    return answer ? std::move(*answer) : Answer();
  }
  Answer apply(std::string_view body, std::string manager) {
    return patch(client::PatchType::kApply, body, std::move(manager));
  }
  Secret stored() const { return *gen::decode<Secret>(*test_.core->get("", "secrets", "ns", "s")); }
  // "manager fields" of every entry.
  std::vector<std::string> owners() const {
    std::vector<std::string> out;
    for (const auto& entry : stored().metadata.managed_fields)
      out.push_back(entry.manager + " " + *entry.fields_v1->raw);
    return out;
  }

  testing::TestCore test_;
};

constexpr std::string_view kSecret =
    R"({"apiVersion":"v1","kind":"Secret","metadata":{"name":"s","labels":{"a":"b"}},"data":{"k":"dg=="},"type":"t","immutable":false})";

TEST_F(ApplyTest, ASecondManagerOfTheSameValuesIsAnOwnerToo) {
  const Answer first = apply(kSecret, "one");
  const Answer second =
      apply(R"({"apiVersion":"v1","kind":"Secret","metadata":{"name":"s"},"data":{"k":"dg=="}})", "two");
  EXPECT_GT(second.revision, first.revision);
  const std::vector<std::string> expected = {
      R"(two {"f:data":{"f:k":{}}})",
      R"(one {"f:data":{"f:k":{}},"f:immutable":{},"f:metadata":{"f:labels":{"f:a":{}}},"f:type":{}})"};
  EXPECT_EQ(owners(), expected);
  // Applied once more, nothing is written.
  EXPECT_EQ(apply(R"({"apiVersion":"v1","kind":"Secret","metadata":{"name":"s"},"data":{"k":"dg=="}})", "two").revision,
            second.revision);
}

TEST_F(ApplyTest, WhatAManagerNoLongerSaysGoesAlsoWhereItsConfigSaysNothing) {
  apply(kSecret, "one");
  apply(R"({"apiVersion":"v1","kind":"Secret","metadata":{"name":"s","labels":{"a":"b"}},"type":"t"})", "one");
  const Secret secret = stored();
  EXPECT_TRUE(secret.data.empty());
  EXPECT_FALSE(secret.immutable);
  EXPECT_EQ(secret.metadata.labels.at("a"), "b");
}

TEST_F(ApplyTest, APatchLeavesWhatItDoesNotSpeakOf) {
  apply(kSecret, "one");
  const Secret before = stored();
  patch(client::PatchType::kMerge, R"({"metadata":{"labels":{"a":null,"c":"d"}}})", "two");
  patch(client::PatchType::kStrategicMerge, R"({"data":{"l":"dw=="}})", "two");
  patch(client::PatchType::kJson, R"([{"op":"test","path":"/type","value":"t"},{"op":"remove","path":"/data/k"}])",
        "two");
  const Secret after = stored();
  EXPECT_EQ(after.metadata.labels, (std::map<std::string, std::string>{{"c", "d"}}));
  EXPECT_EQ(after.data, (std::map<std::string, std::string>{{"l", "w"}}));
  EXPECT_EQ(after.type, "t");
  EXPECT_EQ(after.immutable, before.immutable);
  EXPECT_EQ(after.metadata.uid, before.metadata.uid);
  const std::vector<std::string> expected = {R"(one {"f:immutable":{},"f:type":{}})",
                                             R"(two {"f:data":{"f:l":{}},"f:metadata":{"f:labels":{"f:c":{}}}})"};
  EXPECT_EQ(owners(), expected);
}

}  // namespace
}  // namespace apiserver
