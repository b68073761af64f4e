// Limits of the CEL engine. Costs are upstream's units (k8s.io/apiserver/pkg/apis/cel/config.go and the apiextensions
// validation of rules); the others bound the memory and the stack of one compilation or evaluation.
#pragma once

#include <cstddef>
#include <cstdint>

namespace cel {

inline constexpr uint64_t kPerCallCostLimit = 1'000'000;            // one evaluation
inline constexpr uint64_t kRuntimeCostBudget = 10'000'000;          // all evaluations for one object or binding
inline constexpr uint64_t kMatchConditionsBudget = 2'500'000;       // all match conditions of one webhook or binding
inline constexpr uint64_t kExpressionCostLimit = 10'000'000;        // static estimate of one rule of a CRD
inline constexpr uint64_t kTotalExpressionCostLimit = 100'000'000;  // static estimate of all rules of a CRD
inline constexpr size_t kMaxMessageBytes = 5 * 1024;                // result of a messageExpression
inline constexpr int64_t kMaxRequestBytes = 3 * 1024 * 1024;        // the request size that size estimates assume

inline constexpr size_t kMaxSourceCodePoints = 100'000;  // beyond: a compile error
inline constexpr int kMaxDepth = 250;                    // nesting of an expression; beyond: a compile error
inline constexpr size_t kMaxNodes = 200'000;             // after macro expansion; beyond: a compile error
inline constexpr size_t kMaxReportedErrors = 100;
inline constexpr size_t kMaxArenaBytes = 64u << 20;  // of one evaluation; beyond: it ends as if its cost were exceeded
inline constexpr uint32_t kCancelCheckInterval = 100;  // comprehension steps between looks at the cancellation flag

}  // namespace cel
