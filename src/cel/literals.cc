// What can be said of constants before an expression runs: durations, timestamps, patterns, and the formats of
// string.format with a list literal. After cel-go's validators (cel/validator.go, ext/formatting.go).
#include <re2/re2.h>

#include <charconv>
#include <optional>

#include "cel/checker.h"
#include "cel/conversions.h"

namespace cel {

namespace {

struct FormatIssue {
  uint32_t position;
  std::string message;
};

bool is_one_of(const Type& type, std::initializer_list<TypeKind> kinds) {
  return type.kind == TypeKind::kDyn || std::ranges::find(kinds, type.kind) != kinds.end();
}

// One format and its arguments.
class FormatCheck {
 public:
  FormatCheck(const Expr& call, const std::vector<Expr*>& args) : call_(call), args_(args) {}

  std::optional<FormatIssue> run(std::string_view format) {
    size_t used = 0;
    for (size_t at = 0; at < format.size(); ++at) {
      if (format[at] != '%') continue;
      if (format.substr(at + 1).starts_with('%')) {
        ++at;
        continue;
      }
      if (at + 1 >= format.size()) return issue("unexpected end of string");
      if (used >= args_.size()) return issue("index " + std::to_string(used) + " out of range");
      if (auto found = check_precision(format, at)) return found;
      if (auto found = check_clause(format[at + 1], *args_[used])) return found;
      ++used;
      ++at;
    }
    if (args_.size() <= used) return std::nullopt;
    return issue("too many arguments supplied to string.format (expected " + std::to_string(used) + ", got " +
                 std::to_string(args_.size()) + ")");
  }

 private:
  FormatIssue issue(std::string message) const { return {call_.position, std::move(message)}; }

  // Steps over ".2", so that the clause's letter follows.
  std::optional<FormatIssue> check_precision(std::string_view format, size_t& at) const {
    constexpr std::string_view kCannotParse = "could not parse formatting clause: error while parsing precision: ";
    if (format[at + 1] != '.') return std::nullopt;
    size_t end = at + 2;
    while (end < format.size() && format[end] >= '0' && format[end] <= '9') ++end;
    if (end >= format.size()) return issue(std::string(kCannotParse) + "could not find end of precision specifier");
    const std::string digits(format.substr(at + 2, end - at - 2));
    int64_t precision = 0;
    const auto parsed = std::from_chars(digits.data(), digits.data() + digits.size(), precision);
    if (parsed.ec != std::errc()) {
      return issue(std::string(kCannotParse) + "error while converting precision to integer: strconv.Atoi: parsing \"" +
                   digits + "\": " + (digits.empty() ? "invalid syntax" : "value out of range"));
    }
    at = end - 1;
    return std::nullopt;
  }

  static FormatIssue wrong(const Expr& arg, std::string_view expected) {
    return {arg.position, "error during formatting: " + std::string(expected) + ", was given " + arg.type->name};
  }

  std::optional<FormatIssue> check_clause(char verb, const Expr& arg) const {
    using enum TypeKind;
    const Type& type = *arg.type;
    switch (verb) {
      case 's':
        return check_text(arg);
      case 'd':
        if (is_one_of(type, {kInt, kUint})) return std::nullopt;
        return wrong(arg, "decimal clause can only be used on integers");
      case 'f':
        if (is_one_of(type, {kDouble, kString})) return std::nullopt;
        return wrong(arg, "fixed-point clause can only be used on doubles");
      case 'e':
        if (is_one_of(type, {kDouble, kString})) return std::nullopt;
        return wrong(arg, "scientific clause can only be used on doubles");
      case 'b':
        if (is_one_of(type, {kInt, kUint, kBool})) return std::nullopt;
        return wrong(arg, "only integers and bools can be formatted as binary");
      case 'x':
      case 'X':
        if (is_one_of(type, {kInt, kUint, kString, kBytes})) return std::nullopt;
        return wrong(arg, "only integers, byte buffers, and strings can be formatted as hex");
      case 'o':
        if (is_one_of(type, {kInt, kUint})) return std::nullopt;
        return wrong(arg, "octal clause can only be used on integers");
      default:
        return issue("could not parse formatting clause: unrecognized formatting clause \"" + std::string(1, verb) +
                     "\"");
    }
  }

  std::optional<FormatIssue> check_text(const Expr& arg) const {
    using enum TypeKind;
    if (!is_one_of(*arg.type,
                   {kList, kMap, kInt, kUint, kDouble, kBool, kString, kTimestamp, kBytes, kDuration, kType, kNull})) {
      return wrong(arg,
                   "string clause can only be used on strings, bools, bytes, ints, doubles, maps, lists, types, "
                   "durations, and timestamps");
    }
    if (arg.kind != ExprKind::kList && arg.kind != ExprKind::kMap) return std::nullopt;
    for (const Expr* below : arg.args) {
      if (auto found = check_text(*below)) return found;
    }
    return std::nullopt;
  }

  const Expr& call_;
  const std::vector<Expr*>& args_;
};

bool is_text(const Expr* expr) { return expr && expr->kind == ExprKind::kConst && expr->constant.is_string(); }

void check_format(const Expr& call, Issues& issues) {
  if (call.args.size() != 1 || !is_text(call.target) || call.args[0]->kind != ExprKind::kList) return;
  if (const auto found = FormatCheck(call, call.args[0]->args).run(call.target->constant.text())) {
    issues.add(found->position, found->message);
  }
}

bool is_good(std::string_view function, std::string_view text) {
  int64_t number = 0;
  uint32_t nanoseconds = 0;
  if (function == "duration") return parse_duration(text, number);
  if (function == "timestamp") return parse_timestamp(text, number, nanoseconds);
  if (function != "matches") return true;
  RE2::Options options;
  options.set_log_errors(false);
  return RE2(re2::StringPiece(text.data(), text.size()), options).ok();
}

}  // namespace

void check_literals(const Ast& ast, Issues& issues) {
  for (const Expr& expr : ast.nodes) {
    if (expr.kind != ExprKind::kCall || !expr.function || expr.args.empty()) continue;
    if (expr.name == "format") check_format(expr, issues);
    // Compat: the first argument, so that of matches(text, pattern) the pattern is not looked at.
    const Expr* literal = expr.args.front();
    if (is_text(literal) && !is_good(expr.name, literal->constant.text()))
      issues.add(literal->position, "invalid " + std::string(expr.name) + " argument");
  }
}

}  // namespace cel
