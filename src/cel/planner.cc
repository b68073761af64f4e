// From the tree to code. What a node costs at run time is decided here, so that the sums agree with upstream's tracker,
// which counts one for each variable and each field or index step of an attribute (interpreter/runtimecost.go), with
// these exceptions: the root of an attribute that is a branch of ?:, an index key or the operand of has() is free; a
// chain that starts at something else than a variable pays one for that start.
#include <re2/re2.h>

#include <algorithm>
#include <optional>

#include "cel/checker.h"
#include "cel/code.h"
#include "schema/structural/pattern.h"

namespace cel {

Code::Code() = default;
Code::~Code() = default;

namespace {

enum class Root : uint8_t { kPaid, kFree };

class Planner {
 public:
  Planner(const Environment& environment, Ast& ast, Code& code, Issues& issues)
      : environment_(environment), ast_(ast), code_(code), issues_(issues) {}

  void run() {
    code_.nodes.emplace_back();
    for (const auto& variable : environment_.variables()) code_.variables.push_back(variable.name);
    code_.used.assign(code_.variables.size(), 0);
    code_.root = plan(*ast_.root, Root::kPaid);
  }

 private:
  uint32_t add(Node node) {
    code_.nodes.push_back(node);
    return static_cast<uint32_t>(code_.nodes.size() - 1);
  }
  Node& node(uint32_t index) { return code_.nodes[index]; }

  uint32_t keep(const Value& value) {
    code_.constants.push_back(persist(value));
    return static_cast<uint32_t>(code_.constants.size() - 1);
  }
  uint32_t constant(const Value& value) { return add({Op::kConstant, 0, CostRule::kOne, keep(value)}); }
  bool is_constant(uint32_t index) { return node(index).op == Op::kConstant; }
  const Value& constant_at(uint32_t index) { return code_.constants[node(index).a]; }

  Value persist(const Value& value) {
    if (value.kind() == Kind::kString) return Value::of_string(code_.arena.copy(value.text()));
    if (value.kind() == Kind::kBytes) return Value::of_bytes(code_.arena.copy(value.text()));
    if (value.kind() == Kind::kType) return Value::of_type(persist_type(*value.as_type()));
    return value;
  }
  const Type* persist_type(const Type& type) {
    const Type* simple = simple_type(type.kind);
    if (simple->name == type.name && type.kind != TypeKind::kOpaque) return simple;
    return code_.types.add({type.kind, type.name, {}});
  }

  static bool is_attribute(const Expr& expr) {
    if (expr.kind == ExprKind::kIdent) return expr.slot != -2;
    if (expr.kind == ExprKind::kSelect) return !expr.test_only;
    return expr.kind == ExprKind::kCall &&
           (expr.name == "_[_]" || expr.name == "_?_:_" || expr.name == "_?._" || expr.name == "_[?_]");
  }

  uint32_t plan(Expr& expr, Root root) {
    switch (expr.kind) {
      case ExprKind::kConst:
        return constant(expr.constant);
      case ExprKind::kIdent:
        return plan_ident(expr, root);
      case ExprKind::kSelect:
        return plan_select(expr, root);
      case ExprKind::kCall:
        return plan_call(expr, root);
      case ExprKind::kList:
        return plan_list(expr);
      case ExprKind::kMap:
        return plan_map(expr);
      case ExprKind::kStruct:
        return plan_struct(expr);
      case ExprKind::kComprehension:
        return expr.is_bind ? plan_bind(expr) : plan_fold(expr);
    }
    return 0;
  }

  // --- names -------------------------------------------------------------------------------------------------------

  std::optional<uint32_t> local(std::string_view name) const {
    for (size_t i = locals_.size(); i-- > 0;) {
      if (locals_[i].first == name) return locals_[i].second;
    }
    return {};
  }
  uint32_t push_local(std::string_view name) {
    const uint32_t slot = static_cast<uint32_t>(locals_.size());
    locals_.emplace_back(name, slot);
    code_.frame = std::max(code_.frame, slot + 1);
    return slot;
  }

  // What an unchecked name means; nothing when it means no variable and no type.
  bool resolve_unchecked(Expr& expr, std::string_view name) {
    const auto& variables = environment_.variables();
    for (const std::string& candidate : candidate_names(environment_.container(), name)) {
      if (local(candidate)) {
        expr.slot = -1;
      } else if (const auto at = std::find_if(variables.begin(), variables.end(),
                                              [&](const auto& variable) { return variable.name == candidate; });
                 at != variables.end()) {
        expr.slot = static_cast<int>(at - variables.begin());
      } else if (const Type* type = find_type_name(environment_, candidate, code_.types)) {
        expr.slot = -2;
        expr.constant = Value::of_type(type->params.empty() ? type : type->params[0]);
      } else {
        continue;
      }
      expr.kind = ExprKind::kIdent;
      expr.name = ast_.text(candidate);
      expr.is_reference = true;
      return true;
    }
    return false;
  }

  uint32_t plan_ident(Expr& expr, Root root) {
    const uint8_t charge = root == Root::kPaid ? 1 : 0;
    if (!expr.is_reference && !resolve_unchecked(expr, expr.name)) {
      return add({Op::kUnknownName, charge, CostRule::kOne, keep(Value::of_string(expr.name))});
    }
    if (expr.slot == -2) return constant(expr.constant);
    if (expr.slot >= 0) {
      code_.used[static_cast<size_t>(expr.slot)] = 1;
      return add({Op::kGlobal, charge, CostRule::kOne, static_cast<uint32_t>(expr.slot)});
    }
    const auto slot = local(expr.name);
    return add({Op::kLocal, charge, CostRule::kOne, slot.value_or(0)});
  }

  // The operand of a field or index step and what the step costs.
  uint32_t plan_operand(Expr& operand, Root root, uint8_t& charge) {
    charge = 1;
    if (is_attribute(operand)) return plan(operand, root);
    if (root == Root::kPaid) ++charge;
    return plan(operand, Root::kPaid);
  }

  uint32_t plan_select(Expr& expr, Root root) {
    if (!expr.test_only && !expr.type) {
      const std::string name = qualified_name(expr);
      if (!name.empty() && !name_begins_local(name) && resolve_unchecked(expr, name)) return plan_ident(expr, root);
    }
    uint8_t charge = 0;
    const uint32_t operand = plan_operand(*expr.target, expr.test_only ? Root::kFree : root, charge);
    if (expr.test_only && environment_.functions().presence_costs) ++charge;
    return add(
        {expr.test_only ? Op::kHas : Op::kSelect, charge, CostRule::kOne, operand, keep(Value::of_string(expr.name))});
  }

  bool name_begins_local(std::string_view name) const { return local(name.substr(0, name.find('.'))).has_value(); }

  uint32_t plan_index(Expr& expr, Root root) {
    uint8_t charge = 0;
    const uint32_t operand = plan_operand(*expr.args[0], root, charge);
    Expr& key = *expr.args[1];
    const uint32_t index = plan(key, is_attribute(key) ? Root::kFree : Root::kPaid);
    if (expr.name == "_?._") {
      return add({Op::kOptionalSelect, charge, CostRule::kOne, operand, keep(key.constant)});
    }
    if (expr.name == "_[?_]") return add({Op::kOptionalIndex, charge, CostRule::kOne, operand, index});
    return add({Op::kIndex, charge, CostRule::kOne, operand, index});
  }

  // --- calls -------------------------------------------------------------------------------------------------------

  void resolve_function(Expr& expr) {
    if (expr.function) return;
    const FunctionTable& functions = environment_.functions();
    if (expr.target) {
      const std::string prefix = qualified_name(*expr.target);
      if (!prefix.empty()) {
        for (const std::string& name :
             candidate_names(environment_.container(), prefix + '.' + std::string(expr.name))) {
          if ((expr.function = functions.find(name))) {
            expr.target = nullptr;
            return;
          }
        }
      }
      expr.function = functions.find(expr.name);
      return;
    }
    for (const std::string& name : candidate_names(environment_.container(), expr.name)) {
      if ((expr.function = functions.find(name))) return;
    }
  }

  uint32_t plan_call(Expr& expr, Root root) {
    const std::string_view name = expr.name;
    if (!expr.target) {
      if (name == "_&&_" || name == "_||_") {
        const uint32_t left = plan(*expr.args[0], Root::kPaid), right = plan(*expr.args[1], Root::kPaid);
        return add({name == "_&&_" ? Op::kAnd : Op::kOr, 0, CostRule::kOne, left, right});
      }
      if (name == "_?_:_") return plan_ternary(expr);
      if (name == "_==_" || name == "_!=_") {
        const uint32_t left = plan(*expr.args[0], Root::kPaid), right = plan(*expr.args[1], Root::kPaid);
        return add({name == "_==_" ? Op::kEqual : Op::kNotEqual, 0, CostRule::kEquals, left, right});
      }
      if (name == "_[_]" || name == "_?._" || name == "_[?_]") return plan_index(expr, root);
      if (name == "@not_strictly_false")
        return add({Op::kNotStrictlyFalse, 1, CostRule::kOne, plan(*expr.args[0], Root::kPaid)});
    } else if ((name == "or" || name == "orValue") && expr.args.size() == 1 && expr.overloads.size() <= 1) {
      const uint32_t left = plan(*expr.target, Root::kPaid), right = plan(*expr.args[0], Root::kPaid);
      return add({name == "or" ? Op::kOptionalOr : Op::kOptionalOrValue, 0, CostRule::kNothing, left, right});
    }
    return plan_function(expr);
  }

  uint32_t plan_ternary(Expr& expr) {
    const uint32_t condition = plan(*expr.args[0], Root::kPaid);
    const auto branch = [&](Expr& arg) { return plan(arg, is_attribute(arg) ? Root::kFree : Root::kPaid); };
    const uint32_t yes = branch(*expr.args[1]), no = branch(*expr.args[2]);
    return add({Op::kTernary, 0, CostRule::kOne, condition, yes, no});
  }

  uint32_t plan_function(Expr& expr) {
    resolve_function(expr);
    std::vector<uint32_t> args;
    if (expr.target) args.push_back(plan(*expr.target, Root::kPaid));
    for (Expr* arg : expr.args) args.push_back(plan(*arg, Root::kPaid));
    if (expr.name == "@in" && args.size() == 2 && is_constant(args[1])) {
      if (const uint32_t member = plan_membership(args[0], constant_at(args[1]))) return member;
    }
    if (const uint32_t folded = fold_conversion(expr, args)) return folded;
    CallSite site;
    site.function = expr.function;
    site.overload = expr.overloads.size() == 1 ? expr.overloads[0] : nullptr;
    site.member = expr.target != nullptr;
    prepare(expr, args, site);
    const uint32_t first = add_children(args);
    code_.calls.push_back(site);
    // Compat: an overload that only the values decide has no cost of its own but that of its function.
    const CostRule rule =
        site.overload ? site.overload->cost : cost_rule(site.function ? site.function->name : expr.name, "");
    return add(
        {Op::kCall, 0, rule, first, static_cast<uint32_t>(args.size()), static_cast<uint32_t>(code_.calls.size() - 1)});
  }

  uint32_t add_children(const std::vector<uint32_t>& children) {
    const uint32_t first = static_cast<uint32_t>(code_.children.size());
    code_.children.insert(code_.children.end(), children.begin(), children.end());
    return first;
  }

  void note(std::string problem) {
    if (code_.problem.empty()) code_.problem = std::move(problem);
  }

  // A pattern that is constant is compiled once.
  void prepare(const Expr& expr, const std::vector<uint32_t>& args, CallSite& site) {
    const bool pattern = expr.function && (expr.function->name == "matches" || expr.function->name == "find" ||
                                           expr.function->name == "findAll");
    if (!pattern || args.size() < 2 || !is_constant(args[1]) || !constant_at(args[1]).is_string()) return;
    RE2::Options options;
    options.set_log_errors(false);
    const std::string_view text = constant_at(args[1]).text();
    auto compiled = std::make_unique<RE2>(re2::StringPiece(text.data(), text.size()), options);
    if (!compiled->ok()) return note(schema::Pattern(std::string(text)).error());
    site.prepared = compiled.get();
    code_.patterns.push_back(std::move(compiled));
  }

  // x in [constants]: a table, which costs nothing to look into. 0 when some member is no simple value.
  uint32_t plan_membership(uint32_t value, const Value& list) {
    if (list.kind() != Kind::kList) return 0;
    if (list.size() == 0) return constant(Value::of_bool(false));
    std::vector<MapEntry> entries;
    for (size_t i = 0; i < list.size(); ++i) {
      const Value& item = list.items()[i];
      switch (item.kind()) {
        case Kind::kBool:
        case Kind::kInt:
        case Kind::kUint:
        case Kind::kDouble:
        case Kind::kString:
          entries.push_back({item, item});
          break;
        default:
          return 0;
      }
    }
    code_.constants.push_back(Value::of_map(make_map(code_.arena, entries)));
    return add({Op::kInConstant, 0, CostRule::kOne, value, static_cast<uint32_t>(code_.constants.size() - 1)});
  }

  // Compat: type conversions of constants are computed once and cost nothing.
  uint32_t fold_conversion(const Expr& expr, const std::vector<uint32_t>& args) {
    static constexpr std::string_view kConversions[] = {"bool", "bytes",  "double",    "duration", "dyn",
                                                        "int",  "string", "timestamp", "type",     "uint"};
    if (args.size() != 1 || expr.target || !is_constant(args[0]) || !expr.function) return 0;
    if (std::ranges::find(kConversions, expr.function->name) == std::end(kConversions)) return 0;
    Arena scratch;
    CallContext context{scratch};
    const Value& arg = constant_at(args[0]);
    for (const Overload& overload : expr.function->overloads) {
      if (overload.member || !overload.native || !accepts(overload, {&arg, 1})) continue;
      const Value result = overload.native(context, {&arg, 1});
      if (result.is_error()) note(std::string(result.message()));
      return result.is_error() ? 0 : constant(result);
    }
    return 0;
  }

  // --- literals ----------------------------------------------------------------------------------------------------

  uint32_t plan_list(Expr& expr) {
    std::vector<uint32_t> items;
    bool constants = true, optional = false;
    for (size_t i = 0; i < expr.args.size(); ++i) {
      items.push_back(plan(*expr.args[i], Root::kPaid));
      constants = constants && is_constant(items.back());
      optional = optional || expr.optional[i];
    }
    if (constants && !optional) {
      Value* values = code_.arena.allocate_array<Value>(items.size());
      for (size_t i = 0; i < items.size(); ++i) values[i] = constant_at(items[i]);
      code_.constants.push_back(Value::of_list({values, items.size()}));
      return add({Op::kConstant, 0, CostRule::kOne, static_cast<uint32_t>(code_.constants.size() - 1)});
    }
    const uint32_t first = add_children(items);
    mark_optional(first, expr.optional);
    return add({Op::kList, kListCost, CostRule::kOne, first, static_cast<uint32_t>(items.size()), optional ? 1u : 0u});
  }

  void mark_optional(uint32_t first, const std::vector<char>& optional) {
    code_.optional_children.resize(code_.children.size(), 0);
    for (size_t i = 0; i < optional.size(); ++i) code_.optional_children[first + i] = optional[i];
  }

  static bool key_kind(Kind kind) {
    return kind == Kind::kString || kind == Kind::kInt || kind == Kind::kUint || kind == Kind::kBool;
  }

  uint32_t plan_map(Expr& expr) {
    std::vector<uint32_t> items;
    bool constants = true;
    for (Expr* arg : expr.args) {
      items.push_back(plan(*arg, Root::kPaid));
      constants = constants && is_constant(items.back());
    }
    const bool optional = std::ranges::find(expr.optional, 1) != expr.optional.end();
    if (constants && !optional) {
      if (const uint32_t folded = constant_map(items)) return folded;
    }
    const uint32_t first = add_children(items);
    mark_optional(first, expr.optional);
    return add({Op::kMap, kMapCost, CostRule::kOne, first, static_cast<uint32_t>(items.size() / 2)});
  }

  uint32_t constant_map(const std::vector<uint32_t>& items) {
    std::vector<MapEntry> entries;
    for (size_t i = 0; i + 1 < items.size(); i += 2) {
      const Value key = constant_at(items[i]);
      if (!key_kind(key.kind())) return 0;
      entries.push_back({key, constant_at(items[i + 1])});
    }
    Value repeated;
    const MapData* map = make_map_once(code_.arena, entries, repeated);
    if (!map) return 0;  // fails when evaluated
    code_.constants.push_back(Value::of_map(map));
    return add({Op::kConstant, 0, CostRule::kOne, static_cast<uint32_t>(code_.constants.size() - 1)});
  }

  uint32_t plan_struct(Expr& expr) {
    StructSite site;
    if (!expr.type || expr.type->kind != TypeKind::kStruct) {
      const Type* named = nullptr;
      for (const std::string& name : candidate_names(environment_.container(), expr.name)) {
        if ((named = find_type_name(environment_, name, code_.types))) break;
      }
      if (!named || named->params.empty() || named->params[0]->kind != TypeKind::kStruct) {
        issues_.add(expr.position, "unknown type: " + std::string(expr.name));
        return constant(Value::null());
      }
      site.type = code_.types.object(named->params[0]->name);
    } else {
      site.type = code_.types.object(expr.type->name);
    }
    std::vector<uint32_t> items;
    for (size_t i = 0; i < expr.args.size(); ++i) {
      items.push_back(plan(*expr.args[i], Root::kPaid));
      site.names.push_back(persist(Value::of_string(expr.fields[i])));
    }
    site.optional = expr.optional;
    code_.structs.push_back(std::move(site));
    const uint32_t first = add_children(items);
    return add({Op::kStruct, kStructCost, CostRule::kOne, first, static_cast<uint32_t>(items.size()),
                static_cast<uint32_t>(code_.structs.size() - 1)});
  }

  // --- comprehensions ----------------------------------------------------------------------------------------------

  uint32_t plan_bind(Expr& expr) {
    const uint32_t value = plan(*expr.args[kInit], Root::kPaid);
    const uint32_t slot = push_local(expr.accu_var);
    const uint32_t body = plan(*expr.args[kResult], Root::kPaid);
    locals_.pop_back();
    return add({Op::kBind, 0, CostRule::kOne, value, body, slot});
  }

  static bool is_accumulator(const Expr* expr) { return expr->kind == ExprKind::kIdent && expr->name == kAccumulator; }
  static bool is_call(const Expr* expr, std::string_view name, size_t args) {
    return expr->kind == ExprKind::kCall && expr->name == name && expr->args.size() == args && !expr->target;
  }

  // Comprehensions of the macros run without building what they accumulate anew in each round.
  void recognize(const Expr& expr, FoldSite& site, Expr*& filter, Expr*& element) {
    const Expr* step = expr.args[kStep];
    if (expr.accu_var != kAccumulator || !is_accumulator(expr.args[kResult])) return;
    const bool always = expr.args[kCondition]->kind == ExprKind::kConst;
    if (!always) {
      const bool all = is_call(step, "_&&_", 2);
      if ((!all && !is_call(step, "_||_", 2)) || !is_accumulator(step->args[0])) return;
      site.shape = all ? FoldShape::kAll : FoldShape::kExists;
      element = step->args[1];
      site.round_charge = all ? 3 : 4;
      return;
    }
    if (is_call(step, "_?_:_", 3) && is_accumulator(step->args[2])) {
      filter = step->args[0];
      step = step->args[1];
    }
    if (is_call(step, "_+_", 2) && is_accumulator(step->args[0]) && step->args[1]->kind == ExprKind::kList &&
        step->args[1]->args.size() == 1 && !step->args[1]->optional[0] && expr.args[kInit]->args.empty() &&
        expr.args[kInit]->kind == ExprKind::kList) {
      site.shape = FoldShape::kList;
      element = step->args[1]->args[0];
      site.round_charge = element->kind == ExprKind::kConst ? 2 : 2 + kListCost;
    } else if (is_call(step, "cel.@mapInsert", 3) && is_accumulator(step->args[0]) &&
               step->args[1]->kind == ExprKind::kIdent && step->args[1]->name == expr.iter_var) {
      site.shape = FoldShape::kInsert;
      element = step->args[2];
      site.round_charge = 3;
    } else if (is_call(step, "cel.@mapInsert", 2) && is_accumulator(step->args[0])) {
      site.shape = FoldShape::kInsertAll;
      element = step->args[1];
      site.round_charge = 2;
    } else {
      filter = nullptr;
    }
  }

  uint32_t plan_fold(Expr& expr) {
    FoldSite site;
    Expr *filter = nullptr, *element = nullptr;
    recognize(expr, site, filter, element);
    site.range = plan(*expr.args[kRange], Root::kPaid);
    site.init = plan(*expr.args[kInit], Root::kPaid);
    const size_t outer = locals_.size();
    site.accu = push_local(expr.accu_var);
    site.iter = push_local(expr.iter_var);
    site.two_variables = !expr.iter_var2.empty();
    if (site.two_variables) site.iter2 = push_local(expr.iter_var2);
    if (site.shape == FoldShape::kGeneral) {
      site.condition = plan(*expr.args[kCondition], Root::kPaid);
      site.step = plan(*expr.args[kStep], Root::kPaid);
    } else {
      if (filter) site.filter = plan(*filter, Root::kPaid);
      site.element = plan(*element, Root::kPaid);
    }
    locals_.resize(outer + 1);
    site.result = plan(*expr.args[kResult], Root::kPaid);
    locals_.resize(outer);
    code_.folds.push_back(site);
    return add({Op::kFold, 0, CostRule::kOne, static_cast<uint32_t>(code_.folds.size() - 1)});
  }

  const Environment& environment_;
  Ast& ast_;
  Code& code_;
  Issues& issues_;
  std::vector<std::pair<std::string_view, uint32_t>> locals_;
};

}  // namespace

void plan(const Environment& environment, Ast& ast, Code& code, Issues& issues) {
  Planner(environment, ast, code, issues).run();
}

}  // namespace cel
