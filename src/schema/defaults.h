// The defaults that the schema itself states (`default=`), put into a Value. Kind-specific defaulting works on the
// structs and is elsewhere. Thread: any.
#pragma once

#include "object/value.h"
#include "schema/tables.h"

namespace schema {

// Fills members that are absent or null, at every depth of what is present. Members of lists and maps of messages too.
void apply_defaults(const Message& message, object::Value& value);

}  // namespace schema
