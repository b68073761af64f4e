#include "pki/pem.h"

#include <algorithm>

#include "codec/base64.h"

namespace pki {
namespace {

constexpr std::string_view kBegin = "-----BEGIN ", kEnd = "-----END ", kDashes = "-----";

// The first line, without the white space at its end; `text` is moved past it.
std::string_view take_line(std::string_view& text) {
  const size_t end = text.find('\n');
  std::string_view line = text.substr(0, end);
  text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  while (!line.empty() && (line.back() == ' ' || line.back() == '\t' || line.back() == '\r')) line.remove_suffix(1);
  return line;
}

// The place of `mark` at the beginning of a line.
size_t find_at_line_start(std::string_view text, std::string_view mark) {
  for (size_t at = 0; (at = text.find(mark, at)) != std::string_view::npos; ++at) {
    if (at == 0 || text[at - 1] == '\n') return at;
  }
  return std::string_view::npos;
}

// After the line that began the block.
std::optional<PemBlock> read_block(std::string_view type, std::string_view& text) {
  PemBlock block;
  block.type = type;
  for (std::string_view rest = text; !text.empty(); text = rest) {
    if (take_line(rest).find(':') == std::string_view::npos) break;
    block.headers = PemBlock::Headers::kSome;
  }
  const size_t end = find_at_line_start(text, kEnd);
  if (end == std::string_view::npos) return std::nullopt;
  std::string body(text.substr(0, end));
  text.remove_prefix(end + kEnd.size());
  const std::string_view line = take_line(text);
  if (line.size() != type.size() + kDashes.size() || !line.starts_with(type) || !line.ends_with(kDashes)) {
    return std::nullopt;
  }
  std::erase_if(body, [](char c) { return c == ' ' || c == '\t'; });
  auto der = codec::parse_base64(body);
  if (!der) return std::nullopt;
  block.der = *std::move(der);
  return block;
}

}  // namespace

std::optional<PemBlock> next_pem_block(std::string_view& text) {
  for (;;) {
    const size_t begin = find_at_line_start(text, kBegin);
    if (begin == std::string_view::npos) return std::nullopt;
    text.remove_prefix(begin + kBegin.size());
    std::string_view type = take_line(text);
    if (!type.ends_with(kDashes)) continue;
    type.remove_suffix(kDashes.size());
    std::string_view after = text;
    if (auto block = read_block(type, after)) {
      text = after;
      return block;
    }
  }
}

}  // namespace pki
