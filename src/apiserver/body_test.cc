#include "apiserver/body.h"

#include <gtest/gtest.h>

#include "apiserver/negotiate.h"
#include "apiserver/stages/stages.h"
#include "apiserver/testing.h"
#include "gen/apps/v1.h"
#include "gen/codec.h"
#include "schema/envelope.h"

namespace apiserver {
namespace {

using ControllerRevision = ::api::apps::v1::ControllerRevision;

std::string body_of(const ControllerRevision& object) {
  std::string body;
  schema::wrap({"apps/v1", "ControllerRevision"}, gen::encode(object), body);
  return body;
}

base::Result<std::string> decode(const testing::TestCore& core, std::string_view body) {
  RequestContext request = core.context();
  request.body = body;
  request.body_type = MediaType::kProtobuf;
  return decode_body(request, gen::message_of<ControllerRevision>(), "apps/v1", "ControllerRevision",
                     FieldValidation::kIgnore);
}

// Stored, it would break the JSON of every list that shows the object.
TEST(Body, ProtobufThatHoldsMalformedJsonIsRefused) {
  const testing::TestCore core;
  ControllerRevision object;
  object.metadata.name = "r";
  object.data.raw = R"({"a": [1, {"b": null}]})";
  EXPECT_TRUE(decode(core, body_of(object)));
  for (const char* broken : {"{", "{}}", "{\"a\":}", "no"}) {
    object.data.raw = broken;
    const auto refused = decode(core, body_of(object));
    ASSERT_FALSE(refused) << broken;
    EXPECT_EQ(refused.error().reason, base::Reason::kBadRequest);
    EXPECT_NE(refused.error().message.find("the message holds JSON that is malformed"), std::string::npos);
  }
  object.data.raw = "{}";
  object.metadata.managed_fields.resize(1);
  object.metadata.managed_fields[0].fields_v1.ensure().raw = "{\"f:a\":";
  EXPECT_FALSE(decode(core, body_of(object)));
}

TEST(Body, StrictIssuesComeInTheOrderOfTheDocument) {
  const testing::TestCore core;
  RequestContext request = core.context();
  request.body =
      R"({"apiVersion":"apps/v1","kind":"ControllerRevision","a":1,"revision":1,"revision":2,"z":1,"metadata":{"m":1}})";
  request.body_type = MediaType::kJson;
  const auto refused = decode_body(request, gen::message_of<ControllerRevision>(), "apps/v1", "ControllerRevision",
                                   FieldValidation::kStrict);
  ASSERT_FALSE(refused);
  EXPECT_TRUE(refused.error().message.ends_with(
      R"(unknown field "a", duplicate field "revision", unknown field "z", unknown field "metadata.m")"))
      << refused.error().message;
}

TEST(Negotiate, ARouteOfOneTypeTakesAnyClauseThatNamesIt) {
  constexpr std::string_view kJson = "application/json";
  for (const char* accept : {"", "*/*", "application/vnd.kubernetes.protobuf,application/json", "text/html, */*;q=0.1"})
    EXPECT_TRUE(accepts_type(accept, kJson)) << accept;
  for (const char* accept : {"application/vnd.kubernetes.protobuf", "application/jsonp"})
    EXPECT_FALSE(accepts_type(accept, kJson)) << accept;
}

TEST(Stages, ATimeLimitMustBeADuration) {
  const testing::TestCore core;
  RequestContext request = core.context();
  for (const char* query : {"", "timeout=", "timeout=0s", "timeout=32s", "timeout=1m30s"}) {
    request.query = Query(query);
    EXPECT_TRUE(check_timeout(request)) << query;
  }
  request.query = Query("timeout=invalid");
  const auto refused = check_timeout(request);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().reason, base::Reason::kBadRequest);
  EXPECT_EQ(refused.error().message,
            R"(invalid timeout specified in the request URL - time: invalid duration "invalid")");
}

}  // namespace
}  // namespace apiserver
