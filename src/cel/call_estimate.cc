#include "cel/call_estimate.h"

#include <cmath>

namespace cel {

namespace {

CallEstimate costs(Size cost) { return {cost, {}}; }

double log_free_ceil(uint64_t a, uint64_t b) { return std::ceil(static_cast<double>(a) / static_cast<double>(b)); }

uint64_t saturated(double value) { return value >= 18446744073709551616.0 ? UINT64_MAX : static_cast<uint64_t>(value); }

CallEstimate pattern(const Size& text, const Size& regex) {
  return costs((text + fixed(1)).times(kStringFactor) * regex.times(kRegexFactor));
}

// The longest and the shortest that the text can become.
Size replaced_size(const Size& text, const Size& from, const Size& to) {
  Size count, kept;
  if (from.min == 0) {  // an empty text matches around every character
    count.max = saturating_add(text.max, 1);
    kept.max = text.max;
  } else if (to.max <= from.min) {
    kept.max = text.max;
  } else {
    count.max = saturated(log_free_ceil(text.max, from.min));
  }
  if (from.max == 0) {
    count.min = saturating_add(text.min, 1);
    kept.min = text.min;
  } else if (from.max <= to.min) {
    kept.min = text.min;
  } else {
    count.min = saturated(log_free_ceil(text.min, from.max));
  }
  return count * to + kept;
}

CallEstimate join(const EstimateNode& target, std::span<const EstimateNode> args) {
  const Size list = target.size_or_unknown();
  Size size = list * target.element_size();
  if (!args.empty()) {
    const Size separators{list.min > 0 ? list.min - 1 : 0, list.max > 0 ? list.max - 1 : 0};
    size = size + args[0].size_or_unknown() * separators;
  }
  return {size.times(kStringFactor), size};
}

CallEstimate split(const EstimateNode& target, std::span<const EstimateNode> args) {
  const Size text = target.size_or_unknown();
  Size result{0, text.max};
  if (args.size() > 1 && args[1].expr->kind == ExprKind::kConst && args[1].expr->constant.kind() == Kind::kInt) {
    result.max = args[1].expr->constant.as_uint();
  }
  return {text.times(2 * kStringFactor), result};
}

// isSorted, sum, min, max, indexOf, lastIndexOf over a list, or the last two over a string.
CallEstimate traverse(const EstimateNode& target) {
  if (target.type->params.empty()) return costs(target.size_or_unknown().times(kStringFactor));
  Size each = fixed(1);
  const TypeKind kind = target.type->params[0]->kind;
  if (kind == TypeKind::kString || kind == TypeKind::kBytes) each = each + target.element_size().times(kStringFactor);
  return costs(target.size_or_unknown() * each);
}

CallEstimate allocating(double factor, const Size& size) {
  return {size.times(factor) + fixed(1) + fixed(kListCost), size};
}

uint64_t constant_or(const EstimateNode& node, uint64_t fallback) {
  if (node.expr->kind != ExprKind::kConst || node.expr->constant.kind() != Kind::kInt) return fallback;
  return node.expr->constant.as_int() < 0 ? fallback : node.expr->constant.as_uint();
}

CallEstimate sort(const EstimateNode& keys, const Type& element) {
  const Size size = keys.size_or_unknown();
  const bool text = element.kind == TypeKind::kString || element.kind == TypeKind::kBytes;
  return allocating(text ? 2 + kStringFactor : 2, size * size);
}

CallEstimate list_estimate(const Overload& overload, const EstimateNode* target, std::span<const EstimateNode> args) {
  switch (overload.cost) {
    case CostRule::kSets:
    case CostRule::kSetsEquivalent: {
      const double factor = overload.cost == CostRule::kSets ? 1 : 2;
      return costs((args[0].size_or_unknown() * args[1].size_or_unknown()).times(factor) + fixed(1));
    }
    case CostRule::kListSlice: {
      const uint64_t start = constant_or(args[0], 0), end = constant_or(args[1], target->size_or_unknown().max);
      return allocating(1, fixed(end - start));
    }
    case CostRule::kListRange:
      return allocating(1, fixed(constant_or(args[0], UINT64_MAX)));
    case CostRule::kListReverse:
      return allocating(1, target->size_or_unknown());
    case CostRule::kListFlatten: {
      const double depth = args.empty() ? 1 : static_cast<double>(constant_or(args[0], UINT64_MAX));
      return allocating(depth, target->size_or_unknown());
    }
    case CostRule::kListDistinct:
      return allocating(2, target->size_or_unknown() * target->size_or_unknown());
    case CostRule::kListSort:
      return sort(*target, *overload.args[0]->params[0]);
    default:
      return sort(args[0], *overload.args[1]->params[0]);
  }
}

// Compat: equality of the libraries' types is cheap, that of everything else as the shorter side is long.
CallEstimate equality(const Overload& overload, std::span<const EstimateNode> args) {
  const Type& left = *args[0].type;
  if (overload.id == "equals" && left.kind == TypeKind::kOpaque && !is_optional(left) &&
      same_type(left, *args[1].type)) {
    if (left.name == "kubernetes.NamedFormat") return costs(Size{1, kMaxFormatSize}.times(kStringFactor));
    if (left.name == "kubernetes.URL") {
      const Size size = args[1].size.value_or(fixed(1));
      return costs(Size{1, size.max}.times(kStringFactor));
    }
    return costs(fixed(1));
  }
  const uint64_t most = std::min(args[0].size_or_unknown().max, args[1].size_or_unknown().max);
  return costs(Size{most > 0 ? 1u : 0u, most}.times(kStringFactor));
}

CallEstimate addresses(CostRule rule, std::span<const EstimateNode> args) {
  constexpr Size kAddress{4, 16};
  Size cost = (kAddress + kAddress).times(kStringFactor);
  if (rule == CostRule::kContainsCidr || rule == CostRule::kContainsCidrString) {
    cost = cost + kAddress.times(kStringFactor) + fixed(1);
  }
  if (rule == CostRule::kContainsIpString || rule == CostRule::kContainsCidrString) {
    cost = cost + args[0].size_or_unknown().times(kStringFactor);
  }
  return costs(cost);
}

CallEstimate string_estimate(const Overload& overload, const EstimateNode* target, std::span<const EstimateNode> args) {
  const EstimateNode& first = target ? *target : args[0];
  const Size text = first.size_or_unknown();
  switch (overload.cost) {
    case CostRule::kArgument:
      return {text.times(kStringFactor), text};
    case CostRule::kStringToBytes:
      return {text.times(kStringFactor), Size{text.min, saturating_multiply(text.max, 4)}};
    case CostRule::kBytesToString:
      return {text.times(kStringFactor), Size{text.min / 4, text.max}};
    case CostRule::kQuote:
      return {text.times(kStringFactor),
              Size{saturating_add(text.min, 2), saturating_add(saturating_multiply(text.max, 2), 2)}};
    case CostRule::kStartsWith:
      return costs(args[0].size_or_unknown().times(kStringFactor));
    case CostRule::kConcatenate: {
      const Size sum = args[0].size_or_unknown() + args[1].size_or_unknown();
      return {sum.times(kStringFactor), sum};
    }
    case CostRule::kContains:
      return costs(text.times(kStringFactor) * args[0].size_or_unknown().times(kStringFactor));
    case CostRule::kReplace:
      return {text.times(2 * kStringFactor), replaced_size(text, args[0].size_or_unknown(), args[1].size_or_unknown())};
    default:
      return costs(text.times(kStringFactor));
  }
}

}  // namespace

Size EstimateNode::element_size() const {
  if (!path || !path->decl || !path->decl->element) return kUnknownSize;
  return {0, path->decl->element->max_elements};
}

CallEstimate estimate_call(const Overload& overload, const EstimateNode* target, std::span<const EstimateNode> args) {
  switch (overload.cost) {
    case CostRule::kOne:
      return costs(fixed(1));
    case CostRule::kNothing:
      return costs(fixed(1));
    case CostRule::kAddList: {
      const Size sum = args[0].size_or_unknown() + args[1].size_or_unknown();
      return {fixed(1), sum};
    }
    case CostRule::kInList:
      return costs(args[1].size_or_unknown());
    case CostRule::kCompare:
    case CostRule::kEquals:
      return equality(overload, args);
    case CostRule::kMatches:
      return target ? pattern(target->size_or_unknown(), args[0].size_or_unknown()) : costs(fixed(1));
    case CostRule::kFind: {
      CallEstimate estimate = pattern(target->size_or_unknown(), args[0].size_or_unknown());
      estimate.result = Size{0, target->size_or_unknown().max};
      return estimate;
    }
    case CostRule::kSplit:
      return split(*target, args);
    case CostRule::kJoin:
      return join(*target, args);
    case CostRule::kTraverse:
      return traverse(target ? *target : args[0]);
    case CostRule::kSelector: {
      const Size text = args[0].size_or_unknown();
      return costs(fixed(kListCost) + text.times(kStringFactor) + text.times(0.5).times(kListCost + kStructCost));
    }
    case CostRule::kAuthorize:
      return costs(fixed(kAuthorizationCost));
    case CostRule::kIpCanonical:
      return costs(args[0].size_or_unknown().times(2 * kStringFactor));
    case CostRule::kContainsIp:
    case CostRule::kContainsIpString:
    case CostRule::kContainsCidr:
    case CostRule::kContainsCidrString:
      return addresses(overload.cost, args);
    case CostRule::kValidate:
      return costs(args[0].size_or_unknown().times(kStringFactor).times(kMaxNameRegexSize * kRegexFactor));
    case CostRule::kArgument:
      // Compat: only texts that stay texts have a known result.
      if (!target && overload.result->kind != TypeKind::kString && overload.id != "string_to_url") {
        return costs(args[0].size_or_unknown().times(kStringFactor));
      }
      [[fallthrough]];
    case CostRule::kStringToBytes:
    case CostRule::kBytesToString:
    case CostRule::kQuote:
    case CostRule::kFormat:
    case CostRule::kStartsWith:
    case CostRule::kConcatenate:
    case CostRule::kContains:
    case CostRule::kReplace:
      return string_estimate(overload, target, args);
    default:
      return list_estimate(overload, target, args);
  }
}

}  // namespace cel
