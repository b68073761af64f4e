// Validators of names and other small texts. Each returns upstream's messages, none when the text is valid.
// Hand-written matchers: linear time, no regular expressions. Pure.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace object {

using Messages = std::vector<std::string>;

Messages validate_dns1123_label(std::string_view text);      // ≤ 63
Messages validate_dns1123_subdomain(std::string_view text);  // ≤ 253
Messages validate_dns1123_subdomain_with_underscore(std::string_view text);
Messages validate_dns1035_label(std::string_view text);               // ≤ 63
Messages validate_wildcard_dns1123_subdomain(std::string_view text);  // "*." and a subdomain
Messages validate_qualified_name(std::string_view text);              // [prefix/]name: label keys, finalizers, taints
Messages validate_label_value(std::string_view text);                 // ≤ 63
Messages validate_config_map_key(std::string_view text);              // keys of ConfigMap and Secret data
Messages validate_env_var_name(std::string_view text);                // C identifier with - and .
Messages validate_relaxed_env_var_name(std::string_view text);        // printable ASCII but '='
Messages validate_c_identifier(std::string_view text);
Messages validate_port_name(std::string_view text);  // IANA service name, ≤ 15
Messages validate_port_number(int64_t port);         // 1 to 65535
Messages validate_http_header_name(std::string_view text);
Messages validate_path_segment_name(std::string_view text);    // not . or .., no / or %
Messages validate_path_segment_prefix(std::string_view text);  // no / or %
Messages validate_percent(std::string_view text);              // 50%
Messages validate_ip(std::string_view text);                   // legacy: leading zeros and IPv4-mapped IPv6 pass
Messages validate_ip_strict(std::string_view text);
Messages validate_cidr(std::string_view text);  // legacy, as above
Messages validate_cidr_strict(std::string_view text);
Messages validate_fully_qualified_name(std::string_view text);  // at least three labels

// True when there are no messages, without building any.
bool is_dns1123_label(std::string_view text);
bool is_dns1123_subdomain(std::string_view text);
bool is_dns1035_label(std::string_view text);
bool is_qualified_name(std::string_view text);
bool is_label_value(std::string_view text);

// An IP address as 4 or 16 bytes.
struct IpAddress {
  uint8_t bytes[16] = {};
  uint8_t size = 0;  // 4 or 16; an IPv4-mapped IPv6 address is reduced to 4
  bool is_v4() const { return size == 4; }
  bool operator==(const IpAddress&) const = default;
};
enum class IpSyntax : uint8_t { kLegacy, kStrict };  // legacy: leading zeros in IPv4 parts, IPv4-mapped IPv6
bool parse_ip(std::string_view text, IpAddress& address, IpSyntax syntax = IpSyntax::kLegacy);
struct IpPrefix {
  IpAddress address;  // as written, host bits kept
  int bits = 0;
  bool contains(const IpAddress& ip) const;
  IpAddress network() const;  // host bits cleared
};
bool parse_cidr(std::string_view text, IpPrefix& prefix, IpSyntax syntax = IpSyntax::kLegacy);
// Canonical text (RFC 5952 for IPv6).
std::string format_ip(const IpAddress& address);
std::string format_cidr(const IpPrefix& prefix);

}  // namespace object
