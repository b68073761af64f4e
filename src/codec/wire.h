// Protobuf wire format: reading and writing without schema. A reader is a cursor over bytes that outlive it; it never
// reads past them and never recurses. Writers append to a std::string, or fill a buffer from its end, which needs no
// second pass for the lengths of nested messages. Pure.
#pragma once

#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

#include "codec/copy.h"

namespace codec {

enum class WireType : uint8_t {
  kVarint = 0,
  kFixed64 = 1,
  kBytes = 2,
  kStartGroup = 3,
  kEndGroup = 4,
  kFixed32 = 5,
};

inline constexpr uint32_t wire_tag(uint32_t field, WireType type) { return field << 3 | static_cast<uint32_t>(type); }

inline constexpr size_t varint_size(uint64_t value) {
  return static_cast<size_t>(64 - __builtin_clzll(value | 1) + 6) / 7;
}

class WireReader {
 public:
  explicit WireReader(std::string_view bytes) : at_(bytes.data()), end_(bytes.data() + bytes.size()) {}

  bool done() const { return at_ == end_; }
  size_t remaining() const { return static_cast<size_t>(end_ - at_); }
  const char* position() const { return at_; }

  // Each returns false when the bytes are cut off or malformed; the cursor is then of no further use.
  // A tag of field number 0 or with an unknown wire type is malformed.
  bool read_tag(uint32_t& field, WireType& type) {
    uint64_t tag;
    if (!read_varint(tag) || tag > UINT32_MAX) return false;
    field = static_cast<uint32_t>(tag >> 3);
    type = static_cast<WireType>(tag & 7);
    return field != 0 && (tag & 7) <= 5;
  }
  bool read_varint(uint64_t& value) {
    if (at_ < end_ && static_cast<unsigned char>(*at_) < 0x80) {
      value = static_cast<unsigned char>(*at_++);
      return true;
    }
    return read_long_varint(value);
  }
  bool read_bytes(std::string_view& bytes) {
    uint64_t size;
    if (!read_varint(size) || size > remaining()) return false;
    bytes = {at_, static_cast<size_t>(size)};
    at_ += size;
    return true;
  }
  bool read_fixed32(uint32_t& value) { return read_fixed(value); }
  bool read_fixed64(uint64_t& value) { return read_fixed(value); }
  // Skips the value of a field whose tag was read; groups too, up to kMaxWireDepth.
  bool skip(uint32_t field, WireType type);

 private:
  bool read_long_varint(uint64_t& value);
  bool skip_group(uint32_t field);
  template <typename T>
  bool read_fixed(T& value) {
    if (remaining() < sizeof(T)) return false;
    std::memcpy(&value, at_, sizeof(T));  // little endian, as the wire
    at_ += sizeof(T);
    return true;
  }

  const char* at_;
  const char* end_;
};

// Writes from the end of a buffer to its start: a nested message is written first, then its length, then its tag.
// Fields of a message go last first. The buffer grows as needed; reuse one writer for many messages.
//   size_t mark = writer.size(); …fields of the nested message…; writer.message_header(field, mark);
class ReverseWireWriter {
 public:
  explicit ReverseWireWriter(size_t capacity = 4096);
  ReverseWireWriter(const ReverseWireWriter&) = delete;
  ReverseWireWriter& operator=(const ReverseWireWriter&) = delete;
  ~ReverseWireWriter() { delete[] buffer_; }

  std::string_view view() const { return {buffer_ + at_, capacity_ - at_}; }
  size_t size() const { return capacity_ - at_; }
  void clear() { at_ = capacity_; }

  void raw(std::string_view bytes) {
    if (bytes.empty()) return;
    reserve(bytes.size());
    at_ -= bytes.size();
    copy_text(buffer_ + at_, bytes.data(), bytes.size());
  }
  void varint(uint64_t value) {
    reserve(10);
    size_t size = varint_size(value);
    at_ -= size;
    char* to = buffer_ + at_;
    for (; value >= 0x80; value >>= 7) *to++ = static_cast<char>(value | 0x80);
    *to = static_cast<char>(value);
  }
  // Whole fields.
  void varint_field(uint32_t field, uint64_t value) {
    if (field < kShortTags && value < 0x80) return two_bytes(wire_tag(field, WireType::kVarint), value);
    varint(value);
    varint(wire_tag(field, WireType::kVarint));
  }
  void bytes_field(uint32_t field, std::string_view bytes) {
    raw(bytes);
    if (field < kShortTags && bytes.size() < 0x80) {
      return two_bytes(wire_tag(field, WireType::kBytes), bytes.size());
    }
    varint(bytes.size());
    varint(wire_tag(field, WireType::kBytes));
  }
  void fixed64_field(uint32_t field, uint64_t value) {
    fixed(value);
    varint(wire_tag(field, WireType::kFixed64));
  }
  void fixed32_field(uint32_t field, uint32_t value) {
    fixed(value);
    varint(wire_tag(field, WireType::kFixed32));
  }
  // Length and tag of the message whose bytes are those written since size() was `mark`.
  void message_header(uint32_t field, size_t mark) {
    const size_t length = size() - mark;
    if (field < kShortTags && length < 0x80) return two_bytes(wire_tag(field, WireType::kBytes), length);
    varint(length);
    varint(wire_tag(field, WireType::kBytes));
  }

 private:
  static constexpr uint32_t kShortTags = 16;  // fields below it have a tag of one byte

  void two_bytes(uint32_t first, uint64_t second) {
    reserve(2);
    buffer_[--at_] = static_cast<char>(second);
    buffer_[--at_] = static_cast<char>(first);
  }
  void reserve(size_t count) {
    if (at_ < count) grow(count);
  }
  void grow(size_t count);
  template <typename T>
  void fixed(T value) {
    reserve(sizeof(T));
    at_ -= sizeof(T);
    std::memcpy(buffer_ + at_, &value, sizeof(T));
  }

  char* buffer_;
  size_t capacity_;
  size_t at_;
};

// Appending writers, for flat messages and for nested ones whose size is known.
void append_varint(std::string& out, uint64_t value);
void append_varint_field(std::string& out, uint32_t field, uint64_t value);
void append_bytes_field(std::string& out, uint32_t field, std::string_view bytes);
void append_fixed32_field(std::string& out, uint32_t field, uint32_t value);
void append_fixed64_field(std::string& out, uint32_t field, uint64_t value);
// Tag and length of a nested message of `size` bytes, which the caller appends next.
void append_message_header(std::string& out, uint32_t field, size_t size);

inline constexpr size_t varint_field_size(uint32_t field, uint64_t value) {
  return varint_size(wire_tag(field, WireType::kVarint)) + varint_size(value);
}
inline constexpr size_t bytes_field_size(uint32_t field, size_t size) {
  return varint_size(wire_tag(field, WireType::kBytes)) + varint_size(size) + size;
}

}  // namespace codec
