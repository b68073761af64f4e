#include "api/apiextensions/schema_field_path.h"

#include <algorithm>

namespace api {
namespace {

base::Error invalid(std::string text) { return {base::Reason::kInvalid, std::move(text)}; }

// '.', '[', ']', a text in single quotes, or what is between; "" at the end.
std::string_view next_token(std::string_view& rest) {
  if (rest.empty()) return {};
  size_t size = 1;
  if (rest[0] == '\'') {
    while (size < rest.size() && (rest[size] != '\'' || rest[size - 1] == '\\')) ++size;
    size = std::min(size + 1, rest.size());
  } else if (std::string_view(".[]").find(rest[0]) == std::string_view::npos) {
    size = std::min(rest.find_first_of(".[]"), rest.size());
  }
  const std::string_view token = rest.substr(0, size);
  rest.remove_prefix(size);
  return token;
}

std::string unescaped(std::string_view text) {
  std::string out;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '\\' || i + 1 == text.size()) {
      out += text[i];
      continue;
    }
    constexpr std::string_view kFrom = "abfnrtv", kTo = "\a\b\f\n\r\t\v";
    const size_t found = kFrom.find(text[++i]);
    out += found == std::string_view::npos ? text[i] : kTo[found];
  }
  return out;
}

base::Result<void> take(std::string name, SchemaFieldPath& path) {
  const bool has_members = path.node.has_properties();
  if (!has_members && !path.node.has_additional_properties()) {
    return base::fail(invalid("does not refer to a valid field"));
  }
  path.node = has_members ? path.node.property(name) : path.node.additional_properties();
  if (has_members && !path.node) return base::fail(invalid("does not refer to a valid field"));
  path.steps.push_back({std::move(name), !has_members});
  return {};
}

base::Result<void> take_bracket(std::string_view& rest, ArrayNotation notation, SchemaFieldPath& path) {
  if (notation == ArrayNotation::kRefused) return base::fail(invalid("array notation is not allowed"));
  const std::string_view quoted = next_token(rest);
  if (quoted.empty()) return base::fail(invalid("unexpected end of JSON path"));
  if (quoted.size() < 2 || quoted.front() != '\'' || quoted.back() != '\'') {
    return base::fail(invalid("expected single quoted string but got " + std::string(quoted)));
  }
  TRY(take(unescaped(quoted.substr(1, quoted.size() - 2)), path));
  const std::string_view close = next_token(rest);
  if (close.empty()) return base::fail(invalid("unexpected end of JSON path"));
  if (close != "]") return base::fail(invalid("expected ] but got " + std::string(close)));
  return {};
}

}  // namespace

std::string SchemaFieldPath::to_string() const {
  std::string out;
  for (const Step& step : steps) {
    if (step.is_key) {
      out.append(1, '[').append(step.name).append(1, ']');
    } else {
      out.append(out.empty() ? "" : ".").append(step.name);
    }
  }
  return out;
}

base::Result<SchemaFieldPath> parse_schema_field_path(std::string_view text, schema::SchemaNode root,
                                                      ArrayNotation notation) {
  SchemaFieldPath path;
  path.node = root;
  while (!text.empty()) {
    const std::string_view token = next_token(text);
    if (token == "[") {
      TRY(take_bracket(text, notation, path));
    } else if (token == ".") {
      const std::string_view name = next_token(text);
      if (name.empty()) return base::fail(invalid("unexpected end of JSON path"));
      TRY(take(std::string(name), path));
    } else {
      return base::fail(invalid("expected [ or . but got: " + std::string(token)));
    }
  }
  return path;
}

}  // namespace api
