// The special scalar-like types of the API as the structs hold them. Plain data; parsing, text forms and arithmetic are
// in object/time.h and object/quantity.h. Thread: any.
#pragma once

#include <compare>
#include <cstdint>
#include <optional>
#include <string>

namespace object {

// Seconds of 0001-01-01T00:00:00Z: Go's zero time, which JSON writes as null and protobuf as an empty message.
inline constexpr int64_t kZeroTimeSeconds = -62135596800;

// metav1.Time: an instant since 1970, UTC; JSON and protobuf keep whole seconds.
struct Time {
  int64_t seconds = kZeroTimeSeconds;
  int32_t nanos = 0;
  bool zero() const { return seconds == kZeroTimeSeconds && nanos == 0; }
  auto operator<=>(const Time&) const = default;
};

// metav1.MicroTime: the same with microseconds kept.
struct MicroTime {
  int64_t seconds = kZeroTimeSeconds;
  int32_t nanos = 0;
  bool zero() const { return seconds == kZeroTimeSeconds && nanos == 0; }
  auto operator<=>(const MicroTime&) const = default;
};

// metav1.Duration in nanoseconds.
struct Duration {
  int64_t duration = 0;
  auto operator<=>(const Duration&) const = default;
};

// resource.Quantity as its canonical text ("" is the unset value, equal to "0"). == compares the text; compare values
// with object/quantity.h.
struct Quantity {
  std::string string;
  bool operator==(const Quantity&) const = default;
};

// intstr.IntOrString.
struct IntOrString {
  int64_t type = 0;  // 0 = int_val holds, 1 = str_val holds
  int32_t int_val = 0;
  std::string str_val;
  bool is_string() const { return type == 1; }
  bool operator==(const IntOrString&) const = default;
};

// runtime.RawExtension: a nested object as its own bytes (JSON in stored objects).
struct RawExtension {
  std::optional<std::string> raw;
  bool operator==(const RawExtension&) const = default;
};

// metav1.FieldsV1: a field set as JSON text.
struct FieldsV1 {
  std::optional<std::string> raw;
  bool operator==(const FieldsV1&) const = default;
};

}  // namespace object
