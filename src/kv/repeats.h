// A plain compressor for texts made of near copies: what occurred before, eight bytes or more of it, is replaced by
// where and how much. Versions of objects shrink to a few per cent, at about the cost of comparing them. In memory
// only: the form may change with the program. Pure; thread: any.
//
// Form: varint count of literal bytes, these, varint length of a copy, varint distance back to its source; and so on. A
// copy may overlap its source. Length 0, or the end after literals, ends it.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace kv {

// `text` has less than 4 GiB.
std::string pack_repeats(std::string_view text);
// The text of `size` bytes that `packed` was made of. Anything else is a bug.
std::string unpack_repeats(std::string_view packed, size_t size);

}  // namespace kv
