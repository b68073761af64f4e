// The libraries of Kubernetes by examples.
#include <gtest/gtest.h>

#include "cel/cel.h"

namespace cel {
namespace {

std::string run(std::string_view text) {
  const auto program = Environment::kubernetes({1, 35}).compile(text);
  if (!program) return "compile: " + program.error().message;
  Arena arena;
  const Outcome outcome = program->evaluate(arena, Activation(*program));
  return (outcome.value.is_error() ? "error: " : "") + debug_text(outcome.value);
}

TEST(CelLibraries, Work) {
  const struct {
    const char* text;
    const char* result;
  } kCases[] = {
      {"'tacocat'.charAt(3)", "o"},
      {"'h\u00e9llo'.indexOf('llo')", "2"},
      {"'hello'.lastIndexOf('l')", "3"},
      {"'a,b,c'.split(',', 2)", "[a, b,c]"},
      {"'hello'.replace('l', 'L', 1)", "heLlo"},
      {"'ab'.replace('', '-')", "-a-b-"},
      {"'hello'.substring(1, 3)", "el"},
      {"'hello'.substring(9)", "error: index out of range: 9"},
      {"' a '.trim()", "a"},
      {"['a', 'b'].join('-')", "a-b"},
      {"'aBc'.upperAscii() + 'aBc'.lowerAscii()", "ABCabc"},
      {"'%s is %d and %.2f, %x'.format(['a', dyn(5), dyn(1234.5), dyn(255)].map(x, x))", "a is 5 and 1,234.50, ff"},
      {"'%d%%'.format([5])", "5%"},
      {"'%s'.format([[1, 2]])", "[1, 2]"},
      {"strings.quote('a\"b')", "\"a\\\"b\""},
      {"sets.contains([1, 2], [2]) && !sets.intersects([1], [2]) && sets.equivalent([1, 1], [1])", "true"},
      {"[1, 3, 2].isSorted()", "false"},
      {"[1, 3, 2].max() - [1, 3, 2].min() + [1, 2].sum()", "5"},
      {"[].max()", "error: max called on empty list"},
      {"['a', 'b', 'a'].lastIndexOf('a')", "2"},
      {"[3, 1, 2].sort()", "[1, 2, 3]"},
      {"['bb', 'a'].sortBy(x, x.size())", "[a, bb]"},
      {"[[1], [2, 3]].flatten()", "[1, 2, 3]"},
      {"[1, 1, 2].distinct()", "[1, 2]"},
      {"lists.range(3)", "[0, 1, 2]"},
      {"[1, 2, 3].slice(1, 3)", "[2, 3]"},
      {"'abc 123 d4'.find('[0-9]+')", "123"},
      {"'abc 123 d4'.findAll('[0-9]+')", "[123, 4]"},
      {"url('https://user@host:80/p%20q?a=1&a=2#f').getHostname()", "host"},
      {"url('https://[::1]:80/p').getPort()", "80"},
      {"url('https://h/p q').getEscapedPath()", "/p%20q"},
      {"url('https://h?k=v&k=w').getQuery()", "{k: [v, w]}"},
      {"isURL('/absolute') && !isURL('../relative')", "true"},
      {"quantity('1Gi').isGreaterThan(quantity('1G')) && isQuantity('1.5M') && !isQuantity('1x')", "true"},
      {"quantity('50k').add(20).asInteger()", "50020"},
      {"quantity('x')",
       "error: quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'"},
      {"ip('::1').isLoopback() && ip('10.0.0.1').family() == 4 && !isIP('10.0.0.01')", "true"},
      {"ip('::ffff:1.2.3.4')", "error: IPv4-mapped IPv6 address \"::ffff:1.2.3.4\" is not allowed"},
      {"cidr('10.0.0.0/8').containsIP('10.1.2.3') && !cidr('10.0.0.0/8').containsCIDR('0.0.0.0/0')", "true"},
      {"string(cidr('10.1.2.3/8').masked())", "10.0.0.0/8"},
      {"!format.dns1123Label().validate('a-b').hasValue() && format.dns1123Label().validate('A').hasValue()", "true"},
      {"format.named('uuid').value().validate('x').value()", "[does not match the UUID format]"},
      {"format.named('nope').hasValue()", "false"},
      {"semver('1.2.3').isLessThan(semver('1.10.0')) && isSemver('1.0.0-alpha.1+b') && !isSemver('1.0')", "true"},
      {"semver('v1.02', true).minor()", "2"},
      {"semver('1.0.0-alpha').compareTo(semver('1.0.0'))", "-1"},
      {"jsonpatch.escapeKey('a/b~c')", "a~1b~0c"},
      {"type(quantity('1')) == kubernetes.Quantity", "true"},
      {"math.abs(-1)", "compile: ERROR: <input>:1:1: undeclared reference to 'math' (in container '')"},
  };
  for (const auto& test : kCases) {
    std::string result = run(test.text);
    if (result.starts_with("compile")) result = result.substr(0, result.find('\n'));
    EXPECT_EQ(result, test.result) << test.text;
  }
}

TEST(CelLibraries, ComeWithTheirVersion) {
  const auto compiles = [](int minor, std::string_view text) {
    return Environment::kubernetes({1, minor}).compile(text).has_value();
  };
  EXPECT_FALSE(compiles(33, "[1].sort() == [1]"));
  EXPECT_TRUE(compiles(34, "[1].sort() == [1]"));
  EXPECT_FALSE(compiles(29, "isIP('::1')"));
  EXPECT_TRUE(compiles(30, "isIP('::1')"));
  EXPECT_FALSE(compiles(31, "[1].all(i, v, v > i)"));
  EXPECT_FALSE(compiles(27, "optional.of(1).hasValue()"));
}

}  // namespace
}  // namespace cel
