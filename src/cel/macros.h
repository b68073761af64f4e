// Macros: calls that the parser replaces by a comprehension or a simpler tree. Private to this folder.
#pragma once

#include <cstdint>
#include <string_view>

#include "cel/ast.h"
#include "cel/issues.h"

namespace cel {

// Which macros an environment has.
struct MacroSet {
  bool two_variables = true;   // all(i, v, …), transformList, transformMap, …
  bool optionals = true;       // optMap, optFlatMap, a.?b, [?x]
  bool bind = true;            // cel.bind
  bool block = false;          // cel.block, cel.index, cel.iterVar, cel.accuVar of the conformance data
  bool sort_by = true;         // list.sortBy
  bool quoted_fields = false;  // a.`b-c`
  bool math = false;           // math.greatest, math.least
};

// The tree that replaces the call; the call itself when it is no macro; null after reporting what is wrong with it.
Expr* expand_macro(Ast& ast, const MacroSet& macros, Expr* call, Issues& issues);

}  // namespace cel
