// The engine by examples: results, errors, costs.
#include "cel/cel.h"

#include <gtest/gtest.h>

#include "object/json.h"

namespace cel {
namespace {

// What an expression gives over `self`, as text; "error: …" or "compile: …".
std::string run(std::string_view text, std::string_view self = "{}") {
  Environment environment = Environment::kubernetes({1, 35});
  environment.declare("self", simple_type(TypeKind::kDyn));
  const auto program = environment.compile(text);
  if (!program) return "compile: " + program.error().message;
  const auto object = object::parse_json(self);
  Arena arena;
  Activation variables(*program);
  variables.set(0, Value::of(*object));
  const Outcome outcome = program->evaluate(arena, variables);
  return (outcome.value.is_error() ? "error: " : "") + debug_text(outcome.value);
}

TEST(Cel, EvaluatesTheLanguage) {
  const struct {
    const char* text;
    const char* result;
  } kCases[] = {
      {"1 + 2 * 3", "7"},
      {"-9223372036854775808", "-9223372036854775808"},
      {"9223372036854775807 + 1", "error: integer overflow"},
      {"1 / 0", "error: division by zero"},
      {"1 % 0", "error: modulus by zero"},
      {"1u - 2u", "error: unsigned integer overflow"},
      {"1.0 / 0.0", "+Inf"},
      {"'a' + 'b'", "ab"},
      {"[1, 2] + [3]", "[1, 2, 3]"},
      {"{'a': 1}.a", "1"},
      {"{'a': 1}['b']", "error: no such key: b"},
      {"[1, 2][2]", "error: index out of bounds: 2"},
      {"dyn(1) == 1.0 && dyn(1u) == 1", "true"},
      {"dyn(1) < 1.5", "true"},
      {"false && 1 / 0 == 1", "false"},
      {"1 / 0 == 1 && false", "false"},
      {"1 / 0 == 1 || true", "true"},
      {"true ? 1 : 2", "1"},
      {"[1, 2, 3].all(x, x > 0)", "true"},
      {"[1, 2, 3].exists(x, x > 2)", "true"},
      {"[1, 2, 3].exists_one(x, x > 1)", "false"},
      {"[1, 2, 3].filter(x, x > 1).map(x, x * 2)", "[4, 6]"},
      {"[1, 2].transformMap(i, v, v * 10)", "{0: 10, 1: 20}"},
      {"{'a': 1, 'b': 2}.transformList(k, v, k)", "[a, b]"},

      {"optional.of(3).orValue(4)", "3"},
      {"optional.none().orValue(4)", "4"},
      {"optional.of(3).optMap(x, x + 1).value()", "4"},
      {"{'a': 1}.?b.orValue(7)", "7"},
      {"has({'a': 1}.a) && !has({'a': 1}.b)", "true"},
      {"size('h\u00e9')", "2"},
      {"'abc'.matches('^a.c$')", "true"},
      {"duration('1h') > duration('59m')", "true"},
      {"timestamp('2024-02-29T12:00:00Z').getDayOfYear()", "59"},
      {"string(duration('1h30m'))", "5400s"},
      {"type(1) == int", "true"},
      {"2 in [1, 2]", "true"},
      {"'a' in {'a': 1}", "true"},
      {"b'\\xff'.size()", "1"},
      {"'\\u00e9' == '\u00e9'", "true"},
      {"int('12') + int(3.7)", "15"},
      {"int('x')", "error: type conversion error from 'string' to 'int'"},
  };
  for (const auto& test : kCases) EXPECT_EQ(run(test.text), test.result) << test.text;
}

TEST(Cel, ReadsObjectsInPlace) {
  constexpr std::string_view kSelf = R"({"replicas": 3, "names": ["ab", "ac"], "spec": {"x-y": 1.5, "n": null}})";
  EXPECT_EQ(run("self.replicas <= 5 && self.names.all(n, n.startsWith('a'))", kSelf), "true");
  EXPECT_EQ(run("self.spec['x-y']", kSelf), "1.5");
  EXPECT_EQ(run("self.missing", kSelf), "error: no such key: missing");
  EXPECT_EQ(run("has(self.spec.n) && self.spec.n == null", kSelf), "true");
  EXPECT_EQ(run("self.names == ['ab', 'ac']", kSelf), "true");
  EXPECT_EQ(run("self.replicas.size()", kSelf), "error: no such overload");
}

TEST(Cel, ReportsCompileErrorsAsUpstream) {
  EXPECT_EQ(run("1 + x"),
            "compile: ERROR: <input>:1:5: undeclared reference to 'x' (in container '')\n | 1 + x\n | ....^");
  EXPECT_EQ(run("1 + 'a'"),
            "compile: ERROR: <input>:1:3: found no matching overload for '_+_' applied to '(int, string)'\n"
            " | 1 + 'a'\n | ..^");
  EXPECT_EQ(
      run("1 +"),
      "compile: ERROR: <input>:1:4: Syntax error: mismatched input '<EOF>' expecting {'[', '{', '(', '.', '-', '!', "
      "'true', 'false', 'null', NUM_FLOAT, NUM_INT, NUM_UINT, STRING, BYTES, IDENTIFIER}\n | 1 +\n | ...^");
  EXPECT_EQ(run("[1, 'a']"),
            "compile: ERROR: <input>:1:5: expected type 'int' but found 'string'\n | [1, 'a']\n | ....^");
}

}  // namespace
}  // namespace cel
