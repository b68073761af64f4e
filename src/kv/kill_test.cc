// The real thing: real files, real threads; a process that is killed while it writes.
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <csignal>
#include <map>
#include <memory>
#include <new>
#include <string>
#include <thread>
#include <vector>

#include "kv/embedded.h"
#include "kv/test_support.h"

namespace kv::test {
namespace {

constexpr int kWriters = 4;
constexpr int kKeys = 40;  // for each writer
constexpr EmbeddedOptions kQuick{.first_segment_bytes = 1 << 14,
                                 .segment_bytes = 1 << 18,
                                 .snapshot_after_bytes = 1 << 18,
                                 .history_after_restart_bytes = 1 << 16};

// Outlives the killed process.
struct Progress {
  std::atomic<int> attempted[kWriters];
  std::atomic<int> acknowledged[kWriters];
  std::atomic<int> failures;
};

std::string key_of(int writer, int counter) {
  return "/w/" + std::to_string(writer) + "/" + std::to_string(counter % kKeys);
}
std::string value_of(int writer, int counter) {
  return std::to_string(counter) + ":" +
         std::string(200 + (counter * 7 + writer) % 900, static_cast<char>('a' + writer));
}
int counter_in(std::string_view value) { return std::stoi(std::string(value.substr(0, value.find(':')))); }

// Writes until it is killed, at most 64 writes ahead of what is acknowledged.
void write_forever(Store& store, Progress& progress, int writer) {
  for (int counter = progress.attempted[writer] + 1;; ++counter) {
    while (counter - progress.acknowledged[writer] > 64) std::this_thread::sleep_for(std::chrono::microseconds(50));
    progress.attempted[writer] = counter;
    WriteResult written = store.write(put(key_of(writer, counter), value_of(writer, counter)));
    if (!written) {
      ++progress.failures;
      return;
    }
    store.when_durable(*written, [&progress, writer, counter](base::Result<void> outcome) {
      if (outcome) {
        progress.acknowledged[writer] = counter;
      } else {
        ++progress.failures;
      }
    });
  }
}

[[noreturn]] void child(const std::string& path, Progress& progress) {
  base::SystemClock clock;
  base::ThreadPool pool("kv", 3);
  auto rng = base::system_rng();
  auto store = open_embedded_store({clock, pool, *rng}, path, kQuick);
  if (!store) {
    ++progress.failures;
    _exit(1);
  }
  std::vector<std::thread> writers;
  for (int writer = 0; writer < kWriters; ++writer) {
    writers.emplace_back([&, writer] { write_forever(**store, progress, writer); });
  }
  for (std::thread& each : writers) each.join();
  _exit(1);  // only failures end a writer
}

void verify(const std::string& path, Progress& progress) {
  World world;
  auto opened = open_embedded_store(world.environment(), path, kQuick);
  ASSERT_TRUE(opened) << opened.error().message;
  Store& store = **opened;
  SnapshotPtr snapshot = store.snapshot();
  for (int writer = 0; writer < kWriters; ++writer) {
    int acknowledged = progress.acknowledged[writer], newest = 0;
    for (int slot = 0; slot < kKeys; ++slot) {
      const KeyValue* found = snapshot->get(key_of(writer, slot));
      int last_acknowledged = acknowledged - (acknowledged - slot % kKeys + kKeys) % kKeys;
      int counter = found ? counter_in(found->value.view()) : 0;
      ASSERT_GE(counter, last_acknowledged);
      ASSERT_LE(counter, progress.attempted[writer]);
      if (found) ASSERT_EQ(found->value.view(), value_of(writer, counter));
      newest = std::max(newest, counter);
    }
    progress.attempted[writer] = progress.acknowledged[writer] = newest;  // the next process goes on from here
  }
  RecordingSink sink;
  int64_t from = store.compacted_revision() + 1;
  auto watch = store.watch("/w/", prefix_end("/w/"), from, &sink);
  ASSERT_TRUE(watch);
  world.executor.run();
  int64_t expected = std::max<int64_t>(2, from);
  for (const std::string& line : sink.lines) {
    size_t at = line.find('@');
    ASSERT_EQ(std::stoll(line.substr(at + 1)), expected++);
  }
  ASSERT_EQ(expected, snapshot->revision() + 1);
}

TEST(Kill, NineUnderLoadLosesAndInventsNothing) {
  TemporaryDirectory directory;
  void* shared = mmap(nullptr, sizeof(Progress), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  ASSERT_NE(shared, MAP_FAILED);
  Progress& progress = *new (shared) Progress();
  for (int round = 1; round <= 5; ++round) {
    int start = progress.acknowledged[0];
    pid_t pid = fork();
    ASSERT_GE(pid, 0);
    if (pid == 0) child(directory.path(), progress);
    while (progress.acknowledged[0] < start + 200 * round && progress.failures == 0) {
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
    kill(pid, SIGKILL);
    int status = 0;
    waitpid(pid, &status, 0);
    ASSERT_TRUE(WIFSIGNALED(status));
    ASSERT_EQ(progress.failures, 0);
    ASSERT_NO_FATAL_FAILURE(verify(directory.path(), progress)) << "round " << round;
  }
  munmap(shared, sizeof(Progress));
}

// Checks that revisions of its range rise, and keeps the last value of every key.
class CheckingSink final : public WatchSink {
 public:
  void on_events(std::span<const Event> events, int64_t) override {
    for (const Event& event : events) {
      in_order &= event.revision() > last;
      last = event.revision();
      state[std::string(event.kv->key.view())] = event.kv->value.view();
    }
    seen += events.size();
  }
  void on_progress(int64_t) override {}
  void on_cancelled(const base::Error&) override { in_order = false; }
  std::map<std::string, std::string> state;  // read after the watch has ended
  int64_t last = 0;
  bool in_order = true;
  size_t seen = 0;
};

void write_many(Store& store, std::atomic<int>& durable, int writer, int count) {
  for (int counter = 1; counter <= count; ++counter) {
    WriteResult written = store.write(put(key_of(writer, counter), value_of(writer, counter)));
    ASSERT_TRUE(written);
    store.when_durable(*written, [&durable](base::Result<void> outcome) { durable += outcome.has_value(); });
  }
}

void read_meanwhile(Store& store, std::atomic<bool>& stop) {
  int64_t last = 0;
  while (!stop) {
    SnapshotPtr snapshot = store.snapshot();
    EXPECT_GE(snapshot->revision(), last);
    last = snapshot->revision();
    size_t keys = 0;
    snapshot->range("", "", [&](const KeyValueRef& record) {
      EXPECT_LE(record->mod_revision, last);
      ++keys;
      return Visit::kContinue;
    });
    EXPECT_EQ(keys, snapshot->size());
    if (auto older = store.snapshot_at(last - last % 7)) EXPECT_EQ((*older)->revision(), last - last % 7);
    static_cast<void>(store.status());
  }
}

TEST(Threads, WritersReadersAndWatchersTogether) {
  constexpr int kCount = 1500;
  TemporaryDirectory directory;
  base::SystemClock clock;
  base::ThreadPool pool("kv", 3);
  auto rng = base::seeded_rng(1);
  auto store = *open_embedded_store({clock, pool, *rng}, directory.path(), kQuick);
  std::atomic<int> durable = 0;
  std::atomic<bool> stop = false;
  CheckingSink early, late;
  auto watch_early = *store->watch("/w/", prefix_end("/w/"), 2, &early);
  std::vector<std::thread> writers;
  for (int writer = 0; writer < kWriters; ++writer) {
    writers.emplace_back([&, writer] { write_many(*store, durable, writer, kCount); });
  }
  std::thread reader([&] { read_meanwhile(*store, stop); });
  while (store->snapshot()->revision() < kCount) std::this_thread::yield();
  auto watch_late = *store->watch("/w/", prefix_end("/w/"), 2, &late);
  for (int i = 0; i < 200; ++i) {  // watches that come and go
    CheckingSink passing;
    auto watch = store->watch("/w/1/", prefix_end("/w/1/"), store->snapshot()->revision(), &passing);
    ASSERT_TRUE(watch);
  }
  for (std::thread& writer : writers) writer.join();
  while (durable < kWriters * kCount) std::this_thread::yield();
  stop = true;
  reader.join();
  watch_early.reset();
  std::atomic<bool> served = false;  // the strand serves new watches before callbacks
  store->when_durable({}, [&](base::Result<void>) { served = true; });
  while (!served) std::this_thread::yield();
  watch_late.reset();
  EXPECT_TRUE(early.in_order);
  EXPECT_EQ(early.seen, static_cast<size_t>(kWriters * kCount));
  EXPECT_TRUE(late.in_order);
  EXPECT_EQ(late.seen, early.seen);
  EXPECT_EQ(late.state, early.state);
  EXPECT_LT(store->status().batches_total, static_cast<uint64_t>(kWriters * kCount));  // group commit
  store.reset();
  auto reopened = open_embedded_store({clock, pool, *rng}, directory.path(), kQuick);
  ASSERT_TRUE(reopened) << reopened.error().message;
  EXPECT_EQ((*reopened)->snapshot()->revision(), 1 + kWriters * kCount);
  for (const auto& [key, value] : early.state) {
    EXPECT_EQ((*reopened)->snapshot()->get(key)->value.view(), value);
  }
}

}  // namespace
}  // namespace kv::test
