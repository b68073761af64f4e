// Equality and order of values.
#include <algorithm>
#include <cmath>

#include "cel/decl_type.h"
#include "cel/value.h"

namespace cel {

namespace {

// Compat: beyond the range of the integer the double decides; within, the integer is rounded to a double.
std::partial_ordering compare_int_double(int64_t a, double b) {
  if (b > 9223372036854775808.0) return std::partial_ordering::less;
  if (b < -9223372036854775808.0) return std::partial_ordering::greater;
  return static_cast<double>(a) <=> b;
}

std::partial_ordering compare_uint_double(uint64_t a, double b) {
  if (b > 18446744073709551616.0) return std::partial_ordering::less;
  if (b < 0) return std::partial_ordering::greater;
  return static_cast<double>(a) <=> b;
}

std::partial_ordering reversed(std::partial_ordering order) { return 0 <=> order; }

bool is_number(const Value& value) {
  return value.kind() == Kind::kInt || value.kind() == Kind::kUint || value.kind() == Kind::kDouble;
}

std::partial_ordering compare_numbers(const Value& a, const Value& b) {
  if (a.kind() == Kind::kInt) {
    if (b.kind() == Kind::kInt) return a.as_int() <=> b.as_int();
    if (b.kind() == Kind::kDouble) return compare_int_double(a.as_int(), b.as_double());
    return a.as_int() < 0 ? std::partial_ordering::less : std::partial_ordering(a.as_uint() <=> b.as_uint());
  }
  if (a.kind() == Kind::kUint) {
    if (b.kind() == Kind::kUint) return a.as_uint() <=> b.as_uint();
    if (b.kind() == Kind::kDouble) return compare_uint_double(a.as_uint(), b.as_double());
    return reversed(compare_numbers(b, a));
  }
  if (b.kind() == Kind::kDouble) return a.as_double() <=> b.as_double();
  return reversed(compare_numbers(b, a));
}

// The elements of a declared set, or those of a declared list-map by key, in any order.
bool equal_unordered(const Value& a, const Value& b, Arena& arena) {
  const size_t count = a.size();
  for (size_t i = 0; i < count; ++i) {
    const Value item = b.element(i, arena);
    bool found = false;
    for (size_t j = 0; j < count && !found; ++j) found = equal(a.element(j, arena), item, arena);
    if (!found) return false;
  }
  return true;
}

bool equal_lists(const Value& a, const Value& b, Arena& arena) {
  if (a.size() != b.size()) return false;
  const DeclType* type = a.decl_type();
  if (type && type->list_kind != ListKind::kAtomic) return equal_unordered(a, b, arena);
  for (size_t i = 0; i < a.size(); ++i) {
    if (!equal(a.element(i, arena), b.element(i, arena), arena)) return false;
  }
  return true;
}

// Compat: fields that the schema doesn't declare are compared as they stand.
bool equal_hidden(const Value& a, const Value& b) {
  const DeclType* type = a.decl_type();
  if (!type || type->kind != DeclKind::kObject || !a.object_map() || !b.object_map()) return true;
  for (const object::Member& member : *a.object_map()) {
    const DeclField* field = type->find_json(member.key);
    if (field && field->type) continue;
    const object::Value* other = b.object_map()->find(member.key);
    if (other && !(*other == member.value)) return false;
  }
  return true;
}

bool equal_maps(const Value& a, const Value& b, Arena& arena) {
  const size_t count = a.size();
  if (count != b.size()) return false;
  const DeclType* type = a.decl_type();
  if (const object::Object* members = a.object_map(); members && (!type || type->kind == DeclKind::kMap)) {
    for (const object::Member& member : *members) {
      Value other;
      if (!b.find_field(member.key, arena, other)) return false;
      if (!equal(Value::of(member.value, type ? type->element : nullptr, &arena), other, arena)) return false;
    }
    return true;
  }
  for (size_t i = 0; i < count; ++i) {
    Value other;
    if (!b.find(a.key_at(i, arena), arena, other)) return false;
    if (!equal(a.value_at(i, arena), other, arena)) return false;
  }
  return equal_hidden(a, b);
}

}  // namespace

bool compare(const Value& a, const Value& b, std::partial_ordering& order) {
  if (is_number(a) && is_number(b)) {
    order = compare_numbers(a, b);
    return true;
  }
  if (a.kind() != b.kind()) return false;
  switch (a.kind()) {
    case Kind::kBool:
    case Kind::kDuration:
      order = a.as_int() <=> b.as_int();
      return true;
    case Kind::kTimestamp:
      order = a.as_int() != b.as_int() ? a.as_int() <=> b.as_int() : a.nanoseconds() <=> b.nanoseconds();
      return true;
    case Kind::kString:
    case Kind::kBytes:
      order = a.text() <=> b.text();
      return true;
    default:
      return false;
  }
}

bool equal(const Value& a, const Value& b, Arena& arena) {
  if (a.kind() != b.kind()) return is_number(a) && is_number(b) && compare_numbers(a, b) == 0;
  switch (a.kind()) {
    case Kind::kError:
      return false;
    case Kind::kNull:
      return true;
    case Kind::kList:
      return equal_lists(a, b, arena);
    case Kind::kMap:
      return equal_maps(a, b, arena);
    case Kind::kStruct:
      return same_type(*a.struct_type(), *b.struct_type()) && equal_maps(a, b, arena);
    case Kind::kType:
      return a.as_type()->kind == b.as_type()->kind && a.as_type()->name == b.as_type()->name;
    case Kind::kOptional:
      if (a.has_value() != b.has_value()) return false;
      return !a.has_value() || equal(a.unwrap(), b.unwrap(), arena);
    case Kind::kOpaque:
      return same_type(*a.as_opaque()->type(), *b.as_opaque()->type()) && a.as_opaque()->equals(*b.as_opaque());
    default:
      break;
  }
  std::partial_ordering order = std::partial_ordering::unordered;
  return compare(a, b, order) && order == 0;
}

}  // namespace cel
