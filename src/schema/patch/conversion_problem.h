// Why a patched tree makes no object of a type, in the words of upstream's converter of trees. It is asked only after
// the codec has refused the tree, so it may be slow. Pure; thread: any.
#pragma once

#include <optional>
#include <string>

#include "object/value.h"
#include "schema/tables.h"

namespace schema {

// Compat: a strategic merge patch goes from tree to struct without JSON between, with errors of its own:
// `cannot restore slice from string`. nullopt: nothing that this converter looks at is wrong.
std::optional<std::string> conversion_problem(const Message& message, const object::Value& value);

}  // namespace schema
