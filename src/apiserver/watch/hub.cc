#include "apiserver/watch/hub.h"

#include <algorithm>
#include <atomic>
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

}  // namespace

// One watcher's place: first its own catch-up watch on the store, then the hub's index.
class WatchHubs::Entry final : public kv::WatchSink, public std::enable_shared_from_this<Entry> {
 public:
  Entry(std::shared_ptr<Hub> hub, WatchScope scope, std::shared_ptr<Watcher> watcher)
      : hub_(std::move(hub)), scope_(std::move(scope)), watcher_(std::move(watcher)) {}

  const WatchScope& scope() const { return scope_; }
  void set_catch_up(std::unique_ptr<kv::Watch> watch);
  void end() { ended_ = true; }
  bool ended() const { return ended_; }

  // On the strand. True when it is the first since flush() that the watcher got.
  bool deliver(const kv::Event& event, std::string_view now_raw, std::string_view before_raw);
  void flush() {
    if (std::exchange(unsent_, false)) watcher_->on_items_end();
  }
  void bookmark(int64_t revision) {
    if (!ended_) watcher_->on_bookmark(revision);
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
    TRY_ASSIGN(auto watch,
               core_->store().watch(prefix_, kv::prefix_end(prefix_), core_->store().snapshot()->revision() + 1, this));
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
      general_.clear();
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
    drop(*bucket_of(*entry), entry);
    clear_empty(*entry);
  }

  // Strand: takes over from the catch-up watch if the hub has not passed it.
  bool take_over(const std::shared_ptr<Entry>& entry, int64_t seen) {
    base::MutexLock lock(mutex_);
    if (seen < revision_ || !all_.contains(entry)) return false;
    bucket_of(*entry)->push_back(entry);
    return true;
  }

  void on_events(std::span<const kv::Event> events, int64_t revision) override {
    std::vector<std::shared_ptr<Entry>> found, unsent;
    for (size_t i = 0; i < events.size(); ++i) {
      const kv::Event& event = events[i];
      const std::string_view before = event.previous ? raw_of(event.previous) : std::string_view();
      const std::string_view now = event.is_delete() ? std::string_view() : raw_of(event.kv);
      found.clear();
      {
        base::MutexLock lock(mutex_);
        collect(event, now, before, found);
        revision_ = event.revision();
      }
      for (auto& entry : found) {
        if (entry->deliver(event, now, before)) unsent.push_back(std::move(entry));
      }
      if (i + 1 < events.size() && (i + 1) % kEventsPerFlush != 0) continue;
      for (const auto& entry : std::exchange(unsent, {})) entry->flush();
    }
    base::MutexLock lock(mutex_);
    revision_ = std::max(revision_, revision);
  }
  void on_progress(int64_t revision) override {
    std::vector<std::shared_ptr<Entry>> entries;
    {
      base::MutexLock lock(mutex_);
      revision_ = std::max(revision_, revision);
      if (!bookmarks_asked_) return;
      bookmarks_asked_ = false;
      for (const auto& entry : all_) entries.push_back(entry);
    }
    for (const auto& entry : entries) entry->bookmark(revision);
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
  using Bucket = std::vector<std::shared_ptr<Entry>>;

  Bucket* bucket_of(const Entry& entry) REQUIRES(mutex_) {
    const WatchScope& scope = entry.scope();
    if (auto node = scope.selection.node_name(); node && node_path_.size > 0) return &by_node_[*node];
    if (auto name = scope.selection.name(); name) return &by_name_[scope.ns + "/" + *name];
    if (!scope.ns.empty()) return &by_namespace_[scope.ns];
    return &general_;
  }
  static void drop(Bucket& bucket, const std::shared_ptr<Entry>& entry) { std::erase(bucket, entry); }
  void clear_empty(const Entry& entry) REQUIRES(mutex_) {
    std::erase_if(by_node_, [](const auto& pair) { return pair.second.empty(); });
    if (auto name = entry.scope().selection.name())
      std::erase_if(by_name_, [](const auto& pair) { return pair.second.empty(); });
  }
  void append(const std::unordered_map<std::string, Bucket>& index, const std::string& key, Bucket& found)
      REQUIRES(mutex_) {
    if (auto at = index.find(key); at != index.end()) found.insert(found.end(), at->second.begin(), at->second.end());
  }
  void collect(const kv::Event& event, std::string_view now, std::string_view before, Bucket& found) REQUIRES(mutex_) {
    found = general_;
    const storage::KeyParts key = storage::split_key(key_prefix_, event.kv->key.view());
    if (!by_namespace_.empty()) append(by_namespace_, std::string(key.ns), found);
    if (!by_name_.empty()) {
      append(by_name_, std::string(key.ns) + "/" + std::string(key.name), found);
      if (!key.ns.empty()) append(by_name_, "/" + std::string(key.name), found);
    }
    if (by_node_.empty()) return;
    const std::string_view node = schema::find_bytes(now, node_path_).value_or(std::string_view());
    const std::string_view old_node = schema::find_bytes(before, node_path_).value_or(std::string_view());
    append(by_node_, std::string(node), found);
    if (old_node != node) append(by_node_, std::string(old_node), found);
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
  std::unordered_map<std::string, Bucket> by_namespace_ GUARDED_BY(mutex_);
  std::unordered_map<std::string, Bucket> by_name_ GUARDED_BY(mutex_);
  std::unordered_map<std::string, Bucket> by_node_ GUARDED_BY(mutex_);
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

// Compat: what a selector lets in arrives as ADDED, what it lets out as DELETED with the last state that matched.
bool WatchHubs::Entry::deliver(const kv::Event& event, std::string_view now_raw, std::string_view before_raw) {
  if (ended_ || event.revision() <= seen_) return false;
  if (!scope_.ns.empty() && storage::split_key(hub_->key_prefix(), event.kv->key.view()).ns != scope_.ns) return false;
  const bool now = !event.is_delete() && scope_.selection.matches(now_raw);
  const bool before = event.previous && scope_.selection.matches(before_raw);
  WatchItem item;
  item.revision = event.revision();
  if (now) {
    item.type = before ? EventType::kModified : EventType::kAdded;
    item.object = event.kv;
  } else if (before) {
    item.type = EventType::kDeleted;
    item.object = event.previous;
  } else {
    return false;
  }
  watcher_->on_item(item);
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
