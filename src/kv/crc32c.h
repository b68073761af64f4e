// CRC-32C (Castagnoli), with the processor's instruction where there is one. Thread: any.
#pragma once

#include <cstdint>
#include <string_view>

namespace kv {

// Continues `seed`, the CRC of what came before (0: nothing).
uint32_t crc32c(std::string_view bytes, uint32_t seed = 0);
// The same without the processor's help; for tests.
uint32_t crc32c_portable(std::string_view bytes, uint32_t seed = 0);

}  // namespace kv
