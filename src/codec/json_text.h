// Pieces of JSON text, as Go's encoding/json writes them with HTML escaping on. Append only; pure.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace codec {

// The string in quotes. Escapes " \ and \b \f \n \r \t short, other control bytes, < > & U+2028 U+2029 as \u00xx;
// each invalid UTF-8 byte becomes \ufffd. Clean runs are found 16 bytes at a time and copied.
void append_json_string(std::string& out, std::string_view text);
// The same without the quotes.
void append_json_escaped(std::string& out, std::string_view text);

void append_json_int(std::string& out, int64_t value);
void append_json_uint(std::string& out, uint64_t value);
// The shortest text that reads back the same; exponent form below 1e-6 and from 1e21 (1e-7, 1e+21); no ".0" on whole
// numbers. The value is finite: JSON has no other (NaN and infinities are written as null).
void append_json_double(std::string& out, double value);

// JSON text as another writer embeds it (raw extensions): white space outside strings dropped, < > & U+2028 U+2029
// escaped inside them. The text is valid JSON.
void append_json_compacted(std::string& out, std::string_view json);

// Go's strconv.Quote: for names and values inside messages. Printable Unicode is kept.
void append_go_quoted(std::string& out, std::string_view text);
std::string go_quoted(std::string_view text);

}  // namespace codec
