#include "codec/wire.h"

#include <algorithm>

#include "codec/limits.h"

namespace codec {

bool WireReader::read_long_varint(uint64_t& value) {
  uint64_t result = 0;
  for (int shift = 0; shift < 64; shift += 7) {
    if (at_ == end_) return false;
    const auto byte = static_cast<unsigned char>(*at_++);
    if (shift == 63 && byte > 1) return false;  // more than 64 bits
    result |= static_cast<uint64_t>(byte & 0x7F) << shift;
    if (byte < 0x80) {
      value = result;
      return true;
    }
  }
  return false;
}

bool WireReader::skip(uint32_t field, WireType type) {
  uint64_t number;
  std::string_view bytes;
  switch (type) {
    case WireType::kVarint:
      return read_varint(number);
    case WireType::kFixed64:
      return read_fixed64(number);
    case WireType::kBytes:
      return read_bytes(bytes);
    case WireType::kStartGroup:
      return skip_group(field);
    case WireType::kEndGroup:
      return false;
    case WireType::kFixed32: {
      uint32_t small;
      return read_fixed32(small);
    }
  }
  return false;
}

// Iterative: the fields of the groups that are open.
bool WireReader::skip_group(uint32_t field) {
  uint32_t open[kMaxWireDepth];
  int depth = 0;
  open[depth++] = field;
  while (depth > 0) {
    uint32_t inner;
    WireType type;
    if (!read_tag(inner, type)) return false;
    if (type == WireType::kStartGroup) {
      if (depth == kMaxWireDepth) return false;
      open[depth++] = inner;
    } else if (type == WireType::kEndGroup) {
      if (open[--depth] != inner) return false;
    } else if (!skip(inner, type)) {
      return false;
    }
  }
  return true;
}

ReverseWireWriter::ReverseWireWriter(size_t capacity)
    : buffer_(new char[capacity]), capacity_(capacity), at_(capacity) {}

void ReverseWireWriter::grow(size_t count) {
  const size_t used = size();
  const size_t capacity = std::max(capacity_ * 2, used + count);
  char* buffer = new char[capacity];
  if (used > 0) std::memcpy(buffer + capacity - used, buffer_ + at_, used);
  delete[] buffer_;
  buffer_ = buffer;
  capacity_ = capacity;
  at_ = capacity - used;
}

void append_varint(std::string& out, uint64_t value) {
  char bytes[10];
  size_t size = 0;
  for (; value >= 0x80; value >>= 7) bytes[size++] = static_cast<char>(value | 0x80);
  bytes[size++] = static_cast<char>(value);
  out.append(bytes, size);
}

void append_varint_field(std::string& out, uint32_t field, uint64_t value) {
  append_varint(out, wire_tag(field, WireType::kVarint));
  append_varint(out, value);
}

void append_bytes_field(std::string& out, uint32_t field, std::string_view bytes) {
  append_message_header(out, field, bytes.size());
  out += bytes;
}

void append_fixed32_field(std::string& out, uint32_t field, uint32_t value) {
  append_varint(out, wire_tag(field, WireType::kFixed32));
  out.append(reinterpret_cast<const char*>(&value), sizeof(value));
}

void append_fixed64_field(std::string& out, uint32_t field, uint64_t value) {
  append_varint(out, wire_tag(field, WireType::kFixed64));
  out.append(reinterpret_cast<const char*>(&value), sizeof(value));
}

void append_message_header(std::string& out, uint32_t field, size_t size) {
  append_varint(out, wire_tag(field, WireType::kBytes));
  append_varint(out, size);
}

}  // namespace codec
