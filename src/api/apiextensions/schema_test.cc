// Structural schemas on values: tables of schema, value and outcome. Texts that recorded servers gave are in
// tests/exchanges (crd-basic, crd-invalid); these cover what they do not.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "api/apiextensions/ca_bundle.h"
#include "api/apiextensions/custom_resource_definition.h"
#include "api/apiextensions/embedded_resource.h"
#include "api/apiextensions/schema_field_path.h"
#include "api/apiextensions/schema_validation.h"
#include "api/shared/rules_test.h"
#include "gen/codec.h"
#include "gen/meta/v1.h"
#include "object/json.h"
#include "object/time.h"
#include "schema/proto_value.h"
#include "schema/structural/formats.h"
#include "schema/structural/json_path.h"
#include "schema/structural/openapi.h"
#include "schema/structural/pattern.h"
#include "schema/structural/structural_schema.h"
#include "schema/structural/structurality.h"

namespace api {
namespace {

using object::FieldErrors;
using object::FieldPath;
using object::Value;
using schema::Place;
using schema::StructuralSchema;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

Value json(std::string_view text) {
  auto parsed = object::parse_json(text);
  EXPECT_TRUE(parsed) << text << ": " << parsed.error().message;
  return parsed ? *std::move(parsed) : Value();
}
std::string text(const Value& value) { return object::to_json(value, object::KeyOrder::kSorted); }

std::shared_ptr<const StructuralSchema> compile(std::string_view schema) {
  auto compiled = StructuralSchema::compile(json(schema), gen::message_of<meta::v1::ObjectMeta>());
  EXPECT_TRUE(compiled) << compiled.error().message;
  return *compiled;
}

// An object schema with these properties.
std::string object_of(const std::string& properties) {
  return R"({"type":"object","properties":{)" + properties + "}}";
}

std::string validate(const std::string& schema, std::string_view value, std::string_view old = "") {
  const auto compiled = compile(schema);
  FieldErrors errors;
  const Value before = old.empty() ? Value() : json(old);
  schema::validate(compiled->root(), json(value), old.empty() ? nullptr : &before, {}, errors);
  return errors.empty() ? "" : errors.to_string();
}

struct ValidateCase {
  const char* properties;
  const char* value;
  const char* want;
};

TEST(StructuralSchema, Validates) {
  static const ValidateCase kCases[] = {
      {R"("a":{"type":"string"})", R"({"a":"x","b":1})", ""},
      {R"("a":{"type":"string"})", R"({"a":1})",
       R"(a: Invalid value: "integer": a in body must be of type string: "integer")"},
      {R"("a":{"type":"string"})", R"({"a":null})",
       R"(a: Invalid value: "null": a in body must be of type string: "null")"},
      {R"("a":{"type":"string","nullable":true})", R"({"a":null})", ""},
      {R"("a":{"type":"integer"})", R"({"a":3.0})", ""},
      {R"("a":{"type":"integer"})", R"({"a":1e300})",
       R"(a: Invalid value: "number": a in body must be of type integer: "number")"},
      {R"("a":{"type":"number"})", R"({"a":3})", ""},
      {R"("a":{"x-kubernetes-int-or-string":true})", R"({"a":"5%"})", ""},
      {R"("a":{"x-kubernetes-int-or-string":true})", R"({"a":true})",
       R"(a: Invalid value: "boolean": a in body must be of type integer,string: "boolean")"},
      {R"("a":{"type":"string","minLength":2})", R"({"a":"é"})",
       R"(a: Invalid value: "é": a in body should be at least 2 chars long)"},
      {R"("a":{"type":"string","maxLength":2})", R"({"a":"éé"})", ""},
      {R"("a":{"type":"string","pattern":"^x+$"})", R"({"a":"xxy"})",
       R"(a: Invalid value: "xxy": a in body should match '^x+$')"},
      {R"x("a":{"type":"string","pattern":"(?<n>x)"})x", R"({"a":"yxy"})", ""},
      {R"("a":{"type":"integer","minimum":1,"exclusiveMinimum":true})", R"({"a":1})",
       "a: Invalid value: 1: a in body should be greater than 1"},
      {R"("a":{"type":"number","maximum":1.5})", R"({"a":1.75})",
       "a: Invalid value: 1.75: a in body should be less than or equal to 1.5"},
      {R"("a":{"type":"number","maximum":2,"exclusiveMaximum":true})", R"({"a":2})",
       "a: Invalid value: 2: a in body should be less than 2"},
      {R"("a":{"type":"integer","multipleOf":3})", R"({"a":7})",
       "a: Invalid value: 7: a in body should be a multiple of 3"},
      {R"("a":{"type":"number","multipleOf":0.5})", R"({"a":1.25})",
       "a: Invalid value: 1.25: a in body should be a multiple of 0.5"},
      {R"("a":{"type":"integer","multipleOf":0.5})", R"({"a":1})",
       "a: Invalid value: 0: factor MultipleOf declared for a must be positive: 0"},
      {R"("a":{"type":"array","items":{"type":"string"},"minItems":2})", R"({"a":["x"]})",
       "a: Invalid value: 1: a in body should have at least 2 items"},
      {R"("a":{"type":"array","items":{"type":"string"},"maxItems":1})", R"({"a":["x","y"]})",
       "a: Too many: 2: must have at most 1 item"},
      {R"("a":{"type":"array","items":{"type":"string"}})", R"({"a":["x",1]})",
       R"(a[1]: Invalid value: "integer": a[1] in body must be of type string: "integer")"},
      {R"("a":{"type":"object","additionalProperties":{"type":"integer"},"maxProperties":1})", R"({"a":{"x":1,"y":2}})",
       "a: Too many: 2: must have at most 1 item"},
      {R"("a":{"type":"object","additionalProperties":{"type":"integer"},"minProperties":1})", R"({"a":{}})",
       "a: Invalid value: 0: a in body should have at least 1 properties"},
      {R"("a":{"type":"object","additionalProperties":false})", R"({"a":{"x":1}})",
       R"(a: Invalid value: "x": a.x in body is a forbidden property)"},
      {R"("a":{"type":"object","properties":{"b":{"type":"string"}},"required":["b","c"]})", R"({"a":{"b":"x"}})",
       "a.c: Required value"},
      {R"("a":{"type":"string","enum":["x","y"]})", R"({"a":"z"})",
       R"(a: Unsupported value: "z": supported values: "x", "y")"},
      {R"("a":{"type":"integer","enum":[1,2]})", R"({"a":3})",
       R"(a: Unsupported value: 3: supported values: "1", "2")"},
      {R"("a":{"type":"string","nullable":true,"enum":["x"]})", R"({"a":null})",
       R"(a: Unsupported value: "null": supported values: "x")"},
      {R"("a":{"type":"string","format":"ipv4"})", R"({"a":"x"})",
       R"(a: Invalid value: "x": a in body must be of type ipv4: "x")"},
      {R"("a":{"type":"string","format":"whatever"})", R"({"a":"x"})", ""},
      {R"("a":{"type":"integer","format":"int32"})", R"({"a":99999999999})", ""},
  };
  for (const ValidateCase& c : kCases) {
    EXPECT_EQ(validate(object_of(c.properties), c.value), c.want) << c.properties << " on " << c.value;
  }
}

TEST(StructuralSchema, ValidatesBranches) {
  static const ValidateCase kCases[] = {
      {R"("a":{"type":"integer","anyOf":[{"minimum":10},{"maximum":2}]})", R"({"a":5})",
       R"([<nil>: Invalid value: "": "a" must validate at least one schema (anyOf), a: Invalid value: 5: a in body should be greater than or equal to 10])"},
      {R"("a":{"type":"integer","anyOf":[{"minimum":10},{"maximum":2}]})", R"({"a":1})", ""},
      {R"("a":{"type":"integer","oneOf":[{"minimum":1},{"minimum":2}]})", R"({"a":5})",
       R"(<nil>: Invalid value: "": "a" must validate one and only one schema (oneOf). Found 2 valid alternatives)"},
      {R"("a":{"type":"integer","oneOf":[{"minimum":6},{"minimum":7}]})", R"({"a":5})",
       R"([<nil>: Invalid value: "": "a" must validate one and only one schema (oneOf). Found none valid, a: Invalid value: 5: a in body should be greater than or equal to 6])"},
      {R"("a":{"type":"integer","allOf":[{"minimum":6},{"minimum":2}]})", R"({"a":5})",
       R"([a: Invalid value: 5: a in body should be greater than or equal to 6, <nil>: Invalid value: "": "a" must validate all the schemas (allOf)])"},
      {R"("a":{"type":"integer","not":{"minimum":6}})", R"({"a":7})",
       R"(<nil>: Invalid value: "": "a" must not validate the schema (not))"},
      {R"("a":{"type":"integer","not":{"minimum":6}})", R"({"a":5})", ""},
  };
  for (const ValidateCase& c : kCases) {
    EXPECT_EQ(validate(object_of(c.properties), c.value), c.want) << c.properties << " on " << c.value;
  }
}

TEST(StructuralSchema, ValidatesUnderAPath) {
  const auto compiled = compile(object_of(R"("status":{"type":"object","properties":{"n":{"type":"integer"}}})"));
  FieldErrors errors;
  schema::validate(compiled->root().property("status"), json(R"({"n":"x"})"), nullptr, FieldPath("status"), errors);
  EXPECT_EQ(errors.to_string(), R"(status.n: Invalid value: "string": n in body must be of type integer: "string")");
}

TEST(StructuralSchema, StopsAtTheLimitOfErrors) {
  std::string value = R"({"a":[1)";
  for (int i = 0; i < 5000; ++i) value += ",1";
  const auto compiled = compile(object_of(R"("a":{"type":"array","items":{"type":"string"}})"));
  FieldErrors errors;
  schema::validate(compiled->root(), json(value + "]}"), nullptr, {}, errors);
  EXPECT_EQ(errors.size(), 1000u);
}

TEST(StructuralSchema, RatchetsWhatDidNotChange) {
  const std::string schema = object_of(
      R"("a":{"type":"string","maxLength":1},"n":{"type":"integer"},
         "list":{"type":"array","x-kubernetes-list-type":"map","x-kubernetes-list-map-keys":["k"],
           "items":{"type":"object","properties":{"k":{"type":"string"},"v":{"type":"string","maxLength":1}}}},
         "plain":{"type":"array","items":{"type":"string","maxLength":1}})");
  EXPECT_EQ(validate(schema, R"({"a":"long","n":1})", R"({"a":"long","n":2})"), "");
  EXPECT_EQ(validate(schema, R"({"a":"longer","n":1})", R"({"a":"long","n":1})"),
            "a: Too long: may not be more than 1 byte");
  // Items of a map are matched by key, wherever they stand.
  EXPECT_EQ(validate(schema, R"({"list":[{"k":"new"},{"k":"x","v":"long"}]})", R"({"list":[{"k":"x","v":"long"}]})"),
            "");
  EXPECT_EQ(validate(schema, R"({"list":[{"k":"y","v":"long"}]})", R"({"list":[{"k":"x","v":"long"}]})"),
            "list[0].v: Too long: may not be more than 1 byte");
  // Other lists are one thing.
  EXPECT_EQ(validate(schema, R"({"plain":["long"],"n":1})", R"({"plain":["long"],"n":2})"), "");
  EXPECT_EQ(validate(schema, R"({"plain":["long","x"]})", R"({"plain":["long"]})"),
            "plain[0]: Too long: may not be more than 1 byte");
}

std::string pruned(const std::string& schema, std::string_view value, Place place, std::vector<std::string>& dropped) {
  Value object = json(value);
  schema::prune(compile(schema)->root(), object, place, &dropped);
  return text(object);
}

TEST(StructuralSchema, Prunes) {
  struct Case {
    const char* schema;
    const char* value;
    const char* want;
    std::vector<std::string> dropped;
  };
  static const Case kCases[] = {
      {R"({"type":"object","properties":{"spec":{"type":"object","properties":{"a":{"type":"string"}}}}})",
       R"({"apiVersion":"v1","kind":"K","metadata":{"x":1},"spec":{"a":"1","b":2},"z":{"y":1}})",
       R"({"apiVersion":"v1","kind":"K","metadata":{"x":1},"spec":{"a":"1"}})",
       {"spec.b", "z"}},
      {R"({"type":"object","x-kubernetes-preserve-unknown-fields":true,
           "properties":{"s":{"type":"object","properties":{"a":{"type":"string"}}}}})",
       R"({"kept":{"x":1},"s":{"a":"1","b":2}})",
       R"({"kept":{"x":1},"s":{"a":"1"}})",
       {"s.b"}},
      {R"({"type":"object","properties":{"l":{"type":"array","items":{"type":"object","properties":{}}}}})",
       R"({"l":[{"a":1},{},[{"b":1}]]})",
       R"({"l":[{},{},[{}]]})",
       {"l[0].a", "l[2][0].b"}},
      {R"({"type":"object","properties":{"m":{"type":"object","additionalProperties":true},
           "n":{"type":"object","additionalProperties":{"type":"object","properties":{"a":{"type":"string"}}}}}})",
       R"({"m":{"x":1,"y":{"z":1}},"n":{"k":{"a":"1","b":2}}})",
       R"({"m":{"x":1,"y":{}},"n":{"k":{"a":"1"}}})",
       {"m.y.z", "n.k.b"}},
      {R"({"type":"object","properties":{"e":{"type":"object","x-kubernetes-embedded-resource":true,
           "properties":{"spec":{"type":"object"}}}}})",
       R"({"e":{"apiVersion":"v1","kind":"P","metadata":{"name":"x"},"other":1,"spec":{"y":1}}})",
       R"({"e":{"apiVersion":"v1","kind":"P","metadata":{"name":"x"},"spec":{}}})",
       {"e.other", "e.spec.y"}},
      {R"({"type":"object","properties":{"i":{"x-kubernetes-int-or-string":true}}})", R"({"i":5})", R"({"i":5})", {}},
  };
  for (const Case& c : kCases) {
    std::vector<std::string> dropped;
    EXPECT_EQ(pruned(c.schema, c.value, Place::kResource, dropped), c.want) << c.schema;
    EXPECT_EQ(dropped, c.dropped) << c.schema;
  }
  std::vector<std::string> dropped;
  EXPECT_EQ(pruned(R"({"type":"object"})", R"({"kind":"K","x":1})", Place::kPart, dropped), "{}");
  EXPECT_THAT(dropped, ElementsAre("x"));  // a part's kind goes in silence, as upstream's
}

TEST(StructuralSchema, PrunesManyMembersInLinearTime) {
  std::string value = R"({"a":"1")";
  for (int i = 0; i < 200'000; ++i) value += ",\"x" + std::to_string(i) + "\":1";
  std::vector<std::string> dropped;
  EXPECT_EQ(pruned(object_of(R"("a":{"type":"string"})"), value + "}", Place::kResource, dropped), R"({"a":"1"})");
  EXPECT_EQ(dropped.size(), 200'000u);
}

TEST(StructuralSchema, Defaults) {
  struct Case {
    const char* properties;
    const char* value;
    const char* want;
  };
  static const Case kCases[] = {
      {R"("a":{"type":"string","default":"x"})", "{}", R"({"a":"x"})"},
      {R"("a":{"type":"string","default":"x"})", R"({"a":"y"})", R"({"a":"y"})"},
      {R"("a":{"type":"string","default":"x"})", R"({"a":null})", R"({"a":"x"})"},
      {R"("a":{"type":"string","default":"x","nullable":true})", R"({"a":null})", R"({"a":null})"},
      {R"("a":{"type":"string"})", R"({"a":null,"b":null})", R"({"b":null})"},
      {R"("a":{"type":"string","nullable":true})", R"({"a":null})", R"({"a":null})"},
      {R"("o":{"type":"object","default":{},"properties":{"a":{"type":"integer","default":3}}})", "{}",
       R"({"o":{"a":3}})"},
      {R"("o":{"type":"object","properties":{"a":{"type":"integer","default":3}}})", "{}", "{}"},
      {R"("l":{"type":"array","items":{"type":"object","properties":{"a":{"type":"integer","default":3}}}})",
       R"({"l":[{},{"a":1}]})", R"({"l":[{"a":3},{"a":1}]})"},
      {R"("l":{"type":"array","items":{"type":"string","default":"d"}})", R"({"l":[null,"x"]})", R"({"l":["d","x"]})"},
      {R"("m":{"type":"object","additionalProperties":{"type":"string","default":"d"}})", R"({"m":{"x":null}})",
       R"({"m":{"x":"d"}})"},
  };
  for (const Case& c : kCases) {
    const auto compiled = compile(object_of(c.properties));
    Value value = json(c.value);
    schema::prune_nulls(compiled->root(), value);
    schema::set_defaults(compiled->root(), value);
    EXPECT_EQ(text(value), c.want) << c.properties << " on " << c.value;
  }
}

TEST(StructuralSchema, CoercesEmbeddedResources) {
  const auto compiled = compile(object_of(
      R"("e":{"type":"object","x-kubernetes-embedded-resource":true,"x-kubernetes-preserve-unknown-fields":true})"));
  Value value =
      json(R"({"e":{"apiVersion":"v1","kind":"P","metadata":{"name":"n","nope":1,"labels":{"a":"b"}},"x":1}})");
  std::vector<std::string> dropped;
  EXPECT_FALSE(
      schema::coerce_embedded(compiled->root(), value, Place::kPart, {}, schema::OnMalformed::kFail, &dropped));
  EXPECT_EQ(text(value), R"({"e":{"apiVersion":"v1","kind":"P","metadata":{"labels":{"a":"b"},"name":"n"},"x":1}})");
  EXPECT_THAT(dropped, ElementsAre("e.metadata.nope"));

  value = json(R"({"e":{"apiVersion":1,"kind":"P"}})");
  auto error = schema::coerce_embedded(compiled->root(), value, Place::kPart, {}, schema::OnMalformed::kFail);
  ASSERT_TRUE(error);
  EXPECT_EQ(error->to_string(), "e.apiVersion: Invalid value: 1: must be a string");
  value = json(R"({"e":{"apiVersion":"v1","kind":"P","metadata":{"name":5}}})");
  error = schema::coerce_embedded(compiled->root(), value, Place::kPart, {}, schema::OnMalformed::kFail);
  ASSERT_TRUE(error);
  EXPECT_THAT(error->to_string(), HasSubstr("json: cannot unmarshal number into Go struct field ObjectMeta.name"));
  value = json(R"({"e":{"apiVersion":1,"kind":"P","metadata":{"name":5,"labels":{"a":"b"}}}})");
  EXPECT_FALSE(schema::coerce_embedded(compiled->root(), value, Place::kPart, {}, schema::OnMalformed::kDrop));
  EXPECT_EQ(text(value), R"({"e":{"kind":"P","metadata":{"labels":{"a":"b"}}}})");
}

TEST(StructuralSchema, ValidatesEmbeddedResources) {
  const auto compiled = compile(object_of(
      R"("e":{"type":"object","x-kubernetes-embedded-resource":true,"x-kubernetes-preserve-unknown-fields":true})"));
  const auto check = [&](std::string_view value) {
    FieldErrors errors;
    validate_embedded(compiled->root(), json(value), Place::kPart, {}, errors);
    return errors.empty() ? "" : errors.to_string();
  };
  EXPECT_EQ(check(R"({"e":{"kind":"x"}})"), "e.apiVersion: Required value");
  EXPECT_EQ(check(R"({"e":{"apiVersion":"v1","kind":"Pod","metadata":{"name":"A_B"}}})"), "");
  EXPECT_EQ(check(R"({"e":{"apiVersion":"a/b/c","kind":"Pod"}})"),
            R"(e.apiVersion: Invalid value: "a/b/c": unexpected GroupVersion string: a/b/c)");
  EXPECT_EQ(check(R"({"e":{"apiVersion":"v1","kind":"Pod","metadata":{"name":"a/b"}}})"),
            R"(e.metadata.name: Invalid value: "a/b": may not contain '/')");
}

TEST(StructuralSchema, ListTypes) {
  const auto check = [](const std::string& properties, std::string_view value) {
    FieldErrors errors;
    const auto compiled = compile(object_of(properties));
    schema::validate_list_types(compiled->root(), json(value), {}, errors);
    return errors.empty() ? "" : errors.to_string();
  };
  const std::string set = R"("s":{"type":"array","x-kubernetes-list-type":"set","items":{"type":"string"}})";
  EXPECT_EQ(check(set, R"({"s":["a","b","a","a"]})"), R"(s[2]: Duplicate value: "a")");
  EXPECT_EQ(check(set, R"({"s":["a","b"]})"), "");
  const std::string map =
      R"("m":{"type":"array","x-kubernetes-list-type":"map","x-kubernetes-list-map-keys":["k","p"],
             "items":{"type":"object","properties":{"k":{"type":"string"},"p":{"type":"integer"}}}})";
  EXPECT_EQ(check(map, R"({"m":[{"k":"a","p":1},{"k":"a","p":2},{"k":"a","p":1,"v":2}]})"),
            R"(m[2]: Duplicate value: {"k":"a","p":1})");
  EXPECT_EQ(check(map, R"({"m":[{},"x"]})"),
            R"(m[1]: Invalid value: "x": must be an object for an array of list-type map)");
}

TEST(StructuralSchema, ApplyType) {
  const auto compiled = compile(object_of(
      R"("m":{"type":"array","x-kubernetes-list-type":"map","x-kubernetes-list-map-keys":["k"],
              "items":{"type":"object","properties":{"k":{"type":"string","default":"d"}}}},
         "s":{"type":"array","x-kubernetes-list-type":"set","items":{"type":"string"}},
         "l":{"type":"array","items":{"type":"string"}},
         "at":{"type":"object","additionalProperties":{"type":"string"},"x-kubernetes-map-type":"atomic"},
         "any":{"type":"object","x-kubernetes-preserve-unknown-fields":true},
         "empty":{"type":"object"},"i":{"x-kubernetes-int-or-string":true},"n":{"type":"integer"})"));
  const schema::TypeRef root = compiled->apply_type();
  size_t hint = 0;
  const auto member = [&](std::string_view name) {
    const auto found = root.model->find_member(root, name, hint);
    return found ? schema::type_info(found->type) : schema::TypeInfo();
  };
  EXPECT_FALSE(schema::type_info(root).value);
  EXPECT_EQ(member("m").list, schema::ListRelation::kKeyed);
  EXPECT_THAT(member("m").list_keys, ElementsAre("k"));
  const auto key = root.model->key_default(member("m").item, "k");
  ASSERT_TRUE(key);
  EXPECT_EQ(key->text, "d");
  EXPECT_EQ(member("s").list, schema::ListRelation::kSet);
  EXPECT_EQ(member("l").list, schema::ListRelation::kAtomic);
  EXPECT_EQ(member("at").map, schema::MapRelation::kAtomic);
  EXPECT_TRUE(member("any").value);
  EXPECT_TRUE(member("empty").value);
  EXPECT_EQ(member("i").scalar, schema::ScalarType::kUntyped);
  EXPECT_EQ(member("n").scalar, schema::ScalarType::kNumeric);
  EXPECT_EQ(member("kind").scalar, schema::ScalarType::kString);
  EXPECT_EQ(member("metadata").map, schema::MapRelation::kGranular);
  EXPECT_FALSE(root.model->find_member(root, "nope", hint));
}

TEST(StructuralSchema, IsCompact) {
  std::string properties;
  for (int i = 0; i < 100; ++i) {
    properties += (i ? "," : "") + std::string("\"field") + std::to_string(i) +
                  R"(":{"type":"string","description":"A field with a description of some length.","maxLength":63})";
  }
  EXPECT_LT(compile(object_of(properties))->memory_bytes(), 40'000u);
}

TEST(StructuralSchema, RefusesWhatItCannotHold) {
  const auto error = [](std::string_view schema) {
    auto compiled = StructuralSchema::compile(json(schema), gen::message_of<meta::v1::ObjectMeta>());
    return compiled ? "" : compiled.error().message;
  };
  EXPECT_EQ(error(R"({"properties":{"a":{"$ref":"#/x"}}})"), "OpenAPIV3Schema '$ref' is not supported");
  EXPECT_EQ(error(R"({"items":[{}]})"), "OpenAPIV3Schema 'items' must be a schema, but is an array");
  std::string deep;
  for (int i = 0; i < 450; ++i) deep += R"({"items":)";
  deep += "{}";
  for (int i = 0; i < 450; ++i) deep += "}";
  EXPECT_EQ(error(deep), "OpenAPIV3Schema is too deep or too large");
}

std::string structural(std::string_view schema) {
  FieldErrors errors;
  schema::validate_structural(json(schema), FieldPath("s"), errors);
  return errors.empty() ? "" : errors.to_string();
}

TEST(Structurality, Rules) {
  struct Case {
    const char* schema;
    const char* want;
  };
  static const Case kCases[] = {
      {R"({"type":"object","properties":{"a":{"type":"string"}}})", ""},
      {R"({"type":"object","additionalProperties":{"type":"string"}})",
       "s.additionalProperties: Forbidden: must not be used at the root"},
      {R"({"type":"object","properties":{"a":{"x-kubernetes-int-or-string":true,
          "anyOf":[{"type":"integer"},{"type":"string"}]}}})",
       ""},
      {R"({"type":"object","properties":{"a":{"x-kubernetes-int-or-string":true,
          "allOf":[{"anyOf":[{"type":"integer"},{"type":"string"}]},{"pattern":"x"}]}}})",
       ""},
      {R"({"type":"object","anyOf":[{"properties":{"a":{"minimum":1}}}]})",
       "s.properties[a]: Required value: because it is defined in s.anyOf[0].properties[a]"},
      {R"({"type":"object","properties":{"a":{"type":"array","items":{"type":"integer"},
          "not":{"items":{"minimum":1}}}}})",
       ""},
      {R"({"type":"object","properties":{"a":{"type":"integer"}},"not":{"properties":{"a":{"items":{"minimum":1}}}}})",
       "s.properties[a].items: Required value: because it is defined in s.not.properties[a].items"},
      {R"({"type":"object","not":{"default":{},"nullable":true,"description":"x","additionalProperties":true}})",
       "[s.not.additionalProperties: Forbidden: must be undefined to be structural, s.not.default: Forbidden: must be "
       "undefined to be structural, s.not.description: Forbidden: must be empty to be structural, s.not.nullable: "
       "Forbidden: must be false to be structural]"},
      {R"({"type":"object","properties":{"metadata":{"type":"object","properties":{"name":{"type":"string"}}}}})", ""},
      {R"({"type":"object","properties":{"kind":{"type":"integer"}}})",
       R"(s.properties[kind].type: Invalid value: "integer": must be string)"},
  };
  for (const Case& c : kCases) EXPECT_EQ(structural(c.schema), c.want) << c.schema;
}

TEST(Pattern, ErrorsAsGoWritesThem) {
  EXPECT_EQ(schema::Pattern("(").error(), "error parsing regexp: missing closing ): `(`");
  EXPECT_EQ(schema::Pattern("[a").error(), "error parsing regexp: missing closing ]: `[a`");
  EXPECT_EQ(schema::Pattern("*").error(), "error parsing regexp: missing argument to repetition operator: `*`");
  EXPECT_EQ(schema::Pattern("a{2,1}").error(), "error parsing regexp: invalid repeat count: `{2,1}`");
  EXPECT_EQ(schema::Pattern("(?=x)").error(), "error parsing regexp: invalid or unsupported Perl syntax: `(?=`");
  EXPECT_EQ(schema::Pattern("a+$").error(), "");
}

TEST(Formats, Table) {
  struct Case {
    const char* format;
    const char* value;
    bool want;
  };
  static const Case kCases[] = {
      {"date-time", "2020-01-01T00:00:00Z", true},
      {"date-time", "2020-01-01T00:00:00.123+01:00", true},
      {"date-time", "2020-13-01T00:00:00Z", false},
      {"date-time", "2020-01-01", false},
      {"datetime", "2020-01-01t23:59:59z", true},
      {"date", "2020-02-30", false},
      {"date", "2020-02-29", true},
      {"duration", "1h30m", true},
      {"duration", "22 ns", true},
      {"duration", "3 days", true},
      {"duration", "x", false},
      {"ipv4", "1.2.3.4", true},
      {"ipv4", "::1", false},
      {"ipv6", "::1", true},
      {"cidr", "10.0.0.0/8", true},
      {"cidr", "10.0.0.0", false},
      {"uri", "http://a/b?c", true},
      {"uri", "/path", true},
      {"uri", "path", false},
      {"email", "a@b.c", true},
      {"email", "A B <a@b.c>", true},
      {"email", "a@", false},
      {"hostname", "a-b.example.com", true},
      {"hostname", "a_b", false},
      {"hostname", "bücher.example", true},
      {"hostname", "example.1", false},
      {"mac", "00:00:5e:00:53:01", true},
      {"mac", "0000.5e00.5301", true},
      {"mac", "00:00", false},
      {"uuid", "123e4567-e89b-12d3-a456-426614174000", true},
      {"uuid4", "123e4567-e89b-12d3-a456-426614174000", false},
      {"uuid4", "123E4567-E89B-42D3-A456-426614174000", true},
      {"isbn10", "0321751043", true},
      {"isbn", "978-0321751041", true},
      {"isbn", "978-0321751042", false},
      {"creditcard", "4111 1111 1111 1111", true},
      {"creditcard", "4111 1111 1111 1112", false},
      {"ssn", "111-22-3333", true},
      {"hexcolor", "#FFF", true},
      {"hexcolor", "#FF", false},
      {"rgbcolor", "rgb(255, 0,1)", true},
      {"rgbcolor", "rgb(256,0,1)", false},
      {"byte", "YWJj", true},
      {"byte", "YWJ", false},
      {"bsonobjectid", "507f1f77bcf86cd799439011", true},
      {"k8s-short-name", "a-b", true},
      {"k8s-short-name", "A", false},
      {"k8s-long-name", "a.b", true},
  };
  for (const Case& c : kCases) {
    EXPECT_EQ(schema::has_format(schema::format_by_name(c.format), c.value), c.want) << c.format << " " << c.value;
  }
  EXPECT_EQ(schema::format_by_name("int32"), schema::Format::kNone);
}

TEST(JsonPath, Finds) {
  const Value object = json(
      R"({"spec":{"n":3,"f":1.5,"s":"x","b":true,"l":[{"t":"A","v":"1"},{"t":"B","v":"2"}],"m":{"a.b":"c"}},
          "metadata":{"creationTimestamp":"2020-01-01T00:00:00Z"}})");
  const auto found = [&](std::string_view path) -> std::string {
    auto parsed = schema::JsonPath::parse(path);
    if (!parsed) return "error: " + parsed.error().message;
    auto values = parsed->find(object);
    if (!values) return "error: " + values.error().message;
    std::string out;
    for (const Value* value : *values) out += (out.empty() ? "" : "|") + text(*value);
    return out;
  };
  EXPECT_EQ(found(".spec.n"), "3");
  EXPECT_EQ(found(".spec.nope.x"), "");
  EXPECT_EQ(found(".spec.l[0].t"), R"("A")");
  EXPECT_EQ(found(".spec.l[-1].t"), R"("B")");
  EXPECT_EQ(found(".spec.l[*].v"), R"("1"|"2")");
  EXPECT_EQ(found(".spec.l[0:1].v"), R"("1")");
  EXPECT_EQ(found(".spec.l[0,1].v"), R"("1"|"2")");
  EXPECT_EQ(found(R"(.spec.l[?(@.t=="B")].v)"), R"("2")");
  EXPECT_EQ(found(R"(.spec.l[?(@.nope)].v)"), "");
  EXPECT_EQ(found(R"(.spec.m.a\.b)"), R"("c")");
  EXPECT_EQ(found(".spec.m['a\\.b']"), R"("c")");
  EXPECT_EQ(found("..t"), R"("A"|"B")");
  EXPECT_EQ(found(".spec.l[5]"), "error: array index out of bounds: index 5, length 2");
  EXPECT_EQ(found(".spec.l["), "error: unterminated array");
  EXPECT_EQ(found(".spec.l[?(@.t=="), "error: unterminated filter");
}

TEST(JsonPath, Cells) {
  const Value object =
      json(R"({"n":3,"f":1.75,"s":"x","b":true,"o":{"b":1,"a":[2]},"nul":null,"t":"2020-01-01T00:00:00Z","big":1e6})");
  const auto now = object::to_wall_time(*object::parse_time("2020-01-01T00:05:00Z"));
  const auto cell = [&](std::string_view path, std::string_view type) {
    return text(schema::column_cell(*schema::JsonPath::parse(path), type, object, now));
  };
  EXPECT_EQ(cell(".n", "integer"), "3");
  EXPECT_EQ(cell(".f", "integer"), "1");
  EXPECT_EQ(cell(".n", "number"), "3");
  EXPECT_EQ(cell(".n", "string"), R"("3")");
  EXPECT_EQ(cell(".big", "string"), R"("1e+06")");
  EXPECT_EQ(cell(".o", "string"), R"("{\"a\":[2],\"b\":1}")");
  EXPECT_EQ(cell(".nul", "string"), R"("\u003cno value\u003e")");
  EXPECT_EQ(cell(".s", "integer"), "null");
  EXPECT_EQ(cell(".nope", "string"), "null");
  EXPECT_EQ(cell(".b", "boolean"), "true");
  EXPECT_EQ(cell(".t", "date"), R"("5m")");
  EXPECT_EQ(cell(".s", "date"), R"("\u003cinvalid\u003e")");
}

TEST(JsonPath, Nested) {
  const Value object = json(R"({"spec":{"size":"x","n":4},"s":"x"})");
  EXPECT_EQ(**schema::nested_integer(object, ".spec.n"), 4);
  EXPECT_FALSE(*schema::nested_integer(object, ".spec.m"));
  EXPECT_EQ(schema::nested_integer(object, ".spec.size").error().message,
            ".spec.size accessor error: x is of the type string, expected int64");
  EXPECT_EQ(schema::nested_integer(object, ".s.size").error().message,
            ".s.size accessor error: x is of the type string, expected map[string]interface{}");
  Value changed = object;
  EXPECT_TRUE(schema::set_nested(changed, ".status.r", 2));
  EXPECT_EQ(**schema::nested_integer(changed, ".status.r"), 2);
  EXPECT_FALSE(schema::set_nested(changed, ".s.r", 2));
}

TEST(OpenApi, Publishes) {
  const Value schema = json(object_of(
      R"("i":{"x-kubernetes-int-or-string":true},"n":{"type":"object","nullable":true,"properties":{"x":{"type":"string"}}},
         "p":{"type":"object","x-kubernetes-preserve-unknown-fields":true},"d":{"type":"string","default":"x"})"));
  schema::PublishedKind kind{"a.io", "v1", "K", "KList", "ks", &schema, {}};
  const Value v3 = schema::published_schema(kind, schema::OpenApiVersion::kV3);
  EXPECT_EQ(text(*v3.at_path({"properties", "i"})),
            R"({"anyOf":[{"type":"integer"},{"type":"string"}],"x-kubernetes-int-or-string":true})");
  EXPECT_EQ(v3.string_at({"properties", "metadata", "$ref"}),
            "#/components/schemas/io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta");
  EXPECT_EQ(text(*v3.at_path({"x-kubernetes-group-version-kind"})), R"([{"group":"a.io","kind":"K","version":"v1"}])");
  const Value v2 = schema::published_schema(kind, schema::OpenApiVersion::kV2);
  EXPECT_EQ(text(*v2.at_path({"properties", "i"})), R"({"x-kubernetes-int-or-string":true})");
  EXPECT_EQ(text(*v2.at_path({"properties", "n"})), "{}");
  EXPECT_EQ(text(*v2.at_path({"properties", "p"})), R"({"x-kubernetes-preserve-unknown-fields":true})");
  EXPECT_EQ(text(*v2.at_path({"properties", "d"})), R"({"type":"string"})");
  EXPECT_EQ(schema::model_name("a.b.io", "v1", "K"), "io.b.a.v1.K");
}

TEST(SchemaFieldPath, Table) {
  const auto compiled = compile(object_of(
      R"("a":{"type":"object","properties":{"b":{"type":"string"}}},"m":{"type":"object","additionalProperties":{"type":"integer"}})"));
  const auto path = [&](std::string_view text) {
    auto parsed = parse_schema_field_path(text, compiled->root(), ArrayNotation::kAllowed);
    return parsed ? parsed->to_string() : "error: " + parsed.error().message;
  };
  EXPECT_EQ(path(".a.b"), "a.b");
  EXPECT_EQ(path("['a'].b"), "a.b");
  EXPECT_EQ(path(".m['k.x']"), "m[k.x]");
  EXPECT_EQ(path(".a.c"), "error: does not refer to a valid field");
  EXPECT_EQ(path("a"), "error: expected [ or . but got: a");
  EXPECT_EQ(path(".a["), "error: unexpected end of JSON path");
}

// A definition with one version that has the schema.
apiextensions::v1::CustomResourceDefinition definition(std::string_view schema) {
  apiextensions::v1::CustomResourceDefinition out;
  const std::string body = R"({"metadata":{"name":"ks.a.io"},"spec":{"group":"a.io","scope":"Namespaced",
      "names":{"plural":"ks","kind":"K"},"versions":[{"name":"v1","served":true,"storage":true,
      "schema":{"openAPIV3Schema":)" +
                           std::string(schema) + "}}]}}";
  std::string bytes;
  const auto& message = gen::message_of<apiextensions::v1::CustomResourceDefinition>();
  EXPECT_TRUE(schema::encode_value(message, json(body), bytes));
  auto decoded = gen::decode<apiextensions::v1::CustomResourceDefinition>(bytes);
  EXPECT_TRUE(decoded);
  return decoded ? *std::move(decoded) : out;
}

TEST(CustomResourceDefinition, Defaults) {
  RulesHarness h(custom_resource_definition_rules());
  auto object = definition(R"({"type":"object"})");
  EXPECT_EQ(h.create(object), "");
  EXPECT_EQ(object.spec.names.singular, "k");
  EXPECT_EQ(object.spec.names.list_kind, "KList");
  EXPECT_EQ(object.spec.conversion->strategy, "None");
  EXPECT_THAT(object.status.stored_versions, ElementsAre("v1"));
  EXPECT_FALSE(non_structural_condition(object));
}

TEST(CustomResourceDefinition, Schemas) {
  struct Case {
    const char* schema;
    const char* want;
  };
  static const Case kCases[] = {
      {R"({"type":"object","properties":{"spec":{"type":"object","properties":{"a":{"type":"object","default":{"b":1},
           "properties":{"b":{"type":"integer"}}}}}}})",
       ""},
      {R"({"type":"object","properties":{"metadata":{"type":"object","default":{}}}})",
       "spec.validation.openAPIV3Schema.properties[metadata].default: Forbidden: must not be set in top-level "
       "metadata"},
      {R"({"type":"object","nullable":true})",
       "spec.validation.openAPIV3Schema.nullable: Forbidden: nullable cannot be true at the root"},
      {R"({"type":"object","properties":{"a":{"type":"array","x-kubernetes-list-type":"set","items":{"type":"object"}}}})",
       "spec.validation.openAPIV3Schema.properties[a].items.x-kubernetes-map-type: Invalid value: null: must be "
       "atomic as item of a list with x-kubernetes-list-type=set"},
      {R"({"type":"object","properties":{"a":{"type":"string","x-kubernetes-map-type":"atomic"}}})",
       "spec.validation.openAPIV3Schema.properties[a].type: Invalid value: \"string\": must be object if "
       "x-kubernetes-map-type is specified"},
      {R"({"type":"object","properties":{"e":{"type":"object","x-kubernetes-embedded-resource":true,"properties":{
           "metadata":{"type":"object","properties":{"name":{"type":"string","default":"a/b"}}}}}}})",
       "spec.validation.openAPIV3Schema.properties[e].properties[metadata].properties[name].default: Invalid value: "
       "\"a/b\": must result in valid metadata: metadata.name: Invalid value: \"a/b\": may not contain '/'"},
      {R"({"type":"object","x-kubernetes-validations":[{"rule":" "}]})",
       "spec.validation.openAPIV3Schema.x-kubernetes-validations[0].rule: Required value: rule is not specified"},
      {R"({"type":"object","x-kubernetes-validations":[{"rule":"true","fieldPath":".nope"}]})",
       "spec.validation.openAPIV3Schema.x-kubernetes-validations[0].fieldPath: Invalid value: \".nope\": must be a "
       "valid path"},
  };
  for (const Case& c : kCases) {
    RulesHarness h(custom_resource_definition_rules());
    auto object = definition(c.schema);
    EXPECT_EQ(h.create(object), c.want) << c.schema;
  }
}

TEST(CustomResourceDefinition, CaBundles) {
  const std::string good = "-----BEGIN CERTIFICATE-----\nMAMCAQE=\n-----END CERTIFICATE-----\n";
  EXPECT_FALSE(ca_bundle_problem(good));
  EXPECT_FALSE(ca_bundle_problem("# a comment\n" + good + "garbage"));
  const std::string unable = "unable to load root certificates: ";
  EXPECT_EQ(ca_bundle_problem("Cg=="), unable + "unable to parse bytes as PEM block");
  EXPECT_EQ(ca_bundle_problem("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"),
            unable + "failed to parse certificate: x509: malformed certificate");

  RulesHarness h(custom_resource_definition_rules());
  auto object = definition(R"({"type":"object"})");
  auto& conversion = object.spec.conversion.ensure();
  conversion.strategy = "Webhook";
  conversion.webhook.ensure().conversion_review_versions = {"v1"};
  conversion.webhook->client_config.ensure().url = "https://a.b/c";
  conversion.webhook->client_config->ca_bundle = "bad";
  EXPECT_EQ(h.create(object), "") << "it is not established yet";
  auto changed = object;
  EXPECT_EQ(h.update(changed, object), "");
  auto old = object;
  auto& condition = old.status.conditions.emplace_back();
  condition.type = "Established";
  condition.status = "True";
  EXPECT_EQ(h.update(changed, old), "") << "it was bad before";
  old.spec.conversion->webhook->client_config->ca_bundle = good;
  EXPECT_EQ(h.update(changed, old),
            "spec.conversion.webhookClientConfig.caBundle: Invalid value: \"YmFk\": unable to load root certificates: "
            "unable to parse bytes as PEM block");
}

TEST(CustomResourceDefinition, ServicesOfWebhooks) {
  RulesHarness h(custom_resource_definition_rules());
  auto object = definition(R"({"type":"object"})");
  auto& conversion = object.spec.conversion.ensure();
  conversion.strategy = "Webhook";
  conversion.webhook.ensure().conversion_review_versions = {"v1"};
  auto& service = conversion.webhook->client_config.ensure().service.ensure();
  service.namespace_ = "n";
  service.path = "a";
  EXPECT_EQ(h.create(object),
            "[spec.conversion.webhookClientConfig.service.namespace: Required value, "
            "spec.conversion.webhookClientConfig.service.path: Invalid value: \"a\": must start with a '/', "
            "spec.conversion.webhookClientConfig.service.path: Invalid value: \"a\": segment[0] may not be empty]");
}

TEST(CustomResourceDefinition, WarnsOfUnknownFormats) {
  RulesHarness h(custom_resource_definition_rules());
  auto object = definition(R"({"type":"object","properties":{"a":{"type":"string","format":"x"}}})");
  EXPECT_EQ(h.create(object), "");
  EXPECT_THAT(h.warnings, ElementsAre("unrecognized format \"x\""));
  h.warnings.clear();
  const auto old = object;
  EXPECT_EQ(h.update(object, old), "");
  EXPECT_TRUE(h.warnings.empty());
}

TEST(CustomResourceDefinition, Updates) {
  RulesHarness h(custom_resource_definition_rules());
  auto old = definition(R"({"type":"object"})");
  EXPECT_EQ(h.create(old), "");
  auto object = old;
  object.spec.scope = "Cluster";
  EXPECT_EQ(h.update(object, old), "");
  EXPECT_EQ(object.metadata.generation, 2);
  old.status.conditions.emplace_back();
  old.status.conditions[0].type = "Established";
  old.status.conditions[0].status = "True";
  object = old;
  object.spec.scope = "Cluster";
  EXPECT_EQ(h.update(object, old), "spec.scope: Invalid value: \"Cluster\": field is immutable");
  object = old;
  object.spec.versions[0].name = "v2";
  EXPECT_THAT(h.update(object, old),
              HasSubstr("status.storedVersions[0]: Invalid value: \"v1\": missing from spec.versions"));
}

TEST(CustomResourceDefinition, KeepsWhatAnOldServerLetIn) {
  const std::string schema =
      R"({"type":"object","properties":{"a":{"type":"array","x-kubernetes-list-type":"set","items":{"type":"object"}}}})";
  RulesHarness h(custom_resource_definition_rules());
  auto old = definition(schema);
  h.rules().set_defaults_any(&old);
  auto object = old;
  EXPECT_EQ(h.update(object, old), "");
}

}  // namespace
}  // namespace api
