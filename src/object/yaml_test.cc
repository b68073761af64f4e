#include "object/yaml.h"

#include <gtest/gtest.h>

#include "object/json.h"

namespace object {
namespace {

std::string as_json(std::string_view yaml) {
  const auto value = parse_yaml(yaml);
  return value ? to_json(*value) : "error: " + value.error().message;
}

TEST(Yaml, Scalars) {
  const struct {
    std::string_view yaml, json;
  } cases[] = {
      {"", "null"},
      {"# only a comment\n", "null"},
      {"~", "null"},
      {"a:", R"({"a":null})"},
      {"[yes, No, on, OFF, true, FALSE, y, n]", "[true,false,true,false,true,false,true,false]"},
      {"[1, -2, +3, 0x1F, 0o17, 017, 0b101, 1_000, -0b11]", "[1,-2,3,31,15,15,5,1000,-3]"},
      {"[08, 1.0, 1.5, .5, 1e3, 1e-7, -.5, +1.25, 1.]", "[8,1,1.5,0.5,1000,1e-7,-0.5,1.25,1]"},
      {"[9223372036854775807, 9223372036854775808, -9223372036854775808]",
       "[9223372036854775807,9223372036854776000,-9223372036854775808]"},
      {"['yes', \"1\", '~', \"a\\tb\\u00fc\"]", R"(["yes","1","~","a\tbü"])"},
      {"[2024-01-02, 2024-01-02T03:04:05Z, 1:30, 1.2.3, 1Gi, 0x, -, 100m, null1]",
       R"(["2024-01-02","2024-01-02T03:04:05Z","1:30","1.2.3","1Gi","0x","-","100m","null1"])"},
      {"[!!str 1, !!int 2, !!float 3, !!bool yes, !custom x, !!binary aGk=]", R"(["1",2,3,true,"x","hi"])"},
      {"a: |\n  x\n  y\nb: >-\n  x\n  y\n", R"({"a":"x\ny\n","b":"x y"})"},
      {"1: a\ntrue: b\n1.5: c\n", R"({"1":"a","true":"b","1.5":"c"})"},
      {"- a\n- - b\n  - {c: [d]}\n", R"(["a",["b",{"c":["d"]}]])"},
      {"a: 1\n---\na: 2\n", R"({"a":1})"},
  };
  for (const auto& c : cases) EXPECT_EQ(as_json(c.yaml), c.json) << c.yaml;
}

TEST(Yaml, AnchorsAndMergeKeys) {
  EXPECT_EQ(as_json("a: &x {b: 1}\nc: *x\n"), R"({"a":{"b":1},"c":{"b":1}})");
  EXPECT_EQ(as_json("a: &x {b: 1, c: 2}\nd:\n  <<: *x\n  c: 3\n"), R"({"a":{"b":1,"c":2},"d":{"b":1,"c":3}})");
  EXPECT_EQ(as_json("a: &x {b: 1}\ne: &y {f: 2}\nd:\n  <<: [*x, *y]\n"),
            R"({"a":{"b":1},"e":{"f":2},"d":{"b":1,"f":2}})");
  EXPECT_EQ(as_json("'<<': 1"), R"({"\u003c\u003c":1})") << "a quoted key is no merge key";
}

TEST(Yaml, FaultsHaveUpstreamsWords) {
  const struct {
    std::string_view yaml, error;
  } cases[] = {
      {"a: [b", "did not find expected ',' or ']'"},
      {"a: {b: c", "did not find expected ',' or '}'"},
      {"a: b: c", "mapping values are not allowed in this context"},
      {"a: @b", "found character that cannot start any token"},
  };
  for (const auto& c : cases)
    EXPECT_EQ(as_json(c.yaml), "error: error converting YAML to JSON: yaml: line 1: " + std::string(c.error)) << c.yaml;
}

TEST(Yaml, DuplicateKeys) {
  std::vector<std::string> duplicates;
  const auto value = parse_yaml(
      "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: y\n  name: y2\nunk: 1\ndata: {a: \"1\", a: \"2\"}\n",
      {.duplicate_keys = &duplicates});
  ASSERT_TRUE(value);
  EXPECT_EQ(value->string_at({"metadata", "name"}), "y2");
  EXPECT_EQ(value->string_at({"data", "a"}), "2");
  EXPECT_EQ(duplicates, (std::vector<std::string>{"line 5: key \"name\" already set in map",
                                                  "line 7: key \"a\" already set in map"}));
  duplicates.clear();
  ASSERT_TRUE(parse_yaml("a: &x {b: 1}\nd:\n  <<: *x\n  b: 3\n", {.duplicate_keys = &duplicates}));
  EXPECT_TRUE(duplicates.empty());
}

TEST(Yaml, RefusesBadAndHostileDocuments) {
  for (std::string_view bad : {"a: b: c", "[1", "{a", "\"x", "*unknown", "a: &x [*x]", ".nan", "[.inf]", "!!int x",
                               "{[a]: b}", "<<: 1", "a:\n\t- b", "!!binary '*'", "? {a: b}\n: c", "~: 1"}) {
    const auto value = parse_yaml(bad);
    EXPECT_FALSE(value) << bad << " is " << as_json(bad);
    if (!value)
      EXPECT_TRUE(value.error().message.starts_with("error converting YAML to JSON: ")) << value.error().message;
  }
  // A billion laughs; one long text many times; anchors within anchors; depth.
  std::string laughs = "a0: &a0 [x,x,x,x,x,x,x,x,x,x]\n";
  for (int i = 1; i < 12; ++i) {
    const std::string last = "*a" + std::to_string(i - 1);
    laughs += "a" + std::to_string(i) + ": &a" + std::to_string(i) + " [" + last;
    for (int j = 0; j < 9; ++j) laughs += ", " + last;
    laughs += "]\n";
  }
  EXPECT_NE(as_json(laughs).find("excessive aliasing"), std::string::npos);
  std::string copies = "a: &a " + std::string(1'000'000, 'x') + "\nb:\n";
  for (int i = 0; i < 100; ++i) copies += "- *a\n";
  EXPECT_NE(as_json(copies).find("excessive aliasing"), std::string::npos);
  EXPECT_NE(as_json(std::string(100000, '[')).find("error"), std::string::npos);
  std::string deep;
  for (int i = 0; i < 3000; ++i) deep += "- ";
  EXPECT_NE(as_json(deep).find("error"), std::string::npos);
}

TEST(Yaml, SplitsDocuments) {
  const auto documents =
      split_yaml_documents("# c\n---\na: 1\n---   \n# nothing\n\n---\nb: '---'\n--- # x\nc: |\n  --- not here\n");
  ASSERT_EQ(documents.size(), 3U);
  EXPECT_EQ(as_json(documents[0]), R"({"a":1})");
  EXPECT_EQ(as_json(documents[1]), R"({"b":"---"})");
  EXPECT_EQ(as_json(documents[2]), R"({"c":"--- not here\n"})");
  EXPECT_TRUE(split_yaml_documents("\n# x\n").empty());
}

TEST(Yaml, WritesAsUpstreamDoes) {
  const auto value = parse_json(
      R"({"kind":"ConfigMap","apiVersion":"v1","data":{"k":"v","empty":"","yes":"yes","n":"1","t":"2024-01-02T03:04:05Z",)"
      R"("lines":"a\n b\n","keep":"a\n\n","cut":"a\nb","odd":"a \nb","colon":"a: b","hash":"a #b","star":"*x","quote":"it's: 'x'",)"
      R"("tab":"a\tb","lead":" x","url":"http://x/y:z","dash":"-","neg":"-x","nl":"\n","indent":"  x\ny"},)"
      R"("list":[1,{"b":[true,null],"a":{}},[[],["x"]],"s"],"f":1.5,"big":1e21,"item10":1,"item9":2})");
  EXPECT_EQ(to_yaml(*value), R"(apiVersion: v1
big: 1e+21
data:
  colon: 'a: b'
  cut: |-
    a
    b
  dash: '-'
  empty: ""
  hash: 'a #b'
  indent: |2-
      x
    y
  k: v
  keep: |+
    a

  lead: ' x'
  lines: |
    a
     b
  "n": "1"
  neg: -x
  nl: |2+

  odd: "a \nb"
  quote: 'it''s: ''x'''
  star: '*x'
  t: "2024-01-02T03:04:05Z"
  tab: "a\tb"
  url: http://x/y:z
  "yes": "yes"
f: 1.5
item9: 2
item10: 1
kind: ConfigMap
list:
- 1
- a: {}
  b:
  - true
  - null
- - []
  - - x
- s
)");
  EXPECT_EQ(to_yaml(Value()), "null\n");
  EXPECT_EQ(to_yaml(Value("x")), "x\n");
  EXPECT_EQ(to_yaml(Value(Object())), "{}\n");
}

TEST(Yaml, RoundTrips) {
  const std::string_view strings[] = {"",           " ",
                                      "x",          "~",
                                      "null",       "true",
                                      "1",          "1.5",
                                      "0x1f",       "1:30",
                                      "1e3",        ".5",
                                      "-",          "- x",
                                      "-x",         "?",
                                      "? x",        ":",
                                      "a:",         "a: b",
                                      "a:b",        "#",
                                      "a#b",        "a #b",
                                      "'",          "\"",
                                      "it's",       "%x",
                                      "@x",         "`x",
                                      "&x",         "*x",
                                      "!x",         "|",
                                      ">",          "[x]",
                                      "{x}",        ",x",
                                      "x,y",        "---",
                                      "--- a",      "...",
                                      "\n",         "\n\n",
                                      "a\n",        "a\n\n",
                                      "a\nb",       "a\n\nb\n",
                                      " a\nb",      "a\n b",
                                      "a \nb",      "a\nb ",
                                      "\ta",        "a\tb",
                                      "\r",         "a\r\nb",
                                      "\x01",       "\x7f",
                                      "\u0085",     "\u2028",
                                      "\uFEFF",     "\u00fc\U0001F600",
                                      "<<",         "=",
                                      "2024-01-02", "a\\b",
                                      "\\",         "\n a",
                                      "\n\na\n",    "key: |\n  x\n",
                                      "- a\n- b\n", "\x1b[0m",
                                      "a: 'b'",     "trailing:",
                                      "no",         "Y"};
  Object object;
  Array array;
  for (std::string_view text : strings) {
    object.set(text, text);
    array.emplace_back(text);
    array.emplace_back(Object());
    array.back().object_if()->set("k", text);
    array.emplace_back(Array{Value(text)});
  }
  object.set("array", array);
  object.set(std::string(2000, 'k'), array);
  const Value value(object);
  const std::string text = to_yaml(value);
  const auto again = parse_yaml(text);
  ASSERT_TRUE(again) << again.error().message << "\n" << text;
  EXPECT_EQ(to_json(*again, KeyOrder::kSorted), to_json(value, KeyOrder::kSorted)) << text;
  for (std::string_view one : strings) EXPECT_EQ(as_json(to_yaml(Value(one))), to_json(Value(one)));
}

}  // namespace
}  // namespace object
