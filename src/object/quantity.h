// Arithmetic of resource.Quantity: exact decimals with the text rules of upstream (facts: special types, quantity).
// types.h holds a Quantity as text; QuantityValue is what one computes with. Pure.
#pragma once

#include <compare>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"
#include "object/types.h"

namespace object {

// Upstream's messages for a text that is no quantity, and for one whose suffix is none.
inline constexpr std::string_view kQuantitySuffixMessage = "unable to parse quantity's suffix";
inline constexpr std::string_view kQuantityFormatMessage =
    "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'";

// A decimal in units of 10^-9 with the form in which it is written. Magnitudes up to 10^29 are exact; results beyond
// saturate.
class QuantityValue {
 public:
  enum class Form : uint8_t { kDecimalExponent, kBinarySi, kDecimalSi };

  // Zero, decimal SI.
  QuantityValue() = default;
  static QuantityValue from_int(int64_t value, Form form = Form::kDecimalSi);
  static QuantityValue from_milli(int64_t milli, Form form = Form::kDecimalSi);

  // White space around the text is an error, as are "" and anything outside the grammar.
  static base::Result<QuantityValue> parse(std::string_view text);
  // The value of a stored (hence valid) quantity; "" and malformed texts are zero.
  static QuantityValue of(const Quantity& quantity);

  // Canonical text of the value.
  std::string to_string() const;
  Quantity to_quantity() const { return {to_string()}; }

  Form form() const { return form_; }
  int sign() const { return nanos_ > 0 ? 1 : nanos_ < 0 ? -1 : 0; }
  bool zero() const { return nanos_ == 0; }
  // Whole units, rounded up (away from zero, as upstream's Value); saturates at the ends of int64.
  int64_t value() const { return scaled(kNano); }
  // Thousandths, rounded up as above.
  int64_t milli_value() const { return scaled(kNano / 1000); }
  // True with the exact integer when the value is one that fits int64.
  bool as_int64(int64_t& value) const;
  double approximate() const;

  std::strong_ordering operator<=>(const QuantityValue& other) const { return nanos_ <=> other.nanos_; }
  bool operator==(const QuantityValue& other) const { return nanos_ == other.nanos_; }
  // The form stays, but a zero takes the form of what is added (Compat: upstream's Add and Sub).
  QuantityValue& operator+=(const QuantityValue& other);
  QuantityValue& operator-=(const QuantityValue& other);
  QuantityValue operator-() const;

 private:
  static constexpr int64_t kNano = 1'000'000'000;
  int64_t scaled(int64_t unit) const;
  __extension__ using Wide = __int128;
  Wide nanos_ = 0;
  Form form_ = Form::kDecimalSi;
};

// Text of input to the text that is stored: kept where upstream keeps it ("1500m", "+1", "0.50e3"), else canonical.
// White space around the text is dropped (Compat: UnmarshalJSON).
base::Result<Quantity> parse_quantity(std::string_view text);

// Order by value.
inline std::strong_ordering compare(const Quantity& a, const Quantity& b) {
  return QuantityValue::of(a) <=> QuantityValue::of(b);
}

}  // namespace object
