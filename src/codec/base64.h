// Base64, RFC 4648. Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace codec {

// Standard alphabet with padding.
void append_base64(std::string& out, std::string_view bytes);
std::string base64(std::string_view bytes);

// Nothing when the text is no standard base64. Padding is required; CR and LF are ignored (as Go's encoding/json reads
// a []byte); unused bits of the last character may be set.
std::optional<std::string> parse_base64(std::string_view text);
// The offset of the first byte that makes the text malformed (Go's "illegal base64 data at input byte N"); npos if
// none.
size_t base64_error_offset(std::string_view text);

// URL-safe alphabet without padding (JWT).
std::string base64url(std::string_view bytes);
std::optional<std::string> parse_base64url(std::string_view text);

}  // namespace codec
