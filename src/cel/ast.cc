#include "cel/ast.h"

#include <algorithm>

namespace cel {

Expr* Ast::make(ExprKind kind, uint32_t position) {
  Expr& expr = nodes.emplace_back();
  expr.kind = kind;
  expr.position = position;
  expr.id = static_cast<uint32_t>(nodes.size());
  return &expr;
}

void Ast::set_depth(Expr& expr) {
  uint32_t deepest = expr.target ? expr.target->depth : 0;
  for (const Expr* arg : expr.args) deepest = std::max(deepest, arg->depth);
  expr.depth = deepest + 1;
}

Expr* Ast::constant(uint32_t position, const Value& value) {
  Expr* expr = make(ExprKind::kConst, position);
  expr->constant = value;
  return expr;
}

Expr* Ast::ident(uint32_t position, std::string_view name) {
  Expr* expr = make(ExprKind::kIdent, position);
  expr->name = name;
  return expr;
}

Expr* Ast::select(uint32_t position, Expr* operand, std::string_view field) {
  Expr* expr = make(ExprKind::kSelect, position);
  expr->target = operand;
  expr->name = field;
  set_depth(*expr);
  return expr;
}

Expr* Ast::call(uint32_t position, std::string_view function, std::vector<Expr*> args) {
  return member_call(position, function, nullptr, std::move(args));
}

Expr* Ast::member_call(uint32_t position, std::string_view function, Expr* target, std::vector<Expr*> args) {
  Expr* expr = make(ExprKind::kCall, position);
  expr->name = function;
  expr->target = target;
  expr->args = std::move(args);
  set_depth(*expr);
  return expr;
}

Expr* Ast::list(uint32_t position, std::vector<Expr*> elements) {
  Expr* expr = make(ExprKind::kList, position);
  expr->args = std::move(elements);
  expr->optional.assign(expr->args.size(), 0);
  set_depth(*expr);
  return expr;
}

Expr* Ast::comprehension(uint32_t position, const Fold& fold) {
  Expr* expr = make(ExprKind::kComprehension, position);
  expr->iter_var = fold.iter_var;
  expr->iter_var2 = fold.iter_var2;
  expr->accu_var = fold.accu_var;
  expr->args = {fold.range, fold.init, fold.condition, fold.step, fold.result};
  // The shape of cel.bind: nothing to iterate over, and a name of the user's.
  expr->is_bind = fold.range->kind == ExprKind::kList && fold.range->args.empty() &&
                  fold.condition->kind == ExprKind::kConst && fold.condition->constant.is_false() &&
                  fold.accu_var != kAccumulator;
  set_depth(*expr);
  return expr;
}

Expr* Ast::copy(const Expr& expr) {
  Expr* twin = make(expr.kind, expr.position);
  const uint32_t id = twin->id;
  *twin = expr;
  twin->id = id;
  if (expr.target) twin->target = copy(*expr.target);
  for (Expr*& arg : twin->args) arg = copy(*arg);
  return twin;
}

std::string qualified_name(const Expr& expr) {
  if (expr.kind == ExprKind::kIdent) return expr.is_reference ? std::string() : std::string(expr.name);
  if (expr.kind != ExprKind::kSelect || expr.test_only) return {};
  std::string prefix = qualified_name(*expr.target);
  return prefix.empty() ? prefix : prefix + '.' + std::string(expr.name);
}

}  // namespace cel
