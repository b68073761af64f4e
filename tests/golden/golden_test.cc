// Wire truth: every golden object, of every kind and version, goes both ways through every codec and comes out
// byte-equal.
#include "golden.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "gen/catalogue.h"
#include "object/json.h"
#include "object/time.h"
#include "schema/envelope.h"
#include "schema/proto_struct.h"
#include "schema/proto_value.h"
#include "schema/transcode.h"

namespace {
using golden::Sample;

schema::TypeMeta type_of(const Sample& sample) { return {sample.api_version, sample.kind}; }

// In the fixtures of 1.33 or 1.34, and gone from 1.35.
constexpr std::string_view kGoneKinds[] = {
    "PodCertificateRequest of certificates.k8s.io/v1alpha1",
    "IPAddress of networking.k8s.io/v1alpha1",
    "ServiceCIDR of networking.k8s.io/v1alpha1",
    "DeviceClass of resource.k8s.io/v1alpha3",
    "ResourceClaim of resource.k8s.io/v1alpha3",
    "ResourceClaimTemplate of resource.k8s.io/v1alpha3",
    "ResourceSlice of resource.k8s.io/v1alpha3",
};

// Its fields changed in 1.35.
bool is_older_form(const Sample& sample) {
  return sample.kind == "DeviceTaintRule" && (sample.name.ends_with("v1.33.0") || sample.name.ends_with("v1.34.0"));
}

// Unset bytes inside a map leave the value out of the entry; reading such an entry gives empty bytes, upstream too.
bool has_nil_bytes(const Sample& sample) {
  return sample.name == "ConfigMap /v1 seed1" || sample.name == "ConfigMap /v1 seed3";
}

// Fails at most a few times a suite: one bug breaks hundreds of samples.
class Golden : public testing::TestWithParam<std::vector<Sample> (*)()> {
 protected:
  void SetUp() override {
    samples_ = GetParam()();
    ASSERT_GT(samples_.size(), 700u);
    std::erase_if(samples_, [](const Sample& sample) {
      return is_older_form(sample) || std::ranges::count(kGoneKinds, sample.kind + " of " + sample.api_version) > 0;
    });
    for (const Sample& sample : samples_) EXPECT_NE(sample.message, nullptr) << sample.name << " is in no schema";
    ASSERT_FALSE(HasFailure());
  }
  void equal(const Sample& sample, std::string_view got, std::string_view want, const char* what) {
    if (got == want) return;
    ++failures_;
    if (failures_ > 5) return;
    size_t at = 0;
    while (at < got.size() && at < want.size() && got[at] == want[at]) ++at;
    size_t from = at < 60 ? 0 : at - 60;
    ADD_FAILURE() << what << " of " << sample.name << " differs at byte " << at << "\n got: " << escaped(got, from)
                  << "\nwant: " << escaped(want, from);
  }
  void TearDown() override { EXPECT_EQ(failures_, 0) << "of " << samples_.size() << " samples"; }

  static std::string escaped(std::string_view bytes, size_t from) {
    std::string text = object::to_json(object::Value(bytes.substr(std::min(from, bytes.size()), 160)));
    return text;
  }
  std::vector<Sample> samples_;
  int failures_ = 0;
};

TEST_P(Golden, ProtobufToJson) {
  for (const Sample& sample : samples_) {
    std::string json;
    auto result = schema::append_json(*sample.message, sample.pb, {.type = type_of(sample)}, json);
    equal(sample, result ? json : result.error().message, sample.json_from_pb, "JSON");
  }
}

TEST_P(Golden, ProtobufToValue) {
  for (const Sample& sample : samples_) {
    auto value = schema::decode_value(*sample.message, sample.pb, type_of(sample));
    std::string want = object::to_json(*object::parse_json(sample.json_from_pb));  // a Value has no 1.50, only 1.5
    equal(sample, value ? object::to_json(*value) : value.error().message, want, "JSON of the value");
    if (value && !sample.pretty_json.empty()) {
      equal(sample, object::to_pretty_json(*value), sample.pretty_json, "pretty JSON of the value");
    }
  }
}

TEST_P(Golden, JsonToProtobuf) {
  for (const Sample& sample : samples_) {
    auto value = object::parse_json(sample.json);
    ASSERT_TRUE(value) << sample.name;
    std::string bytes;
    std::vector<std::string> issues;
    auto result =
        schema::encode_value(*sample.message, *value, bytes, {.strict_issues = &issues, .source_json = sample.json});
    equal(sample, result ? bytes : result.error().message, sample.pb_from_json, "protobuf");
    equal(sample, issues.empty() ? "" : issues[0], "", "strict decoding");
  }
}

TEST_P(Golden, Envelope) {
  for (const Sample& sample : samples_) {
    if (sample.envelope.empty()) continue;
    std::string wrapped;
    schema::wrap(type_of(sample), sample.pb, wrapped);
    equal(sample, wrapped, sample.envelope, "envelope");
  }
}

TEST_P(Golden, ProtobufToValueAndBack) {
  for (const Sample& sample : samples_) {
    const std::string& raw = sample.pb_from_json;
    auto value = schema::decode_value(*sample.message, raw, {});
    ASSERT_TRUE(value) << sample.name;
    std::string bytes;
    auto result = schema::encode_value(*sample.message, *value, bytes, {.source_json = sample.json_from_pb});
    if (!has_nil_bytes(sample)) equal(sample, result ? bytes : result.error().message, raw, "protobuf");
  }
}

TEST_P(Golden, ProtobufToStructAndBack) {
  std::set<const schema::Message*> seen;
  for (const Sample& sample : samples_) {
    const schema::Message& message = *sample.message;
    if (!message.ops) continue;
    seen.insert(&message);
    void* object = message.ops->create();
    auto result = schema::decode_struct(message, sample.pb, object);
    std::string bytes;
    schema::encode_struct(message, object, bytes);
    message.ops->destroy(object);
    if (!has_nil_bytes(sample)) equal(sample, result ? bytes : result.error().message, sample.pb, "protobuf");
  }
  // Of every kind of every version that can be served, the ones that are off by default too.
  for (const schema::GroupVersion& gv : gen::group_versions()) {
    for (const schema::Resource& row : gv.resources) {
      if (!row.subresource.empty() || row.key_prefix.empty()) continue;
      const schema::Kind* kind = gen::find_kind(row.group, row.version, row.kind);
      ASSERT_NE(kind, nullptr) << row.group << "/" << row.version << " " << row.kind;
      EXPECT_NE(kind->message->ops, nullptr) << row.group << "/" << row.version << " " << row.kind;
      EXPECT_TRUE(seen.contains(kind->message)) << row.group << "/" << row.version << " " << row.kind;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Files, Golden, testing::Values(&golden::file_samples));
INSTANTIATE_TEST_SUITE_P(Generated, Golden, testing::Values(&golden::generated_samples));

class Vectors : public testing::Test {
 protected:
  void SetUp() override {
    auto parsed = object::parse_json(golden::read_file(golden::path_of("vectors.json")));
    ASSERT_TRUE(parsed);
    all_ = *std::move(parsed);
  }
  // The vectors of one type: `in` and, unless it is an error, `out`.
  template <typename Body>
  void each(std::string_view type, Body body) {
    const object::Array* list = all_.find(type)->array_if();
    ASSERT_GT(list->size(), 10u);
    for (const object::Value& vector : *list) {
      bool fails = vector.find("err") != nullptr;
      body(vector.string_at({"in"}), fails, vector.string_at({"out"}));
    }
  }
  object::Value all_;
};

template <typename Parse, typename Format>
void check_time(std::string_view in, bool fails, std::string_view out, Parse parse, Format format) {
  auto json = object::parse_json(in);
  if (json && json->is_null()) return;
  if (!json || !json->is_string()) {
    EXPECT_TRUE(fails) << in;
    return;
  }
  auto time = parse(*json->string_if());
  ASSERT_EQ(time.has_value(), !fails) << in;
  if (time) EXPECT_EQ(time->zero() ? "null" : "\"" + format(*time) + "\"", out) << in;
}

TEST_F(Vectors, Time) {
  each("time", [](std::string_view in, bool fails, std::string_view out) {
    check_time(in, fails, out, object::parse_time, object::format_time);
  });
}

TEST_F(Vectors, MicroTime) {
  each("microtime", [](std::string_view in, bool fails, std::string_view out) {
    check_time(in, fails, out, object::parse_micro_time, object::format_micro_time);
  });
}

TEST_F(Vectors, Duration) {
  each("duration", [](std::string_view in, bool fails, std::string_view out) {
    if (in.starts_with("parse:")) {
      auto parsed = object::parse_duration(in.substr(6));
      ASSERT_EQ(parsed.has_value(), !fails) << in;
      if (parsed) EXPECT_EQ(std::to_string(parsed->duration), out) << in;
    } else {
      EXPECT_EQ(object::format_duration(object::Duration{std::stoll(std::string(in))}), out) << in;
    }
  });
}
}  // namespace
