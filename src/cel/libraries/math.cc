// cel-go's ext.Math. Kubernetes 1.35 has none of it; the language's test data does.
#include <cmath>

#include "cel/libraries/libraries.h"

namespace cel {

namespace {

bool is_number(const Value& value) {
  return value.kind() == Kind::kInt || value.kind() == Kind::kUint || value.kind() == Kind::kDouble;
}

Value extreme(CallContext& context, std::span<const Value> args, std::string_view name, int sign) {
  std::vector<Value> items(args.begin(), args.end());
  if (args.size() == 1 && args[0].kind() == Kind::kList) {
    items.clear();
    for (size_t i = 0; i < args[0].size(); ++i) items.push_back(args[0].element(i, context.arena));
    if (items.empty()) return context.error("math.@" + std::string(name) + "(list) argument must not be empty");
  }
  for (const Value& item : items) {
    if (!is_number(item)) return context.error("no such overload: math.@" + std::string(name));
  }
  Value best = items[0];
  for (const Value& item : items) {
    std::partial_ordering order = std::partial_ordering::unordered;
    compare(item, best, order);
    if ((sign < 0 && order < 0) || (sign > 0 && order > 0)) best = item;
  }
  return best;
}
Value max(CallContext& context, std::span<const Value> args) { return extreme(context, args, "max", 1); }
Value min(CallContext& context, std::span<const Value> args) { return extreme(context, args, "min", -1); }

template <double (*function)(double)>
Value apply(CallContext&, std::span<const Value> args) {
  return Value::of_double(function(args[0].as_double()));
}
double ceil_of(double x) { return std::ceil(x); }
double floor_of(double x) { return std::floor(x); }
double round_of(double x) { return std::round(x); }
double trunc_of(double x) { return std::trunc(x); }

Value is_inf(CallContext&, std::span<const Value> args) { return Value::of_bool(std::isinf(args[0].as_double())); }
Value is_nan(CallContext&, std::span<const Value> args) { return Value::of_bool(std::isnan(args[0].as_double())); }
Value is_finite(CallContext&, std::span<const Value> args) {
  return Value::of_bool(std::isfinite(args[0].as_double()));
}

Value absolute(CallContext&, std::span<const Value> args) {
  if (args[0].kind() == Kind::kDouble) return Value::of_double(std::abs(args[0].as_double()));
  if (args[0].kind() == Kind::kUint || args[0].as_int() >= 0) return args[0];
  return args[0].as_int() == INT64_MIN ? Value::error("integer overflow") : Value::of_int(-args[0].as_int());
}
Value sign(CallContext&, std::span<const Value> args) {
  if (args[0].kind() == Kind::kUint) return Value::of_uint(args[0].as_uint() > 0 ? 1 : 0);
  if (args[0].kind() == Kind::kInt) return Value::of_int(args[0].as_int() > 0 ? 1 : args[0].as_int() < 0 ? -1 : 0);
  const double number = args[0].as_double();
  return std::isnan(number) ? args[0] : Value::of_double(number > 0 ? 1 : number < 0 ? -1 : 0);
}
Value square_root(CallContext&, std::span<const Value> args) {
  const double number = args[0].kind() == Kind::kDouble ? args[0].as_double()
                        : args[0].kind() == Kind::kInt  ? static_cast<double>(args[0].as_int())
                                                        : static_cast<double>(args[0].as_uint());
  return Value::of_double(std::sqrt(number));
}

Value as(Kind kind, uint64_t bits) {
  return kind == Kind::kInt ? Value::of_int(static_cast<int64_t>(bits)) : Value::of_uint(bits);
}
Value bit_and(CallContext&, std::span<const Value> args) {
  return as(args[0].kind(), args[0].as_uint() & args[1].as_uint());
}
Value bit_or(CallContext&, std::span<const Value> args) {
  return as(args[0].kind(), args[0].as_uint() | args[1].as_uint());
}
Value bit_xor(CallContext&, std::span<const Value> args) {
  return as(args[0].kind(), args[0].as_uint() ^ args[1].as_uint());
}
Value bit_not(CallContext&, std::span<const Value> args) { return as(args[0].kind(), ~args[0].as_uint()); }
Value shift_left(CallContext& context, std::span<const Value> args) {
  const int64_t by = args[1].as_int();
  if (by < 0) return context.error("math.bitShiftLeft() negative offset: " + std::to_string(by));
  return as(args[0].kind(), by > 63 ? 0 : args[0].as_uint() << by);
}
Value shift_right(CallContext& context, std::span<const Value> args) {
  const int64_t by = args[1].as_int();
  if (by < 0) return context.error("math.bitShiftRight() negative offset: " + std::to_string(by));
  return as(args[0].kind(), by > 63 ? 0 : args[0].as_uint() >> by);
}

constexpr Declaration kMath[] = {
    {"math_@min_double", ":math.@min(double): double", min},
    {"math_@min_int", ":math.@min(int): int", min},
    {"math_@min_uint", ":math.@min(uint): uint", min},
    {"math_@min_double_double", ":math.@min(double, double): double", min},
    {"math_@min_double_int", ":math.@min(double, int): dyn", min},
    {"math_@min_double_uint", ":math.@min(double, uint): dyn", min},
    {"math_@min_int_double", ":math.@min(int, double): dyn", min},
    {"math_@min_int_int", ":math.@min(int, int): int", min},
    {"math_@min_int_uint", ":math.@min(int, uint): dyn", min},
    {"math_@min_uint_double", ":math.@min(uint, double): dyn", min},
    {"math_@min_uint_int", ":math.@min(uint, int): dyn", min},
    {"math_@min_uint_uint", ":math.@min(uint, uint): uint", min},
    {"math_@min_list_double", ":math.@min(list(double)): double", min},
    {"math_@min_list_int", ":math.@min(list(int)): int", min},
    {"math_@min_list_uint", ":math.@min(list(uint)): uint", min},
    {"math_@max_double", ":math.@max(double): double", max},
    {"math_@max_int", ":math.@max(int): int", max},
    {"math_@max_uint", ":math.@max(uint): uint", max},
    {"math_@max_double_double", ":math.@max(double, double): double", max},
    {"math_@max_double_int", ":math.@max(double, int): dyn", max},
    {"math_@max_double_uint", ":math.@max(double, uint): dyn", max},
    {"math_@max_int_double", ":math.@max(int, double): dyn", max},
    {"math_@max_int_int", ":math.@max(int, int): int", max},
    {"math_@max_int_uint", ":math.@max(int, uint): dyn", max},
    {"math_@max_uint_double", ":math.@max(uint, double): dyn", max},
    {"math_@max_uint_int", ":math.@max(uint, int): dyn", max},
    {"math_@max_uint_uint", ":math.@max(uint, uint): uint", max},
    {"math_@max_list_double", ":math.@max(list(double)): double", max},
    {"math_@max_list_int", ":math.@max(list(int)): int", max},
    {"math_@max_list_uint", ":math.@max(list(uint)): uint", max},
    {"math_ceil_double", ":math.ceil(double): double", apply<ceil_of>},
    {"math_floor_double", ":math.floor(double): double", apply<floor_of>},
    {"math_round_double", ":math.round(double): double", apply<round_of>},
    {"math_trunc_double", ":math.trunc(double): double", apply<trunc_of>},
    {"math_isInf_double", ":math.isInf(double): bool", is_inf},
    {"math_isNaN_double", ":math.isNaN(double): bool", is_nan},
    {"math_isFinite_double", ":math.isFinite(double): bool", is_finite},
    {"math_abs_double", ":math.abs(double): double", absolute},
    {"math_abs_int", ":math.abs(int): int", absolute},
    {"math_abs_uint", ":math.abs(uint): uint", absolute},
    {"math_sign_double", ":math.sign(double): double", sign},
    {"math_sign_int", ":math.sign(int): int", sign},
    {"math_sign_uint", ":math.sign(uint): uint", sign},
    {"math_sqrt_double", ":math.sqrt(double): double", square_root},
    {"math_sqrt_int", ":math.sqrt(int): double", square_root},
    {"math_sqrt_uint", ":math.sqrt(uint): double", square_root},
    {"math_bitAnd_int_int", ":math.bitAnd(int, int): int", bit_and},
    {"math_bitAnd_uint_uint", ":math.bitAnd(uint, uint): uint", bit_and},
    {"math_bitOr_int_int", ":math.bitOr(int, int): int", bit_or},
    {"math_bitOr_uint_uint", ":math.bitOr(uint, uint): uint", bit_or},
    {"math_bitXor_int_int", ":math.bitXor(int, int): int", bit_xor},
    {"math_bitXor_uint_uint", ":math.bitXor(uint, uint): uint", bit_xor},
    {"math_bitNot_int_int", ":math.bitNot(int): int", bit_not},
    {"math_bitNot_uint_uint", ":math.bitNot(uint): uint", bit_not},
    {"math_bitShiftLeft_int_int", ":math.bitShiftLeft(int, int): int", shift_left},
    {"math_bitShiftLeft_uint_int", ":math.bitShiftLeft(uint, int): uint", shift_left},
    {"math_bitShiftRight_int_int", ":math.bitShiftRight(int, int): int", shift_right},
    {"math_bitShiftRight_uint_int", ":math.bitShiftRight(uint, int): uint", shift_right},
};

}  // namespace

std::span<const Declaration> math_declarations() { return kMath; }

}  // namespace cel
