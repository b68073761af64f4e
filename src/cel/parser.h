// Source text to tree, macros expanded. Private to this folder.
#pragma once

#include <string_view>

#include "cel/ast.h"
#include "cel/issues.h"
#include "cel/macros.h"

namespace cel {

// Reports what is wrong to `issues` and leaves ast.root unset then.
void parse(std::string_view source, const MacroSet& macros, Ast& ast, Issues& issues);

// The value of a string or bytes literal as written, prefix and quotes included. False with a reason when an escape is
// not valid.
bool unquote(std::string_view literal, std::string& out, std::string& reason);

}  // namespace cel
