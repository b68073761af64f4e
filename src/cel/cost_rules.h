// What functions cost, at run time and before. The rules and numbers are upstream's: cel-go's checker/cost.go and
// interpreter/runtimecost.go for the language, its ext/lists.go and ext/sets.go, and k8s.io/apiserver's
// pkg/cel/library/cost.go for what Kubernetes adds. Pure. Private to this folder.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "cel/value.h"

namespace cel {

inline constexpr uint64_t kListCost = 10;
inline constexpr uint64_t kMapCost = 30;
inline constexpr uint64_t kStructCost = 40;
inline constexpr double kStringFactor = 0.1;  // per code point traversed
inline constexpr double kRegexFactor = 0.25;  // per code point of a pattern
inline constexpr uint64_t kAuthorizationCost = 350'000;
inline constexpr uint64_t kMaxNameRegexSize = 128;
inline constexpr uint64_t kMaxFormatSize = 64;

enum class CostRule : uint8_t {
  kOne,       // a fixed 1
  kArgument,  // traversal of the first argument (receiver)
  kArgumentTwice,
  kResultTwice,  // join
  kInList,
  kCompare,  // the shorter of two
  kEquals,
  kConcatenate,  // strings and bytes
  kAddList,
  kMatches,
  kFind,
  kContains,
  kStringToBytes,
  kBytesToString,
  kQuote,
  kFormat,
  kReplace,
  kSplit,
  kJoin,
  kTraverse,    // isSorted, sum, min, max, indexOf, lastIndexOf
  kStartsWith,  // startsWith, endsWith
  kSelector,    // fieldSelector, labelSelector
  kAuthorize,
  kIpCanonical,
  kContainsIp,
  kContainsIpString,
  kContainsCidr,
  kContainsCidrString,
  kValidate,  // named formats
  kSets,
  kSetsEquivalent,
  kListSlice,
  kListFlatten,
  kListRange,
  kListReverse,
  kListDistinct,
  kListSort,
  kListSortBy,
  kNothing,  // or, orValue
};

CostRule cost_rule(std::string_view function, std::string_view overload);
// The cost of one call. `args` begin with the receiver.
uint64_t call_cost(CostRule rule, std::span<const Value> args, const Value& result, Arena& arena);

uint64_t saturating_add(uint64_t a, uint64_t b);
uint64_t saturating_multiply(uint64_t a, uint64_t b);
// Rounded up.
uint64_t times_factor(uint64_t value, double factor);

}  // namespace cel
