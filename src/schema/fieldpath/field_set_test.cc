#include "schema/fieldpath/field_set.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <set>

#include "schema/fieldpath/fields_v1.h"

namespace schema {
namespace {

FieldSet parse(Arena& arena, std::string_view text) {
  auto set = parse_fields_v1(arena, text);
  EXPECT_TRUE(set) << text;
  return set ? *set : FieldSet();
}

std::string text_of(FieldSet set) {
  std::string out;
  append_fields_v1(out, set);
  return out;
}

std::set<std::string> paths_of(FieldSet set) {
  std::set<std::string> paths;
  std::vector<Element> path;
  for_each_path(set, path, [&](std::span<const Element> at) { paths.insert(path_text(at)); });
  return paths;
}

TEST(FieldsV1, RoundTrips) {
  for (const char* text : {
           R"({})",
           R"({"f:data":{".":{},"f:x":{},"f:y":{}}})",
           R"({"f:spec":{"f:ports":{"k:{\"containerPort\":80,\"protocol\":\"TCP\"}":{".":{},"f:name":{}}}}})",
           R"({"f:finalizers":{"v:\"a.b/c\"":{}},"f:list":{"i:0":{},"i:12":{"f:a":{}}}})",
           R"({"f:v":{"v:-3":{},"v:1.5":{},"v:\"text\"":{},"v:true":{},"v:[1]":{},"v:null":{}}})",
           R"({"f:a\"b\\c\nd":{}})",
           R"({"f:l":{"k:{\"n\":\"\\u003ca\\u003e\",\"on\":true}":{}}})",
       }) {
    Arena arena;
    EXPECT_EQ(text_of(parse(arena, text)), text);
  }
}

struct ReadCase {
  const char* text;
  const char* canonical;  // null: an error
};

TEST(FieldsV1, ReadsAnyForm) {
  const ReadCase cases[] = {
      {R"( { "f:b" : { } , "f:a" : { "." : { } } } )", R"({"f:a":{},"f:b":{}})"},
      {R"({"f:a":{"f:x":{}},"f:a":{"f:y":{},".":{}}})", R"({"f:a":{".":{},"f:x":{},"f:y":{}}})"},
      {R"({"x:new":{"f:a":[1,{"b":"}"}]},"f:a":{}})", R"({"f:a":{}})"},
      {R"({"f:a":{"x:new":{}}})", R"({"f:a":{}})"},
      {R"({"f:a":{".":"anything"}})", R"({"f:a":{}})"},
      {R"({"f:a":null})", R"({"f:a":{}})"},
      {R"({"f:l":{"k:{\"b\":1,\"a\":\"\\\"\"}":{}}})", R"({"f:l":{"k:{\"a\":\"\\\"\",\"b\":1}":{}}})"},
      {R"({"f:é":{}})", R"({"f:é":{}})"},
      {R"({"f:\u00e9":{}})", R"({"f:é":{}})"},
      {R"({"f:\ud83d\ude00\ud83d\/\b":{}})", "{\"f:\xf0\x9f\x98\x80\xef\xbf\xbd/\\u0008\":{}}"},
      {"{\"f:\xff\\u0000\":{}}", "{\"f:\xff\\u0000\":{}}"},
      {R"({"f:\u12":{}})", nullptr},
      {R"({"f:\x":{}})", nullptr},
      {R"(null)", R"({})"},
      {R"({"f:a":{})", nullptr},
      {R"({"f:a":1})", nullptr},
      {R"({"fa":{}})", nullptr},
      {R"({"":{}})", nullptr},
      {R"({"i:x":{}})", nullptr},
      {R"({"v:nonsense":{}})", nullptr},
      {R"({"k:[]":{}})", nullptr},
      {R"({"f:a":{}}x)", nullptr},
      {R"({"f:a)", nullptr},
      {R"({"f:a\)", nullptr},
      {R"([])", nullptr},
      {"", nullptr},
  };
  for (const ReadCase& c : cases) {
    Arena arena;
    auto set = parse_fields_v1(arena, c.text);
    ASSERT_EQ(set.has_value(), c.canonical != nullptr) << c.text;
    if (set) EXPECT_EQ(text_of(*set), c.canonical) << c.text;
  }
  std::string deep;
  for (int i = 0; i < 5'000; ++i) deep += R"({"f:a":)";
  Arena arena;
  EXPECT_FALSE(parse_fields_v1(arena, deep));
}

// Fields, then keys, then values, then indexes; numbers by value before strings before bools.
TEST(FieldSet, Order) {
  Arena arena;
  const FieldSet set = parse(arena, R"({"i:2":{},"i:10":{},"v:true":{},"v:\"a\"":{},"v:2":{},"v:10":{},"v:2.5":{},
      "k:{\"a\":\"x\",\"b\":1}":{},"k:{\"a\":\"x\"}":{},"k:{\"b\":0}":{},"f:b":{},"f:a":{}})");
  EXPECT_EQ(text_of(set), R"({"f:a":{},"f:b":{},"k:{\"a\":\"x\"}":{},"k:{\"a\":\"x\",\"b\":1}":{},"k:{\"b\":0}":{},)"
                          R"("v:2":{},"v:2.5":{},"v:10":{},"v:\"a\"":{},"v:true":{},"i:2":{},"i:10":{}})");
}

TEST(FieldSet, PathText) {
  Arena arena;
  const FieldSet set =
      parse(arena, R"({"f:c":{"k:{\"name\":\"a\",\"port\":80}":{"f:x":{"v:\"q\\\"\"":{},"i:3":{}}}}})");
  EXPECT_EQ(paths_of(set),
            (std::set<std::string>{R"(.c[name="a",port=80].x[="q\""])", R"(.c[name="a",port=80].x[3])"}));
}

// --- the operations agree with those on sets of paths
// -------------------------------------------------------------------

FieldSet random_set(Arena& arena, std::mt19937& random, int depth) {
  std::vector<SetEntry> entries;
  for (int i = 0; i < 5; ++i) {
    if (random() % 2 == 0) continue;
    static constexpr std::string_view kNames[] = {"a", "b", "c", "d", "e"};
    SetEntry entry;
    entry.element = i < 3 ? Element::field(kNames[i]) : Element::of_index(i);
    entry.member = random() % 2 == 0;
    if (depth > 0) entry.child = random_set(arena, random, depth - 1).node();
    if (entry.member || entry.child) entries.push_back(entry);
  }
  return make_set(arena, entries);
}

bool starts_with_any(const std::string& path, const std::set<std::string>& prefixes) {
  for (const std::string& prefix : prefixes) {
    if (!path.starts_with(prefix)) continue;
    if (path.size() == prefix.size() || path[prefix.size()] == '.' || path[prefix.size()] == '[') return true;
  }
  return false;
}

TEST(FieldSet, OperationsAgreeWithPlainSets) {
  std::mt19937 random(7);
  for (int round = 0; round < 2'000; ++round) {
    Arena arena;
    const FieldSet a = random_set(arena, random, 3);
    const FieldSet b = random_set(arena, random, 3);
    const auto left = paths_of(a);
    const auto right = paths_of(b);
    std::set<std::string> both, either = left, only, apart;
    either.insert(right.begin(), right.end());
    for (const std::string& path : left) {
      (right.contains(path) ? both : only).insert(path);
      if (!starts_with_any(path, right)) apart.insert(path);
    }
    ASSERT_EQ(paths_of(unite(arena, a, b)), either);
    ASSERT_EQ(paths_of(intersect(arena, a, b)), both);
    ASSERT_EQ(paths_of(subtract(arena, a, b)), only);
    ASSERT_EQ(paths_of(subtract_recursively(arena, a, b)), apart);
    ASSERT_EQ(equal(a, b), left == right);
    ASSERT_EQ(size(a), left.size());
    const FieldSet again = parse(arena, arena.copy(text_of(a)));
    ASSERT_TRUE(equal(a, again)) << text_of(a);
    // What changes nothing costs nothing: the same trie.
    ASSERT_EQ(unite(arena, a, intersect(arena, a, b)).node(), a.node());
    ASSERT_EQ(subtract(arena, a, subtract(arena, b, a)).node(), a.node());
    std::set<std::string> tips;
    for (const std::string& path : left) {
      std::set<std::string> self = {path};
      const auto extends = [&](const std::string& other) { return other != path && starts_with_any(other, self); };
      if (std::ranges::none_of(left, extends)) tips.insert(path);
    }
    ASSERT_EQ(paths_of(leaves(arena, a)), tips);
  }
}

TEST(FieldSet, Has) {
  Arena arena;
  const FieldSet set = parse(arena, R"({"f:a":{"f:b":{}}})");
  const Element path[] = {Element::field("a"), Element::field("b"), Element::field("c")};
  EXPECT_FALSE(set.has({path, 1}));
  EXPECT_TRUE(set.has({path, 2}));
  EXPECT_FALSE(set.has({path, 3}));
}

}  // namespace
}  // namespace schema
