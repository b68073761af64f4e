// A recursive-descent parser whose verdicts and messages are those of Go's encoding/json: it takes over wherever
// simdjson refuses.
#include <charconv>
#include <cmath>
#include <cstdlib>
#include <memory>
#include <unordered_map>

#include "codec/json_text.h"
#include "codec/limits.h"
#include "codec/utf8.h"
#include "object/json.h"
#include "object/json_simd.h"

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

namespace object {
namespace {

// Room that a container starts with: fewer moves while it grows, little waste when it stays small.
constexpr size_t kFirstMembers = 6;
constexpr size_t kFirstElements = 4;

// Where the parser is, for the paths of duplicate fields: a list of frames on the stack.
struct Frame {
  const Frame* parent = nullptr;
  std::string_view key;
  size_t index = 0;
};

void append_path(std::string& out, const Frame* frame) {
  if (!frame->parent) return;
  append_path(out, frame->parent);
  if (frame->key.data()) {
    if (!out.empty()) out += '.';
    out += frame->key;
  } else {
    out.append(1, '[').append(std::to_string(frame->index)).append(1, ']');
  }
}

// Later members win; objects that stand in both are merged.
void merge_into(Value& into, Value&& from) {
  Object* target = into.object_if();
  Object* source = from.object_if();
  if (!target || !source) {
    into = std::move(from);
    return;
  }
  for (Member& member : *source) merge_into((*target)[member.key], std::move(member.value));
}

// Finds the members of one object by key while it grows.
class KeyIndex {
 public:
  // The value of an earlier member of that name, or null; the key then counts as present.
  Value* find_or_note(Object& object, const std::string& key) {
    if (object.size() < Object::kIndexFrom) {
      for (Member& member : object) {
        if (member.key == key) return &member.value;
      }
      return nullptr;
    }
    if (!positions_) {
      positions_ = std::make_unique<std::unordered_map<std::string, size_t>>();
      size_t position = 0;
      for (const Member& member : object) positions_->emplace(member.key, position++);
    }
    const auto [found, is_new] = positions_->emplace(key, object.size());
    return is_new ? nullptr : &(object.begin() + found->second)->value;
  }

 private:
  std::unique_ptr<std::unordered_map<std::string, size_t>> positions_;
};

bool is_space(char c) { return c == ' ' || c == '\n' || c == '\t' || c == '\r'; }
bool is_digit(char c) { return c >= '0' && c <= '9'; }

int hex_digit(char c) {
  if (is_digit(c)) return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

// Compat: quoteChar of encoding/json; bytes are taken for code points.
std::string quoted_character(char c) {
  if (c == '\'') return R"('\'')";
  if (c == '"') return R"('"')";
  std::string text;
  codec::append_utf8(text, static_cast<unsigned char>(c));
  text = codec::go_quoted(text);
  return "'" + text.substr(1, text.size() - 2) + "'";
}

class Parser {
 public:
  Parser(std::string_view text, const JsonOptions& options)
      : at_(text.data()), end_(text.data() + text.size()), options_(options) {}

  base::Result<Value> parse() {
    Value value;
    const Frame root;
    if (!parse_value(value, root, 0)) return base::fail(base::Reason::kBadRequest, std::move(syntax_error_));
    skip_space();
    if (at_ != end_) {
      fail("after top-level value");
      return base::fail(base::Reason::kBadRequest, std::move(syntax_error_));
    }
    if (!value_error_.empty()) return base::fail(base::Reason::kBadRequest, std::move(value_error_));
    return value;
  }

 private:
  void skip_space() {
    while (at_ != end_ && is_space(*at_)) ++at_;
  }
  bool fail(std::string_view where) {
    if (at_ == end_) {
      syntax_error_ = "unexpected end of JSON input";
    } else {
      syntax_error_ = "invalid character " + quoted_character(*at_) + ' ';
      syntax_error_ += where;
    }
    return false;
  }

  bool parse_value(Value& out, const Frame& frame, int depth) {
    skip_space();
    if (at_ == end_) return fail("");
    switch (*at_) {
      case '{':
        return parse_object(out, frame, depth + 1);
      case '[':
        return parse_array(out, frame, depth + 1);
      case '"': {
        out = std::string();
        return parse_string(*out.string_if());
      }
      case 't':
        return parse_literal("true", out, true);
      case 'f':
        return parse_literal("false", out, false);
      case 'n':
        return parse_literal("null", out, nullptr);
      default:
        return parse_number(out);
    }
  }

  bool parse_literal(std::string_view word, Value& out, Value value) {
    for (size_t i = 0; i < word.size(); ++i, ++at_) {
      if (at_ == end_ || *at_ != word[i]) {
        return fail("in literal " + std::string(word) + " (expecting " + quoted_character(word[i]) + ")");
      }
    }
    out = std::move(value);
    return true;
  }

  bool parse_object(Value& out, const Frame& frame, int depth) {
    if (depth > codec::kMaxDepth) return fail("exceeded max depth");
    ++at_;
    out = Object();
    Object& object = *out.object_if();
    KeyIndex index;
    skip_space();
    if (at_ != end_ && *at_ == '}') return ++at_, true;
    object.reserve(kFirstMembers);
    for (;;) {
      if (at_ == end_ || *at_ != '"') return fail("looking for beginning of object key string");
      std::string key;
      if (!parse_string(key)) return false;
      skip_space();
      if (at_ == end_ || *at_ != ':') return fail("after object key");
      ++at_;
      if (!parse_member(object, index, std::move(key), frame, depth)) return false;
      skip_space();
      if (at_ != end_ && *at_ == '}') return ++at_, true;
      if (at_ == end_ || *at_ != ',') return fail("after object key:value pair");
      ++at_;
      skip_space();
    }
  }

  bool parse_member(Object& object, KeyIndex& index, std::string key, const Frame& parent, int depth) {
    if (Value* earlier = index.find_or_note(object, key)) {
      const Frame frame{&parent, key};
      if (options_.duplicate_fields) append_path(options_.duplicate_fields->emplace_back(), &frame);
      Value value;
      if (!parse_value(value, frame, depth)) return false;
      if (options_.duplicates == Duplicates::kMerge) {
        merge_into(*earlier, std::move(value));
      } else {
        *earlier = std::move(value);
      }
      return true;
    }
    Value& slot = object.append(std::move(key), Value());
    return parse_value(slot, Frame{&parent, (object.end() - 1)->key}, depth);
  }

  bool parse_array(Value& out, const Frame& parent, int depth) {
    if (depth > codec::kMaxDepth) return fail("exceeded max depth");
    ++at_;
    out = Array();
    Array& array = *out.array_if();
    skip_space();
    if (at_ != end_ && *at_ == ']') return ++at_, true;
    array.reserve(kFirstElements);
    for (Frame frame{&parent};; ++frame.index) {
      if (!parse_value(array.emplace_back(), frame, depth)) return false;
      skip_space();
      if (at_ != end_ && *at_ == ']') return ++at_, true;
      if (at_ == end_ || *at_ != ',') return fail("after array element");
      ++at_;
    }
  }

  bool parse_number(Value& out) {
    const char* start = at_;
    if (*at_ == '-') ++at_;
    const char* digits = at_;
    while (at_ != end_ && is_digit(*at_)) {
      ++at_;
      if (*digits == '0') break;  // nothing may follow a leading zero
    }
    if (at_ == digits) return fail(start == digits ? "looking for beginning of value" : "in numeric literal");
    bool integral = true;
    if (at_ != end_ && *at_ == '.') {
      integral = false;
      ++at_;
      if (!skip_digits()) return fail("after decimal point in numeric literal");
    }
    if (at_ != end_ && (*at_ == 'e' || *at_ == 'E')) {
      integral = false;
      ++at_;
      if (at_ != end_ && (*at_ == '+' || *at_ == '-')) ++at_;
      if (!skip_digits()) return fail("in exponent of numeric literal");
    }
    int64_t integer;
    if (integral && std::from_chars(start, at_, integer).ec == std::errc()) {
      out = integer;
      return true;
    }
    double number = 0;
    if (std::from_chars(start, at_, number).ec != std::errc()) {
      // from_chars calls too large and too small alike out of range; Go refuses the former only.
      const std::string text(start, at_);
      number = std::strtod(text.c_str(), nullptr);
      if (std::isinf(number) && value_error_.empty()) {
        value_error_ = "json: cannot unmarshal number " + text + " into Go value of type float64";
      }
    }
    out = number;
    return true;
  }

  bool skip_digits() {
    const char* start = at_;
    while (at_ != end_ && is_digit(*at_)) ++at_;
    return at_ != start;
  }

  // The first quote, backslash or control byte from at_ on; sets high_ when a byte above 0x7F may be before it.
  const char* find_string_stop() {
    const char* p = at_;
#if defined(__SSE2__)
    for (; end_ - p >= 16; p += 16) {
      const __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(p));
      const __m128i control = _mm_cmpeq_epi8(_mm_min_epu8(bytes, _mm_set1_epi8(0x1F)), bytes);
      const __m128i stop = _mm_or_si128(
          control, _mm_or_si128(_mm_cmpeq_epi8(bytes, _mm_set1_epi8('"')), _mm_cmpeq_epi8(bytes, _mm_set1_epi8('\\'))));
      high_ |= _mm_movemask_epi8(bytes) != 0;
      if (const int mask = _mm_movemask_epi8(stop)) return p + __builtin_ctz(static_cast<unsigned>(mask));
    }
#endif
    for (; p != end_; ++p) {
      const auto c = static_cast<unsigned char>(*p);
      if (c == '"' || c == '\\' || c < 0x20) return p;
      high_ |= c >= 0x80;
    }
    return p;
  }

  bool parse_string(std::string& out) {
    ++at_;
    high_ = false;
    const char* stop = find_string_stop();
    if (stop != end_ && *stop == '"') {
      out.assign(at_, stop);
      at_ = stop + 1;
    } else {
      if (!parse_escaped_string(out, stop)) return false;
    }
    if (high_ && !codec::utf8_valid(out)) out = codec::utf8_repaired(out);
    return true;
  }

  bool parse_escaped_string(std::string& out, const char* stop) {
    for (;; stop = find_string_stop()) {
      out.append(at_, stop);
      at_ = stop;
      if (at_ == end_) return fail("");
      if (*at_ == '"') return ++at_, true;
      if (*at_ != '\\') return fail("in string literal");
      ++at_;
      if (!parse_escape(out)) return false;
    }
  }

  bool parse_escape(std::string& out) {
    constexpr std::string_view kLetters = "\"\\/bfnrt";
    constexpr std::string_view kBytes = "\"\\/\b\f\n\r\t";
    if (at_ == end_) return fail("");
    if (const size_t i = kLetters.find(*at_); i != std::string_view::npos) {
      out += kBytes[i];
      ++at_;
      return true;
    }
    if (*at_ != 'u') return fail("in string escape code");
    ++at_;
    uint32_t unit;
    if (!parse_hex4(unit)) return fail("in \\u hexadecimal character escape");
    if (unit >= 0xD800 && unit < 0xDC00 && end_ - at_ >= 6 && at_[0] == '\\' && at_[1] == 'u') {
      const char* here = at_;
      at_ += 2;
      uint32_t low;
      if (parse_hex4(low) && low >= 0xDC00 && low <= 0xDFFF) {
        unit = 0x10000 + ((unit - 0xD800) << 10) + (low - 0xDC00);
      } else {
        at_ = here;  // a lone surrogate; what follows speaks for itself
      }
    }
    codec::append_utf8(out, unit);
    return true;
  }

  bool parse_hex4(uint32_t& unit) {
    unit = 0;
    for (int i = 0; i < 4; ++i, ++at_) {
      const int digit = at_ == end_ ? -1 : hex_digit(*at_);
      if (digit < 0) return false;
      unit = unit << 4 | static_cast<uint32_t>(digit);
    }
    return true;
  }

  const char* at_;
  const char* end_;
  const JsonOptions& options_;
  bool high_ = false;
  std::string syntax_error_;
  std::string value_error_;
};

}  // namespace

base::Result<Value> parse_json(std::string_view text, const JsonOptions& options) {
  Value value;
  if (parse_json_simd(text, value)) return value;
  return parse_json_carefully(text, options);
}

base::Result<Value> parse_json_carefully(std::string_view text, const JsonOptions& options) {
  return Parser(text, options).parse();
}

}  // namespace object
