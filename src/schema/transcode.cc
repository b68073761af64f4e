#include "schema/transcode.h"

#include <array>
#include <charconv>
#include <cstring>

#include "codec/base64.h"
#include "codec/copy.h"
#include "codec/json_text.h"
#include "object/json.h"
#include "object/time.h"
#include "schema/wire_walk.h"

namespace schema {
namespace {

// True when one of eight bytes is no plain JSON string character: control, quote, backslash, < > &, or not ASCII.
inline bool needs_care(uint64_t word) {
  constexpr uint64_t kOnes = 0x0101010101010101;
  constexpr uint64_t kHigh = 0x8080808080808080;
  auto has_zero = [](uint64_t x) { return (x - kOnes) & ~x; };
  uint64_t found = word | (word - kOnes * 0x20);  // not ASCII, or below 0x20 (a borrow may only add false alarms)
  for (uint64_t byte : {0x22, 0x5c, 0x26}) found |= has_zero(word ^ (kOnes * byte));
  found |= has_zero((word & ~(kOnes * 2)) ^ (kOnes * 0x3c));  // 0x3c <, 0x3e >
  return (found & kHigh) != 0;
}

// Not 0 when one of eight bytes of embedded JSON cannot stay: white space or control, < > &, or not ASCII.
inline uint64_t embedded_care(uint64_t word) {
  constexpr uint64_t kOnes = 0x0101010101010101;
  auto has_zero = [](uint64_t x) { return (x - kOnes) & ~x; };
  uint64_t found = word | (word - kOnes * 0x21) | has_zero(word ^ (kOnes * 0x26));
  found |= has_zero((word & ~(kOnes * 2)) ^ (kOnes * 0x3c));  // 0x3c <, 0x3e >
  return found & 0x8080808080808080;
}

inline bool needs_care(unsigned char c) {
  return c < 0x20 || c >= 0x80 || c == '"' || c == '\\' || c == '&' || c == '<' || c == '>';
}

inline uint64_t load64(const char* at) {
  uint64_t word;
  std::memcpy(&word, at, 8);
  return word;
}

// True when the text may be copied between quotes as it is.
inline bool plain(std::string_view text) {
  const char* at = text.data();
  size_t size = text.size();
  if (size < 8) {
    for (unsigned char c : text) {
      if (needs_care(c)) return false;
    }
    return true;
  }
  for (size_t i = 0; i + 8 <= size; i += 8) {
    if (needs_care(load64(at + i))) return false;
  }
  return !needs_care(load64(at + size - 8));
}

// Appends to a string through a pointer; finish() cuts it to what was written.
class Text {
 public:
  Text(std::string& out, size_t expected) : out_(out), used_(out.size()) { grow(expected); }
  void finish() { out_.resize(used_); }

  // Room for `count` bytes at the returned pointer; then advance(written).
  char* room(size_t count) {
    if (size_ - used_ < count) grow(count);
    return data_ + used_;
  }
  void advance(size_t count) { used_ += count; }
  void append(char c) {
    *room(1) = c;
    ++used_;
  }
  void append(std::string_view text) {
    char* at = room(text.size() + 1);
    codec::copy_text(at, text.data(), text.size());
    used_ += text.size();
  }
  // A comma after a value becomes the closing character; an empty container gets it appended.
  void close(char c) {
    if (data_[used_ - 1] == ',') {
      data_[used_ - 1] = c;
    } else {
      append(c);
    }
  }
  void drop_last() { --used_; }

 private:
  void grow(size_t count) {
    size_t wanted = used_ + count;
    if (wanted > out_.capacity()) wanted = std::max(wanted, used_ + used_ / 2 + 256);
    wanted = std::max(wanted, out_.capacity());
    out_.resize_and_overwrite(wanted, [](char*, size_t size) { return size; });
    data_ = out_.data();
    size_ = wanted;
  }

  std::string& out_;
  char* data_ = nullptr;
  size_t used_;
  size_t size_ = 0;
};

// Every value ends with a comma, which the container's end replaces.
class JsonSink {
 public:
  JsonSink(std::string& out, size_t expected) : text_(out, expected) {}
  Text& text() { return text_; }

  void begin_object() { text_.append('{'); }
  void end_object() { end('}'); }
  void begin_array() { text_.append('['); }
  void end_array() { end(']'); }
  void key(std::string_view name) {
    char* at = text_.room(name.size() + 3);
    *at = '"';
    codec::copy_text(at + 1, name.data(), name.size());
    std::memcpy(at + 1 + name.size(), "\":", 2);
    text_.advance(name.size() + 3);
  }
  void key_escaped(std::string_view name) { quoted(name, ':'); }
  void string(std::string_view value) { quoted(value, ','); }
  void integer(int64_t value) {
    char* at = text_.room(24);
    char* end = std::to_chars(at, at + 24, value).ptr;
    *end = ',';
    text_.advance(static_cast<size_t>(end + 1 - at));
  }
  void boolean(bool value) { text_.append(value ? "true," : "false,"); }
  void null() { text_.append("null,"); }
  void real(double value) {
    spare_.clear();
    codec::append_json_double(spare_, value);
    put_spare(',');
  }
  void bytes(std::string_view value) {
    spare_.clear();
    codec::append_base64(spare_, value);
    text_.append('"');
    put_spare('"');
    text_.append(',');
  }
  bool raw_json(std::string_view json) {
    if (compact(json)) {
      text_.append(json);
      text_.append(',');
      return true;
    }
    spare_.clear();
    codec::append_json_compacted(spare_, json);
    put_spare(',');
    return true;
  }
  bool raw_members(std::string_view members) {
    text_.append(members);
    text_.append(',');
    return true;
  }
  void time(int64_t seconds) {
    spare_ = "\"";
    object::append_time(spare_, {seconds, 0});
    text_.append(spare_);
    text_.append("\",");
  }
  void micro_time(int64_t seconds, int32_t nanos) {
    spare_ = "\"";
    object::append_micro_time(spare_, {seconds, nanos});
    text_.append(spare_);
    text_.append("\",");
  }
  void duration(int64_t nanoseconds) {
    std::string text;
    object::append_duration(text, {nanoseconds});
    string(text);
  }

 private:
  void end(char c) {
    text_.close(c);
    text_.append(',');
  }
  void put_spare(char after) {
    text_.append(spare_);
    text_.append(after);
  }
  void quoted(std::string_view value, char after) {
    if (!plain(value)) {
      spare_.clear();
      codec::append_json_string(spare_, value);
      return put_spare(after);
    }
    char* at = text_.room(value.size() + 3);
    *at = '"';
    codec::copy_text(at + 1, value.data(), value.size());
    at[1 + value.size()] = '"';
    at[2 + value.size()] = after;
    text_.advance(value.size() + 3);
  }
  // True when JSON text can stand in the answer as it is: no white space, nothing to escape.
  static bool compact(std::string_view json) {
    size_t i = 0;
    for (; i + 32 <= json.size(); i += 32) {
      uint64_t found = 0;
      for (size_t k = 0; k < 32; k += 8) found |= embedded_care(load64(json.data() + i + k));
      if (found != 0) return false;
    }
    for (; i < json.size(); ++i) {
      auto c = static_cast<unsigned char>(json[i]);
      if (c <= 0x20 || c == '<' || c == '>' || c == '&' || c >= 0x80) return false;
    }
    return true;
  }

  Text text_;
  std::string spare_;
};

// Sees only whether embedded JSON is JSON.
class CheckSink {
 public:
  explicit CheckSink(CheckedParts parts) : parts_(parts) {}

  bool passes_over(const Message& message) const { return parts_ == CheckedParts::kUnsure && !message.unsure; }
  void begin_object() {}
  void end_object() {}
  void begin_array() {}
  void end_array() {}
  void key(std::string_view) {}
  void key_escaped(std::string_view) {}
  void string(std::string_view) {}
  void integer(int64_t) {}
  void boolean(bool) {}
  void real(double) {}
  void null() {}
  void bytes(std::string_view) {}
  bool raw_json(std::string_view json) { return object::parse_json(json).has_value(); }
  bool raw_members(std::string_view members) { return raw_json("{" + std::string(members) + "}"); }
  void time(int64_t) {}
  void micro_time(int64_t, int32_t) {}
  void duration(int64_t) {}

 private:
  CheckedParts parts_;
};

}  // namespace

base::Result<void> check_message(const Message& message, std::string_view bytes, CheckedParts parts) {
  CheckSink sink(parts);
  internal::WireWalk<CheckSink> walk(sink);
  if (bytes.size() <= kMaxMessageBytes && walk.top(message, bytes, {}, {})) return {};
  return internal::malformed(message, base::Reason::kBadRequest);
}

base::Result<void> append_json(const Message& message, std::string_view bytes, const JsonOptions& options,
                               std::string& out) {
  size_t before = out.size();
  JsonSink sink(out, bytes.size() * 2 + 64);
  internal::WireWalk<JsonSink> walk(sink);
  if (options.nested_types == NestedTypes::kWritten) walk.write_nested_types();
  if (bytes.size() > kMaxMessageBytes || !walk.top(message, bytes, options.type, options.resource_version)) {
    out.resize(before);
    return internal::malformed(message, base::Reason::kInternalError);
  }
  sink.text().drop_last();
  sink.text().finish();
  return {};
}

}  // namespace schema
