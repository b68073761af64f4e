#include "object/names.h"

#include <gtest/gtest.h>

namespace object {
namespace {

constexpr char kSubdomain[] =
    "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and "
    "end with an alphanumeric character (e.g. 'example.com', regex used for validation is "
    "'[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')";
constexpr char kLabel[] =
    "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with "
    "an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is "
    "'[a-z0-9]([-a-z0-9]*[a-z0-9])?')";
constexpr char kDns1035[] =
    "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic character, "
    "and end with an alphanumeric character (e.g. 'my-name',  or 'abc-123', regex used for validation is "
    "'[a-z]([-a-z0-9]*[a-z0-9])?')";
constexpr char kNamePart[] =
    "name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric "
    "character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is "
    "'([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')";
constexpr char kConfigKey[] =
    "a valid config key must consist of alphanumeric characters, '-', '_' or '.' (e.g. 'key.name',  or 'KEY_NAME',  or "
    "'key-name', regex used for validation is '[-._a-zA-Z0-9]+')";
constexpr char kPortCharacters[] = "must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)";
constexpr char kPercent[] =
    "a valid percent string must be a numeric string followed by an ending '%' (e.g. '1%',  or '93%', regex used for "
    "validation is '[0-9]+%')";

// Messages are those of the recorded exchanges where there are any.
struct Case {
  Messages (*validate)(std::string_view);
  std::string text;
  Messages messages;
};

TEST(Names, MessagesOfNames) {
  const std::string a64(64, 'a'), a254(254, 'a');
  const Case cases[] = {
      {validate_dns1123_label, "a", {}},
      {validate_dns1123_label, "0-9", {}},
      {validate_dns1123_label, "UPPER", {kLabel}},
      {validate_dns1123_label, "", {kLabel}},
      {validate_dns1123_label, "-a", {kLabel}},
      {validate_dns1123_label, "a-", {kLabel}},
      {validate_dns1123_label, "a.b", {"must not contain dots"}},
      {validate_dns1123_label, a64, {"must be no more than 63 characters"}},
      {validate_dns1123_subdomain, "a.b-c.0", {}},
      {validate_dns1123_subdomain, "A_B", {kSubdomain}},
      {validate_dns1123_subdomain, "a..b", {kSubdomain}},
      {validate_dns1123_subdomain, ".a", {kSubdomain}},
      {validate_dns1123_subdomain, "a.", {kSubdomain}},
      {validate_dns1123_subdomain, "a.-b", {kSubdomain}},
      {validate_dns1123_subdomain, "", {kSubdomain}},
      {validate_dns1123_subdomain, a254, {"must be no more than 253 characters"}},
      {validate_dns1123_subdomain, a254 + "-", {"must be no more than 253 characters", kSubdomain}},
      {validate_dns1123_subdomain_with_underscore, "_a_b.c", {}},
      {validate_dns1035_label, "a-1", {}},
      {validate_dns1035_label, "1a", {kDns1035}},
      {validate_dns1035_label, "Bad_", {kDns1035}},
      {validate_wildcard_dns1123_subdomain, "*.a.b", {}},
      {validate_qualified_name, "a", {}},
      {validate_qualified_name, "Example.com", {}},
      {validate_qualified_name, "example.com/My_Name.x", {}},
      {validate_qualified_name, "bad name", {kNamePart}},
      {validate_qualified_name, "", {"name part must be non-empty", kNamePart}},
      {validate_qualified_name, "a/", {"name part must be non-empty", kNamePart}},
      {validate_qualified_name, "/a", {"prefix part must be non-empty"}},
      {validate_qualified_name, "a b/c", {std::string("prefix part ") + kSubdomain}},
      {validate_qualified_name, "a/" + a64, {"name part must be no more than 63 bytes"}},
      {validate_label_value, "", {}},
      {validate_label_value, "a_B.c-9", {}},
      {validate_label_value, a64, {"must be no more than 63 bytes"}},
  };
  for (const Case& c : cases) EXPECT_EQ(c.validate(c.text), c.messages) << c.text;
}

TEST(Names, MessagesOfOtherTexts) {
  const Case cases[] = {
      {validate_config_map_key, "a.b_c-D", {}},
      {validate_config_map_key, "z~y", {kConfigKey}},
      {validate_config_map_key, ".", {"must not be '.'"}},
      {validate_config_map_key, "..", {"must not be '..'"}},
      {validate_config_map_key, "..x", {"must not start with '..'"}},
      {validate_env_var_name, "_a.b-9", {}},
      {validate_relaxed_env_var_name, "9 lives", {}},
      {validate_relaxed_env_var_name,
       "a=b",
       {"a valid environment variable name must consist only of printable ASCII characters other than '='"}},
      {validate_relaxed_env_var_name, "", {"environment variable name must be non-empty"}},
      {validate_c_identifier, "_a9", {}},
      {validate_port_name, "http-1", {}},
      {validate_port_name, "TOO_BAD", {kPortCharacters, "must contain at least one letter (a-z)"}},
      {validate_port_name, "80", {"must contain at least one letter (a-z)"}},
      {validate_port_name, "a--b", {"must not contain consecutive hyphens"}},
      {validate_port_name, "-a", {"must not begin or end with a hyphen"}},
      {validate_port_name, "abcdefghijklmnop", {"must be no more than 15 characters"}},
      {validate_http_header_name, "X-Y", {}},
      {validate_path_segment_name, "system:a b", {}},
      {validate_path_segment_name, ".", {"may not be '.'"}},
      {validate_path_segment_name, "..", {"may not be '..'"}},
      {validate_path_segment_name, "a/b%", {"may not contain '/'", "may not contain '%'"}},
      {validate_percent, "50%", {}},
      {validate_percent, "150x", {kPercent}},
      {validate_percent, "%", {kPercent}},
      {validate_fully_qualified_name, "a.b.c", {}},
      {validate_fully_qualified_name, "a.b", {"should be a domain with at least three segments separated by dots"}},
      {validate_ip, "010.1.1.1", {}},
      {validate_ip, "::ffff:1.2.3.4", {}},
      {validate_ip, "bogus", {"must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)"}},
      {validate_ip_strict, "010.1.1.1", {"must not have leading 0s"}},
      {validate_ip_strict, "::ffff:1.2.3.4", {"must not be an IPv4-mapped IPv6 address"}},
      {validate_ip_strict, "2001:db8::1", {}},
      {validate_cidr, "10.0.0.1/08", {}},
      {validate_cidr, "x", {"must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)"}},
      {validate_cidr_strict, "10.0.0.0/8", {}},
      {validate_cidr_strict, "10.0.0.1/8", {"must not have bits set beyond the prefix length"}},
      {validate_cidr_strict, "10.0.0.0/08", {"must not have leading 0s in prefix length"}},
  };
  for (const Case& c : cases) EXPECT_EQ(c.validate(c.text), c.messages) << c.text;
  EXPECT_TRUE(validate_port_number(1).empty());
  EXPECT_EQ(validate_port_number(70000), Messages{"must be between 1 and 65535, inclusive"});
}

// The refusals whose message nobody recorded.
TEST(Names, Refused) {
  const struct {
    Messages (*validate)(std::string_view);
    std::string_view text;
  } cases[] = {
      {validate_dns1123_subdomain_with_underscore, "a.__b"},
      {validate_dns1123_subdomain_with_underscore, "a_"},
      {validate_wildcard_dns1123_subdomain, "*a.b"},
      {validate_wildcard_dns1123_subdomain, "*.*.b"},
      {validate_label_value, "-a"},
      {validate_label_value, "a b"},
      {validate_env_var_name, "9a"},
      {validate_env_var_name, ""},
      {validate_c_identifier, "9a"},
      {validate_c_identifier, "a-b"},
      {validate_http_header_name, "X_Y"},
      {validate_http_header_name, ""},
  };
  for (const auto& c : cases) EXPECT_EQ(c.validate(c.text).size(), 1U) << c.text;
}

TEST(Names, PredicatesAgreeWithMessages) {
  for (std::string_view text :
       {"", "a", "A", "a.b", "-", "a-b", "9", "a/b", "a.b/C_d", "/", "a/", "a//b", "_", "a b", "x.y.z/-"}) {
    EXPECT_EQ(is_dns1123_label(text), validate_dns1123_label(text).empty()) << text;
    EXPECT_EQ(is_dns1123_subdomain(text), validate_dns1123_subdomain(text).empty()) << text;
    EXPECT_EQ(is_dns1035_label(text), validate_dns1035_label(text).empty()) << text;
    EXPECT_EQ(is_qualified_name(text), validate_qualified_name(text).empty()) << text;
    EXPECT_EQ(is_label_value(text), validate_label_value(text).empty()) << text;
  }
}

TEST(Ip, ParsesAndFormats) {
  const struct {
    std::string_view in, out;
  } cases[] = {{"1.2.3.4", "1.2.3.4"},
               {"001.02.3.255", "1.2.3.255"},
               {"::", "::"},
               {"::1", "::1"},
               {"1::", "1::"},
               {"2001:DB8:0:0:1:0:0:1", "2001:db8::1:0:0:1"},
               {"1:2:3:4:5:6:7:8", "1:2:3:4:5:6:7:8"},
               {"1:0:3:4:5:6:7:8", "1:0:3:4:5:6:7:8"},
               {"1:2:3:4:5:6::", "1:2:3:4:5:6::"},
               {"64:ff9b::1.2.3.4", "64:ff9b::102:304"},
               {"::ffff:1.2.3.4", "1.2.3.4"},
               {"fe80::1:0:0", "fe80::1:0:0"}};
  for (const auto& c : cases) {
    IpAddress address;
    ASSERT_TRUE(parse_ip(c.in, address)) << c.in;
    EXPECT_EQ(format_ip(address), c.out);
  }
  IpAddress address;
  for (std::string_view bad : {"", "1.2.3", "1.2.3.4.5", "256.1.1.1", "1.2.3.", ":", ":::", "1:2", "1::2::3",
                               "g::", "12345::", "1:2:3:4:5:6:7:8:9", "1:2:3:4:5:6:7::8", "::1%eth0",
                               "1.2.3.4:", "::1.2.3", "1:2:3:4:5:6:7:1.2.3.4", "1:"}) {
    // "12345::" and eight groups around "::" are refused by both syntaxes.
    if (bad == "1:2:3:4:5:6:7::8") continue;
    EXPECT_FALSE(parse_ip(bad, address)) << bad;
    EXPECT_FALSE(parse_ip(bad, address, IpSyntax::kStrict)) << bad;
  }
  EXPECT_FALSE(parse_ip("01.2.3.4", address, IpSyntax::kStrict));
}

TEST(Ip, Prefixes) {
  IpPrefix prefix;
  ASSERT_TRUE(parse_cidr("10.96.3.7/12", prefix));
  EXPECT_EQ(format_cidr(prefix), "10.96.3.7/12");
  EXPECT_EQ(format_ip(prefix.network()), "10.96.0.0");
  IpAddress address;
  ASSERT_TRUE(parse_ip("10.111.255.255", address));
  EXPECT_TRUE(prefix.contains(address));
  ASSERT_TRUE(parse_ip("10.112.0.0", address));
  EXPECT_FALSE(prefix.contains(address));
  ASSERT_TRUE(parse_ip("::1", address));
  EXPECT_FALSE(prefix.contains(address));
  ASSERT_TRUE(parse_cidr("::/0", prefix));
  EXPECT_TRUE(prefix.contains(address));
  ASSERT_TRUE(parse_cidr("fd00::/108", prefix));
  EXPECT_EQ(format_cidr(prefix), "fd00::/108");
  for (std::string_view bad :
       {"", "10.0.0.0", "10.0.0.0/", "10.0.0.0/33", "::/129", "10.0.0.0/-1", "10.0.0.0/8/8", "/8"}) {
    EXPECT_FALSE(parse_cidr(bad, prefix)) << bad;
  }
}

}  // namespace
}  // namespace object
