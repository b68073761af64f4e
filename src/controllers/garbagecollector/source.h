// What the garbage collector watches: one Source a resource. Those of built-in resources live as long as the process;
// those of custom resources come and go with their definitions.
// Thread: a Source is immutable but for what its informer does; CustomSources from any thread.
#pragma once

#include <atomic>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/mutex.h"
#include "client/informer.h"
#include "controllers/runtime/controller.h"
#include "gen/apiextensions/v1.h"

namespace controllers::garbagecollector {

struct Source {
  std::string id;  // what stands before the bar in keys
  const schema::Resource* resource = nullptr;
  client::Informer* informer = nullptr;

  std::string key_of(const client::ObjectKey& key) const { return id + "|" + client::to_string(key); }
};
using SourcePtr = std::shared_ptr<const Source>;

// What the collector needs to know of a definition.
struct CustomName {
  std::string group;
  std::string version;  // the stored one where it is served, so that nothing is converted
  std::string plural;
  std::string kind;
  bool namespaced = false;
  bool operator==(const CustomName&) const = default;
};
// Nothing while the definition is not served.
std::optional<CustomName> custom_name(const api::apiextensions::v1::CustomResourceDefinition& definition);

// One watched custom resource. The row is its own: it holds on to nothing of the definition's schema.
class CustomSource final : public Source {
 public:
  CustomSource(std::string definition, CustomName name, std::shared_ptr<client::Transport> transport,
               base::Executor* executor, base::MonoTime started);

  const CustomName& name() const { return name_; }
  base::MonoTime started() const { return started_; }
  // `handler` is not called any more once stop() has returned.
  void start(client::ChangeHandler handler);
  void stop() const { watching_->stop(); }
  bool has_synced() const { return watching_->has_synced(); }
  // Whether an object with owners was ever seen: only then can there be dependents.
  bool has_owned() const { return has_owned_->load(std::memory_order_relaxed); }
  // Whether the handler has been given all that the cache knows.
  bool is_delivered() const { return delivered_.load() == static_cast<int64_t>(watching_->size()); }

 private:
  const CustomName name_;
  const base::MonoTime started_;
  schema::Resource row_;
  // Shared with the informer's index, which a list under way may still call after stop().
  const std::shared_ptr<std::atomic<bool>> has_owned_ = std::make_shared<std::atomic<bool>>(false);
  std::atomic<int64_t> delivered_ = 0;  // objects that the handler knows to exist
  std::unique_ptr<client::Informer> watching_;
};
using CustomSourcePtr = std::shared_ptr<CustomSource>;
using CustomSourceList = std::vector<CustomSourcePtr>;

// The custom resources that are watched now; which objects wait for a kind to be defined; which owners are gone for
// certain. Invariant: no informer is called while the mutex is held.
class CustomSources {
 public:
  CustomSourcePtr find(std::string_view definition) const;
  // All of them, as of now.
  std::shared_ptr<const CustomSourceList> all() const;
  // The source of a kind. When there is none, `waiting_key` is given out by add() once there is.
  CustomSourcePtr find_kind(std::string_view group, std::string_view kind, std::string waiting_key);
  CustomSourcePtr find_kind(std::string_view group, std::string_view kind) const;
  // The keys that waited for this kind.
  std::vector<std::string> add(CustomSourcePtr source);
  void remove(const CustomSourcePtr& source);

  // Owners that were seen to go, for when their kind has gone too and cannot be asked for any more.
  void remember_gone(std::string_view uid);
  bool is_gone(std::string_view uid) const;

 private:
  using KindName = std::pair<std::string, std::string>;  // group and kind
  void publish() REQUIRES(mutex_);

  mutable base::Mutex mutex_;
  std::map<std::string, CustomSourcePtr, std::less<>> by_definition_ GUARDED_BY(mutex_);
  std::map<KindName, CustomSourcePtr> by_kind_ GUARDED_BY(mutex_);
  std::shared_ptr<const CustomSourceList> all_ GUARDED_BY(mutex_) = std::make_shared<CustomSourceList>();
  std::map<KindName, std::set<std::string>> waiting_ GUARDED_BY(mutex_);
  size_t waiting_count_ GUARDED_BY(mutex_) = 0;
  // Two halves, of which the older one is forgotten when the newer one is full.
  std::set<std::string, std::less<>> gone_new_ GUARDED_BY(mutex_), gone_old_ GUARDED_BY(mutex_);
};

}  // namespace controllers::garbagecollector
