#include "cel/cost_rules.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace cel {

namespace {

constexpr uint64_t kMax = std::numeric_limits<uint64_t>::max();

struct NamedRule {
  std::string_view name;
  CostRule rule;
};

// By function: what Kubernetes' estimator knows, which comes before the language's own rules.
constexpr NamedRule kByFunction[] = {
    {"check", CostRule::kAuthorize},
    {"fieldSelector", CostRule::kSelector},
    {"labelSelector", CostRule::kSelector},
    {"isSorted", CostRule::kTraverse},
    {"sum", CostRule::kTraverse},
    {"max", CostRule::kTraverse},
    {"min", CostRule::kTraverse},
    {"indexOf", CostRule::kTraverse},
    {"lastIndexOf", CostRule::kTraverse},
    {"url", CostRule::kArgument},
    {"lowerAscii", CostRule::kArgument},
    {"upperAscii", CostRule::kArgument},
    {"substring", CostRule::kArgument},
    {"trim", CostRule::kArgument},
    {"jsonpatch.escapeKey", CostRule::kArgument},
    {"replace", CostRule::kReplace},
    {"split", CostRule::kSplit},
    {"join", CostRule::kJoin},
    {"find", CostRule::kFind},
    {"findAll", CostRule::kFind},
    {"cidr", CostRule::kArgument},
    {"isIP", CostRule::kArgument},
    {"isCIDR", CostRule::kArgument},
    {"ip", CostRule::kArgument},
    {"ip.isCanonical", CostRule::kIpCanonical},
    {"containsIP", CostRule::kContainsIp},
    {"containsCIDR", CostRule::kContainsCidr},
    {"quantity", CostRule::kArgument},
    {"isQuantity", CostRule::kArgument},
    {"semver", CostRule::kArgument},
    {"isSemver", CostRule::kArgument},
    {"validate", CostRule::kValidate},
};

constexpr NamedRule kByOverload[] = {
    {"cidr_ip", CostRule::kOne},
    {"cidr_contains_ip_string", CostRule::kContainsIpString},
    {"cidr_contains_cidr_string", CostRule::kContainsCidrString},
    {"starts_with_string", CostRule::kStartsWith},
    {"ends_with_string", CostRule::kStartsWith},
    {"string_to_bytes", CostRule::kStringToBytes},
    {"bytes_to_string", CostRule::kBytesToString},
    {"strings_quote", CostRule::kQuote},
    {"string_format", CostRule::kFormat},
    {"in_list", CostRule::kInList},
    {"less_string", CostRule::kCompare},
    {"greater_string", CostRule::kCompare},
    {"less_equals_string", CostRule::kCompare},
    {"greater_equals_string", CostRule::kCompare},
    {"less_bytes", CostRule::kCompare},
    {"greater_bytes", CostRule::kCompare},
    {"less_equals_bytes", CostRule::kCompare},
    {"greater_equals_bytes", CostRule::kCompare},
    {"equals", CostRule::kEquals},
    {"not_equals", CostRule::kEquals},
    {"add_string", CostRule::kConcatenate},
    {"add_bytes", CostRule::kConcatenate},
    {"add_list", CostRule::kAddList},
    {"matches_string", CostRule::kMatches},
    {"contains_string", CostRule::kContains},
    {"list_sets_contains_list", CostRule::kSets},
    {"list_sets_intersects_list", CostRule::kSets},
    {"list_sets_equivalent_list", CostRule::kSetsEquivalent},
    {"list_slice", CostRule::kListSlice},
    {"list_flatten", CostRule::kListFlatten},
    {"list_flatten_int", CostRule::kListFlatten},
    {"lists_range", CostRule::kListRange},
    {"list_reverse", CostRule::kListReverse},
    {"list_distinct", CostRule::kListDistinct},
    {"optional_or_optional", CostRule::kNothing},
    {"optional_orValue_value", CostRule::kNothing},
};

uint64_t ceil_of(double value) { return static_cast<uint64_t>(std::ceil(value)); }
uint64_t traversed(uint64_t size, double factor = kStringFactor) { return ceil_of(static_cast<double>(size) * factor); }

uint64_t pattern_cost(uint64_t text, uint64_t pattern) {
  return ceil_of((1.0 + static_cast<double>(text)) * kStringFactor) * traversed(pattern, kRegexFactor);
}

// Compat: rounded down for each element; scalars count one.
uint64_t tree_cost(const Value& value, Arena& arena) {
  uint64_t cost = 0;
  switch (value.kind()) {
    case Kind::kString:
    case Kind::kBytes:
      return static_cast<uint64_t>(static_cast<double>(value.text().size()) * kStringFactor);
    case Kind::kList:
      for (size_t i = 0; i < value.size(); ++i) cost += tree_cost(value.element(i, arena), arena);
      return cost;
    case Kind::kMap:
    case Kind::kStruct:
      for (size_t i = 0; i < value.size(); ++i) {
        cost += tree_cost(value.key_at(i, arena), arena) + tree_cost(value.value_at(i, arena), arena);
      }
      return cost;
    default:
      return 1;
  }
}

// A call that makes a list: the call, the list, and so much for each element.
uint64_t allocating(double factor, uint64_t size) {
  return static_cast<uint64_t>(static_cast<double>(size) * factor) + 1 + kListCost;
}

uint64_t self_comparison(const Value& list, Arena& arena) {
  const uint64_t size = list.size();
  if (size == 0) return allocating(2, 0);
  const Kind kind = list.element(0, arena).kind();
  return allocating(kind == Kind::kString || kind == Kind::kBytes ? 2 + kStringFactor : 2, size * size);
}

uint64_t list_cost(CostRule rule, std::span<const Value> args, const Value& result, Arena& arena) {
  switch (rule) {
    case CostRule::kSets:
      return actual_size(args[0]) * actual_size(args[1]) + 1;
    case CostRule::kSetsEquivalent:
      return 2 * actual_size(args[0]) * actual_size(args[1]) + 1;
    case CostRule::kListFlatten:
      return allocating(args.size() == 2 ? static_cast<double>(args[1].as_int()) : 1.0, actual_size(args[0]));
    case CostRule::kListDistinct:
    case CostRule::kListSort:
      return self_comparison(args[0], arena);
    case CostRule::kListSortBy:
      return self_comparison(args[1], arena);
    default:
      return allocating(1, actual_size(result));
  }
}

uint64_t selector_cost(uint64_t size) {
  return kListCost + traversed(size) + traversed(ceil_of(static_cast<double>(size) * 0.5), kListCost + kStructCost);
}

}  // namespace

uint64_t saturating_add(uint64_t a, uint64_t b) { return b > kMax - a ? kMax : a + b; }
uint64_t saturating_multiply(uint64_t a, uint64_t b) { return b != 0 && a > kMax / b ? kMax : a * b; }
uint64_t times_factor(uint64_t value, double factor) {
  const double product = std::ceil(static_cast<double>(value) * factor);
  return product >= 18446744073709551616.0 ? kMax : static_cast<uint64_t>(product);
}

CostRule cost_rule(std::string_view function, std::string_view overload) {
  for (const NamedRule& entry : kByOverload) {
    if (entry.name == overload) return entry.rule;
  }
  for (const NamedRule& entry : kByFunction) {
    if (entry.name == function) return entry.rule;
  }
  if (overload.ends_with("_sortByAssociatedKeys")) return CostRule::kListSortBy;
  if (overload.starts_with("list_") && overload.ends_with("_sort")) return CostRule::kListSort;
  return CostRule::kOne;
}

uint64_t call_cost(CostRule rule, std::span<const Value> args, const Value& result, Arena& arena) {
  switch (rule) {
    case CostRule::kOne:
    case CostRule::kAddList:
      return 1;
    case CostRule::kNothing:
      return 0;
    case CostRule::kArgument:
    case CostRule::kStartsWith:
    case CostRule::kStringToBytes:
    case CostRule::kBytesToString:
    case CostRule::kQuote:
    case CostRule::kFormat:
      return traversed(actual_size(args[0]));
    case CostRule::kArgumentTwice:
    case CostRule::kReplace:
    case CostRule::kSplit:
    case CostRule::kIpCanonical:
      return traversed(actual_size(args[0]), 2 * kStringFactor);
    case CostRule::kResultTwice:
    case CostRule::kJoin:
      return traversed(actual_size(result), 2 * kStringFactor);
    case CostRule::kInList:
      return actual_size(args[1]);
    case CostRule::kEquals:
      if (args[0].kind() == Kind::kOpaque) return 1;
      [[fallthrough]];
    case CostRule::kCompare:
      return traversed(std::min(actual_size(args[0]), actual_size(args[1])));
    case CostRule::kConcatenate:
      return traversed(actual_size(args[0]) + actual_size(args[1]));
    case CostRule::kMatches:
    case CostRule::kFind:
      return pattern_cost(actual_size(args[0]), actual_size(args[1]));
    case CostRule::kContains:
      return traversed(actual_size(args[0])) * traversed(actual_size(args[1]));
    case CostRule::kTraverse:
      return tree_cost(args[0], arena);
    case CostRule::kSelector:
      return selector_cost(actual_size(args[1]));
    case CostRule::kAuthorize:
      return kAuthorizationCost;
    case CostRule::kContainsIp:
      return traversed(2 * actual_size(args[0]));
    case CostRule::kContainsIpString:
      return traversed(2 * actual_size(args[0])) + traversed(actual_size(args[1]));
    case CostRule::kContainsCidr:
      return traversed(2 * actual_size(args[0])) + traversed(actual_size(args[0])) + 1;
    case CostRule::kContainsCidrString:
      return traversed(2 * actual_size(args[0])) + traversed(actual_size(args[0])) + 1 +
             traversed(actual_size(args[1]));
    case CostRule::kValidate:
      return pattern_cost(actual_size(args[1]), actual_size(args[0]));
    default:
      return list_cost(rule, args, result, arena);
  }
}

}  // namespace cel
