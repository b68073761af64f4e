// The tree of one expression, from the parser through the checker to the planner. Nodes, names and constants live in
// the Ast. Positions are byte offsets into the source. Private to this folder. Thread: one.
#pragma once

#include <cstdint>
#include <deque>
#include <string>
#include <string_view>
#include <vector>

#include "cel/arena.h"
#include "cel/value.h"

namespace cel {

struct Overload;
struct Function;

enum class ExprKind : uint8_t { kConst, kIdent, kSelect, kCall, kList, kMap, kStruct, kComprehension };

// Where a comprehension keeps its parts in `args`.
enum ComprehensionPart : size_t { kRange, kInit, kCondition, kStep, kResult };

struct Expr {
  ExprKind kind = ExprKind::kConst;
  bool test_only = false;  // kSelect: has(…)
  bool is_bind = false;    // kComprehension: cel.bind and the like, which read nothing
  uint32_t position = 0;
  uint32_t id = 0;
  std::string_view name;  // identifier, field, function or type name
  Value constant;
  Expr* target = nullptr;   // operand of a select, receiver of a call
  std::vector<Expr*> args;  // arguments; elements; keys and values in turn; field values; parts of a comprehension
  std::vector<std::string_view> fields;  // kStruct
  std::vector<char> optional;            // kList, kMap, kStruct: the entry is written with '?'
  std::string_view iter_var, iter_var2, accu_var;
  uint32_t depth = 1;

  // What the checker finds.
  const Type* type = nullptr;
  const Function* function = nullptr;
  std::vector<const Overload*> overloads;
  int slot = -1;              // kIdent that is a declared variable
  bool is_reference = false;  // kIdent resolved, perhaps from a select
};

class Ast {
 public:
  Expr* make(ExprKind kind, uint32_t position);
  Expr* constant(uint32_t position, const Value& value);
  Expr* ident(uint32_t position, std::string_view name);
  Expr* select(uint32_t position, Expr* operand, std::string_view field);
  Expr* call(uint32_t position, std::string_view function, std::vector<Expr*> args);
  Expr* member_call(uint32_t position, std::string_view function, Expr* target, std::vector<Expr*> args);
  Expr* list(uint32_t position, std::vector<Expr*> elements);
  struct Fold {
    Expr* range;
    std::string_view iter_var, iter_var2, accu_var;
    Expr* init;
    Expr* condition;
    Expr* step;
    Expr* result;
  };
  Expr* comprehension(uint32_t position, const Fold& fold);
  Expr* copy(const Expr& expr);
  std::string_view text(std::string_view text) { return arena.copy(text); }
  static void set_depth(Expr& expr);

  Arena arena;
  std::deque<Expr> nodes;
  Expr* root = nullptr;
};

// The name of the variable in which comprehensions of macros accumulate; no source text can spell it.
inline constexpr std::string_view kAccumulator = "@result";

// a.b.c as text, when the expression is such a chain of identifiers ("" otherwise).
std::string qualified_name(const Expr& expr);

}  // namespace cel
