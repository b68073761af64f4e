#include "object/selector.h"

#include <algorithm>
#include <charconv>
#include <tuple>

#include "object/field_error.h"
#include "object/names.h"
#include "object/value.h"

namespace object {
namespace {

std::unexpected<base::Error> bad(std::string message) {
  return base::fail(base::Reason::kBadRequest, std::move(message));
}

std::string found_but(std::string_view found, std::string_view expected) {
  return "found '" + std::string(found) + "', expected: " + std::string(expected);
}

std::string join(const std::vector<std::string>& parts, std::string_view separator) {
  std::string out;
  for (size_t i = 0; i < parts.size(); ++i) out.append(i == 0 ? "" : separator).append(parts[i]);
  return out;
}

bool parse_integer(std::string_view text, int64_t& value) {
  if (text.starts_with('+')) {
    text.remove_prefix(1);
    if (text.starts_with('-')) return false;
  }
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc() && end == text.data() + text.size();
}

enum class Token : uint8_t {
  kEnd,
  kClose,
  kComma,
  kNot,
  kDoubleEquals,
  kEquals,
  kGreater,
  kIdentifier,
  kIn,
  kLess,
  kNotEquals,
  kNotIn,
  kOpen,
};
struct Item {
  Token token;
  std::string_view text;
};

bool is_blank(char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; }
bool is_symbol(char c) { return std::string_view("=!(),><").find(c) != std::string_view::npos; }

Item symbol(std::string_view rest) {
  if (rest.starts_with("==")) return {Token::kDoubleEquals, rest.substr(0, 2)};
  if (rest.starts_with("!=")) return {Token::kNotEquals, rest.substr(0, 2)};
  const std::string_view one = rest.substr(0, 1);
  switch (rest[0]) {
    case '=':
      return {Token::kEquals, one};
    case '!':
      return {Token::kNot, one};
    case '(':
      return {Token::kOpen, one};
    case ')':
      return {Token::kClose, one};
    case ',':
      return {Token::kComma, one};
    case '>':
      return {Token::kGreater, one};
    default:
      return {Token::kLess, one};
  }
}

std::vector<Item> scan(std::string_view text) {
  std::vector<Item> items;
  for (size_t at = 0; at < text.size();) {
    if (is_blank(text[at])) {
      ++at;
    } else if (is_symbol(text[at])) {
      items.push_back(symbol(text.substr(at)));
      at += items.back().text.size();
    } else {
      const size_t start = at;
      while (at < text.size() && !is_blank(text[at]) && !is_symbol(text[at])) ++at;
      const std::string_view word = text.substr(start, at - start);
      items.push_back({word == "in" ? Token::kIn : word == "notin" ? Token::kNotIn : Token::kIdentifier, word});
    }
  }
  items.push_back({Token::kEnd, ""});
  return items;
}

// Compat: labels.NewRequirement; the paths and texts are its.
base::Result<void> check_requirement(const Requirement& requirement) {
  FieldErrors errors;
  const FieldPath key_path("key"), values_path("values");
  if (const Messages messages = validate_qualified_name(requirement.key); !messages.empty()) {
    errors.invalid(key_path, requirement.key, join(messages, "; "));
  }
  const size_t count = requirement.values.size();
  Array shown(requirement.values.begin(), requirement.values.end());
  const auto complain = [&](std::string_view detail) { errors.invalid(values_path, Value(shown), detail); };
  switch (requirement.op) {
    case SelectorOp::kIn:
    case SelectorOp::kNotIn:
      if (count == 0) complain("for 'in', 'notin' operators, values set can't be empty");
      break;
    case SelectorOp::kEquals:
    case SelectorOp::kDoubleEquals:
    case SelectorOp::kNotEquals:
      if (count != 1) complain("exact-match compatibility requires one single value");
      break;
    case SelectorOp::kExists:
    case SelectorOp::kDoesNotExist:
      if (count != 0) complain("values set must be empty for exists and does not exist");
      break;
    case SelectorOp::kGreaterThan:
    case SelectorOp::kLessThan:
      if (count != 1) complain("for 'Gt', 'Lt' operators, exactly one value is required");
      for (size_t i = 0; i < count; ++i) {
        int64_t number;
        if (parse_integer(requirement.values[i], number)) continue;
        errors.invalid(values_path.index(i), requirement.values[i],
                       "for 'Gt', 'Lt' operators, the value must be an integer");
      }
  }
  for (size_t i = 0; i < count; ++i) {
    const Messages messages = validate_label_value(requirement.values[i]);
    if (messages.empty()) continue;
    const FieldPath at = values_path.index(i);
    errors.invalid(at.key(requirement.key), requirement.values[i], join(messages, "; "));
  }
  if (!errors.empty()) return bad(errors.to_string());
  return {};
}

void insert_sorted(std::vector<std::string>& values, std::string_view value) {
  const auto place = std::ranges::lower_bound(values, value);
  if (place == values.end() || *place != value) values.emplace(place, value);
}

// Compat: labels.Parser, token by token, since its messages tell which token it stumbled over.
class SelectorParser {
 public:
  explicit SelectorParser(std::string_view text) : items_(scan(text)) {}

  base::Result<std::vector<Requirement>> parse() {
    std::vector<Requirement> requirements;
    for (;;) {
      const Item item = peek();
      if (item.token == Token::kEnd) return requirements;
      if (!starts_requirement(item)) return bad(found_but(item.text, "!, identifier, or 'end of string'"));
      auto requirement = parse_requirement();
      if (!requirement) return bad("unable to parse requirement: " + requirement.error().message);
      requirements.push_back(std::move(*requirement));
      const Item next = take();
      if (next.token == Token::kEnd) return requirements;
      if (next.token != Token::kComma) return bad(found_but(next.text, "',' or 'end of string'"));
      if (!starts_requirement(peek())) return bad(found_but(peek().text, "identifier after ','"));
    }
  }

 private:
  // In and notin are words like any other where no operator is expected.
  static Item as_value(Item item) {
    if (item.token == Token::kIn || item.token == Token::kNotIn) item.token = Token::kIdentifier;
    return item;
  }
  static bool starts_requirement(const Item& item) {
    return item.token == Token::kIdentifier || item.token == Token::kNot;
  }
  Item peek() const { return as_value(items_[at_]); }
  Item take() { return as_value(take_raw()); }
  // Stays at the end of the text.
  Item take_raw() { return items_[at_ + 1 < items_.size() ? at_++ : at_]; }

  base::Result<Requirement> parse_requirement() {
    Requirement requirement;
    Item item = take();
    const bool negated = item.token == Token::kNot;
    if (negated) item = take();
    if (item.token != Token::kIdentifier) return bad(found_but(item.text, "identifier"));
    requirement.key = item.text;
    if (const Messages messages = validate_qualified_name(requirement.key); !messages.empty()) {
      FieldErrors errors;
      errors.invalid(FieldPath(), requirement.key, join(messages, "; "));
      return bad(errors.to_string());
    }
    const Token next = peek().token;
    if (negated || next == Token::kEnd || next == Token::kComma) {
      requirement.op = negated ? SelectorOp::kDoesNotExist : SelectorOp::kExists;
      return requirement;
    }
    TRY(parse_operator(requirement));
    if (requirement.op == SelectorOp::kIn || requirement.op == SelectorOp::kNotIn) {
      TRY(parse_values(requirement.values));
    } else {
      TRY(parse_exact_value(requirement.values));
    }
    TRY(check_requirement(requirement));
    return requirement;
  }

  base::Result<void> parse_operator(Requirement& requirement) {
    const Item item = take_raw();
    switch (item.token) {
      case Token::kIn:
        requirement.op = SelectorOp::kIn;
        return {};
      case Token::kNotIn:
        requirement.op = SelectorOp::kNotIn;
        return {};
      case Token::kEquals:
        requirement.op = SelectorOp::kEquals;
        return {};
      case Token::kDoubleEquals:
        requirement.op = SelectorOp::kDoubleEquals;
        return {};
      case Token::kNotEquals:
        requirement.op = SelectorOp::kNotEquals;
        return {};
      case Token::kGreater:
        requirement.op = SelectorOp::kGreaterThan;
        return {};
      case Token::kLess:
        requirement.op = SelectorOp::kLessThan;
        return {};
      default:
        return bad(found_but(item.text, "in, notin, =, ==, !=, gt, lt"));
    }
  }

  base::Result<void> parse_values(std::vector<std::string>& values) {
    if (const Item item = take(); item.token != Token::kOpen) {
      return bad("found '" + std::string(item.text) + "' expected: '('");
    }
    const Item item = peek();
    if (item.token == Token::kClose) {
      take();
      values.emplace_back();
      return {};
    }
    if (item.token != Token::kIdentifier && item.token != Token::kComma) {
      return bad(found_but(item.text, "',', ')' or identifier"));
    }
    TRY(parse_value_list(values));
    take();  // the closing parenthesis, at which the list ended
    return {};
  }

  // x,y with empty values between, before and after commas.
  base::Result<void> parse_value_list(std::vector<std::string>& values) {
    for (;;) {
      const Item item = take();
      if (item.token == Token::kIdentifier) {
        insert_sorted(values, item.text);
        if (peek().token == Token::kClose) return {};
        if (peek().token != Token::kComma) return bad(found_but(peek().text, "',' or ')'"));
      } else if (item.token == Token::kComma) {
        if (values.empty()) insert_sorted(values, "");
        if (peek().token == Token::kClose) {
          insert_sorted(values, "");
          return {};
        }
        if (peek().token == Token::kComma) {
          take();
          insert_sorted(values, "");
        }
      } else {
        return bad(found_but(item.text, "',', or identifier"));
      }
    }
  }

  base::Result<void> parse_exact_value(std::vector<std::string>& values) {
    const Token next = peek().token;
    if (next == Token::kEnd || next == Token::kComma) {
      values.emplace_back();
      return {};
    }
    const Item item = take();
    if (item.token != Token::kIdentifier) return bad(found_but(item.text, "identifier"));
    values.emplace_back(item.text);
    return {};
  }

  std::vector<Item> items_;
  size_t at_ = 0;
};

void sort_requirements(std::vector<Requirement>& requirements) {
  std::ranges::sort(requirements, [](const Requirement& a, const Requirement& b) {
    return std::tie(a.key, a.op, a.values) < std::tie(b.key, b.op, b.values);
  });
}

std::string_view operator_text(SelectorOp op) {
  switch (op) {
    case SelectorOp::kIn:
      return " in ";
    case SelectorOp::kNotIn:
      return " notin ";
    case SelectorOp::kEquals:
      return "=";
    case SelectorOp::kDoubleEquals:
      return "==";
    case SelectorOp::kNotEquals:
      return "!=";
    case SelectorOp::kGreaterThan:
      return ">";
    case SelectorOp::kLessThan:
      return "<";
    case SelectorOp::kExists:
    case SelectorOp::kDoesNotExist:
      return "";
  }
  return "";
}

}  // namespace

std::optional<std::string_view> ValueLabels::find(std::string_view key) const {
  const Value* value = labels_ ? labels_->find(key) : nullptr;
  const std::string* text = value ? value->string_if() : nullptr;
  if (!text) return std::nullopt;
  return std::string_view(*text);
}

bool Requirement::matches(const LabelSource& labels) const {
  const std::optional<std::string_view> value = labels.find(key);
  const auto listed = [&] { return std::ranges::binary_search(values, *value); };
  switch (op) {
    case SelectorOp::kIn:
    case SelectorOp::kEquals:
    case SelectorOp::kDoubleEquals:
      return value && listed();
    case SelectorOp::kNotIn:
    case SelectorOp::kNotEquals:
      return !value || !listed();
    case SelectorOp::kExists:
      return value.has_value();
    case SelectorOp::kDoesNotExist:
      return !value;
    case SelectorOp::kGreaterThan:
    case SelectorOp::kLessThan: {
      int64_t number, bound;
      if (!value || values.size() != 1 || !parse_integer(*value, number) || !parse_integer(values[0], bound)) {
        return false;
      }
      return op == SelectorOp::kGreaterThan ? number > bound : number < bound;
    }
  }
  return false;
}

LabelSelector LabelSelector::nothing() {
  LabelSelector selector;
  selector.nothing_ = true;
  return selector;
}

base::Result<LabelSelector> LabelSelector::parse(std::string_view text) {
  TRY_ASSIGN(std::vector<Requirement> requirements, SelectorParser(text).parse());
  LabelSelector selector;
  selector.requirements_ = std::move(requirements);
  sort_requirements(selector.requirements_);
  return selector;
}

base::Result<LabelSelector> LabelSelector::from_requirements(std::vector<Requirement> requirements) {
  LabelSelector selector;
  for (Requirement& requirement : requirements) {
    TRY(check_requirement(requirement));
    std::ranges::sort(requirement.values);
    const auto repeated = std::ranges::unique(requirement.values);
    requirement.values.erase(repeated.begin(), repeated.end());
  }
  selector.requirements_ = std::move(requirements);
  sort_requirements(selector.requirements_);
  return selector;
}

LabelSelector LabelSelector::from_labels(std::vector<std::pair<std::string, std::string>> labels) {
  LabelSelector selector;
  for (auto& [key, value] : labels) {
    selector.requirements_.push_back({std::move(key), SelectorOp::kEquals, {std::move(value)}});
  }
  sort_requirements(selector.requirements_);
  return selector;
}

bool LabelSelector::matches(const LabelSource& labels) const {
  return !nothing_ && std::ranges::all_of(requirements_, [&](const Requirement& r) { return r.matches(labels); });
}

std::optional<std::string_view> LabelSelector::required_value(std::string_view key) const {
  for (const Requirement& requirement : requirements_) {
    if (requirement.key != key || requirement.values.size() != 1) continue;
    if (requirement.op == SelectorOp::kIn || requirement.op == SelectorOp::kEquals ||
        requirement.op == SelectorOp::kDoubleEquals) {
      return std::string_view(requirement.values[0]);
    }
  }
  return std::nullopt;
}

std::string LabelSelector::to_string() const {
  std::string out;
  for (const Requirement& requirement : requirements_) {
    if (!out.empty()) out += ',';
    if (requirement.op == SelectorOp::kDoesNotExist) out += '!';
    out += requirement.key;
    out += operator_text(requirement.op);
    const bool set = requirement.op == SelectorOp::kIn || requirement.op == SelectorOp::kNotIn;
    if (set) out += '(';
    out += join(requirement.values, ",");
    if (set) out += ')';
  }
  return out;
}

base::Result<LabelSelector> make_label_selector(
    const std::vector<std::pair<std::string_view, std::string_view>>& match_labels,
    const std::vector<LabelExpression>& match_expressions) {
  std::vector<Requirement> requirements;
  for (const auto& [key, value] : match_labels) {
    requirements.push_back({std::string(key), SelectorOp::kEquals, {std::string(value)}});
  }
  for (const LabelExpression& expression : match_expressions) {
    Requirement requirement{std::string(expression.key), SelectorOp::kExists, {}};
    if (expression.op == "In") {
      requirement.op = SelectorOp::kIn;
    } else if (expression.op == "NotIn") {
      requirement.op = SelectorOp::kNotIn;
    } else if (expression.op == "DoesNotExist") {
      requirement.op = SelectorOp::kDoesNotExist;
    } else if (expression.op != "Exists") {
      return bad(BadValue(expression.op).text() + " is not a valid label selector operator");
    }
    requirement.values.assign(expression.values.begin(), expression.values.end());
    requirements.push_back(std::move(requirement));
  }
  return LabelSelector::from_requirements(std::move(requirements));
}

}  // namespace object
