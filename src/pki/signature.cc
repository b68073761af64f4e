#include "pki/signature.h"

#include <openssl/rsa.h>

#include "pki/openssl.h"

namespace pki {

int key_bits(const PublicKey& key) { return EVP_PKEY_get_bits(native(key)); }

Verdict verify_signature(const PublicKey& key, std::string_view message, std::string_view signature) {
  const DigestPointer context(EVP_MD_CTX_new());
  EVP_PKEY_CTX* parameters = nullptr;  // owned by the context
  const EVP_MD* digest = key.type() == KeyType::kEd25519 ? nullptr : EVP_sha256();
  bool ready = EVP_DigestVerifyInit(context.get(), &parameters, digest, nullptr, native(key)) == 1;
  if (ready && key.type() == KeyType::kRsa) {
    ready = EVP_PKEY_CTX_set_rsa_padding(parameters, RSA_PKCS1_PSS_PADDING) == 1 &&
            EVP_PKEY_CTX_set_rsa_pss_saltlen(parameters, RSA_PSS_SALTLEN_AUTO) == 1;
  }
  const auto bytes = [](std::string_view text) { return reinterpret_cast<const unsigned char*>(text.data()); };
  const bool valid =
      ready && EVP_DigestVerify(context.get(), bytes(signature), signature.size(), bytes(message), message.size()) == 1;
  if (!valid) ERR_clear_error();
  return valid ? Verdict::kValid : Verdict::kInvalid;
}

}  // namespace pki
