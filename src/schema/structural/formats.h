// The string formats that schemas of custom resources check. Pure; thread: any.
#pragma once

#include <cstdint>
#include <string_view>

namespace schema {

enum class Format : uint8_t {
  kNone,  // none, or one that is not checked
  kBsonObjectId,
  kUri,
  kEmail,
  kHostname,
  kIpv4,
  kIpv6,
  kCidr,
  kMac,
  kUuid,
  kUuid3,
  kUuid4,
  kUuid5,
  kIsbn,
  kIsbn10,
  kIsbn13,
  kCreditCard,
  kSsn,
  kHexColor,
  kRgbColor,
  kByte,
  kPassword,
  kDate,
  kDuration,
  kDateTime,
  kShortName,
  kLongName,
};

// kNone for a name that is not known. Dashes in the name do not count: "date-time" is "datetime".
Format format_by_name(std::string_view name);
bool has_format(Format format, std::string_view value);

}  // namespace schema
