// x-kubernetes-validations: what a definition may say, and what its objects are told.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "api/apiextensions/rule_expressions.h"
#include "api/apiextensions/validation_rules.h"
#include "gen/catalogue.h"
#include "gen/meta/v1.h"
#include "object/json.h"

namespace api {
namespace {

using object::FieldErrors;
using object::FieldPath;
using object::Value;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

Value json(std::string_view text) {
  auto parsed = object::parse_json(text);
  EXPECT_TRUE(parsed) << text;
  return parsed ? *std::move(parsed) : Value();
}

std::string declared(std::string_view schema, const ExpressionRequirements& requirements = {}) {
  FieldErrors errors;
  validate_rule_expressions(json(schema), requirements, {}, FieldPath("s"), errors);
  return errors.empty() ? "" : errors.to_string();
}

// A resource with a spec of these properties and rules.
std::string spec_of(const std::string& properties, const std::string& rules) {
  return R"x({"type":"object","properties":{"spec":{"type":"object","properties":{)x" + properties +
         R"x(},"x-kubernetes-validations":[)x" + rules + "]}}}";
}

TEST(RuleExpressions, ConstantsAreJudgedBeforeTheyRun) {
  struct Case {
    const char* rule;
    const char* want;  // "" = good
  };
  static const Case kCases[] = {
      {"int('x') > 1", "program instantiation failed: type conversion error from 'string' to 'int'"},
      {"bool('foo')", "program instantiation failed: type conversion error from 'string' to 'bool'"},
      {"'abc'.find('(') == ''", "program instantiation failed: error parsing regexp: missing closing ): `(`"},
      {"matches('a', '(')", "program instantiation failed: error parsing regexp: missing closing ): `(`"},
      {"'a'.matches('(')", "compilation failed: ERROR: <input>:1:13: invalid matches argument"},
      {"duration('1d') == duration('1h')", "compilation failed: ERROR: <input>:1:10: invalid duration argument"},
      {"'%d'.format(['a']) == ''",
       "ERROR: <input>:1:14: error during formatting: decimal clause can only be used on integers, was given string"},
      {"'%x'.format([1.5]) == ''",
       "ERROR: <input>:1:14: error during formatting: only integers, byte buffers, and strings can be formatted as "
       "hex, was given double"},
      {"'%s'.format([self]) == ''", "error during formatting: string clause can only be used on strings, "},
      {"'%s %s'.format(['a']) == ''", "ERROR: <input>:1:15: index 1 out of range"},
      {"'%s'.format(['a', 1]) == ''",
       "ERROR: <input>:1:12: too many arguments supplied to string.format (expected 1, got 2)"},
      {"'%z'.format([1]) == ''",
       "ERROR: <input>:1:12: could not parse formatting clause: unrecognized formatting clause \"z\""},
      {"'%.'.format([1]) == ''", "error while parsing precision: could not find end of precision specifier"},
      {"'%'.format([]) == ''", "ERROR: <input>:1:11: unexpected end of string"},
      {"'%s is %d, %.2f'.format(['a', self.n, 1.5]) == 'x'", ""},
      {"'%s'.format([[1, 'a', {'b': 2}]]) == 'x'", ""},
      {"[1, 2].first().value() == [0, 1].last().value()", ""},
      {"type(self.n) == int", ""},
      {"self.if > 1 && self.__if__ > 1", ""},
      {"self.true > 1", "ERROR: <input>:1:6: Syntax error: mismatched input 'true' expecting IDENTIFIER"},
      {"self{}", "is not a type"},
  };
  for (const Case& c : kCases) {
    const std::string quoted = object::to_json(Value(c.rule));
    const std::string told =
        declared(spec_of(R"x("n":{"type":"integer"},"if":{"type":"integer"})x", "{\"rule\":" + quoted + "}"));
    if (c.want[0] == '\0') {
      EXPECT_EQ(told, "") << c.rule;
    } else {
      EXPECT_THAT(told, HasSubstr(c.want)) << c.rule;
    }
  }
}

TEST(RuleExpressions, SizesThatBeginNoPathAreThoseOfSelf) {
  const auto told = [](const std::string& rule) {
    return declared(
        R"x({"type":"object","properties":{"s":{"type":"string","maxLength":10,"x-kubernetes-validations":[)x"
        R"x({"rule":")x" +
        rule + R"x("}]}}})x");
  };
  EXPECT_EQ(told("self.split(',').all(x, x.matches('a+'))"), "");
  EXPECT_EQ(told("self.split(',').map(x, x + 'aaaa').all(y, y.size() < 5)"), "");
}

TEST(RuleExpressions, MapsOfUnknownTypesAreNotCorrelated) {
  EXPECT_THAT(
      declared(R"x({"type":"object","properties":{"m":{"type":"object","x-kubernetes-map-type":"future",)x"
               R"x("properties":{"a":{"type":"integer","x-kubernetes-validations":[{"rule":"self > oldSelf"}]}}}}})x"),
      HasSubstr("oldSelf cannot be used on the uncorrelatable portion of the schema within s.properties[m]"));
}

TEST(RuleExpressions, Compile) {
  const std::string n = R"x("n":{"type":"integer"},"s":{"type":"string","maxLength":10})x";
  EXPECT_EQ(declared(spec_of(n, R"x({"rule":"self.n > 1","messageExpression":"'s is ' + self.s"})x")), "");
  // Compat: the length of a number as text is not known beforehand, which makes it too costly.
  EXPECT_THAT(declared(spec_of(n, R"x({"rule":"self.n > 1","messageExpression":"'n is ' + string(self.n)"})x")),
              HasSubstr("messageExpression: Forbidden: estimated messageExpression cost exceeds budget"));
  EXPECT_THAT(
      declared(spec_of(n, R"x({"rule":"self.nope > 1"})x")),
      HasSubstr(R"x(s.properties[spec].x-kubernetes-validations[0].rule: Invalid value: {"Rule":"self.nope \u003e 1",)x"
                R"x("Message":"","MessageExpression":"","Reason":null,"FieldPath":"","OptionalOldSelf":null}: )x"
                R"x(compilation failed: ERROR: <input>:1:5: undefined field 'nope')x"));
  EXPECT_THAT(declared(spec_of(n, R"x({"rule":"self.n"})x")), HasSubstr("cel expression must evaluate to a bool"));
  EXPECT_THAT(declared(spec_of(n, R"x({"rule":"true","messageExpression":"1"})x")),
              HasSubstr("[0].messageExpression: Invalid value: "));
  EXPECT_THAT(declared(spec_of(n, R"x({"rule":"true","messageExpression":"1"})x")),
              HasSubstr("messageExpression must evaluate to a string"));
  EXPECT_THAT(declared(spec_of(n, R"x({"rule":"self.n > 1","optionalOldSelf":true})x")),
              HasSubstr("optionalOldSelf: Invalid value: true: may not be set if oldSelf is not used in rule"));
  EXPECT_EQ(declared(spec_of(
                n, R"x({"rule":"oldSelf.hasValue() ? self.n > oldSelf.value().n : true","optionalOldSelf":true})x")),
            "");
}

TEST(RuleExpressions, OldSelfNeedsACounterpart) {
  EXPECT_EQ(
      declared(R"x({"type":"object","properties":{"l":{"type":"array","maxItems":5,"items":{"type":"integer",
                        "x-kubernetes-validations":[{"rule":"self >= oldSelf"}]}}}})x"),
      "s.properties[l].items.x-kubernetes-validations[0].rule: Invalid value: \"self >= oldSelf\": oldSelf cannot "
      "be used on the uncorrelatable portion of the schema within s.properties[l]");
}

TEST(RuleExpressions, Cost) {
  const std::string unbounded = spec_of(R"x("l":{"type":"array","items":{"type":"array","items":{"type":"string"}}})x",
                                        R"x({"rule":"self.l.all(x, self.l.all(y, x == y))"})x");
  EXPECT_THAT(declared(unbounded),
              HasSubstr("s.properties[spec].x-kubernetes-validations[0].rule: Forbidden: estimated rule cost exceeds "
                        "budget by factor of more than 100x (try simplifying the rule, or adding maxItems, "
                        "maxProperties, and maxLength where arrays, maps, and strings are declared)"));
  EXPECT_THAT(declared(unbounded), HasSubstr("s: Forbidden: x-kubernetes-validations estimated rule cost total for "
                                             "entire OpenAPIv3 schema exceeds budget by factor of"));
  const std::string bounded = spec_of(R"x("l":{"type":"array","maxItems":5,"items":{"type":"string","maxLength":5}})x",
                                      R"x({"rule":"self.l.all(x, self.l.all(y, x == y))"})x");
  EXPECT_EQ(declared(bounded), "");
}

std::string run(const std::string& schema, std::string_view object, std::string_view old = "",
                std::vector<std::string>* warnings = nullptr) {
  const Value text = json(schema);
  auto compiled = schema::StructuralSchema::compile(text, gen::message_of<meta::v1::ObjectMeta>());
  EXPECT_TRUE(compiled);
  const auto rules = ValidationRules::compile(text, *compiled);
  if (!rules) return "no rules";
  FieldErrors errors;
  const Value before = old.empty() ? Value() : json(old);
  rules->validate(json(object), old.empty() ? nullptr : &before, {}, errors, ValidationRules::Ratcheting::kOn,
                  warnings);
  return errors.empty() ? "" : errors.to_string();
}

TEST(ValidationRules, Messages) {
  const std::string n = R"x("n":{"type":"integer"},"m":{"type":"integer"})x";
  EXPECT_EQ(run(R"x({"type":"object","properties":{"a":{"type":"string"}}})x", "{}"), "no rules");
  EXPECT_EQ(run(spec_of(n, R"x({"rule":"self.n <= self.m"})x"), R"x({"spec":{"n":1,"m":2}})x"), "");
  EXPECT_EQ(run(spec_of(n, R"x({"rule":"self.n <= self.m"})x"), R"x({"spec":{"n":3,"m":2}})x"),
            "spec: Invalid value: failed rule: self.n <= self.m");
  EXPECT_EQ(run(spec_of(n, R"x({"rule":"self.n <= self.m","message":" n first "})x"), R"x({"spec":{"n":3,"m":2}})x"),
            "spec: Invalid value: n first");
  EXPECT_EQ(run(spec_of(n, R"x({"rule":"self.n <= self.m","messageExpression":"'n is ' + string(self.n)"})x"),
                R"x({"spec":{"n":3,"m":2}})x"),
            "spec: Invalid value: n is 3");
  EXPECT_EQ(run(spec_of(n, R"x({"rule":"self.n <= self.m","reason":"FieldValueForbidden","fieldPath":".n"})x"),
                R"x({"spec":{"n":3,"m":2}})x"),
            "spec.n: Forbidden: failed rule: self.n <= self.m");
  EXPECT_EQ(run(spec_of(n, R"x({"rule":"self.n <= self.m"})x"), R"x({"spec":{"n":3}})x"),
            R"x(spec: Invalid value: "object": no such key: m evaluating rule: self.n <= self.m)x");
  EXPECT_EQ(
      run(R"x({"type":"object","properties":{"i":{"type":"integer","x-kubernetes-validations":[{"rule":"self > 1"}]}}})x",
          R"x({"i":1})x"),
      "i: Invalid value: 1: failed rule: self > 1");
  EXPECT_EQ(run(R"x({"type":"object","properties":{"m":{"type":"object","additionalProperties":{"type":"integer",
                   "x-kubernetes-validations":[{"rule":"self > 1"}]}}}})x",
                R"x({"m":{"a":2,"b":1}})x"),
            "m[b]: Invalid value: 1: failed rule: self > 1");
  EXPECT_EQ(run(R"x({"type":"object","x-kubernetes-validations":[{"rule":"self.metadata.name.startsWith('a')"}]})x",
                R"x({"apiVersion":"v1","kind":"K","metadata":{"name":"b"}})x"),
            "<nil>: Invalid value: failed rule: self.metadata.name.startsWith('a')");
}

TEST(ValidationRules, Transitions) {
  const std::string schema = spec_of(R"x("n":{"type":"integer"})x", R"x({"rule":"self.n >= oldSelf.n"})x");
  EXPECT_EQ(run(schema, R"x({"spec":{"n":1}})x"), "");
  EXPECT_EQ(run(schema, R"x({"spec":{"n":1}})x", R"x({"spec":{"n":1}})x"), "");
  EXPECT_EQ(run(schema, R"x({"spec":{"n":1}})x", R"x({"spec":{"n":2}})x"),
            "spec: Invalid value: failed rule: self.n >= oldSelf.n");
  const std::string optional =
      spec_of(R"x("n":{"type":"integer"})x",
              R"x({"rule":"oldSelf.hasValue() || self.n == 0","optionalOldSelf":true,"message":"start at 0"})x");
  EXPECT_EQ(run(optional, R"x({"spec":{"n":1}})x"), "spec: Invalid value: start at 0");
  EXPECT_EQ(run(optional, R"x({"spec":{"n":1}})x", R"x({"spec":{"n":0}})x"), "");
  const std::string items =
      R"x({"type":"object","properties":{"l":{"type":"array","x-kubernetes-list-type":"map","x-kubernetes-list-map-keys":["k"],
         "items":{"type":"object","properties":{"k":{"type":"string"},"v":{"type":"integer"}},
         "x-kubernetes-validations":[{"rule":"self.v >= oldSelf.v"}]}}}})x";
  EXPECT_EQ(run(items, R"x({"l":[{"k":"b","v":1},{"k":"a","v":1}]})x", R"x({"l":[{"k":"a","v":2}]})x"),
            "l[1]: Invalid value: failed rule: self.v >= oldSelf.v");
}

TEST(ValidationRules, RatchetsWhatDidNotChange) {
  const std::string schema =
      R"x({"type":"object","properties":{"n":{"type":"integer","x-kubernetes-validations":[{"rule":"self > 1"}]},
         "m":{"type":"integer"}}})x";
  std::vector<std::string> warnings;
  EXPECT_EQ(run(schema, R"x({"n":1,"m":1})x", R"x({"n":1,"m":2})x", &warnings), "");
  EXPECT_THAT(warnings, ::testing::ElementsAre("n: Invalid value: 1: failed rule: self > 1"));
  warnings.clear();
  EXPECT_EQ(run(schema, R"x({"n":1})x", R"x({"n":2})x", &warnings), "n: Invalid value: 1: failed rule: self > 1");
  EXPECT_THAT(warnings, IsEmpty());
}

TEST(ValidationRules, AreBlockedByWrongShapes) {
  FieldErrors errors;
  EXPECT_FALSE(blocks_rules(errors));
  errors.invalid(FieldPath("a"), 1, "x");
  EXPECT_FALSE(blocks_rules(errors));
  errors.required(FieldPath("b"));
  EXPECT_TRUE(blocks_rules(errors));
  EXPECT_THAT(errors.to_string(), HasSubstr("<nil>: Invalid value: null: some validation rules were not checked"));
}

}  // namespace
}  // namespace api
