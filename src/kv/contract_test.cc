// What every Store does, whatever keeps it. A new implementation is one more entry of kImplementations.
#include <gtest/gtest.h>

#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "kv/embedded.h"
#include "kv/limits.h"
#include "kv/test_support.h"

namespace kv::test {
namespace {

using base::Reason;
using std::chrono::minutes;
using std::chrono::seconds;

struct Fixture {
  World world;
  TemporaryDirectory directory;
};
struct Implementation {
  const char* name;
  base::Result<std::unique_ptr<Store>> (*make)(Fixture&);
};

const Implementation kImplementations[] = {
    {"memory",
     [](Fixture& fixture) -> base::Result<std::unique_ptr<Store>> {
       return make_memory_store(fixture.world.environment());
     }},
    {"embedded",
     [](Fixture& fixture) {
       return open_embedded_store(
           fixture.world.environment(), fixture.directory.path(),
           {.first_segment_bytes = 8192, .segment_bytes = 1 << 16, .snapshot_after_bytes = 4096});
     }},
};

class StoreContract : public testing::TestWithParam<Implementation> {
 protected:
  void SetUp() override {
    auto made = GetParam().make(fixture_);
    ASSERT_TRUE(made) << made.error().message;
    store_ = *std::move(made);
  }
  ManualExecutor& executor() { return fixture_.world.executor; }
  // Accepts, makes durable, returns the revision.
  int64_t write(Write write) {
    WriteResult result = store_->write(std::move(write));
    EXPECT_TRUE(result);
    executor().run();
    return result ? result->revision : -1;
  }
  WriteFailure failure(Write write) {
    WriteResult result = store_->write(std::move(write));
    EXPECT_FALSE(result);
    return result ? WriteFailure() : result.error();
  }
  std::string state() { return text(*store_->snapshot()); }
  std::string state_at(int64_t revision) {
    auto snapshot = store_->snapshot_at(revision);
    return snapshot ? text(**snapshot) : "error: " + snapshot.error().message;
  }

  Fixture fixture_;
  std::unique_ptr<Store> store_;
};

INSTANTIATE_TEST_SUITE_P(Stores, StoreContract, testing::ValuesIn(kImplementations),
                         [](const auto& info) { return std::string(info.param.name); });

TEST_P(StoreContract, StartsEmptyAtRevisionOne) {
  EXPECT_EQ(store_->snapshot()->revision(), 1);
  EXPECT_EQ(store_->accepted_revision(), 1);
  EXPECT_EQ(state(), "");
  EXPECT_FALSE(store_->latest("/a"));
}

TEST_P(StoreContract, VersionsAndRevisions) {
  EXPECT_EQ(write(put("/a", "1")), 2);
  EXPECT_EQ(write(put("/b", "1")), 3);
  EXPECT_EQ(write(put("/a", "2")), 4);
  const KeyValue a = *store_->snapshot()->get("/a");
  EXPECT_EQ(a.value.view(), "2");
  EXPECT_EQ(a.create_revision, 2);
  EXPECT_EQ(a.mod_revision, 4);
  EXPECT_EQ(a.version, 2);
  EXPECT_EQ(write(del("/a")), 5);
  EXPECT_EQ(store_->snapshot()->get("/a"), nullptr);
  EXPECT_EQ(write(put("/a", "3")), 6);
  EXPECT_EQ(store_->snapshot()->get("/a")->create_revision, 6);
  EXPECT_EQ(store_->snapshot()->get("/a")->version, 1);
}

TEST_P(StoreContract, PreconditionsAgainstTheNewestAcceptedState) {
  ASSERT_TRUE(store_->write(put("/a", "1", 0)));  // accepted, not yet durable
  WriteFailure exists = failure(put("/a", "2", 0));
  EXPECT_EQ(exists.kind, WriteFailure::Kind::kConflict);
  ASSERT_TRUE(exists.current);
  EXPECT_EQ(exists.current->mod_revision, 2);
  EXPECT_EQ(failure(put("/a", "2", 7)).current->value.view(), "1");
  EXPECT_EQ(failure(del("/a", 7)).kind, WriteFailure::Kind::kConflict);
  ASSERT_TRUE(store_->write(put("/a", "2", 2)));
  ASSERT_TRUE(store_->write(del("/a", 3)));
  WriteFailure gone = failure(del("/a"));
  EXPECT_EQ(gone.kind, WriteFailure::Kind::kConflict);
  EXPECT_FALSE(gone.current);
  EXPECT_FALSE(failure(put("/a", "2", 3)).current);
  EXPECT_EQ(store_->accepted_revision(), 4);
  executor().run();
  EXPECT_EQ(state(), "");
}

TEST_P(StoreContract, NothingIsVisibleBeforeItIsDurable) {
  RecordingSink sink;
  auto watch = store_->watch("/", prefix_end("/"), 2, &sink);
  ASSERT_TRUE(watch);
  executor().run();
  std::vector<std::string> order;
  auto ticket = store_->write(put("/a", "1"));
  ASSERT_TRUE(ticket);
  store_->when_durable(*ticket, [&](base::Result<void> outcome) {
    EXPECT_TRUE(outcome);
    order.push_back(state() + " | " + sink.joined());
  });
  EXPECT_EQ(store_->latest("/a")->value.view(), "1");
  EXPECT_EQ(state(), "");
  EXPECT_TRUE(order.empty());
  executor().run();
  EXPECT_EQ(order, std::vector<std::string>{"/a=1@2 | +/a=1@2"});
  // After the fact the callback still comes, from the strand and not from within the call.
  store_->when_durable(*ticket, [&](base::Result<void>) { order.push_back("again"); });
  EXPECT_EQ(order.size(), 1U);
  executor().run();
  EXPECT_EQ(order.size(), 2U);
}

TEST_P(StoreContract, OneBatchServesManyWriters) {
  int called = 0;
  for (int i = 0; i < 100; ++i) {
    auto ticket = store_->write(put("/k" + std::to_string(i), "v"));
    store_->when_durable(*ticket, [&](base::Result<void> outcome) { called += outcome.has_value(); });
  }
  executor().run();
  EXPECT_EQ(called, 100);
  EXPECT_EQ(store_->status().batches_total, 1U);
  EXPECT_EQ(store_->snapshot()->size(), 100U);
}

TEST_P(StoreContract, TransactionsAreAllOrNothingUnderOneRevision) {
  write(put("/a", "1"));
  write(put("/b", "1"));
  auto failed = store_->write_batch({put("/a", "2", 2), put("/b", "2", 2)});
  ASSERT_FALSE(failed);
  EXPECT_EQ(failed.error().index, 1U);
  EXPECT_EQ(failed.error().current->mod_revision, 3);
  EXPECT_EQ(store_->latest("/a")->value.view(), "1");
  RecordingSink sink;
  auto watch = store_->watch("/", prefix_end("/"), 4, &sink);
  auto done = store_->write_batch({put("/a", "2", 2), del("/b", 3), put("/c", "1", 0), del("/missing")});
  ASSERT_TRUE(done);
  EXPECT_EQ(done->revision, 4);
  executor().run();
  EXPECT_EQ(state(), "/a=2@4 /c=1@4");
  EXPECT_EQ(sink.joined(), "+/a=2@4<1 -/b@4<1 +/c=1@4");
  EXPECT_FALSE(store_->write_batch({put("/a", "x"), put("/a", "y")}));
  auto idle = store_->write_batch({del("/missing")});
  ASSERT_TRUE(idle);
  EXPECT_EQ(idle->revision, 4);
}

TEST_P(StoreContract, RangesAndCounts) {
  for (const char* key : {"/a/1", "/a/2", "/a/3", "/b/1"}) write(put(key, "v"));
  SnapshotPtr snapshot = store_->snapshot();
  EXPECT_EQ(text(*snapshot, "/a/", prefix_end("/a/")), "/a/1=v@2 /a/2=v@3 /a/3=v@4");
  EXPECT_EQ(text(*snapshot, "/a/2", ""), "/a/2=v@3 /a/3=v@4 /b/1=v@5");
  EXPECT_EQ(text(*snapshot, "/c", ""), "");
  EXPECT_EQ(snapshot->count("/a/", prefix_end("/a/")), 3U);
  EXPECT_EQ(snapshot->count("/a/2", "/a/3"), 1U);
  int seen = 0;
  snapshot->range("", "", [&](const KeyValueRef&) { return ++seen == 2 ? Visit::kStop : Visit::kContinue; });
  EXPECT_EQ(seen, 2);
}

TEST_P(StoreContract, PassesWhatSignaturesRuleOut) {
  for (const char* key : {"/a/1", "/a/22", "/a/333", "/b/1", "/b/22"}) write(put(key, "v"));
  write(put("/a/22", "w"));
  write(del("/a/333"));
  auto covering = [](const Snapshot& snapshot, std::vector<Signature> wanted) {
    std::string out;
    snapshot.range_covering("/a/", "/b/2", wanted, [&](const KeyValueRef& record) {
      out += std::string(record->key.view()) + " ";
      return out.size() > 10 ? Visit::kStop : Visit::kContinue;
    });
    return out;
  };
  const Signature v = TestSigner::of_value('v'), w = TestSigner::of_value('w'), even = TestSigner::of_key(4);
  SnapshotPtr now = store_->snapshot(), before = *store_->snapshot_at(6);
  EXPECT_EQ(covering(*now, {v}), "/a/1 /b/1 ");
  EXPECT_EQ(covering(*now, {w}), "/a/22 ");
  EXPECT_EQ(covering(*now, {w, v}), "/a/1 /a/22 ");  // stopped
  EXPECT_EQ(covering(*now, {w | even}), "");
  EXPECT_EQ(covering(*now, {}), "");
  EXPECT_EQ(covering(*before, {v | even}), "/a/1 /a/333 ");  // stopped
  EXPECT_EQ(covering(*before, {w}), "");
}

TEST_P(StoreContract, SnapshotsDoNotChange) {
  write(put("/a", "1"));
  SnapshotPtr before = store_->snapshot();
  write(put("/a", "2"));
  write(put("/b", "1"));
  EXPECT_EQ(text(*before), "/a=1@2");
  EXPECT_EQ(before->revision(), 2);
}

TEST_P(StoreContract, ReadsThePast) {
  write(put("/a", "1"));
  write(put("/b", "1"));
  store_->write(put("/a", "2"));  // one batch with the next two
  store_->write(del("/b"));
  write(put("/c", "1"));
  EXPECT_EQ(state_at(1), "");
  EXPECT_EQ(state_at(2), "/a=1@2");
  EXPECT_EQ(state_at(3), "/a=1@2 /b=1@3");
  EXPECT_EQ(state_at(4), "/a=2@4 /b=1@3");
  EXPECT_EQ(state_at(5), "/a=2@4");
  EXPECT_EQ(state_at(6), "/a=2@4 /c=1@6");
  for (int i = 0; i < 40; ++i) write(put("/d", std::to_string(i)));  // more than are remembered
  for (int64_t revision = 40; revision >= 7; --revision) {
    EXPECT_EQ(state_at(revision), "/a=2@4 /c=1@6 /d=" + std::to_string(revision - 7) + "@" + std::to_string(revision));
  }
  EXPECT_EQ(state_at(3), "/a=1@2 /b=1@3");
  EXPECT_EQ(store_->snapshot_at(99).error().reason, Reason::kTimeout);
}

TEST_P(StoreContract, CompactionForgets) {
  for (int i = 0; i < 6; ++i) write(put("/a", std::to_string(i)));
  ASSERT_TRUE(store_->compact(4));
  EXPECT_EQ(store_->compacted_revision(), 4);
  EXPECT_EQ(store_->snapshot_at(3).error().reason, Reason::kExpired);
  EXPECT_EQ(state_at(4), "/a=2@4");
  RecordingSink sink;
  EXPECT_EQ(store_->watch("/", "", 4, &sink).error().reason, Reason::kExpired);
  auto watch = store_->watch("/", "", 5, &sink);
  ASSERT_TRUE(watch);
  executor().run();
  EXPECT_EQ(sink.joined(), "+/a=3@5<2 +/a=4@6<3 +/a=5@7<4");
  EXPECT_EQ(store_->compact(4).error().reason, Reason::kExpired);
  EXPECT_EQ(store_->compact(99).error().reason, Reason::kTimeout);
}

TEST_P(StoreContract, CompactsByTimeAndThenRests) {
  write(put("/a", "1"));
  executor().advance(minutes(4));
  write(put("/a", "2"));
  executor().advance(minutes(2));
  EXPECT_EQ(store_->compacted_revision(), 0);  // what is younger than an interval stays
  write(put("/a", "3"));
  executor().advance(minutes(5));
  EXPECT_EQ(store_->compacted_revision(), 3);
  executor().advance(minutes(10));
  EXPECT_EQ(store_->compacted_revision(), 4);
  EXPECT_EQ(store_->status().history_bytes, 0U);
  EXPECT_EQ(executor().timers(), 0U);  // an idle store has nothing to wake up for
  write(put("/a", "4"));
  EXPECT_EQ(executor().timers(), 1U);
}

TEST_P(StoreContract, HistoryHasAByteLimit) {
  auto rng = base::seeded_rng(5);
  for (int i = 0; i < 20; ++i) {
    std::vector<uint64_t> large(size_t{512} << 10);  // does not shrink when packed
    for (uint64_t& word : large) word = rng->next();
    write(put("/a", std::string(reinterpret_cast<const char*>(large.data()), large.size() * 8)));
  }
  EXPECT_LE(store_->status().history_bytes, kLeastHistoryBytes + 2 * kUnpackedHistoryBytes);
  EXPECT_GT(store_->status().history_bytes, kLeastHistoryBytes / 2);
  EXPECT_EQ(store_->compacted_revision(), 21 - 6);  // what is not packed yet is beside the limit
}

// Old history is packed; who watches from there, or reads there, sees no difference.
TEST_P(StoreContract, OldRevisionsOfLargeHistory) {
  constexpr int kWrites = 400;
  const std::string common(60'000, 'c');
  for (int i = 0; i < kWrites; ++i) write(put("/p/" + std::to_string(i % 7), std::to_string(i) + common));
  EXPECT_LT(store_->status().history_bytes, size_t{9} << 20);
  EXPECT_EQ(store_->compacted_revision(), 0);
  RecordingSink all, one, again;
  auto watch_all = store_->watch("/p/", prefix_end("/p/"), 1, &all);
  auto watch_one = store_->watch("/p/3", std::string("/p/3") + '\0', 200, &one);
  executor().run();
  auto watch_again = store_->watch("/p/", prefix_end("/p/"), 100, &again);
  executor().run();
  write(put("/p/3", "live"));
  ASSERT_EQ(all.lines.size(), kWrites + 1U);
  EXPECT_EQ(all.lines[50], "+/p/1=50" + common + "@52<43" + common);
  EXPECT_EQ(again.lines.size(), kWrites + 1U - 98U);
  EXPECT_EQ(one.lines.back().substr(0, 20), "+/p/3=live@402<395cc");
  EXPECT_EQ(one.lines.front().substr(0, 9), "+/p/3=199");
  EXPECT_EQ(all.progress, 1);
  auto old = store_->snapshot_at(30);
  ASSERT_TRUE(old);
  EXPECT_EQ((*old)->get("/p/0")->value.view(), "28" + common);
  EXPECT_EQ((*old)->get("/p/1")->value.view(), "22" + common);
}

TEST_P(StoreContract, WatchHistoryThenLiveWithoutGapOrDuplicate) {
  write(put("/p/a", "1"));
  write(put("/q", "1"));
  write(put("/p/a", "2"));
  RecordingSink all, from_three, late;
  auto watch_all = store_->watch("/p/", prefix_end("/p/"), 1, &all);
  auto watch_three = store_->watch("/p/", prefix_end("/p/"), 3, &from_three);
  auto watch_late = store_->watch("/p/", prefix_end("/p/"), 6, &late);  // the future
  store_->write(put("/p/b", "1"));                                      // accepted before the watches are served
  executor().run();
  write(del("/p/a"));
  EXPECT_EQ(all.joined(), "+/p/a=1@2 +/p/a=2@4<1 +/p/b=1@5 -/p/a@6<2");
  EXPECT_EQ(from_three.joined(), "+/p/a=2@4<1 +/p/b=1@5 -/p/a@6<2");
  EXPECT_EQ(late.joined(), "-/p/a@6<2");
  EXPECT_EQ(all.progress, 1);
  EXPECT_EQ(store_->status().watches, 3U);
  watch_all->reset();
  write(put("/p/a", "3"));
  EXPECT_EQ(all.lines.size(), 4U);
  EXPECT_EQ(late.lines.size(), 2U);
  EXPECT_EQ(store_->status().watches, 2U);
}

TEST_P(StoreContract, WatchShapes) {
  RecordingSink key, prefix, range, everything;
  auto w1 = store_->watch("/a", std::string("/a") + '\0', 1, &key);
  auto w2 = store_->watch("/a", prefix_end("/a"), 1, &prefix);
  auto w3 = store_->watch("/a/2", "/b", 1, &range);
  auto w4 = store_->watch("", "", 1, &everything);
  executor().run();
  for (const char* each : {"/a", "/a/1", "/a/3", "/b"}) write(put(each, "v"));
  EXPECT_EQ(key.joined(), "+/a=v@2");
  EXPECT_EQ(prefix.joined(), "+/a=v@2 +/a/1=v@3 +/a/3=v@4");
  EXPECT_EQ(range.joined(), "+/a/3=v@4");
  EXPECT_EQ(everything.lines.size(), 4U);
}

TEST_P(StoreContract, WatchProgressOnRequest) {
  RecordingSink sink;
  auto watch = store_->watch("/p/", prefix_end("/p/"), 2, &sink);
  executor().run();
  EXPECT_EQ(sink.progress, 1);
  write(put("/other", "1"));
  (*watch)->request_progress();
  executor().run();
  EXPECT_EQ(sink.progress, 2);
  EXPECT_EQ(sink.last_revision, 2);
}

// A sink may end its own watch.
class EndingSink final : public WatchSink {
 public:
  void on_events(std::span<const Event>, int64_t) override {
    ++calls;
    watch.reset();
  }
  void on_progress(int64_t) override {}
  void on_cancelled(const base::Error&) override {}
  std::unique_ptr<Watch> watch;
  int calls = 0;
};

TEST_P(StoreContract, WatchEndedFromItsOwnSink) {
  EndingSink sink;
  sink.watch = *store_->watch("/", "", 2, &sink);
  executor().run();
  write(put("/a", "1"));
  write(put("/a", "2"));
  EXPECT_EQ(sink.calls, 1);
}

TEST_P(StoreContract, LeasesEndWithTheirKeys) {
  auto lease = store_->grant_lease(seconds(10));
  ASSERT_TRUE(lease);
  write(put("/e/1", "v", {}, lease->id));
  write(put("/e/2", "v", {}, lease->id));
  write(put("/e/3", "v", {}, lease->id));
  write(put("/e/3", "kept"));  // a write without the lease takes the key off it
  EXPECT_EQ(store_->lease(lease->id)->keys.size(), 2U);
  RecordingSink sink;
  auto watch = store_->watch("/e/", prefix_end("/e/"), 6, &sink);
  executor().advance(seconds(9));
  EXPECT_EQ(store_->snapshot()->size(), 3U);
  executor().advance(seconds(2));
  executor().run();
  EXPECT_EQ(state(), "/e/3=kept@5");
  EXPECT_EQ(sink.joined(), "-/e/1@6<v -/e/2@6<v");
  EXPECT_EQ(store_->lease(lease->id).error().reason, Reason::kNotFound);
  EXPECT_EQ(failure(put("/e/4", "v", {}, lease->id)).error.reason, Reason::kNotFound);
}

TEST_P(StoreContract, LeasesAreKeptAliveAndRevoked) {
  auto lease = store_->grant_lease(seconds(10), 77);
  ASSERT_TRUE(lease);
  EXPECT_EQ(lease->id, 77);
  EXPECT_EQ(store_->grant_lease(seconds(10), 77).error().reason, Reason::kAlreadyExists);
  write(put("/e/1", "v", {}, 77));
  for (int i = 0; i < 5; ++i) {
    executor().advance(seconds(8));
    ASSERT_TRUE(store_->keep_lease_alive(77));
  }
  EXPECT_EQ(store_->lease(77)->remaining, seconds(10));
  EXPECT_EQ(store_->snapshot()->size(), 1U);
  ASSERT_TRUE(store_->revoke_lease(77));
  executor().run();
  EXPECT_EQ(state(), "");
  EXPECT_FALSE(store_->keep_lease_alive(77));
  EXPECT_EQ(store_->grant_lease(seconds(0)).error().reason, Reason::kInvalid);
}

TEST_P(StoreContract, Limits) {
  EXPECT_EQ(failure(put("", "v")).error.reason, Reason::kInvalid);
  EXPECT_EQ(failure(put(std::string(kMaxKeyBytes + 1, 'k'), "v")).error.reason, Reason::kInvalid);
  std::string large(kMaxValueBytes, 'v');
  EXPECT_EQ(failure(put("/a", large + "v")).error.reason, Reason::kRequestEntityTooLarge);
  for (size_t bytes = 0; bytes < kMaxPendingBytes; bytes += large.size()) {
    ASSERT_TRUE(store_->write(put("/a", large)));
  }
  EXPECT_EQ(failure(put("/a", "v")).error.reason, Reason::kTooManyRequests);
  executor().run();
  EXPECT_TRUE(store_->write(put("/a", "v")));
  executor().run();
  EXPECT_EQ(store_->status().live_bytes, 3U);
}

}  // namespace
}  // namespace kv::test
