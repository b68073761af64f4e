// UTF-8: validity, and the repair that Go's encoding/json makes. Pure.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace codec {

// Length (1 to 4) of the valid sequence that `text` starts with; 0 when its first byte starts none (overlong forms,
// surrogates, values above U+10FFFF and cut-off sequences are invalid).
size_t utf8_sequence_length(std::string_view text);

bool utf8_valid(std::string_view text);

// Every invalid byte becomes one U+FFFD.
std::string utf8_repaired(std::string_view text);

// Number of code points; an invalid byte counts as one.
size_t utf8_count(std::string_view text);

// Appends the code point (surrogates and values above U+10FFFF become U+FFFD).
void append_utf8(std::string& out, uint32_t code_point);

}  // namespace codec
