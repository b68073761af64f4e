// Evaluation: one switch over flat nodes. Errors are values, which && and || absorb; a stop (cost, memory,
// cancellation) is an error that nothing absorbs.
#include <algorithm>
#include <array>
#include <cmath>

#include "cel/code.h"

namespace cel {

namespace {

constexpr std::string_view kCostExceeded = "operation cancelled: actual cost limit exceeded";
constexpr std::string_view kInterrupted = "operation interrupted";
constexpr size_t kInlineArgs = 6;

class Evaluator {
 public:
  Evaluator(const Code& code, Arena& arena, const Activation& variables, const EvaluateOptions& options)
      : code_(code), arena_(arena), variables_(variables), options_(options), memory_at_start_(arena.used()) {
    if (code.frame > frame_inline_.size()) frame_ = arena.allocate_array<Value>(code.frame);
  }

  Outcome run() {
    Outcome outcome;
    outcome.value = eval(code_.root);
    check_limits();
    outcome.cost = cost_;
    outcome.stop = stop_;
    if (stop_ != Stop::kNone) outcome.value = stopped();
    return outcome;
  }

 private:
  Value stopped() const { return Value::error(stop_ == Stop::kCancelled ? kInterrupted : kCostExceeded); }
  bool check_limits() {
    if (cost_ > options_.cost_limit && stop_ == Stop::kNone) stop_ = Stop::kCostExceeded;
    return stop_ != Stop::kNone;
  }
  // Once in each round of a comprehension.
  bool check_round() {
    if (++rounds_ % kCancelCheckInterval == 0) {
      if (options_.cancelled && options_.cancelled->load(std::memory_order_relaxed)) stop_ = Stop::kCancelled;
    }
    if (arena_.used() - memory_at_start_ > kMaxArenaBytes && stop_ == Stop::kNone) stop_ = Stop::kMemoryExceeded;
    return check_limits();
  }
  Value error(std::string_view message) { return Value::error(arena_, message); }
  static Value no_overload() { return Value::error("no such overload"); }
  Value missing_key(const Value& key) { return error("no such key: " + debug_text(key)); }

  Value eval(uint32_t index) {
    const Node& node = code_.nodes[index];
    cost_ += node.charge;
    switch (node.op) {
      case Op::kConstant:
        return code_.constants[node.a];
      case Op::kGlobal:
        return global(node.a);
      case Op::kLocal:
        return frame_[node.a];
      case Op::kUnknownName:
        return error("no such attribute(s): " + std::string(code_.constants[node.a].text()));
      case Op::kSelect:
        return select(eval(node.a), code_.constants[node.b]);
      case Op::kHas:
        return has(eval(node.a), code_.constants[node.b]);
      case Op::kOptionalSelect:
        return optional_step(eval(node.a), code_.constants[node.b], node.charge);
      case Op::kIndex:
        return index_into(node);
      case Op::kOptionalIndex:
        return optional_index(node);
      case Op::kAnd:
        return logical(node, false);
      case Op::kOr:
        return logical(node, true);
      case Op::kTernary:
        return ternary(node);
      case Op::kEqual:
      case Op::kNotEqual:
        return equality(node);
      case Op::kNotStrictlyFalse: {
        const Value value = eval(node.a);
        return value.is_bool() ? value : Value::of_bool(true);
      }
      case Op::kInConstant: {
        Value found;
        const Value value = eval(node.a);
        if (value.is_error()) return value;
        return Value::of_bool(is_key(value) && code_.constants[node.b].find(value, arena_, found));
      }
      case Op::kOptionalOr:
      case Op::kOptionalOrValue:
        return optional_or(node);
      case Op::kCall:
        return call(node);
      case Op::kList:
        return list(node);
      case Op::kMap:
        return map(node);
      case Op::kStruct:
        return make_struct(node);
      case Op::kFold:
        return fold(code_.folds[node.a]);
      case Op::kBind: {
        frame_[node.c] = eval(node.a);
        return eval(node.b);
      }
    }
    return no_overload();
  }

  Value global(uint32_t slot) {
    if (const Value* value = variables_.find(slot)) return *value;
    return error("no such attribute(s): " + code_.variables[slot]);
  }

  static bool is_key(const Value& value) {
    switch (value.kind()) {
      case Kind::kString:
      case Kind::kInt:
      case Kind::kUint:
      case Kind::kDouble:
      case Kind::kBool:
        return true;
      default:
        return false;
    }
  }

  // --- fields and indexes ------------------------------------------------------------------------------------------

  enum class Step : uint8_t { kFound, kMissing, kError };
  Step look(const Value& operand, const Value& key, Value& out) {
    switch (operand.kind()) {
      case Kind::kMap:
        if (!is_key(key)) {
          out = error("unsupported key type: " + runtime_type(key)->name);
          return Step::kError;
        }
        [[fallthrough]];
      case Kind::kStruct:
      case Kind::kOpaque:
        if (!operand.find(key, arena_, out)) return Step::kMissing;
        return out.is_error() ? Step::kError : Step::kFound;
      case Kind::kList:
        return look_in_list(operand, key, out);
      default:
        if (!code_.functions->cel_go_extras) return Step::kMissing;
        out = missing_key(key);
        return Step::kError;
    }
  }

  Step look_in_list(const Value& list, const Value& key, Value& out) {
    int64_t index = -1;
    if (key.kind() == Kind::kInt || (key.kind() == Kind::kUint && key.as_uint() <= INT64_MAX)) {
      index = key.as_int();
    } else if (key.kind() == Kind::kDouble && std::abs(key.as_double()) < 1e15 &&
               key.as_double() == std::floor(key.as_double())) {
      index = static_cast<int64_t>(key.as_double());
    } else if (key.kind() == Kind::kDouble || key.kind() == Kind::kUint) {
      out = error("unsupported index value '" + debug_text(key) + "' in list");
      return Step::kError;
    } else {
      out = error("unsupported index type '" + runtime_type(key)->name + "' in list");
      return Step::kError;
    }
    if (index < 0 || static_cast<uint64_t>(index) >= list.size()) return Step::kMissing;
    out = list.element(static_cast<size_t>(index), arena_);
    return out.is_error() ? Step::kError : Step::kFound;
  }

  Value missing(const Value& operand, const Value& key) {
    return operand.kind() == Kind::kList ? error("index out of bounds: " + debug_text(key)) : missing_key(key);
  }

  // One step from an optional: to an optional.
  Value step_in_optional(const Value& operand, const Value& key) {
    if (!operand.has_value()) return operand;
    Value found;
    switch (look(operand.unwrap(), key, found)) {
      case Step::kFound:
        return Value::optional_of(arena_, found);
      case Step::kError:
        return found;
      default:
        return Value::none();
    }
  }

  Value select(const Value& operand, const Value& field) {
    Value found;
    if (operand.kind() == Kind::kMap) {
      return operand.find_field(field.text(), arena_, found) ? found : missing_key(field);
    }
    if (operand.is_error()) return operand;
    if (operand.kind() == Kind::kOptional) return step_in_optional(operand, field);
    switch (look(operand, field, found)) {
      case Step::kMissing:
        return missing(operand, field);
      default:
        return found;
    }
  }

  Value has(const Value& operand, const Value& field) {
    if (operand.is_error()) return operand;
    if (operand.kind() == Kind::kOptional) {
      if (!operand.has_value()) return Value::of_bool(false);
      return has(operand.unwrap(), field);
    }
    if (operand.kind() == Kind::kMap || operand.kind() == Kind::kStruct || operand.kind() == Kind::kOpaque) {
      return Value::of_bool(operand.has_field(field.text(), arena_));
    }
    if (operand.kind() == Kind::kList) return error("unsupported index type 'string' in list");
    return code_.functions->cel_go_extras ? no_overload() : Value::of_bool(false);
  }

  Value optional_step(const Value& operand, const Value& key, uint8_t charge) {
    if (operand.is_error()) return operand;
    Value found;
    const bool was_optional = operand.kind() == Kind::kOptional;
    if (was_optional && !operand.has_value()) {
      cost_ -= charge;
      return operand;
    }
    switch (look(was_optional ? operand.unwrap() : operand, key, found)) {
      case Step::kFound:
        return Value::optional_of(arena_, found);
      case Step::kError:
        return found;
      default:
        cost_ -= std::min<uint64_t>(charge, 1);
        return Value::none();
    }
  }

  Value index_into(const Node& node) {
    const Value operand = eval(node.a);
    if (operand.is_error()) return operand;
    const Value key = eval(node.b);
    if (key.is_error()) return key;
    if (operand.kind() == Kind::kOptional) return step_in_optional(operand, key);
    Value found;
    return look(operand, key, found) == Step::kMissing ? missing(operand, key) : found;
  }

  Value optional_index(const Node& node) {
    const Value operand = eval(node.a);
    if (operand.is_error()) return operand;
    const Value key = eval(node.b);
    return key.is_error() ? key : optional_step(operand, key, node.charge);
  }

  // --- logic -------------------------------------------------------------------------------------------------------

  // `decisive` ends it: true for ||, false for &&.
  Value logical(const Node& node, bool decisive) {
    const Value left = eval(node.a);
    if (left.is_bool() && left.as_bool() == decisive) return left;
    const Value right = eval(node.b);
    if (right.is_bool() && right.as_bool() == decisive) return right;
    if (!left.is_bool()) return left.is_error() ? left : no_overload();
    if (!right.is_bool()) return right.is_error() ? right : no_overload();
    return Value::of_bool(!decisive);
  }

  Value ternary(const Node& node) {
    const Value condition = eval(node.a);
    if (condition.is_true()) return eval(node.b);
    if (condition.is_false()) return eval(node.c);
    return condition.is_error() ? condition : no_overload();
  }

  Value equality(const Node& node) {
    const std::array<Value, 2> args = {eval(node.a), eval(node.b)};
    if (args[0].is_error()) return args[0];
    if (args[1].is_error()) return args[1];
    const bool same = equal(args[0], args[1], arena_);
    const Value result = Value::of_bool(same == (node.op == Op::kEqual));
    cost_ += call_cost(node.cost, args, result, arena_);
    return result;
  }

  Value optional_or(const Node& node) {
    const Value left = eval(node.a);
    if (left.is_error()) return left;
    if (left.kind() != Kind::kOptional) return no_overload();
    if (left.has_value()) return node.op == Op::kOptionalOr ? left : left.unwrap();
    return eval(node.b);
  }

  // --- calls -------------------------------------------------------------------------------------------------------

  Value call(const Node& node) {
    std::array<Value, kInlineArgs> inline_args;
    Value* args = node.b <= kInlineArgs ? inline_args.data() : arena_.allocate_array<Value>(node.b);
    for (uint32_t i = 0; i < node.b; ++i) {
      args[i] = eval(code_.children[node.a + i]);
      if (args[i].is_error()) return args[i];
    }
    const CallSite& site = code_.calls[node.c];
    const std::span<const Value> given(args, node.b);
    const Overload* overload = site.overload;
    if (!overload || !accepts(*overload, given)) overload = pick(site, given);
    if (!overload) return no_matching(site);
    CallContext context{arena_, site.prepared};
    const Value result = overload->native(context, given);
    cost_ += node.cost == CostRule::kOne ? 1 : call_cost(node.cost, given, result, arena_);
    if (check_limits()) return stopped();
    return result;
  }

  static const Overload* pick(const CallSite& site, std::span<const Value> args) {
    if (!site.function) return nullptr;
    for (const Overload& overload : site.function->overloads) {
      if (overload.member == site.member && overload.native && accepts(overload, args)) return &overload;
    }
    return nullptr;
  }

  Value no_matching(const CallSite& site) { return site.function ? no_overload() : Value::error("unbound function"); }

  // --- literals ----------------------------------------------------------------------------------------------------

  Value list(const Node& node) {
    Value* items = arena_.allocate_array<Value>(node.b);
    size_t count = 0;
    for (uint32_t i = 0; i < node.b; ++i) {
      const Value item = eval(code_.children[node.a + i]);
      if (item.is_error()) return item;
      if (node.c == 0 || !code_.optional_children[node.a + i]) {
        items[count++] = item;
      } else if (item.kind() != Kind::kOptional) {
        return error("cannot initialize optional list element from non-optional value " + debug_text(item));
      } else if (item.has_value()) {
        items[count++] = item.unwrap();
      }
    }
    return Value::of_list({items, count});
  }

  Value map(const Node& node) {
    MapEntry* entries = arena_.allocate_array<MapEntry>(node.b);
    size_t count = 0;
    for (uint32_t i = 0; i < node.b; ++i) {
      const Value key = eval(code_.children[node.a + 2 * i]);
      if (key.is_error()) return key;
      if (!is_key(key) || key.kind() == Kind::kDouble) return error("unsupported key type: " + runtime_type(key)->name);
      Value value = eval(code_.children[node.a + 2 * i + 1]);
      if (value.is_error()) return value;
      if (code_.optional_children[node.a + i]) {
        if (value.kind() != Kind::kOptional) {
          return error("cannot initialize optional entry '" + debug_text(key) + "' from non-optional value " +
                       debug_text(value));
        }
        if (!value.has_value()) continue;
        value = value.unwrap();
      }
      entries[count++] = {key, value};
    }
    Value repeated;
    const MapData* map = make_map_once(arena_, {entries, count}, repeated);
    return map ? Value::of_map(map) : error("Failed with repeated key: " + debug_text(repeated));
  }

  Value make_struct(const Node& node) {
    const StructSite& site = code_.structs[node.c];
    MapEntry* entries = arena_.allocate_array<MapEntry>(node.b);
    size_t count = 0;
    for (uint32_t i = 0; i < node.b; ++i) {
      Value value = eval(code_.children[node.a + i]);
      if (value.is_error()) return value;
      if (site.optional[i]) {
        if (value.kind() != Kind::kOptional) {
          return error("cannot initialize optional entry '" + debug_text(site.names[i]) + "' from non-optional value " +
                       debug_text(value));
        }
        if (!value.has_value()) continue;
        value = value.unwrap();
      }
      entries[count++] = {site.names[i], value};
    }
    return Value::of_struct(site.type, make_map(arena_, {entries, count}));
  }

  // --- comprehensions ----------------------------------------------------------------------------------------------

  // Sets the iteration variables of a round.
  void bind_round(const FoldSite& site, const Value& range, size_t round) {
    if (range.kind() == Kind::kList) {
      if (site.two_variables) {
        frame_[site.iter] = Value::of_int(static_cast<int64_t>(round));
        frame_[site.iter2] = range.element(round, arena_);
      } else {
        frame_[site.iter] = range.element(round, arena_);
      }
      return;
    }
    frame_[site.iter] = range.key_at(round, arena_);
    if (site.two_variables) frame_[site.iter2] = range.value_at(round, arena_);
  }

  Value fold(const FoldSite& site) {
    const Value range = eval(site.range);
    if (range.is_error()) return range;
    if (range.kind() != Kind::kList && range.kind() != Kind::kMap) {
      return error("got '" + runtime_type(range)->name + "', expected iterable type");
    }
    switch (site.shape) {
      case FoldShape::kAll:
        return quantify(site, range, false);
      case FoldShape::kExists:
        return quantify(site, range, true);
      case FoldShape::kList:
        return collect(site, range);
      case FoldShape::kInsert:
        return insert(site, range);
      case FoldShape::kInsertAll:
        return insert_all(site, range);
      case FoldShape::kGeneral:
        break;
    }
    Value accumulated = eval(site.init);
    const size_t count = range.size();
    for (size_t round = 0; round < count; ++round) {
      if (check_round()) return stopped();
      bind_round(site, range, round);
      frame_[site.accu] = accumulated;
      if (eval(site.condition).is_false()) break;
      accumulated = eval(site.step);
    }
    frame_[site.accu] = accumulated;
    return eval(site.result);
  }

  Value quantify(const FoldSite& site, const Value& range, bool decisive) {
    Value result = Value::of_bool(!decisive);
    const size_t count = range.size();
    for (size_t round = 0; round < count; ++round) {
      if (check_round()) return stopped();
      bind_round(site, range, round);
      cost_ += site.round_charge;
      const Value holds = eval(site.element);
      if (holds.is_bool() && holds.as_bool() == decisive) {
        result = holds;
        if (round + 1 < count) cost_ += decisive ? 3 : 2;  // the condition that ends the loop
        break;
      }
      if (!holds.is_bool() && result.is_bool()) result = holds.is_error() ? holds : no_overload();
    }
    ++cost_;  // the accumulator as the result
    return result;
  }

  // Whether the round counts; an error otherwise than by false.
  bool filtered(const FoldSite& site, Value& error) {
    if (site.filter == 0) return true;
    const Value keep = eval(site.filter);
    if (!keep.is_bool()) error = keep.is_error() ? keep : no_overload();
    return keep.is_true();
  }

  // Gives the key and the element of every round that counts to `visit`, until that gives an error. The error that
  // ended it, or no error.
  template <typename Visit>
  Value each_kept(const FoldSite& site, const Value& range, const Visit& visit) {
    const size_t count = range.size();
    for (size_t round = 0; round < count; ++round) {
      if (check_round()) return stopped();
      bind_round(site, range, round);
      Value error;
      if (!filtered(site, error)) {
        if (error.is_error()) return error;
        continue;
      }
      cost_ += site.round_charge;
      const Value key = frame_[site.iter];
      const Value element = eval(site.element);
      if (element.is_error()) return element;
      const Value problem = visit(key, element);
      if (problem.is_error()) return problem;
    }
    ++cost_;
    return Value();
  }

  Value collect(const FoldSite& site, const Value& range) {
    Value* items = arena_.allocate_array<Value>(range.size());
    size_t kept = 0;
    const Value problem = each_kept(site, range, [&](const Value&, const Value& element) {
      items[kept++] = element;
      return Value();
    });
    return problem.is_error() ? problem : Value::of_list({items, kept});
  }

  Value insert(const FoldSite& site, const Value& range) {
    MapEntry* entries = arena_.allocate_array<MapEntry>(range.size());
    size_t kept = 0;
    const Value problem = each_kept(site, range, [&](const Value& key, const Value& value) {
      entries[kept++] = {key, value};
      return Value();
    });
    return problem.is_error() ? problem : Value::of_map(make_map(arena_, {entries, kept}));
  }

  // Each round gives a map, whose entries join the others.
  Value insert_all(const FoldSite& site, const Value& range) {
    std::vector<MapEntry> entries;
    const Value problem = each_kept(site, range, [&](const Value&, const Value& map) {
      if (map.kind() != Kind::kMap) return no_overload();
      for (size_t i = 0; i < map.size(); ++i) entries.push_back({map.key_at(i, arena_), map.value_at(i, arena_)});
      return Value();
    });
    if (problem.is_error()) return problem;
    Value repeated;
    const MapData* all = make_map_once(arena_, entries, repeated);
    return all ? Value::of_map(all) : error("insert failed: key " + debug_text(repeated) + " already exists");
  }

  const Code& code_;
  Arena& arena_;
  const Activation& variables_;
  const EvaluateOptions& options_;
  const size_t memory_at_start_;
  uint64_t cost_ = 0;
  uint64_t rounds_ = 0;
  Stop stop_ = Stop::kNone;
  std::array<Value, 8> frame_inline_;
  Value* frame_ = frame_inline_.data();
};

}  // namespace

Program::Program(std::unique_ptr<const Code> code) : code_(std::move(code)) {}
Program::Program(Program&&) noexcept = default;
Program& Program::operator=(Program&&) noexcept = default;
Program::~Program() = default;

Activation::Activation(const Program& program) : Activation(program.variable_count()) {}

Outcome Program::evaluate(Arena& arena, const Activation& variables, const EvaluateOptions& options) const {
  return Evaluator(*code_, arena, variables, options).run();
}

CostEstimate Program::estimated_cost() const { return code_->estimate; }
TypeKind Program::result_kind() const { return code_->result_kind; }
const std::string& Program::result_type() const { return code_->result_type; }
const std::string& Program::problem() const { return code_->problem; }
size_t Program::variable_count() const { return code_->variables.size(); }
bool Program::uses(size_t slot) const { return slot < code_->used.size() && code_->used[slot] != 0; }

size_t Program::memory() const {
  const Code& code = *code_;
  return sizeof(Code) + code.nodes.capacity() * sizeof(Node) + code.children.capacity() * sizeof(uint32_t) +
         code.constants.capacity() * sizeof(Value) + code.calls.capacity() * sizeof(CallSite) +
         code.folds.capacity() * sizeof(FoldSite) + code.arena.used() + code.types.size() * sizeof(Type);
}

}  // namespace cel
