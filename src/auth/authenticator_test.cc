#include "auth/authenticator.h"

#include <gtest/gtest.h>

namespace auth {
namespace {

TEST(Authenticator, TokensAndAnonymous) {
  base::SystemClock clock;
  Authenticator authenticator(&clock);
  ASSERT_TRUE(authenticator.load_tokens("t1,admin,1,\"system:masters, dev\"\n\nt2,bob,u2\n"));
  net::Request request;
  EXPECT_EQ(authenticator.authenticate(request)->name, "system:anonymous");
  request.headers = {{"Authorization", "Bearer t1"}};
  auto admin = authenticator.authenticate(request);
  ASSERT_TRUE(admin);
  EXPECT_EQ(admin->groups, (std::vector<std::string>{"system:masters", "dev", "system:authenticated"}));
  request.headers = {{"Authorization", "Bearer nosuch"}};
  EXPECT_EQ(authenticator.authenticate(request).error().reason, base::Reason::kUnauthorized);
}

TEST(Authenticator, BadTokenFileNamesTheLine) {
  base::SystemClock clock;
  Authenticator authenticator(&clock);
  EXPECT_EQ(authenticator.load_tokens("t,u,1\nonly-a-token\n").error().message.substr(0, 17), "token file line 2");
}

TEST(Authenticator, ExpiredCertificateIsNoIdentity) {
  base::SystemClock clock;
  Authenticator authenticator(&clock);
  auto peer = std::make_shared<net::PeerIdentity>();
  peer->common_name = "kubernetes-admin";
  peer->not_after = clock.wall_now() + std::chrono::hours(1);
  net::Request request;
  request.peer = peer;
  EXPECT_EQ(authenticator.authenticate(request)->name, "kubernetes-admin");
  peer->not_after = clock.wall_now() - std::chrono::hours(1);
  EXPECT_EQ(authenticator.authenticate(request)->name, "system:anonymous");
}

}  // namespace
}  // namespace auth
