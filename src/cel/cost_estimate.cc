// The static estimate: the least and the most that an expression can cost, from the sizes that its literals show and
// its declared types bound. Follows cel-go's checker/cost.go with Kubernetes' estimator of calls, whose numbers decide
// which rules a custom resource may have: they are part of the API.
#include <algorithm>
#include <optional>
#include <string>
#include <unordered_map>

#include "cel/call_estimate.h"
#include "cel/checker.h"
#include "cel/code.h"

namespace cel {

namespace {

struct Local {
  std::string_view name;
  std::optional<Path> path;
  std::optional<Size> size;
  std::optional<EntrySize> entry;
};

class Estimator {
 public:
  explicit Estimator(const Environment& environment) : environment_(environment) {
    for (const auto& variable : environment.variables()) {
      if (variable.name == "self" && variable.decl) root_ = Path{variable.decl};
    }
  }

  Size cost(const Expr& expr) {
    switch (expr.kind) {
      case ExprKind::kConst:
        return {0, 0};
      case ExprKind::kIdent:
        return ident(expr);
      case ExprKind::kSelect:
        return select(expr);
      case ExprKind::kCall:
        return call(expr);
      case ExprKind::kList:
        return list(expr);
      case ExprKind::kMap:
        return map(expr);
      case ExprKind::kStruct: {
        Size sum;
        for (const Expr* arg : expr.args) sum = sum + cost(*arg);
        return sum + fixed(kStructCost);
      }
      case ExprKind::kComprehension:
        return expr.is_bind ? bind(expr) : comprehension(expr);
    }
    return {};
  }

 private:
  Local* local(std::string_view name) {
    for (size_t i = locals_.size(); i-- > 0;) {
      if (locals_[i].name == name) return &locals_[i];
    }
    return nullptr;
  }

  // --- what is known of a node -------------------------------------------------------------------------------------

  std::optional<Path> path(const Expr& expr) {
    if (expr.kind == ExprKind::kIdent) {
      if (const Local* found = local(expr.name)) return found->path;
    }
    const auto at = paths_.find(expr.id);
    return at == paths_.end() ? std::nullopt : std::optional<Path>(at->second);
  }

  // Compat: the first step of a path is not looked at, whatever it is: what begins no path of `self` is bounded as
  // `self` is.
  std::optional<Path> path_from(const std::optional<Path>& from, Path (Path::*step)() const) const {
    return from ? std::optional<Path>(((*from).*step)()) : root_;
  }

  // The bound that the declared type at a path gives.
  std::optional<Size> declared_size(const std::optional<Path>& path) const {
    if (!path || !path->decl) return {};
    return Size{0, path->decl->max_elements};
  }

  static std::optional<Size> literal_size(const Expr& expr) {
    if (expr.kind == ExprKind::kList) return fixed(expr.args.size());
    if (expr.kind == ExprKind::kMap) return fixed(expr.args.size() / 2);
    if (expr.kind != ExprKind::kConst) return {};
    const Kind kind = expr.constant.kind();
    return fixed(kind == Kind::kString || kind == Kind::kBytes ? expr.constant.size() : 1);
  }

  static bool is_scalar(const Type& type) {
    switch (type.kind) {
      case TypeKind::kBool:
      case TypeKind::kDouble:
      case TypeKind::kDuration:
      case TypeKind::kInt:
      case TypeKind::kTimestamp:
      case TypeKind::kUint:
        return true;
      case TypeKind::kOpaque:
        return is_optional(type) && is_scalar(*type.params[0]);
      default:
        return false;
    }
  }

  std::optional<Size> size(const Expr& expr) {
    if (const auto at = sizes_.find(expr.id); at != sizes_.end()) return at->second;
    if (const auto literal = literal_size(expr)) return literal;
    if (const auto declared = declared_size(path(expr))) {
      sizes_[expr.id] = *declared;
      return declared;
    }
    if (is_scalar(*expr.type)) return fixed(1);
    if (expr.kind == ExprKind::kIdent) {
      if (const Local* found = local(expr.name)) return found->size;
    }
    return {};
  }
  Size size_or_unknown(const Expr& expr) { return size(expr).value_or(kUnknownSize); }

  std::optional<EntrySize> entry(const Expr& expr) {
    if (const auto at = entries_.find(expr.id); at != entries_.end()) return at->second;
    if (expr.kind == ExprKind::kIdent) {
      if (const Local* found = local(expr.name)) return found->entry;
    }
    return {};
  }

  // --- nodes -------------------------------------------------------------------------------------------------------

  Size ident(const Expr& expr) {
    if (const Local* found = local(expr.name)) {
      if (found->path) paths_[expr.id] = *found->path;
    } else if (root_) {
      paths_[expr.id] = *root_;
    } else if (expr.slot >= 0) {
      paths_[expr.id] = {environment_.variables()[static_cast<size_t>(expr.slot)].decl};
    }
    return fixed(1);
  }

  Size select(const Expr& expr) {
    const Size operand = cost(*expr.target);
    if (expr.test_only) return operand + fixed(environment_.functions().presence_costs ? 1 : 0);
    const auto from = path(*expr.target);
    if (const auto at = from ? std::optional<Path>(from->field(expr.name)) : root_) paths_[expr.id] = *at;
    switch (expr.target->type->kind) {
      case TypeKind::kMap:
      case TypeKind::kStruct:
      case TypeKind::kTypeParam:
        return operand + fixed(1);
      default:
        return operand;
    }
  }

  EstimateNode node_of(const Expr& expr) { return {&expr, path(expr), expr.type, size(expr)}; }

  Size call(const Expr& expr) {
    if (expr.name == "dyn" && !expr.target && expr.args.size() == 1) {
      const Size arg = cost(*expr.args[0]);
      if (const auto known = size(*expr.args[0])) sizes_[expr.id] = *known;
      if (const auto known = entry(*expr.args[0])) entries_[expr.id] = *known;
      return arg + fixed(1);
    }
    std::vector<Size> costs;
    std::vector<EstimateNode> args;
    for (const Expr* arg : expr.args) {
      costs.push_back(cost(*arg));
      args.push_back(node_of(*arg));
    }
    if (expr.overloads.empty()) return {};
    Size sum;
    std::optional<EstimateNode> target;
    if (expr.target) {
      sum = cost(*expr.target);
      target = node_of(*expr.target);
    }
    Size most{UINT64_MAX, 0};
    std::optional<Size> result;
    for (const Overload* overload : expr.overloads) {
      const CallEstimate estimate = estimate_overload(expr, *overload, target ? &*target : nullptr, args, costs);
      most = most.united(estimate.cost);
      if (estimate.result) result = result ? result->united(*estimate.result) : *estimate.result;
      index_path(expr, *overload, result);
      if (!result) result = size(expr);
    }
    if (result) sizes_[expr.id] = *result;
    return sum + most;
  }

  void index_path(const Expr& expr, const Overload& overload, std::optional<Size>& result) {
    if ((overload.id != "index_list" && overload.id != "index_map") || expr.args.empty()) return;
    const auto known = entry(*expr.args[0]);
    result = known ? std::optional<Size>(known->value) : std::nullopt;
    if (const auto at = path_from(path(*expr.args[0]), &Path::element)) paths_[expr.id] = *at;
  }

  CallEstimate estimate_overload(const Expr& expr, const Overload& overload, const EstimateNode* target,
                                 std::span<const EstimateNode> args, std::span<const Size> costs) {
    Size sum;
    for (const Size& each : costs) sum = sum + each;
    if (overload.id == "logical_and" || overload.id == "logical_or") {
      return {{costs[0].min, saturating_add(costs[0].max, costs[1].max)}, {}};
    }
    if (overload.id == "conditional") {
      unite_entries(expr, *expr.args[1], *expr.args[2]);
      return {costs[0] + costs[1].united(costs[2]), args[1].size_or_unknown().united(args[2].size_or_unknown())};
    }
    if (overload.cost == CostRule::kAddList || overload.cost == CostRule::kConcatenate) {
      unite_entries(expr, *expr.args[0], *expr.args[1]);
    }
    CallEstimate estimate = estimate_call(overload, target, args);
    estimate.cost = estimate.cost + sum;
    return estimate;
  }

  void unite_entries(const Expr& expr, const Expr& a, const Expr& b) {
    const auto left = entry(a), right = entry(b);
    if (left && right) entries_[expr.id] = left->united(*right);
  }

  Size list(const Expr& expr) {
    Size sum;
    EntrySize items{true, fixed(1), expr.args.empty() ? Size{0, 0} : Size{UINT64_MAX, 0}};
    for (const Expr* arg : expr.args) {
      sum = sum + cost(*arg);
      items.value = items.value.united(size_or_unknown(*arg));
    }
    entries_[expr.id] = items;
    return sum + fixed(kListCost);
  }

  Size map(const Expr& expr) {
    Size sum;
    const Size none = expr.args.empty() ? Size{0, 0} : Size{UINT64_MAX, 0};
    EntrySize items{false, none, none};
    for (size_t i = 0; i + 1 < expr.args.size(); i += 2) {
      sum = sum + cost(*expr.args[i]) + cost(*expr.args[i + 1]);
      items.key = items.key.united(size_or_unknown(*expr.args[i]));
      items.value = items.value.united(size_or_unknown(*expr.args[i + 1]));
    }
    entries_[expr.id] = items;
    return sum + fixed(kMapCost);
  }

  void push_local(std::string_view name, const Expr& value) {
    locals_.push_back({name, path(value), size(value), entry(value)});
  }

  void push_iteration(std::string_view name, const Expr& range, bool first_of_two, bool value) {
    const auto known = entry(range);
    const bool of_list = known ? known->list : range.type->kind == TypeKind::kList;
    // A single variable takes the elements of a list and the keys of a map.
    const bool takes_value = value || (!first_of_two && of_list);
    Local variable{name, {}, {}, {}};
    const auto from = path(range);
    variable.path = takes_value ? path_from(from, &Path::element)
                    : !of_list  ? path_from(from, &Path::key)
                    : from      ? std::optional<Path>(Path{nullptr})
                                : root_;
    if (known) variable.size = takes_value ? known->value : known->key;
    locals_.push_back(std::move(variable));
  }

  Size comprehension(const Expr& expr) {
    const Expr& range = *expr.args[kRange];
    const Expr& init = *expr.args[kInit];
    Size sum = cost(range) + cost(init);
    const size_t outer = locals_.size();
    push_local(expr.accu_var, init);
    const bool two = !expr.iter_var2.empty();
    push_iteration(expr.iter_var, range, two, false);
    if (two) push_iteration(expr.iter_var2, range, true, true);
    const Size condition = cost(*expr.args[kCondition]);
    const Size step = cost(*expr.args[kStep]);
    locals_.resize(outer + 1);
    sum = sum + cost(*expr.args[kResult]);
    locals_.resize(outer);
    const Size rounds = size_or_unknown(range);
    sum = sum + rounds * (step + condition);
    if (init.kind == ExprKind::kConst) {
      if (const auto known = size(init)) sizes_[expr.id] = *known;
    } else if (init.kind == ExprKind::kList || init.kind == ExprKind::kMap) {
      sizes_[expr.id] = rounds;
      if (const auto known = entry(*expr.args[kStep])) entries_[expr.id] = *known;
    }
    return sum;
  }

  Size bind(const Expr& expr) {
    Size sum = cost(*expr.args[kRange]) + cost(*expr.args[kInit]);
    push_local(expr.accu_var, *expr.args[kInit]);
    sum = sum + cost(*expr.args[kResult]);
    if (const auto known = size(*expr.args[kResult])) sizes_[expr.id] = *known;
    if (const auto known = entry(*expr.args[kResult])) entries_[expr.id] = *known;
    locals_.pop_back();
    return sum;
  }

  const Environment& environment_;
  std::optional<Path> root_;  // of `self`
  std::vector<Local> locals_;
  std::unordered_map<uint32_t, Path> paths_;
  std::unordered_map<uint32_t, Size> sizes_;
  std::unordered_map<uint32_t, EntrySize> entries_;
};

}  // namespace

CostEstimate estimate_cost(const Environment& environment, const Ast& ast) {
  const Size cost = Estimator(environment).cost(*ast.root);
  return {cost.min, cost.max};
}

}  // namespace cel
