#include "object/json_to_cbor.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <vector>

#include "codec/limits.h"
#include "codec/utf8.h"
#include "object/cbor.h"
#include "object/json.h"

namespace object {
namespace {

// Reads ordinary JSON. What it does not read is no JSON, or needs the care of the parser (members that repeat).
class Scanner {
 public:
  Scanner(codec::CborWriter& writer, std::string_view text) : writer_(writer), text_(text) {}

  bool document() {
    if (!value(0)) return false;
    skip_space();
    return at_ == text_.size();
  }
  bool all_members() {
    if (!members(0)) return false;
    skip_space();
    return at_ == text_.size();
  }

 private:
  void skip_space() {
    while (at_ < text_.size() && (text_[at_] == ' ' || text_[at_] == '\n' || text_[at_] == '\t' || text_[at_] == '\r'))
      ++at_;
  }
  bool take(char c) {
    skip_space();
    if (at_ >= text_.size() || text_[at_] != c) return false;
    ++at_;
    return true;
  }
  bool word(std::string_view expected) {
    if (text_.substr(at_, expected.size()) != expected) return false;
    at_ += expected.size();
    return true;
  }

  bool value(int depth) {
    skip_space();
    if (at_ >= text_.size() || depth > codec::kMaxDepth) return false;
    switch (text_[at_]) {
      case '{':
        return object(depth + 1);
      case '[':
        return array(depth + 1);
      case '"': {
        std::string_view text;
        if (!string(text)) return false;
        codec::utf8_valid(text) ? writer_.string(text) : writer_.string(codec::utf8_repaired(text));
        return true;
      }
      case 't':
        writer_.boolean(true);
        return word("true");
      case 'f':
        writer_.boolean(false);
        return word("false");
      case 'n':
        writer_.null();
        return word("null");
      default:
        return number();
    }
  }

  bool array(int depth) {
    ++at_;
    writer_.begin_array();
    if (!take(']')) {
      do {
        if (!value(depth)) return false;
      } while (take(','));
      if (!take(']')) return false;
    }
    writer_.end_array();
    return true;
  }

  bool object(int depth) {
    ++at_;
    writer_.begin_map();
    if (!take('}') && (!members(depth) || !take('}'))) return false;
    writer_.end_map();
    return true;
  }

  bool members(int depth) {
    const size_t first = keys_.size();
    do {
      skip_space();
      std::string_view name;
      if (!string(name)) return false;
      if (!codec::utf8_valid(name)) return false;
      keys_.push_back({writer_.key(name), name.size()});
      if (!take(':') || !value(depth)) return false;
    } while (take(','));
    const bool distinct = !repeats(first);
    keys_.resize(first);
    return distinct;
  }

  bool repeats(size_t first) {
    constexpr size_t kFew = 12;
    const size_t count = keys_.size() - first;
    const auto name = [&](size_t i) { return writer_.written(keys_[first + i].at, keys_[first + i].size); };
    if (count > kFew) {
      names_.clear();
      for (size_t i = 0; i < count; ++i) names_.push_back(name(i));
      std::ranges::sort(names_);
      return std::ranges::adjacent_find(names_) != names_.end();
    }
    for (size_t i = 1; i < count; ++i) {
      for (size_t j = 0; j < i; ++j) {
        if (keys_[first + i].size == keys_[first + j].size && name(i) == name(j)) return true;
      }
    }
    return false;
  }

  // `text` lies in the JSON, or in spare_ when there were escapes.
  bool string(std::string_view& text) {
    if (at_ >= text_.size() || text_[at_] != '"') return false;
    const size_t begin = ++at_;
    const size_t end = text_.find_first_of("\"\\", at_);
    if (end == std::string_view::npos) return false;
    at_ = end;
    if (text_[end] == '"') {
      ++at_;
      text = text_.substr(begin, end - begin);
      return true;
    }
    spare_.assign(text_.substr(begin, end - begin));
    while (at_ < text_.size() && text_[at_] != '"') {
      if (text_[at_] != '\\') {
        spare_ += text_[at_++];
      } else if (!escape()) {
        return false;
      }
    }
    if (at_ >= text_.size()) return false;
    ++at_;
    text = spare_;
    return true;
  }

  bool escape() {
    if (at_ + 1 >= text_.size()) return false;
    constexpr std::string_view kFrom = "\"\\/bfnrt";
    constexpr std::string_view kTo = "\"\\/\b\f\n\r\t";
    const char c = text_[at_ + 1];
    if (const size_t simple = kFrom.find(c); simple != std::string_view::npos) {
      spare_ += kTo[simple];
      at_ += 2;
      return true;
    }
    uint32_t point = 0;
    if (c != 'u' || !hex(at_ + 2, point)) return false;
    at_ += 6;
    uint32_t low = 0;
    if (point >= 0xd800 && point < 0xdc00 && text_.substr(at_, 2) == "\\u" && hex(at_ + 2, low) && low >= 0xdc00 &&
        low < 0xe000) {
      point = 0x10000 + ((point - 0xd800) << 10) + (low - 0xdc00);
      at_ += 6;
    }
    codec::append_utf8(spare_, point);
    return true;
  }
  bool hex(size_t at, uint32_t& point) const {
    if (at + 4 > text_.size()) return false;
    const char* begin = text_.data() + at;
    return std::from_chars(begin, begin + 4, point, 16).ptr == begin + 4;
  }

  bool number() {
    const size_t end = std::min(text_.find_first_not_of("+-.0123456789eE", at_), text_.size());
    const std::string_view digits = text_.substr(at_, end - at_);
    if (digits.empty() || digits[0] == '+' || digits[0] == '.') return false;
    at_ = end;
    const char* last = digits.data() + digits.size();
    int64_t whole = 0;
    if (auto [ptr, error] = std::from_chars(digits.data(), last, whole); error == std::errc() && ptr == last) {
      writer_.integer(whole);
      return true;
    }
    double real = 0;
    auto [ptr, error] = std::from_chars(digits.data(), last, real);
    if (error != std::errc() || ptr != last || !std::isfinite(real)) return false;
    writer_.real(real);
    return true;
  }

  codec::CborWriter& writer_;
  std::string_view text_;
  size_t at_ = 0;
  std::string spare_;
  struct Key {
    size_t at, size;  // in what is written; what is written before a key that is open does not move
  };
  std::vector<Key> keys_;  // of the open objects, outermost first
  std::vector<std::string_view> names_;
};

}  // namespace

bool write_json(codec::CborWriter& writer, std::string_view json) {
  const codec::CborWriter::Mark mark = writer.mark();
  if (Scanner(writer, json).document()) return true;
  writer.go_back(mark);
  const auto value = parse_json(json);
  if (!value) return false;
  std::string encoded;
  append_cbor(encoded, *value);
  writer.item(encoded);
  return true;
}

bool write_json_members(codec::CborWriter& writer, std::string_view members) {
  const codec::CborWriter::Mark mark = writer.mark();
  if (Scanner(writer, members).all_members()) return true;
  writer.go_back(mark);
  const auto value = parse_json("{" + std::string(members) + "}");
  if (!value || !value->is_object()) return false;
  for (const Member& member : *value->object_if()) {
    std::string encoded;
    append_cbor(encoded, member.value);
    writer.key(member.key);
    writer.item(encoded);
  }
  return true;
}

std::string cbor_of_json(std::string_view json) {
  std::string out;
  out.reserve(json.size());
  codec::CborWriter writer(out);
  writer.self_described();
  if (!write_json(writer, json)) out.clear();
  return out;
}

}  // namespace object
