// For this folder's tests: virtual time, an executor run by hand, a directory that goes away. Thread: one.
#pragma once

#include <cstdlib>
#include <deque>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "base/rng.h"
#include "kv/mvcc_store.h"

namespace kv::test {

class VirtualClock final : public base::Clock {
 public:
  base::WallTime wall_now() const override { return base::WallTime(std::chrono::seconds(1'700'000'000) + now_); }
  base::MonoTime mono_now() const override { return base::MonoTime(std::chrono::hours(1) + now_); }
  void advance(base::Duration by) { now_ += by; }

 private:
  base::Duration now_{};
};

// Runs nothing by itself.
class ManualExecutor final : public base::Executor {
 public:
  explicit ManualExecutor(VirtualClock& clock) : clock_(clock) {}
  void post(base::Task task) override { tasks_.push_back(std::move(task)); }
  void post_after(base::Duration delay, base::Task task) override {
    timers_.emplace(clock_.mono_now() + delay, std::move(task));
  }
  // Runs one task; false when there is none.
  bool step() {
    if (tasks_.empty()) return false;
    base::Task task = std::move(tasks_.front());
    tasks_.pop_front();
    task();
    return true;
  }
  void run() {
    while (step()) {
    }
  }
  // Lets time pass, running what becomes due.
  void advance(base::Duration by) {
    base::MonoTime end = clock_.mono_now() + by;
    run();
    while (!timers_.empty() && timers_.begin()->first <= end) {
      if (timers_.begin()->first > clock_.mono_now()) clock_.advance(timers_.begin()->first - clock_.mono_now());
      tasks_.push_back(std::move(timers_.begin()->second));
      timers_.erase(timers_.begin());
      run();
    }
    clock_.advance(end - clock_.mono_now());
  }
  size_t timers() const { return timers_.size(); }
  void drop_all() {
    tasks_.clear();
    timers_.clear();
  }

 private:
  VirtualClock& clock_;
  std::deque<base::Task> tasks_;
  std::multimap<base::MonoTime, base::Task> timers_;
};

// Signs a record with the bit of its value's first character, and one of two for the length of its key.
class TestSigner final : public Signer {
 public:
  static Signature of_value(char first) { return {uint64_t{1} << (static_cast<unsigned char>(first) % 64), 0}; }
  static Signature of_key(size_t size) { return {0, size % 2 == 0 ? 1U : 2U}; }
  Signature sign(std::string_view key, std::string_view value) const override {
    return of_key(key.size()) | (value.empty() ? Signature() : of_value(value[0]));
  }
};

// A whole environment for one store.
struct World {
  explicit World(uint64_t seed = 1) : rng(base::seeded_rng(seed)) {}
  VirtualClock clock;
  ManualExecutor executor{clock};
  std::unique_ptr<base::Rng> rng;
  TestSigner signer;
  Environment environment() { return {clock, executor, *rng, &signer}; }
};

class TemporaryDirectory {
 public:
  TemporaryDirectory() {
    std::string pattern = (std::filesystem::temp_directory_path() / "keelson-kv-XXXXXX").string();
    path_ = mkdtemp(pattern.data());
  }
  ~TemporaryDirectory() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

inline base::SharedBytes bytes(std::string_view text) { return base::SharedBytes(text); }
inline Write put(std::string_view key, std::string_view value, std::optional<int64_t> expected = {},
                 int64_t lease = 0) {
  return {bytes(key), bytes(value), expected, lease};
}
inline Write del(std::string_view key, std::optional<int64_t> expected = {}) {
  return {bytes(key), std::nullopt, expected, 0};
}

// "+key=value@revision" or "-key@revision", with "<old" for what was there before.
inline std::string text(const Event& event) {
  std::string out = event.is_delete() ? "-" : "+";
  out += event.kv->key.view();
  if (!event.is_delete()) out += "=" + std::string(event.kv->value.view());
  out += "@" + std::to_string(event.revision());
  if (event.previous) out += "<" + std::string(event.previous->value.view());
  return out;
}

// Writes down what it is told.
class RecordingSink final : public WatchSink {
 public:
  void on_events(std::span<const Event> events, int64_t revision) override {
    for (const Event& event : events) lines.push_back(text(event));
    last_revision = revision;
  }
  void on_progress(int64_t revision) override {
    ++progress;
    last_revision = revision;
  }
  void on_cancelled(const base::Error& error) override { cancelled = error.message; }
  std::string joined() const {
    std::string out;
    for (const std::string& line : lines) out += (out.empty() ? "" : " ") + line;
    return out;
  }
  std::vector<std::string> lines;
  std::string cancelled;
  int64_t last_revision = 0;
  int progress = 0;
};

// "key=value@mod_revision ..." of a range.
inline std::string text(const Snapshot& snapshot, std::string_view start = "", std::string_view end = "") {
  std::string out;
  snapshot.range(start, end, [&](const KeyValueRef& record) {
    out += (out.empty() ? "" : " ") + std::string(record->key.view()) + "=" + std::string(record->value.view()) + "@" +
           std::to_string(record->mod_revision);
    return Visit::kContinue;
  });
  return out;
}

}  // namespace kv::test
