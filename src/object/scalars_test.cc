// Quantities, times and durations, by the vectors that were recorded from upstream's own types.
#include <gtest/gtest.h>

#include <fstream>

#include "object/json.h"
#include "object/quantity.h"
#include "object/time.h"

namespace object {
namespace {

struct Vector {
  std::string in, out;
  bool fails() const { return out == "!"; }
};

std::vector<Vector> vectors(const std::string& name) {
  std::ifstream file("src/object/testdata/" + name + ".txt");
  std::vector<Vector> result;
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with('#')) continue;
    const size_t bar = line.rfind('|');
    result.push_back({line.substr(0, bar), line.substr(bar + 1)});
  }
  return result;
}

TEST(Quantity, Vectors) {
  const auto cases = vectors("quantity");
  ASSERT_EQ(cases.size(), 732U);
  for (const Vector& c : cases) {
    // The vectors were read with ParseQuantity, which takes no white space.
    if (c.in.find(' ') != std::string::npos) {
      EXPECT_FALSE(QuantityValue::parse(c.in)) << c.in;
      continue;
    }
    const auto quantity = parse_quantity(c.in);
    ASSERT_EQ(quantity.has_value(), !c.fails()) << c.in;
    EXPECT_EQ(QuantityValue::parse(c.in).has_value(), !c.fails()) << c.in;
    if (!quantity) {
      EXPECT_TRUE(quantity.error().message == kQuantityFormatMessage ||
                  quantity.error().message == kQuantitySuffixMessage);
      continue;
    }
    EXPECT_EQ(quantity->string, c.out) << c.in;
  }
}

TEST(Quantity, SaysWhatIsWrong) {
  for (const char* text : {"1Kii", "1e", "1KM", "2E+", "-3ki"})
    EXPECT_EQ(parse_quantity(text).error().message, kQuantitySuffixMessage) << text;
  for (const char* text : {"", "abc", "1x", "1.2.3", "1K 2", "1Ki2x"})
    EXPECT_EQ(parse_quantity(text).error().message, kQuantityFormatMessage) << text;
}

// Where the canonical text does not lose the suffix, reading it gives the value back, and is canonical again.
TEST(Quantity, CanonicalTextKeepsTheValue) {
  for (const Vector& c : vectors("quantity")) {
    const auto value = QuantityValue::parse(c.in);
    if (!value || value->approximate() >= 1e21 || c.in == "1000000P") continue;
    const std::string text = value->to_string();
    const auto again = QuantityValue::parse(text);
    ASSERT_TRUE(again) << text;
    EXPECT_EQ(*again, *value) << c.in << " as " << text;
    EXPECT_EQ(again->to_string(), text);
    EXPECT_EQ(QuantityValue::of(Quantity{text}), *value) << text;
  }
}

TEST(Quantity, Numbers) {
  const struct {
    std::string_view text;
    int64_t value, milli;
    bool whole;
  } cases[] = {{"0", 0, 0, true},
               {"", 0, 0, true},
               {"1500m", 2, 1500, false},
               {"-1500m", -2, -1500, false},
               {"100m", 1, 100, false},
               {"1n", 1, 1, false},
               {"2", 2, 2000, true},
               {"1Ki", 1024, 1024000, true},
               {"1.5Gi", 1610612736, 1610612736000, true},
               {"-3Mi", -3145728, -3145728000, true},
               {"1e3", 1000, 1000000, true},
               {"9223372036854775807", INT64_MAX, INT64_MAX, true},
               {"99999999999999999999", INT64_MAX, INT64_MAX, false},
               {"-99999999999999999999", INT64_MIN, INT64_MIN, false},
               {"1e100", INT64_MAX, INT64_MAX, false}};
  for (const auto& c : cases) {
    const QuantityValue value = QuantityValue::of(Quantity{std::string(c.text)});
    EXPECT_EQ(value.value(), c.value) << c.text;
    EXPECT_EQ(value.milli_value(), c.milli) << c.text;
    int64_t exact = 7;
    EXPECT_EQ(value.as_int64(exact), c.whole) << c.text;
    if (c.whole) EXPECT_EQ(exact, c.value);
  }
}

TEST(Quantity, ArithmeticAndOrder) {
  const auto q = [](std::string_view text) { return *QuantityValue::parse(text); };
  const auto sum = [&](std::string_view a, std::string_view b) {
    QuantityValue value = q(a);
    value += q(b);
    return value.to_string();
  };
  EXPECT_EQ(sum("1", "500m"), "1500m");
  EXPECT_EQ(sum("1Gi", "1Mi"), "1025Mi");
  EXPECT_EQ(sum("0", "1Gi"), "1Gi") << "a zero takes the form of what is added";
  EXPECT_EQ(sum("1Gi", "1"), "1073741825");
  EXPECT_EQ(sum("1Gi", "100m"), "1073741824100m");
  EXPECT_EQ(sum("1", "1Gi"), "1073741825");
  EXPECT_EQ(sum("500m", "500m"), "1");
  EXPECT_EQ(sum("1e3", "1"), "1001");
  QuantityValue difference = q("2Gi");
  difference -= q("3Gi");
  EXPECT_EQ(difference.to_string(), "-1Gi");
  EXPECT_EQ(difference.sign(), -1);
  EXPECT_EQ((-difference).to_string(), "1Gi");
  difference += q("1Gi");
  EXPECT_TRUE(difference.zero());
  EXPECT_EQ(difference.to_string(), "0");
  EXPECT_LT(q("100m"), q("1"));
  EXPECT_EQ(q("1024"), q("1Ki"));
  EXPECT_GT(q("1e30"), q("1E"));
  EXPECT_TRUE(compare(Quantity{"1000m"}, Quantity{"1"}) == 0);
  EXPECT_EQ(QuantityValue::from_int(1000).to_string(), "1k");
  EXPECT_EQ(QuantityValue::from_int(2048, QuantityValue::Form::kBinarySi).to_string(), "2Ki");
  EXPECT_EQ(QuantityValue::from_milli(1500).to_string(), "1500m");
  QuantityValue huge = q("1e28");
  for (int i = 0; i < 100; ++i) huge += huge;
  EXPECT_GT(huge, q("1e29")) << "saturates, does not wrap";
}

TEST(Quantity, WhiteSpaceAndSize) {
  EXPECT_EQ(parse_quantity(" 1Gi\n")->string, "1Gi");
  EXPECT_FALSE(parse_quantity("  "));
  EXPECT_FALSE(QuantityValue::parse("1 "));
  EXPECT_EQ(parse_quantity(std::string(100000, '0') + "1")->string, std::string(100000, '0') + "1");
  EXPECT_EQ(parse_quantity("0." + std::string(100000, '0') + "1")->string, "1n");
  EXPECT_EQ(parse_quantity("1e9223372036854775808").has_value(), false);
  EXPECT_EQ(parse_quantity("1e-2147483647")->string, "1e-9");
}

TEST(Duration, Vectors) {
  const auto cases = vectors("duration");
  ASSERT_EQ(cases.size(), 39U);
  for (const Vector& c : cases) {
    if (!c.in.starts_with("parse:")) {
      EXPECT_EQ(format_duration(Duration{std::stoll(c.in)}), c.out);
      EXPECT_EQ(parse_duration(c.out)->duration, std::stoll(c.in));
      continue;
    }
    const auto duration = parse_duration(c.in.substr(6));
    ASSERT_EQ(duration.has_value(), !c.fails()) << c.in;
    if (duration) EXPECT_EQ(std::to_string(duration->duration), c.out) << c.in;
  }
  EXPECT_EQ(parse_duration("1d").error().message, R"(time: unknown unit "d" in duration "1d")");
  EXPECT_EQ(parse_duration("5").error().message, R"(time: missing unit in duration "5")");
  EXPECT_EQ(parse_duration("").error().message, R"(time: invalid duration "")");
}

template <typename Parse, typename Format>
void check_times(const std::string& name, Parse parse, Format format) {
  const auto cases = vectors(name);
  ASSERT_EQ(cases.size(), 20U);
  for (const Vector& c : cases) {
    const auto json = parse_json(c.in);
    ASSERT_TRUE(json);
    if (json->is_null() || !json->is_string()) continue;  // null and numbers are the codec's business
    const auto time = parse(*json->string_if());
    ASSERT_EQ(time.has_value(), !c.fails()) << c.in;
    if (time) EXPECT_EQ(time->zero() ? "null" : '"' + format(*time) + '"', c.out) << c.in;
  }
}

TEST(Time, Vectors) {
  check_times("time", parse_time, format_time);
  check_times("microtime", parse_micro_time, format_micro_time);
}

TEST(Time, ErrorsReadAsGoWritesThem) {
  const struct {
    std::string_view text, message;
  } cases[] = {
      {"yesterday", R"(parsing time "yesterday" as "2006-01-02T15:04:05Z07:00": cannot parse "yesterday" as "2006")"},
      {"2024-02-30T00:00:00Z", R"(parsing time "2024-02-30T00:00:00Z": day out of range)"},
      {"2024-02-29T23:59:60Z", R"(parsing time "2024-02-29T23:59:60Z": second out of range)"},
      {"2024-02-29T23:59:59",
       R"(parsing time "2024-02-29T23:59:59" as "2006-01-02T15:04:05Z07:00": cannot parse "" as "Z07:00")"},
      {"2024-02-29T23:59:59Zx", R"(parsing time "2024-02-29T23:59:59Zx": extra text: "x")"},
  };
  for (const auto& c : cases) EXPECT_EQ(parse_time(c.text).error().message, c.message);
  EXPECT_EQ(
      parse_micro_time("2020-01-01T00:00:00Z").error().message,
      R"(parsing time "2020-01-01T00:00:00Z" as "2006-01-02T15:04:05.000000Z07:00": cannot parse "Z" as ".000000")");
}

TEST(Time, WallTime) {
  const base::WallTime now{std::chrono::seconds(1'700'000'000) + std::chrono::nanoseconds(123'456'789)};
  EXPECT_EQ(format_time(to_time(now)), "2023-11-14T22:13:20Z");
  EXPECT_EQ(format_micro_time(to_micro_time(now)), "2023-11-14T22:13:20.123456Z");
  EXPECT_EQ(to_wall_time(to_time(now)), now);
  EXPECT_EQ(to_wall_time(Time()), base::WallTime::min());
  EXPECT_EQ(to_wall_time(*parse_time("9999-01-01T00:00:00Z")), base::WallTime::max());
  EXPECT_EQ(to_time(base::WallTime{std::chrono::nanoseconds(-1)}), (Time{-1, 999'999'999}));
  EXPECT_EQ(format_time(Time()), "0001-01-01T00:00:00Z");
}

TEST(Time, HumanDuration) {
  constexpr int64_t kMinute = 60, kHour = 3600, kDay = 86400, kYear = 365 * kDay;
  const struct {
    int64_t seconds;
    std::string_view text;
  } cases[] = {{-5, "<invalid>"},
               {-1, "0s"},
               {0, "0s"},
               {119, "119s"},
               {120, "2m"},
               {125, "2m5s"},
               {10 * kMinute - 1, "9m59s"},
               {10 * kMinute, "10m"},
               {179 * kMinute + 59, "179m"},
               {3 * kHour, "3h"},
               {3 * kHour + 61, "3h1m"},
               {8 * kHour, "8h"},
               {47 * kHour + 3599, "47h"},
               {2 * kDay, "2d"},
               {2 * kDay + 5 * kHour, "2d5h"},
               {8 * kDay + 5 * kHour, "8d"},
               {2 * kYear - 1, "729d"},
               {2 * kYear, "2y"},
               {2 * kYear + 60 * kDay, "2y60d"},
               {8 * kYear, "8y"},
               {20 * kYear + kDay, "20y"}};
  for (const auto& c : cases) EXPECT_EQ(human_duration(std::chrono::seconds(c.seconds)), c.text) << c.seconds;
  EXPECT_EQ(human_duration(std::chrono::milliseconds(-1900)), "0s");
  EXPECT_EQ(human_age(Time(), base::WallTime()), "<unknown>");
  EXPECT_EQ(human_age(Time{100, 0}, base::WallTime{std::chrono::seconds(145)}), "45s");
}

}  // namespace
}  // namespace object
