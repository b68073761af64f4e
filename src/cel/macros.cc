#include "cel/macros.h"

#include <string>

namespace cel {

namespace {

// One macro call on its way to a comprehension.
struct Expansion {
  Ast& ast;
  const MacroSet& macros;
  Expr* call;
  Issues& issues;

  const std::vector<Expr*>& args() const { return call->args; }
  Expr* fail(const Expr* at, std::string message) const {
    issues.add(at->position, std::move(message));
    return nullptr;
  }
  Expr* accumulator() const { return ast.ident(call->position, kAccumulator); }
  Expr* literal(const Value& value) const { return ast.constant(call->position, value); }
  Expr* op(std::string_view name, std::vector<Expr*> operands) const {
    return ast.call(call->position, name, std::move(operands));
  }
  Expr* empty_map() const { return ast.make(ExprKind::kMap, call->position); }
  Expr* when(Expr* filter, Expr* step) const { return filter ? op("_?_:_", {filter, step, accumulator()}) : step; }

  bool variable(const Expr* arg, std::string_view what, std::string_view& name) const {
    if (arg->kind != ExprKind::kIdent) return fail(arg, std::string(what)) != nullptr;
    name = arg->name;
    if (name == kAccumulator || name == "__result__") {
      return fail(arg, "iteration variable overwrites accumulator variable") != nullptr;
    }
    return true;
  }

  // Reads one or two iteration variables off the front of the arguments.
  bool variables(size_t count, std::string_view what, Ast::Fold& fold) const {
    if (!variable(args()[0], what, fold.iter_var)) return false;
    if (count == 1) return true;
    if (!variable(args()[1], what, fold.iter_var2)) return false;
    if (fold.iter_var != fold.iter_var2) return true;
    return fail(args()[1], "duplicate variable name: " + std::string(fold.iter_var)) != nullptr;
  }

  Expr* fold(Ast::Fold fold) const {
    fold.range = call->target;
    fold.accu_var = kAccumulator;
    return ast.comprehension(call->position, fold);
  }

  Expr* quantifier(std::string_view name, size_t count) const {
    Ast::Fold parts{};
    if (!variables(count, "argument must be a simple name", parts)) return nullptr;
    Expr* predicate = args()[count];
    parts.result = accumulator();
    if (name == "all") {
      parts.init = literal(Value::of_bool(true));
      parts.condition = op("@not_strictly_false", {accumulator()});
      parts.step = op("_&&_", {accumulator(), predicate});
    } else if (name == "exists") {
      parts.init = literal(Value::of_bool(false));
      parts.condition = op("@not_strictly_false", {op("!_", {accumulator()})});
      parts.step = op("_||_", {accumulator(), predicate});
    } else {
      parts.init = literal(Value::of_int(0));
      parts.condition = literal(Value::of_bool(true));
      parts.step = when(predicate, op("_+_", {accumulator(), literal(Value::of_int(1))}));
      parts.result = op("_==_", {accumulator(), literal(Value::of_int(1))});
    }
    return fold(parts);
  }

  Expr* to_list(size_t count, std::string_view what, Expr* filter, Expr* element) const {
    Ast::Fold parts{};
    if (!variables(count, what, parts)) return nullptr;
    parts.init = ast.list(call->position, {});
    parts.condition = literal(Value::of_bool(true));
    parts.step = when(filter, op("_+_", {accumulator(), ast.list(call->position, {element})}));
    parts.result = accumulator();
    return fold(parts);
  }

  Expr* to_map(Expr* filter, Expr* value, bool entry) const {
    Ast::Fold parts{};
    if (!variables(2, "argument must be a simple name", parts)) return nullptr;
    parts.init = empty_map();
    parts.condition = literal(Value::of_bool(true));
    std::vector<Expr*> operands = {accumulator()};
    if (!entry) operands.push_back(ast.ident(call->position, parts.iter_var));
    operands.push_back(value);
    parts.step = when(filter, op("cel.@mapInsert", std::move(operands)));
    parts.result = accumulator();
    return fold(parts);
  }

  // A name for a value while `body` is evaluated.
  Expr* bind(std::string_view name, Expr* value, Expr* body) const {
    Ast::Fold parts{};
    parts.range = ast.list(call->position, {});
    parts.iter_var = "#unused";
    parts.accu_var = name;
    parts.init = value;
    parts.condition = literal(Value::of_bool(false));
    parts.step = ast.ident(call->position, name);
    parts.result = body;
    return ast.comprehension(call->position, parts);
  }

  Expr* optional_map(bool flat) const {
    if (args()[0]->kind != ExprKind::kIdent) {
      return fail(args()[0],
                  std::string(flat ? "optFlatMap" : "optMap") + "() variable name must be a simple identifier");
    }
    Expr* value = ast.member_call(call->position, "value", ast.copy(*call->target), {});
    Expr* mapped = bind(args()[0]->name, value, args()[1]);
    if (!flat) mapped = op("optional.of", {mapped});
    return op("_?_:_",
              {ast.member_call(call->position, "hasValue", call->target, {}), mapped, op("optional.none", {})});
  }

  Expr* sort_by() const {
    constexpr std::string_view kInput = "@__sortBy_input__";
    Ast::Fold parts{};
    if (!variables(1, "argument is not an identifier", parts)) return nullptr;
    parts.range = ast.ident(call->position, kInput);
    parts.init = ast.list(call->position, {});
    parts.condition = literal(Value::of_bool(true));
    parts.step = op("_+_", {accumulator(), ast.list(call->position, {args()[1]})});
    parts.result = accumulator();
    parts.accu_var = kAccumulator;
    Expr* keys = ast.comprehension(call->position, parts);
    Expr* sorted = ast.member_call(call->position, "@sortByAssociatedKeys", ast.ident(call->position, kInput), {keys});
    return bind(kInput, call->target, sorted);
  }

  // cel.block([a, b], body) of the conformance data: the slots @index0, @index1, … in scope of what follows them.
  Expr* block() const {
    if (args()[0]->kind != ExprKind::kList)
      return fail(args()[0], "cel.block requires the first arg to be a list literal");
    Expr* body = args()[1];
    for (size_t i = args()[0]->args.size(); i-- > 0;) {
      body = bind(ast.text("@index" + std::to_string(i)), args()[0]->args[i], body);
    }
    return body;
  }

  Expr* numbered(std::string_view prefix) const {
    std::string name(prefix);
    for (const Expr* arg : args()) {
      if (arg->kind != ExprKind::kConst || arg->constant.kind() != Kind::kInt || arg->constant.as_int() < 0) {
        return fail(arg, "cel." + std::string(call->name) + " requires non-negative int constants");
      }
      name += (prefix == "@index" ? "" : ":") + std::to_string(arg->constant.as_int());
    }
    return ast.ident(call->position, ast.text(name));
  }

  static bool numeric_like(const Expr* arg) {
    switch (arg->kind) {
      case ExprKind::kConst:
        return arg->constant.kind() == Kind::kInt || arg->constant.kind() == Kind::kUint ||
               arg->constant.kind() == Kind::kDouble;
      case ExprKind::kMap:
      case ExprKind::kStruct:
        return false;
      case ExprKind::kList:
        return false;
      default:
        return true;
    }
  }
  Expr* extremum() const {
    const std::string name = "math." + std::string(call->name) + "()";
    if (args().empty()) return fail(call->target, name + " requires at least one argument");
    if (args().size() == 1) {
      const Expr* only = args()[0];
      bool fine = numeric_like(only);
      if (only->kind == ExprKind::kList) {
        fine = !only->args.empty();
        for (const Expr* element : only->args) fine = fine && numeric_like(element);
      }
      if (!fine) return fail(only, name + " invalid single argument value");
    } else {
      for (const Expr* arg : args()) {
        if (!numeric_like(arg)) return fail(arg, name + " simple literal arguments must be numeric");
      }
    }
    const std::string_view function = call->name == "greatest" ? "math.@max" : "math.@min";
    if (args().size() <= 2) return op(function, args());
    return op(function, {ast.list(call->position, args())});
  }

  Expr* of_list_macros() const {
    const std::string_view name = call->name;
    const size_t count = args().size();
    const bool quantifies = name == "all" || name == "exists" || name == "exists_one" || name == "existsOne";
    if (quantifies && count == 2) return quantifier(name, 1);
    if (name == "map" && count == 2) return to_list(1, "argument is not an identifier", nullptr, args()[1]);
    if (name == "map" && count == 3) return to_list(1, "argument is not an identifier", args()[1], args()[2]);
    if (name == "filter" && count == 2) {
      return to_list(1, "argument is not an identifier", args()[1], args()[0]);
    }
    if (name == "sortBy" && count == 2 && macros.sort_by) return sort_by();
    if (macros.optionals && count == 2 && (name == "optMap" || name == "optFlatMap")) {
      return optional_map(name == "optFlatMap");
    }
    if (!macros.two_variables || (count != 3 && count != 4)) return call;
    if (quantifies && count == 3) return quantifier(name, 2);
    Expr* filter = count == 4 ? args()[2] : nullptr;
    if (name == "transformList") return to_list(2, "argument must be a simple name", filter, args().back());
    if (name == "transformMap") return to_map(filter, args().back(), false);
    if (name == "transformMapEntry") return to_map(filter, args().back(), true);
    return call;
  }

  Expr* of_namespace_macros() const {
    const std::string_view space = call->target->name, name = call->name;
    if (space == "math" && macros.math && (name == "greatest" || name == "least")) return extremum();
    if (space != "cel") return of_list_macros();
    if (name == "bind" && args().size() == 3 && macros.bind) {
      if (args()[0]->kind != ExprKind::kIdent)
        return fail(args()[0], "cel.bind() variable names must be simple identifiers");
      return bind(args()[0]->name, args()[1], args()[2]);
    }
    if (!macros.block) return call;
    if (name == "block" && args().size() == 2) return block();
    if (name == "index" && args().size() == 1) return numbered("@index");
    if (name == "iterVar" && args().size() == 2) return numbered("@it");
    if (name == "accuVar" && args().size() == 2) return numbered("@ac");
    return call;
  }
};

}  // namespace

Expr* expand_macro(Ast& ast, const MacroSet& macros, Expr* call, Issues& issues) {
  const Expansion expansion{ast, macros, call, issues};
  if (call->target) {
    return call->target->kind == ExprKind::kIdent ? expansion.of_namespace_macros() : expansion.of_list_macros();
  }
  if (call->name != "has" || call->args.size() != 1) return call;
  const Expr* field = call->args[0];
  if (field->kind != ExprKind::kSelect) return expansion.fail(field, "invalid argument to has() macro");
  Expr* test = ast.select(call->position, field->target, field->name);
  test->test_only = true;
  return test;
}

}  // namespace cel
