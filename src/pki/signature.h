// Signatures of plain messages, as a holder of a key makes them to prove that it has it. Pure; thread: any.
#pragma once

#include <cstdint>
#include <string_view>

#include "pki/key.h"

namespace pki {

// Of the modulus or the field.
int key_bits(const PublicKey& key);

enum class Verdict : uint8_t { kValid, kInvalid };
// Ed25519; ECDSA (ASN.1) and RSA-PSS with SHA-256.
Verdict verify_signature(const PublicKey& key, std::string_view message, std::string_view signature);

}  // namespace pki
