// The compiled form of an expression: a flat array of nodes that refer to each other by index. Private to this folder.
// Immutable once planned.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "cel/ast.h"
#include "cel/cel.h"
#include "cel/functions.h"
#include "cel/issues.h"

namespace re2 {
class RE2;
}

namespace cel {

enum class Op : uint8_t {
  kConstant,     // a: constant
  kGlobal,       // a: slot
  kLocal,        // a: frame slot
  kUnknownName,  // a: constant with the name
  kSelect,       // a: operand, b: constant with the field's name
  kHas,
  kOptionalSelect,
  kIndex,  // a: operand, b: key
  kOptionalIndex,
  kAnd,  // a, b
  kOr,
  kTernary,  // a, b, c
  kEqual,    // a, b; cost in `cost`
  kNotEqual,
  kNotStrictlyFalse,  // a
  kInConstant,        // a: value, b: constant map of the members
  kOptionalOr,        // a, b
  kOptionalOrValue,
  kCall,    // a: first child, b: count, c: call site
  kList,    // a: first child, b: count, c: 1 when some entries are optional
  kMap,     // a: first child, b: count of entries
  kStruct,  // a: first child, b: count, c: struct site
  kFold,    // a: fold site
  kBind,    // a: value, b: body, c: frame slot
};

struct Node {
  Op op = Op::kConstant;
  uint8_t charge = 0;  // added to the cost whenever the node is evaluated
  CostRule cost = CostRule::kOne;
  uint32_t a = 0, b = 0, c = 0;
};

struct CallSite {
  const Function* function = nullptr;  // null: no function of that name
  const Overload* overload = nullptr;  // set when the checker found exactly one
  bool member = false;
  const void* prepared = nullptr;
};

enum class FoldShape : uint8_t { kGeneral, kAll, kExists, kList, kInsert, kInsertAll };

struct FoldSite {
  FoldShape shape = FoldShape::kGeneral;
  bool two_variables = false;
  uint32_t range = 0, init = 0, condition = 0, step = 0, result = 0;
  uint32_t iter = 0, iter2 = 0, accu = 0;  // frame slots
  // Of the shapes: the predicate; or the filter (0: none) and the element or the value.
  uint32_t filter = 0, element = 0;
  uint8_t round_charge = 0;  // what one round costs besides predicate, filter and element
};

struct StructSite {
  const Type* type = nullptr;
  std::vector<Value> names;
  std::vector<char> optional;
};

struct Code {
  std::vector<Node> nodes;  // the first is never a node: 0 means none
  uint32_t root = 0;
  std::vector<uint32_t> children;
  std::vector<char> optional_children;  // beside `children`
  std::vector<Value> constants;
  std::vector<CallSite> calls;
  std::vector<FoldSite> folds;
  std::vector<StructSite> structs;
  std::vector<std::unique_ptr<re2::RE2>> patterns;
  std::vector<std::string> variables;
  std::vector<char> used;
  uint32_t frame = 0;
  Arena arena;
  TypePool types;
  std::shared_ptr<const FunctionTable> functions;
  std::vector<std::shared_ptr<const DeclTypes>> declared;
  TypeKind result_kind = TypeKind::kDyn;
  std::string result_type;
  std::string problem;  // of the first constant that cannot be what it is used as; "" = none
  CostEstimate estimate;

  Code();
  ~Code();
};

// Lays the (checked) tree out as code. Reports to `issues` what can only fail.
void plan(const Environment& environment, Ast& ast, Code& code, Issues& issues);

CostEstimate estimate_cost(const Environment& environment, const Ast& ast);

}  // namespace cel
