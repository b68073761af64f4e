#include "cel/parser.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstdlib>

#include "cel/lexer.h"
#include "cel/limits.h"

namespace cel {

namespace {

constexpr std::string_view kPrimaryTokens =
    "{'[', '{', '(', '.', '-', '!', 'true', 'false', 'null', NUM_FLOAT, NUM_INT, NUM_UINT, STRING, BYTES, IDENTIFIER}";
constexpr std::string_view kAfterTokens =
    "{<EOF>, '==', '!=', 'in', '<', '<=', '>=', '>', '&&', '||', '[', '.', '-', '?', '+', '*', '/', '%'}";

constexpr auto kReserved = std::to_array<std::string_view>(
    {"as",  "break", "const", "continue", "else",   "false",     "for",  "function", "if",   "import", "in",
     "let", "loop",  "null",  "package",  "return", "namespace", "true", "var",      "void", "while"});

struct Operator {
  std::string_view text;
  int level;  // binds tighter when higher
  std::string_view function;
};
constexpr Operator kOperators[] = {
    {"<", 1, "_<_"},  {"<=", 1, "_<=_"}, {">=", 1, "_>=_"}, {">", 1, "_>_"}, {"==", 1, "_==_"}, {"!=", 1, "_!=_"},
    {"in", 1, "@in"}, {"+", 2, "_+_"},   {"-", 2, "_-_"},   {"*", 3, "_*_"}, {"/", 3, "_/_"},   {"%", 3, "_%_"},
};
constexpr int kUnaryLevel = 4;

class Parser {
 public:
  Parser(std::string_view source, const MacroSet& macros, Ast& ast, Issues& issues)
      : macros_(macros), ast_(ast), issues_(issues), tokens_(tokenize(source, issues)) {}

  Expr* run() {
    Expr* root = expression();
    if (root && !at_end()) {
      const bool last = tokens_[at_ + 1].token == Token::kEnd;
      fail("Syntax error: " + std::string(last ? "extraneous" : "mismatched") + " input '" + shown(peek()) +
           "' expecting " + std::string(last ? std::string_view("<EOF>") : kAfterTokens));
      return nullptr;
    }
    return root;
  }

 private:
  const Lexeme& peek(size_t ahead = 0) const { return tokens_[std::min(at_ + ahead, tokens_.size() - 1)]; }
  bool at_end() const { return peek().token == Token::kEnd; }
  bool accept(std::string_view punctuation) {
    if (!peek().is(punctuation)) return false;
    ++at_;
    return true;
  }
  static std::string shown(const Lexeme& lexeme) {
    return lexeme.token == Token::kEnd ? "<EOF>" : std::string(lexeme.text);
  }
  std::nullptr_t fail(std::string message) { return fail_at(peek().position, std::move(message)); }
  std::nullptr_t fail_at(uint32_t position, std::string message) {
    issues_.add(position, std::move(message));
    return nullptr;
  }
  std::nullptr_t mismatched(std::string_view expected) {
    return fail("Syntax error: mismatched input '" + shown(peek()) + "' expecting " + std::string(expected));
  }
  std::nullptr_t too_deep() { return fail_at(0, "expression recursion limit exceeded: " + std::to_string(kMaxDepth)); }
  // Macros may add a few levels to each that the source has.
  Expr* sized(Expr* expr) {
    if (expr && (expr->depth > 4 * kMaxDepth || ast_.nodes.size() > kMaxNodes)) return too_deep();
    return expr;
  }

  struct DepthGuard {
    explicit DepthGuard(int& depth) : depth_(depth) { ++depth_; }
    ~DepthGuard() { --depth_; }
    int& depth_;
  };

  Expr* expression() {
    const DepthGuard guard(depth_);
    if (depth_ > kMaxDepth) return too_deep();
    Expr* condition = logical("||", "_||_");
    if (!condition || !peek().is("?")) return condition;
    const uint32_t position = peek().position;
    ++at_;
    Expr* yes = logical("||", "_||_");
    if (!yes) return nullptr;
    if (!accept(":")) return mismatched("':'");
    Expr* no = expression();
    if (!no) return nullptr;
    return sized(ast_.call(position, "_?_:_", {condition, yes, no}));
  }

  Expr* logical(std::string_view text, std::string_view function) {
    std::vector<Expr*> terms;
    std::vector<uint32_t> positions;
    for (;;) {
      Expr* term = text == "||" ? logical("&&", "_&&_") : binary(1);
      if (!term) return nullptr;
      terms.push_back(term);
      if (!peek().is(text)) break;
      positions.push_back(peek().position);
      ++at_;
    }
    if (terms.size() == 1) return terms[0];
    return sized(balanced(function, terms, positions, 0, positions.size() - 1));
  }

  // Compat: a chain of && or || becomes a balanced tree, so that its depth is the logarithm of its length. `first` and
  // `last` count the operators; the term before operator i is terms[i].
  Expr* balanced(std::string_view function, const std::vector<Expr*>& terms, const std::vector<uint32_t>& positions,
                 size_t first, size_t last) {
    const size_t middle = (first + last + 1) / 2;
    Expr* left = middle == first ? terms[middle] : balanced(function, terms, positions, first, middle - 1);
    Expr* right = middle == last ? terms[middle + 1] : balanced(function, terms, positions, middle + 1, last);
    return ast_.call(positions[middle], function, {left, right});
  }

  const Operator* operator_at(int level) const {
    if (peek().token != Token::kPunctuation && peek().token != Token::kIn) return nullptr;
    for (const Operator& op : kOperators) {
      if (op.level == level && op.text == peek().text) return &op;
    }
    return nullptr;
  }

  Expr* binary(int level) {
    if (level == kUnaryLevel) return unary();
    Expr* left = binary(level + 1);
    int length = 0;
    while (left) {
      const Operator* op = operator_at(level);
      if (!op) break;
      if (++length > kMaxDepth) return too_deep();
      const uint32_t position = peek().position;
      ++at_;
      Expr* right = binary(level + 1);
      if (!right) return nullptr;
      left = sized(ast_.call(position, op->function, {left, right}));
    }
    return left;
  }

  Expr* unary() {
    const uint32_t position = peek().position;
    size_t count = 0;
    if (peek().is("!")) {
      while (accept("!")) ++count;
      Expr* operand = member();
      return !operand || count % 2 == 0 ? operand : sized(ast_.call(position, "!_", {operand}));
    }
    while (peek(count).is("-")) ++count;
    const Token next = peek(count).token;
    const bool literal = count > 0 && (next == Token::kInt || next == Token::kDouble);
    at_ += literal ? count - 1 : count;  // the last minus belongs to the literal
    if (literal) --count;
    Expr* operand = member();
    return !operand || count % 2 == 0 ? operand : sized(ast_.call(position, "-_", {operand}));
  }

  Expr* member() {
    Expr* expr = primary();
    int length = 0;
    while (expr) {
      if (++length > kMaxDepth) return too_deep();
      if (peek().is(".")) {
        expr = sized(selection(expr));
      } else if (peek().is("[")) {
        expr = sized(index(expr));
      } else {
        break;
      }
    }
    return expr;
  }

  Expr* selection(Expr* operand) {
    const uint32_t position = peek().position;
    ++at_;
    const bool optional = peek().is("?");
    if (optional && !macros_.optionals) return fail("unsupported syntax '.?'");
    if (optional) ++at_;
    const Lexeme field = peek();
    std::string_view name = field.text;
    if (field.token == Token::kQuotedIdent) {
      if (!macros_.quoted_fields) return fail("unsupported syntax: '`'");
      name = name.substr(1, name.size() - 2);
    } else if (field.token != Token::kIdent) {
      if (field.token == Token::kEnd) return fail("Syntax error: no viable alternative at input '.'");
      if (field.token == Token::kTrue || field.token == Token::kFalse || field.token == Token::kNull)
        return mismatched("IDENTIFIER");
      return fail("Syntax error: no viable alternative at input '." + std::string(field.text) + "'");
    }
    ++at_;
    name = ast_.text(name);
    if (optional) {
      return ast_.call(position, "_?._", {operand, ast_.constant(field.position, Value::of_string(name))});
    }
    if (field.token == Token::kIdent && peek().is("(")) {
      const uint32_t open = peek().position;
      std::vector<Expr*> args;
      if (!arguments(args)) return nullptr;
      return expand_macro(ast_, macros_, ast_.member_call(open, name, operand, std::move(args)), issues_);
    }
    return ast_.select(position, operand, name);
  }

  Expr* index(Expr* operand) {
    const uint32_t position = peek().position;
    ++at_;
    const bool optional = accept("?");
    if (optional && !macros_.optionals) return fail("unsupported syntax '[?'");
    Expr* key = expression();
    if (!key) return nullptr;
    if (!accept("]")) return mismatched("']'");
    return ast_.call(position, optional ? "_[?_]" : "_[_]", {operand, key});
  }

  bool arguments(std::vector<Expr*>& out) {
    ++at_;
    if (accept(")")) return true;
    do {
      Expr* argument = expression();
      if (!argument) return false;
      out.push_back(argument);
    } while (accept(","));
    if (accept(")")) return true;
    mismatched("')'");
    return false;
  }

  Expr* primary() {
    const Lexeme token = peek();
    switch (token.token) {
      case Token::kTrue:
      case Token::kFalse:
        ++at_;
        return ast_.constant(token.position, Value::of_bool(token.token == Token::kTrue));
      case Token::kNull:
        ++at_;
        return ast_.constant(token.position, Value::null());
      case Token::kInt:
      case Token::kUint:
      case Token::kDouble:
        return number("");
      case Token::kString:
      case Token::kBytes:
        return text_literal();
      case Token::kIdent:
        return name("");
      default:
        break;
    }
    if (token.is("-")) {
      ++at_;
      return number("-");
    }
    if (token.is("(")) {
      ++at_;
      Expr* inner = expression();
      if (!inner) return nullptr;
      return accept(")") ? inner : mismatched("')'");
    }
    if (token.is("[")) return list();
    if (token.is("{")) return map();
    if (token.is(".") && peek(1).token == Token::kIdent) {
      ++at_;
      return name(".");
    }
    // Compat: one stray token before something that can begin an expression is called extraneous.
    const Token next = peek(1).token;
    const bool stray =
        !at_end() && next != Token::kEnd && (next != Token::kPunctuation || peek(1).is("(")) && next != Token::kIn;
    return fail("Syntax error: " + std::string(stray ? "extraneous" : "mismatched") + " input '" + shown(token) +
                "' expecting " + std::string(kPrimaryTokens));
  }

  Expr* number(std::string_view sign) {
    const Lexeme token = peek();
    const uint32_t position = token.position - static_cast<uint32_t>(sign.empty() ? 0 : 1);
    ++at_;
    std::string text(token.text);
    if (token.token == Token::kDouble) {
      const double value = std::strtod((std::string(sign) + text).c_str(), nullptr);
      if (value == HUGE_VAL || value == -HUGE_VAL) return fail_at(position, "invalid double literal");
      return ast_.constant(position, Value::of_double(value));
    }
    if (token.token == Token::kUint) text.pop_back();
    const bool hex = text.starts_with("0x");
    const std::string digits = hex ? text.substr(2) : text;
    uint64_t magnitude = 0;
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), magnitude, hex ? 16 : 10);
    const bool valid = error == std::errc() && end == digits.data() + digits.size();
    if (token.token == Token::kUint) {
      if (!valid) return fail_at(position, "invalid uint literal");
      return ast_.constant(position, Value::of_uint(magnitude));
    }
    const uint64_t limit = static_cast<uint64_t>(INT64_MAX) + (sign.empty() ? 0 : 1);
    if (!valid || magnitude > limit) return fail_at(position, "invalid int literal");
    return ast_.constant(position, Value::of_int(static_cast<int64_t>(sign.empty() ? magnitude : 0 - magnitude)));
  }

  Expr* text_literal() {
    const Lexeme token = peek();
    ++at_;
    std::string text, reason;
    if (!unquote(token.text, text, reason)) {
      return fail_at(token.position, reason);
    }
    const std::string_view kept = ast_.text(text);
    return ast_.constant(token.position, token.token == Token::kBytes ? Value::of_bytes(kept) : Value::of_string(kept));
  }

  // The number of tokens of `a.b.c` when a brace follows it: a struct literal.
  size_t struct_name_length() const {
    size_t length = 1;
    while (peek(length).is(".") && peek(length + 1).token == Token::kIdent) length += 2;
    return peek(length).is("{") ? length : 0;
  }

  Expr* name(std::string_view dot) {
    const Lexeme token = peek();
    if (const size_t length = struct_name_length()) {
      std::string type(dot);
      for (size_t i = 0; i < length; ++i) type += peek(i).text;
      at_ += length;
      return struct_literal(ast_.text(type));
    }
    ++at_;
    const std::string_view full = ast_.text(std::string(dot) + std::string(token.text));
    if (std::find(kReserved.begin(), kReserved.end(), token.text) != kReserved.end()) {
      return fail_at(token.position, "reserved identifier: " + std::string(token.text));
    }
    if (!peek().is("(")) return ast_.ident(token.position, full);
    const uint32_t open = peek().position;
    std::vector<Expr*> args;
    if (!arguments(args)) return nullptr;
    return expand_macro(ast_, macros_, ast_.call(open, full, std::move(args)), issues_);
  }

  bool optional_mark(bool& failed) {
    if (!peek().is("?")) return false;
    if (!macros_.optionals) {
      fail("unsupported syntax '?'");
      failed = true;
    }
    ++at_;
    return true;
  }

  Expr* list() {
    Expr* expr = ast_.make(ExprKind::kList, peek().position);
    ++at_;
    bool failed = false;
    while (!peek().is("]")) {
      if (expr->args.empty() && accept(",")) break;
      expr->optional.push_back(optional_mark(failed));
      Expr* element = expression();
      if (!element || failed) return nullptr;
      expr->args.push_back(element);
      if (!accept(",")) break;
    }
    if (!accept("]")) return mismatched("{']', ','}");
    Ast::set_depth(*expr);
    return expr;
  }

  Expr* map() {
    Expr* expr = ast_.make(ExprKind::kMap, peek().position);
    ++at_;
    bool failed = false;
    while (!peek().is("}")) {
      if (expr->args.empty() && accept(",")) break;
      expr->optional.push_back(optional_mark(failed));
      Expr* key = expression();
      if (!key || failed) return nullptr;
      if (!accept(":")) return mismatched("':'");
      Expr* value = expression();
      if (!value) return nullptr;
      expr->args.push_back(key);
      expr->args.push_back(value);
      if (!accept(",")) break;
    }
    if (!accept("}")) return mismatched("{'}', ','}");
    Ast::set_depth(*expr);
    return expr;
  }

  Expr* struct_literal(std::string_view type) {
    Expr* expr = ast_.make(ExprKind::kStruct, peek().position);
    expr->name = type;
    ++at_;
    bool failed = false;
    while (!peek().is("}")) {
      if (expr->args.empty() && accept(",")) break;
      expr->optional.push_back(optional_mark(failed));
      const Lexeme field = peek();
      if (field.token != Token::kIdent && field.token != Token::kQuotedIdent) {
        return mismatched("{'}', ',', '?', IDENTIFIER, ESC_IDENTIFIER}");
      }
      ++at_;
      const bool quoted = field.token == Token::kQuotedIdent;
      expr->fields.push_back(ast_.text(quoted ? field.text.substr(1, field.text.size() - 2) : field.text));
      if (!accept(":")) return mismatched("':'");
      Expr* value = expression();
      if (!value || failed) return nullptr;
      expr->args.push_back(value);
      if (!accept(",")) break;
    }
    if (!accept("}")) return mismatched("{'}', ','}");
    Ast::set_depth(*expr);
    return expr;
  }

  const MacroSet& macros_;
  Ast& ast_;
  Issues& issues_;
  std::vector<Lexeme> tokens_;
  size_t at_ = 0;
  int depth_ = 0;
};

}  // namespace

void parse(std::string_view source, const MacroSet& macros, Ast& ast, Issues& issues) {
  const size_t length = utf8_length(source);
  if (length > kMaxSourceCodePoints) {
    issues.add(0, "expression code point size exceeds limit: size: " + std::to_string(length) + ", limit " +
                      std::to_string(kMaxSourceCodePoints));
    return;
  }
  Expr* root = Parser(source, macros, ast, issues).run();
  if (issues.empty()) ast.root = root;
}

}  // namespace cel
