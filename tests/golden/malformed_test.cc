// Hostile bytes give errors, never crashes: cut off everywhere, every byte changed, bombs of depth and length.
#include <gtest/gtest.h>

#include <set>

#include "codec/wire.h"
#include "gen/catalogue.h"
#include "golden.h"
#include "object/json.h"
#include "schema/envelope.h"
#include "schema/limits.h"
#include "schema/metadata_view.h"
#include "schema/proto_struct.h"
#include "schema/proto_value.h"
#include "schema/transcode.h"

namespace {

// Every decoder over the same bytes; they agree on whether the bytes are well formed. True when they are.
bool decode_all(const schema::Message& message, std::string_view bytes) {
  std::string json;
  bool good = schema::append_json(message, bytes, {.resource_version = "7"}, json).has_value();
  auto value = schema::decode_value(message, bytes);
  EXPECT_EQ(value.has_value(), schema::check_message(message, bytes).has_value());
  EXPECT_LE(value.has_value(), good);
  if (value) {
    std::string again;
    (void)schema::encode_value(message, *value, again);
  }
  if (message.ops) {
    void* object = message.ops->create();
    if (schema::decode_struct(message, bytes, object)) {
      std::string again;
      schema::encode_struct(message, object, again);
    }
    message.ops->destroy(object);
  }
  auto view = schema::view_metadata(bytes);
  if (view) {
    for (auto pair : view->labels) EXPECT_LE(pair.key.size(), bytes.size());
    for (auto owner : view->owner_references) EXPECT_LE(owner.uid.size(), bytes.size());
    for (auto finalizer : view->finalizers) EXPECT_LE(finalizer.size(), bytes.size());
  }
  (void)schema::find_bytes(bytes, {2, 10});
  (void)schema::with_resource_version(bytes, 42);
  (void)schema::unwrap(bytes);
  return good;
}

golden::Sample sample_of(std::string_view kind) {
  for (golden::Sample& sample : golden::file_samples()) {
    if (sample.kind == kind) return std::move(sample);
  }
  abort();
}

TEST(Malformed, CutOffAtEveryByte) {
  golden::Sample sample = sample_of("Service");
  size_t accepted = 0;
  for (size_t size = 0; size < sample.pb.size(); ++size) {
    std::string cut(sample.pb, 0, size);  // a block of its own, so that reading past it is seen
    if (decode_all(*sample.message, cut)) ++accepted;
    cut = sample.envelope.substr(0, size);
    if (schema::unwrap(cut)) EXPECT_GE(size, 4u);
  }
  EXPECT_LE(accepted, 5u);  // only cuts between the fields of the object itself are whole messages
}

TEST(Malformed, EveryByteChanged) {
  golden::Sample sample = sample_of("Pod");
  for (size_t i = 0; i < sample.pb.size(); i += 5) {
    constexpr unsigned char kMasks[] = {0x01, 0x08, 0x80, 0xff};
    std::string changed = sample.pb;
    changed[i] = static_cast<char>(changed[i] ^ kMasks[i % 4]);
    decode_all(*sample.message, changed);
  }
}

TEST(Malformed, EveryKindCutOff) {
  std::set<const schema::Message*> seen;
  for (const golden::Sample& sample : golden::file_samples()) {
    if (!sample.message || !seen.insert(sample.message).second) continue;
    for (size_t size = 0; size < sample.pb.size(); size += 13) {
      decode_all(*sample.message, std::string(sample.pb, 0, size));
    }
  }
  EXPECT_GT(seen.size(), 300u);
}

TEST(Malformed, DepthBombs) {
  const schema::Message& props = *gen::find_message("apiextensions.v1", "JSONSchemaProps");
  uint32_t number = schema::find_json_field(props, "not")->number;
  std::string inner;
  for (int i = 0; i < 20000; ++i) {  // not: { not: { … } }
    std::string outer;
    codec::append_bytes_field(outer, number, inner);
    inner = std::move(outer);
  }
  EXPECT_FALSE(decode_all(props, inner));
  object::Value value = object::Object();
  for (int i = 0; i < 500; ++i) {
    object::Object outer;
    outer.set("not", std::move(value));
    value = std::move(outer);
  }
  std::string out = "kept";
  auto encoded = schema::encode_value(props, value, out);
  ASSERT_FALSE(encoded);
  EXPECT_EQ(encoded.error().message, "exceeded max depth");
  EXPECT_EQ(out, "kept");
}

TEST(Malformed, EmbeddedJson) {
  const schema::Message& revision = *gen::find_message("apps.v1", "ControllerRevision");
  for (bool valid : {true, false}) {
    std::string raw, bytes;
    codec::append_bytes_field(raw, 1, valid ? R"({"a": [1]})" : R"({"a": [1})");
    codec::append_bytes_field(bytes, 2, raw);
    EXPECT_EQ(schema::check_message(revision, bytes).has_value(), valid);
    EXPECT_EQ(schema::decode_value(revision, bytes).has_value(), valid);
  }
}

TEST(Malformed, EveryMessageFitsTheWalk) {
  for (const schema::Message* message : gen::messages())
    EXPECT_TRUE(schema::check_message(*message, "")) << message->name;
}

TEST(Malformed, HugeLengths) {
  const schema::Message& config_map = *gen::find_message("core.v1", "ConfigMap");
  for (uint64_t size : {uint64_t{5}, uint64_t{0x7fffffff}, uint64_t{0xffffffff}, ~uint64_t{0}, ~uint64_t{0} - 15}) {
    for (uint32_t field : {1u, 2u, 99u}) {
      std::string bytes;
      codec::append_varint(bytes, field << 3 | 2);
      codec::append_varint(bytes, size);
      bytes += "abc";
      EXPECT_FALSE(decode_all(config_map, bytes)) << field << " " << size;
    }
  }
}

TEST(Malformed, WrongWireTypes) {
  const schema::Message& config_map = *gen::find_message("core.v1", "ConfigMap");
  std::string bytes;
  codec::append_varint_field(bytes, 1, 7);
  EXPECT_FALSE(decode_all(config_map, bytes));
  EXPECT_FALSE(decode_all(config_map, std::string("\x0f\x01", 2)));     // wire type 7
  EXPECT_FALSE(decode_all(config_map, std::string("\x00\x01", 2)));     // field 0
  EXPECT_TRUE(decode_all(config_map, std::string("\xf8\x07\x01", 3)));  // unknown field 127: skipped
}
}  // namespace
