#include "kv/repeats.h"

#include <bit>
#include <cstdint>
#include <cstring>
#include <vector>

#include "base/check.h"
#include "kv/wire.h"

namespace kv {

namespace {

constexpr size_t kLeast = 8;      // bytes of a copy
constexpr int kTableBits = 15;    // places remembered, by hash
constexpr int kPatienceBits = 6;  // this many places in vain, as a power of two, and steps grow by one

uint64_t word_at(const char* at) {
  uint64_t word;
  std::memcpy(&word, at, sizeof word);
  return word;
}
size_t slot_of(uint64_t word) { return (word * 0x9E3779B97F4A7C15ULL) >> (64 - kTableBits); }

// How far two places agree.
size_t agreement(const char* a, const char* b, const char* end) {
  const char* const start = b;
  while (end - b >= 8) {
    const uint64_t difference = word_at(a) ^ word_at(b);
    if (difference != 0) return static_cast<size_t>(b - start) + static_cast<size_t>(std::countr_zero(difference)) / 8;
    a += 8;
    b += 8;
  }
  for (; b < end && *a == *b; ++a, ++b) {
  }
  return static_cast<size_t>(b - start);
}

}  // namespace

std::string pack_repeats(std::string_view text) {
  static_assert(std::endian::native == std::endian::little);
  std::string out;
  out.reserve(text.size() / 8);
  std::vector<uint32_t> places(size_t{1} << kTableBits);  // position + 1
  const char* const begin = text.data();
  const char* const end = begin + text.size();
  const char* literals = begin;
  size_t vain = 0;
  for (const char* at = begin; end - at >= static_cast<ptrdiff_t>(kLeast);) {
    const uint64_t word = word_at(at);
    uint32_t& place = places[slot_of(word)];
    const char* source = place == 0 ? nullptr : begin + place - 1;
    place = static_cast<uint32_t>(at - begin) + 1;
    if (!source || word_at(source) != word) {
      at += 1 + (vain++ >> kPatienceBits);
      continue;
    }
    size_t length = kLeast + agreement(source + kLeast, at + kLeast, end);
    for (; at > literals && source > begin && at[-1] == source[-1]; ++length) {
      --at;
      --source;
    }
    put_string(out, {literals, static_cast<size_t>(at - literals)});
    put_varint(out, length);
    put_varint(out, static_cast<uint64_t>(at - source));
    at += length;
    literals = at;
    vain = 0;
  }
  put_string(out, {literals, static_cast<size_t>(end - literals)});
  return out;
}

std::string unpack_repeats(std::string_view packed, size_t size) {
  std::string text;
  text.reserve(size);
  for (Reader reader(packed); !reader.at_end();) {
    text.append(reader.string());
    if (reader.at_end()) break;
    size_t length = reader.varint();
    const size_t distance = reader.varint();
    CHECK(reader.ok() && distance > 0 && distance <= text.size() && text.size() + length <= size);
    for (size_t source = text.size() - distance; length > 0;) {
      const size_t piece = std::min(length, text.size() - source);
      text.append(text, source, piece);
      source += piece;
      length -= piece;
    }
  }
  CHECK(text.size() == size);
  return text;
}

}  // namespace kv
