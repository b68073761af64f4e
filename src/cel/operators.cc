#include "cel/operators.h"

#include <re2/re2.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <vector>

#include "cel/conversions.h"
#include "cel/decl_type.h"

namespace cel {

namespace {

constexpr std::string_view kIntOverflow = "integer overflow";
constexpr std::string_view kUintOverflow = "unsigned integer overflow";
constexpr std::string_view kDurationOverflow = "duration overflow";
constexpr std::string_view kTimestampOverflow = "timestamp overflow";
constexpr int64_t kNano = 1'000'000'000;

Value no_overload() { return Value::error("no such overload"); }

Value shifted(const Value& timestamp, int64_t nanoseconds) {
  int64_t seconds = timestamp.as_int() + nanoseconds / kNano;
  int64_t rest = static_cast<int64_t>(timestamp.nanoseconds()) + nanoseconds % kNano;
  if (rest < 0) {
    rest += kNano;
    --seconds;
  } else if (rest >= kNano) {
    rest -= kNano;
    ++seconds;
  }
  if (seconds < kMinTimestamp || seconds > kMaxTimestamp) return Value::error(kTimestampOverflow);
  return Value::of_timestamp(seconds, static_cast<uint32_t>(rest));
}

Value joined(CallContext& context, const Value& a, const Value& b) {
  const std::string_view left = a.text(), right = b.text();
  char* at = static_cast<char*>(context.arena.allocate(left.size() + right.size()));
  if (!left.empty()) std::memcpy(at, left.data(), left.size());
  if (!right.empty()) std::memcpy(at + left.size(), right.data(), right.size());
  const std::string_view text(at, left.size() + right.size());
  return a.kind() == Kind::kString ? Value::of_string(text) : Value::of_bytes(text);
}

// Whether two elements of a declared list-map have the same keys.
bool same_list_keys(const DeclType& type, const Value& a, const Value& b, Arena& arena) {
  for (const std::string& key : type.list_keys) {
    const std::string name = escape(key).value_or(key);
    Value left, right;
    const bool has_left = a.kind() == Kind::kMap && a.find_field(name, arena, left);
    const bool has_right = b.kind() == Kind::kMap && b.find_field(name, arena, right);
    if (has_left != has_right || (has_left && !equal(left, right, arena))) return false;
  }
  return true;
}

}  // namespace

Value concatenate(CallContext& context, const Value& a, const Value& b) {
  const DeclType* type = a.decl_type();
  std::vector<Value> items;
  items.reserve(a.size() + b.size());
  for (size_t i = 0; i < a.size(); ++i) items.push_back(a.element(i, context.arena));
  for (size_t i = 0; i < b.size(); ++i) {
    const Value item = b.element(i, context.arena);
    // Compat: a set gains what it lacks; a list-map has its elements overwritten by key, in place.
    if (type && type->list_kind != ListKind::kAtomic) {
      const bool set = type->list_kind == ListKind::kSet;
      const auto same = [&](const Value& other) {
        return set ? equal(other, item, context.arena) : same_list_keys(*type, other, item, context.arena);
      };
      if (const auto at = std::find_if(items.begin(), items.end(), same); at != items.end()) {
        *at = item;
        continue;
      }
    }
    items.push_back(item);
  }
  Value* kept = context.arena.allocate_array<Value>(items.size());
  std::copy(items.begin(), items.end(), kept);
  return Value::of_list({kept, items.size()});
}

Value add(CallContext& context, std::span<const Value> args) {
  const Value &a = args[0], &b = args[1];
  int64_t sum = 0;
  switch (a.kind()) {
    case Kind::kInt:
      if (b.kind() != Kind::kInt) break;
      return __builtin_add_overflow(a.as_int(), b.as_int(), &sum) ? Value::error(kIntOverflow) : Value::of_int(sum);
    case Kind::kUint: {
      uint64_t total = 0;
      if (b.kind() != Kind::kUint) break;
      return __builtin_add_overflow(a.as_uint(), b.as_uint(), &total) ? Value::error(kUintOverflow)
                                                                      : Value::of_uint(total);
    }
    case Kind::kDouble:
      if (b.kind() != Kind::kDouble) break;
      return Value::of_double(a.as_double() + b.as_double());
    case Kind::kString:
    case Kind::kBytes:
      if (b.kind() != a.kind()) break;
      return joined(context, a, b);
    case Kind::kList:
      if (b.kind() != Kind::kList) break;
      return concatenate(context, a, b);
    case Kind::kDuration:
      if (b.kind() == Kind::kTimestamp) return shifted(b, a.as_int());
      if (b.kind() != Kind::kDuration) break;
      return __builtin_add_overflow(a.as_int(), b.as_int(), &sum) ? Value::error(kDurationOverflow)
                                                                  : Value::of_duration(sum);
    case Kind::kTimestamp:
      if (b.kind() != Kind::kDuration) break;
      return shifted(a, b.as_int());
    default:
      break;
  }
  return no_overload();
}

namespace {

Value between(const Value& a, const Value& b) {
  int64_t seconds = 0, total = 0;
  const int64_t rest = static_cast<int64_t>(a.nanoseconds()) - static_cast<int64_t>(b.nanoseconds());
  if (__builtin_sub_overflow(a.as_int(), b.as_int(), &seconds) || __builtin_mul_overflow(seconds, kNano, &total) ||
      __builtin_add_overflow(total, rest, &total)) {
    return Value::error(kDurationOverflow);
  }
  return Value::of_duration(total);
}

}  // namespace

Value subtract(CallContext&, std::span<const Value> args) {
  const Value &a = args[0], &b = args[1];
  int64_t result = 0;
  if (a.kind() == Kind::kTimestamp && b.kind() == Kind::kDuration) {
    return b.as_int() == INT64_MIN ? Value::error(kTimestampOverflow) : shifted(a, -b.as_int());
  }
  if (a.kind() != b.kind()) return no_overload();
  switch (a.kind()) {
    case Kind::kInt:
      return __builtin_sub_overflow(a.as_int(), b.as_int(), &result) ? Value::error(kIntOverflow)
                                                                     : Value::of_int(result);
    case Kind::kUint:
      return b.as_uint() > a.as_uint() ? Value::error(kUintOverflow) : Value::of_uint(a.as_uint() - b.as_uint());
    case Kind::kDouble:
      return Value::of_double(a.as_double() - b.as_double());
    case Kind::kDuration:
      return __builtin_sub_overflow(a.as_int(), b.as_int(), &result) ? Value::error(kDurationOverflow)
                                                                     : Value::of_duration(result);
    case Kind::kTimestamp:
      return between(a, b);
    default:
      return no_overload();
  }
}

Value multiply(CallContext&, std::span<const Value> args) {
  const Value &a = args[0], &b = args[1];
  if (a.kind() != b.kind()) return no_overload();
  int64_t product = 0;
  uint64_t unsigned_product = 0;
  switch (a.kind()) {
    case Kind::kInt:
      return __builtin_mul_overflow(a.as_int(), b.as_int(), &product) ? Value::error(kIntOverflow)
                                                                      : Value::of_int(product);
    case Kind::kUint:
      return __builtin_mul_overflow(a.as_uint(), b.as_uint(), &unsigned_product) ? Value::error(kUintOverflow)
                                                                                 : Value::of_uint(unsigned_product);
    case Kind::kDouble:
      return Value::of_double(a.as_double() * b.as_double());
    default:
      return no_overload();
  }
}

Value divide(CallContext&, std::span<const Value> args) {
  const Value &a = args[0], &b = args[1];
  if (a.kind() != b.kind()) return no_overload();
  if (a.kind() == Kind::kDouble) {
    const double quotient = a.as_double() / b.as_double();
    return Value::of_double(quotient);
  }
  if (a.kind() != Kind::kInt && a.kind() != Kind::kUint) return no_overload();
  if (b.as_uint() == 0) return Value::error("division by zero");
  if (a.kind() == Kind::kUint) return Value::of_uint(a.as_uint() / b.as_uint());
  if (a.as_int() == INT64_MIN && b.as_int() == -1) return Value::error(kIntOverflow);
  return Value::of_int(a.as_int() / b.as_int());
}

Value modulo(CallContext&, std::span<const Value> args) {
  const Value &a = args[0], &b = args[1];
  if (a.kind() != b.kind() || (a.kind() != Kind::kInt && a.kind() != Kind::kUint)) return no_overload();
  if (b.as_uint() == 0) return Value::error("modulus by zero");
  if (a.kind() == Kind::kUint) return Value::of_uint(a.as_uint() % b.as_uint());
  if (a.as_int() == INT64_MIN && b.as_int() == -1) return Value::error(kIntOverflow);
  return Value::of_int(a.as_int() % b.as_int());
}

Value negate(CallContext&, std::span<const Value> args) {
  const Value& a = args[0];
  if (a.kind() == Kind::kDouble) return Value::of_double(-a.as_double());
  if (a.as_int() == INT64_MIN) return Value::error(kIntOverflow);
  return a.kind() == Kind::kInt ? Value::of_int(-a.as_int()) : Value::of_duration(-a.as_int());
}

Value logical_not(CallContext&, std::span<const Value> args) { return Value::of_bool(!args[0].as_bool()); }

Value less(CallContext&, std::span<const Value> args) {
  std::partial_ordering order = std::partial_ordering::unordered;
  return compare(args[0], args[1], order) ? Value::of_bool(order < 0) : no_overload();
}
Value less_equals(CallContext&, std::span<const Value> args) {
  std::partial_ordering order = std::partial_ordering::unordered;
  return compare(args[0], args[1], order) ? Value::of_bool(order <= 0) : no_overload();
}
Value greater(CallContext&, std::span<const Value> args) {
  std::partial_ordering order = std::partial_ordering::unordered;
  return compare(args[0], args[1], order) ? Value::of_bool(order > 0) : no_overload();
}
Value greater_equals(CallContext&, std::span<const Value> args) {
  std::partial_ordering order = std::partial_ordering::unordered;
  return compare(args[0], args[1], order) ? Value::of_bool(order >= 0) : no_overload();
}

Value in(CallContext& context, std::span<const Value> args) {
  Value found;
  if (args[1].kind() == Kind::kMap) {
    const bool there = args[1].find(args[0], context.arena, found);
    return there && found.is_error() ? found : Value::of_bool(there);
  }
  for (size_t i = 0; i < args[1].size(); ++i) {
    if (equal(args[1].element(i, context.arena), args[0], context.arena)) return Value::of_bool(true);
  }
  return Value::of_bool(false);
}

Value size(CallContext&, std::span<const Value> args) { return Value::of_int(static_cast<int64_t>(args[0].size())); }

Value contains(CallContext&, std::span<const Value> args) {
  return Value::of_bool(args[0].text().find(args[1].text()) != std::string_view::npos);
}
Value starts_with(CallContext&, std::span<const Value> args) {
  return Value::of_bool(args[0].text().starts_with(args[1].text()));
}
Value ends_with(CallContext&, std::span<const Value> args) {
  return Value::of_bool(args[0].text().ends_with(args[1].text()));
}

Value matches(CallContext& context, std::span<const Value> args) {
  const re2::StringPiece text(args[0].text().data(), args[0].text().size());
  if (context.prepared) return Value::of_bool(RE2::PartialMatch(text, *static_cast<const RE2*>(context.prepared)));
  RE2::Options options;
  options.set_log_errors(false);
  const RE2 pattern(re2::StringPiece(args[1].text().data(), args[1].text().size()), options);
  if (!pattern.ok()) return context.error("error parsing regexp: " + pattern.error());
  return Value::of_bool(RE2::PartialMatch(text, pattern));
}

Value map_insert(CallContext& context, std::span<const Value> args) {
  std::vector<MapEntry> entries;
  const Value& map = args[0];
  for (size_t i = 0; i < map.size(); ++i) {
    entries.push_back({map.key_at(i, context.arena), map.value_at(i, context.arena)});
  }
  Value there;
  if (args.size() == 3) {
    if (map.find(args[1], context.arena, there)) {
      return context.error("insert failed: key " + debug_text(args[1]) + " already exists");
    }
    entries.push_back({args[1], args[2]});
  } else {
    for (size_t i = 0; i < args[1].size(); ++i) {
      const Value key = args[1].key_at(i, context.arena);
      if (map.find(key, context.arena, there)) {
        return context.error("insert failed: key " + debug_text(key) + " already exists");
      }
      entries.push_back({key, args[1].value_at(i, context.arena)});
    }
  }
  return Value::of_map(make_map(context.arena, entries));
}

}  // namespace cel
