// Watch delivery. One hub a resource follows the store and finds the watchers of an event by index (namespace, name,
// spec.nodeName), so that an event costs what its watchers cost, not what all watchers cost. An event is encoded once
// per encoding and shared; watchers that want the same bytes are served together (Relay), once they are up to date. A
// watch holds no thread; a slow one costs a bounded buffer and is then cut off. Invariants: a watcher sees every
// matching change once and in order, or its stream ends; an object that a selector lets in or out arrives as ADDED or
// DELETED. Thread: everything inside runs on the store's dispatch strand or under the hub's lock; the strand never
// waits.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "apiserver/endpoint.h"
#include "apiserver/selection.h"
#include "base/mutex.h"
#include "base/result.h"
#include "kv/store.h"

namespace apiserver {

class Core;
class EncodedEvents;

enum class EventType : uint8_t { kAdded, kModified, kDeleted, kBookmark };

// One event for one watcher. `object` is what to show (of a deletion the last state), `revision` its new
// resourceVersion.
struct WatchItem {
  EventType type = EventType::kAdded;
  kv::KeyValueRef object;  // null for a bookmark
  int64_t revision = 0;
};

class Watcher;

// Serves all watchers of a resource that are sent the same bytes. Calls as Watcher's, once for all of them.
class Relay {
 public:
  virtual ~Relay() = default;
  // What the watcher was sent by itself arrives before what follows here. Any thread, like remove().
  virtual void add(Watcher& watcher) = 0;
  virtual void remove(Watcher& watcher) = 0;
  // An error is that of all its watchers.
  virtual base::Result<void> on_item(const WatchItem& item) = 0;
  virtual void on_items_end() = 0;
  virtual void on_bookmark(int64_t revision) = 0;
};

// Who watches: an HTTP stream, or a component of this process. Called on the dispatch strand, must not block.
class Watcher {
 public:
  virtual ~Watcher() = default;
  virtual void on_item(const WatchItem& item) = 0;
  // After the items of a few events have gone to all their watchers: time to send them.
  virtual void on_items_end() {}
  virtual void on_bookmark(int64_t revision) = 0;
  virtual void on_end(const base::Error& error) = 0;
  // Watchers of a resource with the same key have equal scopes and are sent the same bytes: once it is up to date, a
  // relay brings such a watcher its items and bookmarks. "": this one is always called itself.
  virtual std::string relay_key() { return {}; }
  // For a key that no relay has yet.
  virtual std::shared_ptr<Relay> make_relay() { return nullptr; }
  // What was watched is not served any more, or not as it was.
  virtual void on_gone() { on_end(base::Error(base::Reason::kGone, "the resource is not served any more")); }
};

struct WatchScope {
  std::string ns;  // "" = all
  Selection selection;
};

// A registered watcher. Dropping it ends the watch; from the strand at once, from elsewhere a call may be under way, so
// that the watcher is kept alive by shared ownership.
class Subscription {
 public:
  virtual ~Subscription() = default;
};

class WatchHubs {
 public:
  explicit WatchHubs(Core* core);
  ~WatchHubs();
  // Changes after `revision`. kExpired when the store has forgotten them.
  base::Result<std::unique_ptr<Subscription>> watch(const Endpoint& endpoint, WatchScope scope, int64_t revision,
                                                    std::shared_ptr<Watcher> watcher);
  // Ends the watches of a resource that is not served any more, or whose definition has changed.
  void end(std::string_view key_prefix);
  // Ends all watches.
  void stop();
  size_t watchers() const;
  // Encodings that HTTP watches share.
  EncodedEvents& encoded() const { return *encoded_; }

 private:
  class Hub;
  class Follower;
  struct Group;
  struct Bucket;
  class Entry;
  Core* core_;
  std::unique_ptr<EncodedEvents> encoded_;
  mutable base::Mutex mutex_;
  std::map<std::string, std::shared_ptr<Hub>, std::less<>> hubs_ GUARDED_BY(mutex_);
  bool stopped_ GUARDED_BY(mutex_) = false;
};

}  // namespace apiserver
