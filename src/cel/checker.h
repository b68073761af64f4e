// The type checker: resolves names and overloads, gives every node its type. Private to this folder.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "cel/ast.h"
#include "cel/cel.h"
#include "cel/functions.h"
#include "cel/issues.h"

namespace cel {

// The full names that a name may mean in a container: a.b.x, a.x, x; with a leading dot only the last.
std::vector<std::string> candidate_names(std::string_view container, std::string_view name);

// The declared object type of that name; null when no provider has it.
const DeclType* find_object_type(const Environment& environment, std::string_view name);

// The type that a name stands for (int, google.protobuf.Timestamp, an object type): type(T); null when it is no type.
const Type* find_type_name(const Environment& environment, std::string_view name, TypePool& pool);

// Types live in `pool`, which must outlive the tree.
void check(const Environment& environment, Ast& ast, TypePool& pool, Issues& issues);

// Constant durations, timestamps and patterns that cannot be valid.
void check_literals(const Ast& ast, Issues& issues);

}  // namespace cel
