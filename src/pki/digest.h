// Hashes, random bytes and the base64 variants that keys, certificates and tokens need. Thread: any.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace pki {

std::string sha256(std::string_view bytes);  // 32 bytes
std::string sha512(std::string_view bytes);  // 64 bytes
std::string hmac_sha256(std::string_view key, std::string_view bytes);
std::string random_bytes(size_t count);  // from the kernel-seeded generator; aborts when there is none
std::string to_hex(std::string_view bytes);
std::string base64url_encode(std::string_view bytes);  // no padding
std::optional<std::string> base64url_decode(std::string_view text);
// Compares in time that depends only on the lengths: for tokens and MACs.
bool equal_constant_time(std::string_view a, std::string_view b);

}  // namespace pki
