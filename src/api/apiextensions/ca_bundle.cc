#include "api/apiextensions/ca_bundle.h"

#include "codec/base64.h"

namespace api {
namespace {

struct PemBlock {
  std::string_view type;
  bool has_headers = false;
  std::string bytes;
};

constexpr std::string_view kBegin = "-----BEGIN ", kDashes = "-----";

bool at_line_start(std::string_view text, size_t at) { return at == 0 || text[at - 1] == '\n'; }

// The first whole block, and what follows it; what is no block is skipped.
std::optional<PemBlock> next_block(std::string_view& text) {
  for (size_t begin = text.find(kBegin); begin != std::string_view::npos; begin = text.find(kBegin, begin + 1)) {
    if (!at_line_start(text, begin)) continue;
    const size_t name = begin + kBegin.size();
    const size_t line = std::min(text.find('\n', name), text.size());
    const size_t dashes = text.substr(0, line).find(kDashes, name);
    if (dashes == std::string_view::npos) continue;
    PemBlock block;
    block.type = text.substr(name, dashes - name);
    const std::string ending = "-----END " + std::string(block.type) + std::string(kDashes);
    const size_t end = text.find(ending, line);
    if (end == std::string_view::npos) continue;
    std::string_view body = text.substr(line, end - line);
    if (const size_t blank = body.find("\n\n"); body.find(": ") != std::string_view::npos) {
      block.has_headers = true;
      body = blank == std::string_view::npos ? std::string_view() : body.substr(blank);
    }
    std::string packed;
    for (const char c : body) {
      if (c != ' ' && c != '\t' && c != '\r' && c != '\n') packed += c;
    }
    auto bytes = codec::parse_base64(packed);
    if (!bytes) continue;
    block.bytes = *std::move(bytes);
    text.remove_prefix(end + ending.size());
    return block;
  }
  return std::nullopt;
}

// One DER sequence that takes all the bytes.
bool is_sequence(std::string_view der) {
  if (der.size() < 2 || der[0] != '\x30') return false;
  const auto first = static_cast<unsigned char>(der[1]);
  if (first < 0x80) return der.size() == 2u + first;
  const size_t count = first & 0x7f;
  if (count == 0 || count > 4 || der.size() < 2 + count) return false;
  size_t size = 0;
  for (size_t i = 0; i < count; ++i) size = size << 8 | static_cast<unsigned char>(der[2 + i]);
  return der.size() == 2 + count + size;
}

}  // namespace

std::optional<std::string> ca_bundle_problem(std::string_view bundle) {
  constexpr std::string_view kUnable = "unable to load root certificates: ";
  std::string_view rest = bundle;
  bool bad = false;
  while (auto block = next_block(rest)) {
    if (block->type != "CERTIFICATE" || block->has_headers) continue;
    if (is_sequence(block->bytes)) return std::nullopt;
    bad = true;
  }
  if (bad) return std::string(kUnable) + "failed to parse certificate: x509: malformed certificate";
  if (rest.empty()) return std::string(kUnable) + "no valid certificate authority data seen";
  return std::string(kUnable) + "unable to parse bytes as PEM block";
}

void validate_ca_bundle(std::string_view bundle, const object::FieldPath& path, object::FieldErrors& errors) {
  if (bundle.empty()) return;
  if (const auto problem = ca_bundle_problem(bundle)) errors.invalid(path, codec::base64(bundle), *problem);
}

}  // namespace api
