#include <gtest/gtest.h>

#include "controllers/csrsigning/ca_signer.h"
#include "controllers/csrsigning/plan.h"
#include "pki/certificate.h"

namespace controllers::csrsigning {
namespace {

using CertificateSigningRequest = ::api::certificates::v1::CertificateSigningRequest;

CertificateSigningRequest approved(std::string signer, std::vector<std::string> usages) {
  CertificateSigningRequest csr;
  csr.spec.signer_name = std::move(signer);
  csr.spec.usages = std::move(usages);
  csr.status.conditions.emplace_back().type = "Approved";
  return csr;
}

TEST(CsrSigning, OnlyApprovedRequestsOfBuiltInSignersWait) {
  auto csr = approved("kubernetes.io/kube-apiserver-client", {"client auth"});
  EXPECT_TRUE(waits_for_signature(csr));
  csr.status.certificate = "there";
  EXPECT_FALSE(waits_for_signature(csr));
  csr.status.certificate.reset();
  csr.status.conditions.emplace_back().type = "Denied";
  EXPECT_FALSE(waits_for_signature(csr));
  csr.status.conditions.clear();
  EXPECT_FALSE(waits_for_signature(csr));
  EXPECT_FALSE(waits_for_signature(approved("example.com/own", {"client auth"})));
}

TEST(CsrSigning, Rules) {
  const RequestFacts node{"system:node:n", {"system:nodes"}};
  const RequestFacts person{"alice", {"dev"}};
  RequestFacts named = node;
  named.has_dns = true;
  struct Case {
    const char* signer;
    std::vector<std::string> usages;
    RequestFacts facts;
    std::string problem;
  };
  const Case cases[] = {
      {"kube-apiserver-client", {"client auth", "digital signature"}, person, ""},
      {"kube-apiserver-client", {"server auth"}, person, "invalid usage for client certificate: server auth"},
      {"kube-apiserver-client",
       {"digital signature"},
       person,
       "missing required usage for client certificate: client auth"},
      {"kube-apiserver-client-kubelet", {"client auth", "digital signature"}, node, ""},
      {"kube-apiserver-client-kubelet",
       {"client auth", "digital signature"},
       person,
       "subject organization is not system:nodes"},
      {"kube-apiserver-client-kubelet",
       {"client auth", "digital signature"},
       named,
       "DNS subjectAltNames are not allowed"},
      {"kubelet-serving", {"server auth", "digital signature", "key encipherment"}, named, ""},
      {"kubelet-serving", {"server auth", "digital signature"}, node, "DNS or IP subjectAltName is required"},
      {"legacy-unknown", {"server auth"}, person, ""},
  };
  for (const Case& c : cases) {
    const Plan plan = make_plan(approved(std::string("kubernetes.io/") + c.signer, c.usages), c.facts);
    EXPECT_EQ(plan.problem, c.problem) << c.signer;
    EXPECT_EQ(plan.step, c.problem.empty() ? Step::kSign : Step::kFail) << c.signer;
  }
}

TEST(CsrSigning, ValidityIsWithinBounds) {
  auto csr = approved("kubernetes.io/kube-apiserver-client", {"client auth"});
  EXPECT_EQ(make_plan(csr, {}).validity, kLongest);
  csr.spec.expiration_seconds = 3600;
  EXPECT_EQ(make_plan(csr, {}).validity, std::chrono::hours(1));
  csr.spec.expiration_seconds = 1;
  EXPECT_EQ(make_plan(csr, {}).validity, kShortest);
  csr.spec.expiration_seconds = 2'000'000'000;
  EXPECT_EQ(make_plan(csr, {}).validity, kLongest);
}

class StillClock final : public base::Clock {
 public:
  base::WallTime wall_now() const override { return base::WallTime(std::chrono::seconds(1'767'323'045)); }
  base::MonoTime mono_now() const override { return base::MonoTime{}; }
};

TEST(CsrSigning, TheCertificateIsGoodForWhatWasAsked) {
  const StillClock clock;
  auto ca = pki::make_authority("kubernetes", clock.wall_now());
  ASSERT_TRUE(ca);
  auto signer = make_ca_signer(ca->certificate.pem(), ca->key.pem(), &clock);
  ASSERT_TRUE(signer);
  auto key = pki::PrivateKey::generate_p256();
  ASSERT_TRUE(key);
  auto request = pki::CertificateRequest::create({"alice", {"dev"}, {}}, {}, *key);
  ASSERT_TRUE(request);
  EXPECT_EQ((*signer)->read(request->pem())->common_name, "alice");
  auto pem = (*signer)->sign(request->pem(), {"client auth", "digital signature"}, std::chrono::hours(1));
  ASSERT_TRUE(pem) << pem.error().message;
  auto certificate = pki::Certificate::parse_pem(*pem);
  ASSERT_TRUE(certificate);
  pki::VerifyOptions options;
  options.roots = {ca->certificate};
  options.at = clock.wall_now();
  options.usage = pki::ExtendedKeyUsage::kClientAuth;
  EXPECT_TRUE(pki::verify(*certificate, options));
  EXPECT_EQ(certificate->info().subject.organizations, std::vector<std::string>{"dev"});
  EXPECT_EQ(certificate->info().not_after, clock.wall_now() + std::chrono::hours(1));
  EXPECT_FALSE((*signer)->read("no PEM"));
}

}  // namespace
}  // namespace controllers::csrsigning
