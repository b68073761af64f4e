// X.509 certificates and PKCS#10 requests: read, issue, verify. Values are handles to immutable objects. Thread: any.
// Expected failures (not PEM, untrusted, expired, bad signature) are kInvalid errors whose message says what and why.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "pki/key.h"

namespace pki {

// Bits as certificates.k8s.io names them.
enum class KeyUsage : uint16_t {
  kDigitalSignature = 1 << 0,
  kContentCommitment = 1 << 1,
  kKeyEncipherment = 1 << 2,
  kDataEncipherment = 1 << 3,
  kKeyAgreement = 1 << 4,
  kCertSign = 1 << 5,
  kCrlSign = 1 << 6,
  kEncipherOnly = 1 << 7,
  kDecipherOnly = 1 << 8,
};
enum class ExtendedKeyUsage : uint8_t {
  kAny,
  kServerAuth,
  kClientAuth,
  kCodeSigning,
  kEmailProtection,
  kTimeStamping,
  kOcspSigning,
};

struct Subject {
  std::string common_name;
  std::vector<std::string> organizations;
  std::vector<std::string> organizational_units;
  bool operator==(const Subject&) const = default;
};

struct AlternativeNames {
  std::vector<std::string> dns;
  std::vector<std::string> ips;  // text: "10.96.0.1", "::1"
  std::vector<std::string> emails;
  std::vector<std::string> uris;
  bool empty() const { return dns.empty() && ips.empty() && emails.empty() && uris.empty(); }
  bool operator==(const AlternativeNames&) const = default;
};

struct CertificateInfo {
  Subject subject;
  Subject issuer;
  AlternativeNames names;
  uint16_t key_usages = 0;  // KeyUsage bits
  std::vector<ExtendedKeyUsage> extended_key_usages;
  enum class Role { kLeaf, kAuthority } role = Role::kLeaf;
  std::string serial_hex;
  std::string uid;  // Compat: subject attribute 1.3.6.1.4.1.57683.2
  base::WallTime not_before;
  base::WallTime not_after;
};

class Certificate {
 public:
  static base::Result<Certificate> parse_pem(std::string_view pem);                   // the first in the text
  static base::Result<std::vector<Certificate>> parse_all_pem(std::string_view pem);  // at least one
  static base::Result<Certificate> parse_der(std::string_view der);

  std::string pem() const;
  std::string der() const;
  CertificateInfo info() const;
  PublicKey public_key() const;
  std::string fingerprint_sha256() const;  // lower-case hex of sha256(DER)

  void* native() const { return certificate_.get(); }  // X509*
  explicit Certificate(std::shared_ptr<void> certificate) : certificate_(std::move(certificate)) {}

 private:
  std::shared_ptr<void> certificate_;
};

// A certificate with its private key; an authority when the certificate is a CA.
struct KeyPair {
  Certificate certificate;
  PrivateKey key;
};

struct CertificateSpec {
  Subject subject;
  AlternativeNames names;
  uint16_t key_usages = 0;
  std::vector<ExtendedKeyUsage> extended_key_usages;
  CertificateInfo::Role role = CertificateInfo::Role::kLeaf;
  base::WallTime not_before;
  base::WallTime not_after;
};

// What kubeadm issues. Validity: CA ten years, leaves one, both from five minutes ago.
CertificateSpec authority_spec(std::string common_name, base::WallTime now);
CertificateSpec server_spec(Subject subject, AlternativeNames names, base::WallTime now);
CertificateSpec client_spec(Subject subject, base::WallTime now);

// Signs with `issuer`; not_after is cut to the issuer's. Serial numbers are random.
base::Result<Certificate> issue(const CertificateSpec& spec, const PublicKey& subject_key, const KeyPair& issuer);
base::Result<Certificate> self_sign(const CertificateSpec& spec, const PrivateKey& key);
// With a new P-256 key.
base::Result<KeyPair> make_authority(std::string common_name, base::WallTime now);
base::Result<KeyPair> issue_pair(const CertificateSpec& spec, const KeyPair& issuer);
// Certificate and key must belong together: kInvalid otherwise.
base::Result<KeyPair> parse_pair(std::string_view certificate_pem, std::string_view key_pem);

struct VerifyOptions {
  std::vector<Certificate> roots;
  std::vector<Certificate> intermediates;
  base::WallTime at;
  // The chain must allow this usage; kAny = not checked.
  ExtendedKeyUsage usage = ExtendedKeyUsage::kAny;
  std::string host;  // DNS name or IP the leaf must be good for; "" = not checked
};
base::Result<void> verify(const Certificate& leaf, const VerifyOptions& options);

// PKCS#10.
struct CertificateRequestInfo {
  Subject subject;
  AlternativeNames names;
  uint16_t key_usages = 0;  // 0 when not requested
  std::vector<ExtendedKeyUsage> extended_key_usages;
};

class CertificateRequest {
 public:
  // Also checks the request's own signature.
  static base::Result<CertificateRequest> parse_pem(std::string_view pem);
  static base::Result<CertificateRequest> create(const Subject& subject, const AlternativeNames& names,
                                                 const PrivateKey& key);
  std::string pem() const;
  CertificateRequestInfo info() const;
  PublicKey public_key() const;

  const std::shared_ptr<void>& native() const { return request_; }  // X509_REQ*
  explicit CertificateRequest(std::shared_ptr<void> request) : request_(std::move(request)) {}

 private:
  std::shared_ptr<void> request_;
};

// A signer of certificates.k8s.io: subject, names and key of the request, the usages and validity of the spec.
base::Result<Certificate> sign_request(const CertificateRequest& request, const CertificateSpec& spec,
                                       const KeyPair& issuer);

}  // namespace pki
