#include "schema/fieldpath/fields_v1.h"

#include <algorithm>
#include <charconv>
#include <optional>

#include "codec/limits.h"
#include "codec/utf8.h"
#include "object/json.h"

namespace schema {
namespace {

using base::Reason;
using base::Result;

enum class Self : uint8_t { kNo, kMember };

void append_node(std::string& out, const SetNode& node, Self self) {
  bool first = true;
  if (self == Self::kMember) {
    out += "\".\":{}";
    first = false;
  }
  for (const SetEntry& entry : node.all()) {
    if (!first) out += ',';
    first = false;
    append_member_name(out, entry.element);
    out += ":{";
    if (entry.child) append_node(out, *entry.child, entry.member ? Self::kMember : Self::kNo);
    out += '}';
  }
}

class Parser {
 public:
  Parser(Arena& arena, std::string_view text) : arena_(arena), at_(text.data()), end_(text.data() + text.size()) {}

  Result<FieldSet> document() {
    Level root;
    if (!object(root, 0)) return error();
    skip_space();
    if (at_ != end_) {
      fail("something follows the object");
      return error();
    }
    return FieldSet(root.node);
  }

 private:
  // What an object says: the set below it, and whether its own path is a member.
  struct Level {
    const SetNode* node = nullptr;
    bool self = false;
  };

  bool fail(const char* why) {
    if (!why_) why_ = why;
    return false;
  }
  std::unexpected<base::Error> error() const {
    return base::fail(Reason::kBadRequest, std::string("field set: ") + (why_ ? why_ : "bad JSON"));
  }

  void skip_space() {
    while (at_ < end_ && (*at_ == ' ' || *at_ == '\n' || *at_ == '\t' || *at_ == '\r')) ++at_;
  }
  bool take(char c) {
    skip_space();
    if (at_ == end_ || *at_ != c) return false;
    ++at_;
    return true;
  }

  // Compat: null stands for an empty object.
  bool object(Level& level, int depth) {
    if (depth > codec::kMaxDepth) return fail("nested too deep");
    skip_space();
    if (end_ - at_ >= 4 && std::string_view(at_, 4) == "null") {
      at_ += 4;
      level.self = true;
      return true;
    }
    if (!take('{')) return fail("an object is missing");
    const size_t base = scratch_.size();
    if (!take('}')) {
      do {
        if (!member(level, depth)) return false;
      } while (take(','));
      if (!take('}')) return fail("an object does not end");
    }
    level.node = finish(base);
    if (!level.node) level.self = true;
    return true;
  }

  bool member(Level& level, int depth) {
    std::string_view name;
    if (!string(name)) return false;
    if (!take(':')) return fail("a colon is missing");
    if (name == ".") {
      level.self = true;
      return skip_value(depth);
    }
    if (name.size() < 2 || name[1] != ':') return fail("a member name has no sort");
    Element element;
    switch (name[0]) {
      case 'f':
        element = Element::field(name.substr(2));
        break;
      case 'k':
        if (!key(name.substr(2), element)) return false;
        break;
      case 'v':
        if (!value(name.substr(2), element)) return false;
        break;
      case 'i': {
        int64_t index = 0;
        const std::string_view digits = name.substr(2);
        const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), index);
        if (error != std::errc() || end != digits.data() + digits.size()) return fail("an index is no number");
        element = Element::of_index(index);
        break;
      }
      default:
        return skip_value(depth);
    }
    Level below;
    if (!object(below, depth + 1)) return false;
    scratch_.push_back({element, below.node, below.self});
    return true;
  }

  const SetNode* finish(size_t base) {
    const std::span<SetEntry> entries(scratch_.data() + base, scratch_.size() - base);
    const SetNode* node = make_set_unsorted(arena_, entries).node();
    scratch_.resize(base);
    return node;
  }

  // A JSON string; a view of the text when it has no escapes.
  bool string(std::string_view& out) {
    if (!take('"')) return fail("a string is missing");
    const char* start = at_;
    bool escaped = false;
    for (; at_ < end_ && *at_ != '"'; ++at_) {
      if (*at_ != '\\') continue;
      escaped = true;
      if (++at_ == end_) break;
    }
    if (at_ >= end_) return fail("a string does not end");
    out = {start, static_cast<size_t>(at_ - start)};
    ++at_;
    return !escaped || unescape(out);
  }

  // Bytes that are no UTF-8 stay as they are: what is read is what was written.
  bool unescape(std::string_view& text) {
    char* out = arena_.allocate<char>(text.size());
    size_t size = 0;
    for (size_t i = 0; i < text.size(); ++i) {
      if (text[i] != '\\') {
        out[size++] = text[i];
        continue;
      }
      static constexpr std::string_view kEscapes = "\"\\/bfnrt";
      static constexpr std::string_view kMeanings = "\"\\/\b\f\n\r\t";
      const size_t found = kEscapes.find(text[++i]);
      if (found != std::string_view::npos) {
        out[size++] = kMeanings[found];
      } else if (text[i] != 'u' || !unescape_unicode(text, i, out, size)) {
        return fail("a string has a bad escape");
      }
    }
    text = {out, size};
    return true;
  }

  static std::optional<uint32_t> hex4(std::string_view text, size_t at) {
    uint32_t code = 0;
    if (at + 4 > text.size()) return std::nullopt;
    const auto [end, error] = std::from_chars(text.data() + at, text.data() + at + 4, code, 16);
    if (error != std::errc() || end != text.data() + at + 4) return std::nullopt;
    return code;
  }

  // `i` is at the u of an escape, and then at its last digit. An escape never is shorter than its UTF-8.
  static bool unescape_unicode(std::string_view text, size_t& i, char* out, size_t& size) {
    const auto first = hex4(text, i + 1);
    if (!first) return false;
    i += 4;
    uint32_t code = *first;
    if (code >= 0xd800 && code < 0xdc00 && text.substr(i + 1).starts_with("\\u")) {
      const auto second = hex4(text, i + 3);
      if (second && *second >= 0xdc00 && *second < 0xe000) {
        code = 0x10000 + ((code - 0xd800) << 10) + (*second - 0xdc00);
        i += 6;
      }
    }
    std::string utf8;
    codec::append_utf8(utf8, code);
    for (char byte : utf8) out[size++] = byte;
    return true;
  }

  bool skip_value(int depth) {
    if (depth > codec::kMaxDepth) return fail("nested too deep");
    skip_space();
    if (at_ == end_) return fail("a value is missing");
    std::string_view ignored;
    if (*at_ == '"') return string(ignored);
    if (*at_ == '{' || *at_ == '[') {
      const char close = *at_ == '{' ? '}' : ']';
      ++at_;
      if (take(close)) return true;
      do {
        if (close == '}' && (!string(ignored) || !take(':'))) return fail("a member is missing");
        if (!skip_value(depth + 1)) return false;
      } while (take(','));
      return take(close) || fail("a value does not end");
    }
    const char* start = at_;
    while (at_ < end_ && *at_ != ',' && *at_ != '}' && *at_ != ']' && *at_ != ' ') ++at_;
    return object::parse_json(std::string_view(start, static_cast<size_t>(at_ - start))) ? true : fail("a bad value");
  }

  // {"name":"a","port":80}: the usual forms by hand, all else by the JSON parser.
  bool key(std::string_view json, Element& element) {
    Parser inner(arena_, json);
    KeyField fields[kMaxPlainKeys];
    size_t count = 0;
    if (inner.plain_key(fields, count)) {
      KeyField* stored = arena_.allocate<KeyField>(count);
      std::copy_n(fields, count, stored);
      element = Element::of_key(stored, count);
      return true;
    }
    auto parsed = object::parse_json(json);
    if (!parsed || !parsed->is_object()) return fail("a list key is no object");
    const object::Object& object = *parsed->object_if();
    KeyField* stored = arena_.allocate<KeyField>(object.size());
    for (const auto& [name, value] : object) stored[count++] = {arena_.copy(name), owned(value)};
    std::sort(stored, stored + count, [](const KeyField& a, const KeyField& b) { return a.name < b.name; });
    element = Element::of_key(stored, count);
    return true;
  }

  Scalar owned(const object::Value& value) {
    Scalar scalar = to_scalar(arena_, value);
    if (scalar.kind == Scalar::Kind::kString) scalar.text = arena_.copy(scalar.text);
    return scalar;
  }

  static constexpr size_t kMaxPlainKeys = 8;
  // Fields in order, with values that are strings without escapes or integers.
  bool plain_key(KeyField* fields, size_t& count) {
    if (!take('{')) return false;
    size_t found = 0;
    do {
      if (found == kMaxPlainKeys || !plain_string(fields[found].name) || !take(':')) return false;
      if (!plain_value(fields[found].value)) return false;
      if (found > 0 && fields[found - 1].name >= fields[found].name) return false;
      ++found;
    } while (take(','));
    if (!take('}') || at_ != end_) return false;
    count = found;
    return true;
  }

  bool plain_string(std::string_view& out) {
    if (!take('"')) return false;
    const char* start = at_;
    while (at_ < end_ && *at_ != '"' && *at_ != '\\' && static_cast<unsigned char>(*at_) >= 0x20) ++at_;
    if (at_ == end_ || *at_ != '"') return false;
    out = {start, static_cast<size_t>(at_ - start)};
    ++at_;
    return codec::utf8_valid(out);
  }

  bool plain_value(Scalar& out) {
    if (at_ < end_ && *at_ == '"') {
      out.kind = Scalar::Kind::kString;
      return plain_string(out.text);
    }
    const auto [end, error] = std::from_chars(at_, end_, out.integer);
    if (error != std::errc() || (end < end_ && *end != ',' && *end != '}')) return false;
    out.kind = Scalar::Kind::kInt;
    at_ = end;
    return true;
  }

  bool value(std::string_view json, Element& element) {
    Scalar scalar;
    Parser inner(arena_, json);
    if (!inner.plain_value(scalar) || inner.at_ != inner.end_) {
      auto parsed = object::parse_json(json);
      if (!parsed) return fail("a set's value is no JSON");
      scalar = owned(*parsed);
    }
    element = Element::of_value(arena_.create(KeyField{{}, scalar}));
    return true;
  }

  Arena& arena_;
  const char* at_;
  const char* end_;
  const char* why_ = nullptr;
  std::vector<SetEntry> scratch_;  // entries of the open objects, innermost last
};

}  // namespace

void append_fields_v1(std::string& out, FieldSet set) {
  out += '{';
  if (set.node()) append_node(out, *set.node(), Self::kNo);
  out += '}';
}

Result<FieldSet> parse_fields_v1(Arena& arena, std::string_view text) { return Parser(arena, text).document(); }

}  // namespace schema
