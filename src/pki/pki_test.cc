#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>

#include "pki/certificate.h"
#include "pki/digest.h"
#include "pki/jwt.h"
#include "pki/key.h"

namespace pki {
namespace {

const base::WallTime kNow = base::SystemClock().wall_now();
constexpr auto kDay = std::chrono::hours(24);

KeyPair authority(const std::string& name = "kubernetes") { return make_authority(name, kNow).value(); }

VerifyOptions trusting(const KeyPair& ca, ExtendedKeyUsage usage, std::string host = "") {
  return {.roots = {ca.certificate}, .intermediates = {}, .at = kNow, .usage = usage, .host = std::move(host)};
}

TEST(Digest, KnownVectors) {
  EXPECT_EQ(to_hex(sha256("abc")), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(to_hex(sha512("abc")).substr(0, 32), "ddaf35a193617abacc417349ae204131");
  EXPECT_EQ(to_hex(hmac_sha256("Jefe", "what do ya want for nothing?")),
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
  EXPECT_NE(random_bytes(16), random_bytes(16));
}

TEST(Digest, Base64Url) {
  const std::pair<std::string, std::string> cases[] = {
      {"", ""}, {"f", "Zg"}, {"fo", "Zm8"}, {"foo", "Zm9v"}, {"\xff\xfe\xfd", "__79"}};
  for (const auto& [bytes, text] : cases) {
    EXPECT_EQ(base64url_encode(bytes), text);
    EXPECT_EQ(base64url_decode(text), bytes);
  }
  for (const char* bad : {"Z", "Zg==", "Zh", "Zm9v+", "a b"}) EXPECT_FALSE(base64url_decode(bad)) << bad;
}

TEST(Key, RoundTripsAsPem) {
  for (const auto& key : {PrivateKey::generate_p256().value(), PrivateKey::generate_rsa(2048).value()}) {
    const auto again = PrivateKey::parse_pem(key.pem());
    ASSERT_TRUE(again);
    EXPECT_EQ(again->public_key(), key.public_key());
    EXPECT_EQ(PublicKey::parse_pem(key.public_key().pem()).value(), key.public_key());
    EXPECT_EQ(key.public_key().key_id().size(), 43u);
  }
  EXPECT_FALSE(PrivateKey::parse_pem("-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"));
  EXPECT_FALSE(PublicKey::parse_pem("nothing"));
}

TEST(Key, SeveralInOneFile) {
  const auto a = PrivateKey::generate_p256().value();
  const auto b = PrivateKey::generate_rsa(2048).value();
  const auto keys = PublicKey::parse_all_pem(a.public_key().pem() + b.pem() + authority().certificate.pem());
  ASSERT_TRUE(keys);
  ASSERT_EQ(keys->size(), 3u);
  EXPECT_EQ((*keys)[1], b.public_key());
}

TEST(Certificate, IssuedOnesSayWhatWasAsked) {
  const KeyPair ca = authority();
  const AlternativeNames names{.dns = {"localhost", "kubernetes.default"}, .ips = {"127.0.0.1", "::1"}};
  const KeyPair server = issue_pair(server_spec({.common_name = "kube-apiserver"}, names, kNow), ca).value();
  const CertificateInfo info = Certificate::parse_pem(server.certificate.pem())->info();
  EXPECT_EQ(info.subject.common_name, "kube-apiserver");
  EXPECT_EQ(info.issuer.common_name, "kubernetes");
  EXPECT_EQ(info.names, names);
  EXPECT_EQ(info.key_usages, 0b101);
  EXPECT_EQ(info.extended_key_usages, std::vector{ExtendedKeyUsage::kServerAuth});
  EXPECT_EQ(info.role, CertificateInfo::Role::kLeaf);
  EXPECT_EQ(info.not_after - info.not_before, std::chrono::hours(8760));
  EXPECT_LE(info.not_before, kNow - std::chrono::minutes(5));
  EXPECT_EQ(ca.certificate.info().role, CertificateInfo::Role::kAuthority);
  EXPECT_EQ(ca.certificate.info().key_usages, 0b100101);
  const KeyPair client =
      issue_pair(client_spec({.common_name = "a", .organizations = {"system:masters", "x"}}, kNow), ca).value();
  // DER sorts the values of a set.
  EXPECT_EQ(client.certificate.info().subject.organizations, (std::vector<std::string>{"x", "system:masters"}));
  EXPECT_NE(client.certificate.info().serial_hex, info.serial_hex);
}

TEST(Certificate, Verification) {
  const KeyPair ca = authority();
  const KeyPair other = authority();  // same name, other key
  const KeyPair server =
      issue_pair(server_spec({.common_name = "s"}, {.dns = {"good.example"}, .ips = {"10.0.0.1"}}, kNow), ca).value();
  EXPECT_TRUE(verify(server.certificate, trusting(ca, ExtendedKeyUsage::kServerAuth, "good.example")));
  EXPECT_TRUE(verify(server.certificate, trusting(ca, ExtendedKeyUsage::kServerAuth, "10.0.0.1")));
  EXPECT_FALSE(verify(server.certificate, trusting(ca, ExtendedKeyUsage::kServerAuth, "bad.example")));
  EXPECT_FALSE(verify(server.certificate, trusting(ca, ExtendedKeyUsage::kServerAuth, "10.0.0.2")));
  EXPECT_FALSE(verify(server.certificate, trusting(ca, ExtendedKeyUsage::kServerAuth, "s")));
  EXPECT_FALSE(verify(server.certificate, trusting(ca, ExtendedKeyUsage::kClientAuth)));
  EXPECT_FALSE(verify(server.certificate, trusting(other, ExtendedKeyUsage::kServerAuth)));
  VerifyOptions late = trusting(ca, ExtendedKeyUsage::kServerAuth);
  late.at = kNow + 366 * kDay;
  const auto expired = verify(server.certificate, late);
  ASSERT_FALSE(expired);
  EXPECT_EQ(expired.error().message, "certificate is not trusted: certificate has expired");
}

TEST(Certificate, IntermediatesAndCutValidity) {
  const KeyPair root = authority("root");
  CertificateSpec spec = authority_spec("intermediate", kNow);
  spec.not_after = kNow + 30 * kDay;
  const KeyPair intermediate = issue_pair(spec, root).value();
  const KeyPair leaf = issue_pair(client_spec({.common_name = "x"}, kNow), intermediate).value();
  EXPECT_EQ(leaf.certificate.info().not_after, intermediate.certificate.info().not_after);
  VerifyOptions options = trusting(root, ExtendedKeyUsage::kClientAuth);
  EXPECT_FALSE(verify(leaf.certificate, options));
  options.intermediates = {intermediate.certificate};
  EXPECT_TRUE(verify(leaf.certificate, options));
}

TEST(Certificate, RefusesBadInput) {
  const KeyPair ca = authority();
  EXPECT_FALSE(Certificate::parse_pem("garbage"));
  EXPECT_FALSE(Certificate::parse_pem("-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n"));
  EXPECT_FALSE(Certificate::parse_der("\x30\x82"));
  EXPECT_FALSE(parse_pair(ca.certificate.pem(), authority().key.pem()));
  EXPECT_FALSE(issue_pair(server_spec({.common_name = "s"}, {.ips = {"10.0.0"}}, kNow), ca));
  EXPECT_EQ(Certificate::parse_all_pem(ca.certificate.pem() + "text between\n" + ca.certificate.pem())->size(), 2u);
}

TEST(CertificateRequest, RoundTripAndSigning) {
  const KeyPair ca = authority();
  const PrivateKey key = PrivateKey::generate_p256().value();
  const Subject subject{.common_name = "system:node:n1", .organizations = {"system:nodes"}};
  const AlternativeNames names{.dns = {"n1"}, .ips = {"10.0.0.5"}};
  const std::string pem = CertificateRequest::create(subject, names, key)->pem();
  const auto request = CertificateRequest::parse_pem(pem);
  ASSERT_TRUE(request);
  EXPECT_EQ(request->info().subject, subject);
  EXPECT_EQ(request->info().names, names);
  const auto certificate = sign_request(*request, client_spec({}, kNow), ca);
  ASSERT_TRUE(certificate);
  EXPECT_EQ(certificate->info().subject, subject);
  EXPECT_EQ(certificate->info().names, names);
  EXPECT_EQ(certificate->public_key(), key.public_key());
  EXPECT_TRUE(verify(*certificate, trusting(ca, ExtendedKeyUsage::kClientAuth)));

  std::string der = pem;
  const size_t middle = der.find('\n') + 90;  // inside the subject or the key
  der[middle] = der[middle] == 'A' ? 'B' : 'A';
  EXPECT_FALSE(CertificateRequest::parse_pem(der));
  EXPECT_FALSE(CertificateRequest::parse_pem(ca.certificate.pem()));
}

TEST(Jwt, SignsAndVerifies) {
  for (const auto& key : {PrivateKey::generate_p256().value(), PrivateKey::generate_rsa(2048).value()}) {
    const std::string claims = R"({"iss":"https://kubernetes.default.svc","sub":"system:serviceaccount:a:b"})";
    const std::string token = sign_jwt(claims, key).value();
    const auto other = PrivateKey::generate_p256()->public_key();
    const auto jwt = verify_jwt(token, {other, key.public_key()});
    ASSERT_TRUE(jwt) << jwt.error().message;
    EXPECT_EQ(jwt->claims_json, claims);
    EXPECT_EQ(jwt->key_id, key.public_key().key_id());
    EXPECT_FALSE(verify_jwt(token, {other}));
    EXPECT_FALSE(verify_jwt(token, {}));
    for (size_t i = 0; i < token.size(); i += 7) {
      std::string tampered = token;
      tampered[i] = tampered[i] == 'x' ? 'y' : 'x';
      EXPECT_FALSE(verify_jwt(tampered, {key.public_key()})) << i;
    }
  }
}

TEST(Jwt, RefusesForgedHeaders) {
  const auto key = PrivateKey::generate_rsa(2048).value();
  const std::string claims = base64url_encode("{}");
  const auto forged = [&](std::string_view header, const std::string& signature) {
    return base64url_encode(header) + "." + claims + "." + signature;
  };
  EXPECT_FALSE(verify_jwt(forged(R"({"alg":"none"})", ""), {key.public_key()}));
  const std::string hmac_text = base64url_encode(R"({"alg":"HS256"})") + "." + claims;
  const std::string mac = base64url_encode(hmac_sha256(key.public_key().pem(), hmac_text));
  EXPECT_FALSE(verify_jwt(hmac_text + "." + mac, {key.public_key()}));
  for (const char* header :
       {"", "{", "[]", R"({"alg":"RS256")", R"({"alg":"RS256"} x)", R"({"alg":1})", R"({"alg":"RS256","crit":"x"})"}) {
    EXPECT_FALSE(parse_jwt_unverified(forged(header, "AAAA"))) << header;
  }
  for (const char* token : {"", ".", "..", "a.b", "a.b.c.d", "e30.e30"})
    EXPECT_FALSE(parse_jwt_unverified(token)) << token;
}

TEST(Jwt, KeySet) {
  // RFC 7638's example key.
  const char* pem =
      "-----BEGIN PUBLIC KEY-----\n"
      "MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEA0vx7agoebGcQSuuPiLJX\n"
      "ZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tS\n"
      "oc/BJECPebWKRXjBZCiFV4n3oknjhMstn64tZ/2W+5JsGY4Hc5n9yBXArwl93lqt\n"
      "7/RN5w6Cf0h4QyQ5v+65YGjQR0/FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0\n"
      "zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt+bFTWhAI4vMQFh6WeZu0f\n"
      "M4lFd2NcRwr3XPksINHaQ+G/xBniIqbw0Ls1jF44+csFCur+kEgU8awapJzKnqDK\n"
      "gwIDAQAB\n-----END PUBLIC KEY-----\n";
  const auto key = PublicKey::parse_pem(pem).value();
  const std::string json = jwks_json({key, PrivateKey::generate_p256()->public_key()});
  EXPECT_NE(
      json.find(
          R"("alg":"RS256","n":"0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L)"),
      std::string::npos);
  EXPECT_NE(json.find(R"("e":"AQAB"},{"use":"sig","kty":"EC","kid":")"), std::string::npos);
  EXPECT_NE(json.find(R"("crv":"P-256","alg":"ES256","x":")"), std::string::npos);
}

}  // namespace
}  // namespace pki
