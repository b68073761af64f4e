// CBOR of every golden object: what the walk over the bytes writes is what JSON says, and comes back to the same bytes.
#include "object/cbor.h"

#include <gtest/gtest.h>

#include "codec/cbor.h"
#include "gen/apps/v1.h"
#include "gen/codec.h"
#include "gen/core/v1.h"
#include "golden.h"
#include "object/json.h"
#include "object/json_to_cbor.h"
#include "schema/proto_value.h"
#include "schema/transcode.h"

namespace {
using golden::Sample;

class GoldenCbor : public testing::TestWithParam<std::vector<Sample> (*)()> {};

TEST_P(GoldenCbor, SaysWhatJsonSaysAndComesBack) {
  size_t compared = 0;
  int failures = 0;
  for (const Sample& sample : GetParam()()) {
    if (!sample.message) continue;
    std::string json;
    std::string cbor(codec::kCborSelfDescribed);
    const schema::JsonOptions options{.type = {sample.api_version, sample.kind}};
    if (!schema::append_json(*sample.message, sample.pb, options, json)) continue;
    auto written = schema::append_cbor(*sample.message, sample.pb, options, cbor);
    ASSERT_TRUE(written) << sample.name << ": " << written.error().message;
    const auto wanted = object::parse_json(json);
    const auto read = object::parse_cbor(cbor);
    ASSERT_TRUE(read) << sample.name << ": " << read.error().message;
    if (!(*wanted == *read) && ++failures < 4)
      ADD_FAILURE() << sample.name << "\n got: " << object::to_json(*read) << "\nwant: " << json;
    // Without a tree between, with one, and back to protobuf, it is always the same.
    EXPECT_EQ(*object::parse_cbor(object::cbor_of_json(json)), *read) << sample.name;
    EXPECT_EQ(*object::parse_cbor(object::to_cbor(*read, object::CborOrder::kSorted)), *read) << sample.name;
    std::string from_json, from_cbor;
    std::vector<std::string> issues;
    const bool good = schema::encode_value(*sample.message, *wanted, from_json).has_value();
    const bool same = schema::encode_value(*sample.message, *read, from_cbor,
                                           {.decoder = schema::Decoder::kCbor, .strict_issues = &issues})
                          .has_value();
    EXPECT_EQ(good, same) << sample.name;
    EXPECT_EQ(from_json, from_cbor) << sample.name;
    EXPECT_TRUE(issues.empty()) << sample.name << ": " << issues[0];
    ++compared;
  }
  EXPECT_GT(compared, 700u);
  EXPECT_EQ(failures, 0);
}

INSTANTIATE_TEST_SUITE_P(Fixtures, GoldenCbor, testing::Values(golden::file_samples));
INSTANTIATE_TEST_SUITE_P(Generated, GoldenCbor, testing::Values(golden::generated_samples));

TEST(Cbor, BytesAreTaggedAndTextIsNot) {
  api::core::v1::Secret secret;
  secret.data["k"] = std::string("\0\xff", 2);
  secret.type = "t";
  std::string out;
  ASSERT_TRUE(schema::append_cbor(gen::message_of<api::core::v1::Secret>(), gen::encode(secret), {}, out));
  using namespace std::string_literals;
  EXPECT_EQ(out, "\xa3\x48metadata\xa0\x44"s + "data\xa1\x41k\xd6\x42\0\xff\x44type\x41t"s);
}

// A stored object whose embedded JSON is broken fails alone, and leaves nothing behind.
TEST(Cbor, MalformedEmbeddedJsonIsAnError) {
  api::apps::v1::ControllerRevision revision;
  revision.data.raw = "{\"a\":";
  std::string out = "before";
  EXPECT_FALSE(
      schema::append_cbor(gen::message_of<api::apps::v1::ControllerRevision>(), gen::encode(revision), {}, out));
  EXPECT_EQ(out, "before");
  revision.data.raw = R"({"a":1,"a":2})";  // the last one counts: a repeated key is no CBOR
  EXPECT_TRUE(
      schema::append_cbor(gen::message_of<api::apps::v1::ControllerRevision>(), gen::encode(revision), {}, out));
  EXPECT_NE(out.find("\xa1\x41"
                     "a\x02"),
            std::string::npos);
}

struct DecodingError {
  const char* kind;
  const char* json;  // of which the CBOR is made
  const char* message;
};

std::string error_of(const DecodingError& each, std::vector<std::string>* issues = nullptr) {
  const schema::Message* message = nullptr;
  for (const schema::Kind& kind : gen::kinds()) {
    if (kind.kind == each.kind && kind.version == "v1") message = kind.message;
  }
  std::string out;
  auto value = object::parse_cbor(object::cbor_of_json(each.json));
  EXPECT_TRUE(value) << each.json;
  auto result =
      schema::encode_value(*message, *value, out, {.decoder = schema::Decoder::kCbor, .strict_issues = issues});
  return result ? "" : result.error().message;
}

TEST(Cbor, TypeErrorsAreUpstreams) {
  for (const DecodingError& each : {
           DecodingError{"ConfigMap", R"({"data":"x"})",
                         "cbor: cannot unmarshal byte string into Go struct field v1.ConfigMap.data of type "
                         "map[string]string"},
           {"ConfigMap", R"({"data":{"a":1}})",
            "cbor: cannot unmarshal positive integer into Go struct field v1.ConfigMap.data of type string"},
           {"Pod", R"({"spec":{"containers":{"a":1}}})",
            "cbor: cannot unmarshal map into Go struct field v1.Pod.spec of type []v1.Container"},
           {"Pod", R"({"spec":{"priority":3000000000}})",
            "cbor: cannot unmarshal positive integer into Go struct field v1.Pod.spec of type int32 (3000000000 "
            "overflows int32)"},
           {"Deployment", R"({"spec":{"replicas":1.5}})",
            "cbor: cannot unmarshal primitives into Go struct field v1.Deployment.spec of type int32"},
           {"Deployment", R"({"spec":{"replicas":-3000000000}})",
            "cbor: cannot unmarshal negative integer into Go struct field v1.Deployment.spec of type int32 "
            "(-3000000000 overflows int32)"},
           {"Pod", R"({"metadata":{"creationTimestamp":5}})",
            "cbor: cannot unmarshal positive integer into Go struct field v1.Pod.metadata of type string"},
           {"Pod", R"({"metadata":{"creationTimestamp":"yesterday"}})",
            R"(parsing time "yesterday" as "2006-01-02T15:04:05Z07:00": cannot parse "yesterday" as "2006")"},
           {"Secret", R"({"data":{"a":"b*"}})",
            "cbor: failed to decode base64 from byte string: illegal base64 data at input byte 1"},
           {"ConfigMap", R"(["x"])", "cbor: cannot unmarshal array into Go value of type v1.ConfigMap"},
       }) {
    EXPECT_EQ(error_of(each), each.message) << each.json;
  }
}

TEST(Cbor, OneUnknownFieldIsReported) {
  for (const auto& [json, place] : {
           std::pair<const char*, int>{R"({"kind":"Pod","zz":1,"yy":1})", 1},
           {R"({"metadata":{"zz":1},"spec":{"a":1,"b":1}})", 0},
           {R"({"spec":{"nodeName":"n","containers":[{"name":"a"},{"name":"b","image":"c","zz":1}]}})", 2},
           // A map's own is told before what lies deeper in it.
           {R"({"spec":{"zz":1},"metadata":{},"yy":1})", 2},
       }) {
    std::vector<std::string> issues;
    EXPECT_EQ(error_of({"Pod", json, ""}, &issues), "");
    ASSERT_EQ(issues.size(), 1u) << json;
    EXPECT_EQ(issues[0], "cbor: found unknown field at map element index " + std::to_string(place)) << json;
  }
}

}  // namespace
