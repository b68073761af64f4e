// History packs what is old: same events, same states, less memory.
#include "kv/history.h"

#include <gtest/gtest.h>

#include "base/rng.h"
#include "kv/limits.h"
#include "kv/packed_events.h"
#include "kv/repeats.h"
#include "kv/wire.h"

namespace kv {
namespace {

std::string noise(base::Rng& rng, size_t size) {
  std::string text;
  while (text.size() < size) put_fixed64(text, rng.next());
  text.resize(size);
  return text;
}

TEST(Repeats, EveryTextComesBack) {
  const auto seeded = base::seeded_rng(7);
  base::Rng& rng = *seeded;
  std::vector<std::string> texts = {"", "a", "abcdefg", "abcdefgh", std::string(100'000, 'x'), noise(rng, 70'000)};
  const std::string object = noise(rng, 5000);
  std::string near;
  for (int i = 0; i < 40; ++i) near += object.substr(0, 100 * static_cast<size_t>(i)) + noise(rng, 20) + object;
  texts.push_back(near);
  for (int i = 0; i < 300; ++i) {  // few letters: copies of all lengths, overlapping and not
    std::string text;
    for (uint64_t left = rng.below(400); left > 0; --left)
      text += static_cast<char>('a' + rng.below(static_cast<uint64_t>(i % 3) + 1));
    texts.push_back(text + text.substr(0, rng.below(text.size() + 1)));
  }
  for (const std::string& text : texts) {
    const std::string packed = pack_repeats(text);
    EXPECT_EQ(unpack_repeats(packed, text.size()), text);
    EXPECT_LE(packed.size(), text.size() + text.size() / 100 + 12);
  }
  EXPECT_LT(pack_repeats(near).size(), near.size() / 15);
}

Event put_event(Tree& tree, int64_t revision, const std::string& key, std::string value) {
  const KeyValueRef* current = tree.find(key);
  KeyValueRef record = KeyValueRef::make({.key = base::SharedBytes(key),
                                          .value = base::SharedBytes(std::move(value)),
                                          .create_revision = current ? (*current)->create_revision : revision,
                                          .mod_revision = revision,
                                          .version = current ? (*current)->version + 1 : 1,
                                          .lease = revision % 3});
  KeyValueRef previous = tree.set(record);
  return {std::move(record), std::move(previous)};
}
Event delete_event(Tree& tree, int64_t revision, const std::string& key) {
  KeyValueRef previous = tree.erase(key);
  return {KeyValueRef::make({.key = previous->key, .mod_revision = revision}), previous};
}

std::string line_of(const KeyValueRef& record) {
  if (!record) return "-";
  return std::string(record->key.view()) + "=" + std::string(record->value.view()) + "@" +
         std::to_string(record->create_revision) + "," + std::to_string(record->mod_revision) + "," +
         std::to_string(record->version) + "," + std::to_string(record->lease);
}
std::vector<std::string> lines_of(const std::vector<HistoryPiece>& pieces, int64_t from) {
  std::vector<std::string> lines;
  for (const HistoryPiece& piece : pieces) {
    const EventBatchPtr batch = piece.open();
    EXPECT_EQ(batch->first_revision(), piece.first_revision);
    EXPECT_EQ(batch->last_revision(), piece.last_revision);
    for (const Event& event : batch->events) {
      if (event.revision() >= from) lines.push_back(line_of(event.kv) + "<" + line_of(event.previous));
    }
  }
  return lines;
}
std::string state_of(const Tree& tree) {
  std::string state;
  for (auto at = tree.seek(""); !at.at_end(); at.next()) state += line_of(at.record()) + "\n";
  return state;
}

// The same writes in two histories, one of which packs; and every state on the way.
class PackedHistory : public testing::Test {
 protected:
  void SetUp() override {
    const std::string common = noise(rng_, 6000);
    for (int64_t revision = 2; revision < 6000; ++revision) {
      auto batch = std::make_shared<EventBatch>();
      for (uint64_t i = rng_.below(3) + 1; i > 0; --i) batch->events.push_back(change(revision, common));
      plain_.append(batch);
      packing_.append(batch);
      if (packing_.wants_packing()) packing_.pack();
      states_.push_back({tree_, revision});
      if (states_.size() > 1 && revision % 500 != 0) states_.pop_back();
    }
    newest_ = std::make_shared<const Snapshot>(tree_, 5999);
  }
  Event change(int64_t revision, const std::string& common) {
    const std::string key = "/k/" + std::to_string(rng_.below(200));
    if (tree_.find(key) && rng_.below(10) == 0) return delete_event(tree_, revision, key);
    std::string value = common;
    for (int i = 0; i < 5; ++i) value.replace(rng_.below(5900), 10, noise(rng_, rng_.below(20)));
    return put_event(tree_, revision, key, value);
  }

  const std::unique_ptr<base::Rng> seeded_ = base::seeded_rng(11);
  base::Rng& rng_ = *seeded_;
  Tree tree_;
  History plain_{0}, packing_{0};
  std::vector<Snapshot> states_;
  SnapshotPtr newest_;
};

TEST_F(PackedHistory, SaysTheSameInLessMemory) {
  EXPECT_GT(plain_.retained_bytes(), size_t{50} << 20);
  EXPECT_LT(packing_.retained_bytes(), size_t{16} << 20);
  for (const int64_t from : {int64_t{1}, int64_t{2}, int64_t{2999}, int64_t{5500}, int64_t{5999}, int64_t{6000}}) {
    EXPECT_EQ(lines_of(*packing_.from(from), from), lines_of(*plain_.from(from), from)) << from;
  }
  for (const Snapshot& state : states_) {
    EXPECT_EQ(state_of((*packing_.rebuild(state.revision(), newest_))->tree()), state_of(state.tree()))
        << state.revision();
  }
}

TEST_F(PackedHistory, IsCompactedLikeOther) {
  for (const int64_t revision : {1000, 2500, 5000}) {
    plain_.compact(revision);
    packing_.compact(revision);
    EXPECT_FALSE(packing_.from(revision));
    EXPECT_EQ(lines_of(*packing_.from(revision + 1), revision + 1), lines_of(*plain_.from(revision + 1), revision + 1));
  }
  packing_.trim(0);
  EXPECT_EQ(packing_.retained_bytes(), 0U);
  EXPECT_TRUE(packing_.empty());
  packing_.append(std::make_shared<EventBatch>(std::vector{put_event(tree_, 6000, "/k/1", "v")}));
  packing_.pack();
  EXPECT_EQ(packing_.from(6000)->size(), 1U);
}

TEST(History, WhatDoesNotShrinkStaysAsItIs) {
  const auto seeded = base::seeded_rng(3);
  base::Rng& rng = *seeded;
  Tree tree;
  History history(0);
  for (int64_t revision = 2; revision < 300; ++revision) {
    history.append(std::make_shared<EventBatch>(
        std::vector{put_event(tree, revision, "/k/" + std::to_string(rng.below(50)), noise(rng, 100'000))}));
  }
  const uint64_t before = history.retained_bytes();
  ASSERT_TRUE(history.wants_packing());
  history.pack();
  EXPECT_FALSE(history.wants_packing());
  EXPECT_LE(history.retained_bytes(), before);
  EXPECT_EQ(history.from(2)->front().first_revision, 2);
}

}  // namespace
}  // namespace kv
