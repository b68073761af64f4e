#include <algorithm>

#include "object/selector.h"

namespace object {
namespace {

std::unexpected<base::Error> bad(std::string message) {
  return base::fail(base::Reason::kBadRequest, std::move(message));
}

// Cut at commas that no backslash escapes.
std::vector<std::string_view> split_terms(std::string_view text) {
  std::vector<std::string_view> terms;
  size_t start = 0;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\\') {
      ++i;
    } else if (text[i] == ',') {
      terms.push_back(text.substr(start, i - start));
      start = i + 1;
    }
  }
  terms.push_back(text.substr(start));
  return terms;
}

// The first of != == = that stands in the term.
bool split_term(std::string_view term, FieldTerm& out, std::string_view& value) {
  for (size_t i = 0; i < term.size(); ++i) {
    const std::string_view rest = term.substr(i);
    const bool unequal = rest.starts_with("!=");
    if (!unequal && rest[0] != '=') continue;
    out.field = term.substr(0, i);
    out.op = unequal ? FieldTerm::Op::kNotEquals : FieldTerm::Op::kEquals;
    value = rest.substr(unequal || rest.starts_with("==") ? 2 : 1);
    return true;
  }
  return false;
}

base::Result<std::string> unescape(std::string_view text) {
  std::string out;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] == ',' || text[i] == '=') {
      return bad("invalid field selector: unescaped character in value: " + std::to_string(int{text[i]}));
    }
    if (text[i] == '\\') {
      const std::string_view next = text.substr(i + 1, 1);
      if (next != "\\" && next != "," && next != "=") {
        return bad("invalid field selector: invalid escape sequence: \\" + std::string(next));
      }
      ++i;
    }
    out += text[i];
  }
  return out;
}

}  // namespace

base::Result<FieldSelector> FieldSelector::parse(std::string_view text) {
  FieldSelector selector;
  for (std::string_view term : split_terms(text)) {
    if (term.empty()) continue;
    FieldTerm parsed;
    std::string_view value;
    if (!split_term(term, parsed, value)) {
      return bad("invalid selector: '" + std::string(text) + "'; can't understand '" + std::string(term) + "'");
    }
    TRY_ASSIGN(parsed.value, unescape(value));
    selector.terms_.push_back(std::move(parsed));
  }
  return selector;
}

bool FieldSelector::matches(const std::function<std::string_view(std::string_view)>& get) const {
  return std::ranges::all_of(terms_, [&](const FieldTerm& term) {
    return (get(term.field) == term.value) == (term.op == FieldTerm::Op::kEquals);
  });
}

std::optional<std::string_view> FieldSelector::required_value(std::string_view field) const {
  for (const FieldTerm& term : terms_) {
    if (term.field == field && term.op == FieldTerm::Op::kEquals) return std::string_view(term.value);
  }
  return std::nullopt;
}

std::string FieldSelector::to_string() const {
  std::string out;
  for (const FieldTerm& term : terms_) {
    if (!out.empty()) out += ',';
    out += term.field;
    out += term.op == FieldTerm::Op::kEquals ? "=" : "!=";
    for (char c : term.value) {
      if (c == '\\' || c == ',' || c == '=') out += '\\';
      out += c;
    }
  }
  return out;
}

}  // namespace object
