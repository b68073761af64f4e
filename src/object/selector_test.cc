#include "object/selector.h"

#include <gtest/gtest.h>

#include <map>

#include "object/json.h"

namespace object {
namespace {

using Map = std::map<std::string, std::string, std::less<>>;

TEST(LabelSelector, ParsesPrintsAndMatches) {
  const Map none, x = {{"app", "x"}}, y = {{"app", "y"}, {"tier", "web"}}, n5 = {{"n", "5"}};
  const struct {
    std::string_view text, printed;
    bool none, x, y, n5;
  } cases[] = {
      {"", "", true, true, true, true},
      {"app=x", "app=x", false, true, false, false},
      {"app==x", "app==x", false, true, false, false},
      {" app = x ", "app=x", false, true, false, false},
      {"app!=x", "app!=x", true, false, true, true},
      {"app in (y, x)", "app in (x,y)", false, true, true, false},
      {"app notin (x)", "app notin (x)", true, false, true, true},
      {"app", "app", false, true, true, false},
      {"!app", "!app", true, false, false, true},
      {"! app", "!app", true, false, false, true},
      {"app=y,tier=web", "app=y,tier=web", false, false, true, false},
      {"tier!=web,app", "app,tier!=web", false, true, false, false},
      {"app=", "app=", false, false, false, false},
      {"app in ()", "app in ()", false, false, false, false},
      {"app in (x,,y)", "app in (,x,y)", false, true, true, false},
      {"app in (,)", "app in ()", false, false, false, false},
      {"n>4", "n>4", false, false, false, true},
      {"n>5", "n>5", false, false, false, false},
      {"n<6", "n<6", false, false, false, true},
      {"app,app", "app,app", false, true, true, false},
      {"!app,!tier", "!app,!tier", true, false, false, true},
      {"in in (in,notin)", "in in (in,notin)", false, false, false, false},
  };
  for (const auto& c : cases) {
    const auto selector = LabelSelector::parse(c.text);
    ASSERT_TRUE(selector) << c.text << ": " << selector.error().message;
    EXPECT_EQ(selector->to_string(), c.printed);
    EXPECT_EQ(selector->matches(MapLabels(none)), c.none) << c.text;
    EXPECT_EQ(selector->matches(MapLabels(x)), c.x) << c.text;
    EXPECT_EQ(selector->matches(MapLabels(y)), c.y) << c.text;
    EXPECT_EQ(selector->matches(MapLabels(n5)), c.n5) << c.text;
    if (c.printed != "app in ()") EXPECT_EQ(LabelSelector::parse(c.printed)->to_string(), c.printed);
  }
}

// As a real server answered (recorded exchanges, list-label-selectors).
TEST(LabelSelector, Errors) {
  constexpr char kValue[] =
      "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start "
      "and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation "
      "is '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')";
  constexpr char kKey[] =
      "a valid label key must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an "
      "alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is "
      "'([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]') with an optional DNS subdomain prefix and '/' (e.g. "
      "'example.com/MyName')";
  const struct {
    std::string_view text;
    std::string message;
  } cases[] = {
      {"app in (x", "unable to parse requirement: found '', expected: ',' or ')'"},
      {"=x", "found '=', expected: !, identifier, or 'end of string'"},
      {"a b", "unable to parse requirement: found 'b', expected: in, notin, =, ==, !=, gt, lt"},
      {"app=x y", "found 'y', expected: ',' or 'end of string'"},
      {"app in x", "unable to parse requirement: found 'x' expected: '('"},
      {"app=/bad", std::string("unable to parse requirement: values[0][app]: Invalid value: \"/bad\": ") + kValue},
      {"n>x",
       "unable to parse requirement: values[0]: Invalid value: \"x\": for 'Gt', 'Lt' operators, the value must be an "
       "integer"},
      {",app=x", "found ',', expected: !, identifier, or 'end of string'"},
      {"app=x,", "found '', expected: identifier after ','"},
      {"x/y/z=1", std::string("unable to parse requirement: <nil>: Invalid value: \"x/y/z\": ") + kKey},
      {"app===x", "unable to parse requirement: found '=', expected: identifier"},
      {"app!==x", "unable to parse requirement: found '=', expected: identifier"},
      {"!", "unable to parse requirement: found '', expected: identifier"},
      {"!app=x", "found '=', expected: ',' or 'end of string'"},
      {"app in (x=)", "unable to parse requirement: found '=', expected: ',' or ')'"},
      {"app in (=)", "unable to parse requirement: found '=', expected: ',', ')' or identifier"},
      {"app in (x,=)", "unable to parse requirement: found '=', expected: ',', or identifier"},
  };
  for (const auto& c : cases) {
    const auto selector = LabelSelector::parse(c.text);
    ASSERT_FALSE(selector) << c.text;
    EXPECT_EQ(selector.error().message, c.message) << c.text;
    EXPECT_EQ(selector.error().reason, base::Reason::kBadRequest);
  }
}

TEST(LabelSelector, FromPieces) {
  const auto selector = make_label_selector(
      {{"b", "1"}, {"a", "2"}},
      {{"c", "In", {"y", "x"}}, {"d", "Exists", {}}, {"e", "NotIn", {"z"}}, {"f", "DoesNotExist", {}}});
  ASSERT_TRUE(selector);
  EXPECT_EQ(selector->to_string(), "a=2,b=1,c in (x,y),d,e notin (z),!f");
  EXPECT_EQ(selector->required_value("a"), "2");
  EXPECT_EQ(selector->required_value("c"), std::nullopt);
  EXPECT_EQ(make_label_selector({}, {{"a", "Like", {}}}).error().message,
            R"("Like" is not a valid label selector operator)");
  EXPECT_EQ(make_label_selector({}, {{"a", "In", {}}}).error().message,
            R"(values: Invalid value: []: for 'in', 'notin' operators, values set can't be empty)");
  EXPECT_TRUE(make_label_selector({}, {})->empty());
  EXPECT_FALSE(LabelSelector::nothing().matches(MapLabels(Map{})));
  EXPECT_FALSE(LabelSelector::nothing().empty());
  EXPECT_EQ(LabelSelector::from_labels({{"b", "c"}, {"a", ""}}).to_string(), "a=,b=c");
}

TEST(LabelSelector, MatchesAValue) {
  const auto labels = parse_json(R"({"app":"x","bad":1})");
  EXPECT_TRUE(LabelSelector::parse("app=x,!bad")->matches(ValueLabels(&*labels)));
  EXPECT_TRUE(LabelSelector::parse("!app")->matches(ValueLabels(nullptr)));
}

TEST(FieldSelector, ParsesPrintsAndMatches) {
  const auto get = [](std::string_view field) -> std::string_view {
    return field == "metadata.name" ? "p,1" : field == "spec.nodeName" ? "n1" : "";
  };
  const struct {
    std::string_view text, printed;
    bool matches;
  } cases[] = {
      {"", "", true},
      {"spec.nodeName=n1", "spec.nodeName=n1", true},
      {"spec.nodeName==n1", "spec.nodeName=n1", true},
      {"spec.nodeName!=n1", "spec.nodeName!=n1", false},
      {"spec.nodeName=n1,metadata.name=p\\,1", "spec.nodeName=n1,metadata.name=p\\,1", true},
      {"status.phase=", "status.phase=", true},
      {"status.phase!=", "status.phase!=", false},
      {",spec.nodeName=n1,", "spec.nodeName=n1", true},
      {"=x", "=x", false},
  };
  for (const auto& c : cases) {
    const auto selector = FieldSelector::parse(c.text);
    ASSERT_TRUE(selector) << c.text;
    EXPECT_EQ(selector->to_string(), c.printed);
    EXPECT_EQ(selector->matches(get), c.matches) << c.text;
  }
  EXPECT_EQ(FieldSelector::parse("a!=1,a=2")->required_value("a"), "2");
  EXPECT_EQ(FieldSelector::parse("a!=1")->required_value("a"), std::nullopt);
}

TEST(FieldSelector, Errors) {
  const struct {
    std::string_view text, message;
  } cases[] = {
      {"bogus", "invalid selector: 'bogus'; can't understand 'bogus'"},
      {"a=b=c", "invalid field selector: unescaped character in value: 61"},
      {"metadata.name in (a)", "invalid selector: 'metadata.name in (a)'; can't understand 'metadata.name in (a)'"},
      {"a=\\x", "invalid field selector: invalid escape sequence: \\x"},
      {"a=\\", "invalid field selector: invalid escape sequence: \\"},
  };
  for (const auto& c : cases) EXPECT_EQ(FieldSelector::parse(c.text).error().message, c.message);
}

}  // namespace
}  // namespace object
