// What differs between two encodings of a message, as two trees that are small when the difference is. Pure; thread:
// any.
#pragma once

#include <string_view>

#include "base/result.h"
#include "object/value.h"
#include "schema/tables.h"

namespace schema {

struct Difference {
  object::Value before{object::Object()};
  object::Value after{object::Object()};
};

// The JSON trees of both without the members that they share, without kind and apiVersion, and without
// metadata.managedFields. To a comparison by field (schema/apply) the two are as the whole trees:
// - A member stands in a tree when it stands in the whole tree and has other bytes, or is missing, in the other one.
// - Of an item of a keyed list the key members are always there, so that the item can be told; the item itself stands
//   in both trees whenever the list differs.
// - Lists that are not keyed, and maps, stand whole.
[[nodiscard]] base::Result<Difference> decode_difference(const Message& message, std::string_view before,
                                                         std::string_view after);

}  // namespace schema
