#include "object/json.h"

#include <gtest/gtest.h>

#include "codec/limits.h"
#include "object/text_tree.h"

namespace object {
namespace {

using std::string_view_literals::operator""sv;

std::string nested(std::string_view open, int depth) {
  std::string text;
  for (int i = 0; i < depth; ++i) text += open;
  return text;
}

TEST(Json, ParsesAndWritesBack) {
  const struct {
    std::string_view in, out;
  } cases[] = {
      {"null", "null"},
      {" true ", "true"},
      {"false", "false"},
      {"0", "0"},
      {"-0", "0"},
      {"9223372036854775807", "9223372036854775807"},
      {"-9223372036854775808", "-9223372036854775808"},
      {"9223372036854775808", "9223372036854776000"},
      {"99999999999999999999", "100000000000000000000"},
      {"1e3", "1000"},
      {"1.50", "1.5"},
      {"-1E-7", "-1e-7"},
      {"1e-999", "0"},
      {"-4e-0002122713340", "-0"},
      {R"("a\u00fc\n\/\ud83d\ude00")", "\"a\u00fc\\n/\U0001F600\""},
      {R"("\ud800")", "\"\uFFFD\""},
      {R"("\ud800\u0041\udc00")", "\"\uFFFDA\uFFFD\""},
      {"\"a\xff\"", "\"a\uFFFD\""},
      {"[]", "[]"},
      {"{}", "{}"},
      {"[1, [2, {\"a\": []}], {}]", R"([1,[2,{"a":[]}],{}])"},
      {"\t{\"b\":1,\r\n\"a\":\"<\"}", R"({"b":1,"a":"\u003c"})"},
      {R"({"":""})", R"({"":""})"},
      {R"({"a":1,"a":{"b":2}})", R"({"a":{"b":2}})"},
      {R"("a string that is longer than sixteen bytes, with \"quotes\" late")",
       R"("a string that is longer than sixteen bytes, with \"quotes\" late")"},
  };
  for (const auto& c : cases) {
    const auto value = parse_json(c.in);
    ASSERT_TRUE(value) << c.in << ": " << value.error().message;
    EXPECT_EQ(to_json(*value), c.out) << c.in;
    const auto careful = parse_json_carefully(c.in);
    ASSERT_TRUE(careful) << c.in;
    EXPECT_EQ(to_json(*careful), c.out) << c.in;
  }
}

TEST(Json, IntegersAndDoubles) {
  EXPECT_TRUE(parse_json("1")->is_int());
  EXPECT_EQ(parse_json("1.0")->kind(), Value::Kind::kDouble);
  EXPECT_EQ(parse_json("1e0")->kind(), Value::Kind::kDouble);
  EXPECT_EQ(parse_json("9223372036854775808")->kind(), Value::Kind::kDouble);
}

// The messages of Go's encoding/json.
TEST(Json, Errors) {
  const std::string huge = std::string(400, '9') + "e-20";
  const struct {
    std::string_view in;
    std::string message;
  } cases[] = {
      {huge, "json: cannot unmarshal number " + huge + " into Go value of type float64"},
      {"", "unexpected end of JSON input"},
      {"  ", "unexpected end of JSON input"},
      {"{", "unexpected end of JSON input"},
      {"[{\"op\":", "unexpected end of JSON input"},
      {"\"abc", "unexpected end of JSON input"},
      {"\"abc\\", "unexpected end of JSON input"},
      {"\"\\u12", "unexpected end of JSON input"},
      {"tru", "unexpected end of JSON input"},
      {"-", "unexpected end of JSON input"},
      {"1.", "unexpected end of JSON input"},
      {"1e+", "unexpected end of JSON input"},
      {"{\"a\":}", "invalid character '}' looking for beginning of value"},
      {"{\"a\":1} trailing", "invalid character 't' after top-level value"},
      {"{}{}", "invalid character '{' after top-level value"},
      {"{\"a\":1,}", "invalid character '}' looking for beginning of object key string"},
      {"{'a':1}", R"(invalid character '\'' looking for beginning of object key string)"},
      {"{\"a\" 1}", "invalid character '1' after object key"},
      {"{\"a\":1 \"b\":2}", "invalid character '\"' after object key:value pair"},
      {"[1 2]", "invalid character '2' after array element"},
      {"[1,]", "invalid character ']' looking for beginning of value"},
      {"01", "invalid character '1' after top-level value"},
      {"-x", "invalid character 'x' in numeric literal"},
      {"1.x", "invalid character 'x' after decimal point in numeric literal"},
      {"1ex", "invalid character 'x' in exponent of numeric literal"},
      {"+1", "invalid character '+' looking for beginning of value"},
      {"trux", "invalid character 'x' in literal true (expecting 'e')"},
      {"nul\n", "invalid character '\\n' in literal null (expecting 'l')"},
      {"\"a\nb\"", "invalid character '\\n' in string literal"},
      {"\"a\x01\"", "invalid character '\\x01' in string literal"},
      {"\"\\q\"", "invalid character 'q' in string escape code"},
      {"\"\\u12g4\"", "invalid character 'g' in \\u hexadecimal character escape"},
      {"\xef\xbb\xbf{}", "invalid character '\u00ef' looking for beginning of value"},
      {"a: b", "invalid character 'a' looking for beginning of value"},
      {"1e999", "json: cannot unmarshal number 1e999 into Go value of type float64"},
      {"[1e999", "unexpected end of JSON input"},
      {"\0"sv, "invalid character '\\x00' looking for beginning of value"},
  };
  for (const auto& c : cases) {
    const auto value = parse_json(c.in);
    ASSERT_FALSE(value) << c.in;
    EXPECT_EQ(value.error().message, c.message) << c.in;
    EXPECT_EQ(value.error().reason, base::Reason::kBadRequest);
  }
}

TEST(Json, DepthIsLimited) {
  const std::string deep = nested("[", codec::kMaxDepth) + nested("]", codec::kMaxDepth);
  const auto value = parse_json(deep);
  ASSERT_TRUE(value);
  EXPECT_EQ(to_json(*value), deep);
  EXPECT_EQ(parse_json(nested("[", 100000)).error().message, "invalid character '[' exceeded max depth");
  EXPECT_EQ(parse_json(nested("{\"a\":", 100000)).error().message, "invalid character '{' exceeded max depth");
}

TEST(Json, Duplicates) {
  constexpr std::string_view kText = R"({"metadata":{"name":"d","name":"e"},"data":{"a":"1","a":"2"},"data":{"b":"3"},)"
                                     R"("list":[{"x":1},{"x":1,"y":{"z":0,"z":1}}]})";
  std::vector<std::string> duplicates;
  const JsonOptions merge{Duplicates::kMerge, &duplicates};
  EXPECT_EQ(to_json(*parse_json(kText, merge)),
            R"({"metadata":{"name":"e"},"data":{"a":"2","b":"3"},"list":[{"x":1},{"x":1,"y":{"z":1}}]})");
  EXPECT_EQ(duplicates, (std::vector<std::string>{"metadata.name", "data.a", "data", "list[1].y.z"}));
  EXPECT_EQ(to_json(*parse_json(kText)),
            R"({"metadata":{"name":"e"},"data":{"b":"3"},"list":[{"x":1},{"x":1,"y":{"z":1}}]})");
}

// More members than are compared one by one; quadratic work would be noticed.
TEST(Json, ManyMembers) {
  std::string text = "{";
  for (int i = 0; i < 100000; ++i) text += "\"key" + std::to_string(i) + "\":" + std::to_string(i) + ',';
  text += "\"key7\":\"again\"}";
  std::vector<std::string> duplicates;
  const auto value = parse_json(text, {.duplicate_fields = &duplicates});
  ASSERT_TRUE(value);
  EXPECT_EQ(value->object_if()->size(), 100000U);
  EXPECT_EQ(value->string_at({"key7"}), "again");
  EXPECT_EQ(duplicates, std::vector<std::string>{"key7"});
}

// What the quick tree reads is what the Value has; the rest it leaves.
TEST(Json, TextTrees) {
  for (const char* text :
       {R"({"a":1,"b":[true,null,"x\u00e9\n",{}],"c":{"d":-2.5,"e":[]},"f":""})", "[]", "7", "\"\""}) {
    TextTree tree;
    ASSERT_TRUE(tree.read(text)) << text;
    EXPECT_EQ(to_json(tree.root()), to_json(parse_json(text).value()));
  }
  for (const char* text : {R"({"a":1,"a":2})", "{", "", R"({"a":1} x)"}) {
    TextTree tree;
    EXPECT_FALSE(tree.read(text)) << text;
  }
  TextTree first;
  TextTree second;  // each has its own memory
  ASSERT_TRUE(first.read(R"({"name":"one"})") && second.read(R"({"name":"two"})"));
  EXPECT_EQ(*first.root().object_if()->find("name")->string_if(), "one");
  EXPECT_EQ(first.root().object_if()->find("other"), nullptr);
}

TEST(Json, PrettyAndSorted) {
  const auto value = parse_json(R"({"b":[1,{"d":2,"c":[]}],"a":{}})");
  EXPECT_EQ(to_json(*value, KeyOrder::kSorted), R"({"a":{},"b":[1,{"c":[],"d":2}]})");
  EXPECT_EQ(to_pretty_json(*value),
            "{\n  \"b\": [\n    1,\n    {\n      \"d\": 2,\n      \"c\": []\n    }\n  ],\n  \"a\": {}\n}");
}

}  // namespace
}  // namespace object
