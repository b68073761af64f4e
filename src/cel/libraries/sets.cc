// Lists as sets: cel-go's ext.Sets.
#include "cel/libraries/libraries.h"

namespace cel {

namespace {

bool holds(const Value& list, const Value& item, Arena& arena) {
  for (size_t i = 0; i < list.size(); ++i) {
    if (equal(list.element(i, arena), item, arena)) return true;
  }
  return false;
}

bool holds_all(const Value& list, const Value& items, Arena& arena) {
  for (size_t i = 0; i < items.size(); ++i) {
    if (!holds(list, items.element(i, arena), arena)) return false;
  }
  return true;
}

Value contains(CallContext& context, std::span<const Value> args) {
  return Value::of_bool(holds_all(args[0], args[1], context.arena));
}
Value equivalent(CallContext& context, std::span<const Value> args) {
  return Value::of_bool(holds_all(args[0], args[1], context.arena) && holds_all(args[1], args[0], context.arena));
}
Value intersects(CallContext& context, std::span<const Value> args) {
  for (size_t i = 0; i < args[0].size(); ++i) {
    if (holds(args[1], args[0].element(i, context.arena), context.arena)) return Value::of_bool(true);
  }
  return Value::of_bool(false);
}

constexpr Declaration kSets[] = {
    {"list_sets_contains_list", ":sets.contains(list(T), list(T)): bool", contains},
    {"list_sets_equivalent_list", ":sets.equivalent(list(T), list(T)): bool", equivalent},
    {"list_sets_intersects_list", ":sets.intersects(list(T), list(T)): bool", intersects},
};

}  // namespace

std::span<const Declaration> set_declarations() { return kSets; }

}  // namespace cel
