#include <bit>
#include <cmath>
#include <cstring>

#include "codec/cbor.h"

namespace codec {
namespace {

// Writes a head to `at`, which has room for nine bytes; how many it took.
size_t write_head(char* at, CborMajor major, uint64_t argument) {
  const auto type = static_cast<unsigned char>(static_cast<unsigned>(major) << 5);
  if (argument < 24) {
    *at = static_cast<char>(type | argument);
    return 1;
  }
  const int log = argument < 0x100 ? 0 : argument < 0x10000 ? 1 : argument < 0x100000000 ? 2 : 3;
  const size_t size = size_t{1} << log;
  *at = static_cast<char>(type | (24 + log));
  for (size_t i = 0; i < size; ++i) at[size - i] = static_cast<char>(argument >> (8 * i));
  return size + 1;
}

// The half float with the same value, if there is one.
bool as_half(float value, uint16_t& half) {
  const auto bits = std::bit_cast<uint32_t>(value);
  const uint32_t sign = bits >> 16 & 0x8000;
  const int exponent = static_cast<int>(bits >> 23 & 0xff) - 127;
  const uint32_t fraction = bits & 0x7fffff;
  if ((bits & 0x7fffffff) == 0) {
    half = static_cast<uint16_t>(sign);
    return true;
  }
  if (exponent >= -14 && exponent <= 15 && (fraction & 0x1fff) == 0) {
    half = static_cast<uint16_t>(sign | static_cast<uint32_t>(exponent + 15) << 10 | fraction >> 13);
    return true;
  }
  if (exponent < -14 && exponent >= -24) {  // a subnormal half: units of 2^-24
    const uint32_t whole = fraction | 0x800000;
    const int shift = -1 - exponent;  // 23 bits of fraction, minus (exponent + 24)
    if (whole & ((uint32_t{1} << shift) - 1)) return false;
    half = static_cast<uint16_t>(sign | whole >> shift);
    return true;
  }
  return false;
}

}  // namespace

std::string_view cbor_major_name(CborMajor major) {
  switch (major) {
    case CborMajor::kUnsigned:
      return "positive integer";
    case CborMajor::kNegative:
      return "negative integer";
    case CborMajor::kBytes:
      return "byte string";
    case CborMajor::kText:
      return "UTF-8 text string";
    case CborMajor::kArray:
      return "array";
    case CborMajor::kMap:
      return "map";
    case CborMajor::kTag:
      return "tag";
    case CborMajor::kPrimitive:
      break;
  }
  return "primitives";
}

void append_cbor_head(std::string& out, CborMajor major, uint64_t argument) {
  char head[9];
  out.append(head, write_head(head, major, argument));
}

void CborWriter::begin(CborMajor major) {
  count_value();
  out_ += '\0';
  open_.push_back({major, out_.size(), 0});
}

void CborWriter::end() {
  const Container done = open_.back();
  open_.pop_back();
  char head[9];
  const size_t size = write_head(head, done.major, done.count);
  out_[done.start - 1] = head[0];
  if (size > 1) out_.insert(done.start, head + 1, size - 1);
}

size_t CborWriter::key(std::string_view name) {
  ++open_.back().count;
  append_cbor_head(out_, CborMajor::kBytes, name.size());
  const size_t at = out_.size();
  out_ += name;
  return at;
}

void CborWriter::string(std::string_view text) {
  count_value();
  append_cbor_head(out_, CborMajor::kBytes, text.size());
  out_ += text;
}

void CborWriter::bytes(std::string_view bytes) {
  constexpr uint64_t kExpectedBase64 = 22;
  append_cbor_head(out_, CborMajor::kTag, kExpectedBase64);
  string(bytes);
}

void CborWriter::integer(int64_t value) {
  count_value();
  if (value >= 0) return append_cbor_head(out_, CborMajor::kUnsigned, static_cast<uint64_t>(value));
  append_cbor_head(out_, CborMajor::kNegative, static_cast<uint64_t>(-1 - value));
}

void CborWriter::real(double value) {
  count_value();
  char head[9];
  const auto narrow = static_cast<float>(value);
  uint64_t bits = std::bit_cast<uint64_t>(value);
  size_t size = 8;
  if (static_cast<double>(narrow) == value) {
    uint16_t half = 0;
    bits = as_half(narrow, half) ? half : std::bit_cast<uint32_t>(narrow);
    size = as_half(narrow, half) ? 2 : 4;
  }
  head[0] = static_cast<char>(size == 2 ? 0xf9 : size == 4 ? 0xfa : 0xfb);
  for (size_t i = 0; i < size; ++i) head[size - i] = static_cast<char>(bits >> (8 * i));
  out_.append(head, size + 1);
}

void CborWriter::boolean(bool value) {
  count_value();
  out_ += static_cast<char>(value ? 0xf5 : 0xf4);
}

void CborWriter::null() {
  count_value();
  out_ += '\xf6';
}

void CborWriter::go_back(const Mark& mark) {
  out_.resize(mark.bytes);
  open_.resize(mark.open);
  if (!open_.empty()) open_.back().count = mark.count;
}

void CborWriter::item(std::string_view encoded) {
  count_value();
  out_ += encoded;
}

}  // namespace codec
