#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "controllers/serviceaccounttoken/controller.h"
#include "controllers/serviceaccounttoken/plan.h"
#include "controllers/test_support.h"
#include "gen/core/v1.h"
#include "object/json.h"
#include "pki/jwt.h"

namespace controllers::serviceaccounttoken {
namespace {

using api::core::v1::Secret;
using api::core::v1::ServiceAccount;

Secret token_secret(std::string name, std::string account) {
  Secret secret;
  secret.metadata.namespace_ = "ns";
  secret.metadata.name = std::move(name);
  secret.metadata.annotations[kNameAnnotation] = std::move(account);
  secret.type = kSecretType;
  return secret;
}
ServiceAccount account(std::string name) {
  ServiceAccount made;
  made.metadata.namespace_ = "ns";
  made.metadata.name = std::move(name);
  return made;
}

TEST(ServiceAccountTokenPlan, EachState) {
  ServiceAccount owner = account("a");
  owner.metadata.uid = "u1";
  Secret secret = token_secret("t", "a");
  EXPECT_EQ(plan(secret, nullptr, "CA"), Action::kDelete);
  EXPECT_EQ(plan(secret, &owner, "CA"), Action::kFill);
  secret = filled(secret, owner, "CA", "TOKEN");
  EXPECT_EQ(plan(secret, &owner, "CA"), Action::kNothing);
  EXPECT_EQ(secret.data,
            (std::map<std::string, std::string>{{"ca.crt", "CA"}, {"namespace", "ns"}, {"token", "TOKEN"}}));
  EXPECT_EQ(plan(secret, &owner, "CA2"), Action::kFill) << "the CA changed";
  EXPECT_EQ(filled(secret, owner, "CA2", "OTHER").data["token"], "TOKEN") << "a token stays";
  EXPECT_EQ(plan(secret, &owner, ""), Action::kNothing);
  owner.metadata.uid = "u2";
  EXPECT_EQ(plan(secret, &owner, "CA"), Action::kDelete) << "another account of that name";
}

class ServiceAccountTokenTest : public testing::Test {
 protected:
  ServiceAccountTokenTest() {
    cluster_.add(
        make_controller(cluster_.dependencies(), [this] { return base::Result<pki::PrivateKey>(key_); }, "CA"));
    cluster_.start();
  }
  bool exists(const std::string& name) { return cluster_.client.get<Secret>("ns", name).has_value(); }

  pki::PrivateKey key_ = pki::PrivateKey::generate_p256().value();
  Cluster cluster_;
};

TEST_F(ServiceAccountTokenTest, FillsAndDeletesWithTheAccount) {
  ServiceAccount owner = *cluster_.client.create(account("a"));
  ASSERT_TRUE(cluster_.client.create(token_secret("t", "a")));
  Secret other = token_secret("other", "a");
  other.type = "Opaque";
  ASSERT_TRUE(cluster_.client.create(other));
  cluster_.settle();
  const Secret secret = *cluster_.client.get<Secret>("ns", "t");
  EXPECT_EQ(secret.metadata.annotations.at(kUidAnnotation), owner.metadata.uid);
  EXPECT_EQ(secret.data.at("ca.crt"), "CA");
  EXPECT_EQ(secret.data.at("namespace"), "ns");
  const auto token = pki::verify_jwt(secret.data.at("token"), {key_.public_key()});
  ASSERT_TRUE(token) << token.error().message;
  const auto claims = object::parse_json(token->claims_json);
  EXPECT_EQ(claims->string_at({"sub"}), "system:serviceaccount:ns:a");
  EXPECT_EQ(claims->string_at({"kubernetes.io/serviceaccount/secret.name"}), "t");
  EXPECT_TRUE(cluster_.client.get<Secret>("ns", "other")->data.empty());

  ASSERT_TRUE(cluster_.client.remove<ServiceAccount>("ns", "a"));
  cluster_.settle();
  EXPECT_FALSE(exists("t"));
  EXPECT_TRUE(exists("other"));
}

TEST_F(ServiceAccountTokenTest, ASecretOfNobodyGoes) {
  ASSERT_TRUE(cluster_.client.create(token_secret("t", "ghost")));
  cluster_.settle();
  EXPECT_FALSE(exists("t"));
}

TEST_F(ServiceAccountTokenTest, ADeletedSecretLeavesItsAccount) {
  ServiceAccount owner = account("a");
  owner.secrets.emplace_back().name = "t";
  owner.secrets.emplace_back().name = "kept";
  ASSERT_TRUE(cluster_.client.create(owner));
  ASSERT_TRUE(cluster_.client.create(token_secret("t", "a")));
  cluster_.settle();
  ASSERT_TRUE(cluster_.client.remove<Secret>("ns", "t"));
  cluster_.settle();
  const ServiceAccount left = *cluster_.client.get<ServiceAccount>("ns", "a");
  ASSERT_EQ(left.secrets.size(), 1u);
  EXPECT_EQ(left.secrets[0].name, "kept");
}

}  // namespace
}  // namespace controllers::serviceaccounttoken
