// Internal to object/json_parse.cc. Pure.
#pragma once

#include <string_view>

#include "object/value.h"

namespace object {

// False, with `out` in any state, when the text is malformed, too deep, has a repeated member, or is anything else that
// takes the careful parser to judge; true otherwise, and `out` is what that parser would give.
bool parse_json_simd(std::string_view text, Value& out);

}  // namespace object
