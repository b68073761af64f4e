// PEM text, block by block, as Go's encoding/pem reads it. Pure; thread: any.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace pki {

struct PemBlock {
  enum class Headers : uint8_t { kNone, kSome };
  std::string type;  // "CERTIFICATE"
  Headers headers = Headers::kNone;
  std::string der;
};

// The first block in `text`, which is moved past it; nothing when there is none. What is no block is skipped.
std::optional<PemBlock> next_pem_block(std::string_view& text);

}  // namespace pki
