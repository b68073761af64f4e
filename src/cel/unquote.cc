// String and bytes literals to what they mean.
#include <cctype>

#include "cel/parser.h"
#include "codec/utf8.h"

namespace cel {

namespace {

bool simple_escape(char c, char& out) {
  static constexpr std::string_view kFrom = "abfnrtv\\'\"`?";
  static constexpr std::string_view kTo = "\a\b\f\n\r\t\v\\'\"`?";
  const size_t at = kFrom.find(c);
  if (at == std::string_view::npos) return false;
  out = kTo[at];
  return true;
}

struct Unquoter {
  std::string_view text;
  bool bytes = false;
  std::string& out;
  size_t at = 0;

  bool digits(size_t count, uint32_t base, uint32_t& value) {
    value = 0;
    if (at + count > text.size()) return false;
    for (size_t i = 0; i < count; ++i, ++at) {
      const auto c = static_cast<unsigned char>(text[at]);
      const uint32_t digit = std::isdigit(c) ? c - '0' : std::isxdigit(c) ? std::tolower(c) - 'a' + 10 : 99;
      if (digit >= base) return false;
      value = value * base + digit;
    }
    return true;
  }

  // After a backslash.
  bool escape() {
    if (at >= text.size()) return false;
    const char c = text[at];
    char plain = 0;
    if (simple_escape(c, plain)) {
      ++at;
      out += plain;
      return true;
    }
    uint32_t code = 0;
    if (c == 'x' || c == 'X') {
      ++at;
      if (!digits(2, 16, code)) return false;
    } else if (c == 'u' || c == 'U') {
      ++at;
      if (bytes || !digits(c == 'u' ? 4 : 8, 16, code)) return false;
      if (code > 0x10FFFF || (code >= 0xD800 && code <= 0xDFFF)) return false;
    } else if (c >= '0' && c <= '3') {
      if (!digits(3, 8, code)) return false;
    } else {
      return false;
    }
    if (bytes) {
      out += static_cast<char>(code);
    } else {
      codec::append_utf8(out, code);
    }
    return true;
  }
};

}  // namespace

bool unquote(std::string_view literal, std::string& out, std::string& reason) {
  bool raw = false, bytes = false;
  while (literal.front() != '"' && literal.front() != '\'') {
    (std::tolower(static_cast<unsigned char>(literal.front())) == 'r' ? raw : bytes) = true;
    literal.remove_prefix(1);
  }
  const size_t quotes = literal.size() >= 6 && literal[1] == literal[0] && literal[2] == literal[0] ? 3 : 1;
  Unquoter unquoter{literal.substr(quotes, literal.size() - 2 * quotes), bytes, out};
  for (const std::string_view text = unquoter.text; unquoter.at < text.size();) {
    const char c = text[unquoter.at++];
    if (c == '\r') {  // Compat: line ends are always one \n
      if (unquoter.at < text.size() && text[unquoter.at] == '\n') ++unquoter.at;
      out += '\n';
    } else if (c != '\\' || raw) {
      out += c;
    } else if (!unquoter.escape()) {
      reason = "unable to unescape string";
      return false;
    }
  }
  return true;
}

}  // namespace cel
