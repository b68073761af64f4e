// find and findAll, over RE2.
#include <re2/re2.h>

#include <memory>

#include "cel/libraries/libraries.h"

namespace cel {

namespace {

re2::StringPiece piece(std::string_view text) { return {text.data(), text.size()}; }

// The compiled pattern: the prepared one, or one made for this call; null with an error in `failure`.
const RE2* pattern_of(CallContext& context, const Value& text, std::unique_ptr<RE2>& own, Value& failure) {
  if (context.prepared) return static_cast<const RE2*>(context.prepared);
  RE2::Options options;
  options.set_log_errors(false);
  own = std::make_unique<RE2>(piece(text.text()), options);
  if (own->ok()) return own.get();
  failure = context.error("Illegal regex: " + own->error());
  return nullptr;
}

Value find(CallContext& context, std::span<const Value> args) {
  std::unique_ptr<RE2> own;
  Value failure;
  const RE2* pattern = pattern_of(context, args[1], own, failure);
  if (!pattern) return failure;
  re2::StringPiece found;
  const re2::StringPiece text = piece(args[0].text());
  if (!pattern->Match(text, 0, text.size(), RE2::UNANCHORED, &found, 1)) return Value::of_string({});
  return Value::of_string({found.data(), found.size()});
}

Value find_all(CallContext& context, std::span<const Value> args) {
  std::unique_ptr<RE2> own;
  Value failure;
  const RE2* pattern = pattern_of(context, args[1], own, failure);
  if (!pattern) return failure;
  int64_t left = args.size() == 3 ? args[2].as_int() : -1;
  std::vector<Value> out;
  const re2::StringPiece text = piece(args[0].text());
  const char* last_end = nullptr;
  for (size_t at = 0; left != 0 && at <= text.size();) {
    re2::StringPiece found;
    if (!pattern->Match(text, at, text.size(), RE2::UNANCHORED, &found, 1)) break;
    const size_t end = static_cast<size_t>(found.data() - text.data()) + found.size();
    // Compat: an empty match right after the last match does not count.
    if (!(found.empty() && found.data() == last_end)) {
      out.push_back(Value::of_string({found.data(), found.size()}));
      --left;
    }
    last_end = found.data() + found.size();
    at = found.empty() ? end + 1 : end;
    while (found.empty() && at < text.size() && (text[at] & 0xC0) == 0x80) ++at;
  }
  return make_list(context.arena, out);
}

constexpr Declaration kRegex[] = {
    {"string_find_string", "string.find(string): string", find},
    {"string_find_all_string", "string.findAll(string): list(string)", find_all},
    {"string_find_all_string_int", "string.findAll(string, int): list(string)", find_all},
};

}  // namespace

std::span<const Declaration> regex_declarations() { return kRegex; }

}  // namespace cel
