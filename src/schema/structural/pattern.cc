#include "schema/structural/pattern.h"

#include <re2/re2.h>

namespace schema {
namespace {

re2::RE2::Options options() {
  re2::RE2::Options options;
  options.set_log_errors(false);
  return options;
}

// `(?<name>` as RE2 of some years ago writes it. A `\(` before it is a literal; in a class nobody writes it.
std::string with_named_groups(const std::string& text) {
  std::string out;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\\' && i + 1 < text.size()) {
      out.append(text, i, 2);
      ++i;
    } else if (text.compare(i, 3, "(?<") == 0 && i + 3 < text.size() && text[i + 3] != '=' && text[i + 3] != '!') {
      out += "(?P<";
      i += 2;
    } else {
      out += text[i];
    }
  }
  return out;
}

// RE2's word for an error as Go's regexp has it.
std::string_view go_words(re2::RE2::ErrorCode code) {
  switch (code) {
    case re2::RE2::ErrorBadEscape:
      return "invalid escape sequence";
    case re2::RE2::ErrorBadCharClass:
      return "invalid character class";
    case re2::RE2::ErrorBadCharRange:
      return "invalid character class range";
    case re2::RE2::ErrorMissingBracket:
      return "missing closing ]";
    case re2::RE2::ErrorMissingParen:
      return "missing closing )";
    case re2::RE2::ErrorUnexpectedParen:
      return "unexpected )";
    case re2::RE2::ErrorTrailingBackslash:
      return "trailing backslash at end of expression";
    case re2::RE2::ErrorRepeatArgument:
      return "missing argument to repetition operator";
    case re2::RE2::ErrorRepeatSize:
      return "invalid repeat count";
    case re2::RE2::ErrorRepeatOp:
      return "invalid nested repetition operator";
    case re2::RE2::ErrorBadPerlOp:
      return "invalid or unsupported Perl syntax";
    case re2::RE2::ErrorBadUTF8:
      return "invalid UTF-8";
    case re2::RE2::ErrorBadNamedCapture:
      return "invalid named capture";
    case re2::RE2::ErrorPatternTooLarge:
      return "expression too large";
    default:
      return "unexpected error";
  }
}

}  // namespace

Pattern::~Pattern() { delete compiled_.load(std::memory_order_acquire); }

const re2::RE2& Pattern::compiled() const {
  if (const re2::RE2* ready = compiled_.load(std::memory_order_acquire)) return *ready;
  const auto* made = new re2::RE2(with_named_groups(text_), options());
  const re2::RE2* expected = nullptr;
  if (compiled_.compare_exchange_strong(expected, made, std::memory_order_acq_rel)) return *made;
  delete made;
  return *expected;
}

bool Pattern::matches(std::string_view value) const {
  const re2::RE2& expression = compiled();
  return expression.ok() && re2::RE2::PartialMatch(re2::StringPiece(value.data(), value.size()), expression);
}

std::string Pattern::error() const {
  const re2::RE2& expression = compiled();
  if (expression.ok()) return "";
  std::string out = "error parsing regexp: ";
  out += go_words(expression.error_code());
  const re2::RE2::ErrorCode code = expression.error_code();
  // Compat: Go quotes the whole expression where a bracket is missing, else the part at fault; two errors quote
  // nothing.
  if (code == re2::RE2::ErrorTrailingBackslash) return out + ": ``";
  const bool whole = code == re2::RE2::ErrorMissingParen || code == re2::RE2::ErrorUnexpectedParen;
  return out + ": `" + (whole ? text_ : expression.error_arg()) + '`';
}

}  // namespace schema
