#include "cel/lexer.h"

#include <algorithm>
#include <cctype>

namespace cel {

namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; }

class Lexer {
 public:
  Lexer(std::string_view source, Issues& issues) : source_(source), issues_(issues) {}

  std::vector<Lexeme> run() {
    for (;;) {
      skip_blank();
      if (at_ >= source_.size()) break;
      next();
    }
    add(Token::kEnd, at_, 0);
    return std::move(out_);
  }

 private:
  char peek(size_t ahead = 0) const { return at_ + ahead < source_.size() ? source_[at_ + ahead] : '\0'; }

  void add(Token token, size_t start, size_t length) {
    out_.push_back({token, static_cast<uint32_t>(start), source_.substr(start, length)});
    at_ = start + length;
  }

  void skip_blank() {
    for (;;) {
      if (at_ < source_.size() && std::string_view(" \t\r\n\f").find(source_[at_]) != std::string_view::npos) {
        ++at_;
      } else if (peek() == '/' && peek(1) == '/') {
        at_ = std::min(source_.find('\n', at_), source_.size());
      } else {
        return;
      }
    }
  }

  void next() {
    const char c = peek();
    if (is_digit(c) || (c == '.' && is_digit(peek(1)))) return number();
    if (const size_t prefix = string_prefix(); prefix != std::string_view::npos) {
      if (string(prefix)) return;
    } else if (is_letter(c)) {
      return identifier();
    } else if (c == '`') {
      if (quoted_identifier()) return;
    } else if (punctuation()) {
      return;
    }
    unknown();
  }

  void unknown() {
    const size_t start = at_;
    if (source_[at_] == '"' || source_[at_] == '\'') {
      at_ =
          std::min(source_.find('\n', at_), source_.size());  // Compat: an open string fails up to the end of its line
    } else {
      do {
        ++at_;
      } while (at_ < source_.size() && (source_[at_] & 0xC0) == 0x80);
      // Compat: the generated lexer shows the blank after a lone operator character with it.
      if ((source_[start] == '|' || source_[start] == '&' || source_[start] == '=') && peek() != '\0') {
        issues_.add(static_cast<uint32_t>(start),
                    "Syntax error: token recognition error at: '" + std::string(source_.substr(start, 2)) + "'");
        return;
      }
    }
    issues_.add(static_cast<uint32_t>(start),
                "Syntax error: token recognition error at: '" + std::string(source_.substr(start, at_ - start)) + "'");
  }

  void identifier() {
    size_t end = at_;
    while (end < source_.size() && (is_letter(source_[end]) || is_digit(source_[end]))) ++end;
    const std::string_view word = source_.substr(at_, end - at_);
    Token token = Token::kIdent;
    if (word == "true") token = Token::kTrue;
    if (word == "false") token = Token::kFalse;
    if (word == "null") token = Token::kNull;
    if (word == "in") token = Token::kIn;
    add(token, at_, word.size());
  }

  bool quoted_identifier() {
    size_t end = at_ + 1;
    while (end < source_.size() && (is_letter(source_[end]) || is_digit(source_[end]) ||
                                    std::string_view(".-/ ").find(source_[end]) != std::string_view::npos)) {
      ++end;
    }
    if (end == at_ + 1 || end >= source_.size() || source_[end] != '`') return false;
    add(Token::kQuotedIdent, at_, end + 1 - at_);
    return true;
  }

  void number() {
    size_t end = at_;
    const auto digits = [&] {
      while (end < source_.size() && is_digit(source_[end])) ++end;
    };
    const auto at = [&](size_t i) { return i < source_.size() ? source_[i] : '\0'; };
    Token token = Token::kInt;
    if (peek() == '0' && peek(1) == 'x' && std::isxdigit(static_cast<unsigned char>(peek(2)))) {
      end += 2;
      while (std::isxdigit(static_cast<unsigned char>(at(end)))) ++end;
    } else {
      digits();
      if (at(end) == '.' && is_digit(at(end + 1))) {
        token = Token::kDouble;
        ++end;
        digits();
      }
      if (at(end) == 'e' || at(end) == 'E') {
        const size_t sign = at(end + 1) == '+' || at(end + 1) == '-' ? 1 : 0;
        if (is_digit(at(end + 1 + sign))) {
          token = Token::kDouble;
          end += 1 + sign;
          digits();
        }
      }
    }
    if (token == Token::kInt && (at(end) == 'u' || at(end) == 'U')) {
      token = Token::kUint;
      ++end;
    }
    add(token, at_, end - at_);
  }

  // The number of prefix letters (b, r and both) before a quote; npos when this is no string.
  size_t string_prefix() const {
    size_t letters = 0;
    bool bytes = false, raw = false;
    for (; letters < 2; ++letters) {
      const char c = static_cast<char>(std::tolower(static_cast<unsigned char>(peek(letters))));
      if (c == 'b' && letters == 0) {
        bytes = true;
      } else if (c == 'r' && !raw) {
        raw = true;
      } else {
        break;
      }
    }
    (void)bytes;
    return peek(letters) == '"' || peek(letters) == '\'' ? letters : std::string_view::npos;
  }

  bool string(size_t prefix) {
    const std::string_view letters = source_.substr(at_, prefix);
    const bool raw = letters.find_first_of("rR") != std::string_view::npos;
    const bool bytes = letters.find_first_of("bB") != std::string_view::npos;
    const char quote = peek(prefix);
    const bool triple = peek(prefix + 1) == quote && peek(prefix + 2) == quote;
    size_t end = at_ + prefix + (triple ? 3 : 1);
    for (; end < source_.size(); ++end) {
      const char c = source_[end];
      if (c == '\\' && !raw) {
        ++end;
      } else if (c == quote && (!triple || source_.substr(end, 3) == std::string(3, quote))) {
        add(bytes ? Token::kBytes : Token::kString, at_, end + (triple ? 3 : 1) - at_);
        return true;
      } else if (!triple && (c == '\n' || c == '\r')) {
        break;
      }
    }
    at_ += prefix;
    return false;
  }

  bool punctuation() {
    for (const std::string_view two : {"==", "!=", "<=", ">=", "&&", "||"}) {
      if (source_.substr(at_, 2) == two) {
        add(Token::kPunctuation, at_, 2);
        return true;
      }
    }
    if (std::string_view("<>[]{}().,-!?:+*/%").find(peek()) == std::string_view::npos) return false;
    add(Token::kPunctuation, at_, 1);
    return true;
  }

  std::string_view source_;
  Issues& issues_;
  size_t at_ = 0;
  std::vector<Lexeme> out_;
};

}  // namespace

std::vector<Lexeme> tokenize(std::string_view source, Issues& issues) { return Lexer(source, issues).run(); }

}  // namespace cel
