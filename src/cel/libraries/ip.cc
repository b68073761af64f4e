// net.IP.
#include "cel/libraries/network.h"

namespace cel {

namespace {

enum class Fault : uint8_t { kNone, kSyntax, kZone, kMapped };

// Compat: no zones, no IPv4-mapped IPv6 addresses.
Fault parse(std::string_view text, object::IpAddress& address) {
  if (text.find('%') != std::string_view::npos && text.find(':') != std::string_view::npos) {
    return object::parse_ip(text.substr(0, text.find('%')), address, object::IpSyntax::kStrict) ? Fault::kZone
                                                                                                : Fault::kSyntax;
  }
  if (object::parse_ip(text, address, object::IpSyntax::kStrict)) return Fault::kNone;
  object::IpAddress mapped;
  const bool is_mapped = text.find(':') != std::string_view::npos && object::parse_ip(text, mapped) && mapped.is_v4();
  return is_mapped ? Fault::kMapped : Fault::kSyntax;
}

const object::IpAddress& of(const Value& value) { return static_cast<const Ip*>(value.as_opaque())->address; }

Value ip(CallContext& context, std::span<const Value> args) { return parse_ip_value(context, args[0].text()); }
Value is_ip(CallContext&, std::span<const Value> args) {
  object::IpAddress address;
  return Value::of_bool(parse(args[0].text(), address) == Fault::kNone);
}
Value is_canonical(CallContext& context, std::span<const Value> args) {
  const Value parsed = parse_ip_value(context, args[0].text());
  return parsed.is_error() ? parsed : Value::of_bool(object::format_ip(of(parsed)) == args[0].text());
}
Value family(CallContext&, std::span<const Value> args) { return Value::of_int(of(args[0]).is_v4() ? 4 : 6); }
Value to_string(CallContext& context, std::span<const Value> args) {
  return context.string(object::format_ip(of(args[0])));
}

bool unspecified(const object::IpAddress& a) {
  for (size_t i = 0; i < a.size; ++i) {
    if (a.bytes[i] != 0) return false;
  }
  return true;
}
bool loopback(const object::IpAddress& a) {
  if (a.is_v4()) return a.bytes[0] == 127;
  for (size_t i = 0; i < 15; ++i) {
    if (a.bytes[i] != 0) return false;
  }
  return a.bytes[15] == 1;
}
bool multicast(const object::IpAddress& a) { return a.is_v4() ? (a.bytes[0] & 0xF0) == 0xE0 : a.bytes[0] == 0xFF; }
bool link_local_multicast(const object::IpAddress& a) {
  if (a.is_v4()) return a.bytes[0] == 224 && a.bytes[1] == 0 && a.bytes[2] == 0;
  return a.bytes[0] == 0xFF && (a.bytes[1] & 0x0F) == 0x02;
}
bool link_local_unicast(const object::IpAddress& a) {
  if (a.is_v4()) return a.bytes[0] == 169 && a.bytes[1] == 254;
  return a.bytes[0] == 0xFE && (a.bytes[1] & 0xC0) == 0x80;
}
bool global_unicast(const object::IpAddress& a) {
  const bool broadcast = a.is_v4() && a.bytes[0] == 255 && a.bytes[1] == 255 && a.bytes[2] == 255 && a.bytes[3] == 255;
  return !broadcast && !unspecified(a) && !loopback(a) && !multicast(a) && !link_local_unicast(a);
}

template <bool (*test)(const object::IpAddress&)>
Value is(CallContext&, std::span<const Value> args) {
  return Value::of_bool(test(of(args[0])));
}

constexpr Declaration kIp[] = {
    {"string_to_ip", "ip(string): net.IP", ip},
    {"ip_family", "net.IP.family(): int", family},
    {"ip_is_canonical", ":ip.isCanonical(string): bool", is_canonical},
    {"ip_is_unspecified", "net.IP.isUnspecified(): bool", is<unspecified>},
    {"ip_is_loopback", "net.IP.isLoopback(): bool", is<loopback>},
    {"ip_is_link_local_multicast", "net.IP.isLinkLocalMulticast(): bool", is<link_local_multicast>},
    {"ip_is_link_local_unicast", "net.IP.isLinkLocalUnicast(): bool", is<link_local_unicast>},
    {"ip_is_global_unicast", "net.IP.isGlobalUnicast(): bool", is<global_unicast>},
    {"is_ip", "isIP(string): bool", is_ip},
    {"ip_to_string", "string(net.IP): string", to_string},
};

}  // namespace

const Type* Ip::type() const {
  static const Type kType{TypeKind::kOpaque, "net.IP", {}};
  return &kType;
}

Value parse_ip_value(CallContext& context, std::string_view text) {
  object::IpAddress address;
  const std::string quoted = '"' + std::string(text) + '"';
  switch (parse(text, address)) {
    case Fault::kNone:
      return Value::of_opaque(context.arena.make<Ip>(address));
    case Fault::kZone:
      return context.error("IP address " + quoted + " with zone value is not allowed");
    case Fault::kMapped:
      return context.error("IPv4-mapped IPv6 address " + quoted + " is not allowed");
    default:
      return context.error("IP Address " + quoted + " parse error during conversion from string: ParseAddr(" + quoted +
                           "): unable to parse IP");
  }
}

std::span<const Declaration> ip_declarations() { return kIp; }

}  // namespace cel
