#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "codec/base64.h"
#include "codec/json_text.h"
#include "codec/utf8.h"
#include "codec/wire.h"

namespace codec {
namespace {

using std::string_view_literals::operator""sv;

std::string json_string(std::string_view text) {
  std::string out;
  append_json_string(out, text);
  return out;
}

TEST(JsonText, EscapesAsGoDoes) {
  const struct {
    std::string_view in, out;
  } cases[] = {
      {"", R"("")"},
      {"plain", R"("plain")"},
      {"a\"b\\c", R"("a\"b\\c")"},
      {"\b\f\n\r\t", R"("\b\f\n\r\t")"},
      {"\0\x01\x1f\x7f"sv, "\"\\u0000\\u0001\\u001f\x7f\""},
      {"<a href=\"x\">&</a>", R"("\u003ca href=\"x\"\u003e\u0026\u003c/a\u003e")"},
      {"\u2028x\u2029\u2027", "\"\\u2028x\\u2029\u2027\""},
      {"gr\u00fc\u00df \u20ac \U0001F600", "\"gr\u00fc\u00df \u20ac \U0001F600\""},
      {"a\xff\xfez", R"("a\ufffd\ufffdz")"},
      {"\xed\xa0\x80", R"("\ufffd\ufffd\ufffd")"},
      {"\xe2\x80", R"("\ufffd\ufffd")"},
      {"0123456789abcdef0123456789abcdef!", R"("0123456789abcdef0123456789abcdef!")"},
  };
  for (const auto& c : cases) EXPECT_EQ(json_string(c.in), c.out);
}

// Every byte at every place of a block of 16: the wide scan and the plain one agree.
TEST(JsonText, EveryByteEverywhere) {
  for (int byte = 0; byte < 256; ++byte) {
    const std::string one(1, static_cast<char>(byte));
    std::string alone;
    append_json_escaped(alone, one);
    for (size_t place = 0; place < 40; ++place) {
      std::string text(40, 'x');
      text[place] = static_cast<char>(byte);
      EXPECT_EQ(json_string(text), '"' + std::string(place, 'x') + alone + std::string(39 - place, 'x') + '"');
    }
  }
}

TEST(JsonText, Doubles) {
  const struct {
    double in;
    std::string_view out;
  } cases[] = {
      {0, "0"},
      {-0.0, "-0"},
      {1, "1"},
      {-1.5, "-1.5"},
      {100, "100"},
      {0.1, "0.1"},
      {1e-6, "0.000001"},
      {1.25e-6, "0.00000125"},
      {1e-7, "1e-7"},
      {1.5e-10, "1.5e-10"},
      {1e20, "100000000000000000000"},
      {123456789012345678901.0, "123456789012345680000"},
      {1e21, "1e+21"},
      {1.7976931348623157e308, "1.7976931348623157e+308"},
      {5e-324, "5e-324"},
      {3.14159, "3.14159"},
      {9007199254740993.0, "9007199254740992"},
      {std::numeric_limits<double>::infinity(), "null"},
      {std::nan(""), "null"},
  };
  for (const auto& c : cases) {
    std::string out;
    append_json_double(out, c.in);
    EXPECT_EQ(out, c.out);
  }
  std::string out;
  append_json_int(out, std::numeric_limits<int64_t>::min());
  append_json_uint(out, std::numeric_limits<uint64_t>::max());
  EXPECT_EQ(out, "-922337203685477580818446744073709551615");
}

TEST(JsonText, Compacts) {
  std::string out;
  append_json_compacted(out, "{ \"a\" : [ 1,\n\t2 ] , \"b \\\" <\" : \"x\u2028\" }");
  EXPECT_EQ(out, R"({"a":[1,2],"b \" \u003c":"x\u2028"})");
}

TEST(JsonText, GoQuotes) {
  const struct {
    std::string_view in, out;
  } cases[] = {
      {"x", R"("x")"},          {"a\"b\\\n\a\v", R"("a\"b\\\n\a\v")"}, {"\x01\x7f", R"("\x01\x7f")"},
      {"\xff", R"("\xff")"},    {"\u00fc\u20ac", "\"\u00fc\u20ac\""},  {"\u00a0\u200b", R"("\u00a0\u200b")"},
      {"\uFFFD", "\"\uFFFD\""}, {"\U0001F600", "\"\U0001F600\""},      {"\U000F0000", R"("\U000f0000")"},
  };
  for (const auto& c : cases) EXPECT_EQ(go_quoted(c.in), c.out);
}

TEST(Utf8, LengthsAndRepair) {
  EXPECT_EQ(utf8_sequence_length(""), 0U);
  EXPECT_EQ(utf8_sequence_length("a"), 1U);
  EXPECT_EQ(utf8_sequence_length("\xc3\xbc"), 2U);
  EXPECT_EQ(utf8_sequence_length("\xe2\x82\xac"), 3U);
  EXPECT_EQ(utf8_sequence_length("\xf0\x9f\x98\x80"), 4U);
  for (std::string_view bad :
       {"\x80"sv, "\xc0\x80"sv, "\xc1\xbf"sv, "\xe0\x9f\xbf"sv, "\xed\xa0\x80"sv, "\xf0\x8f\xbf\xbf"sv,
        "\xf4\x90\x80\x80"sv, "\xf5\x80\x80\x80"sv, "\xc3"sv, "\xe2\x82"sv, "\xf0\x9f\x98"sv}) {
    EXPECT_EQ(utf8_sequence_length(bad), 0U);
    EXPECT_FALSE(utf8_valid(bad));
  }
  EXPECT_EQ(utf8_repaired("a\xff\xc3\xbc\xe2\x82"), "a\uFFFD\u00fc\uFFFD\uFFFD");
  EXPECT_EQ(utf8_count("a\u20ac\xff"), 3U);
  for (uint32_t c : {0x41U, 0xFCU, 0x20ACU, 0x1F600U}) {
    std::string out;
    append_utf8(out, c);
    EXPECT_EQ(utf8_sequence_length(out), out.size());
  }
  std::string out;
  append_utf8(out, 0xD800);
  EXPECT_EQ(out, "\uFFFD");
}

TEST(Base64, RoundTripsAndRefuses) {
  const struct {
    std::string_view bytes, text;
  } cases[] = {{"", ""},
               {"f", "Zg=="},
               {"fo", "Zm8="},
               {"foo", "Zm9v"},
               {"foob", "Zm9vYg=="},
               {"fooba", "Zm9vYmE="},
               {"\xfb\xff\xfe", "+//+"}};
  for (const auto& c : cases) {
    EXPECT_EQ(base64(c.bytes), c.text);
    EXPECT_EQ(parse_base64(c.text), c.bytes);
  }
  EXPECT_EQ(parse_base64("Zm9v\r\nYg=\n=\n"), "foob");
  for (std::string_view bad : {"Zg", "Zg=", "Z", "Zg==x", "Zg===", "=", "Z===", "Zm9v!", "Zm-v", "Zm 9v"}) {
    EXPECT_FALSE(parse_base64(bad)) << bad;
  }
  EXPECT_EQ(base64_error_offset("Zm9v!aaa"), 4U);
  EXPECT_EQ(base64_error_offset("Zm9v"), std::string_view::npos);
  EXPECT_EQ(base64url("\xfb\xff\xfe\x01"), "-__-AQ");
  EXPECT_EQ(parse_base64url("-__-AQ"), "\xfb\xff\xfe\x01");
  EXPECT_FALSE(parse_base64url("AQ=="));
  EXPECT_FALSE(parse_base64url("A"));
}

TEST(Wire, ReadsWhatItWrites) {
  std::string out;
  append_varint_field(out, 1, 300);
  append_bytes_field(out, 2, "text");
  append_fixed32_field(out, 3, 7);
  append_fixed64_field(out, 4, 8);
  append_varint_field(out, 5, UINT64_MAX);
  EXPECT_EQ(out.substr(0, 9), "\x08\xac\x02\x12\x04text");

  WireReader reader(out);
  uint32_t field, small;
  WireType type;
  uint64_t number;
  std::string_view bytes;
  ASSERT_TRUE(reader.read_tag(field, type) && reader.read_varint(number));
  EXPECT_EQ(number, 300U);
  ASSERT_TRUE(reader.read_tag(field, type) && reader.read_bytes(bytes));
  EXPECT_EQ(bytes, "text");
  ASSERT_TRUE(reader.read_tag(field, type) && reader.read_fixed32(small));
  EXPECT_EQ(small, 7U);
  ASSERT_TRUE(reader.read_tag(field, type) && reader.read_fixed64(number));
  EXPECT_EQ(number, 8U);
  ASSERT_TRUE(reader.read_tag(field, type) && reader.read_varint(number));
  EXPECT_EQ(number, UINT64_MAX);
  EXPECT_EQ(field, 5U);
  EXPECT_TRUE(reader.done());

  WireReader skipper(out);
  int fields = 0;
  for (; !skipper.done(); ++fields) ASSERT_TRUE(skipper.read_tag(field, type) && skipper.skip(field, type));
  EXPECT_EQ(fields, 5);
}

TEST(Wire, ReverseWriterGivesTheSameBytes) {
  ReverseWireWriter writer(4);  // grows
  writer.clear();
  writer.fixed64_field(9, 3);
  const size_t mark = writer.size();
  writer.bytes_field(2, "inner");
  writer.varint_field(1, 1234567);
  writer.message_header(7, mark);
  writer.fixed32_field(1, 2);

  std::string inner, out;
  append_varint_field(inner, 1, 1234567);
  append_bytes_field(inner, 2, "inner");
  append_fixed32_field(out, 1, 2);
  append_bytes_field(out, 7, inner);
  append_fixed64_field(out, 9, 3);
  EXPECT_EQ(writer.view(), out);
  EXPECT_EQ(varint_field_size(1, 1234567) + bytes_field_size(2, 5), inner.size());
}

TEST(Wire, VarintSizes) {
  const struct {
    uint64_t value;
    size_t size;
  } cases[] = {{0, 1}, {127, 1}, {128, 2}, {16383, 2}, {16384, 3}, {UINT32_MAX, 5}, {UINT64_MAX, 10}};
  for (const auto& c : cases) {
    std::string out;
    append_varint(out, c.value);
    EXPECT_EQ(out.size(), c.size);
    EXPECT_EQ(varint_size(c.value), c.size);
  }
}

TEST(Wire, RefusesMalformedBytes) {
  uint32_t field;
  WireType type;
  // Field 0; wire type 6; cut-off varint; eleven bytes; more than 64 bits; length past the end; groups: open, crossed.
  for (std::string_view bad :
       {"\x00\x01"sv, "\x0e"sv, "\x08\x80"sv, "\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"sv,
        "\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\x02"sv,
        "\x12\x05"
        "abc"sv,
        "\x0d\x01"sv, "\x0b\x08\x01"sv, "\x0b\x14"sv, "\x0c"sv}) {
    WireReader reader(bad);
    EXPECT_FALSE(reader.read_tag(field, type) && reader.skip(field, type)) << json_string(bad);
  }
  WireReader group("\x0b\x13\x08\x01\x14\x0c\x10\x01"sv);
  ASSERT_TRUE(group.read_tag(field, type) && group.skip(field, type));
  ASSERT_TRUE(group.read_tag(field, type));
  EXPECT_EQ(field, 2U);
  std::string nested(1000, '\x0b');
  WireReader too_deep(nested);
  EXPECT_FALSE(too_deep.read_tag(field, type) && too_deep.skip(field, type));
}

}  // namespace
}  // namespace codec
