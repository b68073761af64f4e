#include "storage/signature.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "codec/wire.h"
#include "schema/envelope.h"

namespace storage {
namespace {

using Labels = std::vector<std::pair<std::string, std::string>>;

std::string pod(const Labels& labels, const std::string& node) {
  std::string metadata, spec, raw, out;
  codec::append_bytes_field(metadata, 1, "web");
  for (const auto& [key, value] : labels) {
    std::string entry;
    codec::append_bytes_field(entry, 1, key);
    codec::append_bytes_field(entry, 2, value);
    codec::append_bytes_field(metadata, 11, entry);
  }
  if (!node.empty()) codec::append_bytes_field(spec, 10, node);
  codec::append_bytes_field(raw, 1, metadata);
  codec::append_bytes_field(raw, 2, spec);
  schema::wrap({"v1", "Pod"}, raw, out);
  return out;
}

kv::Signature sign(const std::string& value, const char* key = "/registry/pods/ns/web") {
  return ObjectSigner().sign(key, value);
}

TEST(Signature, CoversEveryLabelAndTheField) {
  const Labels labels = {{"app", "web"}, {"tier", ""}, {"app.kubernetes.io/part-of", "shop"}};
  const kv::Signature signature = sign(pod(labels, "node-1"));
  for (const auto& [key, value] : labels) EXPECT_TRUE(signature.covers(label_signature(key, value))) << key;
  EXPECT_TRUE(signature.covers(field_signature("node-1") | label_signature("app", "web")));
  EXPECT_FALSE(signature.covers(field_signature("")));
  EXPECT_TRUE(sign(pod({}, "")).covers(field_signature("")));
  // Only what lies below the prefix, as a whole, has the field.
  EXPECT_EQ(sign(pod({}, "node-1"), "/registry/podtemplates/ns/web"), kv::Signature());
  EXPECT_EQ(signed_field("/registry/podtemplates").size, 0U);
}

TEST(Signature, WhatIsNoObjectCoversEverything) {
  EXPECT_EQ(sign("{\"kind\":\"Widget\"}"), kv::Signature::unknown());
  EXPECT_EQ(sign(""), kv::Signature::unknown());
  std::string broken;
  schema::wrap({"v1", "Pod"}, "\x0a\x05\x0a", broken);
  EXPECT_EQ(sign(broken), kv::Signature::unknown());
}

// How many of 20,000 objects with five labels are looked at in vain: a bound on chance with these hashes.
TEST(Signature, RulesOutMostOfTheOthers) {
  int by_label = 0, by_node = 0;
  const kv::Signature app = label_signature("app", "app-00007"), node = field_signature("load-node-000007");
  for (int i = 0; i < 20'000; ++i) {
    const std::string number = std::to_string(100'000 + i);
    const kv::Signature signature =
        sign(pod({{"app", "app-" + number}, {"tier", "t" + number}, {"hash", number + "abc"}, {"a", "b"}, {"c", "d"}},
                 "load-node-" + number));
    by_label += signature.covers(app);
    by_node += signature.covers(node);
  }
  EXPECT_LT(by_label, 200);
  EXPECT_LT(by_node, 4);
}

}  // namespace
}  // namespace storage
