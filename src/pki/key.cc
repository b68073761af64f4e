#include "pki/key.h"

#include <openssl/ec.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>

#include "base/check.h"
#include "pki/digest.h"
#include "pki/openssl.h"

namespace pki {

using base::fail;
using base::Reason;
using base::Result;

std::string openssl_error() {
  const unsigned long code = ERR_peek_last_error();
  ERR_clear_error();
  const char* reason = code == 0 ? nullptr : ERR_reason_error_string(code);
  return reason ? reason : "unknown error";
}

namespace {

std::shared_ptr<void> share(EVP_PKEY* key) {
  return std::shared_ptr<void>(key, [](void* pointer) { EVP_PKEY_free(static_cast<EVP_PKEY*>(pointer)); });
}

KeyType type_of(EVP_PKEY* key) {
  switch (EVP_PKEY_get_base_id(key)) {
    case EVP_PKEY_RSA:
      return KeyType::kRsa;
    case EVP_PKEY_ED25519:
      return KeyType::kEd25519;
    default:
      break;
  }
  const int bits = EVP_PKEY_get_bits(key);
  if (bits == 384) return KeyType::kEcP384;
  return bits == 521 ? KeyType::kEcP521 : KeyType::kEcP256;
}

// Curves and algorithms that certificates and tokens may use here; small RSA keys are refused as Go refuses them.
Result<void> check_usable(EVP_PKEY* key) {
  const int id = EVP_PKEY_get_base_id(key);
  if (id == EVP_PKEY_ED25519) return {};
  if (id == EVP_PKEY_RSA) {
    if (EVP_PKEY_get_bits(key) >= 1024) return {};
    return fail(Reason::kInvalid, "RSA keys must have at least 1024 bits");
  }
  char group[64] = "";
  size_t size = 0;
  if (id == EVP_PKEY_EC && EVP_PKEY_get_group_name(key, group, sizeof group, &size) == 1) {
    const std::string_view name(group);
    if (name == "prime256v1" || name == "secp384r1" || name == "secp521r1") return {};
  }
  return fail(Reason::kInvalid, "unsupported kind of key: only RSA, ECDSA P-256, P-384, P-521 and Ed25519 are");
}

int no_password(char*, int, int, void*) { return 0; }

}  // namespace

Result<PublicKey> PublicKey::parse_pem(std::string_view pem) {
  TRY_ASSIGN(auto keys, parse_all_pem(pem));
  return keys.front();
}

Result<std::vector<PublicKey>> PublicKey::parse_all_pem(std::string_view pem) {
  std::vector<PublicKey> keys;
  const BioPointer bio = memory_bio(pem);
  char* name = nullptr;
  char* header = nullptr;
  unsigned char* data = nullptr;
  long size = 0;
  while (PEM_read_bio(bio.get(), &name, &header, &data, &size) == 1) {
    const std::string_view type(name);
    const unsigned char* in = data;
    EVP_PKEY* key = nullptr;
    if (type == "PUBLIC KEY") key = d2i_PUBKEY(nullptr, &in, size);
    if (type == "RSA PUBLIC KEY") key = d2i_PublicKey(EVP_PKEY_RSA, nullptr, &in, size);
    if (type.ends_with("PRIVATE KEY")) key = d2i_AutoPrivateKey(nullptr, &in, size);
    if (type == "CERTIFICATE") {
      const X509Pointer certificate(d2i_X509(nullptr, &in, size));
      if (certificate) key = X509_get_pubkey(certificate.get());
    }
    OPENSSL_free(name);
    OPENSSL_free(header);
    OPENSSL_free(data);
    if (!key) continue;
    keys.emplace_back(share(key));
    TRY(check_usable(key));
  }
  ERR_clear_error();
  if (keys.empty()) return fail(Reason::kInvalid, "data does not contain any valid RSA or ECDSA public keys");
  return keys;
}

Result<PublicKey> PublicKey::parse_der(std::string_view spki) {
  const auto* in = reinterpret_cast<const unsigned char*>(spki.data());
  EVP_PKEY* key = d2i_PUBKEY(nullptr, &in, static_cast<long>(spki.size()));
  if (!key) return fail(Reason::kInvalid, "not a public key: " + openssl_error());
  PublicKey result(share(key));
  TRY(check_usable(key));
  return result;
}

KeyType PublicKey::type() const { return type_of(pki::native(*this)); }

std::string PublicKey::spki_der() const {
  unsigned char* der = nullptr;
  const int size = i2d_PUBKEY(pki::native(*this), &der);
  CHECK(size > 0);
  std::string text(reinterpret_cast<char*>(der), static_cast<size_t>(size));
  OPENSSL_free(der);
  return text;
}

std::string PublicKey::pem() const {
  const BioPointer bio(BIO_new(BIO_s_mem()));
  CHECK(PEM_write_bio_PUBKEY(bio.get(), pki::native(*this)) == 1);
  return bio_text(bio.get());
}

std::string PublicKey::key_id() const { return base64url_encode(sha256(spki_der())); }

Result<PrivateKey> PrivateKey::generate_p256() {
  EVP_PKEY* key = EVP_EC_gen("P-256");
  if (!key) return fail(Reason::kInternalError, "cannot make a key: " + openssl_error());
  return PrivateKey(share(key));
}

Result<PrivateKey> PrivateKey::generate_rsa(int bits) {
  EVP_PKEY* key = EVP_RSA_gen(static_cast<unsigned>(bits));
  if (!key) return fail(Reason::kInternalError, "cannot make a key: " + openssl_error());
  return PrivateKey(share(key));
}

Result<PrivateKey> PrivateKey::parse_pem(std::string_view pem) {
  const BioPointer bio = memory_bio(pem);
  EVP_PKEY* key = PEM_read_bio_PrivateKey(bio.get(), nullptr, no_password, nullptr);
  if (!key) return fail(Reason::kInvalid, "data does not contain a valid private key: " + openssl_error());
  ERR_clear_error();
  PrivateKey result(share(key));
  TRY(check_usable(key));
  return result;
}

KeyType PrivateKey::type() const { return type_of(pki::native(*this)); }

PublicKey PrivateKey::public_key() const {
  const std::string der = PublicKey(key_).spki_der();
  auto key = PublicKey::parse_der(der);
  CHECK(key);
  return *key;
}

std::string PrivateKey::pem() const {
  const BioPointer bio(BIO_new(BIO_s_mem()));
  EVP_PKEY* key = pki::native(*this);
  const bool traditional = type() != KeyType::kEd25519;
  const int ok = traditional
                     ? PEM_write_bio_PrivateKey_traditional(bio.get(), key, nullptr, nullptr, 0, nullptr, nullptr)
                     : PEM_write_bio_PrivateKey(bio.get(), key, nullptr, nullptr, 0, nullptr, nullptr);
  CHECK(ok == 1);
  return bio_text(bio.get());
}

}  // namespace pki
