// The tokens of an expression. Private to this folder.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "cel/issues.h"

namespace cel {

enum class Token : uint8_t {
  kEnd,
  kIdent,
  kQuotedIdent,  // `a-b`, without its quotes
  kInt,
  kUint,
  kDouble,
  kString,
  kBytes,
  kTrue,
  kFalse,
  kNull,
  kIn,
  kPunctuation,  // one or two characters, in `text`
};

struct Lexeme {
  Token token = Token::kEnd;
  uint32_t position = 0;
  std::string_view text;  // as written

  bool is(std::string_view punctuation) const { return token == Token::kPunctuation && text == punctuation; }
};

// Always ends with kEnd. Characters that begin no token are reported and skipped.
std::vector<Lexeme> tokenize(std::string_view source, Issues& issues);

}  // namespace cel
