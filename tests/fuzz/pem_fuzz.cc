// PEM text: reading ends, each block lies behind the one before, and a block that is written again is read the same.
#include <cstdint>
#include <string>

#include "base/check.h"
#include "codec/base64.h"
#include "pki/pem.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  std::string_view text(reinterpret_cast<const char*>(data), size);
  for (size_t before = text.size();; before = text.size()) {
    const auto block = pki::next_pem_block(text);
    if (!block) break;
    CHECK(text.size() < before);
    CHECK(block->type.find('\n') == std::string::npos);
    const std::string again =
        "-----BEGIN " + block->type + "-----\n" + codec::base64(block->der) + "\n-----END " + block->type + "-----\n";
    std::string_view rest = again;
    const auto same = pki::next_pem_block(rest);
    CHECK(same && same->type == block->type && same->der == block->der);
    CHECK(same->headers == pki::PemBlock::Headers::kNone && rest.empty());
  }
  return 0;
}
