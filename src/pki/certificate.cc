// Reading and verifying certificates. Making them: issue.cc.
#include "pki/certificate.h"

#include <arpa/inet.h>
#include <openssl/pem.h>

#include <algorithm>
#include <cstring>
#include <ctime>

#include "base/check.h"
#include "pki/digest.h"
#include "pki/openssl.h"

namespace pki {

using base::fail;
using base::Reason;
using base::Result;

namespace {

std::shared_ptr<void> share(X509* certificate) {
  return std::shared_ptr<void>(certificate, [](void* pointer) { X509_free(static_cast<X509*>(pointer)); });
}

std::string utf8(const ASN1_STRING* string) {
  unsigned char* data = nullptr;
  const int size = ASN1_STRING_to_UTF8(&data, string);
  std::string text;
  if (size > 0) text.assign(reinterpret_cast<char*>(data), static_cast<size_t>(size));
  OPENSSL_free(data);
  return text;
}

std::string raw(const ASN1_STRING* string) {
  return std::string(reinterpret_cast<const char*>(ASN1_STRING_get0_data(string)),
                     static_cast<size_t>(ASN1_STRING_length(string)));
}

std::string ip_text(const ASN1_OCTET_STRING* address) {
  const int size = ASN1_STRING_length(address);
  char text[INET6_ADDRSTRLEN] = "";
  if (size == 4) inet_ntop(AF_INET, ASN1_STRING_get0_data(address), text, sizeof text);
  if (size == 16) inet_ntop(AF_INET6, ASN1_STRING_get0_data(address), text, sizeof text);
  return text;
}

base::WallTime wall_time(const ASN1_TIME* time) {
  std::tm parts{};
  if (ASN1_TIME_to_tm(time, &parts) != 1) return {};
  // Beyond what nanoseconds since 1970 can hold (years 1677 to 2262) is "never" or "always".
  constexpr int64_t kMaxSeconds = INT64_MAX / 1'000'000'000 - 1;
  return base::WallTime(std::chrono::seconds(std::clamp<int64_t>(timegm(&parts), -kMaxSeconds, kMaxSeconds)));
}

constexpr const char* kUidOid = "1.3.6.1.4.1.57683.2";

std::string uid_of(const X509_NAME* name) {
  for (int i = 0; i < X509_NAME_entry_count(name); ++i) {
    const X509_NAME_ENTRY* entry = X509_NAME_get_entry(name, i);
    char oid[64] = "";
    OBJ_obj2txt(oid, sizeof oid, X509_NAME_ENTRY_get_object(entry), 1);
    if (std::strcmp(oid, kUidOid) == 0) return utf8(X509_NAME_ENTRY_get_data(entry));
  }
  return "";
}

constexpr std::pair<ExtendedKeyUsage, int> kUsages[] = {
    {ExtendedKeyUsage::kAny, NID_anyExtendedKeyUsage},       {ExtendedKeyUsage::kServerAuth, NID_server_auth},
    {ExtendedKeyUsage::kClientAuth, NID_client_auth},        {ExtendedKeyUsage::kCodeSigning, NID_code_sign},
    {ExtendedKeyUsage::kEmailProtection, NID_email_protect}, {ExtendedKeyUsage::kTimeStamping, NID_time_stamp},
    {ExtendedKeyUsage::kOcspSigning, NID_OCSP_sign},
};

// Runs OpenSSL's verification with the options' time, usage and host.
Result<void> run_verification(X509_STORE_CTX* context, const VerifyOptions& options) {
  X509_VERIFY_PARAM* param = X509_STORE_CTX_get0_param(context);
  X509_VERIFY_PARAM_set_time(param, std::chrono::floor<std::chrono::seconds>(options.at).time_since_epoch().count());
  X509_VERIFY_PARAM_set_flags(param, X509_V_FLAG_PARTIAL_CHAIN);
  if (options.usage == ExtendedKeyUsage::kServerAuth) X509_VERIFY_PARAM_set_purpose(param, X509_PURPOSE_SSL_SERVER);
  if (options.usage == ExtendedKeyUsage::kClientAuth) X509_VERIFY_PARAM_set_purpose(param, X509_PURPOSE_SSL_CLIENT);
  if (!options.host.empty()) {
    // Compat: Go looks at alternative names only, never at the common name.
    X509_VERIFY_PARAM_set_hostflags(param, X509_CHECK_FLAG_NEVER_CHECK_SUBJECT);
    if (X509_VERIFY_PARAM_set1_ip_asc(param, options.host.c_str()) != 1) {
      X509_VERIFY_PARAM_set1_host(param, options.host.c_str(), options.host.size());
    }
  }
  const int ok = X509_verify_cert(context);
  const int error = X509_STORE_CTX_get_error(context);
  ERR_clear_error();
  if (ok == 1) return {};
  return fail(Reason::kInvalid, std::string("certificate is not trusted: ") + X509_verify_cert_error_string(error));
}

}  // namespace

int usage_nid(ExtendedKeyUsage usage) {
  for (const auto& [known, nid] : kUsages) {
    if (known == usage) return nid;
  }
  return NID_undef;
}

Subject read_subject(const X509_NAME* name) {
  Subject subject;
  for (int i = 0; i < X509_NAME_entry_count(name); ++i) {
    const X509_NAME_ENTRY* entry = X509_NAME_get_entry(name, i);
    const std::string text = utf8(X509_NAME_ENTRY_get_data(entry));
    switch (OBJ_obj2nid(X509_NAME_ENTRY_get_object(entry))) {
      case NID_commonName:
        subject.common_name = text;
        break;
      case NID_organizationName:
        subject.organizations.push_back(text);
        break;
      case NID_organizationalUnitName:
        subject.organizational_units.push_back(text);
        break;
      default:
        break;
    }
  }
  return subject;
}

AlternativeNames read_names(const GENERAL_NAMES* names) {
  AlternativeNames result;
  for (int i = 0; names && i < sk_GENERAL_NAME_num(names); ++i) {
    const GENERAL_NAME* name = sk_GENERAL_NAME_value(names, i);
    switch (name->type) {
      case GEN_DNS:
        result.dns.push_back(raw(name->d.dNSName));
        break;
      case GEN_IPADD:
        result.ips.push_back(ip_text(name->d.iPAddress));
        break;
      case GEN_EMAIL:
        result.emails.push_back(raw(name->d.rfc822Name));
        break;
      case GEN_URI:
        result.uris.push_back(raw(name->d.uniformResourceIdentifier));
        break;
      default:
        break;
    }
  }
  return result;
}

uint16_t read_key_usages(const ASN1_BIT_STRING* bits) {
  uint16_t usages = 0;
  for (int i = 0; bits && i < 9; ++i) {
    if (ASN1_BIT_STRING_get_bit(bits, i)) usages |= static_cast<uint16_t>(1 << i);
  }
  return usages;
}

std::vector<ExtendedKeyUsage> read_extended_usages(const EXTENDED_KEY_USAGE* usages) {
  std::vector<ExtendedKeyUsage> result;
  for (int i = 0; usages && i < sk_ASN1_OBJECT_num(usages); ++i) {
    const int nid = OBJ_obj2nid(sk_ASN1_OBJECT_value(usages, i));
    for (const auto& [usage, known] : kUsages) {
      if (known == nid) result.push_back(usage);
    }
  }
  return result;
}

Result<Certificate> Certificate::parse_pem(std::string_view pem) {
  TRY_ASSIGN(auto all, parse_all_pem(pem));
  return all.front();
}

Result<std::vector<Certificate>> Certificate::parse_all_pem(std::string_view pem) {
  std::vector<Certificate> certificates;
  const BioPointer bio = memory_bio(pem);
  while (X509* certificate = PEM_read_bio_X509(bio.get(), nullptr, nullptr, nullptr)) {
    certificates.emplace_back(share(certificate));
  }
  const unsigned long error = ERR_peek_last_error();
  const bool clean_end = ERR_GET_REASON(error) == PEM_R_NO_START_LINE;
  if (!clean_end) return fail(Reason::kInvalid, "malformed PEM certificate: " + openssl_error());
  ERR_clear_error();
  if (certificates.empty()) return fail(Reason::kInvalid, "data does not contain any valid certificates");
  return certificates;
}

Result<Certificate> Certificate::parse_der(std::string_view der) {
  const auto* in = reinterpret_cast<const unsigned char*>(der.data());
  X509* certificate = d2i_X509(nullptr, &in, static_cast<long>(der.size()));
  if (!certificate) return fail(Reason::kInvalid, "malformed certificate: " + openssl_error());
  return Certificate(share(certificate));
}

std::string Certificate::pem() const {
  const BioPointer bio(BIO_new(BIO_s_mem()));
  CHECK(PEM_write_bio_X509(bio.get(), pki::native(*this)) == 1);
  return bio_text(bio.get());
}

std::string Certificate::der() const {
  unsigned char* data = nullptr;
  const int size = i2d_X509(pki::native(*this), &data);
  CHECK(size > 0);
  std::string text(reinterpret_cast<char*>(data), static_cast<size_t>(size));
  OPENSSL_free(data);
  return text;
}

std::string Certificate::fingerprint_sha256() const { return to_hex(sha256(der())); }

PublicKey Certificate::public_key() const {
  return PublicKey(std::shared_ptr<void>(X509_get_pubkey(pki::native(*this)),
                                         [](void* key) { EVP_PKEY_free(static_cast<EVP_PKEY*>(key)); }));
}

CertificateInfo Certificate::info() const {
  X509* certificate = pki::native(*this);
  CertificateInfo info;
  info.subject = read_subject(X509_get_subject_name(certificate));
  info.issuer = read_subject(X509_get_issuer_name(certificate));
  info.uid = uid_of(X509_get_subject_name(certificate));
  const NamesPointer names(
      static_cast<GENERAL_NAMES*>(X509_get_ext_d2i(certificate, NID_subject_alt_name, nullptr, nullptr)));
  info.names = read_names(names.get());
  auto* bits = static_cast<ASN1_BIT_STRING*>(X509_get_ext_d2i(certificate, NID_key_usage, nullptr, nullptr));
  info.key_usages = read_key_usages(bits);
  ASN1_BIT_STRING_free(bits);
  auto* usages = static_cast<EXTENDED_KEY_USAGE*>(X509_get_ext_d2i(certificate, NID_ext_key_usage, nullptr, nullptr));
  info.extended_key_usages = read_extended_usages(usages);
  EXTENDED_KEY_USAGE_free(usages);
  if (X509_check_ca(certificate) == 1) info.role = CertificateInfo::Role::kAuthority;
  const ASN1_INTEGER* serial = X509_get0_serialNumber(certificate);
  info.serial_hex = to_hex(raw(serial));
  info.not_before = wall_time(X509_get0_notBefore(certificate));
  info.not_after = wall_time(X509_get0_notAfter(certificate));
  ERR_clear_error();
  return info;
}

Result<KeyPair> parse_pair(std::string_view certificate_pem, std::string_view key_pem) {
  TRY_ASSIGN(auto certificate, Certificate::parse_pem(certificate_pem));
  TRY_ASSIGN(auto key, PrivateKey::parse_pem(key_pem));
  if (X509_check_private_key(native(certificate), native(key)) != 1) {
    ERR_clear_error();
    return fail(Reason::kInvalid, "the private key does not belong to the certificate");
  }
  return KeyPair{std::move(certificate), std::move(key)};
}

Result<void> verify(const Certificate& leaf, const VerifyOptions& options) {
  const std::unique_ptr<X509_STORE, Deleter<X509_STORE_free>> store(X509_STORE_new());
  for (const auto& root : options.roots) X509_STORE_add_cert(store.get(), native(root));
  STACK_OF(X509)* intermediates = sk_X509_new_null();
  for (const auto& certificate : options.intermediates) sk_X509_push(intermediates, native(certificate));
  const std::unique_ptr<X509_STORE_CTX, Deleter<X509_STORE_CTX_free>> context(X509_STORE_CTX_new());
  X509_STORE_CTX_init(context.get(), store.get(), native(leaf), intermediates);
  auto result = run_verification(context.get(), options);
  sk_X509_free(intermediates);
  return result;
}

}  // namespace pki
