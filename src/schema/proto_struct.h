// Protobuf bytes ↔ generated C++ structs, driven by the tables. The bytes are upstream's: fields ascending, members
// without presence always written, maps sorted by key, lists never packed. On input: unknown fields are skipped, packed
// lists and any field order accepted, a repeated singular message is merged, depth and size are limited (limits.h). The
// message must have `ops` (a struct). src/gen/codec.h has the typed forms. Thread: any.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "schema/tables.h"

namespace schema {

// Appends the encoding of `object`, which is the struct of `message`, to `out`.
void encode_struct(const Message& message, const void* object, std::string& out);

// Merges `bytes` into `object`, which is the struct of `message` and is usually fresh. kBadRequest when they are
// malformed; `object` is then valid but unspecified.
[[nodiscard]] base::Result<void> decode_struct(const Message& message, std::string_view bytes, void* object);

}  // namespace schema
