// Private and public keys: ECDSA P-256 (made here), RSA and the other EC curves (loaded). Values are handles to
// immutable keys, cheap to copy. Thread: any.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace pki {

enum class KeyType { kEcP256, kEcP384, kEcP521, kRsa, kEd25519 };

class PublicKey {
 public:
  // SubjectPublicKeyInfo or PKCS#1 "RSA PUBLIC KEY", or a certificate: the first of these in the text.
  static base::Result<PublicKey> parse_pem(std::string_view pem);
  // Every key in the text: a file of --service-account-key-file may hold several. Private keys give their public half.
  static base::Result<std::vector<PublicKey>> parse_all_pem(std::string_view pem);
  static base::Result<PublicKey> parse_der(std::string_view spki);

  KeyType type() const;
  std::string spki_der() const;
  std::string pem() const;  // "-----BEGIN PUBLIC KEY-----"
  // Compat: key id of service account tokens: base64url(sha256(SPKI DER)).
  std::string key_id() const;
  bool operator==(const PublicKey& other) const { return spki_der() == other.spki_der(); }

  void* native() const { return key_.get(); }  // EVP_PKEY*
  explicit PublicKey(std::shared_ptr<void> key) : key_(std::move(key)) {}

 private:
  std::shared_ptr<void> key_;
};

class PrivateKey {
 public:
  static base::Result<PrivateKey> generate_p256();
  static base::Result<PrivateKey> generate_rsa(int bits);
  // PKCS#8, SEC1 "EC PRIVATE KEY" or PKCS#1 "RSA PRIVATE KEY", not encrypted.
  static base::Result<PrivateKey> parse_pem(std::string_view pem);

  KeyType type() const;
  PublicKey public_key() const;
  std::string pem() const;  // Compat: as kubeadm writes it, "EC PRIVATE KEY" or "RSA PRIVATE KEY"

  void* native() const { return key_.get(); }  // EVP_PKEY*
  explicit PrivateKey(std::shared_ptr<void> key) : key_(std::move(key)) {}

 private:
  std::shared_ptr<void> key_;
};

// Gives a key when it is asked for: making one may take a while, and many never need it.
using KeySource = std::function<base::Result<PrivateKey>()>;

}  // namespace pki
