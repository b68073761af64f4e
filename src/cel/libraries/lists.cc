// Lists: the functions of Kubernetes (isSorted, sum, min, max, indexOf, lastIndexOf) and those of cel-go's ext.Lists.
#include <algorithm>
#include <numeric>

#include "cel/libraries/libraries.h"
#include "cel/operators.h"

namespace cel {

namespace {

Value is_sorted(CallContext& context, std::span<const Value> args) {
  for (size_t i = 1; i < args[0].size(); ++i) {
    std::partial_ordering order = std::partial_ordering::unordered;
    if (!compare(args[0].element(i - 1, context.arena), args[0].element(i, context.arena), order)) {
      return Value::error("no such overload");
    }
    if (order > 0) return Value::of_bool(false);
  }
  return Value::of_bool(true);
}

Value sum_from(CallContext& context, const Value& list, Value total) {
  for (size_t i = 0; i < list.size(); ++i) {
    const Value pair[] = {total, list.element(i, context.arena)};
    if (pair[1].is_error()) return pair[1];
    total = add(context, pair);
    if (total.is_error()) return total;
  }
  return total;
}
Value sum_int(CallContext& c, std::span<const Value> args) { return sum_from(c, args[0], Value::of_int(0)); }
Value sum_uint(CallContext& c, std::span<const Value> args) { return sum_from(c, args[0], Value::of_uint(0)); }
Value sum_double(CallContext& c, std::span<const Value> args) { return sum_from(c, args[0], Value::of_double(0)); }
Value sum_duration(CallContext& c, std::span<const Value> args) { return sum_from(c, args[0], Value::of_duration(0)); }

// The element that comes before all others when `sign` is -1, after when it is 1.
Value extreme(CallContext& context, const Value& list, std::string_view name, int sign) {
  if (list.size() == 0) return context.error(std::string(name) + " called on empty list");
  Value best = list.element(0, context.arena);
  for (size_t i = 1; i < list.size(); ++i) {
    const Value item = list.element(i, context.arena);
    std::partial_ordering order = std::partial_ordering::unordered;
    if (!compare(item, best, order)) return Value::error("no such overload");
    if ((sign < 0 && order < 0) || (sign > 0 && order > 0)) best = item;
  }
  return best;
}
Value max(CallContext& context, std::span<const Value> args) { return extreme(context, args[0], "max", 1); }
Value min(CallContext& context, std::span<const Value> args) { return extreme(context, args[0], "min", -1); }

Value index_of(CallContext& context, std::span<const Value> args) {
  for (size_t i = 0; i < args[0].size(); ++i) {
    if (equal(args[0].element(i, context.arena), args[1], context.arena)) return Value::of_int(static_cast<int64_t>(i));
  }
  return Value::of_int(-1);
}
Value last_index_of(CallContext& context, std::span<const Value> args) {
  for (size_t i = args[0].size(); i-- > 0;) {
    if (equal(args[0].element(i, context.arena), args[1], context.arena)) return Value::of_int(static_cast<int64_t>(i));
  }
  return Value::of_int(-1);
}

std::vector<Value> elements(CallContext& context, const Value& list) {
  std::vector<Value> items;
  for (size_t i = 0; i < list.size(); ++i) items.push_back(list.element(i, context.arena));
  return items;
}

Value slice(CallContext& context, std::span<const Value> args) {
  const int64_t start = args[1].as_int(), end = args[2].as_int();
  const std::string what = "cannot slice(" + std::to_string(start) + ", " + std::to_string(end) + "), ";
  if (start < 0 || end < 0) return context.error(what + "negative indexes not supported");
  if (start > end) return context.error(what + "start index must be less than or equal to end index");
  if (static_cast<uint64_t>(end) > args[0].size()) {
    return context.error(what + "list is length " + std::to_string(args[0].size()));
  }
  std::vector<Value> items;
  for (int64_t i = start; i < end; ++i) items.push_back(args[0].element(static_cast<size_t>(i), context.arena));
  return make_list(context.arena, items);
}

void flatten_into(CallContext& context, const Value& list, int64_t depth, std::vector<Value>& out) {
  for (const Value& item : elements(context, list)) {
    if (item.kind() != Kind::kList || depth == 0) {
      out.push_back(item);
    } else {
      flatten_into(context, item, depth - 1, out);
    }
  }
}
Value flatten(CallContext& context, std::span<const Value> args) {
  const int64_t depth = args.size() == 2 ? args[1].as_int() : 1;
  if (depth < 0) return Value::error("level must be non-negative");
  std::vector<Value> out;
  flatten_into(context, args[0], depth, out);
  return make_list(context.arena, out);
}

Value sorted_by(CallContext& context, const Value& list, const Value& keys) {
  if (list.size() != keys.size()) {
    return context.error(
        "@sortByAssociatedKeys() expected a list of the same size as the associated keys list, but got " +
        std::to_string(list.size()) + " and " + std::to_string(keys.size()) + " elements respectively");
  }
  const std::vector<Value> sort_keys = elements(context, keys);
  std::partial_ordering order = std::partial_ordering::unordered;
  for (const Value& key : sort_keys) {
    if (key.kind() != sort_keys[0].kind()) return Value::error("list elements must have the same type");
    if (!compare(key, key, order)) return Value::error("list elements must be comparable");
  }
  std::vector<size_t> positions(sort_keys.size());
  std::iota(positions.begin(), positions.end(), size_t{0});
  std::sort(positions.begin(), positions.end(), [&](size_t a, size_t b) {
    std::partial_ordering between = std::partial_ordering::unordered;
    compare(sort_keys[a], sort_keys[b], between);
    return between < 0 || (between == 0 && a < b);
  });
  std::vector<Value> out;
  for (const size_t position : positions) out.push_back(list.element(position, context.arena));
  return make_list(context.arena, out);
}
Value sort(CallContext& context, std::span<const Value> args) { return sorted_by(context, args[0], args[0]); }
Value sort_by_keys(CallContext& context, std::span<const Value> args) { return sorted_by(context, args[0], args[1]); }

Value range(CallContext& context, std::span<const Value> args) {
  constexpr int64_t kMost = 1'000'000;  // more would exceed any cost limit
  if (args[0].as_int() > kMost) return Value::error("lists.range: too many elements");
  std::vector<Value> items;
  for (int64_t i = 0; i < args[0].as_int(); ++i) items.push_back(Value::of_int(i));
  return make_list(context.arena, items);
}

Value reverse(CallContext& context, std::span<const Value> args) {
  std::vector<Value> items = elements(context, args[0]);
  std::reverse(items.begin(), items.end());
  return make_list(context.arena, items);
}

Value distinct(CallContext& context, std::span<const Value> args) {
  std::vector<Value> items;
  for (const Value& item : elements(context, args[0])) {
    const auto same = [&](const Value& other) { return equal(item, other, context.arena); };
    if (std::none_of(items.begin(), items.end(), same)) items.push_back(item);
  }
  return make_list(context.arena, items);
}

constexpr Declaration kLists[] = {
    {"list_int_is_sorted_bool", "list(int).isSorted(): bool", is_sorted},
    {"list_uint_is_sorted_bool", "list(uint).isSorted(): bool", is_sorted},
    {"list_double_is_sorted_bool", "list(double).isSorted(): bool", is_sorted},
    {"list_bool_is_sorted_bool", "list(bool).isSorted(): bool", is_sorted},
    {"list_duration_is_sorted_bool", "list(duration).isSorted(): bool", is_sorted},
    {"list_timestamp_is_sorted_bool", "list(timestamp).isSorted(): bool", is_sorted},
    {"list_string_is_sorted_bool", "list(string).isSorted(): bool", is_sorted},
    {"list_bytes_is_sorted_bool", "list(bytes).isSorted(): bool", is_sorted},
    {"list_int_sum_int", "list(int).sum(): int", sum_int},
    {"list_uint_sum_uint", "list(uint).sum(): uint", sum_uint},
    {"list_double_sum_double", "list(double).sum(): double", sum_double},
    {"list_duration_sum_duration", "list(duration).sum(): duration", sum_duration},
    {"list_int_max_int", "list(int).max(): int", max},
    {"list_uint_max_uint", "list(uint).max(): uint", max},
    {"list_double_max_double", "list(double).max(): double", max},
    {"list_bool_max_bool", "list(bool).max(): bool", max},
    {"list_duration_max_duration", "list(duration).max(): duration", max},
    {"list_timestamp_max_timestamp", "list(timestamp).max(): timestamp", max},
    {"list_string_max_string", "list(string).max(): string", max},
    {"list_bytes_max_bytes", "list(bytes).max(): bytes", max},
    {"list_int_min_int", "list(int).min(): int", min},
    {"list_uint_min_uint", "list(uint).min(): uint", min},
    {"list_double_min_double", "list(double).min(): double", min},
    {"list_bool_min_bool", "list(bool).min(): bool", min},
    {"list_duration_min_duration", "list(duration).min(): duration", min},
    {"list_timestamp_min_timestamp", "list(timestamp).min(): timestamp", min},
    {"list_string_min_string", "list(string).min(): string", min},
    {"list_bytes_min_bytes", "list(bytes).min(): bytes", min},
    {"list_a_index_of_int", "list(A).indexOf(A): int", index_of},
    {"list_a_last_index_of_int", "list(A).lastIndexOf(A): int", last_index_of},
};

constexpr Declaration kListExt[] = {
    {"list_slice", "list(T).slice(int, int): list(T)", slice},
    {"list_flatten", "list(list(T)).flatten(): list(T)", flatten},
    {"list_flatten_int", "list(dyn).flatten(int): list(dyn)", flatten},
    {"list_int_sort", "list(int).sort(): list(int)", sort},
    {"list_uint_sort", "list(uint).sort(): list(uint)", sort},
    {"list_double_sort", "list(double).sort(): list(double)", sort},
    {"list_bool_sort", "list(bool).sort(): list(bool)", sort},
    {"list_duration_sort", "list(duration).sort(): list(duration)", sort},
    {"list_timestamp_sort", "list(timestamp).sort(): list(timestamp)", sort},
    {"list_string_sort", "list(string).sort(): list(string)", sort},
    {"list_bytes_sort", "list(bytes).sort(): list(bytes)", sort},
    {"list_int_sortByAssociatedKeys", "list(T).@sortByAssociatedKeys(list(int)): list(T)", sort_by_keys},
    {"list_uint_sortByAssociatedKeys", "list(T).@sortByAssociatedKeys(list(uint)): list(T)", sort_by_keys},
    {"list_double_sortByAssociatedKeys", "list(T).@sortByAssociatedKeys(list(double)): list(T)", sort_by_keys},
    {"list_bool_sortByAssociatedKeys", "list(T).@sortByAssociatedKeys(list(bool)): list(T)", sort_by_keys},
    {"list_duration_sortByAssociatedKeys", "list(T).@sortByAssociatedKeys(list(duration)): list(T)", sort_by_keys},
    {"list_timestamp_sortByAssociatedKeys", "list(T).@sortByAssociatedKeys(list(timestamp)): list(T)", sort_by_keys},
    {"list_string_sortByAssociatedKeys", "list(T).@sortByAssociatedKeys(list(string)): list(T)", sort_by_keys},
    {"list_bytes_sortByAssociatedKeys", "list(T).@sortByAssociatedKeys(list(bytes)): list(T)", sort_by_keys},
    {"lists_range", ":lists.range(int): list(int)", range},
    {"list_reverse", "list(T).reverse(): list(T)", reverse},
    {"list_distinct", "list(T).distinct(): list(T)", distinct},
};

}  // namespace

std::span<const Declaration> list_declarations() { return kLists; }
std::span<const Declaration> list_ext_declarations() { return kListExt; }

}  // namespace cel
