#include "kv/tree.h"

#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/rng.h"
#include "kv/crc32c.h"
#include "kv/test_support.h"

namespace kv {
namespace {

using Model = std::map<std::string, std::string>;

KeyValueRef record(const std::string& key, const std::string& value) {
  return KeyValueRef::make({.key = base::SharedBytes(key), .value = base::SharedBytes(value), .version = 1});
}

Model contents(const Tree& tree) {
  Model result;
  for (Tree::Iterator at = tree.seek(""); !at.at_end(); at.next()) {
    result[std::string(at.record()->key.view())] = at.record()->value.view();
  }
  return result;
}

// Random changes beside a std::map; frozen copies must stay as they were.
TEST(Tree, FollowsAMapAndKeepsFrozenCopies) {
  for (uint64_t seed = 1; seed <= 6; ++seed) {
    auto rng = base::seeded_rng(seed);
    uint64_t keys = seed % 2 == 0 ? 300 : 20'000;
    test::TestSigner signer;
    Tree tree(seed > 2 ? &signer : nullptr);
    Model model;
    std::vector<std::pair<Tree, Model>> frozen;
    for (int i = 0; i < 12'000; ++i) {
      std::string key = "/k/" + std::to_string(rng->below(keys));
      bool grow = (i / 3000) % 2 == 0;  // phases that mostly insert and phases that mostly erase
      if (rng->below(4) == 0 ? grow : !grow) {
        ASSERT_EQ(static_cast<bool>(tree.erase(key)), model.erase(key) == 1);
      } else {
        std::string value = std::to_string(i);
        KeyValueRef previous = tree.set(record(key, value));
        auto [at, inserted] = model.try_emplace(key, value);
        ASSERT_EQ(inserted, !previous);
        if (!inserted) ASSERT_EQ(previous->value.view(), std::exchange(at->second, value));
      }
      if (i % 1500 == 0) frozen.emplace_back(tree, model);
      if (i % 500 == 0) ASSERT_TRUE(tree.valid()) << "seed " << seed << " step " << i;
    }
    ASSERT_EQ(contents(tree), model);
    ASSERT_EQ(tree.size(), model.size());
    for (const auto& [copy, expected] : frozen) {
      ASSERT_EQ(contents(copy), expected);
      ASSERT_TRUE(copy.valid());
    }
    for (const auto& [key, value] : Model(model)) ASSERT_TRUE(tree.erase(key)) << key;
    ASSERT_EQ(tree.size(), 0U);
    ASSERT_TRUE(tree.seek("").at_end());
  }
}

TEST(Tree, CountsAndSeeks) {
  Tree tree;
  Model model;
  auto rng = base::seeded_rng(9);
  for (int i = 0; i < 3000; ++i) {
    std::string key = std::to_string(rng->below(100'000));
    tree.set(record(key, key));
    model[key] = key;
  }
  for (int i = 0; i < 500; ++i) {
    std::string start = std::to_string(rng->below(100'000)), end = std::to_string(rng->below(100'000));
    auto low = model.lower_bound(start), high = model.lower_bound(end);
    size_t expected = start < end ? static_cast<size_t>(std::distance(low, high)) : 0;
    ASSERT_EQ(tree.count(start, end), expected);
    ASSERT_EQ(tree.count(start, ""), static_cast<size_t>(std::distance(low, model.end())));
    Tree::Iterator at = tree.seek(start);
    ASSERT_EQ(at.at_end(), low == model.end());
    if (!at.at_end()) ASSERT_EQ(at.record()->key.view(), low->first);
  }
}

TEST(Tree, AscendingKeysFillTheirLeaves) {
  Tree tree;
  for (int i = 0; i < 10'000; ++i) {
    std::string digits = std::to_string(i);
    tree.set(record("/registry/pods/" + std::string(6 - digits.size(), '0') + digits, ""));
  }
  EXPECT_TRUE(tree.valid());
  EXPECT_EQ(tree.size(), 10'000U);
}

// Known answers: RFC 3720, appendix B.4.
TEST(Crc32c, KnownAnswers) {
  std::string ascending;
  for (char c = 0; c < 32; ++c) ascending.push_back(c);
  struct {
    std::string bytes;
    uint32_t crc;
  } cases[] = {{std::string(32, '\0'), 0x8a9136aa},
               {std::string(32, '\xff'), 0x62a8ab43},
               {ascending, 0x46dd794e},
               {"123456789", 0xe3069283},
               {"", 0}};
  for (const auto& [bytes, crc] : cases) {
    EXPECT_EQ(crc32c(bytes), crc);
    EXPECT_EQ(crc32c_portable(bytes), crc);
    if (bytes.size() > 5) EXPECT_EQ(crc32c(bytes.substr(5), crc32c(bytes.substr(0, 5))), crc);
  }
}

}  // namespace
}  // namespace kv
