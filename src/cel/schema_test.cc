// Typing by schemas, reading by schemas, and costs.
#include <gtest/gtest.h>

#include "cel/cel.h"
#include "cel/libraries/authorizer.h"
#include "cel/libraries/json_patch.h"
#include "object/json.h"

namespace cel {
namespace {

// A schema in JSON.
class JsonSchema : public SchemaSource {
 public:
  explicit JsonSchema(const object::Value& json) : json_(json) {
    if (const object::Value* items = json.find("items")) items_ = std::make_unique<JsonSchema>(*items);
    if (const object::Value* values = json.find("additionalProperties"))
      values_ = std::make_unique<JsonSchema>(*values);
    if (const object::Value* properties = json.find("properties")) {
      for (const object::Member& member : *properties->object_if()) properties_.emplace_back(member.key, member.value);
    }
  }
  std::string_view type() const override { return json_.string_at({"type"}); }
  std::string_view format() const override { return json_.string_at({"format"}); }
  bool int_or_string() const override { return json_.find("x-kubernetes-int-or-string") != nullptr; }
  bool nullable() const override { return json_.find("nullable") != nullptr; }
  std::optional<int64_t> max_length() const override { return number("maxLength"); }
  std::optional<int64_t> max_items() const override { return number("maxItems"); }
  std::optional<int64_t> max_properties() const override { return number("maxProperties"); }
  const SchemaSource* items() const override { return items_.get(); }
  const SchemaSource* additional_properties() const override { return values_.get(); }
  void each_property(const std::function<void(std::string_view, const SchemaSource&)>& take) const override {
    for (const auto& [name, schema] : properties_) take(name, schema);
  }
  std::string_view list_type() const override { return json_.string_at({"x-kubernetes-list-type"}); }

 private:
  std::optional<int64_t> number(std::string_view key) const {
    const object::Value* value = json_.find(key);
    return value ? std::optional<int64_t>(*value->int_if()) : std::nullopt;
  }
  const object::Value& json_;
  std::unique_ptr<JsonSchema> items_, values_;
  std::vector<std::pair<std::string, JsonSchema>> properties_;
};

constexpr std::string_view kSchema = R"({"type": "object", "properties": {
  "replicas": {"type": "integer"}, "text": {"type": "string", "maxLength": 125}, "other": {"type": "string", "maxLength": 125},
  "when": {"type": "string", "format": "date-time"}, "wait": {"type": "string", "format": "duration"},
  "data": {"type": "string", "format": "byte", "maxLength": 500}, "ratio": {"type": "number"},
  "port": {"x-kubernetes-int-or-string": true}, "on": {"type": "boolean"}, "x-y.z": {"type": "integer"},
  "namespace": {"type": "string"}, "maybe": {"type": "string", "nullable": true},
  "names": {"type": "array", "maxItems": 100, "items": {"type": "string", "maxLength": 10}},
  "tags": {"type": "array", "x-kubernetes-list-type": "set", "items": {"type": "string"}},
  "nested": {"type": "array", "maxItems": 50, "items": {"type": "array", "maxItems": 10, "items": {"type": "integer"}}},
  "labels": {"type": "object", "maxProperties": 20, "additionalProperties": {"type": "string", "maxLength": 5}}}})";

struct Fixture {
  Fixture() {
    schema = object::parse_json(kSchema).value();
    types = std::make_shared<DeclTypes>();
    self = types->build(JsonSchema(schema), "self");
    environment.declare("self", *self);
    environment.add_types(types);
  }
  std::string run(std::string_view text, std::string_view object_text) {
    const auto program = environment.compile(text);
    if (!program) return "compile: " + program.error().message;
    const auto object = object::parse_json(object_text);
    Arena arena;
    Activation variables(*program);
    variables.set(0, Value::of(*object, self));
    const Outcome outcome = program->evaluate(arena, variables);
    cost = outcome.cost;
    return (outcome.value.is_error() ? "error: " : "") + debug_text(outcome.value);
  }
  object::Value schema;
  std::shared_ptr<DeclTypes> types;
  const DeclType* self = nullptr;
  Environment environment = Environment::kubernetes({1, 35});
  uint64_t cost = 0;
};

TEST(CelSchema, TypesFields) {
  Fixture fixture;
  const auto message = [&](std::string_view text) {
    const auto program = fixture.environment.compile(text);
    return program ? program->result_type() : program.error().message.substr(0, program.error().message.find('\n'));
  };
  EXPECT_EQ(message("self.replicas"), "int");
  EXPECT_EQ(message("self.when"), "timestamp");
  EXPECT_EQ(message("self.names"), "list(string)");
  EXPECT_EQ(message("self.labels"), "map(string, string)");
  EXPECT_EQ(message("self.port"), "dyn");
  EXPECT_EQ(message("self.x__dash__y__dot__z + 1"), "int");
  EXPECT_EQ(message("self.__namespace__"), "string");
  EXPECT_EQ(message("self.nothing"), "ERROR: <input>:1:5: undefined field 'nothing'");
  EXPECT_EQ(message("self.replicas.x"), "ERROR: <input>:1:14: type 'int' does not support field selection");
  EXPECT_EQ(message("self.replicas == 'a'"),
            "ERROR: <input>:1:15: found no matching overload for '_==_' applied to '(int, string)'");
  EXPECT_EQ(message("cel.bind(x, 1, x)"), "ERROR: <input>:1:1: undeclared reference to 'cel' (in container '')");
  EXPECT_EQ(message("duration('x')"), "ERROR: <input>:1:10: invalid duration argument");
}

TEST(CelSchema, ReadsByType) {
  Fixture fixture;
  constexpr std::string_view kObject = R"({"replicas": 2, "when": "2024-01-02T03:04:05Z", "wait": "90s", "data": "aGk=",
    "ratio": 1, "port": "http", "x-y.z": 4, "maybe": null, "tags": ["b", "a"], "labels": {"a": "1"}, "unknown": 1})";
  EXPECT_EQ(fixture.run("self.when.getHours() == 3 && self.wait == duration('1m30s')", kObject), "true");
  EXPECT_EQ(fixture.run("self.data == b'hi' && self.ratio == 1.0", kObject), "true");
  EXPECT_EQ(fixture.run("type(self.port) == string && self.x__dash__y__dot__z == 4", kObject), "true");
  EXPECT_EQ(fixture.run("has(self.maybe)", kObject), "false");
  EXPECT_EQ(fixture.run("self.tags == ['a', 'b']", kObject), "true");
  EXPECT_EQ(fixture.run("self.labels.all(k, self.labels[k] == '1')", kObject), "true");
  EXPECT_EQ(fixture.run("self.on", kObject), "error: no such key: on");
  EXPECT_EQ(fixture.run("self.on", R"({"on": "x"})"), "error: invalid data, expected bool, got string");
}

TEST(CelSchema, EstimatesCosts) {
  const struct {
    const char* text;
    uint64_t min, max;
  } kCases[] = {
      {"self.replicas", 2, 2},
      {"self.labels['key']", 3, 3},
      {"has(self.text)", 1, 1},
      {"[1, 2, 3]", 10, 10},
      {"{'a': 1, 'b': 2}", 30, 30},
      {"self.names.all(x, true)", 3, 303},
      {"self.labels.all(k, k.matches('[0-9]'))", 3, 123},
      {"self.nested.all(x, x.all(y, true))", 3, 1753},
      {"[1, 2, 3].all(x, true)", 20, 20},
      {"self.text.matches('[0-9]')", 4, 104},
      {"'123'.matches('[0-9]')", 2, 2},
      {"true || false", 0, 0},
      {"2 in [1, 2, 3]", 13, 13},
      {"1 == 2", 1, 1},
      {"string(self.data)", 2, 52},
      {"bytes(self.text) == bytes(self.text)", 5, 304},
      {"self.text.contains(self.other)", 4, 2504},
      {"[1, 2, 3, 4, 5].sum()", 15, 15},
      {"url('https:://kubernetes.io/').getHost()", 4, 4},
      {"url('https:://kubernetes.io/') == url('https:://kubernetes.io/')", 7, 9},
      {"ip('192.168.0.1').family()", 3, 3},
      {"ip.isCanonical('2001:db8:3333:4444:5555:6666:7777:8888')", 8, 8},
      {"cidr('192.168.0.0/16').containsCIDR('192.0.0.0/30')", 7, 11},
      {"quantity('1Gi').compareTo(quantity('1G'))", 3, 3},
  };
  Fixture fixture;
  for (const auto& test : kCases) {
    const auto program = fixture.environment.compile(test.text);
    ASSERT_TRUE(program) << program.error().message;
    EXPECT_EQ(program->estimated_cost().min, test.min) << test.text;
    EXPECT_EQ(program->estimated_cost().max, test.max) << test.text;
  }
  EXPECT_GT(fixture.environment.compile("self.__namespace__.contains(self.__namespace__)")->estimated_cost().max,
            kExpressionCostLimit);
}

TEST(CelSchema, CountsCosts) {
  const struct {
    const char* text;
    uint64_t cost;
  } kCases[] = {
      {"self.replicas", 2},
      {"self.labels['key']", 3},
      {"self.labels['ke' + 'y']", 4},
      {"has(self.labels.key)", 2},
      {"self.names.all(x, x == 'a')", 3 + 2 * 5},
      {"self.names.exists(x, true)", 3 + 4 + 3},
      {"self.names.map(x, x)", 3 + 2 * 13},
      {"self.replicas in [1, 2, 3]", 2},
      {"[1, 2, 3].sum()", 3},
      {"self.text.startsWith('ab') && self.replicas > 0", 3 + 3},
      {"self.replicas > 0 ? self.text : self.other", 4},
      {"self.text.contains('bc')", 3},
      {"ip('192.168.0.1').family()", 3},
  };
  Fixture fixture;
  for (const auto& test : kCases) {
    const std::string result =
        fixture.run(test.text, R"({"replicas": 1, "text": "abc", "labels": {"key": "v"}, "names": ["a", "a"]})");
    EXPECT_EQ(fixture.cost, test.cost) << test.text << " = " << result;
  }
}

TEST(CelSchema, StopsAtLimits) {
  Fixture fixture;
  const auto program = fixture.environment.compile("[1,2,3,4,5,6,7,8].all(a, [1,2,3,4,5,6,7,8].all(b, a + b > 0))");
  ASSERT_TRUE(program);
  Arena arena;
  Activation variables(*program);
  EvaluateOptions options;
  options.cost_limit = 100;
  const Outcome outcome = program->evaluate(arena, variables, options);
  EXPECT_EQ(outcome.stop, Stop::kCostExceeded);
  EXPECT_EQ(outcome.value.message(), "operation cancelled: actual cost limit exceeded");
  const std::string deep(300, '(');
  EXPECT_NE(fixture.run(deep, "{}").find("expression recursion limit exceeded: 250"), std::string::npos);
}

struct Always : AuthorizerPort {
  AuthorizationAnswer check(const AuthorizationQuestion& question) const override {
    return {question.verb == "get" && question.resource == "pods" && question.namespace_name == "a", "because", ""};
  }
};

TEST(CelSchema, AsksTheAuthorizer) {
  Environment environment = Environment::kubernetes({1, 35});
  environment.declare("authorizer", authorizer_type());
  const auto program = environment.compile(
      "authorizer.group('').resource('pods').namespace('a').check('get').allowed() && "
      "!authorizer.group('').resource('pods').check('get').allowed()");
  ASSERT_TRUE(program) << program.error().message;
  Arena arena;
  Activation variables(*program);
  const Always port;
  variables.set(0, make_authorizer(arena, port));
  const Outcome outcome = program->evaluate(arena, variables);
  EXPECT_TRUE(outcome.value.is_true()) << debug_text(outcome.value);
  EXPECT_GT(outcome.cost, 700'000u);
}

TEST(CelSchema, MakesJsonPatches) {
  Environment environment = Environment::kubernetes({1, 35});
  auto types = std::make_shared<DeclTypes>();
  add_json_patch_type(*types);
  environment.add_types(types);
  const auto program =
      environment.compile("[JSONPatch{op: 'add', path: '/a/' + jsonpatch.escapeKey('b/c'), value: 1}]");
  ASSERT_TRUE(program) << program.error().message;
  Arena arena;
  const Outcome outcome = program->evaluate(arena, Activation(*program));
  EXPECT_EQ(object::to_json(to_object(outcome.value)), R"([{"op":"add","path":"/a/b~1c","value":1}])");
}

TEST(CelSchema, Escapes) {
  EXPECT_EQ(escape("a.b-c/d__e"), "a__dot__b__dash__c__slash__d__underscores__e");
  EXPECT_EQ(escape("namespace"), "__namespace__");
  EXPECT_EQ(escape("1a"), std::nullopt);
  EXPECT_EQ(escape("a b"), std::nullopt);
  for (const char* name : {"a.b", "x-y", "__", "if", "a_b"}) EXPECT_EQ(unescape(*escape(name)), name);
  EXPECT_EQ(unescape("__nope__"), std::nullopt);
}

}  // namespace
}  // namespace cel
