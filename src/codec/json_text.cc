#include "codec/json_text.h"

#include <array>
#include <charconv>
#include <cmath>

#include "codec/utf8.h"

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

namespace codec {
namespace {

constexpr char kHex[] = "0123456789abcdef";

constexpr bool needs_care(unsigned char c) {
  return c < 0x20 || c >= 0x80 || c == '"' || c == '\\' || c == '<' || c == '>' || c == '&';
}
constexpr std::array<bool, 256> kNeedsCare = [] {
  std::array<bool, 256> table{};
  for (size_t i = 0; i < 256; ++i) table[i] = needs_care(static_cast<unsigned char>(i));
  return table;
}();

// The offset of the first byte from `at` on that is not copied as it is, or the size.
size_t find_care(std::string_view text, size_t at) {
#if defined(__SSE2__)
  for (; at + 16 <= text.size(); at += 16) {
    const __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(text.data() + at));
    // Signed: bytes from 0x80 on are below 0x20 too. '<' and '>' differ in bit 1, '"' and '&' in bit 2.
    __m128i hit = _mm_cmplt_epi8(bytes, _mm_set1_epi8(0x20));
    hit = _mm_or_si128(hit, _mm_cmpeq_epi8(_mm_or_si128(bytes, _mm_set1_epi8(2)), _mm_set1_epi8('>')));
    hit = _mm_or_si128(hit, _mm_cmpeq_epi8(_mm_or_si128(bytes, _mm_set1_epi8(4)), _mm_set1_epi8('&')));
    hit = _mm_or_si128(hit, _mm_cmpeq_epi8(bytes, _mm_set1_epi8('\\')));
    if (const int mask = _mm_movemask_epi8(hit)) return at + static_cast<size_t>(__builtin_ctz(mask));
  }
#endif
  while (at < text.size() && !kNeedsCare[static_cast<unsigned char>(text[at])]) ++at;
  return at;
}

void append_escape(std::string& out, unsigned char c) {
  switch (c) {
    case '"':
      out += "\\\"";
      return;
    case '\\':
      out += "\\\\";
      return;
    case '\b':
      out += "\\b";
      return;
    case '\f':
      out += "\\f";
      return;
    case '\n':
      out += "\\n";
      return;
    case '\r':
      out += "\\r";
      return;
    case '\t':
      out += "\\t";
      return;
    default: {
      const char text[] = {'\\', 'u', '0', '0', kHex[c >> 4], kHex[c & 15]};
      out.append(text, sizeof(text));
    }
  }
}

// U+2028 or U+2029 at the start of a valid sequence.
bool is_line_separator(std::string_view text) {
  return text.size() >= 3 && text[0] == '\xE2' && text[1] == '\x80' && (text[2] == '\xA8' || text[2] == '\xA9');
}

// Compat: strconv.IsPrint, in ranges: Go does not print spaces other than U+0020, controls, format characters,
// private use and non-characters.
bool printable(uint32_t c) {
  if (c < 0x20 || (c >= 0x7F && c <= 0xA0) || c == 0xAD) return false;
  if (c == 0x1680 || c == 0x180E || c == 0x3000 || c == 0xFEFF) return false;
  if ((c >= 0x2000 && c <= 0x200F) || (c >= 0x2028 && c <= 0x202F) || (c >= 0x205F && c <= 0x206F)) return false;
  if ((c >= 0xE000 && c <= 0xF8FF) || (c >= 0xFFF0 && c <= 0xFFFB)) return false;
  if ((c & 0xFFFE) == 0xFFFE || c >= 0xE01F0 || (c >= 0xE0000 && c < 0xE0100)) return false;
  return true;
}

uint32_t code_point(std::string_view sequence) {
  const auto byte = [&](size_t i) { return static_cast<uint32_t>(static_cast<unsigned char>(sequence[i])); };
  switch (sequence.size()) {
    case 1:
      return byte(0);
    case 2:
      return (byte(0) & 0x1F) << 6 | (byte(1) & 0x3F);
    case 3:
      return (byte(0) & 0x0F) << 12 | (byte(1) & 0x3F) << 6 | (byte(2) & 0x3F);
    default:
      return (byte(0) & 0x07) << 18 | (byte(1) & 0x3F) << 12 | (byte(2) & 0x3F) << 6 | (byte(3) & 0x3F);
  }
}

void append_hex(std::string& out, uint32_t value, int digits) {
  for (int shift = (digits - 1) * 4; shift >= 0; shift -= 4) out += kHex[value >> shift & 15];
}

}  // namespace

void append_json_escaped(std::string& out, std::string_view text) {
  size_t clean = 0;  // start of the run that is copied as it is
  for (size_t at = find_care(text, 0); at < text.size(); at = find_care(text, at)) {
    const auto c = static_cast<unsigned char>(text[at]);
    size_t length = 1;
    if (c >= 0x80) {
      length = utf8_sequence_length(text.substr(at));
      if (length != 0 && !is_line_separator(text.substr(at))) {
        at += length;
        continue;
      }
    }
    out.append(text, clean, at - clean);
    if (c < 0x80) {
      append_escape(out, c);
    } else if (length == 0) {
      out += "\\ufffd";
      length = 1;
    } else {
      out += text[at + 2] == '\xA8' ? "\\u2028" : "\\u2029";
    }
    at += length;
    clean = at;
  }
  out.append(text, clean);
}

void append_json_string(std::string& out, std::string_view text) {
  out += '"';
  append_json_escaped(out, text);
  out += '"';
}

void append_json_int(std::string& out, int64_t value) {
  char digits[24];
  out.append(digits, std::to_chars(digits, digits + sizeof(digits), value).ptr);
}

void append_json_uint(std::string& out, uint64_t value) {
  char digits[24];
  out.append(digits, std::to_chars(digits, digits + sizeof(digits), value).ptr);
}

void append_json_double(std::string& out, double value) {
  if (!std::isfinite(value)) {
    out += "null";
    return;
  }
  // d.ddde±xx, then laid out as Go does: std::to_chars in fixed form would print digits beyond the shortest ones.
  char text[40];
  const auto end = std::to_chars(text, text + sizeof(text), value, std::chars_format::scientific).ptr;
  std::string_view scientific(text, static_cast<size_t>(end - text));
  if (scientific.front() == '-') {
    out += '-';
    scientific.remove_prefix(1);
  }
  const size_t e = scientific.find('e');
  int exponent = 0;
  std::from_chars(scientific.data() + e + (scientific[e + 1] == '+' ? 2 : 1), end, exponent);
  std::string digits(1, scientific[0]);
  if (e > 2) digits.append(scientific.substr(2, e - 2));
  const int count = static_cast<int>(digits.size());
  if (value != 0 && (exponent < -6 || exponent >= 21)) {
    out += digits[0];
    if (count > 1) out.append(1, '.').append(digits, 1);
    out.append(1, 'e').append(1, exponent < 0 ? '-' : '+');
    append_json_int(out, exponent < 0 ? -exponent : exponent);
  } else if (exponent < 0) {
    out.append("0.").append(static_cast<size_t>(-exponent - 1), '0').append(digits);
  } else if (exponent + 1 >= count) {
    out.append(digits).append(static_cast<size_t>(exponent + 1 - count), '0');
  } else {
    out.append(digits, 0, static_cast<size_t>(exponent) + 1).append(1, '.');
    out.append(digits, static_cast<size_t>(exponent) + 1);
  }
}

void append_json_compacted(std::string& out, std::string_view json) {
  bool in_string = false;
  for (size_t i = 0; i < json.size(); ++i) {
    const char c = json[i];
    if (in_string && c == '\\' && i + 1 < json.size()) {
      out.append(json, i++, 2);
    } else if (c == '"') {
      in_string = !in_string;
      out += c;
    } else if (!in_string && (c == ' ' || c == '\t' || c == '\n' || c == '\r')) {
      continue;
    } else if (c == '<' || c == '>' || c == '&') {
      append_escape(out, static_cast<unsigned char>(c));
    } else if (is_line_separator(json.substr(i))) {
      out += json[i + 2] == '\xA8' ? "\\u2028" : "\\u2029";
      i += 2;
    } else {
      out += c;
    }
  }
}

void append_go_quoted(std::string& out, std::string_view text) {
  constexpr std::string_view kEscaped = "\a\b\f\n\r\t\v\\\"";
  constexpr std::string_view kLetters = "abfnrtv\\\"";
  out += '"';
  while (!text.empty()) {
    const size_t length = utf8_sequence_length(text);
    const auto first = static_cast<unsigned char>(text[0]);
    if (length == 0) {
      out += "\\x";
      append_hex(out, first, 2);
      text.remove_prefix(1);
      continue;
    }
    const uint32_t c = code_point(text.substr(0, length));
    const size_t escape = length == 1 ? kEscaped.find(text[0]) : std::string_view::npos;
    if (escape != std::string_view::npos) {
      out += '\\';
      out += kLetters[escape];
    } else if (printable(c)) {
      out.append(text.data(), length);
    } else if (c < 0x80) {
      out += "\\x";
      append_hex(out, c, 2);
    } else {
      out += c < 0x10000 ? "\\u" : "\\U";
      append_hex(out, c, c < 0x10000 ? 4 : 8);
    }
    text.remove_prefix(length);
  }
  out += '"';
}

std::string go_quoted(std::string_view text) {
  std::string out;
  out.reserve(text.size() + 2);
  append_go_quoted(out, text);
  return out;
}

}  // namespace codec
