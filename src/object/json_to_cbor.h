// JSON text to CBOR without a tree between: for what is stored as JSON (custom objects, field sets, raw extensions) and
// for answers that are made as JSON text (tables). Thread: any.
#pragma once

#include <string>
#include <string_view>

#include "codec/cbor.h"

namespace object {

// One value with nothing but white space around it. Of members that repeat the last counts. False: it is no JSON, and
// nothing was written.
bool write_json(codec::CborWriter& writer, std::string_view json);
// The members of an object, without its braces, into the map that is open.
bool write_json_members(codec::CborWriter& writer, std::string_view members);

// The whole with the tag that says that it is CBOR; "" when it is no JSON.
std::string cbor_of_json(std::string_view json);

}  // namespace object
