#include "controllers/csrsigning/ca_signer.h"

#include <algorithm>

#include "pki/certificate.h"

namespace controllers::csrsigning {
namespace {

struct NamedUsage {
  std::string_view name;
  pki::KeyUsage usage;
};
constexpr NamedUsage kUsages[] = {
    {"signing", pki::KeyUsage::kDigitalSignature},
    {"digital signature", pki::KeyUsage::kDigitalSignature},
    {"content commitment", pki::KeyUsage::kContentCommitment},
    {"key encipherment", pki::KeyUsage::kKeyEncipherment},
    {"data encipherment", pki::KeyUsage::kDataEncipherment},
    {"key agreement", pki::KeyUsage::kKeyAgreement},
    {"cert sign", pki::KeyUsage::kCertSign},
    {"crl sign", pki::KeyUsage::kCrlSign},
    {"encipher only", pki::KeyUsage::kEncipherOnly},
    {"decipher only", pki::KeyUsage::kDecipherOnly},
};
struct NamedPurpose {
  std::string_view name;
  pki::ExtendedKeyUsage usage;
};
constexpr NamedPurpose kPurposes[] = {
    {"any", pki::ExtendedKeyUsage::kAny},
    {"server auth", pki::ExtendedKeyUsage::kServerAuth},
    {"client auth", pki::ExtendedKeyUsage::kClientAuth},
    {"code signing", pki::ExtendedKeyUsage::kCodeSigning},
    {"email protection", pki::ExtendedKeyUsage::kEmailProtection},
    {"s/mime", pki::ExtendedKeyUsage::kEmailProtection},
    {"timestamping", pki::ExtendedKeyUsage::kTimeStamping},
    {"ocsp signing", pki::ExtendedKeyUsage::kOcspSigning},
};

class CaSigner final : public CertificateSigner {
 public:
  CaSigner(pki::KeyPair ca, const base::Clock* clock) : ca_(std::move(ca)), clock_(clock) {}

  base::Result<RequestFacts> read(const std::string& request_pem) const override {
    TRY_ASSIGN(const pki::CertificateRequest request, pki::CertificateRequest::parse_pem(request_pem));
    const pki::CertificateRequestInfo info = request.info();
    RequestFacts facts;
    facts.common_name = info.subject.common_name;
    facts.organizations = info.subject.organizations;
    facts.has_dns = !info.names.dns.empty();
    facts.has_ip = !info.names.ips.empty();
    facts.has_email = !info.names.emails.empty();
    facts.has_uri = !info.names.uris.empty();
    return facts;
  }

  base::Result<std::string> sign(const std::string& request_pem, const std::vector<std::string>& usages,
                                 std::chrono::seconds validity) const override {
    TRY_ASSIGN(const pki::CertificateRequest request, pki::CertificateRequest::parse_pem(request_pem));
    pki::CertificateSpec spec;
    for (const std::string& usage : usages) {
      if (auto found = std::ranges::find(kUsages, usage, &NamedUsage::name); found != std::end(kUsages)) {
        spec.key_usages |= static_cast<uint16_t>(found->usage);
      }
      if (auto found = std::ranges::find(kPurposes, usage, &NamedPurpose::name); found != std::end(kPurposes)) {
        spec.extended_key_usages.push_back(found->usage);
      }
    }
    // Compat: valid from five minutes ago, within the time that was asked for; short-lived ones on top of it.
    constexpr std::chrono::minutes kBackdate{5};
    constexpr std::chrono::hours kShortLived{8};
    const base::WallTime now = clock_->wall_now();
    spec.not_before = now - kBackdate;
    spec.not_after = validity < kShortLived ? now + validity : now + validity - kBackdate;
    TRY_ASSIGN(const pki::Certificate certificate, pki::sign_request(request, spec, ca_));
    return certificate.pem();
  }

 private:
  const pki::KeyPair ca_;
  const base::Clock* const clock_;
};

}  // namespace

base::Result<std::shared_ptr<const CertificateSigner>> make_ca_signer(const std::string& ca_pem,
                                                                      const std::string& ca_key_pem,
                                                                      const base::Clock* clock) {
  TRY_ASSIGN(pki::KeyPair ca, pki::parse_pair(ca_pem, ca_key_pem));
  return std::make_shared<CaSigner>(std::move(ca), clock);
}

}  // namespace controllers::csrsigning
