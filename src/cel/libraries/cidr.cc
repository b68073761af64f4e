// net.CIDR.
#include "cel/libraries/network.h"

namespace cel {

namespace {

struct Cidr : Opaque {
  explicit Cidr(const object::IpPrefix& p) : prefix(p) {}
  const Type* type() const override {
    static const Type kType{TypeKind::kOpaque, "net.CIDR", {}};
    return &kType;
  }
  bool equals(const Opaque& other) const override {
    const object::IpPrefix& theirs = static_cast<const Cidr&>(other).prefix;
    return prefix.address == theirs.address && prefix.bits == theirs.bits;
  }
  // Compat: the bytes that the prefix covers, as upstream counts them.
  uint64_t size() const override { return static_cast<uint64_t>((prefix.bits + 7) / 8); }
  object::IpPrefix prefix;
};

const object::IpPrefix& of(const Value& value) { return static_cast<const Cidr*>(value.as_opaque())->prefix; }

bool parse(std::string_view text, object::IpPrefix& prefix) {
  return object::parse_cidr(text, prefix, object::IpSyntax::kStrict);
}

Value parsed(CallContext& context, std::string_view text) {
  object::IpPrefix prefix;
  if (parse(text, prefix)) return Value::of_opaque(context.arena.make<Cidr>(prefix));
  const std::string quoted = '"' + std::string(text) + '"';
  constexpr std::string_view kContext = "network address parse error during conversion from string: ";
  if (text.find(':') != std::string_view::npos && object::parse_cidr(text, prefix) && prefix.address.is_v4()) {
    return context.error(std::string(kContext) + "IPv4-mapped IPv6 address " + quoted + " is not allowed");
  }
  return context.error(std::string(kContext) + std::string(kContext) + "netip.ParsePrefix(" + quoted +
                       "): " + (text.find('/') == std::string_view::npos ? "no '/'" : "unable to parse IP"));
}

Value cidr(CallContext& context, std::span<const Value> args) { return parsed(context, args[0].text()); }
Value is_cidr(CallContext&, std::span<const Value> args) {
  object::IpPrefix prefix;
  return Value::of_bool(parse(args[0].text(), prefix));
}
Value contains_ip(CallContext& context, std::span<const Value> args) {
  const Value other = args[1].is_string() ? parse_ip_value(context, args[1].text()) : args[1];
  if (other.is_error()) return Value::error("no such overload");
  return Value::of_bool(of(args[0]).contains(static_cast<const Ip*>(other.as_opaque())->address));
}
Value contains_cidr(CallContext& context, std::span<const Value> args) {
  const Value other = args[1].is_string() ? parsed(context, args[1].text()) : args[1];
  if (other.is_error()) return other;
  const object::IpPrefix &outer = of(args[0]), &inner = of(other);
  if (outer.address.size != inner.address.size || outer.bits > inner.bits) return Value::of_bool(false);
  return Value::of_bool(outer.contains(inner.network()));
}
Value ip(CallContext& context, std::span<const Value> args) {
  return Value::of_opaque(context.arena.make<Ip>(of(args[0]).address));
}
Value prefix_length(CallContext&, std::span<const Value> args) { return Value::of_int(of(args[0]).bits); }
Value masked(CallContext& context, std::span<const Value> args) {
  return Value::of_opaque(context.arena.make<Cidr>(object::IpPrefix{of(args[0]).network(), of(args[0]).bits}));
}
Value to_string(CallContext& context, std::span<const Value> args) {
  return context.string(object::format_cidr(of(args[0])));
}

constexpr Declaration kCidr[] = {
    {"string_to_cidr", "cidr(string): net.CIDR", cidr},
    {"cidr_contains_ip_string", "net.CIDR.containsIP(string): bool", contains_ip},
    {"cidr_contains_ip_ip", "net.CIDR.containsIP(net.IP): bool", contains_ip},
    {"cidr_contains_cidr_string", "net.CIDR.containsCIDR(string): bool", contains_cidr},
    {"cidr_contains_cidr", "net.CIDR.containsCIDR(net.CIDR): bool", contains_cidr},
    {"cidr_ip", "net.CIDR.ip(): net.IP", ip},
    {"cidr_prefix_length", "net.CIDR.prefixLength(): int", prefix_length},
    {"cidr_masked", "net.CIDR.masked(): net.CIDR", masked},
    {"is_cidr", "isCIDR(string): bool", is_cidr},
    {"cidr_to_string", "string(net.CIDR): string", to_string},
};

}  // namespace

std::span<const Declaration> cidr_declarations() { return kCidr; }

}  // namespace cel
