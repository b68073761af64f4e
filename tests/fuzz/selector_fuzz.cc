// Selectors and names: the printed form of an accepted selector is accepted and prints the same; predicates agree with
// validators.
#include <cstdint>

#include "base/check.h"
#include "object/names.h"
#include "object/selector.h"
#include "object/value.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  if (const auto selector = object::LabelSelector::parse(text)) {
    const std::string printed = selector->to_string();
    const auto again = object::LabelSelector::parse(printed);
    CHECK(again && again->to_string() == printed);
    const object::ValueLabels none(nullptr);
    CHECK(selector->matches(none) == again->matches(none));
  }
  if (const auto selector = object::FieldSelector::parse(text)) {
    const std::string printed = selector->to_string();
    const auto again = object::FieldSelector::parse(printed);
    CHECK(again && again->terms() == selector->terms());
  }
  CHECK(object::is_dns1123_label(text) == object::validate_dns1123_label(text).empty());
  CHECK(object::is_dns1123_subdomain(text) == object::validate_dns1123_subdomain(text).empty());
  CHECK(object::is_dns1035_label(text) == object::validate_dns1035_label(text).empty());
  CHECK(object::is_qualified_name(text) == object::validate_qualified_name(text).empty());
  CHECK(object::is_label_value(text) == object::validate_label_value(text).empty());
  object::IpAddress address;
  if (object::parse_ip(text, address)) {
    object::IpAddress again;
    CHECK(object::parse_ip(object::format_ip(address), again, object::IpSyntax::kStrict) && again == address);
  }
  object::IpPrefix prefix;
  if (object::parse_cidr(text, prefix)) CHECK(prefix.contains(prefix.address));
  return 0;
}
