// RecordingReceiver: writes down what a watch of ConfigMaps delivers ("+a" "~a" "-a", no bookmarks). Thread: any.
#pragma once

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <string>
#include <vector>

#include "client/client.h"
#include "gen/core/v1.h"

namespace client {

class RecordingReceiver final : public WatchReceiver {
 public:
  void on_event(const WatchEvent& event) override {
    const std::scoped_lock lock(mutex_);
    if (event.type == WatchType::kBookmark) return;
    auto map = decode_object<api::core::v1::ConfigMap>(event.object);
    constexpr std::string_view kSigns = "+~-";
    events_.push_back(std::string(1, kSigns[static_cast<size_t>(event.type)]) + (map ? map->metadata.name : "?"));
    revisions_.push_back(event.revision);
    changed_.notify_all();
  }
  void on_end(const base::Error& error) override {
    const std::scoped_lock lock(mutex_);
    ends_.push_back(error);
    changed_.notify_all();
  }
  // Waits until there are that many; ten seconds at most.
  std::vector<std::string> events(size_t count) {
    std::unique_lock lock(mutex_);
    changed_.wait_for(lock, std::chrono::seconds(10), [&] { return events_.size() >= count; });
    return events_;
  }
  std::vector<int64_t> revisions() {
    const std::scoped_lock lock(mutex_);
    return revisions_;
  }
  std::vector<base::Error> ends(size_t count) {
    std::unique_lock lock(mutex_);
    changed_.wait_for(lock, std::chrono::seconds(10), [&] { return ends_.size() >= count; });
    return ends_;
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<std::string> events_;
  std::vector<int64_t> revisions_;
  std::vector<base::Error> ends_;
};

}  // namespace client
