// JSON field names as identifiers of the language, after k8s.io/apiserver/pkg/cel/escaping.go.
#include <algorithm>
#include <array>

#include "cel/decl_type.h"

namespace cel {

namespace {

constexpr auto kKeywords = std::to_array<std::string_view>(
    {"true", "false",  "null", "in",   "as",      "break",     "const",  "continue", "else", "for",  "function",
     "if",   "import", "let",  "loop", "package", "namespace", "return", "var",      "void", "while"});

bool is_plain(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_'; }

constexpr std::pair<std::string_view, std::string_view> kSequences[] = {
    {"__", "underscores"}, {".", "dot"}, {"-", "dash"}, {"/", "slash"}};

}  // namespace

bool is_keyword(std::string_view name) {
  return std::find(kKeywords.begin(), kKeywords.end(), name) != kKeywords.end();
}

std::optional<std::string> escape(std::string_view name) {
  if (name.empty() || (name[0] >= '0' && name[0] <= '9')) return {};
  if (is_keyword(name)) return "__" + std::string(name) + "__";
  std::string out;
  for (size_t i = 0; i < name.size();) {
    bool replaced = false;
    for (const auto& [text, word] : kSequences) {
      if (!name.substr(i).starts_with(text)) continue;
      out += "__" + std::string(word) + "__";
      i += text.size();
      replaced = true;
      break;
    }
    if (replaced) continue;
    if (!is_plain(name[i])) return {};
    out += name[i++];
  }
  return out;
}

std::optional<std::string> unescape(std::string_view escaped) {
  std::string out;
  for (size_t i = 0; i < escaped.size();) {
    const size_t end = escaped.substr(i).starts_with("__") ? escaped.find("__", i + 2) : std::string_view::npos;
    const std::string_view word =
        end == std::string_view::npos ? std::string_view() : escaped.substr(i + 2, end - i - 2);
    if (word.empty() || word.find('_') != std::string_view::npos) {
      out += escaped[i++];
      continue;
    }
    const auto known = std::find_if(std::begin(kSequences), std::end(kSequences),
                                    [&](const auto& sequence) { return sequence.second == word; });
    if (known != std::end(kSequences)) {
      out += known->first;
    } else if (is_keyword(word) && i == 0 && end + 2 == escaped.size()) {
      out += word;
    } else {
      return {};
    }
    i = end + 2;
  }
  return out;
}

}  // namespace cel
