// Quantities, times, durations: what is accepted has a text that reads back as the same value.
#include <cstdint>

#include "base/check.h"
#include "object/quantity.h"
#include "object/time.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  if (const auto quantity = object::parse_quantity(text)) {
    const auto again = object::parse_quantity(quantity->string);
    CHECK(again);
    const auto value = object::QuantityValue::of(*quantity);
    // Above E the canonical text of decimals loses its suffix, as upstream's does.
    if (value.approximate() < 1e18 && value.approximate() > -1e18) {
      CHECK(object::compare(*again, *quantity) == 0);
      const auto canonical = object::QuantityValue::parse(value.to_string());
      CHECK(canonical && *canonical == value);
      object::QuantityValue difference = value;
      difference -= value;
      CHECK(difference.zero());
    }
    value.milli_value();
  }
  if (const auto duration = object::parse_duration(text)) {
    CHECK(object::parse_duration(object::format_duration(*duration)).value() == *duration);
  }
  if (const auto time = object::parse_micro_time(text)) {
    CHECK(object::parse_time(text));
    if (time->seconds >= object::kZeroTimeSeconds && time->seconds < 253402300800) {
      CHECK(object::parse_micro_time(object::format_micro_time(*time)).value().seconds == time->seconds);
    }
  }
  return 0;
}
