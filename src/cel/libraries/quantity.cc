// kubernetes.Quantity.
#include "object/quantity.h"

#include "cel/libraries/libraries.h"

namespace cel {

namespace {

struct Quantity : Opaque {
  explicit Quantity(object::QuantityValue v) : value(v) {}
  const Type* type() const override {
    static const Type kType{TypeKind::kOpaque, "kubernetes.Quantity", {}};
    return &kType;
  }
  bool equals(const Opaque& other) const override { return value == static_cast<const Quantity&>(other).value; }
  object::QuantityValue value;
};

const object::QuantityValue& of(const Value& value) { return static_cast<const Quantity*>(value.as_opaque())->value; }
Value make(CallContext& context, const object::QuantityValue& value) {
  return Value::of_opaque(context.arena.make<Quantity>(value));
}

Value quantity(CallContext& context, std::span<const Value> args) {
  const auto parsed = object::QuantityValue::parse(args[0].text());
  if (!parsed) return context.error(parsed.error().message);
  return make(context, *parsed);
}
Value is_quantity(CallContext&, std::span<const Value> args) {
  return Value::of_bool(object::QuantityValue::parse(args[0].text()).has_value());
}
Value sign(CallContext&, std::span<const Value> args) { return Value::of_int(of(args[0]).sign()); }
Value is_greater(CallContext&, std::span<const Value> args) { return Value::of_bool(of(args[0]) > of(args[1])); }
Value is_less(CallContext&, std::span<const Value> args) { return Value::of_bool(of(args[0]) < of(args[1])); }
Value compare_to(CallContext&, std::span<const Value> args) {
  const auto order = of(args[0]) <=> of(args[1]);
  return Value::of_int(order < 0 ? -1 : order > 0 ? 1 : 0);
}
Value approximate(CallContext&, std::span<const Value> args) { return Value::of_double(of(args[0]).approximate()); }
Value as_integer(CallContext&, std::span<const Value> args) {
  int64_t value = 0;
  return of(args[0]).as_int64(value) ? Value::of_int(value) : Value::error("cannot convert value to integer");
}
Value is_integer(CallContext&, std::span<const Value> args) {
  int64_t value = 0;
  return Value::of_bool(of(args[0]).as_int64(value));
}
object::QuantityValue operand(const Value& value) {
  if (value.kind() == Kind::kOpaque) return of(value);
  return object::QuantityValue::from_int(value.as_int(), object::QuantityValue::Form::kDecimalExponent);
}
Value add(CallContext& context, std::span<const Value> args) {
  object::QuantityValue total = of(args[0]);
  total += operand(args[1]);
  return make(context, total);
}
Value sub(CallContext& context, std::span<const Value> args) {
  object::QuantityValue total = of(args[0]);
  total -= operand(args[1]);
  return make(context, total);
}

constexpr Declaration kQuantity[] = {
    {"string_to_quantity", "quantity(string): kubernetes.Quantity", quantity},
    {"is_quantity_string", "isQuantity(string): bool", is_quantity},
    {"quantity_sign", "sign(kubernetes.Quantity): int", sign},
    {"quantity_is_greater_than", "kubernetes.Quantity.isGreaterThan(kubernetes.Quantity): bool", is_greater},
    {"quantity_is_less_than", "kubernetes.Quantity.isLessThan(kubernetes.Quantity): bool", is_less},
    {"quantity_compare_to", "kubernetes.Quantity.compareTo(kubernetes.Quantity): int", compare_to},
    {"quantity_get_float", "kubernetes.Quantity.asApproximateFloat(): double", approximate},
    {"quantity_get_int", "kubernetes.Quantity.asInteger(): int", as_integer},
    {"quantity_is_integer", "kubernetes.Quantity.isInteger(): bool", is_integer},
    {"quantity_add", "kubernetes.Quantity.add(kubernetes.Quantity): kubernetes.Quantity", add},
    {"quantity_add_int", "kubernetes.Quantity.add(int): kubernetes.Quantity", add},
    {"quantity_sub", "kubernetes.Quantity.sub(kubernetes.Quantity): kubernetes.Quantity", sub},
    {"quantity_sub_int", "kubernetes.Quantity.sub(int): kubernetes.Quantity", sub},
};

}  // namespace

std::span<const Declaration> quantity_declarations() { return kQuantity; }

}  // namespace cel
