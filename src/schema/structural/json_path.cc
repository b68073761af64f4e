#include "schema/structural/json_path.h"

#include <algorithm>
#include <charconv>
#include <cmath>

#include "object/json.h"
#include "object/time.h"
#include "schema/patch/go_text.h"

namespace schema {

using object::Array;
using object::Object;
using object::Value;
using Found = std::vector<const Value*>;

struct JsonPathNode {
  enum class Kind : uint8_t { kField, kWildcard, kRecursive, kSlice, kFilter, kUnion, kLiteral };
  struct Bound {
    int64_t value = 0;
    bool known = false;
    bool derived = false;  // of [n], which stands for [n:n+1]
  };
  using Nodes = std::vector<std::unique_ptr<const JsonPathNode>>;

  Kind kind = Kind::kField;
  std::string text;  // a field's name, a filter's operator ("" = exists)
  Bound bounds[3];
  Value literal;
  std::vector<Nodes> parts;  // a filter's two sides, a union's members
};

namespace {

using Kind = JsonPathNode::Kind;
using Nodes = JsonPathNode::Nodes;

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_word(char c) {
  return c == '_' || is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
         static_cast<unsigned char>(c) >= 0x80;
}
bool is_terminator(char c) { return std::string_view(" \t\r\n.,[]$@{}").find(c) != std::string_view::npos; }

base::Result<void> fail(std::string text) { return base::fail(base::Reason::kInvalid, std::move(text)); }

class Parser {
 public:
  Parser(std::string_view text, Nodes& out, int depth) : text_(text), out_(out), depth_(depth) {}

  base::Result<void> parse() {
    if (depth_ > kMaxJsonPathDepth) return fail("expression is nested too deeply");
    while (at_ < text_.size() && text_[at_] != '}') TRY(step());
    return {};
  }

 private:
  bool starts_with(std::string_view prefix) const { return text_.substr(at_).starts_with(prefix); }

  JsonPathNode& add(Kind kind) {
    auto node = std::make_unique<JsonPathNode>();
    JsonPathNode& added = *node;
    added.kind = kind;
    out_.push_back(std::move(node));
    return added;
  }

  base::Result<void> step() {
    if (starts_with("[?(")) return parse_filter();
    if (starts_with("..")) return parse_recursive();
    const char c = text_[at_];
    if (c == '\n' || c == '\r') return fail("unclosed action");
    if (c == ' ' || c == '@' || c == '$') {
      ++at_;
      return {};
    }
    if (c == '[') return parse_brackets();
    if (c == '"' || c == '\'') return parse_quoted(c);
    if (c == '.') {
      ++at_;
      parse_field();
      return {};
    }
    if (c == '+' || c == '-' || is_digit(c)) return parse_number();
    if (is_word(c)) return parse_identifier();
    return fail("unrecognized character in action: " + std::string(1, c));
  }

  void parse_field() {
    std::string name;
    bool escaped = false;
    for (; at_ < text_.size(); ++at_) {
      const char c = text_[at_];
      if (c == '\\') {
        if (++at_ < text_.size()) name += text_[at_];
        escaped = true;
        continue;
      }
      if (is_terminator(c)) break;
      name += c;
    }
    if (name == "*" && !escaped) {
      add(Kind::kWildcard);
    } else {
      add(Kind::kField).text = std::move(name);
    }
  }

  base::Result<void> parse_recursive() {
    if (!out_.empty() && out_.back()->kind == Kind::kRecursive) return fail("invalid multiple recursive descent");
    at_ += 2;
    add(Kind::kRecursive);
    if (at_ < text_.size() && is_word(text_[at_])) parse_field();
    return {};
  }

  base::Result<void> parse_number() {
    const size_t start = at_;
    if (text_[at_] == '+' || text_[at_] == '-') ++at_;
    while (at_ < text_.size() && (text_[at_] == '.' || is_digit(text_[at_]))) ++at_;
    std::string_view digits = text_.substr(start, at_ - start);
    if (digits.starts_with('+')) digits.remove_prefix(1);
    int64_t integer = 0;
    double real = 0;
    const char* end = digits.data() + digits.size();
    if (const auto [stop, error] = std::from_chars(digits.data(), end, integer); error == std::errc() && stop == end) {
      add(Kind::kLiteral).literal = integer;
      return {};
    }
    if (const auto [stop, error] = std::from_chars(digits.data(), end, real); error == std::errc() && stop == end) {
      add(Kind::kLiteral).literal = real;
      return {};
    }
    return fail("cannot parse number " + std::string(text_.substr(start, at_ - start)));
  }

  base::Result<void> parse_identifier() {
    const size_t start = at_;
    while (at_ < text_.size() && !is_terminator(text_[at_])) ++at_;
    const std::string_view word = text_.substr(start, at_ - start);
    if (word != "true" && word != "false") return fail("unrecognized identifier " + std::string(word));
    add(Kind::kLiteral).literal = word == "true";
    return {};
  }

  base::Result<void> parse_quoted(char quote) {
    const size_t start = at_++;
    while (at_ < text_.size() && text_[at_] != '\n' && (text_[at_] != quote || text_[at_ - 1] == '\\')) ++at_;
    if (at_ >= text_.size() || text_[at_] == '\n') return fail("unterminated quoted string");
    ++at_;
    const std::string_view inner = text_.substr(start + 1, at_ - start - 2);
    std::string value;
    for (size_t i = 0; i < inner.size(); ++i) {
      if (inner[i] != '\\' || i + 1 == inner.size()) {
        value += inner[i];
        continue;
      }
      const char c = inner[++i];
      value += c == 'n' ? '\n' : c == 't' ? '\t' : c;
    }
    add(Kind::kLiteral).literal = std::move(value);
    return {};
  }

  base::Result<void> parse_brackets() {
    const size_t end = text_.find_first_of("]\n", at_);
    if (end == std::string_view::npos || text_[end] == '\n') return fail("unterminated array");
    std::string_view inner = text_.substr(at_ + 1, end - at_ - 1);
    at_ = end + 1;
    if (inner == "*") inner = ":";
    if (inner.find(',') != std::string_view::npos) return parse_union(inner);
    // A name in single quotes; in double quotes it is none (Compat).
    if (inner.size() >= 2 && inner.front() == '\'' && inner.back() == '\'') {
      const std::string field = '.' + std::string(inner.substr(1, inner.size() - 2));
      return Parser(field, out_, depth_ + 1).parse();
    }
    return parse_slice(inner);
  }

  base::Result<void> parse_union(std::string_view inner) {
    std::vector<Nodes> parts;
    while (true) {
      const size_t comma = std::min(inner.find(','), inner.size());
      std::string_view part = inner.substr(0, comma);
      while (part.starts_with(' ')) part.remove_prefix(1);
      while (part.ends_with(' ')) part.remove_suffix(1);
      const std::string text = '[' + std::string(part) + ']';
      TRY(Parser(text, parts.emplace_back(), depth_ + 1).parse());
      if (comma == inner.size()) break;
      inner.remove_prefix(comma + 1);
    }
    add(Kind::kUnion).parts = std::move(parts);
    return {};
  }

  base::Result<void> parse_slice(std::string_view inner) {
    JsonPathNode& node = add(Kind::kSlice);
    std::string_view rest = inner;
    for (int i = 0; i < 3; ++i) {
      JsonPathNode::Bound& bound = node.bounds[i];
      if (i > 0) {
        if (!rest.starts_with(':')) {
          if (i == 1) bound = {node.bounds[0].value + 1, true, true};
          continue;
        }
        rest.remove_prefix(1);
      }
      size_t size = rest.starts_with('-') || rest.starts_with('+') ? 1 : 0;
      while (size < rest.size() && is_digit(rest[size])) ++size;
      if (size == 0) continue;
      std::string_view digits = rest.substr(0, size);
      if (digits.starts_with('+')) digits.remove_prefix(1);
      const auto [stop, error] = std::from_chars(digits.data(), digits.data() + digits.size(), bound.value);
      if (error != std::errc() || std::abs(bound.value) > INT32_MAX) {
        return fail("array index " + std::string(rest.substr(0, size)) + " is not a number");
      }
      bound.known = true;
      rest.remove_prefix(size);
    }
    if (!rest.empty() || inner.empty()) return fail("invalid array index " + std::string(inner));
    return {};
  }

  base::Result<void> parse_filter() {
    at_ += 3;
    const size_t start = at_;
    char quote = 0;
    for (; at_ < text_.size(); ++at_) {
      const char c = text_[at_];
      if (c == '\n') return fail("unterminated filter");
      if (quote != 0) {
        if (c == quote && text_[at_ - 1] != '\\') quote = 0;
      } else if (c == '"' || c == '\'') {
        quote = c;
      } else if (c == ')') {
        break;
      }
    }
    if (at_ >= text_.size()) return fail("unterminated filter");
    const std::string_view inner = text_.substr(start, at_ - start);
    if (++at_ >= text_.size() || text_[at_] != ']') return fail("unclosed array expect ]");
    ++at_;
    std::vector<Nodes> parts(2);
    constexpr std::string_view kOperators = "!<>=";
    const size_t from = inner.find_first_of(kOperators);
    const size_t to = from == std::string_view::npos ? from : inner.find_first_not_of(kOperators, from);
    if (from == 0 || to == std::string_view::npos) {
      TRY(Parser(inner, parts[0], depth_ + 1).parse());
      add(Kind::kFilter).parts = std::move(parts);
      return {};
    }
    TRY(Parser(inner.substr(0, from), parts[0], depth_ + 1).parse());
    TRY(Parser(inner.substr(to), parts[1], depth_ + 1).parse());
    JsonPathNode& node = add(Kind::kFilter);
    node.text = inner.substr(from, to - from);
    node.parts = std::move(parts);
    return {};
  }

  std::string_view text_;
  Nodes& out_;
  int depth_;
  size_t at_ = 0;
};

base::Result<Found> walk(const Nodes& nodes, Found values);

void add_children(const Value& value, Found& out) {
  if (const Object* members = value.object_if()) {
    for (const object::Member& member : *members) out.push_back(&member.value);
  } else if (const Array* items = value.array_if()) {
    for (const Value& item : *items) out.push_back(&item);
  }
}

void add_recursively(const Value& value, Found& out) {
  if (out.size() > kMaxJsonPathResults) return;
  Found children;
  add_children(value, children);
  if (children.empty()) return;
  out.push_back(&value);
  for (const Value* child : children) add_recursively(*child, out);
}

base::Result<void> slice(const JsonPathNode& node, const Value& value, Found& out) {
  if (value.is_null()) return {};
  const Array* items = value.array_if();
  if (!items) return fail(std::string(go_type(value)) + " is not array or slice");
  const auto size = static_cast<int64_t>(items->size());
  int64_t from = node.bounds[0].known ? node.bounds[0].value : 0;
  int64_t to = node.bounds[1].known ? node.bounds[1].value : size;
  if (from < 0) from += size;
  if (to < 0 || (to == 0 && node.bounds[1].derived)) to += size;
  if (from == to) return {};
  const auto out_of_bounds = [&](int64_t index) {
    return fail("array index out of bounds: index " + std::to_string(index) + ", length " + std::to_string(size));
  };
  if (from >= size || from < 0) return out_of_bounds(from);
  if (to > size || to < 0) return out_of_bounds(to - 1);
  if (from > to) {
    return fail("starting index " + std::to_string(from) + " is greater than ending index " + std::to_string(to));
  }
  const int64_t step = node.bounds[2].known ? node.bounds[2].value : 1;
  if (step <= 0) return fail("step must be > 0");
  for (int64_t i = from; i < to; i += step) out.push_back(&(*items)[static_cast<size_t>(i)]);
  return {};
}

// How two scalars of one kind compare; nullopt when they do not.
std::optional<int> order(const Value& left, const Value& right) {
  const auto sign = [](const auto& a, const auto& b) { return a < b ? -1 : b < a ? 1 : 0; };
  if (left.is_int() && right.is_int()) return sign(*left.int_if(), *right.int_if());
  if (left.double_if() && right.double_if()) return sign(*left.double_if(), *right.double_if());
  if (left.is_string() && right.is_string()) return sign(*left.string_if(), *right.string_if());
  if (left.is_bool() && right.is_bool()) return sign(*left.bool_if(), *right.bool_if());
  return std::nullopt;
}

base::Result<bool> compares(std::string_view op, const Value& left, const Value& right) {
  const auto result = order(left, right);
  if (!result) return base::fail(base::Reason::kInvalid, "incompatible types for comparison");
  if (op == "==") return *result == 0;
  if (op == "!=") return *result != 0;
  if (left.is_bool()) return base::fail(base::Reason::kInvalid, "invalid type for comparison");
  if (op == "<") return *result < 0;
  if (op == ">") return *result > 0;
  if (op == "<=") return *result <= 0;
  if (op == ">=") return *result >= 0;
  return base::fail(base::Reason::kInvalid, "unrecognized filter operator " + std::string(op));
}

base::Result<void> filter(const JsonPathNode& node, const Value& value, Found& out) {
  const Array* items = value.array_if();
  if (!items) return fail(go_text(value) + " is not array or slice and cannot be filtered");
  for (const Value& item : *items) {
    auto lefts = walk(node.parts[0], {&item});
    if (node.text.empty()) {
      if (lefts && !lefts->empty()) out.push_back(&item);
      continue;
    }
    if (!lefts) return std::unexpected(lefts.error());
    if (lefts->empty()) continue;
    TRY_ASSIGN(const Found rights, walk(node.parts[1], {&item}));
    if (rights.empty()) continue;
    if (lefts->size() > 1 || rights.size() > 1) return fail("can only compare one element at a time");
    TRY_ASSIGN(const bool passes, compares(node.text, *lefts->front(), *rights.front()));
    if (passes) out.push_back(&item);
  }
  return {};
}

base::Result<void> apply(const JsonPathNode& node, const Found& values, Found& out) {
  if (node.kind == Kind::kUnion) {
    for (const Nodes& part : node.parts) {
      TRY_ASSIGN(const Found found, walk(part, values));
      out.insert(out.end(), found.begin(), found.end());
    }
    return {};
  }
  if (node.kind == Kind::kLiteral && node.literal.is_string()) {
    out.push_back(&node.literal);
    return {};
  }
  for (const Value* value : values) {
    switch (node.kind) {
      case Kind::kField:
        if (const Value* member = value->find(node.text)) out.push_back(member);
        break;
      case Kind::kWildcard:
        add_children(*value, out);
        break;
      case Kind::kRecursive:
        add_recursively(*value, out);
        break;
      case Kind::kSlice:
        TRY(slice(node, *value, out));
        break;
      case Kind::kFilter:
        TRY(filter(node, *value, out));
        break;
      case Kind::kLiteral:
        out.push_back(&node.literal);
        break;
      case Kind::kUnion:
        break;
    }
    if (out.size() > kMaxJsonPathResults) return fail("too many results");
  }
  return {};
}

base::Result<Found> walk(const Nodes& nodes, Found values) {
  for (const auto& node : nodes) {
    Found next;
    TRY(apply(*node, values, next));
    values = std::move(next);
  }
  return values;
}

// As fmt prints it; lists and maps as JSON.
std::string printed(const Value& value) {
  if (value.is_null()) return "<no value>";
  if (value.is_object() || value.is_array()) return object::to_json(value, object::KeyOrder::kSorted);
  return go_text(value);
}

Value date_cell(const std::string& text, base::WallTime now) {
  if (text.empty() || text == "null") return "<unknown>";
  const auto time = object::parse_time(text);
  return time ? Value(object::human_age(*time, now)) : Value("<invalid>");
}

std::string path_text(std::string_view path) {
  return path.starts_with('.') ? std::string(path) : '.' + std::string(path);
}

// The value there; null when missing; an error when something on the way is no object.
base::Result<const Value*> nested(const Value& object, std::string_view path) {
  const std::string whole = path_text(path);
  std::string_view rest = std::string_view(whole).substr(1);
  const Value* value = &object;
  while (true) {
    const size_t dot = std::min(rest.find('.'), rest.size());
    if (value->is_null()) return nullptr;
    if (!value->is_object()) {
      return base::fail(base::Reason::kInvalid, whole + " accessor error: " + go_text(*value) + " is of the type " +
                                                    std::string(go_type(*value)) + ", expected map[string]interface{}");
    }
    value = value->find(rest.substr(0, dot));
    if (!value || dot == rest.size()) return value;
    rest.remove_prefix(dot + 1);
  }
}

base::Error wrong_type(const Value& value, std::string_view path, std::string_view expected) {
  const std::string_view type = value.is_null() ? std::string_view("<nil>") : go_type(value);
  return {base::Reason::kInvalid, path_text(path) + " accessor error: " + go_text(value) + " is of the type " +
                                      std::string(type) + ", expected " + std::string(expected)};
}

}  // namespace

JsonPath::JsonPath() = default;
JsonPath::JsonPath(JsonPath&&) noexcept = default;
JsonPath& JsonPath::operator=(JsonPath&&) noexcept = default;
JsonPath::~JsonPath() = default;

base::Result<JsonPath> JsonPath::parse(std::string_view path) {
  JsonPath out;
  TRY(Parser(path, out.nodes_, 0).parse());
  return out;
}

base::Result<Found> JsonPath::find(const Value& root) const { return walk(nodes_, {&root}); }

Value column_cell(const JsonPath& path, std::string_view type, const Value& object, base::WallTime now) {
  const auto found = path.find(object);
  if (!found || found->empty()) return nullptr;
  const Value& value = *found->front();
  if (type == "string") return printed(value);
  if (type == "integer") {
    if (value.is_int()) return value;
    const double* real = value.double_if();
    return real && std::abs(*real) < 9e18 ? Value(static_cast<int64_t>(*real)) : Value();
  }
  if (type == "number") return value.is_number() ? value : Value();
  if (type == "boolean") return value.is_bool() ? value : Value();
  if (type == "date" && value.is_string()) return date_cell(*value.string_if(), now);
  return nullptr;
}

base::Result<std::optional<int64_t>> nested_integer(const Value& object, std::string_view path) {
  TRY_ASSIGN(const Value* value, nested(object, path));
  if (!value) return std::nullopt;
  if (const int64_t* integer = value->int_if()) return *integer;
  return base::fail(wrong_type(*value, path, "int64"));
}

base::Result<std::optional<std::string>> nested_string(const Value& object, std::string_view path) {
  TRY_ASSIGN(const Value* value, nested(object, path));
  if (!value) return std::nullopt;
  if (const std::string* text = value->string_if()) return *text;
  return base::fail(wrong_type(*value, path, "string"));
}

bool set_nested(Value& object, std::string_view path, Value value) {
  if (path.starts_with('.')) path.remove_prefix(1);
  Value* at = &object;
  while (true) {
    Object* members = at->object_if();
    if (!members) return false;
    const size_t dot = std::min(path.find('.'), path.size());
    Value& member = (*members)[path.substr(0, dot)];
    if (dot == path.size()) {
      member = std::move(value);
      return true;
    }
    if (member.is_null()) member = Object();
    at = &member;
    path.remove_prefix(dot + 1);
  }
}

}  // namespace schema
