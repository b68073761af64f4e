#include "apiserver/watch/hub.h"

#include <algorithm>
#include <atomic>
#include <optional>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <vector>

#include "apiserver/core.h"
#include "apiserver/limits.h"
#include "apiserver/watch/encoder.h"
#include "schema/metadata_view.h"
#include "storage/keys.h"
#include "storage/stored_object.h"

namespace apiserver {
namespace {

std::string_view raw_of(const kv::KeyValueRef& kv) {
  auto envelope = schema::unwrap(kv->value.view());
  return envelope ? envelope->raw : std::string_view();
}

// Compat: what a selector lets in arrives as ADDED, what it lets out as DELETED with the last state that matched.
std::optional<WatchItem> item_of(const kv::Event& event, const WatchScope& scope, std::string_view key_prefix,
                                 std::string_view now_raw, std::string_view before_raw) {
  if (!scope.ns.empty() && storage::split_key(key_prefix, event.kv->key.view()).ns != scope.ns) return std::nullopt;
  const bool now = !event.is_delete() && scope.selection.matches(now_raw);
  const bool before = event.previous && scope.selection.matches(before_raw);
  if (now) return WatchItem{before ? EventType::kModified : EventType::kAdded, event.kv, event.revision()};
  if (before) return WatchItem{EventType::kDeleted, event.previous, event.revision()};
  return std::nullopt;
}

}  // namespace

// The watchers that a relay serves.
struct WatchHubs::Group {
  const std::string key;
  const WatchScope scope;
  const std::shared_ptr<Relay> relay;
  size_t members = 0;   // guarded by the hub's mutex
  bool unsent = false;  // strand only: items went to the relay since its on_items_end()
};

// Those who may want an event: each by itself, and together.
struct WatchHubs::Bucket {
  std::vector<std::shared_ptr<Entry>> entries;
  std::vector<std::shared_ptr<Group>> groups;
  bool empty() const { return entries.empty() && groups.empty(); }
  void append(const Bucket& other) {
    entries.insert(entries.end(), other.entries.begin(), other.entries.end());
    groups.insert(groups.end(), other.groups.begin(), other.groups.end());
  }
};

// One watcher's place: first its own catch-up watch on the store, then the hub's index, then a group's if it may.
class WatchHubs::Entry final : public kv::WatchSink, public std::enable_shared_from_this<Entry> {
 public:
  Entry(std::shared_ptr<Hub> hub, WatchScope scope, std::shared_ptr<Watcher> watcher)
      : hub_(std::move(hub)), scope_(std::move(scope)), watcher_(std::move(watcher)) {}

  const WatchScope& scope() const { return scope_; }
  Watcher& watcher() const { return *watcher_; }
  void set_catch_up(std::unique_ptr<kv::Watch> watch);
  void end() { ended_ = true; }
  bool ended() const { return ended_; }

  std::shared_ptr<Group> group;  // guarded by the hub's mutex; never taken back

  // On the strand. True when it is the first since flush() that the watcher got.
  bool deliver(const kv::Event& event, std::string_view now_raw, std::string_view before_raw);
  void flush() {
    if (std::exchange(unsent_, false)) watcher_->on_items_end();
  }
  // On the strand: all up to `revision` is not yet in what it caught up with.
  bool behind(int64_t revision) const { return seen_ < revision; }
  // On the strand. While it still catches up, what the hub has seen says nothing about what the watcher got.
  void bookmark(int64_t revision) {
    if (!ended_ && handed_over_) watcher_->on_bookmark(revision);
  }
  void fail(const base::Error& error) {
    if (!ended_.exchange(true)) watcher_->on_end(error);
  }
  void gone() {
    if (!ended_.exchange(true)) watcher_->on_gone();
  }
  void on_events(std::span<const kv::Event> events, int64_t revision) override;
  void on_progress(int64_t revision) override { try_hand_over(revision); }
  void on_cancelled(const base::Error& error) override { fail(error); }
  void drop_catch_up();

 private:
  void try_hand_over(int64_t revision);

  const std::shared_ptr<Hub> hub_;
  const WatchScope scope_;
  const std::shared_ptr<Watcher> watcher_;
  std::atomic<bool> ended_ = false;
  std::atomic<bool> handed_over_ = false;  // set on the strand: the hub delivers from then on
  int64_t seen_ = 0;                       // strand only: everything up to here has been delivered
  bool unsent_ = false;                    // strand only: items went to the watcher since its on_items_end()
  base::Mutex mutex_;
  std::unique_ptr<kv::Watch> catch_up_ GUARDED_BY(mutex_);
};

// Follows one resource.
class WatchHubs::Hub final : public kv::WatchSink, public std::enable_shared_from_this<Hub> {
 public:
  Hub(Core* core, const Endpoint& endpoint)
      : core_(core), prefix_(storage::range_start(endpoint.prefix(), "")), key_prefix_(endpoint.prefix()) {
    const schema::Field* last = nullptr;
    const std::string_view names[] = {"spec", "nodeName"};
    node_path_ = schema::resolve_path(*endpoint.stored, names, &last);
    if (!last || last->type != schema::Type::kString) node_path_ = {};
  }

  base::Result<void> start() {
    const int64_t known = core_->store().snapshot()->revision();
    {
      base::MutexLock lock(mutex_);
      revision_ = known;  // who has seen less than that must not be taken over: the hub does not bring it
    }
    TRY_ASSIGN(auto watch, core_->store().watch(prefix_, kv::prefix_end(prefix_), known + 1, this));
    base::MutexLock lock(mutex_);
    watch_ = std::move(watch);
    return {};
  }
  enum class Ending : uint8_t { kServerStops, kResourceGone };
  void stop(Ending ending) {
    std::unique_ptr<kv::Watch> watch;
    std::vector<std::shared_ptr<Entry>> entries;
    {
      base::MutexLock lock(mutex_);
      watch = std::move(watch_);
      for (const auto& entry : all_) entries.push_back(entry);
      all_.clear();
      general_ = {};
      by_namespace_.clear();
      by_name_.clear();
      by_node_.clear();
    }
    for (const auto& entry : entries) {
      entry->drop_catch_up();
      if (ending == Ending::kResourceGone) {
        entry->gone();
      } else {
        entry->fail(base::Error(base::Reason::kServiceUnavailable, "the server is stopping"));
      }
    }
  }

  Core& core() const { return *core_; }
  const std::string& key_prefix() const { return key_prefix_; }
  size_t size() const {
    base::MutexLock lock(mutex_);
    return all_.size();
  }

  // False when it has ended: another hub follows the resource now.
  bool keep(const std::shared_ptr<Entry>& entry) {
    base::MutexLock lock(mutex_);
    if (!watch_) return false;
    all_.insert(entry);
    return true;
  }
  void forget(const std::shared_ptr<Entry>& entry) {
    base::MutexLock lock(mutex_);
    all_.erase(entry);
    Bucket& bucket = *bucket_of(*entry);
    if (const auto& group = entry->group; group) {
      group->relay->remove(entry->watcher());
      if (--group->members == 0) std::erase(bucket.groups, group);
    } else {
      std::erase(bucket.entries, entry);
    }
    clear_empty(*entry);
  }

  // Strand: takes over from the catch-up watch if the hub has not passed it.
  bool take_over(const std::shared_ptr<Entry>& entry, int64_t seen) {
    base::MutexLock lock(mutex_);
    if (seen < revision_ || !all_.contains(entry)) return false;
    bucket_of(*entry)->entries.push_back(entry);
    return true;
  }

  void on_events(std::span<const kv::Event> events, int64_t revision) override {
    Bucket found, unsent;
    for (size_t i = 0; i < events.size(); ++i) {
      const kv::Event& event = events[i];
      {
        base::MutexLock lock(mutex_);
        collect(event, found);
        revision_ = event.revision();
      }
      deliver(event, found, unsent);
      if (i + 1 < events.size() && (i + 1) % kEventsPerFlush != 0) continue;
      for (const auto& entry : unsent.entries) entry->flush();
      for (const auto& group : unsent.groups) {
        group->unsent = false;
        group->relay->on_items_end();
      }
      unsent = {};
    }
    base::MutexLock lock(mutex_);
    revision_ = std::max(revision_, revision);
  }
  void on_progress(int64_t revision) override {
    std::vector<std::shared_ptr<Entry>> entries;
    std::vector<std::shared_ptr<Group>> groups;
    {
      base::MutexLock lock(mutex_);
      revision_ = std::max(revision_, revision);
      if (!bookmarks_asked_) return;
      bookmarks_asked_ = false;
      for (const auto& entry : all_) {
        if (!entry->group) entries.push_back(entry);
      }
      groups = groups_of_all();
    }
    for (const auto& entry : entries) entry->bookmark(revision);
    for (const auto& group : groups) group->relay->on_bookmark(revision);
  }
  void on_cancelled(const base::Error& error) override {
    std::vector<std::shared_ptr<Entry>> entries;
    {
      base::MutexLock lock(mutex_);
      for (const auto& entry : all_) entries.push_back(entry);
    }
    for (const auto& entry : entries) entry->fail(error);
  }

  // Every minute while anyone watches.
  void ask_bookmarks() {
    base::MutexLock lock(mutex_);
    if (!watch_) return;
    bookmarks_asked_ = true;
    watch_->request_progress();
  }
  void schedule_bookmarks() {
    core_->pool().post_after(kBookmarkPeriod, [weak = weak_from_this()] {
      if (auto self = weak.lock()) {
        self->ask_bookmarks();
        self->schedule_bookmarks();
      }
    });
  }

 private:
  Bucket* bucket_of(const Entry& entry) REQUIRES(mutex_) {
    const WatchScope& scope = entry.scope();
    if (auto node = scope.selection.node_name(); node && node_path_.size > 0) return &by_node_[*node];
    if (auto name = scope.selection.name(); name) return &by_name_[scope.ns + "/" + *name];
    if (!scope.ns.empty()) return &by_namespace_[scope.ns];
    return &general_;
  }
  void clear_empty(const Entry& entry) REQUIRES(mutex_) {
    std::erase_if(by_node_, [](const auto& pair) { return pair.second.empty(); });
    if (auto name = entry.scope().selection.name())
      std::erase_if(by_name_, [](const auto& pair) { return pair.second.empty(); });
  }
  using Index = std::unordered_map<std::string, Bucket>;
  void append(const Index& index, const std::string& key, Bucket& found) REQUIRES(mutex_) {
    if (auto at = index.find(key); at != index.end()) found.append(at->second);
  }
  void collect(const kv::Event& event, Bucket& found) REQUIRES(mutex_) {
    found = general_;
    const storage::KeyParts key = storage::split_key(key_prefix_, event.kv->key.view());
    if (!by_namespace_.empty()) append(by_namespace_, std::string(key.ns), found);
    if (!by_name_.empty()) {
      append(by_name_, std::string(key.ns) + "/" + std::string(key.name), found);
      if (!key.ns.empty()) append(by_name_, "/" + std::string(key.name), found);
    }
    if (by_node_.empty()) return;
    const std::string_view node = schema::find_bytes(now_of(event), node_path_).value_or(std::string_view());
    const std::string_view old_node = schema::find_bytes(before_of(event), node_path_).value_or(std::string_view());
    append(by_node_, std::string(node), found);
    if (old_node != node) append(by_node_, std::string(old_node), found);
  }
  static std::string_view now_of(const kv::Event& event) {
    return event.is_delete() ? std::string_view() : raw_of(event.kv);
  }
  static std::string_view before_of(const kv::Event& event) {
    return event.previous ? raw_of(event.previous) : std::string_view();
  }

  // Strand. Who gets something for the first time since the last flush is added to `unsent`.
  void deliver(const kv::Event& event, Bucket& found, Bucket& unsent) {
    const std::string_view now = now_of(event), before = before_of(event);
    for (const auto& group : found.groups) {
      const auto item = item_of(event, group->scope, key_prefix_, now, before);
      if (!item) continue;
      if (auto sent = group->relay->on_item(*item); !sent) {
        fail_group(*group, sent.error());
      } else if (!std::exchange(group->unsent, true)) {
        unsent.groups.push_back(group);
      }
    }
    for (auto& entry : found.entries) {
      if (entry->deliver(event, now, before)) unsent.entries.push_back(entry);
    }
    join_groups(found.entries, event.revision());
  }
  // An event that the hub brought came after all that an entry caught up with: so will those that follow.
  void join_groups(const std::vector<std::shared_ptr<Entry>>& entries, int64_t revision) {
    std::vector<std::pair<std::shared_ptr<Entry>, std::string>> joining;
    for (const auto& entry : entries) {
      if (entry->ended() || !entry->behind(revision)) continue;
      if (std::string key = entry->watcher().relay_key(); !key.empty()) joining.emplace_back(entry, std::move(key));
    }
    if (joining.empty()) return;
    base::MutexLock lock(mutex_);
    std::unordered_set<Bucket*> changed;
    for (auto& [entry, key] : joining) {
      if (!all_.contains(entry)) continue;
      Bucket& bucket = *bucket_of(*entry);
      entry->group = group_in(bucket, std::move(key), *entry);
      ++entry->group->members;
      entry->group->relay->add(entry->watcher());
      changed.insert(&bucket);
    }
    for (Bucket* bucket : changed) std::erase_if(bucket->entries, [](const auto& entry) { return entry->group; });
  }
  static const std::shared_ptr<Group>& group_in(Bucket& bucket, std::string key, const Entry& entry) {
    for (const auto& group : bucket.groups) {
      if (group->key == key) return group;
    }
    auto relay = entry.watcher().make_relay();
    return bucket.groups.emplace_back(std::make_shared<Group>(std::move(key), entry.scope(), std::move(relay)));
  }
  void fail_group(const Group& group, const base::Error& error) {
    std::vector<std::shared_ptr<Entry>> entries;
    {
      base::MutexLock lock(mutex_);
      for (const auto& entry : all_) {
        if (entry->group.get() == &group) entries.push_back(entry);
      }
    }
    for (const auto& entry : entries) entry->fail(error);
  }
  std::vector<std::shared_ptr<Group>> groups_of_all() const REQUIRES(mutex_) {
    std::vector<std::shared_ptr<Group>> groups = general_.groups;
    for (const Index* index : {&by_namespace_, &by_name_, &by_node_}) {
      for (const auto& [key, bucket] : *index) groups.insert(groups.end(), bucket.groups.begin(), bucket.groups.end());
    }
    return groups;
  }

  Core* const core_;
  const std::string prefix_;
  const std::string key_prefix_;
  schema::NumberPath node_path_;
  mutable base::Mutex mutex_;
  std::unique_ptr<kv::Watch> watch_ GUARDED_BY(mutex_);
  int64_t revision_ GUARDED_BY(mutex_) = 0;
  bool bookmarks_asked_ GUARDED_BY(mutex_) = false;
  std::unordered_set<std::shared_ptr<Entry>> all_ GUARDED_BY(mutex_);
  Bucket general_ GUARDED_BY(mutex_);
  Index by_namespace_ GUARDED_BY(mutex_);
  Index by_name_ GUARDED_BY(mutex_);
  Index by_node_ GUARDED_BY(mutex_);
};

void WatchHubs::Entry::set_catch_up(std::unique_ptr<kv::Watch> watch) {
  base::MutexLock lock(mutex_);
  if (!ended_ && !handed_over_) catch_up_ = std::move(watch);
}

void WatchHubs::Entry::drop_catch_up() {
  std::unique_ptr<kv::Watch> watch;
  base::MutexLock lock(mutex_);
  watch = std::move(catch_up_);
}

bool WatchHubs::Entry::deliver(const kv::Event& event, std::string_view now_raw, std::string_view before_raw) {
  if (ended_ || event.revision() <= seen_) return false;
  const auto item = item_of(event, scope_, hub_->key_prefix(), now_raw, before_raw);
  if (!item) return false;
  watcher_->on_item(*item);
  return !std::exchange(unsent_, true);
}

void WatchHubs::Entry::on_events(std::span<const kv::Event> events, int64_t revision) {
  if (handed_over_) return;
  for (const kv::Event& event : events) {
    deliver(event, event.is_delete() ? std::string_view() : raw_of(event.kv),
            event.previous ? raw_of(event.previous) : std::string_view());
  }
  flush();
  try_hand_over(revision);
}

void WatchHubs::Entry::try_hand_over(int64_t revision) {
  if (handed_over_) return;
  seen_ = std::max(seen_, revision);
  if (!ended_ && !hub_->take_over(shared_from_this(), seen_)) return;
  handed_over_ = true;
  drop_catch_up();
}

WatchHubs::WatchHubs(Core* core) : core_(core), encoded_(std::make_unique<EncodedEvents>()) {}
WatchHubs::~WatchHubs() { stop(); }

class WatchHubs::Follower final : public Subscription {
 public:
  Follower(std::shared_ptr<Hub> hub, std::shared_ptr<Entry> entry) : hub_(std::move(hub)), entry_(std::move(entry)) {}
  ~Follower() override {
    entry_->end();
    hub_->forget(entry_);
    entry_->drop_catch_up();
  }

 private:
  std::shared_ptr<Hub> hub_;
  std::shared_ptr<Entry> entry_;
};

base::Result<std::unique_ptr<Subscription>> WatchHubs::watch(const Endpoint& endpoint, WatchScope scope,
                                                             int64_t revision, std::shared_ptr<Watcher> watcher) {
  const std::string start = storage::range_start(endpoint.prefix(), scope.ns);
  std::shared_ptr<Hub> hub;
  std::shared_ptr<Entry> entry;
  do {
    base::MutexLock lock(mutex_);
    if (stopped_) return base::fail(base::Reason::kServiceUnavailable, "the server is stopping");
    std::shared_ptr<Hub>& slot = hubs_[std::string(endpoint.prefix())];
    if (!slot) {
      auto made = std::make_shared<Hub>(core_, endpoint);
      TRY(made->start());
      made->schedule_bookmarks();
      slot = std::move(made);
    }
    hub = slot;
    entry = std::make_shared<Entry>(hub, scope, watcher);
  } while (!hub->keep(entry));
  auto follower = std::make_unique<Follower>(hub, entry);
  TRY_ASSIGN(auto catch_up, core_->store().watch(start, kv::prefix_end(start), revision + 1, entry.get()));
  entry->set_catch_up(std::move(catch_up));
  return follower;
}

void WatchHubs::end(std::string_view key_prefix) {
  std::shared_ptr<Hub> hub;
  {
    base::MutexLock lock(mutex_);
    auto found = hubs_.find(key_prefix);
    if (found == hubs_.end()) return;
    hub = std::move(found->second);
    hubs_.erase(found);
  }
  hub->stop(Hub::Ending::kResourceGone);
}

void WatchHubs::stop() {
  std::map<std::string, std::shared_ptr<Hub>, std::less<>> hubs;
  {
    base::MutexLock lock(mutex_);
    hubs.swap(hubs_);
    stopped_ = true;
  }
  for (const auto& [prefix, hub] : hubs) hub->stop(Hub::Ending::kServerStops);
}

size_t WatchHubs::watchers() const {
  base::MutexLock lock(mutex_);
  size_t count = 0;
  for (const auto& [prefix, hub] : hubs_) count += hub->size();
  return count;
}

}  // namespace apiserver
