// Field sets as metav1.FieldsV1 holds them: JSON objects with members "f:…", "k:…", "v:…", "i:…" and ".".
// Byte-compatible with upstream. Pure; thread: any.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "schema/fieldpath/field_set.h"

namespace schema {

void append_fields_v1(std::string& out, FieldSet set);

// Reads the text. The set's elements may view `text`, which outlives the arena's use; members of an unknown sort are
// skipped, any order and repeated members are fine. kBadRequest when it is no such JSON or deeper than
// codec::kMaxDepth.
base::Result<FieldSet> parse_fields_v1(Arena& arena, std::string_view text);

}  // namespace schema
