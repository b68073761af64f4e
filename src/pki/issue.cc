// Making certificates and certificate requests.
#include <arpa/inet.h>
#include <openssl/pem.h>

#include "base/check.h"
#include "pki/digest.h"
#include "pki/openssl.h"

namespace pki {

using base::fail;
using base::Reason;
using base::Result;

namespace {

// Compat: what kubeadm uses.
constexpr auto kBackdate = std::chrono::minutes(5);
constexpr auto kLeafValidity = std::chrono::hours(8760);
constexpr auto kAuthorityValidity = std::chrono::hours(87600);
constexpr uint16_t kLeafUsages =
    static_cast<uint16_t>(KeyUsage::kDigitalSignature) | static_cast<uint16_t>(KeyUsage::kKeyEncipherment);

struct NameDeleter {
  void operator()(X509_NAME* name) const { X509_NAME_free(name); }
};
using NamePointer = std::unique_ptr<X509_NAME, NameDeleter>;

Result<void> add_entries(X509_NAME* name, int nid, const std::vector<std::string>& values) {
  for (size_t i = 0; i < values.size(); ++i) {
    // Compat: Go puts all values of one attribute into one relative distinguished name.
    const int ok =
        X509_NAME_add_entry_by_NID(name, nid, MBSTRING_UTF8, reinterpret_cast<const unsigned char*>(values[i].data()),
                                   static_cast<int>(values[i].size()), -1, i == 0 ? 0 : -1);
    if (ok != 1) return fail(Reason::kInvalid, "subject \"" + values[i] + "\": " + openssl_error());
  }
  return {};
}

Result<NamePointer> make_name(const Subject& subject) {
  NamePointer name(X509_NAME_new());
  TRY(add_entries(name.get(), NID_organizationName, subject.organizations));
  TRY(add_entries(name.get(), NID_organizationalUnitName, subject.organizational_units));
  if (!subject.common_name.empty()) TRY(add_entries(name.get(), NID_commonName, {subject.common_name}));
  return name;
}

void push_text(GENERAL_NAMES* names, int type, const std::string& text) {
  GENERAL_NAME* name = GENERAL_NAME_new();
  ASN1_IA5STRING* value = ASN1_IA5STRING_new();
  ASN1_STRING_set(value, text.data(), static_cast<int>(text.size()));
  GENERAL_NAME_set0_value(name, type, value);
  sk_GENERAL_NAME_push(names, name);
}

Result<NamesPointer> make_names(const AlternativeNames& from) {
  NamesPointer names(GENERAL_NAMES_new());
  for (const auto& text : from.dns) push_text(names.get(), GEN_DNS, text);
  for (const auto& text : from.emails) push_text(names.get(), GEN_EMAIL, text);
  for (const auto& text : from.ips) {
    ASN1_OCTET_STRING* address = a2i_IPADDRESS(text.c_str());
    if (!address) return fail(Reason::kInvalid, "\"" + text + "\" is not an IP address");
    GENERAL_NAME* name = GENERAL_NAME_new();
    GENERAL_NAME_set0_value(name, GEN_IPADD, address);
    sk_GENERAL_NAME_push(names.get(), name);
  }
  for (const auto& text : from.uris) push_text(names.get(), GEN_URI, text);
  return names;
}

struct BitsDeleter {
  void operator()(ASN1_BIT_STRING* bits) const { ASN1_BIT_STRING_free(bits); }
};
std::unique_ptr<ASN1_BIT_STRING, BitsDeleter> make_bits(uint16_t usages) {
  std::unique_ptr<ASN1_BIT_STRING, BitsDeleter> bits(ASN1_BIT_STRING_new());
  for (int i = 0; i < 9; ++i) {
    if (usages & (1 << i)) ASN1_BIT_STRING_set_bit(bits.get(), i, 1);
  }
  return bits;
}

struct UsagesDeleter {
  void operator()(EXTENDED_KEY_USAGE* usages) const { EXTENDED_KEY_USAGE_free(usages); }
};
std::unique_ptr<EXTENDED_KEY_USAGE, UsagesDeleter> make_usages(const std::vector<ExtendedKeyUsage>& from) {
  std::unique_ptr<EXTENDED_KEY_USAGE, UsagesDeleter> usages(EXTENDED_KEY_USAGE_new());
  for (const auto usage : from) sk_ASN1_OBJECT_push(usages.get(), OBJ_nid2obj(usage_nid(usage)));
  return usages;
}

void add_key_identifier(X509* certificate, X509* issuer, int nid, const char* value) {
  X509V3_CTX context;
  X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
  X509_EXTENSION* extension = X509V3_EXT_nconf_nid(nullptr, &context, nid, value);
  if (extension) X509_add_ext(certificate, extension, -1);
  X509_EXTENSION_free(extension);
}

void add_extensions(X509* certificate, const CertificateSpec& spec, const GENERAL_NAMES* names, X509* issuer) {
  const bool authority = spec.role == CertificateInfo::Role::kAuthority;
  BASIC_CONSTRAINTS* constraints = BASIC_CONSTRAINTS_new();
  constraints->ca = authority ? 255 : 0;
  X509_add1_ext_i2d(certificate, NID_basic_constraints, constraints, 1, 0);
  BASIC_CONSTRAINTS_free(constraints);
  if (spec.key_usages != 0) {
    X509_add1_ext_i2d(certificate, NID_key_usage, make_bits(spec.key_usages).get(), 1, 0);
  }
  if (!spec.extended_key_usages.empty()) {
    X509_add1_ext_i2d(certificate, NID_ext_key_usage, make_usages(spec.extended_key_usages).get(), 0, 0);
  }
  if (authority) add_key_identifier(certificate, certificate, NID_subject_key_identifier, "hash");
  if (issuer) add_key_identifier(certificate, issuer, NID_authority_key_identifier, "keyid");
  if (sk_GENERAL_NAME_num(names) > 0) {
    const bool no_subject = X509_NAME_entry_count(X509_get_subject_name(certificate)) == 0;
    X509_add1_ext_i2d(certificate, NID_subject_alt_name, const_cast<GENERAL_NAMES*>(names), no_subject ? 1 : 0, 0);
  }
}

std::time_t seconds(base::WallTime time) {
  return std::chrono::floor<std::chrono::seconds>(time).time_since_epoch().count();
}

// `issuer` null: self-signed. `subject` is copied.
Result<Certificate> make(const CertificateSpec& spec, const X509_NAME* subject, EVP_PKEY* subject_key, X509* issuer,
                         EVP_PKEY* signer) {
  X509Pointer certificate(X509_new());
  X509_set_version(certificate.get(), X509_VERSION_3);
  std::string serial = random_bytes(16);
  serial[0] = static_cast<char>((serial[0] & 0x3f) | 0x40);  // positive, and of one length
  BIGNUM* number = BN_bin2bn(reinterpret_cast<unsigned char*>(serial.data()), static_cast<int>(serial.size()), nullptr);
  BN_to_ASN1_INTEGER(number, X509_get_serialNumber(certificate.get()));
  BN_free(number);
  auto not_after = spec.not_after;
  if (issuer)
    not_after = std::min(not_after, Certificate(std::shared_ptr<void>(issuer, [](void*) {})).info().not_after);
  ASN1_TIME_set(X509_getm_notBefore(certificate.get()), seconds(spec.not_before));
  ASN1_TIME_set(X509_getm_notAfter(certificate.get()), seconds(not_after));
  X509_set_subject_name(certificate.get(), subject);
  X509_set_issuer_name(certificate.get(), issuer ? X509_get_subject_name(issuer) : subject);
  X509_set_pubkey(certificate.get(), subject_key);
  TRY_ASSIGN(const NamesPointer names, make_names(spec.names));
  add_extensions(certificate.get(), spec, names.get(), issuer);
  const EVP_MD* digest = EVP_PKEY_get_base_id(signer) == EVP_PKEY_ED25519 ? nullptr : EVP_sha256();
  if (X509_sign(certificate.get(), signer, digest) == 0) {
    return fail(Reason::kInternalError, "cannot sign: " + openssl_error());
  }
  ERR_clear_error();
  return Certificate(std::shared_ptr<void>(certificate.release(), [](void* x) { X509_free(static_cast<X509*>(x)); }));
}

X509_REQ* native_request(const std::shared_ptr<void>& request) { return static_cast<X509_REQ*>(request.get()); }

std::shared_ptr<void> share(X509_REQ* request) {
  return std::shared_ptr<void>(request, [](void* pointer) { X509_REQ_free(static_cast<X509_REQ*>(pointer)); });
}

}  // namespace

CertificateSpec authority_spec(std::string common_name, base::WallTime now) {
  CertificateSpec spec;
  spec.names.dns = {common_name};  // Compat: kubeadm names a CA in its alternative names too
  spec.subject.common_name = std::move(common_name);
  spec.key_usages = kLeafUsages | static_cast<uint16_t>(KeyUsage::kCertSign);
  spec.role = CertificateInfo::Role::kAuthority;
  spec.not_before = now - kBackdate;
  spec.not_after = spec.not_before + kAuthorityValidity;
  return spec;
}

CertificateSpec server_spec(Subject subject, AlternativeNames names, base::WallTime now) {
  CertificateSpec spec = client_spec(std::move(subject), now);
  spec.names = std::move(names);
  spec.extended_key_usages = {ExtendedKeyUsage::kServerAuth};
  return spec;
}

CertificateSpec client_spec(Subject subject, base::WallTime now) {
  CertificateSpec spec;
  spec.subject = std::move(subject);
  spec.key_usages = kLeafUsages;
  spec.extended_key_usages = {ExtendedKeyUsage::kClientAuth};
  spec.not_before = now - kBackdate;
  spec.not_after = spec.not_before + kLeafValidity;
  return spec;
}

Result<Certificate> issue(const CertificateSpec& spec, const PublicKey& subject_key, const KeyPair& issuer) {
  TRY_ASSIGN(const NamePointer name, make_name(spec.subject));
  return make(spec, name.get(), native(subject_key), native(issuer.certificate), native(issuer.key));
}

Result<Certificate> self_sign(const CertificateSpec& spec, const PrivateKey& key) {
  TRY_ASSIGN(const NamePointer name, make_name(spec.subject));
  return make(spec, name.get(), native(key), nullptr, native(key));
}

Result<KeyPair> make_authority(std::string common_name, base::WallTime now) {
  TRY_ASSIGN(auto key, PrivateKey::generate_p256());
  TRY_ASSIGN(auto certificate, self_sign(authority_spec(std::move(common_name), now), key));
  return KeyPair{std::move(certificate), std::move(key)};
}

Result<KeyPair> issue_pair(const CertificateSpec& spec, const KeyPair& issuer) {
  TRY_ASSIGN(auto key, PrivateKey::generate_p256());
  TRY_ASSIGN(auto certificate, issue(spec, PublicKey(std::shared_ptr<void>(key.native(), [](void*) {})), issuer));
  return KeyPair{std::move(certificate), std::move(key)};
}

Result<CertificateRequest> CertificateRequest::parse_pem(std::string_view pem) {
  const BioPointer bio = memory_bio(pem);
  RequestPointer request(PEM_read_bio_X509_REQ(bio.get(), nullptr, nullptr, nullptr));
  if (!request) {
    ERR_clear_error();
    return fail(Reason::kInvalid, "PEM block type must be CERTIFICATE REQUEST");
  }
  EVP_PKEY* key = X509_REQ_get0_pubkey(request.get());
  if (!key || X509_REQ_verify(request.get(), key) != 1) {
    return fail(Reason::kInvalid, "the signature of the certificate request does not verify: " + openssl_error());
  }
  return CertificateRequest(share(request.release()));
}

Result<CertificateRequest> CertificateRequest::create(const Subject& subject, const AlternativeNames& names,
                                                      const PrivateKey& key) {
  RequestPointer request(X509_REQ_new());
  TRY_ASSIGN(const NamePointer name, make_name(subject));
  TRY_ASSIGN(const NamesPointer alternative, make_names(names));
  X509_REQ_set_version(request.get(), X509_REQ_VERSION_1);
  X509_REQ_set_subject_name(request.get(), name.get());
  X509_REQ_set_pubkey(request.get(), pki::native(key));
  if (!names.empty()) {
    STACK_OF(X509_EXTENSION)* extensions = nullptr;
    X509V3_add1_i2d(&extensions, NID_subject_alt_name, alternative.get(), 0, 0);
    X509_REQ_add_extensions(request.get(), extensions);
    sk_X509_EXTENSION_pop_free(extensions, X509_EXTENSION_free);
  }
  const EVP_MD* digest = key.type() == KeyType::kEd25519 ? nullptr : EVP_sha256();
  if (X509_REQ_sign(request.get(), pki::native(key), digest) == 0) {
    return fail(Reason::kInternalError, "cannot sign: " + openssl_error());
  }
  return CertificateRequest(share(request.release()));
}

std::string CertificateRequest::pem() const {
  const BioPointer bio(BIO_new(BIO_s_mem()));
  CHECK(PEM_write_bio_X509_REQ(bio.get(), native_request(request_)) == 1);
  return bio_text(bio.get());
}

CertificateRequestInfo CertificateRequest::info() const {
  CertificateRequestInfo info;
  X509_REQ* request = native_request(request_);
  info.subject = read_subject(X509_REQ_get_subject_name(request));
  STACK_OF(X509_EXTENSION)* extensions = X509_REQ_get_extensions(request);
  const NamesPointer names(
      static_cast<GENERAL_NAMES*>(X509V3_get_d2i(extensions, NID_subject_alt_name, nullptr, nullptr)));
  info.names = read_names(names.get());
  auto* bits = static_cast<ASN1_BIT_STRING*>(X509V3_get_d2i(extensions, NID_key_usage, nullptr, nullptr));
  info.key_usages = read_key_usages(bits);
  ASN1_BIT_STRING_free(bits);
  auto* usages = static_cast<EXTENDED_KEY_USAGE*>(X509V3_get_d2i(extensions, NID_ext_key_usage, nullptr, nullptr));
  info.extended_key_usages = read_extended_usages(usages);
  EXTENDED_KEY_USAGE_free(usages);
  sk_X509_EXTENSION_pop_free(extensions, X509_EXTENSION_free);
  ERR_clear_error();
  return info;
}

PublicKey CertificateRequest::public_key() const {
  return PublicKey(std::shared_ptr<void>(X509_REQ_get_pubkey(native_request(request_)),
                                         [](void* key) { EVP_PKEY_free(static_cast<EVP_PKEY*>(key)); }));
}

Result<Certificate> sign_request(const CertificateRequest& request, const CertificateSpec& spec,
                                 const KeyPair& issuer) {
  const PublicKey key = request.public_key();
  TRY_ASSIGN(const PublicKey usable, PublicKey::parse_der(key.spki_der()));
  CertificateSpec own = spec;
  own.names = request.info().names;
  own.role = CertificateInfo::Role::kLeaf;
  // The name is copied as it is, attributes that Subject does not know included.
  return make(own, X509_REQ_get_subject_name(native_request(request.native())), native(usable),
              native(issuer.certificate), native(issuer.key));
}

}  // namespace pki
