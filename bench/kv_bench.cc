// What the embedded store costs: durable writes a second beside a raw preallocated log on the same disk in the same
// run, opening, recovery, memory.  Usage: kv_bench [directory on the disk to measure] [megabytes to recover, default
// 256]
#include <fcntl.h>
#include <malloc.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <thread>
#include <vector>

#include "base/check.h"
#include "kv/embedded.h"

namespace {

using Clock = std::chrono::steady_clock;
constexpr size_t kValueBytes = 2048;
constexpr double kSeconds = 2.0;

double since(Clock::time_point start) { return std::chrono::duration<double>(Clock::now() - start).count(); }

std::string pod_key(int i) {
  char key[96];
  std::snprintf(key, sizeof(key), "/registry/pods/namespace-%03d/deployment-7c5ddbdf54-%08d", i % 100, i);
  return key;
}

// Appends batches of the size that `writers` records of one write each make, each followed by fdatasync.
double raw_writes_per_second(const std::string& directory, int writers) {
  std::string path = directory + "/raw";
  constexpr size_t kFileBytes = size_t{256} << 20;
  int fd = ::open(path.c_str(), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  CHECK(fd >= 0);
  std::string zeros(size_t{1} << 20, '\0');
  for (size_t at = 0; at < kFileBytes; at += zeros.size()) {
    CHECK(::pwrite(fd, zeros.data(), zeros.size(), static_cast<off_t>(at)) > 0);
  }
  CHECK(::fdatasync(fd) == 0);
  std::string batch((kValueBytes + 96) * static_cast<size_t>(writers), 'r');
  size_t at = 0, batches = 0;
  auto start = Clock::now();
  while (since(start) < kSeconds) {
    if (at + batch.size() > kFileBytes) at = 0;
    CHECK(::pwrite(fd, batch.data(), batch.size(), static_cast<off_t>(at)) == static_cast<ssize_t>(batch.size()));
    CHECK(::fdatasync(fd) == 0);
    at += batch.size();
    ++batches;
  }
  double rate = static_cast<double>(batches) * writers / since(start);
  ::close(fd);
  ::unlink(path.c_str());
  return rate;
}

struct Rig {
  base::SystemClock clock;
  base::ThreadPool pool{"kv", 3};
  std::unique_ptr<base::Rng> rng = base::system_rng();
  kv::Environment environment() { return {clock, pool, *rng}; }
};

// Writers that each wait for their write to be durable before the next: the callback issues it, as a server's would.
struct Load {
  kv::Store& store;
  std::atomic<bool> measuring = false;  // after a second, when segments have their full size
  std::atomic<bool> stop = false;
  std::atomic<int> running = 0;
  uint64_t writes = 0;  // this and the next: the dispatch strand's
  std::vector<double> latencies;
  int keys = 20'000;

  void next(int writer, int count) {
    std::string value(kValueBytes, static_cast<char>('a' + count % 26));
    auto start = Clock::now();
    kv::WriteResult written = store.write(
        {.key = base::SharedBytes(pod_key((writer * 997 + count) % keys)), .value = base::SharedBytes(value)});
    CHECK(written);
    store.when_durable(*written, [this, writer, count, start](base::Result<void> outcome) {
      CHECK(outcome);
      if (measuring) {
        ++writes;
        latencies.push_back(since(start));
      }
      if (stop) {
        --running;
      } else {
        next(writer, count + 1);
      }
    });
  }
};

void bench_writes(const std::string& directory, int writers) {
  double raw = raw_writes_per_second(directory, writers);
  std::string path = directory + "/store";
  Rig rig;
  auto store = kv::open_embedded_store(rig.environment(), path);
  CHECK(store);
  Load load{**store};
  load.running = writers;
  for (int i = 0; i < writers; ++i) load.next(i, 0);
  std::this_thread::sleep_for(std::chrono::seconds(1));
  auto start = Clock::now();
  load.measuring = true;
  std::this_thread::sleep_for(std::chrono::duration<double>(kSeconds));
  load.measuring = false;
  double seconds = since(start);
  load.stop = true;
  while (load.running > 0) std::this_thread::sleep_for(std::chrono::milliseconds(1));
  double rate = static_cast<double>(load.writes) / seconds;
  std::ranges::sort(load.latencies);
  double p50 = load.latencies[load.latencies.size() / 2], p99 = load.latencies[load.latencies.size() * 99 / 100];
  kv::StoreStatus status = (*store)->status();
  std::printf(
      "writes  writers=%-4d store=%.0f/s raw=%.0f/s ratio=%.2f p50=%.3fms p99=%.3fms batch=%.1f snapshots=%lu\n",
      writers, rate, raw, rate / raw, p50 * 1e3, p99 * 1e3,
      static_cast<double>(status.writes_total) / static_cast<double>(status.batches_total),
      static_cast<unsigned long>(status.snapshots_total));
  store->reset();
  std::filesystem::remove_all(path);
}

void bench_open(const std::string& directory) {
  std::string path = directory + "/store";
  Rig rig;
  for (int i = 0; i < 3; ++i) {
    size_t before = mallinfo2().uordblks;
    auto start = Clock::now();
    auto store = kv::open_embedded_store(rig.environment(), path);
    double took = since(start);
    CHECK(store);
    std::printf("open    empty directory: %.2f ms, %.1f KB of heap\n", took * 1e3,
                static_cast<double>(mallinfo2().uordblks - before) / 1024);
    store->reset();
    std::filesystem::remove_all(path);
  }
}

class IgnoringSink final : public kv::WatchSink {
 public:
  void on_events(std::span<const kv::Event>, int64_t) override {}
  void on_progress(int64_t) override {}
  void on_cancelled(const base::Error&) override {}
};

// What a write costs, without a disk, when thousands of others watch something else.
void bench_watches(int count) {
  Rig rig;
  auto store = kv::make_memory_store(rig.environment());
  IgnoringSink sink;
  std::vector<std::unique_ptr<kv::Watch>> watches;
  for (int i = 0; i < count; ++i) {
    std::string prefix = "/registry/pods/other-" + std::to_string(i) + "/";
    auto watch = store->watch(prefix, kv::prefix_end(prefix), 2, &sink);
    CHECK(watch);
    watches.push_back(*std::move(watch));
  }
  constexpr int kWrites = 20'000;
  std::atomic<int> durable = 0;
  auto start = Clock::now();
  for (int i = 0; i < kWrites; ++i) {
    kv::WriteResult written = store->write({.key = base::SharedBytes(pod_key(i)), .value = base::SharedBytes("v")});
    CHECK(written);
    store->when_durable(*written, [&durable](base::Result<void>) { ++durable; });
  }
  while (durable < kWrites) std::this_thread::yield();
  std::printf("watch   %d watches of other prefixes: %.2f us a write\n", count, since(start) * 1e6 / kWrites);
}

size_t resident_bytes() {
  malloc_trim(0);
  FILE* file = std::fopen("/proc/self/statm", "r");
  CHECK(file);
  long total = 0, resident = 0;
  CHECK(std::fscanf(file, "%ld %ld", &total, &resident) == 2);
  std::fclose(file);
  return static_cast<size_t>(resident) * static_cast<size_t>(::sysconf(_SC_PAGESIZE));
}

void fill(kv::Store& store, size_t megabytes) {
  int count = static_cast<int>((megabytes << 20) / 3072);
  std::atomic<int> durable = 0;
  for (int i = 0; i < count; ++i) {
    std::string value(3072, static_cast<char>(i));
    kv::WriteResult written = store.write({.key = base::SharedBytes(pod_key(i)), .value = base::SharedBytes(value)});
    CHECK(written);
    store.when_durable(*written, [&durable](base::Result<void>) { ++durable; });
    while (i - durable > 2000) std::this_thread::yield();
  }
  while (durable < count) std::this_thread::yield();
}

void print_memory(const char* when, kv::Store& store, size_t before) {
  kv::StoreStatus status = store.status();
  size_t used = resident_bytes() - before;
  std::printf("memory  %s: %lu keys, %.1f MB live, %.1f MB resident, ratio %.3f, %.0f bytes over per key\n", when,
              static_cast<unsigned long>(status.keys), static_cast<double>(status.live_bytes) / 1e6,
              static_cast<double>(used) / 1e6, static_cast<double>(used) / static_cast<double>(status.live_bytes),
              (static_cast<double>(used) - static_cast<double>(status.live_bytes)) / static_cast<double>(status.keys));
}

void bench_recovery(const std::string& directory, size_t megabytes) {
  std::string path = directory + "/store";
  Rig rig;
  size_t before = resident_bytes();
  {
    auto store = kv::open_embedded_store(rig.environment(), path);
    CHECK(store);
    auto start = Clock::now();
    fill(**store, megabytes);
    std::printf("fill    %zu MB in %.2f s\n", megabytes, since(start));
    print_memory("after writing, history kept", **store, before);
    CHECK((*store)->compact((*store)->snapshot()->revision()));
    print_memory("after compaction", **store, before);
  }
  before = resident_bytes();
  auto start = Clock::now();
  auto store = kv::open_embedded_store(rig.environment(), path);
  double took = since(start);
  CHECK(store);
  kv::StoreStatus status = (*store)->status();
  std::printf("recover %lu keys, %.0f MB live, %.0f MB of log: %.3f s (%.0f MB/s)\n",
              static_cast<unsigned long>(status.keys), static_cast<double>(status.live_bytes) / 1e6,
              static_cast<double>(status.log_bytes) / 1e6, took, static_cast<double>(status.live_bytes) / 1e6 / took);
  print_memory("after recovery", **store, before);
  start = Clock::now();
  size_t bytes = 0;
  (*store)->snapshot()->range("", "", [&](const kv::KeyValueRef& record) {
    bytes += record->value.size();
    return kv::Visit::kContinue;
  });
  std::printf("scan    %.1f MB in %.2f ms\n", static_cast<double>(bytes) / 1e6, since(start) * 1e3);
  store->reset();
  std::filesystem::remove_all(path);
}

}  // namespace

int main(int argc, char** argv) {
  std::string directory = argc > 1 ? argv[1] : ".";
  size_t megabytes = argc > 2 ? std::strtoul(argv[2], nullptr, 10) : 256;
  std::filesystem::create_directories(directory);
  setvbuf(stdout, nullptr, _IOLBF, 0);
  bench_open(directory);
  for (int writers : {1, 64, 1000}) bench_writes(directory, writers);
  for (int watches : {0, 10'000}) bench_watches(watches);
  bench_recovery(directory, megabytes);
  return 0;
}
