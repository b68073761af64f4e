#include "cel/standard.h"

#include <algorithm>
#include <vector>

#include "cel/conversions.h"
#include "cel/operators.h"

namespace cel {

namespace {

// Compat: names and overload ids are those of cel-go's common/stdlib and common/overloads. Those without a native are
// parts of the evaluator.
constexpr Declaration kStandard[] = {
    {"conditional", "_?_:_(bool, A, A): A", nullptr},
    {"logical_and", "_&&_(bool, bool): bool", nullptr},
    {"logical_or", "_||_(bool, bool): bool", nullptr},
    {"logical_not", "!_(bool): bool", logical_not},
    {"not_strictly_false", "@not_strictly_false(bool): bool", identity},
    {"equals", "_==_(A, A): bool", nullptr},
    {"not_equals", "_!=_(A, A): bool", nullptr},
    {"add_bytes", "_+_(bytes, bytes): bytes", add},
    {"add_double", "_+_(double, double): double", add},
    {"add_duration_duration", "_+_(duration, duration): duration", add},
    {"add_duration_timestamp", "_+_(duration, timestamp): timestamp", add},
    {"add_timestamp_duration", "_+_(timestamp, duration): timestamp", add},
    {"add_int64", "_+_(int, int): int", add},
    {"add_list", "_+_(list(A), list(A)): list(A)", add},
    {"add_string", "_+_(string, string): string", add},
    {"add_uint64", "_+_(uint, uint): uint", add},
    {"divide_double", "_/_(double, double): double", divide},
    {"divide_int64", "_/_(int, int): int", divide},
    {"divide_uint64", "_/_(uint, uint): uint", divide},
    {"multiply_double", "_*_(double, double): double", multiply},
    {"multiply_int64", "_*_(int, int): int", multiply},
    {"multiply_uint64", "_*_(uint, uint): uint", multiply},
    {"modulo_int64", "_%_(int, int): int", modulo},
    {"modulo_uint64", "_%_(uint, uint): uint", modulo},
    {"negate_double", "-_(double): double", negate},
    {"negate_int64", "-_(int): int", negate},
    {"subtract_double", "_-_(double, double): double", subtract},
    {"subtract_duration_duration", "_-_(duration, duration): duration", subtract},
    {"subtract_int64", "_-_(int, int): int", subtract},
    {"subtract_timestamp_duration", "_-_(timestamp, duration): timestamp", subtract},
    {"subtract_timestamp_timestamp", "_-_(timestamp, timestamp): duration", subtract},
    {"subtract_uint64", "_-_(uint, uint): uint", subtract},
    {"less_bool", "_<_(bool, bool): bool", less},
    {"less_int64", "_<_(int, int): bool", less},
    {"less_int64_double", "_<_(int, double): bool", less},
    {"less_int64_uint64", "_<_(int, uint): bool", less},
    {"less_uint64", "_<_(uint, uint): bool", less},
    {"less_uint64_double", "_<_(uint, double): bool", less},
    {"less_uint64_int64", "_<_(uint, int): bool", less},
    {"less_double", "_<_(double, double): bool", less},
    {"less_double_int64", "_<_(double, int): bool", less},
    {"less_double_uint64", "_<_(double, uint): bool", less},
    {"less_string", "_<_(string, string): bool", less},
    {"less_bytes", "_<_(bytes, bytes): bool", less},
    {"less_timestamp", "_<_(timestamp, timestamp): bool", less},
    {"less_duration", "_<_(duration, duration): bool", less},
    {"less_equals_bool", "_<=_(bool, bool): bool", less_equals},
    {"less_equals_int64", "_<=_(int, int): bool", less_equals},
    {"less_equals_int64_double", "_<=_(int, double): bool", less_equals},
    {"less_equals_int64_uint64", "_<=_(int, uint): bool", less_equals},
    {"less_equals_uint64", "_<=_(uint, uint): bool", less_equals},
    {"less_equals_uint64_double", "_<=_(uint, double): bool", less_equals},
    {"less_equals_uint64_int64", "_<=_(uint, int): bool", less_equals},
    {"less_equals_double", "_<=_(double, double): bool", less_equals},
    {"less_equals_double_int64", "_<=_(double, int): bool", less_equals},
    {"less_equals_double_uint64", "_<=_(double, uint): bool", less_equals},
    {"less_equals_string", "_<=_(string, string): bool", less_equals},
    {"less_equals_bytes", "_<=_(bytes, bytes): bool", less_equals},
    {"less_equals_timestamp", "_<=_(timestamp, timestamp): bool", less_equals},
    {"less_equals_duration", "_<=_(duration, duration): bool", less_equals},
    {"greater_bool", "_>_(bool, bool): bool", greater},
    {"greater_int64", "_>_(int, int): bool", greater},
    {"greater_int64_double", "_>_(int, double): bool", greater},
    {"greater_int64_uint64", "_>_(int, uint): bool", greater},
    {"greater_uint64", "_>_(uint, uint): bool", greater},
    {"greater_uint64_double", "_>_(uint, double): bool", greater},
    {"greater_uint64_int64", "_>_(uint, int): bool", greater},
    {"greater_double", "_>_(double, double): bool", greater},
    {"greater_double_int64", "_>_(double, int): bool", greater},
    {"greater_double_uint64", "_>_(double, uint): bool", greater},
    {"greater_string", "_>_(string, string): bool", greater},
    {"greater_bytes", "_>_(bytes, bytes): bool", greater},
    {"greater_timestamp", "_>_(timestamp, timestamp): bool", greater},
    {"greater_duration", "_>_(duration, duration): bool", greater},
    {"greater_equals_bool", "_>=_(bool, bool): bool", greater_equals},
    {"greater_equals_int64", "_>=_(int, int): bool", greater_equals},
    {"greater_equals_int64_double", "_>=_(int, double): bool", greater_equals},
    {"greater_equals_int64_uint64", "_>=_(int, uint): bool", greater_equals},
    {"greater_equals_uint64", "_>=_(uint, uint): bool", greater_equals},
    {"greater_equals_uint64_double", "_>=_(uint, double): bool", greater_equals},
    {"greater_equals_uint64_int64", "_>=_(uint, int): bool", greater_equals},
    {"greater_equals_double", "_>=_(double, double): bool", greater_equals},
    {"greater_equals_double_int64", "_>=_(double, int): bool", greater_equals},
    {"greater_equals_double_uint64", "_>=_(double, uint): bool", greater_equals},
    {"greater_equals_string", "_>=_(string, string): bool", greater_equals},
    {"greater_equals_bytes", "_>=_(bytes, bytes): bool", greater_equals},
    {"greater_equals_timestamp", "_>=_(timestamp, timestamp): bool", greater_equals},
    {"greater_equals_duration", "_>=_(duration, duration): bool", greater_equals},
    {"index_list", "_[_](list(A), int): A", nullptr},
    {"index_map", "_[_](map(A, B), A): B", nullptr},
    {"in_list", "@in(A, list(A)): bool", in},
    {"in_map", "@in(A, map(A, B)): bool", in},
    {"size_bytes", "size(bytes): int", size},
    {"bytes_size", "bytes.size(): int", size},
    {"size_list", "size(list(A)): int", size},
    {"list_size", "list(A).size(): int", size},
    {"size_map", "size(map(A, B)): int", size},
    {"map_size", "map(A, B).size(): int", size},
    {"size_string", "size(string): int", size},
    {"string_size", "string.size(): int", size},
    {"type", "type(A): type(A)", type_of},
    {"bool_to_bool", "bool(bool): bool", convert_to_bool},
    {"string_to_bool", "bool(string): bool", convert_to_bool},
    {"bytes_to_bytes", "bytes(bytes): bytes", convert_to_bytes},
    {"string_to_bytes", "bytes(string): bytes", convert_to_bytes},
    {"double_to_double", "double(double): double", convert_to_double},
    {"int64_to_double", "double(int): double", convert_to_double},
    {"string_to_double", "double(string): double", convert_to_double},
    {"uint64_to_double", "double(uint): double", convert_to_double},
    {"duration_to_duration", "duration(duration): duration", convert_to_duration},
    {"int64_to_duration", "duration(int): duration", convert_to_duration},
    {"string_to_duration", "duration(string): duration", convert_to_duration},
    {"to_dyn", "dyn(A): dyn", identity},
    {"int64_to_int64", "int(int): int", convert_to_int},
    {"double_to_int64", "int(double): int", convert_to_int},
    {"duration_to_int64", "int(duration): int", convert_to_int},
    {"string_to_int64", "int(string): int", convert_to_int},
    {"timestamp_to_int64", "int(timestamp): int", convert_to_int},
    {"uint64_to_int64", "int(uint): int", convert_to_int},
    {"string_to_string", "string(string): string", convert_to_string},
    {"bool_to_string", "string(bool): string", convert_to_string},
    {"bytes_to_string", "string(bytes): string", convert_to_string},
    {"double_to_string", "string(double): string", convert_to_string},
    {"duration_to_string", "string(duration): string", convert_to_string},
    {"int64_to_string", "string(int): string", convert_to_string},
    {"timestamp_to_string", "string(timestamp): string", convert_to_string},
    {"uint64_to_string", "string(uint): string", convert_to_string},
    {"timestamp_to_timestamp", "timestamp(timestamp): timestamp", convert_to_timestamp},
    {"int64_to_timestamp", "timestamp(int): timestamp", convert_to_timestamp},
    {"string_to_timestamp", "timestamp(string): timestamp", convert_to_timestamp},
    {"uint64_to_uint64", "uint(uint): uint", convert_to_uint},
    {"double_to_uint64", "uint(double): uint", convert_to_uint},
    {"int64_to_uint64", "uint(int): uint", convert_to_uint},
    {"string_to_uint64", "uint(string): uint", convert_to_uint},
    {"contains_string", "string.contains(string): bool", contains},
    {"ends_with_string", "string.endsWith(string): bool", ends_with},
    {"starts_with_string", "string.startsWith(string): bool", starts_with},
    {"matches", "matches(string, string): bool", matches},
    {"matches_string", "string.matches(string): bool", matches},
};

Value optional_of(CallContext& context, std::span<const Value> args) {
  return Value::optional_of(context.arena, args[0]);
}

bool is_zero(const Value& value) {
  switch (value.kind()) {
    case Kind::kNull:
      return true;
    case Kind::kTimestamp:
      return value.as_int() == kMinTimestamp && value.nanoseconds() == 0;
    case Kind::kString:
    case Kind::kBytes:
      return value.text().empty();
    case Kind::kDouble:
      return value.as_double() == 0;
    case Kind::kList:
    case Kind::kMap:
    case Kind::kStruct:
      return value.size() == 0;
    case Kind::kOptional:
      return !value.has_value();
    case Kind::kType:
    case Kind::kOpaque:
    case Kind::kError:
      return false;
    default:
      return value.as_int() == 0;
  }
}

Value optional_of_non_zero(CallContext& context, std::span<const Value> args) {
  return is_zero(args[0]) ? Value::none() : Value::optional_of(context.arena, args[0]);
}
Value optional_none(CallContext&, std::span<const Value>) { return Value::none(); }
Value optional_value(CallContext&, std::span<const Value> args) {
  return args[0].has_value() ? args[0].unwrap() : Value::error("optional.none() dereference");
}
Value optional_has_value(CallContext&, std::span<const Value> args) { return Value::of_bool(args[0].has_value()); }

Value optional_unwrap(CallContext& context, std::span<const Value> args) {
  std::vector<Value> items;
  for (size_t i = 0; i < args[0].size(); ++i) {
    const Value item = args[0].element(i, context.arena);
    if (item.kind() != Kind::kOptional) return context.error("value " + debug_text(item) + " is not optional");
    if (item.has_value()) items.push_back(item.unwrap());
  }
  Value* kept = context.arena.allocate_array<Value>(items.size());
  std::copy(items.begin(), items.end(), kept);
  return Value::of_list({kept, items.size()});
}

template <bool kLast>
Value optional_end(CallContext& context, std::span<const Value> args) {
  const size_t size = args[0].size();
  if (size == 0) return Value::none();
  return Value::optional_of(context.arena, args[0].element(kLast ? size - 1 : 0, context.arena));
}

constexpr Declaration kOptionals[] = {
    {"optional_of", ":optional.of(V): optional(V)", optional_of},
    {"optional_ofNonZeroValue", ":optional.ofNonZeroValue(V): optional(V)", optional_of_non_zero},
    {"optional_none", ":optional.none(): optional(V)", optional_none},
    {"optional_value", "optional(V).value(): V", optional_value},
    {"optional_hasValue", "optional(V).hasValue(): bool", optional_has_value},
    {"optional_or_optional", "optional(V).or(optional(V)): optional(V)", nullptr},
    {"optional_orValue_value", "optional(V).orValue(V): V", nullptr},
    {"select_optional_field", ":_?._(dyn, string): optional(dyn)", nullptr},
    {"list_optindex_optional_int", "_[?_](list(V), int): optional(V)", nullptr},
    {"optional_list_optindex_optional_int", "_[?_](optional(list(V)), int): optional(V)", nullptr},
    {"map_optindex_optional_value", "_[?_](map(K, V), K): optional(V)", nullptr},
    {"optional_map_optindex_optional_value", "_[?_](optional(map(K, V)), K): optional(V)", nullptr},
    {"optional_list_index_int", "_[_](optional(list(V)), int): optional(V)", nullptr},
    {"optional_map_index_value", "_[_](optional(map(K, V)), K): optional(V)", nullptr},
    {"optional_unwrap", ":optional.unwrap(list(optional(V))): list(V)", optional_unwrap},
    {"optional_unwrapOpt", "list(optional(V)).unwrapOpt(): list(V)", optional_unwrap},
    {"list_first", "list(V).first(): optional(V)", optional_end<false>},
    {"list_last", "list(V).last(): optional(V)", optional_end<true>},
};

constexpr Declaration kMapInsert[] = {
    {"@mapInsert_map_key_value", ":cel.@mapInsert(map(K, V), K, V): map(K, V)", map_insert},
    {"@mapInsert_map_map", ":cel.@mapInsert(map(K, V), map(K, V)): map(K, V)", map_insert},
};

}  // namespace

std::span<const Declaration> standard_declarations() { return kStandard; }
std::span<const Declaration> optional_declarations() { return kOptionals; }
std::span<const Declaration> map_insert_declarations() { return kMapInsert; }

}  // namespace cel
