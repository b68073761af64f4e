// Internal to pki: owners for OpenSSL's objects and its errors as text. Only .cc files include this.
#pragma once

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <memory>
#include <string>
#include <string_view>

#include "pki/certificate.h"

namespace pki {

template <auto Free>
struct Deleter {
  template <typename T>
  void operator()(T* pointer) const {
    Free(pointer);
  }
};
using BioPointer = std::unique_ptr<BIO, Deleter<BIO_free>>;
using KeyPointer = std::unique_ptr<EVP_PKEY, Deleter<EVP_PKEY_free>>;
using DigestPointer = std::unique_ptr<EVP_MD_CTX, Deleter<EVP_MD_CTX_free>>;
using X509Pointer = std::unique_ptr<X509, Deleter<X509_free>>;
using RequestPointer = std::unique_ptr<X509_REQ, Deleter<X509_REQ_free>>;
using NamesPointer = std::unique_ptr<GENERAL_NAMES, Deleter<GENERAL_NAMES_free>>;

inline BioPointer memory_bio(std::string_view text) {
  return BioPointer(BIO_new_mem_buf(text.data(), static_cast<int>(text.size())));
}
inline std::string bio_text(BIO* bio) {
  char* data = nullptr;
  const long size = BIO_get_mem_data(bio, &data);
  return std::string(data, static_cast<size_t>(size));
}
// The newest error of OpenSSL's queue; empties the queue.
std::string openssl_error();

inline EVP_PKEY* native(const PrivateKey& key) { return static_cast<EVP_PKEY*>(key.native()); }
inline EVP_PKEY* native(const PublicKey& key) { return static_cast<EVP_PKEY*>(key.native()); }
inline X509* native(const Certificate& certificate) { return static_cast<X509*>(certificate.native()); }

// What certificates and requests have in common (certificate.cc).
Subject read_subject(const X509_NAME* name);
AlternativeNames read_names(const GENERAL_NAMES* names);
uint16_t read_key_usages(const ASN1_BIT_STRING* bits);
std::vector<ExtendedKeyUsage> read_extended_usages(const EXTENDED_KEY_USAGE* usages);
int usage_nid(ExtendedKeyUsage usage);

}  // namespace pki
