// The fields that the creation of an object sets, straight from its encoding or its struct. Internal to schema/apply.
// Pure; thread: any.
#pragma once

#include <optional>
#include <string_view>

#include "schema/fieldpath/field_set.h"
#include "schema/tables.h"

namespace schema {

// What compare() of an empty object with the message's JSON tree finds added or modified. The set views `bytes`.
// nullopt: the bytes are malformed, or hold what only the tree can tell (free-form JSON): compare the trees then.
std::optional<FieldSet> new_fields(Arena& arena, const Message& message, std::string_view bytes);
// The same of a struct of the message, which the set views then.
std::optional<FieldSet> new_fields(Arena& arena, const Message& message, const void* object);

}  // namespace schema
