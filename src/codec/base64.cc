#include "codec/base64.h"

#include <array>
#include <cstdint>

namespace codec {
namespace {

constexpr std::string_view kStandard = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
constexpr std::string_view kUrlSafe = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

constexpr std::array<int8_t, 256> inverse(std::string_view alphabet) {
  std::array<int8_t, 256> table{};
  table.fill(-1);
  for (size_t i = 0; i < alphabet.size(); ++i) table[static_cast<unsigned char>(alphabet[i])] = static_cast<int8_t>(i);
  return table;
}
constexpr std::array<int8_t, 256> kStandardInverse = inverse(kStandard);
constexpr std::array<int8_t, 256> kUrlSafeInverse = inverse(kUrlSafe);

enum class Padding { kRequired, kNone };

void encode(std::string& out, std::string_view bytes, std::string_view alphabet, Padding padding) {
  const size_t start = out.size();
  out.resize(start + (bytes.size() + 2) / 3 * 4);
  char* to = out.data() + start;
  const auto* in = reinterpret_cast<const unsigned char*>(bytes.data());
  size_t i = 0;
  for (; i + 3 <= bytes.size(); i += 3) {
    const uint32_t bits = static_cast<uint32_t>(in[i]) << 16 | static_cast<uint32_t>(in[i + 1]) << 8 | in[i + 2];
    *to++ = alphabet[bits >> 18];
    *to++ = alphabet[bits >> 12 & 63];
    *to++ = alphabet[bits >> 6 & 63];
    *to++ = alphabet[bits & 63];
  }
  if (const size_t rest = bytes.size() - i; rest > 0) {
    const uint32_t bits = static_cast<uint32_t>(in[i]) << 16 | (rest == 2 ? static_cast<uint32_t>(in[i + 1]) << 8 : 0);
    *to++ = alphabet[bits >> 18];
    *to++ = alphabet[bits >> 12 & 63];
    if (rest == 2) *to++ = alphabet[bits >> 6 & 63];
    if (padding == Padding::kRequired) {
      *to++ = '=';
      if (rest == 1) *to++ = '=';
    }
  }
  out.resize(static_cast<size_t>(to - out.data()));
}

struct Decoded {
  std::string bytes;
  size_t error = std::string_view::npos;
};

// Compat: error offsets as Go's encoding/base64 counts them: the offending character, or the end of the text.
Decoded decode(std::string_view text, const std::array<int8_t, 256>& table, Padding padding) {
  Decoded result;
  result.bytes.reserve(text.size() / 4 * 3 + 3);
  uint32_t bits = 0;
  int have = 0;  // characters of the current group
  size_t i = 0;
  const auto skip_newlines = [&] {
    while (i < text.size() && (text[i] == '\r' || text[i] == '\n')) ++i;
  };
  for (skip_newlines(); i < text.size(); skip_newlines()) {
    const char c = text[i];
    if (c == '=' && padding == Padding::kRequired) break;
    const int8_t value = table[static_cast<unsigned char>(c)];
    if (value < 0) return {{}, i};
    bits = bits << 6 | static_cast<uint32_t>(value);
    ++i;
    if (++have == 4) {
      result.bytes += static_cast<char>(bits >> 16);
      result.bytes += static_cast<char>(bits >> 8);
      result.bytes += static_cast<char>(bits);
      bits = 0;
      have = 0;
    }
  }
  if (padding == Padding::kRequired && i < text.size()) {  // at the first '='
    if (have < 2) return {{}, i};
    for (int wanted = 4 - have; wanted > 0; --wanted) {
      skip_newlines();
      if (i == text.size() || text[i] != '=') return {{}, i};
      ++i;
    }
    skip_newlines();
    if (i < text.size()) return {{}, i};
  } else if (have == 1 || (have > 0 && padding == Padding::kRequired)) {
    return {{}, text.size() - static_cast<size_t>(have)};
  }
  if (have >= 2) result.bytes += static_cast<char>(have == 2 ? bits >> 4 : bits >> 10);
  if (have == 3) result.bytes += static_cast<char>(bits >> 2);
  return result;
}

}  // namespace

void append_base64(std::string& out, std::string_view bytes) { encode(out, bytes, kStandard, Padding::kRequired); }

std::string base64(std::string_view bytes) {
  std::string out;
  append_base64(out, bytes);
  return out;
}

std::optional<std::string> parse_base64(std::string_view text) {
  Decoded result = decode(text, kStandardInverse, Padding::kRequired);
  if (result.error != std::string_view::npos) return std::nullopt;
  return std::move(result.bytes);
}

size_t base64_error_offset(std::string_view text) { return decode(text, kStandardInverse, Padding::kRequired).error; }

std::string base64url(std::string_view bytes) {
  std::string out;
  encode(out, bytes, kUrlSafe, Padding::kNone);
  return out;
}

std::optional<std::string> parse_base64url(std::string_view text) {
  Decoded result = decode(text, kUrlSafeInverse, Padding::kNone);
  if (result.error != std::string_view::npos) return std::nullopt;
  return std::move(result.bytes);
}

}  // namespace codec
