// The type JSONPatch of mutating admission policies: JSONPatch{op: "add", path: "/spec/a", value: 1}.
#pragma once

#include "cel/decl_type.h"

namespace cel {

// Adds the type; a literal of it evaluates to a Kind::kStruct with the fields that were given.
const DeclType* add_json_patch_type(DeclTypes& types);

}  // namespace cel
