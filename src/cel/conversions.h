// Conversions between the language's types and text, with the texts and the range errors of upstream. Pure. Private to
// this folder.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "cel/functions.h"
#include "cel/value.h"

namespace cel {

std::string double_text(double value);           // as Go prints %v for string(): 1e+06, 0.5, +Inf
std::string duration_text(int64_t nanoseconds);  // seconds: 90s, 1.5s
std::string timestamp_text(const Value& value);  // RFC 3339 with as many digits of fraction as needed
bool parse_timestamp(std::string_view text, int64_t& seconds, uint32_t& nanoseconds);
bool parse_duration(std::string_view text, int64_t& nanoseconds);

// Limits of timestamps: the years 1 to 9999.
inline constexpr int64_t kMinTimestamp = -62135596800;
inline constexpr int64_t kMaxTimestamp = 253402300799;

// The natives of int(), uint(), double(), string(), bytes(), bool(), timestamp(), duration(), type() and dyn().
Value convert_to_int(CallContext& context, std::span<const Value> args);
Value convert_to_uint(CallContext& context, std::span<const Value> args);
Value convert_to_double(CallContext& context, std::span<const Value> args);
Value convert_to_string(CallContext& context, std::span<const Value> args);
Value convert_to_bytes(CallContext& context, std::span<const Value> args);
Value convert_to_bool(CallContext& context, std::span<const Value> args);
Value convert_to_timestamp(CallContext& context, std::span<const Value> args);
Value convert_to_duration(CallContext& context, std::span<const Value> args);
Value type_of(CallContext& context, std::span<const Value> args);
Value identity(CallContext& context, std::span<const Value> args);

}  // namespace cel
