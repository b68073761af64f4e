// Little-endian integers, varints and strings of the files' formats. A Reader never reads past its bytes: once
// something does not fit it has failed, and returns zeros. Thread: as the values.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace kv {

inline void put_fixed32(std::string& out, uint32_t value) {
  for (int shift = 0; shift < 32; shift += 8) out.push_back(static_cast<char>(value >> shift));
}
inline void put_fixed64(std::string& out, uint64_t value) {
  for (int shift = 0; shift < 64; shift += 8) out.push_back(static_cast<char>(value >> shift));
}
inline void put_varint(std::string& out, uint64_t value) {
  for (; value >= 0x80; value >>= 7) out.push_back(static_cast<char>(value | 0x80));
  out.push_back(static_cast<char>(value));
}
inline void put_string(std::string& out, std::string_view bytes) {
  put_varint(out, bytes.size());
  out.append(bytes);
}

class Reader {
 public:
  explicit Reader(std::string_view bytes) : left_(bytes) {}
  bool ok() const { return ok_; }
  bool at_end() const { return left_.empty(); }

  uint8_t byte() { return static_cast<uint8_t>(fixed(1)); }
  uint32_t fixed32() { return static_cast<uint32_t>(fixed(4)); }
  uint64_t fixed64() { return fixed(8); }
  uint64_t varint() {
    uint64_t value = 0;
    for (int shift = 0; shift < 64; shift += 7) {
      uint8_t next = byte();
      value |= static_cast<uint64_t>(next & 0x7f) << shift;
      if (next < 0x80) return value;
    }
    fail();
    return 0;
  }
  std::string_view string() {
    uint64_t size = varint();
    if (size > left_.size()) {
      fail();
      return {};
    }
    return take(size);
  }

 private:
  void fail() {
    ok_ = false;
    left_ = {};
  }
  std::string_view take(size_t size) {
    std::string_view taken = left_.substr(0, size);
    left_.remove_prefix(size);
    return taken;
  }
  uint64_t fixed(size_t size) {
    if (size > left_.size()) {
      fail();
      return 0;
    }
    std::string_view bytes = take(size);
    uint64_t value = 0;
    for (size_t i = 0; i < size; ++i) value |= static_cast<uint64_t>(static_cast<unsigned char>(bytes[i])) << (8 * i);
    return value;
  }

  std::string_view left_;
  bool ok_ = true;
};

}  // namespace kv
