// IP addresses and prefixes as values. Private to this folder.
#pragma once

#include "cel/libraries/libraries.h"
#include "object/names.h"

namespace cel {

struct Ip : Opaque {
  explicit Ip(const object::IpAddress& a) : address(a) {}
  const Type* type() const override;
  bool equals(const Opaque& other) const override { return address == static_cast<const Ip&>(other).address; }
  uint64_t size() const override { return address.size; }
  object::IpAddress address;
};

// The address, or an error of upstream's words.
Value parse_ip_value(CallContext& context, std::string_view text);

}  // namespace cel
