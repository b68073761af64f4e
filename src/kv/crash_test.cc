// The embedded store on a simulated disk: killed at every change of the disk, with a full disk, failed syncs and
// damage.
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "kv/embedded.h"
#include "kv/segment_format.h"
#include "kv/simulated_disk.h"
#include "kv/test_support.h"

namespace kv::test {
namespace {

using base::Reason;
using std::chrono::seconds;

constexpr EmbeddedOptions kSmall{.first_segment_bytes = 1024,
                                 .segment_bytes = 4096,
                                 .snapshot_after_bytes = 3000,
                                 .history_after_restart_bytes = 1000};

base::Result<std::unique_ptr<Store>> open(World& world, SimulatedDisk& disk) {
  return open_embedded_store(world.environment(), disk.open(), kSmall);
}

// What the workload was told and saw.
struct Log {
  int64_t acknowledged = 0;  // newest revision
  int failed = 0;
  RecordingSink events;
};

void acknowledge(Store& store, Ticket ticket, Log& log) {
  store.when_durable(ticket, [&log, ticket](base::Result<void> outcome) {
    if (outcome) log.acknowledged = std::max(log.acknowledged, ticket.revision);
    log.failed += !outcome;
  });
}

void one_step(Store& store, World& world, base::Rng& rng, std::vector<int64_t>& leases, Log& log) {
  auto key = [&] { return "/k/" + std::to_string(rng.below(12)); };
  std::string value(rng.below(300), static_cast<char>('a' + rng.below(26)));
  int64_t lease = leases.empty() || rng.below(3) != 0 ? 0 : leases[rng.below(leases.size())];
  switch (rng.below(12)) {
    case 0:
      if (auto done = store.write_batch({put("/t/1", value), put("/t/2", value), del(key())})) {
        acknowledge(store, *done, log);
      }
      break;
    case 1:
      if (auto done = store.write(del(key()))) acknowledge(store, *done, log);
      break;
    case 2:
      if (auto done = store.grant_lease(seconds(1 + rng.below(20)))) leases.push_back(done->id);
      break;
    case 3:
      if (lease != 0) static_cast<void>(rng.below(2) ? store.keep_lease_alive(lease) : store.revoke_lease(lease));
      break;
    case 4:
      world.executor.advance(seconds(rng.below(4)));
      break;
    default:
      if (auto done = store.write(put(key(), value, {}, lease))) acknowledge(store, *done, log);
  }
}

// The same steps every time for a seed, up to the point where the disk fails.
void run_workload(SimulatedDisk& disk, uint64_t seed, Log& log) {
  World world(seed);
  auto rng = base::seeded_rng(seed * 1000);
  auto opened = open(world, disk);
  if (!opened) return;
  std::unique_ptr<Store> store = *std::move(opened);
  auto watch = store->watch("", "", 1, &log.events);
  std::vector<int64_t> leases;
  for (int i = 0; i < 70 && store->status().health != Health::kStopped; ++i) {
    one_step(*store, world, *rng, leases, log);
    for (uint64_t steps = rng->below(5); steps > 0 && world.executor.step();) --steps;
  }
  world.executor.run();
  watch->reset();
  store.reset();
}

// The states and events of the whole history of a run.
struct Reference {
  std::map<int64_t, std::map<std::string, std::string>> states;  // by revision: key → value
  std::map<int64_t, std::vector<std::string>> events;
  explicit Reference(const RecordingSink& sink) {
    std::map<std::string, std::string> state;
    states[1] = state;
    for (const std::string& line : sink.lines) {
      int64_t revision = std::stoll(line.substr(line.find('@') + 1));
      std::string key = line.substr(1, line.find_first_of("=@") - 1);
      if (line[0] == '-') {
        state.erase(key);
      } else {
        state[key] = line.substr(line.find('=') + 1, line.find('@') - line.find('=') - 1);
      }
      states[revision] = state;
      events[revision].push_back(line);
    }
  }
};

std::map<std::string, std::string> contents(const Snapshot& snapshot) {
  std::map<std::string, std::string> result;
  snapshot.range("", "", [&](const KeyValueRef& record) {
    result[std::string(record->key.view())] = record->value.view();
    return Visit::kContinue;
  });
  return result;
}

// Every acknowledged write is there, none is invented, history tells the same as the state.
void check_recovered(Store& store, World& world, const Reference& reference, const Log& log) {
  SnapshotPtr snapshot = store.snapshot();
  int64_t revision = snapshot->revision();
  ASSERT_GE(revision, log.acknowledged);
  ASSERT_TRUE(reference.states.contains(revision)) << revision;
  ASSERT_EQ(contents(*snapshot), reference.states.at(revision));
  ASSERT_EQ(snapshot->tree().signer(), &world.signer);
  ASSERT_TRUE(snapshot->tree().valid());
  int64_t compacted = store.compacted_revision();
  RecordingSink sink;
  auto watch = store.watch("", "", compacted + 1, &sink);
  ASSERT_TRUE(watch);
  world.executor.run();
  std::vector<std::string> expected;
  for (int64_t each = compacted + 1; each <= revision; ++each) {
    if (each == 1) continue;
    ASSERT_TRUE(reference.events.contains(each)) << "revisions have a hole at " << each;
    const std::vector<std::string>& lines = reference.events.at(each);
    expected.insert(expected.end(), lines.begin(), lines.end());
  }
  ASSERT_EQ(sink.lines, expected);
  for (int64_t each = std::max<int64_t>(1, compacted); each <= revision; ++each) {
    ASSERT_EQ(contents(**store.snapshot_at(each)), reference.states.at(each)) << each;
  }
  snapshot->range("", "", [&](const KeyValueRef& record) {
    if (record->lease != 0) EXPECT_TRUE(store.lease(record->lease)) << record->key.view();
    return Visit::kContinue;
  });
}

// Writes on, closes, opens once more: what was recovered is a store like any other.
void check_goes_on(std::unique_ptr<Store> store, World& world, SimulatedDisk& disk) {
  int64_t revision = 0;
  for (int i = 0; i < 20; ++i) {
    auto done = store->write(put("/after/" + std::to_string(i), std::string(100, 'x')));
    ASSERT_TRUE(done);
    revision = done->revision;
    world.executor.run();
  }
  auto before = contents(*store->snapshot());
  store.reset();
  World again(7);
  auto reopened = open(again, disk);
  ASSERT_TRUE(reopened) << reopened.error().message;
  ASSERT_EQ((*reopened)->snapshot()->revision(), revision);
  ASSERT_EQ(contents(*(*reopened)->snapshot()), before);
}

// After the process is killed, what the next one shows must outlast a power loss, even before it writes anything.
void check_shown_is_durable(SimulatedDisk& disk, base::Rng& rng, const Reference& reference, const Log& log) {
  World world(98), again(97);
  auto opened = open(world, disk);
  ASSERT_TRUE(opened) << opened.error().message;
  ASSERT_NO_FATAL_FAILURE(check_recovered(**opened, world, reference, log));
  auto shown = contents(*(*opened)->snapshot());
  ASSERT_TRUE((*opened)->write(put("/more", "1")));
  world.executor.run();
  SimulatedDisk after = disk.after_power_loss(rng);
  auto reopened = open(again, after);
  ASSERT_TRUE(reopened) << reopened.error().message;
  shown["/more"] = "1";
  ASSERT_EQ(contents(*(*reopened)->snapshot()), shown);
}

void recover_and_check(SimulatedDisk& disk, const Reference& reference, const Log& log) {
  World world(99);
  auto opened = open(world, disk);
  ASSERT_TRUE(opened) << opened.error().message;
  ASSERT_NO_FATAL_FAILURE(check_recovered(**opened, world, reference, log));
  ASSERT_NO_FATAL_FAILURE(check_goes_on(*std::move(opened), world, disk));
}

// Seeds of the simulated workloads; `./dev sim` asks for more.
uint64_t seed_count() {
  const char* wanted = std::getenv("KEELSON_SEEDS");
  return wanted ? std::strtoull(wanted, nullptr, 10) : 8;
}

TEST(Crash, AtEveryChangeOfTheDisk) {
  uint64_t points = 0, snapshots = 0;
  for (uint64_t seed = 1; seed <= seed_count(); ++seed) {
    SimulatedDisk whole;
    Log complete;
    run_workload(whole, seed, complete);
    ASSERT_EQ(complete.failed, 0);
    const Reference reference(complete.events);
    for (const std::string& name : whole.names()) snapshots += name.starts_with("snapshot-");
    for (uint64_t point = 1; point <= whole.operations(); ++point, ++points) {
      SCOPED_TRACE("seed " + std::to_string(seed) + ", operation " + std::to_string(point));
      SimulatedDisk disk;
      disk.fail_from(point);
      Log log;
      run_workload(disk, seed, log);
      auto rng = base::seeded_rng(seed * 100'000 + point);
      for (int i = 0; i < 3; ++i) {
        SimulatedDisk left = disk.after_power_loss(*rng);
        ASSERT_NO_FATAL_FAILURE(recover_and_check(left, reference, log));
      }
      disk.kill();
      ASSERT_NO_FATAL_FAILURE(check_shown_is_durable(disk, *rng, reference, log));
    }
  }
  EXPECT_GT(points, 800U);  // the workload reaches segments, spares and snapshots
  EXPECT_GE(snapshots, 4U);
}

TEST(Crash, AFailedSyncStopsTheStoreAndReadsGoOn) {
  World world;
  SimulatedDisk disk;
  auto store = *open(world, disk);
  ASSERT_TRUE(store->write(put("/a", "1")));
  world.executor.run();
  disk.fail_next_sync();
  base::Result<void> outcome;
  auto ticket = store->write(put("/a", "2"));
  store->when_durable(*ticket, [&](base::Result<void> result) { outcome = result; });
  world.executor.run();
  ASSERT_FALSE(outcome);
  EXPECT_EQ(outcome.error().reason, Reason::kOutcomeUnknown);
  EXPECT_EQ(store->status().health, Health::kStopped);
  WriteResult refused = store->write(put("/a", "3"));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().error.message, "the store has stopped accepting writes: the simulated sync failed");
  EXPECT_FALSE(store->grant_lease(seconds(5)));
  EXPECT_EQ(text(*store->snapshot()), "/a=1@2");
  EXPECT_EQ(store->latest("/a")->value.view(), "1");
}

TEST(Crash, AFullDiskRefusesLosesNothingAndRecovers) {
  World world;
  SimulatedDisk disk;
  auto store = *open(world, disk);
  disk.set_capacity(disk.used() + 5000);
  std::map<std::string, std::string> acknowledged;
  int refused = 0;
  auto write = [&](int i) {
    std::string key = "/k" + std::to_string(i), value(200, 'v');
    auto ticket = store->write(put(key, value));
    ASSERT_TRUE(ticket);
    store->when_durable(*ticket, [&, key, value](base::Result<void> outcome) {
      if (outcome) {
        acknowledged[key] = value;
      } else {
        ++refused;
        EXPECT_EQ(outcome.error().reason, Reason::kServiceUnavailable);
        EXPECT_NE(outcome.error().message.find("the disk is full"), std::string::npos);
      }
    });
    if (i % 3 == 0) world.executor.run();
  };
  for (int i = 0; i < 60; ++i) write(i);
  world.executor.run();
  EXPECT_GT(refused, 0);
  EXPECT_GT(acknowledged.size(), 5U);
  EXPECT_EQ(store->status().health, Health::kDiskFull);
  EXPECT_EQ(contents(*store->snapshot()), acknowledged);
  EXPECT_FALSE(store->latest("/k59"));
  disk.set_capacity(1 << 20);
  int before = refused;
  for (int i = 100; i < 130; ++i) write(i);
  world.executor.run();
  EXPECT_EQ(refused, before);
  EXPECT_EQ(store->status().health, Health::kServing);
  store.reset();
  World again(2);
  auto reopened = open(again, disk);
  ASSERT_TRUE(reopened) << reopened.error().message;
  EXPECT_EQ(contents(*(*reopened)->snapshot()), acknowledged);
}

TEST(Crash, AGivenUpLeaseChangeIsUndone) {
  World world;
  SimulatedDisk disk;
  auto store = *open(world, disk);
  auto lease = store->grant_lease(seconds(60), 5);
  ASSERT_TRUE(store->write(put("/e", "1", {}, 5)));
  world.executor.run();
  disk.set_capacity(0);
  ASSERT_TRUE(store->write(put("/big", std::string(5000, 'x'))));
  ASSERT_TRUE(store->revoke_lease(5));
  ASSERT_TRUE(store->grant_lease(seconds(60), 6));
  world.executor.run();
  EXPECT_EQ(store->lease(5)->keys.size(), 1U);
  EXPECT_FALSE(store->lease(6));
  EXPECT_EQ(text(*store->snapshot()), "/e=1@2");
  disk.set_capacity(1 << 20);
  ASSERT_TRUE(store->revoke_lease(5));
  world.executor.run();
  EXPECT_EQ(text(*store->snapshot()), "");
}

// One store with a few records in its only segment.
struct Prepared {
  SimulatedDisk disk;
  std::string name;
  explicit Prepared(int records = 4) {
    World world;
    auto store = *open(world, disk);
    for (int i = 0; i < records; ++i) {
      static_cast<void>(store->write(put("/k" + std::to_string(i), "value")));
      world.executor.run();
    }
    store.reset();
    for (const std::string& each : disk.names()) {
      if (each.starts_with("log-")) name = each;
    }
  }
  base::Result<std::unique_ptr<Store>> reopen() { return open(world_, disk); }

 private:
  World world_{3};
};

constexpr size_t kRecord = 40;  // a record of Prepared: 24 of header, 14 of payload, 2 of padding

TEST(Damage, InTheMiddleStopsWithFileAndOffset) {
  for (size_t offset : {64 + kRecord + 30, 64 + kRecord + 2, 64 + kRecord + 5}) {
    Prepared prepared;
    (*prepared.disk.bytes(prepared.name))[offset] ^= 1;
    auto opened = prepared.reopen();
    ASSERT_FALSE(opened);
    EXPECT_NE(opened.error().message.find("/sim/" + prepared.name + " is damaged at offset 104"), std::string::npos)
        << opened.error().message;
  }
}

TEST(Damage, AZeroedRecordInTheMiddleIsNotTheEnd) {
  Prepared prepared;
  prepared.disk.bytes(prepared.name)->replace(64 + kRecord, kRecord, std::string(kRecord, '\0'));
  EXPECT_FALSE(prepared.reopen());
}

// Sound by itself, but written after another record than the one before it.
TEST(Damage, ARecordOfAnotherHistoryIsNoContinuation) {
  SimulatedDisk disks[2];
  for (int i = 0; i < 2; ++i) {
    World world;  // the same seed: the same salt
    auto store = *open(world, disks[i]);
    for (const char* key : {i == 0 ? "/k0" : "/x0", "/k1", "/k2"}) {
      static_cast<void>(store->write(put(key, "value")));
      world.executor.run();
    }
  }
  std::string other = disks[1].bytes(segment_name(1))->substr(64 + kRecord, kRecord);
  disks[0].bytes(segment_name(1))->replace(64 + kRecord, kRecord, other);
  World world;
  EXPECT_FALSE(open(world, disks[0]));
}

TEST(Damage, ATornLastRecordIsDropped) {
  Prepared prepared;
  (*prepared.disk.bytes(prepared.name))[64 + 3 * kRecord + 30] ^= 1;
  auto opened = prepared.reopen();
  ASSERT_TRUE(opened) << opened.error().message;
  EXPECT_EQ((*opened)->snapshot()->revision(), 4);
}

TEST(Damage, OfASegmentHeader) {
  Prepared prepared;
  (*prepared.disk.bytes(prepared.name))[20] ^= 1;
  auto opened = prepared.reopen();
  ASSERT_FALSE(opened);
  EXPECT_NE(opened.error().message.find("is damaged at offset 0"), std::string::npos);
}

TEST(Damage, ShortReadsAreNoEndOfTheLog) {
  Prepared prepared;
  prepared.disk.set_read_limit(100);
  EXPECT_FALSE(prepared.reopen());
}

TEST(Damage, AMissingSegmentAndABrokenSnapshot) {
  Prepared prepared(300);
  std::vector<std::string> logs, snapshots;
  for (const std::string& name : prepared.disk.names()) {
    if (name.starts_with("log-")) logs.push_back(name);
    if (name.starts_with("snapshot-")) snapshots.push_back(name);
  }
  ASSERT_EQ(snapshots.size(), 1U);
  ASSERT_GE(logs.size(), 2U);
  ASSERT_GT(std::stoull(logs.front().substr(4)), 1U);  // old segments have gone
  std::string* snapshot = prepared.disk.bytes(snapshots.front());
  (*snapshot)[snapshot->size() / 2] ^= 1;
  auto opened = prepared.reopen();
  ASSERT_FALSE(opened);
  EXPECT_NE(opened.error().message.find(snapshots.front() + " is damaged at offset"), std::string::npos);
  (*snapshot)[snapshot->size() / 2] ^= 1;
  ASSERT_TRUE(prepared.reopen());
  ASSERT_TRUE(prepared.disk.open()->remove(logs.front()));
  EXPECT_FALSE(prepared.reopen());
}

// A stored value that looks like a record of the log must not be taken for one.
TEST(Damage, AForgedRecordInAValueIsNotOne) {
  Prepared prepared(1);
  {
    World world(5);
    auto store = *open(world, prepared.disk);
    std::string record = prepared.disk.bytes(prepared.name)->substr(64, kRecord);
    record[8] = 9;  // a later number; the checksum cannot be right without the salt
    static_cast<void>(store->write(put("/x", record + record)));
    world.executor.run();
  }
  std::string* bytes = prepared.disk.bytes(prepared.name);
  (*bytes)[64 + kRecord + 26] ^= 1;  // the last record is torn
  auto opened = prepared.reopen();
  ASSERT_TRUE(opened) << opened.error().message;
  EXPECT_EQ((*opened)->snapshot()->revision(), 2);
}

TEST(Directory, SecondProcessAndNewerFormat) {
  World world;
  TemporaryDirectory directory;
  auto first = open_embedded_store(world.environment(), directory.path());
  ASSERT_TRUE(first);
  auto second = open_embedded_store(world.environment(), directory.path());
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().message,
            "the data directory " + directory.path() +
                " is in use by another process. Stop that process, or give this one a data directory of its own");
  first->reset();
  FILE* file = fopen((directory.path() + "/FORMAT").c_str(), "w");
  fputs("keelson store format 2\n", file);
  fclose(file);
  auto newer = open_embedded_store(world.environment(), directory.path());
  ASSERT_FALSE(newer);
  EXPECT_EQ(newer.error().message, "the data directory " + directory.path() +
                                       " has store format 2, and this program reads format 1. Start the version of "
                                       "the program that wrote it, or a newer one");
}

TEST(Directory, LeasesAndHistorySurviveARestart) {
  World world;
  TemporaryDirectory directory;
  auto store = *open_embedded_store(world.environment(), directory.path());
  ASSERT_TRUE(store->grant_lease(seconds(100), 9));
  ASSERT_TRUE(store->write(put("/e", "1", {}, 9)));
  ASSERT_TRUE(store->write(put("/a", "1")));
  ASSERT_TRUE(store->write(put("/a", "2")));
  world.executor.run();
  store.reset();
  world.executor.drop_all();
  world.executor.advance(seconds(40));
  store = *open_embedded_store(world.environment(), directory.path());
  EXPECT_EQ(store->lease(9)->remaining, seconds(60));
  RecordingSink sink;
  auto watch = store->watch("/", "0", 3, &sink);
  world.executor.advance(seconds(59));
  EXPECT_EQ(sink.joined(), "+/a=1@3 +/a=2@4<1");
  world.executor.advance(seconds(2));
  EXPECT_EQ(sink.joined(), "+/a=1@3 +/a=2@4<1 -/e@5<1");
  watch->reset();
}

}  // namespace
}  // namespace kv::test
