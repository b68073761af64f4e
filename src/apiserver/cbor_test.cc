// CBOR on the request path: what the gate opens, and that what goes in and out is what goes in and out as JSON.
#include "codec/cbor.h"

#include <gtest/gtest.h>

#include "apiserver/body.h"
#include "apiserver/openapi/paths_model.h"
#include "apiserver/respond.h"
#include "apiserver/testing.h"
#include "apiserver/verbs/verbs.h"
#include "apiserver/watch/encoder.h"
#include "gen/codec.h"
#include "gen/core/v1.h"
#include "object/cbor.h"
#include "object/json.h"
#include "object/json_to_cbor.h"
#include "storage/keys.h"

namespace apiserver {
namespace {

using Secret = ::api::core::v1::Secret;

constexpr std::string_view kSecret =
    R"({"apiVersion":"v1","kind":"Secret","metadata":{"name":"s","labels":{"a":"b"}},"data":{"k":"AP8="},"type":"t"})";

TEST(CborNegotiation, OnlyBehindTheGate) {
  for (CborServing cbor : {CborServing::kOff, CborServing::kOn}) {
    const bool on = cbor == CborServing::kOn;
    const std::string list = std::string("application/json, application/yaml, application/vnd.kubernetes.protobuf") +
                             (on ? ", application/cbor" : "");
    EXPECT_EQ(negotiate_answer("application/cbor", AnswerKind::kObject, cbor).has_value(), on);
    EXPECT_EQ(negotiate_answer("application/cbor", AnswerKind::kWatch, cbor).has_value(), on);
    EXPECT_EQ(body_media_type("application/cbor", cbor).has_value(), on);
    EXPECT_EQ(negotiate_error("application/cbor", cbor).type, on ? MediaType::kCbor : MediaType::kJson);
    EXPECT_EQ(negotiate_answer("text/x", AnswerKind::kObject, cbor).error().message,
              "406: Not Acceptable\n\nAvailable representations: " + list);
    EXPECT_EQ(negotiate_answer("text/x", AnswerKind::kWatch, cbor).error().message,
              "406: Not Acceptable\n\nAvailable representations: " + list +
                  ", application/json;stream=watch, application/vnd.kubernetes.protobuf;stream=watch" +
                  (on ? ", application/cbor-seq" : ""));
    EXPECT_EQ(body_media_type("text/x", cbor).error().message,
              "the body of the request was in an unknown format - accepted media types include: " + list);
  }
  const auto table = negotiate_answer("application/cbor;as=Table;v=v1;g=meta.k8s.io,application/json",
                                      AnswerKind::kObject, CborServing::kOn);
  ASSERT_TRUE(table);
  EXPECT_EQ(table->type, MediaType::kCbor);
  EXPECT_EQ(table->form, Form::kTable);
  EXPECT_EQ(content_type(*table), "application/cbor");
  EXPECT_EQ(watch_content_type(*table), "application/cbor-seq");
  // Compat: what watches answer with cannot be asked for.
  EXPECT_EQ(negotiate_answer("application/cbor-seq", AnswerKind::kWatch, CborServing::kOn).error().message.substr(0, 8),
            "only the");
}

TEST(CborNegotiation, OpenApiNamesIt) {
  using openapi::Media;
  using Types = std::vector<std::string_view>;
  EXPECT_EQ(openapi::media_types(Media::kPatch, CborServing::kOn).back(), "application/apply-patch+cbor");
  EXPECT_EQ(openapi::media_types(Media::kWatchable, CborServing::kOn),
            (Types{"application/json", "application/yaml", "application/vnd.kubernetes.protobuf", "application/cbor",
                   "application/json;stream=watch", "application/vnd.kubernetes.protobuf;stream=watch",
                   "application/cbor-seq"}));
  for (Media media : {Media::kObject, Media::kWatchable, Media::kPatch, Media::kText, Media::kCustom}) {
    for (std::string_view type : openapi::media_types(media, CborServing::kOff))
      EXPECT_EQ(type.find("cbor"), std::string_view::npos);
  }
}

class CborTest : public ::testing::Test {
 protected:
  RequestContext request(std::string_view body) {
    RequestContext made = test_.context();
    made.endpoint = test_.core->endpoints().find("", "v1", "secrets", "");
    made.info.ns = "ns";
    made.body = body;
    made.body_type = MediaType::kCbor;
    made.accepted.type = MediaType::kCbor;
    made.cbor = CborServing::kOn;
    return made;
  }
  base::Result<Answer> create(std::string_view body) {
    RequestContext made = request(body);
    return create_verb(made);
  }
  base::Result<std::string> decode(std::string_view body, FieldValidation validation) {
    RequestContext made = request(body);
    auto raw = decode_body(made, gen::message_of<Secret>(), "v1", "Secret", validation);
    warnings_ = made.warnings;
    return raw;
  }
  Secret stored() const { return *gen::decode<Secret>(*test_.core->get("", "secrets", "ns", "s")); }

  testing::TestCore test_;
  std::vector<std::string> warnings_;
};

TEST_F(CborTest, WhatIsCreatedIsAnswered) {
  auto made = create(object::cbor_of_json(kSecret));
  ASSERT_TRUE(made) << made.error().message;
  EXPECT_EQ(stored().data.at("k"), std::string("\0\xff", 2));
  RequestContext context = request("");
  const std::string cbor = *encode_answer(context, *made);
  EXPECT_TRUE(cbor.starts_with(codec::kCborSelfDescribed));
  context.accepted.type = MediaType::kJson;
  EXPECT_EQ(*object::parse_cbor(cbor), *object::parse_json(*encode_answer(context, *made)));
  for (Form form : {Form::kTable, Form::kPartialMetadata}) {
    context.accepted.form = form;
    context.accepted.type = MediaType::kCbor;
    const auto as_cbor = encode_answer(context, *made);
    ASSERT_TRUE(as_cbor);
    context.accepted.type = MediaType::kJson;
    EXPECT_EQ(*object::parse_cbor(*as_cbor), *object::parse_json(*encode_answer(context, *made)));
  }
}

TEST_F(CborTest, BytesMayComeAsBytes) {
  auto tree = object::parse_json(R"({"kind":"Secret","apiVersion":"v1","metadata":{"name":"s"}})");
  std::string body;
  codec::CborWriter writer(body);
  writer.begin_map();
  writer.key("metadata");
  object::append_cbor(body, *tree->find("metadata"));
  writer.key("data");
  writer.begin_map();
  writer.key("k");
  writer.bytes(std::string_view("\0\xff", 2));
  writer.end_map();
  writer.end_map();
  ASSERT_TRUE(create(body));
  EXPECT_EQ(stored().data.at("k"), std::string("\0\xff", 2));
}

TEST_F(CborTest, ApplyTakesConfigsInCbor) {
  const std::string body = object::cbor_of_json(kSecret);
  RequestContext made = request(body);
  made.info.name = "s";
  made.patch_type = client::PatchType::kApply;
  made.query.set("fieldManager", "one");
  auto answer = patch_verb(made);
  ASSERT_TRUE(answer) << answer.error().message;
  ASSERT_EQ(stored().metadata.managed_fields.size(), 1u);
  EXPECT_EQ(*stored().metadata.managed_fields[0].fields_v1->raw,
            R"({"f:data":{"f:k":{}},"f:metadata":{"f:labels":{"f:a":{}}},"f:type":{}})");
  for (const auto& [bad, message] : {
           std::pair<std::string, const char*>{body.substr(0, 20), "error decoding YAML: unexpected EOF"},
           {"\x01",
            "error decoding YAML: cbor: cannot unmarshal positive integer into Go value of type map[string]interface "
            "{}"},
           {"\xa2\x41m\x01\x41m\x01",
            "error decoding YAML: cbor: found duplicate map key \"m\" at map element index 1"},
       }) {
    made.body = bad;
    const auto refused = patch_verb(made);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().message, message);
  }
}

TEST_F(CborTest, FieldValidationKnowsCbor) {
  const std::string body =
      object::cbor_of_json(R"({"apiVersion":"v1","kind":"Secret","metadata":{"name":"s"},"zz":1,"yy":2})");
  EXPECT_TRUE(decode(body, FieldValidation::kIgnore));
  EXPECT_TRUE(warnings_.empty());
  EXPECT_TRUE(decode(body, FieldValidation::kWarn));
  EXPECT_EQ(warnings_, (std::vector<std::string>{"cbor: found unknown field at map element index 3"}));
  EXPECT_EQ(
      decode(body, FieldValidation::kStrict).error().message,
      "Secret in version \"v1\" cannot be handled as a Secret: strict decoding error: cbor: found unknown field at "
      "map element index 3");
}

TEST_F(CborTest, RefusesWhatIsNoSecret) {
  for (const auto& [body, message] : {
           std::pair<std::string, const char*>{
               "",
               "the object provided is unrecognized (must be of type Secret): unable to determine "
               "group/version/kind: EOF (<empty>)"},
           {"\xa1\x41",
            "the object provided is unrecognized (must be of type Secret): unable to determine group/version/kind: "
            "unexpected EOF (a141)"},
           {"\xa2\x41z\x01\x41z\x01",
            "the object provided is unrecognized (must be of type Secret): unable to determine group/version/kind: "
            "cbor: found duplicate map key \"z\" at map element index 1 (a2417a01417a01)"},
           {"\xa1\x41z\xf7",
            "Secret in version \"v1\" cannot be handled as a Secret: cbor: data item of cbor type primitives is not "
            "accepted by protocol: simple value 23 is not recognized"},
           {"\xa1\x44kind\x01",
            "the object provided is unrecognized (must be of type Secret): unable to determine group/version/kind: "
            "cbor: cannot unmarshal positive integer into Go struct field v1.TypeMeta.kind of type string "
            "(a1446b696e6401)"},
       }) {
    const auto refused = decode(body, FieldValidation::kIgnore);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().message, message);
  }
}

TEST_F(CborTest, DeleteOptionsComeInCbor) {
  RequestContext made = request("");
  const std::string body = object::cbor_of_json(
      R"({"kind":"DeleteOptions","apiVersion":"v1","gracePeriodSeconds":0,"preconditions":{"uid":"u"}})");
  made.body = body;
  const auto options = parse_delete_options(made);
  ASSERT_TRUE(options) << options.error().message;
  EXPECT_EQ(options->grace_period_seconds, 0);
  EXPECT_EQ(options->precondition_uid, "u");
}

TEST_F(CborTest, ErrorsAreAnsweredInCbor) {
  Accepted accepted;
  accepted.type = MediaType::kCbor;
  const auto status = object::parse_cbor(encode_status(accepted, base::Error(base::Reason::kNotFound, "gone")));
  ASSERT_TRUE(status);
  EXPECT_EQ(status->string_at({"reason"}), "NotFound");
}

TEST_F(CborTest, AWatchIsASequenceOfEvents) {
  auto made = create(object::cbor_of_json(kSecret));
  ASSERT_TRUE(made);
  const auto kv = test_.store->latest(storage::object_key(request("").endpoint->prefix(), "ns", "s"));
  ASSERT_TRUE(kv);
  for (Form form : {Form::kObject, Form::kTable, Form::kPartialMetadata}) {
    RequestContext context = request("");
    context.accepted.form = form;
    EventEncoder as_cbor(context, IncludeObject::kMetadata, nullptr);
    context.accepted.type = MediaType::kJson;
    EventEncoder as_json(context, IncludeObject::kMetadata, nullptr);
    const auto event = as_cbor.encode({EventType::kAdded, kv, kv->mod_revision});
    ASSERT_TRUE(event);
    EXPECT_TRUE(event->view().starts_with(codec::kCborSelfDescribed));
    EXPECT_EQ(*object::parse_cbor(event->view()),
              *object::parse_json(as_json.encode({EventType::kAdded, kv, kv->mod_revision})->view()));
    EXPECT_EQ(*object::parse_cbor(*as_cbor.bookmark(7, EventEncoder::InitialEnd::kYes)),
              *object::parse_json(*as_json.bookmark(7, EventEncoder::InitialEnd::kYes)));
    const base::Error error(base::Reason::kExpired, "too old");
    EXPECT_EQ(*object::parse_cbor(as_cbor.error(error)), *object::parse_json(as_json.error(error)));
  }
}

}  // namespace
}  // namespace apiserver
