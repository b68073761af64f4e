#include "apiserver/body.h"

#include <gtest/gtest.h>

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

}  // namespace
}  // namespace apiserver
