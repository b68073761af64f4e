// String functions of cel-go's ext.Strings. Positions count code points.
#include <algorithm>

#include "cel/libraries/libraries.h"
#include "codec/utf8.h"

namespace cel {

Value make_list(Arena& arena, const std::vector<Value>& items) {
  Value* kept = arena.allocate_array<Value>(items.size());
  std::copy(items.begin(), items.end(), kept);
  return Value::of_list({kept, items.size()});
}

std::vector<std::string_view> characters(std::string_view text) {
  std::vector<std::string_view> out;
  while (!text.empty()) {
    const size_t length = std::max<size_t>(1, codec::utf8_sequence_length(text));
    out.push_back(text.substr(0, length));
    text.remove_prefix(length);
  }
  return out;
}

namespace {

Value out_of_range(CallContext& context, int64_t index) {
  return context.error("index out of range: " + std::to_string(index));
}

// The text from one code point to before another; positions are valid.
std::string_view between(const std::vector<std::string_view>& text, size_t start, size_t end) {
  if (start >= end) return {};
  const char* first = text[start].data();
  return {first, static_cast<size_t>(text[end - 1].data() + text[end - 1].size() - first)};
}

Value char_at(CallContext& context, std::span<const Value> args) {
  const auto text = characters(args[0].text());
  const int64_t index = args[1].as_int();
  if (index < 0 || index > static_cast<int64_t>(text.size())) return out_of_range(context, index);
  return Value::of_string(static_cast<size_t>(index) == text.size() ? std::string_view()
                                                                    : text[static_cast<size_t>(index)]);
}

bool matches_at(const std::vector<std::string_view>& text, const std::vector<std::string_view>& part, size_t at) {
  return std::equal(part.begin(), part.end(), text.begin() + static_cast<ptrdiff_t>(at));
}

Value index_of(CallContext& context, std::span<const Value> args) {
  const int64_t offset = args.size() == 3 ? args[2].as_int() : 0;
  if (args[1].text().empty()) return Value::of_int(offset);
  if (offset < 0) return out_of_range(context, offset);
  const auto text = characters(args[0].text()), part = characters(args[1].text());
  for (size_t i = static_cast<size_t>(offset); i + part.size() <= text.size(); ++i) {
    if (matches_at(text, part, i)) return Value::of_int(static_cast<int64_t>(i));
  }
  return Value::of_int(-1);
}

Value last_index_of(CallContext& context, std::span<const Value> args) {
  const auto text = characters(args[0].text()), part = characters(args[1].text());
  const int64_t count = static_cast<int64_t>(text.size());
  if (part.empty()) return Value::of_int(args.size() == 3 ? args[2].as_int() : count);
  if (args.size() == 2 && args[0].text().size() < args[1].text().size()) return Value::of_int(-1);
  const int64_t offset = args.size() == 3 ? args[2].as_int() : count - 1;
  if (offset < 0) return out_of_range(context, offset);
  if (offset >= count) return Value::of_int(-1);
  for (int64_t i = std::min(offset, count - static_cast<int64_t>(part.size())); i >= 0; --i) {
    if (matches_at(text, part, static_cast<size_t>(i))) return Value::of_int(i);
  }
  return Value::of_int(-1);
}

template <typename Change>
Value changed(CallContext& context, std::string_view text, Change change) {
  std::string out(text);
  std::transform(out.begin(), out.end(), out.begin(), change);
  return context.string(out);
}

Value lower_ascii(CallContext& context, std::span<const Value> args) {
  return changed(context, args[0].text(), [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
}
Value upper_ascii(CallContext& context, std::span<const Value> args) {
  return changed(context, args[0].text(), [](char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c; });
}

Value replace(CallContext& context, std::span<const Value> args) {
  const std::string_view text = args[0].text(), from = args[1].text(), to = args[2].text();
  int64_t left = args.size() == 4 ? args[3].as_int() : -1;
  std::string out;
  if (from.empty()) {  // Compat: an empty text matches before every character and at the end
    for (const std::string_view each : characters(text)) {
      if (left != 0) {
        out += to;
        --left;
      }
      out += each;
    }
    if (left != 0) out += to;
    return context.string(out);
  }
  size_t at = 0;
  for (size_t found = 0; left != 0 && (found = text.find(from, at)) != std::string_view::npos; --left) {
    out.append(text.substr(at, found - at)).append(to);
    at = found + from.size();
  }
  out += text.substr(at);
  return context.string(out);
}

Value split(CallContext& context, std::span<const Value> args) {
  const std::string_view text = args[0].text(), separator = args[1].text();
  const int64_t most = args.size() == 3 ? args[2].as_int() : -1;
  std::vector<Value> parts;
  if (most == 0) return make_list(context.arena, parts);
  const auto full = [&] { return most > 0 && static_cast<int64_t>(parts.size()) + 1 >= most; };
  size_t at = 0;
  if (separator.empty()) {
    while (at < text.size() && !full()) {
      const size_t length = std::max<size_t>(1, codec::utf8_sequence_length(text.substr(at)));
      parts.push_back(Value::of_string(text.substr(at, length)));
      at += length;
    }
    if (at < text.size()) parts.push_back(Value::of_string(text.substr(at)));
    return make_list(context.arena, parts);
  }
  for (size_t found = 0; !full() && (found = text.find(separator, at)) != std::string_view::npos;) {
    parts.push_back(Value::of_string(text.substr(at, found - at)));
    at = found + separator.size();
  }
  parts.push_back(Value::of_string(text.substr(at)));
  return make_list(context.arena, parts);
}

Value substring(CallContext& context, std::span<const Value> args) {
  const auto text = characters(args[0].text());
  const int64_t count = static_cast<int64_t>(text.size());
  const int64_t start = args[1].as_int(), end = args.size() == 3 ? args[2].as_int() : count;
  if (args.size() == 3 && start > end) {
    return context.error("invalid substring range. start: " + std::to_string(start) + ", end: " + std::to_string(end));
  }
  if (start < 0 || start > count) return out_of_range(context, start);
  if (end < 0 || end > count) return out_of_range(context, end);
  return Value::of_string(between(text, static_cast<size_t>(start), static_cast<size_t>(end)));
}

bool is_space(std::string_view character) {
  static constexpr std::string_view kSpaces[] = {" ",      "\t",     "\n",     "\v",     "\f",     "\r",     "\u0085",
                                                 "\u00a0", "\u1680", "\u2000", "\u2001", "\u2002", "\u2003", "\u2004",
                                                 "\u2005", "\u2006", "\u2007", "\u2008", "\u2009", "\u200a", "\u2028",
                                                 "\u2029", "\u202f", "\u205f", "\u3000"};
  return std::ranges::find(kSpaces, character) != std::end(kSpaces);
}

Value trim(CallContext&, std::span<const Value> args) {
  const auto text = characters(args[0].text());
  size_t start = 0, end = text.size();
  while (start < end && is_space(text[start])) ++start;
  while (end > start && is_space(text[end - 1])) --end;
  return Value::of_string(between(text, start, end));
}

Value join(CallContext& context, std::span<const Value> args) {
  std::string out;
  for (size_t i = 0; i < args[0].size(); ++i) {
    const Value item = args[0].element(i, context.arena);
    if (!item.is_string()) return context.error("join: invalid input: " + debug_text(item));
    if (i > 0 && args.size() == 2) out += args[1].text();
    out += item.text();
  }
  return context.string(out);
}

Value reverse(CallContext& context, std::span<const Value> args) {
  std::string out;
  const auto text = characters(args[0].text());
  for (auto at = text.rbegin(); at != text.rend(); ++at) out += *at;
  return context.string(out);
}

constexpr Declaration kStrings[] = {
    {"string_char_at_int", "string.charAt(int): string", char_at},
    {"string_index_of_string", "string.indexOf(string): int", index_of},
    {"string_index_of_string_int", "string.indexOf(string, int): int", index_of},
    {"string_last_index_of_string", "string.lastIndexOf(string): int", last_index_of},
    {"string_last_index_of_string_int", "string.lastIndexOf(string, int): int", last_index_of},
    {"string_lower_ascii", "string.lowerAscii(): string", lower_ascii},
    {"string_replace_string_string", "string.replace(string, string): string", replace},
    {"string_replace_string_string_int", "string.replace(string, string, int): string", replace},
    {"string_split_string", "string.split(string): list(string)", split},
    {"string_split_string_int", "string.split(string, int): list(string)", split},
    {"string_substring_int", "string.substring(int): string", substring},
    {"string_substring_int_int", "string.substring(int, int): string", substring},
    {"string_trim", "string.trim(): string", trim},
    {"string_upper_ascii", "string.upperAscii(): string", upper_ascii},
    {"list_join", "list(string).join(): string", join},
    {"list_join_string", "list(string).join(string): string", join},
};
constexpr Declaration kReverse[] = {{"string_reverse", "string.reverse(): string", reverse}};

}  // namespace

std::span<const Declaration> string_declarations() { return kStrings; }
std::span<const Declaration> string_reverse_declarations() { return kReverse; }

}  // namespace cel
