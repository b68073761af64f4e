#include "cel/checker.h"

#include "cel/check_types.h"

namespace cel {

std::vector<std::string> candidate_names(std::string_view container, std::string_view name) {
  std::vector<std::string> names;
  if (name.starts_with('.')) return {std::string(name.substr(1))};
  while (!container.empty()) {
    names.push_back(std::string(container) + '.' + std::string(name));
    const size_t dot = container.rfind('.');
    container = container.substr(0, dot == std::string_view::npos ? 0 : dot);
  }
  names.emplace_back(name);
  return names;
}

const DeclType* find_object_type(const Environment& environment, std::string_view name) {
  for (const auto& types : environment.types()) {
    if (const DeclType* type = types->find(name)) return type;
  }
  return nullptr;
}

const Type* find_type_name(const Environment& environment, std::string_view name, TypePool& pool) {
  const auto& names = environment.functions().type_names;
  if (const auto at = names.find(std::string(name)); at != names.end()) return at->second;
  const DeclType* type = find_object_type(environment, name);
  return type ? pool.type_of(type->type) : nullptr;
}

namespace {

class Checker {
 public:
  Checker(const Environment& environment, Ast& ast, TypePool& pool, Issues& issues)
      : environment_(environment), ast_(ast), pool_(pool), issues_(issues), unifier_(pool) {}

  void run() {
    check(*ast_.root);
    for (Expr& expr : ast_.nodes) {
      if (expr.type) expr.type = unifier_.substitute(expr.type, Unifier::Unbound::kToDyn);
    }
  }

 private:
  static const Type* simple(TypeKind kind) { return simple_type(kind); }
  const Type* current(const Expr& expr) { return unifier_.substitute(expr.type, Unifier::Unbound::kKeep); }

  void mismatch(const Expr& expr, const Type& expected, const Type& actual) {
    issues_.add(expr.position, "expected type '" + format_type(expected) + "' but found '" + format_type(actual) + "'");
  }
  void undeclared(const Expr& expr, std::string_view name) {
    issues_.add(expr.position, "undeclared reference to '" + std::string(name) + "' (in container '" +
                                   environment_.container() + "')");
  }

  void check(Expr& expr) {
    switch (expr.kind) {
      case ExprKind::kConst:
        expr.type = runtime_type(expr.constant);
        break;
      case ExprKind::kIdent:
        check_ident(expr);
        break;
      case ExprKind::kSelect:
        check_select(expr);
        break;
      case ExprKind::kCall:
        check_call(expr);
        break;
      case ExprKind::kList:
        check_list(expr);
        break;
      case ExprKind::kMap:
        check_map(expr);
        break;
      case ExprKind::kStruct:
        check_struct(expr);
        break;
      case ExprKind::kComprehension:
        check_comprehension(expr);
        break;
    }
  }

  // Makes the node a reference to what the name means; false when it means nothing.
  bool resolve(Expr& expr, std::string_view name) {
    for (const std::string& candidate : candidate_names(environment_.container(), name)) {
      for (auto scope = locals_.rbegin(); scope != locals_.rend(); ++scope) {
        if (scope->first != candidate) continue;
        return refer(expr, candidate, scope->second, -1);
      }
      const auto& variables = environment_.variables();
      for (size_t i = variables.size(); i-- > 0;) {
        if (variables[i].name == candidate) return refer(expr, candidate, variables[i].type, static_cast<int>(i));
      }
      if (const Type* type = find_type_name(environment_, candidate, pool_)) {
        expr.constant = Value::of_type(type->params.empty() ? type : type->params[0]);
        return refer(expr, candidate, type, -2);
      }
    }
    return false;
  }

  bool refer(Expr& expr, std::string_view name, const Type* type, int slot) {
    expr.kind = ExprKind::kIdent;
    expr.target = nullptr;
    expr.name = ast_.text(name);
    expr.type = type;
    expr.slot = slot;
    expr.is_reference = true;
    return true;
  }

  void check_ident(Expr& expr) {
    if (resolve(expr, expr.name)) return;
    expr.type = simple(TypeKind::kError);
    undeclared(expr, expr.name);
  }

  void check_select(Expr& expr) {
    if (!expr.test_only) {
      const std::string name = qualified_name(expr);
      if (!name.empty() && resolve(expr, name)) return;
    }
    const Type* result = select_field(expr, *expr.target, expr.name, false);
    expr.type = expr.test_only ? simple(TypeKind::kBool) : unifier_.substitute(result, Unifier::Unbound::kKeep);
  }

  const Type* select_field(Expr& expr, Expr& operand, std::string_view field, bool optional) {
    check(operand);
    const Type* target = current(operand);
    const bool was_optional = is_optional(*target);
    if (was_optional) target = target->params[0];
    const Type* result = simple(TypeKind::kDyn);
    switch (target->kind) {
      case TypeKind::kMap:
        result = target->params[1];
        break;
      case TypeKind::kStruct:
        result = field_type(expr, target->name, field);
        break;
      case TypeKind::kTypeParam:
        unifier_.assignable(*simple(TypeKind::kDyn), *target);
        break;
      default:
        if (!is_dyn_or_error(*target)) {
          issues_.add(expr.position, "type '" + format_type(*target) + "' does not support field selection");
        }
    }
    return was_optional || optional ? pool_.optional(result) : result;
  }

  const Type* field_type(const Expr& expr, std::string_view type_name, std::string_view field) {
    const DeclType* type = find_object_type(environment_, type_name);
    if (!type) {
      issues_.add(expr.position, "unexpected failed resolution of '" + std::string(type_name) + "'");
      return simple(TypeKind::kError);
    }
    const DeclField* found = type->find(field);
    if (found && found->type) return found->type->type;
    if (type->open) return simple(TypeKind::kDyn);
    issues_.add(expr.position, "undefined field '" + std::string(field) + "'");
    return simple(TypeKind::kError);
  }

  void check_call(Expr& expr) {
    if (expr.name == "_?._") return check_optional_select(expr);
    // Compat: what a format is given may be of several types, however deep.
    const int formats = formats_;
    if (expr.name == "format") ++formats_;
    for (Expr* arg : expr.args) check(*arg);
    formats_ = formats;
    if (!expr.target) {
      if (const Function* function = find_function(expr.name)) return resolve_overload(expr, *function);
      expr.type = simple(TypeKind::kError);
      return undeclared(expr, expr.name);
    }
    // A receiver may also be the first part of a function's name: a.b.f().
    if (const std::string prefix = qualified_name(*expr.target); !prefix.empty()) {
      if (const Function* function = find_function(prefix + '.' + std::string(expr.name))) {
        expr.target = nullptr;
        expr.name = function->name;
        return resolve_overload(expr, *function);
      }
    }
    check(*expr.target);
    if (const Function* function = environment_.functions().find(expr.name)) return resolve_overload(expr, *function);
    expr.type = simple(TypeKind::kError);
    undeclared(expr, expr.name);
  }

  const Function* find_function(std::string_view name) const {
    for (const std::string& candidate : candidate_names(environment_.container(), name)) {
      if (const Function* function = environment_.functions().find(candidate)) return function;
    }
    return nullptr;
  }

  void check_optional_select(Expr& expr) {
    const Expr& field = *expr.args[1];
    const Type* result = select_field(expr, *expr.args[0], field.constant.text(), true);
    expr.type = unifier_.substitute(result, Unifier::Unbound::kKeep);
    expr.args[1]->type = simple(TypeKind::kString);
    expr.function = environment_.functions().find("_?._");
    if (expr.function) expr.overloads = {&expr.function->overloads[0]};
  }

  bool check_logical(Expr& expr, const Function& function) {
    bool fine = true;
    for (const Expr* arg : expr.args) {
      if (unifier_.assignable(*arg->type, *simple(TypeKind::kBool))) continue;
      mismatch(*arg, *simple(TypeKind::kBool), *arg->type);
      fine = false;
    }
    expr.type = simple(fine ? TypeKind::kBool : TypeKind::kError);
    expr.overloads = {&function.overloads[0]};
    return fine;
  }

  void resolve_overload(Expr& expr, const Function& function) {
    expr.function = &function;
    expr.name = function.name;
    if (function.name == "_&&_" || function.name == "_||_") {
      check_logical(expr, function);
      return;
    }
    std::vector<const Type*> given;
    if (expr.target) given.push_back(expr.target->type);
    for (const Expr* arg : expr.args) given.push_back(arg->type);
    const Type* result = nullptr;
    for (const Overload& overload : function.overloads) {
      if (overload.member != (expr.target != nullptr) || overload.args.size() != given.size()) continue;
      std::vector<std::pair<std::string_view, const Type*>> params;
      for (const std::string& param : overload.type_params) params.emplace_back(param, unifier_.fresh_variable());
      std::vector<const Type*> wanted;
      for (const Type* arg : overload.args) wanted.push_back(unifier_.instantiate(arg, params));
      if (!unifier_.assignable(given, wanted)) continue;
      expr.overloads.push_back(&overload);
      const Type* type = unifier_.substitute(unifier_.instantiate(overload.result, params), Unifier::Unbound::kKeep);
      if (!result) {
        result = type;
      } else if (!is_dyn(*result) && !same_type(*type, *result)) {
        result = simple(TypeKind::kDyn);
      }
    }
    expr.type = result ? result : simple(TypeKind::kError);
    if (!result) no_overload(expr, given);
  }

  void no_overload(const Expr& expr, const std::vector<const Type*>& given) {
    std::string signature;
    for (size_t i = 0; i < given.size(); ++i) {
      const std::string type = format_type(*unifier_.substitute(given[i], Unifier::Unbound::kToDyn));
      if (i == 0 && expr.target) {
        signature = type + ".(";
        continue;
      }
      if (i == 0) signature = "(";
      if (i > (expr.target ? 1u : 0u)) signature += ", ";
      signature += type;
    }
    if (given.empty()) signature = "(";
    issues_.add(expr.position,
                "found no matching overload for '" + std::string(expr.name) + "' applied to '" + signature + ")'");
  }

  // The type of an entry written with '?': what its optional holds.
  const Type* entry_type(const Expr& value, bool optional) {
    if (!optional) return value.type;
    if (is_optional(*value.type)) return value.type->params[0];
    if (!is_dyn(*value.type)) mismatch(value, *pool_.optional(value.type), *value.type);
    return value.type;
  }

  const Type* join(const Expr& expr, const Type* before, const Type* now) {
    if (!before) return now;
    if (unifier_.assignable(*before, *now)) return Unifier::most_general(before, now);
    if (!environment_.functions().homogeneous || formats_ > 0) return simple(TypeKind::kDyn);
    mismatch(expr, *before, *now);
    return simple(TypeKind::kError);
  }

  void check_list(Expr& expr) {
    const Type* element = nullptr;
    for (size_t i = 0; i < expr.args.size(); ++i) {
      check(*expr.args[i]);
      element = join(*expr.args[i], element, entry_type(*expr.args[i], expr.optional[i]));
    }
    expr.type = pool_.list(element ? element : unifier_.fresh_variable());
  }

  void check_map(Expr& expr) {
    const Type* key = nullptr;
    const Type* value = nullptr;
    for (size_t i = 0; i + 1 < expr.args.size(); i += 2) {
      check(*expr.args[i]);
      key = join(*expr.args[i], key, expr.args[i]->type);
      check(*expr.args[i + 1]);
      value = join(*expr.args[i + 1], value, entry_type(*expr.args[i + 1], expr.optional[i / 2]));
    }
    if (!key) key = unifier_.fresh_variable();
    if (!value) value = unifier_.fresh_variable();
    expr.type = pool_.map(key, value);
  }

  void check_struct(Expr& expr) {
    const Type* named = nullptr;
    for (const std::string& candidate : candidate_names(environment_.container(), expr.name)) {
      if ((named = find_type_name(environment_, candidate, pool_))) break;
    }
    expr.type = simple(TypeKind::kError);
    if (!named) {
      for (const auto& variable : environment_.variables()) {
        if (variable.name != expr.name) continue;
        return issues_.add(expr.position, "'" + format_type(*variable.type) + "' is not a type");
      }
      return undeclared(expr, expr.name);
    }
    const Type* type = named->params.empty() ? named : named->params[0];
    if (type->kind != TypeKind::kStruct) {
      issues_.add(expr.position, "'" + type->name + "' is not a message type");
      return;
    }
    expr.name = type->name;
    expr.type = type;
    for (size_t i = 0; i < expr.args.size(); ++i) {
      Expr& value = *expr.args[i];
      check(value);
      const Type* field = field_type(expr, type->name, expr.fields[i]);
      const Type* given = entry_type(value, expr.optional[i]);
      if (unifier_.assignable(*field, *given)) continue;
      issues_.add(value.position, "expected type of field '" + std::string(expr.fields[i]) + "' is '" +
                                      format_type(*field) + "' but provided type is '" + format_type(*given) + "'");
    }
  }

  void iteration_types(const Expr& range, const Type*& first, const Type*& second) {
    const Type* type = current(range);
    switch (type->kind) {
      case TypeKind::kList:
        second = type->params[0];
        first = second;
        break;
      case TypeKind::kMap:
        first = type->params[0];
        second = type->params[1];
        break;
      case TypeKind::kDyn:
      case TypeKind::kError:
      case TypeKind::kTypeParam:
        unifier_.assignable(*simple(TypeKind::kDyn), *type);
        first = second = simple(TypeKind::kDyn);
        break;
      default:
        issues_.add(range.position, "expression of type '" + format_type(*type) +
                                        "' cannot be range of a comprehension (must be list, map, or dynamic)");
        first = second = simple(TypeKind::kError);
    }
  }

  void must_be(const Expr& expr, const Type* type) {
    if (!unifier_.assignable(*type, *expr.type)) mismatch(expr, *type, *expr.type);
  }

  void check_comprehension(Expr& expr) {
    check(*expr.args[kRange]);
    check(*expr.args[kInit]);
    const Type *first = nullptr, *second = nullptr;
    const Type* accumulated = expr.args[kInit]->type;
    iteration_types(*expr.args[kRange], first, second);
    const bool of_list = current(*expr.args[kRange])->kind == TypeKind::kList;
    locals_.emplace_back(expr.accu_var, accumulated);
    const size_t outer = locals_.size();
    if (!expr.iter_var2.empty()) {
      locals_.emplace_back(expr.iter_var, of_list ? simple(TypeKind::kInt) : first);
      locals_.emplace_back(expr.iter_var2, second);
    } else {
      locals_.emplace_back(expr.iter_var, first);
    }
    check(*expr.args[kCondition]);
    must_be(*expr.args[kCondition], simple(TypeKind::kBool));
    check(*expr.args[kStep]);
    must_be(*expr.args[kStep], accumulated);
    locals_.resize(outer);
    check(*expr.args[kResult]);
    locals_.pop_back();
    expr.type = current(*expr.args[kResult]);
  }

  const Environment& environment_;
  Ast& ast_;
  TypePool& pool_;
  Issues& issues_;
  Unifier unifier_;
  int formats_ = 0;  // calls of string.format around what is checked
  std::vector<std::pair<std::string_view, const Type*>> locals_;
};

}  // namespace

void check(const Environment& environment, Ast& ast, TypePool& pool, Issues& issues) {
  Checker(environment, ast, pool, issues).run();
}

}  // namespace cel
