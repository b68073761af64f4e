#include "object/cbor.h"

#include <gtest/gtest.h>

#include "object/json_to_cbor.h"

namespace object {
namespace {

std::string from_hex(std::string_view hex) {
  const auto digit = [](char c) { return static_cast<unsigned>(c <= '9' ? c - '0' : c - 'a' + 10); };
  std::string bytes;
  for (size_t i = 0; i + 1 < hex.size(); i += 2) bytes += static_cast<char>(digit(hex[i]) << 4 | digit(hex[i + 1]));
  return bytes;
}
std::string to_hex(std::string_view bytes) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string text;
  for (unsigned char c : bytes) {
    text += kDigits[c >> 4];
    text += kDigits[c & 15];
  }
  return text;
}

struct Example {
  const char* cbor;
  const char* json;
  const char* again = nullptr;  // as it is written, if not as it was read
};

// RFC 8949, appendix A, as upstream reads it.
constexpr Example kExamples[] = {
    {"00", "0"},
    {"17", "23"},
    {"1b000000e8d4a51000", "1000000000000"},
    {"3903e7", "-1000"},
    {"f90000", "0"},
    {"f93e00", "1.5"},
    {"fb3ff199999999999a", "1.1"},
    {"f90001", "5.960464477539063e-8"},
    {"fa47c35000", "100000"},
    {"f4", "false"},
    {"f5", "true"},
    {"f6", "null"},
    {"c074323031332d30332d32315432303a30343a30305a", R"("2013-03-21T20:04:00Z")",
     "54323031332d30332d32315432303a30343a30305a"},
    {"c07818323031332d30332d32315432303a30343a30302e3530305a", R"("2013-03-21T20:04:00.5Z")",
     "56323031332d30332d32315432303a30343a30302e355a"},
    {"c07819323031332d30332d32315432303a30343a30302b30303a3030", R"("2013-03-21T20:04:00Z")",
     "54323031332d30332d32315432303a30343a30305a"},
    {"c07819323031332d30332d32315432303a30343a30302b30313a3030", R"("2013-03-21T20:04:00+01:00")",
     "5819323031332d30332d32315432303a30343a30302b30313a3030"},
    {"c11a514b67b0", R"("2013-03-21T20:04:00Z")", "54323031332d30332d32315432303a30343a30305a"},
    {"c1fb41d452d9ec200000", R"("2013-03-21T20:04:00.5Z")", "56323031332d30332d32315432303a30343a30302e355a"},
    {"c120", R"("1969-12-31T23:59:59Z")", "54313936392d31322d33315432333a35393a35395a"},
    {"d74401020304", R"("01020304")", "483031303230333034"},
    {"d64401020304", R"("AQIDBA==")", "484151494442413d3d"},
    {"d5440102ffff", R"("AQL__w")", "4641514c5f5f77"},
    {"d6824101824102d74103", R"(["AQ==",["Ag==","03"]])", "824441513d3d824441673d3d423033"},
    {"d818456449455446", R"("dIETF")", "456449455446"},
    {"d82076687474703a2f2f7777772e6578616d706c652e636f6d", R"("http://www.example.com")",
     "56687474703a2f2f7777772e6578616d706c652e636f6d"},
    {"40", R"("")"},
    {"4401020304", R"("\u0001\u0002\u0003\u0004")"},
    {"60", R"("")", "40"},
    {"6449455446", R"("IETF")", "4449455446"},
    {"62225c", R"("\"\\")", "42225c"},
    {"62c3bc", "\"\u00fc\"", "42c3bc"},
    {"80", "[]"},
    {"83010203", "[1,2,3]"},
    {"8301820203820405", "[1,[2,3],[4,5]]"},
    {"98190102030405060708090a0b0c0d0e0f101112131415161718181819",
     "[1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25]"},
    {"a0", "{}"},
    {"a26161016162820203", R"({"a":1,"b":[2,3]})", "a24161014162820203"},
    {"826161a161626163", R"(["a",{"b":"c"}])", "824161a141624163"},
    {"a1f600", R"({"":0})", "a14000"},
    {"5f42010243030405ff", R"("\u0001\u0002\u0003\u0004\u0005")", "450102030405"},
    {"7f657374726561646d696e67ff", R"("streaming")", "4973747265616d696e67"},
    {"9fff", "[]", "80"},
    {"9f018202039f0405ffff", "[1,[2,3],[4,5]]", "8301820203820405"},
    {"bf61610161629f0203ffff", R"({"a":1,"b":[2,3]})", "a24161014162820203"},
    {"bf6346756ef563416d7421ff", R"({"Fun":true,"Amt":-2})", "a243416d74214346756ef5"},
    {"d9d9f7d9d9f700", "0", "00"},
};

TEST(Cbor, ReadsAndWritesTheExamplesOfTheStandard) {
  for (const Example& example : kExamples) {
    auto value = parse_cbor(from_hex(example.cbor));
    ASSERT_TRUE(value) << example.cbor << ": " << value.error().message;
    EXPECT_EQ(to_json(*value), example.json) << example.cbor;
    std::string out;
    append_cbor(out, *value, CborOrder::kSorted);
    EXPECT_EQ(to_hex(out), example.again ? example.again : example.cbor) << example.json;
  }
}

struct Refusal {
  const char* cbor;
  const char* error;
  CborFault fault = CborFault::kUnreadable;
};

constexpr Refusal kRefusals[] = {
    {"", "EOF"},
    {"a1", "unexpected EOF"},
    {"ff", "cbor: unexpected \"break\" code"},
    {"81ff", "cbor: unexpected \"break\" code"},
    {"bf6161ff", "cbor: unexpected \"break\" code"},
    {"9f01", "unexpected EOF"},
    {"0000", "cbor: 1 bytes of extraneous data starting at index 1"},
    {"7f4161ff", "cbor: wrong element type byte string for indefinite-length UTF-8 text string"},
    {"5f5f4161ffff", "cbor: indefinite-length byte string chunk is not definite-length"},
    {"c6", "unexpected EOF"},
    {"c249010000000000000000", "cbor: data item of cbor type tag is not accepted by protocol: bignum"},
    {"f97e00", "cbor: data item of cbor type primitives is not accepted by protocol: floating-point NaN"},
    {"990401", "cbor: exceeded max number of elements 1024 for CBOR array"},
    {"b90401", "cbor: exceeded max number of key-value pairs 1024 for CBOR map"},
    {"9b7fffffffffffffff", "cbor: exceeded max number of elements 1024 for CBOR array"},
    {"5b7fffffffffffffff00", "unexpected EOF"},
    {"1bffffffffffffffff",
     "cbor: cannot unmarshal positive integer into Go value of type int64 (18446744073709551615 overflows Go's int64)",
     CborFault::kInside},
    {"3bffffffffffffffff",
     "cbor: cannot unmarshal negative integer into Go value of type int64 (-18446744073709551616 overflows Go's int64)",
     CborFault::kInside},
    {"f7", "cbor: data item of cbor type primitives is not accepted by protocol: simple value 23 is not recognized",
     CborFault::kInside},
    {"f0", "cbor: data item of cbor type primitives is not accepted by protocol: simple value 16 is not recognized",
     CborFault::kInside},
    {"f8ff", "cbor: data item of cbor type primitives is not accepted by protocol: simple value 255 is not recognized",
     CborFault::kInside},
    {"61ff", "cbor: invalid UTF-8 string", CborFault::kInside},
    {"7f61c361bcff", "cbor: invalid UTF-8 string", CborFault::kInside},
    {"c000", "cbor: tag number 0 must be followed by text string, got positive integer", CborFault::kInside},
    {"c140", "cbor: tag number 1 must be followed by integer or floating-point number, got byte string",
     CborFault::kInside},
    {"c0c06161", "cbor: tag number 0 must be followed by text string, got tag", CborFault::kInside},
    {"c1fb7fe0000000000000",
     "cbor: decoded time cannot be represented in RFC3339 format with sub-second precision: Time.MarshalText: year "
     "outside of range [0,9999]",
     CborFault::kInside},
    {"a2616101616102", "cbor: found duplicate map key \"a\" at map element index 1", CborFault::kTopKeys},
    {"a2616101416102", "cbor: found duplicate map key \"a\" at map element index 1", CborFault::kTopKeys},
    {"a16161a2616201616202", "cbor: found duplicate map key \"b\" at map element index 1", CborFault::kInside},
    {"a10001", "cbor: cannot unmarshal positive integer into Go value of type string", CborFault::kTopKeys},
    // The first of a map is told, also when a map within has a key twice.
    {"a24161f74162a2416301416302",
     "cbor: data item of cbor type primitives is not accepted by protocol: simple value 23 is not recognized",
     CborFault::kInside},
    {"a34161f7416200416200", "cbor: found duplicate map key \"b\" at map element index 2", CborFault::kTopKeys},
    // What is not even CBOR is told before what is not acceptable.
    {"82f7", "unexpected EOF"},
    {"a2616101616102ff", "cbor: 1 bytes of extraneous data starting at index 7"},
};

TEST(Cbor, RefusesInUpstreamsWords) {
  for (const Refusal& refusal : kRefusals) {
    CborFault fault;
    auto value = parse_cbor(from_hex(refusal.cbor), {&fault});
    ASSERT_FALSE(value) << refusal.cbor;
    EXPECT_EQ(value.error().message, refusal.error) << refusal.cbor;
    EXPECT_EQ(fault, refusal.fault) << refusal.cbor;
  }
}

TEST(Cbor, LimitsNesting) {
  const auto nested = [](std::string_view head, int levels) {
    std::string bytes;
    for (int i = 0; i < levels; ++i) bytes += head;
    return parse_cbor(bytes + '\0');
  };
  EXPECT_TRUE(nested("\x81", 64));
  EXPECT_TRUE(nested("\xa1\x40", 64));
  EXPECT_TRUE(nested("\xc6", 65));
  for (auto value : {nested("\x81", 65), nested("\x9f", 65), nested("\xa1\x40", 65), nested("\xc6", 66),
                     nested("\x81", 1'000'000), nested("\xc0", 1'000'000)}) {
    ASSERT_FALSE(value);
    EXPECT_EQ(value.error().message, "cbor: exceeded max nested level 64");
  }
}

TEST(Cbor, LimitsIndefiniteContainersToo) {
  auto array = parse_cbor("\x9f" + std::string(1025, '\0') + "\xff");
  ASSERT_FALSE(array);
  EXPECT_EQ(array.error().message, "cbor: exceeded max number of elements 1024 for CBOR array");
  EXPECT_TRUE(parse_cbor("\x9f" + std::string(1024, '\0') + "\xff"));
}

TEST(Cbor, SortsByEncodedKeys) {
  auto value = parse_json(R"({"bb":1,"a":{"z":1,"aa":2,"b":3},"c":[]})");
  EXPECT_EQ(to_hex(to_cbor(*value, CborOrder::kSorted)), "d9d9f7a34161a3416203417a014261610241638042626201");
}

TEST(Cbor, KeepsBytesThatAreNoText) {
  auto value = parse_cbor(std::string_view("\x42\xff\x00", 3));
  ASSERT_TRUE(value);
  std::string out;
  append_cbor(out, *value);
  EXPECT_EQ(to_hex(out), "42ff00");
}

TEST(JsonToCbor, WritesWhatTheTreeWrites) {
  std::string wide = "{";
  for (int i = 0; i < 300; ++i) wide += (i ? ",\"k" : "\"k") + std::to_string(i) + "\":" + std::to_string(i);
  wide += "}";
  for (const std::string& json :
       {std::string(R"({"a":{"b":[1,2.5,-3,1e3,true,false,null,"x\"\\\/\n\u00fc\ud83d\ude00"]},"c":"","d":[],"e":{}})"),
        std::string(" [ 1 , { \"a\" : 9223372036854775808 } ] "), std::string(R"({"a":1,"b":2,"a":3})"),
        std::string(R"({"\u0061":1,"a":2})"), wide, "[" + wide + "]"}) {
    const auto value = parse_json(json);
    ASSERT_TRUE(value) << json;
    EXPECT_EQ(to_hex(cbor_of_json(json)), to_hex(to_cbor(*value))) << json;
  }
  for (const char* bad : {"", "{", "{\"a\"}", "[1,]", "{\"a\":1,}", "tru", "\"x", "1 2", "{\"a\":1}}", "nul"}) {
    EXPECT_EQ(cbor_of_json(bad), "") << bad;
  }
}

TEST(JsonToCbor, WritesMembersIntoAnOpenMap) {
  std::string out;
  codec::CborWriter writer(out);
  writer.begin_map();
  EXPECT_TRUE(write_json_members(writer, R"("a":1,"b":{"c":2})"));
  EXPECT_FALSE(write_json_members(writer, R"("d":1,"e")"));
  EXPECT_TRUE(write_json_members(writer, R"("f":1,"f":2)"));
  writer.end_map();
  EXPECT_EQ(to_hex(out), "a34161014162a1416302416602");
}

}  // namespace
}  // namespace object
