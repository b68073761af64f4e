#include "controllers/garbagecollector/controller.h"

#include <algorithm>
#include <unordered_set>

#include "base/mutex.h"
#include "client/events.h"
#include "controllers/garbagecollector/plan.h"
#include "controllers/runtime/call_batch.h"
#include "controllers/runtime/owners.h"
#include "gen/catalogue.h"
#include "object/json.h"
#include "object/value.h"

namespace controllers::garbagecollector {
namespace {

using client::RawObject;

bool has_verb(const schema::Resource& resource, std::string_view verb) {
  return std::ranges::find(resource.verbs, verb) != resource.verbs.end();
}

bool contains(const schema::Strings& strings, std::string_view wanted) {
  for (const std::string_view text : strings) {
    if (text == wanted) return true;
  }
  return false;
}

constexpr size_t kMaxSiblings = 512;                             // deleted together
constexpr base::Duration kSweepRetry = std::chrono::seconds(1);  // of objects that a sweep takes along

struct Dependent {
  const schema::Resource* resource;
  RawObject object;
};

class GarbageCollector final : public Controller {
 public:
  explicit GarbageCollector(const Dependencies& dependencies)
      : client_(dependencies.transport),
        events_(dependencies.transport, dependencies.clock, "garbage-collector-controller") {
    for (const schema::GroupVersion& version : gen::group_versions()) {
      if (!version.served_by_default) continue;
      for (const schema::Resource& resource : version.resources) add_resource(*dependencies.informers, resource);
    }
  }

  std::string_view name() const override { return "garbage-collector-controller"; }
  int workers() const override { return 4; }

  std::vector<WatchSpec> watches() override {
    std::vector<WatchSpec> specs;
    for (size_t i = 0; i < informers_.size(); ++i) {
      specs.push_back({informers_[i], [this, i](const client::Change& change, const EnqueueKey& enqueue) {
                         map_change(i, change, enqueue);
                       }});
    }
    return specs;
  }

  // Keys: "<number of the informer>|<namespace>/<name>".
  base::Result<Requeue> reconcile(const std::string& key) override {
    const size_t bar = key.find('|');
    client::Informer& informer = *informers_[std::stoul(key.substr(0, bar))];
    const RawObject object = informer.get(client::parse_key(std::string_view(key).substr(bar + 1)));
    if (!object) return Requeue{};
    TRY_ASSIGN(const schema::MetadataView metadata, schema::view_metadata(object.payload()));
    Observed observed;
    observed.deleting = metadata.deletion_seconds.has_value();
    observed.has_foreground_finalizer = contains(metadata.finalizers, kForegroundFinalizer);
    observed.has_orphan_finalizer = contains(metadata.finalizers, kOrphanFinalizer);
    std::vector<Dependent> dependents;
    if (!observed.deleting) {
      for (const schema::OwnerView owner : metadata.owner_references) {
        TRY_ASSIGN(const OwnerState state, owner_state(informer.resource(), metadata, owner));
        observed.owners.push_back(state);
      }
    }
    const bool waited_for = std::ranges::find(observed.owners, OwnerState::kWaiting) != observed.owners.end();
    if (observed.deleting || waited_for) {
      dependents = find_dependents(metadata.uid);
      observed.dependents = dependents.size();
      observed.blocking_dependents = static_cast<size_t>(
          std::ranges::count_if(dependents, [&](const Dependent& d) { return blocks(d.object, metadata.uid); }));
    }
    return carry_out(plan(observed), informer, object, metadata, dependents, observed);
  }

 private:
  void add_resource(client::InformerFactory& factory, const schema::Resource& resource) {
    if (!resource.subresource.empty() || resource.key_prefix.empty()) return;
    if (!has_verb(resource, "delete") || !has_verb(resource, "list") || !has_verb(resource, "watch")) return;
    // Compat: Events are not collected.
    if (resource.name == "events") return;
    const bool stored_here = resource.group == resource.stored_group && resource.version == resource.stored_version;
    if (!stored_here) return;
    informers_.push_back(&factory.get(resource));
    index_by_owner(*informers_.back());
  }

  static std::string key_of(size_t informer, const client::ObjectKey& key) {
    return std::to_string(informer) + "|" + client::to_string(key);
  }
  size_t number_of(const schema::Resource& resource) const {
    const auto found = std::ranges::find_if(informers_, [&](auto* i) { return &i->resource() == &resource; });
    return static_cast<size_t>(found - informers_.begin());
  }

  void map_change(size_t number, const client::Change& change, const EnqueueKey& enqueue) {
    const RawObject& shown = change.after ? change.after : change.before;
    const auto metadata = schema::view_metadata(shown.payload());
    if (!metadata) return;
    if (change.after) {
      const bool finalizing = metadata->deletion_seconds && (contains(metadata->finalizers, kForegroundFinalizer) ||
                                                             contains(metadata->finalizers, kOrphanFinalizer));
      if (finalizing || (!metadata->owner_references.empty() && owners_changed(change))) {
        enqueue(key_of(number, change.key));
      }
    } else {
      for (const Dependent& dependent : find_dependents(metadata->uid)) enqueue_object(dependent, enqueue);
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

  void enqueue_object(const Dependent& dependent, const EnqueueKey& enqueue) const {
    const auto view = schema::view_metadata(dependent.object.payload());
    if (!view) return;
    enqueue(key_of(number_of(*dependent.resource), {std::string(view->namespace_), std::string(view->name)}));
  }

  void enqueue_waiting_owner(const schema::MetadataView& dependent, const schema::OwnerView& owner,
                             const EnqueueKey& enqueue) const {
    const schema::Resource* resource = resource_of_owner(owner);
    if (!resource) return;
    const size_t number = number_of(*resource);
    if (number == informers_.size()) return;
    const client::ObjectKey key{resource->namespaced ? std::string(dependent.namespace_) : "", std::string(owner.name)};
    const RawObject object = informers_[number]->get(key);
    const auto view = object ? schema::view_metadata(object.payload()) : base::fail(base::Reason::kNotFound, "");
    if (view && view->deletion_seconds && view->uid == owner.uid) enqueue(key_of(number, key));
  }

  // The stored resource of a reference's kind; null for kinds that are not built in.
  static const schema::Resource* resource_of_owner(const schema::OwnerView& owner) {
    const std::string_view group = group_of(owner.api_version);
    for (const schema::GroupVersion& version : gen::group_versions()) {
      if (version.group != group) continue;
      for (const schema::Resource& resource : version.resources) {
        if (resource.subresource.empty() && resource.kind == owner.kind && !resource.key_prefix.empty() &&
            resource.group == resource.stored_group && resource.version == resource.stored_version) {
          return &resource;
        }
      }
    }
    return nullptr;
  }

  std::vector<Dependent> find_dependents(std::string_view uid) const {
    std::vector<Dependent> dependents;
    for (client::Informer* informer : informers_) {
      for (RawObject& object : informer->by_index(kOwnerIndex, uid)) {
        dependents.push_back({&informer->resource(), std::move(object)});
      }
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

  base::Result<OwnerState> owner_state(const schema::Resource& dependent_resource,
                                       const schema::MetadataView& dependent, const schema::OwnerView& owner) {
    const schema::Resource* resource = resource_of_owner(owner);
    // Somebody else's kind: nothing is known about it, so nothing is deleted for it.
    if (!resource) return OwnerState::kSolid;
    if (resource->namespaced && dependent.namespace_.empty()) {
      report_bad_owner(dependent_resource, dependent, owner);
      return OwnerState::kSolid;
    }
    const client::ObjectKey key{resource->namespaced ? std::string(dependent.namespace_) : "", std::string(owner.name)};
    const size_t number = number_of(*resource);
    if (number < informers_.size()) {
      if (const RawObject object = informers_[number]->get(key)) {
        TRY_ASSIGN(const schema::MetadataView view, schema::view_metadata(object.payload()));
        const OwnerState state = state_of(view, owner.uid);
        if (state != OwnerState::kDangling) return state;
      }
    }
    // A cache may be behind: only the server's word lets an object go.
    client::Call call;
    call.verb = client::Verb::kGet;
    call.resource = resource;
    call.ns = key.ns;
    call.name = key.name;
    auto live = client_.transport().call_and_wait(std::move(call));
    if (!live) {
      if (live.error().reason == base::Reason::kNotFound) return OwnerState::kDangling;
      return base::fail(live.error());
    }
    TRY_ASSIGN(const schema::MetadataView view, schema::view_metadata(live->payload()));
    return state_of(view, owner.uid);
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

  base::Result<Requeue> carry_out(Action action, client::Informer& informer, const RawObject& object,
                                  const schema::MetadataView& metadata, const std::vector<Dependent>& dependents,
                                  const Observed& observed) {
    switch (action) {
      case Action::kNone:
        return Requeue{};
      case Action::kDeleteDependents:
        return delete_dependents(metadata, dependents);
      case Action::kRemoveForegroundFinalizer:
        return remove_finalizer(informer.resource(), object, metadata, kForegroundFinalizer);
      case Action::kOrphanDependents:
        TRY(release_dependents(metadata, dependents));
        return remove_finalizer(informer.resource(), object, metadata, kOrphanFinalizer);
      case Action::kDropOwners: {
        std::vector<api::meta::v1::OwnerReference> kept;
        const auto owners = owners_of(metadata);
        for (size_t i = 0; i < owners.size(); ++i) {
          if (observed.owners[i] == OwnerState::kSolid) kept.push_back(owners[i]);
        }
        return done(client_.transport().call_and_wait(
            patch_call(informer.resource(), metadata, owner_patch(metadata, object.revision, kept))));
      }
      case Action::kDeleteBackground:
        if (const auto owner = only_owner(metadata); owner && observed.owners[0] == OwnerState::kDangling) {
          return delete_siblings(informer, *owner);
        }
        return done(client_.transport().call_and_wait(
            delete_call(informer.resource(), object, metadata, client::Propagation::kBackground)));
      case Action::kDeleteForeground:
        break;
    }
    return done(client_.transport().call_and_wait(
        delete_call(informer.resource(), object, metadata, client::Propagation::kForeground)));
  }

  static base::Result<Requeue> done(const base::Result<RawObject>& result) {
    if (result || result.error().reason == base::Reason::kNotFound) return Requeue{};
    return base::fail(result.error());
  }

  static client::Call delete_call(const schema::Resource& resource, const RawObject& object,
                                  const schema::MetadataView& metadata, client::Propagation propagation) {
    client::Call call;
    call.verb = client::Verb::kDelete;
    call.resource = &resource;
    call.ns = metadata.namespace_;
    call.name = metadata.name;
    // Compat: an object that already has a finalizer for its dependents keeps that way of deletion.
    call.propagation = contains(metadata.finalizers, kForegroundFinalizer) ? client::Propagation::kForeground
                       : contains(metadata.finalizers, kOrphanFinalizer)   ? client::Propagation::kOrphan
                                                                           : propagation;
    call.precondition_uid = metadata.uid;
    call.precondition_revision = object.revision;
    return call;
  }

  static client::Call patch_call(const schema::Resource& resource, const schema::MetadataView& metadata,
                                 std::string patch) {
    client::Call call;
    call.verb = client::Verb::kPatch;
    call.resource = &resource;
    call.ns = metadata.namespace_;
    call.name = metadata.name;
    call.body = std::move(patch);
    return call;
  }

  // The uid of the one owner of an object; nothing when it has several.
  static std::optional<std::string> only_owner(const schema::MetadataView& metadata) {
    std::optional<std::string> uid;
    for (const schema::OwnerView owner : metadata.owner_references) {
      if (uid) return std::nullopt;
      uid = std::string(owner.uid);
    }
    return uid;
  }

  // An owner that is gone leaves many of a kind behind: they go together and share the wait for the disk. Each of them
  // has a key of its own in the queue, which tries again what fails here.
  base::Result<Requeue> delete_siblings(client::Informer& informer, const std::string& owner_uid) {
    {
      base::MutexLock lock(mutex_);
      if (!sweeping_.insert(owner_uid).second) return Requeue{kSweepRetry};
    }
    base::Result<bool> more = true;
    while (more && *more) more = delete_some_siblings(informer, owner_uid);
    {
      base::MutexLock lock(mutex_);
      sweeping_.erase(owner_uid);
    }
    if (!more) return base::fail(more.error());
    return Requeue{};
  }

  // One batch. False when none is left.
  base::Result<bool> delete_some_siblings(client::Informer& informer, const std::string& owner_uid) {
    CallBatch calls(client_.transport());
    size_t count = 0;
    for (const RawObject& sibling : informer.by_index(kOwnerIndex, owner_uid)) {
      const auto metadata = schema::view_metadata(sibling.payload());
      if (!metadata || metadata->deletion_seconds || only_owner(*metadata) != owner_uid) continue;
      calls.add(delete_call(informer.resource(), sibling, *metadata, client::Propagation::kBackground));
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
        TRY_ASSIGN(const OwnerState state, owner_state(*dependent.resource, metadata, other));
        has_solid |= state == OwnerState::kSolid;
      }
      if (has_solid) {
        kept = owners_of(metadata);
        std::erase_if(kept, [&](const auto& reference) { return reference.uid == owner.uid; });
        calls.add(patch_call(*dependent.resource, metadata, owner_patch(metadata, dependent.object.revision, kept)));
      } else {
        const bool has_dependents = !find_dependents(metadata.uid).empty();
        calls.add(delete_call(*dependent.resource, dependent.object, metadata,
                              has_dependents ? client::Propagation::kForeground : client::Propagation::kBackground));
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
      calls.add(patch_call(*dependent.resource, metadata, owner_patch(metadata, dependent.object.revision, kept)));
    }
    for (const auto& result : calls.wait()) TRY(done(result));
    return {};
  }

  base::Result<Requeue> remove_finalizer(const schema::Resource& resource, const RawObject& object,
                                         const schema::MetadataView& metadata, std::string_view finalizer) {
    object::Array kept;
    for (const std::string_view text : metadata.finalizers) {
      if (text != finalizer) kept.emplace_back(text);
    }
    object::Object fields, patch;
    fields.set("uid", metadata.uid);
    fields.set("resourceVersion", std::to_string(object.revision));
    fields.set("finalizers", kept.empty() ? object::Value() : object::Value(std::move(kept)));
    patch.set("metadata", object::Value(std::move(fields)));
    return done(client_.transport().call_and_wait(
        patch_call(resource, metadata, object::to_json(object::Value(std::move(patch))))));
  }

  const client::Client client_;
  client::EventRecorder events_;
  std::vector<client::Informer*> informers_;
  base::Mutex mutex_;
  std::unordered_set<std::string> sweeping_ GUARDED_BY(mutex_);  // uids of gone owners whose dependents are going
};

}  // namespace

std::unique_ptr<Controller> make_controller(const Dependencies& dependencies) {
  return std::make_unique<GarbageCollector>(dependencies);
}

}  // namespace controllers::garbagecollector
