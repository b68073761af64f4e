#include "controllers/garbagecollector/controller.h"

#include <algorithm>
#include <atomic>
#include <set>
#include <unordered_set>

#include "base/check.h"
#include "base/log.h"
#include "base/mutex.h"
#include "client/events.h"
#include "controllers/garbagecollector/calls.h"
#include "controllers/garbagecollector/plan.h"
#include "controllers/garbagecollector/source.h"
#include "controllers/runtime/call_batch.h"
#include "controllers/runtime/owners.h"
#include "gen/catalogue.h"

namespace controllers::garbagecollector {
namespace {

using api::apiextensions::v1::CustomResourceDefinition;
using client::RawObject;

bool has_verb(const schema::Resource& resource, std::string_view verb) {
  return std::ranges::find(resource.verbs, verb) != resource.verbs.end();
}

const schema::Resource& definition_resource() {
  const schema::Resource* row = gen::find_resource("apiextensions.k8s.io", "v1", "customresourcedefinitions", "");
  CHECK(row != nullptr);
  return *row;
}

// Of the rows of one stored resource, the one to go by.
bool is_stored_row(const schema::Resource& resource) {
  // Compat: discovery's storage hash of definitions is that of a version which nobody serves any more.
  if (&resource == &definition_resource()) return true;
  if (resource.group != resource.stored_group) return false;
  const schema::Kind* kind = gen::find_kind(resource.group, resource.version, resource.kind);
  const schema::Kind* stored = gen::find_kind(resource.group, resource.stored_version, resource.stored_kind);
  return kind && stored && kind->message->ops == stored->message->ops;
}

constexpr size_t kMaxSiblings = 512;                             // deleted together
constexpr base::Duration kSweepRetry = std::chrono::seconds(1);  // of objects that a sweep takes along

constexpr base::Duration kLookAgain =
    std::chrono::milliseconds(50);  // when custom resources are on their way in or out
// How long decisions about all dependents of an object wait for the first list of a custom resource.
constexpr base::Duration kMaxSyncWait = std::chrono::seconds(30);
constexpr std::string_view kDefinitionKeys = "definition|";  // + name: a definition to follow

struct Dependent {
  SourcePtr source;
  RawObject object;
};

class GarbageCollector final : public Controller {
 public:
  explicit GarbageCollector(const Dependencies& dependencies)
      : client_(dependencies.transport),
        clock_(dependencies.clock),
        executor_(dependencies.workers),
        definitions_(dependencies.informers->get(definition_resource())),
        events_(dependencies.transport, dependencies.clock, "garbage-collector-controller") {
    for (const schema::GroupVersion& version : gen::group_versions()) {
      for (const schema::Resource& resource : version.resources) {
        if (version.served_by_default || dependencies.transport->serves(resource))
          add_resource(*dependencies.informers, resource);
      }
    }
  }

  std::string_view name() const override { return "garbage-collector-controller"; }
  int workers() const override { return 4; }

  std::vector<WatchSpec> watches() override {
    std::vector<WatchSpec> specs;
    for (const SourcePtr& source : built_in_) {
      specs.push_back({source->informer, [this, source](const client::Change& change, const EnqueueKey& enqueue) {
                         map_change(*source, change, enqueue);
                       }});
    }
    specs.push_back({&definitions_, [this](const client::Change& change, const EnqueueKey& enqueue) {
                       set_pending(change.key.name, Pending::kYes);
                       enqueue(std::string(kDefinitionKeys) + change.key.name);
                     }});
    return specs;
  }

  void attach(const EnqueueKey& enqueue) override { enqueue_ = enqueue; }
  void detach() override {
    for (const CustomSourcePtr& source : *custom_.all()) source->stop();
  }

  // Keys: "<source>|<namespace>/<name>".
  base::Result<Requeue> reconcile(const std::string& key) override {
    if (key.starts_with(kDefinitionKeys)) return follow_definition(key.substr(kDefinitionKeys.size()));
    const size_t bar = key.find('|');
    const SourcePtr source = source_of(std::string_view(key).substr(0, bar));
    if (!source) return Requeue{};
    const RawObject object = source->informer->get(client::parse_key(std::string_view(key).substr(bar + 1)));
    if (!object) return Requeue{};
    TRY_ASSIGN(const schema::MetadataView metadata, schema::view_metadata(object.payload()));
    Observed observed;
    observed.deleting = metadata.deletion_seconds.has_value();
    observed.has_foreground_finalizer = contains(metadata.finalizers, kForegroundFinalizer);
    observed.has_orphan_finalizer = contains(metadata.finalizers, kOrphanFinalizer);
    std::vector<Dependent> dependents;
    if (!observed.deleting) {
      for (const schema::OwnerView owner : metadata.owner_references) {
        TRY_ASSIGN(const OwnerState state, owner_state(*source, metadata, owner));
        observed.owners.push_back(state);
      }
    }
    const bool waited_for = std::ranges::find(observed.owners, OwnerState::kWaiting) != observed.owners.end();
    const bool all_dependents = observed.has_foreground_finalizer || observed.has_orphan_finalizer || waited_for;
    if (all_dependents && !has_all_custom()) return Requeue{kLookAgain};
    if (observed.deleting || waited_for) {
      dependents = find_dependents(metadata.uid);
      observed.dependents = dependents.size();
      observed.blocking_dependents = static_cast<size_t>(
          std::ranges::count_if(dependents, [&](const Dependent& d) { return blocks(d.object, metadata.uid); }));
    }
    return carry_out(plan(observed), *source, object, metadata, dependents, observed);
  }

 private:
  void add_resource(client::InformerFactory& factory, const schema::Resource& resource) {
    if (!resource.subresource.empty() || resource.key_prefix.empty()) return;
    if (!has_verb(resource, "delete") || !has_verb(resource, "list") || !has_verb(resource, "watch")) return;
    // Compat: Events are not collected.
    if (resource.name == "events") return;
    if (!is_stored_row(resource)) return;
    // Versions of one resource have their objects in common.
    const auto same = [&](const SourcePtr& other) { return other->resource->key_prefix == resource.key_prefix; };
    if (std::ranges::any_of(built_in_, same)) return;
    auto source = std::make_shared<Source>();
    source->id = std::to_string(built_in_.size());
    source->resource = &resource;
    source->informer = &factory.get(resource);
    index_by_owner(*source->informer);
    built_in_.push_back(std::move(source));
  }

  // A definition as it is now: its objects are watched from when it is served until it is gone.
  base::Result<Requeue> follow_definition(const std::string& name) {
    const auto definition = definitions_.get_as<CustomResourceDefinition>({"", name});
    const std::optional<CustomName> wanted = definition ? custom_name(*definition) : std::nullopt;
    const CustomSourcePtr current = custom_.find(name);
    const bool right = current ? wanted && *wanted == current->name() : !wanted;
    if (!right && current) {
      // Its last deletions are still on their way to map_change().
      if (!wanted && !current->is_delivered()) return Requeue{kLookAgain};
      end_source(current);
      if (!definitions_.get({"", name})) miss_remaining(*current);
    }
    if (!right && wanted && client_.transport().carries_custom_objects()) begin_source(name, *wanted);
    set_pending(name, Pending::kNo);
    return Requeue{};
  }

  void begin_source(const std::string& definition, const CustomName& name) {
    auto source =
        std::make_shared<CustomSource>(definition, name, client_.shared_transport(), executor_, clock_->mono_now());
    std::vector<std::string> waiting = custom_.add(source);
    // The handler is the source's own: it ends before the source does.
    source->start([this, raw = source.get()](const client::Change& change) { map_change(*raw, change, enqueue_); });
    for (std::string& key : waiting) enqueue_(std::move(key));
  }

  void end_source(const CustomSourcePtr& source) {
    custom_.remove(source);
    source->stop();
  }

  // Objects whose end was not seen: their definition has gone and they with it.
  void miss_remaining(const Source& source) {
    for (const RawObject& object : source.informer->list()) {
      const auto metadata = schema::view_metadata(object.payload());
      if (!metadata) continue;
      custom_.remember_gone(metadata->uid);
      enqueue_dependents(source, metadata->uid, enqueue_);
    }
  }

  enum class Pending : uint8_t { kNo, kYes };
  void set_pending(const std::string& definition, Pending pending) {
    base::MutexLock lock(mutex_);
    if (pending == Pending::kYes) {
      pending_.insert(definition);
    } else {
      pending_.erase(definition);
    }
  }

  // Whether the caches of custom resources show all that there is. One that cannot be listed holds nobody up for ever.
  bool has_all_custom() const {
    {
      base::MutexLock lock(mutex_);
      if (!pending_.empty()) return false;
    }
    const base::MonoTime now = clock_->mono_now();
    return std::ranges::all_of(*custom_.all(), [&](const CustomSourcePtr& source) {
      return source->has_synced() || now - source->started() > kMaxSyncWait;
    });
  }

  SourcePtr source_of(std::string_view id) const {
    if (id.empty() || id.find_first_not_of("0123456789") != std::string_view::npos) return custom_.find(id);
    return built_in_[std::stoul(std::string(id))];
  }

  void map_change(const Source& source, const client::Change& change, const EnqueueKey& enqueue) {
    const RawObject& shown = change.after ? change.after : change.before;
    const auto metadata = schema::view_metadata(shown.payload());
    if (!metadata) return;
    if (change.after) {
      const bool finalizing = metadata->deletion_seconds && (contains(metadata->finalizers, kForegroundFinalizer) ||
                                                             contains(metadata->finalizers, kOrphanFinalizer));
      if (finalizing || (!metadata->owner_references.empty() && owners_changed(change))) {
        enqueue(source.key_of(change.key));
      }
    } else {
      enqueue_dependents(source, metadata->uid, enqueue);
    }
    // An owner may wait for this one to go, or to let go.
    if (change.before && (!change.after || owners_changed(change) || metadata->deletion_seconds)) {
      const auto before = schema::view_metadata(change.before.payload());
      if (!before) return;
      for (const schema::OwnerView owner : before->owner_references) enqueue_waiting_owner(*metadata, owner, enqueue);
    }
  }

  static bool owners_changed(const client::Change& change) {
    if (!change.before || !change.after) return true;
    const auto before = schema::view_metadata(change.before.payload());
    const auto after = schema::view_metadata(change.after.payload());
    return !before || !after || owners_of(*before) != owners_of(*after);
  }

  // Of an owner that is gone.
  void enqueue_dependents(const Source& source, std::string_view uid, const EnqueueKey& enqueue) {
    const std::vector<Dependent> dependents = find_dependents(uid);
    if (dependents.empty()) return;
    if (custom_.find(source.id)) custom_.remember_gone(uid);
    for (const Dependent& dependent : dependents) {
      const auto view = schema::view_metadata(dependent.object.payload());
      if (view) enqueue(dependent.source->key_of({std::string(view->namespace_), std::string(view->name)}));
    }
  }

  void enqueue_waiting_owner(const schema::MetadataView& dependent, const schema::OwnerView& owner,
                             const EnqueueKey& enqueue) const {
    const schema::Resource* resource = resource_of_owner(owner);
    SourcePtr source = resource ? source_of_built_in(*resource)
                                : SourcePtr(custom_.find_kind(group_of(owner.api_version), owner.kind));
    if (!source) return;
    const client::ObjectKey key{source->resource->namespaced ? std::string(dependent.namespace_) : "",
                                std::string(owner.name)};
    const RawObject object = source->informer->get(key);
    const auto view = object ? schema::view_metadata(object.payload()) : base::fail(base::Reason::kNotFound, "");
    if (view && view->deletion_seconds && view->uid == owner.uid) enqueue(source->key_of(key));
  }

  SourcePtr source_of_built_in(const schema::Resource& resource) const {
    const auto found = std::ranges::find_if(built_in_, [&](const SourcePtr& s) { return s->resource == &resource; });
    return found == built_in_.end() ? nullptr : *found;
  }

  // The stored resource of a reference's kind; null for kinds that are not built in.
  static const schema::Resource* resource_of_owner(const schema::OwnerView& owner) {
    const std::string_view group = group_of(owner.api_version);
    for (const schema::GroupVersion& version : gen::group_versions()) {
      if (version.group != group) continue;
      for (const schema::Resource& resource : version.resources) {
        if (resource.subresource.empty() && resource.kind == owner.kind && !resource.key_prefix.empty() &&
            is_stored_row(resource)) {
          return &resource;
        }
      }
    }
    return nullptr;
  }

  std::vector<Dependent> find_dependents(std::string_view uid) const {
    std::vector<Dependent> dependents;
    const auto add = [&](const SourcePtr& source) {
      for (RawObject& object : source->informer->by_index(kOwnerIndex, uid)) {
        dependents.push_back({source, std::move(object)});
      }
    };
    for (const SourcePtr& source : built_in_) add(source);
    for (const CustomSourcePtr& source : *custom_.all()) {
      if (source->has_owned()) add(source);
    }
    return dependents;
  }

  static bool blocks(const RawObject& object, std::string_view owner_uid) {
    const auto view = schema::view_metadata(object.payload());
    if (!view) return false;
    for (const schema::OwnerView owner : view->owner_references) {
      if (owner.uid == owner_uid && owner.block_owner_deletion) return true;
    }
    return false;
  }

  static OwnerState state_of(const schema::MetadataView& view, std::string_view uid) {
    if (view.uid != uid) return OwnerState::kDangling;
    const bool waiting = view.deletion_seconds && contains(view.finalizers, kForegroundFinalizer);
    return waiting ? OwnerState::kWaiting : OwnerState::kSolid;
  }

  base::Result<OwnerState> owner_state(const Source& dependents, const schema::MetadataView& dependent,
                                       const schema::OwnerView& owner) {
    const schema::Resource* resource = resource_of_owner(owner);
    SourcePtr source;
    if (resource) {
      source = source_of_built_in(*resource);
    } else {
      const client::ObjectKey key{std::string(dependent.namespace_), std::string(dependent.name)};
      source = custom_.find_kind(group_of(owner.api_version), owner.kind, dependents.key_of(key));
      // Compat: nothing is known of a kind that nobody serves, so nothing is deleted for it, but for owners that were
      // seen to go.
      if (!source) return custom_.is_gone(owner.uid) ? OwnerState::kDangling : OwnerState::kSolid;
      resource = source->resource;
    }
    if (resource->namespaced && dependent.namespace_.empty()) {
      report_bad_owner(*dependents.resource, dependent, owner);
      return OwnerState::kSolid;
    }
    const client::ObjectKey key{resource->namespaced ? std::string(dependent.namespace_) : "", std::string(owner.name)};
    if (const RawObject object = source ? source->informer->get(key) : RawObject()) {
      TRY_ASSIGN(const schema::MetadataView view, schema::view_metadata(object.payload()));
      const OwnerState state = state_of(view, owner.uid);
      if (state != OwnerState::kDangling) return state;
    }
    // A cache may be behind: only the server's word lets an object go.
    client::Call call;
    call.verb = client::Verb::kGet;
    call.resource = resource;
    call.ns = key.ns;
    call.name = key.name;
    auto live = client_.transport().call_and_wait(std::move(call));
    if (!live) {
      // That nobody serves the kind says nothing of the object.
      if (!client::is_missing_object(live.error())) return base::fail(live.error());
      if (source) TRY(check_served(*source));
      return OwnerState::kDangling;
    }
    TRY_ASSIGN(const schema::MetadataView view, schema::view_metadata(live->payload()));
    return state_of(view, owner.uid);
  }

  // "Not found" may mean that a version is not served any more: then it says nothing of the object.
  base::Result<void> check_served(const Source& source) const {
    if (!definitions_.get({"", source.id})) return {};
    TRY_ASSIGN(const auto definition, definitions_.get_as<CustomResourceDefinition>({"", source.id}));
    const std::optional<CustomName> name = custom_name(definition);
    if (name && name->version == source.resource->version && name->plural == source.resource->name) return {};
    return base::fail(base::Reason::kConflict, source.id + " is being changed");
  }

  void report_bad_owner(const schema::Resource& resource, const schema::MetadataView& dependent,
                        const schema::OwnerView& owner) {
    api::meta::v1::ObjectMeta metadata;
    metadata.name = dependent.name;
    metadata.namespace_ = dependent.namespace_;
    metadata.uid = dependent.uid;
    events_.event(client::make_reference(resource, metadata), client::EventType::kWarning, "OwnerRefInvalidNamespace",
                  "ownerRef [" + std::string(owner.api_version) + "/" + std::string(owner.kind) +
                      ", namespace: " + std::string(dependent.namespace_) + ", name: " + std::string(owner.name) +
                      ", uid: " + std::string(owner.uid) + "] does not exist in namespace \"" +
                      std::string(dependent.namespace_) + "\"");
  }

  base::Result<Requeue> carry_out(Action action, const Source& source, const RawObject& object,
                                  const schema::MetadataView& metadata, const std::vector<Dependent>& dependents,
                                  const Observed& observed) {
    switch (action) {
      case Action::kNone:
        return Requeue{};
      case Action::kDeleteDependents:
        return delete_dependents(metadata, dependents);
      case Action::kRemoveForegroundFinalizer:
        return remove_finalizer(*source.resource, object, metadata, kForegroundFinalizer);
      case Action::kOrphanDependents:
        TRY(release_dependents(metadata, dependents));
        return remove_finalizer(*source.resource, object, metadata, kOrphanFinalizer);
      case Action::kDropOwners: {
        std::vector<api::meta::v1::OwnerReference> kept;
        const auto owners = owners_of(metadata);
        for (size_t i = 0; i < owners.size(); ++i) {
          if (observed.owners[i] == OwnerState::kSolid) kept.push_back(owners[i]);
        }
        return done(client_.transport().call_and_wait(
            patch_call(*source.resource, metadata, owner_patch(metadata, object.revision, kept))));
      }
      case Action::kDeleteBackground:
        if (const auto owner = only_owner(metadata); owner && observed.owners[0] == OwnerState::kDangling) {
          return delete_siblings(source, *owner);
        }
        return done(client_.transport().call_and_wait(
            delete_call(*source.resource, object, metadata, client::Propagation::kBackground)));
      case Action::kDeleteForeground:
        break;
    }
    const bool holds_up_a_circle = is_in_circle(metadata, dependents);
    return done(client_.transport().call_and_wait(
        holds_up_a_circle ? unblocking_call(*source.resource, object, metadata)
                          : delete_call(*source.resource, object, metadata, client::Propagation::kForeground)));
  }

  // Whether it holds up its owners while a dependent of its own waits too: then all of a circle may wait for each
  // other. Compat: nobody looks whether the circle is closed.
  static bool is_in_circle(const schema::MetadataView& metadata, const std::vector<Dependent>& dependents) {
    bool blocks_owners = false;
    for (const schema::OwnerView owner : metadata.owner_references) blocks_owners |= owner.block_owner_deletion;
    return blocks_owners && std::ranges::any_of(dependents, [](const Dependent& dependent) {
             const auto view = schema::view_metadata(dependent.object.payload());
             return view && view->deletion_seconds && contains(view->finalizers, kForegroundFinalizer);
           });
  }

  // Lets the owners go first. The change brings the object back here, to be deleted.
  static client::Call unblocking_call(const schema::Resource& resource, const RawObject& object,
                                      const schema::MetadataView& metadata) {
    auto owners = owners_of(metadata);
    for (auto& owner : owners) owner.block_owner_deletion = false;
    return patch_call(resource, metadata, owner_patch(metadata, object.revision, owners));
  }

  static base::Result<Requeue> done(const base::Result<RawObject>& result) {
    if (result || result.error().reason == base::Reason::kNotFound) return Requeue{};
    return base::fail(result.error());
  }

  // An owner that is gone leaves many of a kind behind: they go together and share the wait for the disk. Each of them
  // has a key of its own in the queue, which tries again what fails here.
  base::Result<Requeue> delete_siblings(const Source& source, const std::string& owner_uid) {
    {
      base::MutexLock lock(mutex_);
      if (!sweeping_.insert(owner_uid).second) return Requeue{kSweepRetry};
    }
    base::Result<bool> more = true;
    while (more && *more) more = delete_some_siblings(source, owner_uid);
    {
      base::MutexLock lock(mutex_);
      sweeping_.erase(owner_uid);
    }
    if (!more) return base::fail(more.error());
    return Requeue{};
  }

  // One batch. False when none is left.
  base::Result<bool> delete_some_siblings(const Source& source, const std::string& owner_uid) {
    CallBatch calls(client_.transport());
    size_t count = 0;
    for (const RawObject& sibling : source.informer->by_index(kOwnerIndex, owner_uid)) {
      const auto metadata = schema::view_metadata(sibling.payload());
      if (!metadata || metadata->deletion_seconds || only_owner(*metadata) != owner_uid) continue;
      calls.add(delete_call(*source.resource, sibling, *metadata, client::Propagation::kBackground));
      if (++count == kMaxSiblings) break;
    }
    for (const auto& result : calls.wait()) TRY(done(result));
    return count == kMaxSiblings;
  }

  // Dependents of a waiting owner: those with other, solid owners are let go, the others deleted, each in its own turn.
  base::Result<Requeue> delete_dependents(const schema::MetadataView& owner, const std::vector<Dependent>& dependents) {
    CallBatch calls(client_.transport());
    for (const Dependent& dependent : dependents) {
      TRY_ASSIGN(const schema::MetadataView metadata, schema::view_metadata(dependent.object.payload()));
      if (metadata.deletion_seconds) continue;
      bool has_solid = false;
      std::vector<api::meta::v1::OwnerReference> kept;
      for (const schema::OwnerView other : metadata.owner_references) {
        if (other.uid == owner.uid) continue;
        TRY_ASSIGN(const OwnerState state, owner_state(*dependent.source, metadata, other));
        has_solid |= state == OwnerState::kSolid;
      }
      if (has_solid) {
        kept = owners_of(metadata);
        std::erase_if(kept, [&](const auto& reference) { return reference.uid == owner.uid; });
        calls.add(
            patch_call(*dependent.source->resource, metadata, owner_patch(metadata, dependent.object.revision, kept)));
      } else {
        const std::vector<Dependent> below = find_dependents(metadata.uid);
        const auto way = below.empty() ? client::Propagation::kBackground : client::Propagation::kForeground;
        calls.add(is_in_circle(metadata, below)
                      ? unblocking_call(*dependent.source->resource, dependent.object, metadata)
                      : delete_call(*dependent.source->resource, dependent.object, metadata, way));
      }
    }
    for (const auto& result : calls.wait()) TRY(done(result));
    return Requeue{};
  }

  base::Result<void> release_dependents(const schema::MetadataView& owner, const std::vector<Dependent>& dependents) {
    CallBatch calls(client_.transport());
    for (const Dependent& dependent : dependents) {
      TRY_ASSIGN(const schema::MetadataView metadata, schema::view_metadata(dependent.object.payload()));
      auto kept = owners_of(metadata);
      std::erase_if(kept, [&](const auto& reference) { return reference.uid == owner.uid; });
      calls.add(
          patch_call(*dependent.source->resource, metadata, owner_patch(metadata, dependent.object.revision, kept)));
    }
    for (const auto& result : calls.wait()) TRY(done(result));
    return {};
  }

  base::Result<Requeue> remove_finalizer(const schema::Resource& resource, const RawObject& object,
                                         const schema::MetadataView& metadata, std::string_view finalizer) {
    return done(client_.transport().call_and_wait(
        patch_call(resource, metadata, finalizer_patch(metadata, object.revision, finalizer))));
  }

  const client::Client client_;
  base::Clock* const clock_;
  base::Executor* const executor_;
  client::Informer& definitions_;
  client::EventRecorder events_;
  std::vector<SourcePtr> built_in_;  // by number, which is the id
  CustomSources custom_;
  EnqueueKey enqueue_;
  mutable base::Mutex mutex_;
  std::set<std::string> pending_ GUARDED_BY(mutex_);  // definitions that have changed and were not followed yet
  std::unordered_set<std::string> sweeping_ GUARDED_BY(mutex_);  // uids of gone owners whose dependents are going
};

}  // namespace

std::unique_ptr<Controller> make_controller(const Dependencies& dependencies) {
  return std::make_unique<GarbageCollector>(dependencies);
}

}  // namespace controllers::garbagecollector
