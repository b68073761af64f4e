// Compares what is derived from the tables with what a real server of this level showed (tests/openapi,
// tests/discovery).
#include <gtest/gtest.h>
#include <zlib.h>

#include <algorithm>

#include "api/rules.h"
#include "apiserver/discovery/documents.h"
#include "apiserver/openapi/documents.h"
#include "apiserver/openapi/gnostic.h"
#include "apiserver/openapi/gnostic_v3.h"
#include "apiserver/openapi/schemas.h"
#include "codec/wire.h"
#include "gen/catalogue.h"
#include "object/json.h"

namespace apiserver {
namespace {

using object::Array;
using object::Member;
using object::Object;
using object::Value;

const Endpoints& endpoints() {
  static const api::Catalogue kCatalogue;
  static const Endpoints kEndpoints(kCatalogue);
  return kEndpoints;
}

Value read_gz(const std::string& path) {
  gzFile file = gzopen(path.c_str(), "rb");
  EXPECT_NE(file, nullptr) << path;
  std::string text;
  char buffer[65536];
  for (int count = 0; file && (count = gzread(file, buffer, sizeof buffer)) > 0;)
    text.append(buffer, static_cast<size_t>(count));
  if (file) gzclose(file);
  return object::parse_json(text).value_or(Value());
}

// Descriptions are our own; {allOf: [X], …} says the same as {X, …}.
void normalize(Value& value) {
  if (Array* array = value.array_if()) {
    for (Value& each : *array) normalize(each);
  }
  Object* object = value.object_if();
  if (!object) return;
  const Value* text = object->find("description");
  if (text && text->is_string()) object->erase("description");
  Value* all = object->find("allOf");
  if (all && all->array_if() && all->array_if()->size() == 1 && all->array_if()->front().find("$ref")) {
    Value target = *all->array_if()->front().find("$ref");
    object->erase("allOf");
    object->set("$ref", std::move(target));
  }
  for (Member& member : *object) normalize(member.value);
}

void compare(const std::string& path, const Value& expected, const Value& got, std::vector<std::string>& out) {
  if (expected == got) return;
  if (expected.is_object() && got.is_object()) {
    for (const Member& member : *expected.object_if()) {
      const Value* other = got.find(member.key);
      if (other) {
        compare(path + "/" + member.key, member.value, *other, out);
      } else {
        out.push_back(path + "/" + member.key + " missing: " + object::to_json(member.value).substr(0, 2000));
      }
    }
    for (const Member& member : *got.object_if()) {
      if (!expected.find(member.key))
        out.push_back(path + "/" + member.key + " surplus: " + object::to_json(member.value).substr(0, 2000));
    }
    return;
  }
  if (expected.is_array() && got.is_array() && expected.array_if()->size() == got.array_if()->size()) {
    for (size_t i = 0; i < expected.array_if()->size(); ++i) {
      compare(path + "/" + std::to_string(i), (*expected.array_if())[i], (*got.array_if())[i], out);
    }
    return;
  }
  out.push_back(path + ": expected " + object::to_json(expected).substr(0, 20000) + ", got " +
                object::to_json(got).substr(0, 300));
}

// Words of the resources that are on by default and not served yet.
std::vector<std::string> unserved() {
  std::vector<std::string> out;
  for (const schema::GroupVersion& gv : gen::group_versions()) {
    size_t served = 0;
    for (const schema::Resource& row : gv.resources) {
      if (!gv.served_by_default || endpoints().find(row.group, row.version, row.name, row.subresource)) {
        ++served;
      } else if (row.subresource.empty()) {
        out.emplace_back(row.name);
        out.push_back("." + std::string(row.kind));
        out.push_back("/" + std::string(gv.group) + "/" + std::string(gv.version) + "/components");
      }
    }
    if (served == 0)
      out.push_back(std::string(gv.group.substr(0, gv.group.find('.'))) + "." + std::string(gv.version) + ".");
  }
  return out;
}

void expect_same(Value expected, Value got) {
  normalize(expected);
  normalize(got);
  std::vector<std::string> differences;
  compare("", expected, got, differences);
  // What is stored in another version is served as soon as its conversion is in the catalogue.
  std::erase_if(differences, [](const std::string& each) {
    return std::ranges::any_of(unserved(),
                               [&](const std::string& word) { return each.find(word) != std::string::npos; });
  });
  std::string text;
  for (size_t i = 0; i < differences.size() && i < 60; ++i) text += differences[i].substr(0, 300) + "\n";
  EXPECT_TRUE(differences.empty()) << differences.size() << " differences\n" << text;
}

TEST(OpenApi, Version2IsThatOfARealServer) {
  auto got = object::parse_json(openapi::version2_json(endpoints()));
  ASSERT_TRUE(got) << got.error().message;
  expect_same(read_gz("tests/openapi/v2.json.gz"), *got);
}

TEST(OpenApi, Version3IsThatOfARealServer) {
  const Value expected = read_gz("tests/openapi/v3.json.gz");
  Object got;
  for (const openapi::Section& section : openapi::sections(endpoints())) {
    auto document = object::parse_json(openapi::version3_json(section));
    ASSERT_TRUE(document) << section.name << document.error().message;
    got.set(section.name, std::move(*document));
  }
  expect_same(expected, got);
}

TEST(OpenApi, EveryServedKindAndTheMainFieldsAreDescribed) {
  std::string missing;
  for (const Endpoint* endpoint : endpoints().all()) {
    const schema::Message& message = *endpoint->body;
    if (openapi::description(message.package, message.name).empty())
      missing += std::string(message.package) + " " + std::string(message.name) + "\n";
  }
  EXPECT_EQ(missing, "");
  EXPECT_NE(openapi::description("core.v1", "Pod.spec"), "");
  EXPECT_NE(openapi::description("core.v1", "PodSpec.containers"), "");
}

// Finds field `number` of a message for the n-th time.
std::string_view sub_message(std::string_view bytes, uint32_t number, size_t n) {
  codec::WireReader reader(bytes);
  uint32_t field;
  codec::WireType type;
  std::string_view value;
  while (!reader.done() && reader.read_tag(field, type)) {
    if (type != codec::WireType::kBytes) {
      if (!reader.skip(field, type)) return {};
      continue;
    }
    if (!reader.read_bytes(value)) return {};
    if (field == number && n-- == 0) return value;
  }
  return {};
}

TEST(OpenApi, GnosticMessageHasTheWordsOfTheJson) {
  openapi::GnosticDocument document;
  document.add_definition(
      "x.Thing",
      *object::parse_json(
          R"({"type":"object","required":["a"],"x-kubernetes-map-type":"atomic","properties":{"a":{"type":"string"}}})"));
  const std::string bytes = document.finish("Kubernetes", "1.35");
  EXPECT_EQ(sub_message(bytes, 1, 0), "2.0");
  const std::string_view named = sub_message(sub_message(bytes, 9, 0), 1, 0);
  EXPECT_EQ(sub_message(named, 1, 0), "x.Thing");
  const std::string_view schema = sub_message(named, 2, 0);
  EXPECT_EQ(sub_message(schema, 19, 0), "a");
  EXPECT_EQ(sub_message(sub_message(schema, 22, 0), 1, 0), "object");
  EXPECT_EQ(sub_message(sub_message(sub_message(schema, 25, 0), 1, 0), 1, 0), "a");
  EXPECT_EQ(sub_message(sub_message(schema, 31, 0), 1, 0), "x-kubernetes-map-type");
  EXPECT_EQ(sub_message(sub_message(sub_message(schema, 31, 0), 2, 0), 2, 0), "\"atomic\"\n");
}

TEST(OpenApi, GnosticMessageOfVersion3HasTheWordsOfTheJson) {
  const std::string bytes = openapi::version3_protobuf(*object::parse_json(R"({
      "openapi":"3.0.0","info":{"title":"T","version":"1"},
      "paths":{"/a/{b}":{"get":{"operationId":"readA","x-kubernetes-action":"get","responses":{"200":{"description":"OK",
        "content":{"application/json":{"schema":{"$ref":"#/components/schemas/x"}}}}}},
        "parameters":[{"name":"b","in":"path","required":true,"schema":{"type":"string","uniqueItems":true}}]}},
      "components":{"schemas":{"x":{"type":"object","required":["r"],"additionalProperties":false,
        "properties":{"y":{"allOf":[{"$ref":"#/z"}],"default":{}},"n":{"type":"integer","minimum":1,"maxLength":7}}}},
        "securitySchemes":{"BearerToken":{"type":"apiKey","in":"header"}}}})"));
  const auto at = [&](std::initializer_list<uint32_t> path) {
    std::string_view out = bytes;
    for (uint32_t number : path) out = sub_message(out, number, 0);
    return out;
  };
  EXPECT_EQ(at({1}), "3.0.0");
  EXPECT_EQ(at({2, 6}), "1");
  EXPECT_EQ(at({4, 1, 1}), "/a/{b}");
  EXPECT_EQ(at({4, 1, 2, 4, 5}), "readA");
  EXPECT_EQ(at({4, 1, 2, 4, 13, 2, 2}), "\"get\"\n");
  EXPECT_EQ(at({4, 1, 2, 4, 8, 2, 1}), "200");
  EXPECT_EQ(at({4, 1, 2, 4, 8, 2, 2, 1, 3, 1, 1}), "application/json");
  EXPECT_EQ(at({4, 1, 2, 4, 8, 2, 2, 1, 3, 1, 2, 1, 2, 1}), "#/components/schemas/x");
  EXPECT_EQ(at({4, 1, 2, 13, 1, 10, 1, 25}), "string");
  const std::string_view schema = at({5, 1, 1, 2, 1});
  EXPECT_EQ(sub_message(schema, 23, 0), "r");
  EXPECT_EQ(sub_message(schema, 32, 0), std::string_view("\x10\x00", 2)) << "additionalProperties: false";
  EXPECT_EQ(at({5, 1, 1, 2, 1, 31, 1, 1}), "y");
  EXPECT_EQ(at({5, 1, 1, 2, 1, 31, 1, 2, 1, 26, 2, 1}), "#/z");
  EXPECT_EQ(at({5, 7, 1, 2, 1, 1}), "apiKey");
}

TEST(Discovery, AggregatedIsThatOfARealServer) {
  const Value expected = read_gz("tests/discovery/aggregated.json.gz");
  Object got;
  got.set("api", discovery::aggregated(endpoints(), discovery::Scope::kCore, "v2"));
  got.set("apis", discovery::aggregated(endpoints(), discovery::Scope::kGroups, "v2"));
  expect_same(expected, got);
}

TEST(Discovery, LegacyIsThatOfARealServer) {
  const Value expected = read_gz("tests/discovery/legacy.json.gz");
  Object got;
  got.set("/api", discovery::api_versions("<masked>"));
  got.set("/apis", discovery::group_list(endpoints()));
  for (const schema::GroupVersion& gv : gen::group_versions()) {
    if (!gv.served_by_default) continue;
    const std::string root = gv.group.empty() ? "/api" : "/apis/" + std::string(gv.group);
    const std::string path = root + "/" + std::string(gv.version);
    if (!expected.find(root)) {
      // The recording asked for some of the groups only.
    } else if (!gv.group.empty()) {
      got.set(root, *discovery::group(endpoints(), gv.group));
    }
    got.set(path, *discovery::resource_list(endpoints(), gv.group, gv.version));
  }
  expect_same(expected, got);
  EXPECT_FALSE(discovery::group(endpoints(), "nosuch"));
  EXPECT_FALSE(discovery::resource_list(endpoints(), "apps", "v9"));
}

}  // namespace
}  // namespace apiserver
