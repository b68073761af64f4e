// Trust bundles and certificates of Pods, with keys and certificates made here.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "api/shared/rules_test.h"
#include "gen/certificates/v1beta1.h"
#include "object/time.h"
#include "pki/certificate.h"
#include "pki/pem.h"

namespace api {
namespace {

using certificates::v1beta1::ClusterTrustBundle;
using certificates::v1beta1::PodCertificateRequest;
using ::testing::HasSubstr;

base::WallTime now() { return object::to_wall_time(*object::parse_time("2026-01-02T03:04:05Z")); }

class TrustBundle : public ::testing::Test {
 protected:
  TrustBundle() : authority_(*pki::make_authority("root", now())) {}
  std::string create(std::string name, std::string signer, std::string text) {
    ClusterTrustBundle bundle;
    bundle.metadata.name = std::move(name);
    bundle.spec.signer_name = std::move(signer);
    bundle.spec.trust_bundle = std::move(text);
    return harness_.create(bundle);
  }
  RulesHarness harness_{cluster_trust_bundle_rules()};
  pki::KeyPair authority_;
};

TEST_F(TrustBundle, TheNameFollowsTheSigner) {
  const std::string pem = authority_.certificate.pem();
  EXPECT_EQ(create("a", "", pem), "");
  EXPECT_EQ(create("example.com:signer:a", "example.com/signer", pem), "");
  EXPECT_EQ(create("a:b", "", pem),
            "metadata.name: Invalid value: \"a:b\": ClusterTrustBundle without signer name must not have \":\" in its "
            "name");
  EXPECT_EQ(create("a", "example.com/signer", pem),
            "metadata.name: Invalid value: \"a\": ClusterTrustBundle for signerName example.com/signer must be named "
            "with prefix example.com:signer:");
  EXPECT_THAT(create("signer:a", "signer", pem), HasSubstr("must be a fully qualified domain and path"));
}

TEST_F(TrustBundle, OnlyDistinctAuthoritiesAreTrustAnchors) {
  const std::string pem = authority_.certificate.pem();
  const auto bundle = [&](const std::string& text) { return create("a", "", text); };
  const std::string prefix = "spec.trustBundle: Invalid value: \"<value omitted>\": ";
  EXPECT_EQ(bundle("nothing"), prefix + "at least one trust anchor must be provided");
  EXPECT_EQ(bundle(pem + "words between\n" + pem), prefix + "duplicate trust anchor (indices [0 1])");
  const auto leaf = pki::issue_pair(pki::client_spec({"client", {}, {}}, now()), authority_);
  ASSERT_TRUE(leaf);
  EXPECT_EQ(bundle(pem + leaf->certificate.pem()), prefix + "entry 1 does not have the CA bit set");
  EXPECT_EQ(bundle("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"),
            prefix + "entry 0 does not parse as X.509");
  EXPECT_EQ(bundle(authority_.key.pem()), prefix + "entry 0 has bad block type: EC PRIVATE KEY");
  EXPECT_EQ(bundle("-----BEGIN CERTIFICATE-----\na: b\n\nAAAA\n-----END CERTIFICATE-----\n"),
            prefix + "entry 0 has PEM block headers");
}

TEST_F(TrustBundle, AnUpdateKeepsTheSignerAndWhatItDoesNotTouch) {
  ClusterTrustBundle old;
  old.metadata.name = "a";
  old.spec.trust_bundle = "was good once";
  ClusterTrustBundle changed = old;
  changed.metadata.labels["a"] = "b";
  EXPECT_EQ(harness_.update(changed, old), "");
  changed.metadata.name = "example.com:s:a";
  changed.spec.signer_name = "example.com/s";
  EXPECT_EQ(harness_.update(changed, old), "spec.signerName: Invalid value: \"example.com/s\": field is immutable");
  EXPECT_EQ(harness_.cells(old), "a|<none>");
}

TEST(Pem, BlocksAsGoReadsThem) {
  std::string_view text = "x\n-----BEGIN A-----\nAA==\n-----END B-----\n-----BEGIN C-----\r\nAA==\r\n-----END C-----";
  const auto block = pki::next_pem_block(text);
  ASSERT_TRUE(block);
  EXPECT_EQ(block->type, "C");
  EXPECT_EQ(block->der, std::string(1, '\0'));
  EXPECT_FALSE(pki::next_pem_block(text));
}

// The example of upstream's own storage test: an Ed25519 key that signed "pod-uid-1".
constexpr const char* kRequest =
    R"({"metadata":{"name":"r"},"spec":{"signerName":"example.com/signer","podName":"pod-1","podUID":"pod-uid-1",
        "serviceAccountName":"sa-1","serviceAccountUID":"sa-uid-1","nodeName":"node-1","nodeUID":"node-uid-1",
        "pkixPublicKey":"MCowBQYDK2VwAyEA5g+rk9q/hjojtc2nwHJ660RdX5w1f4AK0/kP391QyLY=",
        "proofOfPossession":"SuGHX7SMyPHuN5cD5wjKLXGNbhdlCYUnTH65JkTx17iWlLynQ/g9GiTYObftSHNzqRh0ofdgAGqK6a379O7RBw=="}})";

TEST(PodCertificateRequest, TheKeyIsProven) {
  RulesHarness h(pod_certificate_request_rules());
  auto request = from_json<PodCertificateRequest>(kRequest);
  EXPECT_EQ(h.create(request), "");
  EXPECT_EQ(request.spec.max_expiration_seconds, 86400);
  EXPECT_EQ(h.cells(request), "r|pod-1|sa-1|node-1|example.com/signer|Pending|<none>");
  auto other = request;
  other.spec.pod_uid = "pod-uid-2";
  EXPECT_EQ(h.create(other), "spec.proofOfPossession: Invalid value: could not verify proof-of-possession signature");
  EXPECT_THAT(h.update(other, request), HasSubstr("spec: Invalid value: {\"SignerName\":\"example.com/signer\""));
  other.spec.pkix_public_key = "x";
  EXPECT_EQ(h.create(other), "spec.pkixPublicKey: Invalid value: \"eA==\": must be a valid PKIX-serialized public key");
  other.spec.max_expiration_seconds = 60;
  other.spec.unverified_user_annotations["plain"] = "x";
  EXPECT_EQ(h.create(other),
            "[spec.unverifiedUserAnnotations: Invalid value: \"plain\": must be a domain-prefixed key (such as "
            "\"acme.io/foo\"), spec.maxExpirationSeconds: Invalid value: 60: must be in the range [3600, 7862400], "
            "spec.pkixPublicKey: Invalid value: \"eA==\": must be a valid PKIX-serialized public key]");
}

class Issued : public ::testing::Test {
 protected:
  Issued() : authority_(*pki::make_authority("root", now())), key_(*pki::PrivateKey::generate_p256()) {
    harness_.context.now = now();
    old_ = from_json<PodCertificateRequest>(kRequest);
    old_.spec.pkix_public_key = key_.public_key().spki_der();
    old_.spec.max_expiration_seconds = 86400;
  }
  // With a certificate of that many hours.
  PodCertificateRequest issued(const pki::PublicKey& key, int hours) {
    pki::CertificateSpec spec;
    spec.names.dns = {"a.example"};
    spec.not_before = now();
    spec.not_after = now() + std::chrono::hours(hours);
    PodCertificateRequest request = old_;
    request.status.certificate_chain = pki::issue(spec, key, authority_)->pem();
    request.status.not_before.ensure() = object::to_time(now());
    request.status.not_after.ensure() = object::to_time(spec.not_after);
    request.status.begin_refresh_at.ensure() = object::to_time(now() + std::chrono::minutes(30));
    request.status.conditions.push_back(condition("Issued"));
    return request;
  }
  static meta::v1::Condition condition(std::string type) {
    meta::v1::Condition made;
    made.type = std::move(type);
    made.status = "True";
    made.reason = "R";
    made.last_transition_time = object::to_time(now());
    return made;
  }
  std::string update(PodCertificateRequest request) { return harness_.update("status", request, old_); }

  RulesHarness harness_{pod_certificate_request_rules()};
  pki::KeyPair authority_;
  pki::PrivateKey key_;
  PodCertificateRequest old_;
};

TEST_F(Issued, TheCertificateFitsTheRequest) {
  EXPECT_EQ(update(issued(key_.public_key(), 2)), "");
  EXPECT_THAT(update(issued(authority_.key.public_key(), 2)),
              HasSubstr("leaf certificate was not issued to the requested public key"));
  EXPECT_THAT(update(issued(key_.public_key(), 48)),
              HasSubstr("leaf certificate lifetime must be <= spec.maxExpirationSeconds (86400)"));
  auto request = issued(key_.public_key(), 2);
  request.status.begin_refresh_at->seconds += 2 * 3600;
  EXPECT_EQ(update(request),
            "status.beginRefreshAt: Invalid value: \"2026-01-02T05:34:05Z\": must be at least 10 minutes before "
            "status.notAfter");
  request.status.certificate_chain = "none";
  EXPECT_THAT(update(request), HasSubstr("issued certificate chain must contain at least one certificate"));
}

TEST_F(Issued, OneStateForGood) {
  auto request = old_;
  request.status.conditions = {condition("Denied")};
  EXPECT_EQ(update(request), "");
  request.status.certificate_chain = "x";
  EXPECT_EQ(update(request),
            "status: Invalid value: non-condition status fields must be empty when denying or failing the "
            "PodCertificateRequest");
  old_ = issued(key_.public_key(), 2);
  EXPECT_EQ(update(request),
            "status: Invalid value: immutable after PodCertificateRequest is issued, denied, or failed");
  request.status.conditions = {condition("Denied"), condition("Failed")};
  EXPECT_THAT(update(request), HasSubstr("There may be at most one condition"));
}

}  // namespace
}  // namespace api
