#include "codec/cbor.h"

#include <gtest/gtest.h>

#include <limits>

namespace codec {
namespace {

using Kind = CborToken::Kind;

std::string hex(std::string_view bytes) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string text;
  for (unsigned char c : bytes) {
    text += kDigits[c >> 4];
    text += kDigits[c & 15];
  }
  return text;
}

std::string written(double value) {
  std::string out;
  CborWriter(out).real(value);
  return hex(out);
}
std::string written(int64_t value) {
  std::string out;
  CborWriter(out).integer(value);
  return hex(out);
}

// RFC 8949, appendix A.
TEST(CborWriter, IntegersTakeTheFewestBytes) {
  for (const auto& [value, expected] : {std::pair<int64_t, const char*>{0, "00"},
                                        {1, "01"},
                                        {10, "0a"},
                                        {23, "17"},
                                        {24, "1818"},
                                        {100, "1864"},
                                        {255, "18ff"},
                                        {256, "190100"},
                                        {1000, "1903e8"},
                                        {65536, "1a00010000"},
                                        {1000000, "1a000f4240"},
                                        {1000000000000, "1b000000e8d4a51000"},
                                        {std::numeric_limits<int64_t>::max(), "1b7fffffffffffffff"},
                                        {-1, "20"},
                                        {-10, "29"},
                                        {-100, "3863"},
                                        {-1000, "3903e7"},
                                        {std::numeric_limits<int64_t>::min(), "3b7fffffffffffffff"}}) {
    EXPECT_EQ(written(value), expected) << value;
  }
}

TEST(CborWriter, FloatsTakeTheFewestBytesThatKeepThem) {
  for (const auto& [value, expected] : {std::pair<double, const char*>{0.0, "f90000"},
                                        {-0.0, "f98000"},
                                        {1.0, "f93c00"},
                                        {1.1, "fb3ff199999999999a"},
                                        {1.5, "f93e00"},
                                        {65504.0, "f97bff"},
                                        {65505.0, "fa477fe100"},
                                        {65536.0, "fa47800000"},
                                        {100000.0, "fa47c35000"},
                                        {3.4028234663852886e+38, "fa7f7fffff"},
                                        {1.0e+300, "fb7e37e43c8800759c"},
                                        {5.960464477539063e-8, "f90001"},
                                        {0.00006103515625, "f90400"},
                                        {6.097555160522461e-05, "f903ff"},
                                        {2.9802322387695312e-8, "fa33000000"},
                                        {8.940696716308594e-8, "fa33c00000"},
                                        {-4.0, "f9c400"},
                                        {-4.1, "fbc010666666666666"}}) {
    EXPECT_EQ(written(value), expected) << value;
  }
}

TEST(CborWriter, CountsWhatContainersHold) {
  std::string out;
  CborWriter writer(out);
  writer.self_described();
  writer.begin_map();
  writer.key("a");
  writer.begin_array();
  writer.integer(1);
  writer.begin_map();
  writer.end_map();
  writer.string("x");
  writer.bytes("\x01\x02");
  writer.end_array();
  writer.key("b");
  writer.null();
  writer.end_map();
  EXPECT_EQ(hex(out), "d9d9f7a241618401a04178d64201024162f6");
}

TEST(CborWriter, LongContainersGetLongHeads) {
  for (const auto& [count, head] :
       {std::pair<int, const char*>{23, "97"}, {24, "9818"}, {255, "98ff"}, {256, "990100"}}) {
    std::string out;
    CborWriter writer(out);
    writer.begin_array();
    for (int i = 0; i < count; ++i) writer.boolean(i % 2 == 0);
    writer.end_array();
    EXPECT_EQ(hex(out).substr(0, std::string_view(head).size()), head);
    EXPECT_EQ(out.size(), std::string_view(head).size() / 2 + static_cast<size_t>(count));
    EXPECT_EQ(hex(out.substr(out.size() - static_cast<size_t>(count), 2)), "f5f4");
  }
}

TEST(CborReader, ReadsTokens) {
  const std::string_view bytes("\xd9\xd9\xf7\xbf\x61\x61\x5f\x41\x62\xff\xf9\x3e\x00\x38\x63\xf5\xf6\xf7\xe5\xff", 20);
  CborReader reader(bytes);
  std::string kinds;
  while (!reader.done()) {
    CborToken token;
    ASSERT_TRUE(reader.next(token)) << reader.error();
    kinds += static_cast<char>('a' + static_cast<int>(token.kind));
    if (token.kind == Kind::kFloat) EXPECT_EQ(token.real, 1.5);
    if (token.kind == Kind::kNegative) EXPECT_EQ(token.number, 99u);
    if (token.kind == Kind::kTag) EXPECT_EQ(token.number, kCborSelfDescribedTag);
  }
  EXPECT_EQ(kinds, "gfdccljbhikkl");
}

TEST(CborReader, SaysWhatIsWrong) {
  for (const auto& [bytes, text] :
       {std::pair<std::string_view, const char*>{"\x19\x01", "unexpected EOF"},
        {"\x5a\xff\xff\xff\xff", "unexpected EOF"},
        {"\x5b\x7f\xff\xff\xff\xff\xff\xff\xff", "unexpected EOF"},
        {"\x5b\xff\xff\xff\xff\xff\xff\xff\xff",
         "cbor: byte string length 18446744073709551615 is too large, causing integer overflow"},
        {"\x9b\xff\xff\xff\xff\xff\xff\xff\xff",
         "cbor: array length 18446744073709551615 is too large, it would cause integer overflow"},
        {"\x1c", "cbor: invalid additional information 28 for type positive integer"},
        {"\x3f", "cbor: invalid additional information 31 for type negative integer"},
        {"\xdf", "cbor: invalid additional information 31 for type tag"},
        {"\xfe", "cbor: invalid additional information 30 for type primitives"},
        {"\xf8", "unexpected EOF"},
        {"\xf8\x14", "cbor: invalid simple value 20 for type primitives"},
        {std::string_view("\xf9\x7c\x00", 3),
         "cbor: data item of cbor type primitives is not accepted by protocol: floating-point infinity"},
        {std::string_view("\xfa\x7f\xc0\x00\x00", 5),
         "cbor: data item of cbor type primitives is not accepted by protocol: floating-point NaN"}}) {
    CborReader reader(bytes);
    CborToken token;
    ASSERT_FALSE(reader.next(token)) << hex(bytes);
    EXPECT_EQ(reader.error(), text) << hex(bytes);
  }
}

}  // namespace
}  // namespace codec
