// Natives of the operators. Private to this folder.
#pragma once

#include "cel/functions.h"

namespace cel {

Value add(CallContext& context, std::span<const Value> args);
Value subtract(CallContext& context, std::span<const Value> args);
Value multiply(CallContext& context, std::span<const Value> args);
Value divide(CallContext& context, std::span<const Value> args);
Value modulo(CallContext& context, std::span<const Value> args);
Value negate(CallContext& context, std::span<const Value> args);
Value logical_not(CallContext& context, std::span<const Value> args);
Value less(CallContext& context, std::span<const Value> args);
Value less_equals(CallContext& context, std::span<const Value> args);
Value greater(CallContext& context, std::span<const Value> args);
Value greater_equals(CallContext& context, std::span<const Value> args);
Value in(CallContext& context, std::span<const Value> args);
Value size(CallContext& context, std::span<const Value> args);
Value contains(CallContext& context, std::span<const Value> args);
Value starts_with(CallContext& context, std::span<const Value> args);
Value ends_with(CallContext& context, std::span<const Value> args);
Value matches(CallContext& context, std::span<const Value> args);
// cel.@mapInsert(map, key, value) and cel.@mapInsert(map, map).
Value map_insert(CallContext& context, std::span<const Value> args);

// a + b for lists; the type rules of declared sets and list-maps apply to the left one.
Value concatenate(CallContext& context, const Value& a, const Value& b);

}  // namespace cel
