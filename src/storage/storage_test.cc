#include <gtest/gtest.h>

#include "storage/continue_token.h"
#include "storage/keys.h"

namespace storage {
namespace {

TEST(Keys, BuildAndSplit) {
  EXPECT_EQ(object_key("/registry/pods", "default", "web"), "/registry/pods/default/web");
  EXPECT_EQ(object_key("/registry/minions", "", "n1"), "/registry/minions/n1");
  EXPECT_EQ(range_start("/registry/pods", ""), "/registry/pods/");
  EXPECT_EQ(range_start("/registry/pods", "a"), "/registry/pods/a/");
  KeyParts parts = split_key("/registry/services/specs", "/registry/services/specs/ns/svc");
  EXPECT_EQ(parts.ns, "ns");
  EXPECT_EQ(parts.name, "svc");
  EXPECT_EQ(split_key("/registry/minions", "/registry/minions/n1").name, "n1");
}

TEST(ContinueToken, RoundTrips) {
  auto token = decode_continue(encode_continue({42, std::string("c2\0", 3)}));
  ASSERT_TRUE(token);
  EXPECT_EQ(token->revision, 42);
  EXPECT_EQ(token->start, std::string("c2\0", 3));
}

TEST(ContinueToken, RefusesWhatUpstreamRefuses) {
  const std::string prefix = "invalid continue token: continue key is not valid: ";
  const std::pair<const char*, const char*> cases[] = {
      {"bogus", "illegal base64 data at input byte 4"},
      {"eyJ2IjoieCIsInJ2IjoxLCJzdGFydCI6ImMyIn0", "server does not recognize this encoded version x"},
      {"eyJ2IjoibWV0YS5rOHMuaW8vdjEiLCJydiI6MCwic3RhcnQiOiJjMiJ9",
       "incorrect encoded start resourceVersion (version meta.k8s.io/v1)"},
      {"eyJ2IjoibWV0YS5rOHMuaW8vdjEiLCJydiI6NSwic3RhcnQiOiIifQ", "encoded start key empty (version meta.k8s.io/v1)"},
      {"eyJ2IjoibWV0YS5rOHMuaW8vdjEiLCJydiI6NSwic3RhcnQiOiIuLi8uLi94In0", "../../x"},
  };
  for (const auto& [text, message] : cases) {
    auto token = decode_continue(text);
    ASSERT_FALSE(token) << text;
    EXPECT_EQ(token.error().message, prefix + message);
  }
}

}  // namespace
}  // namespace storage
