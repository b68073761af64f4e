#include "apiserver/crd/crd_controller.h"

#include <algorithm>
#include <deque>
#include <map>
#include <set>
#include <unordered_map>
#include <unordered_set>

#include "api/apiextensions/custom_resource_definition.h"
#include "apiserver/core.h"
#include "apiserver/crd/api_services.h"
#include "apiserver/crd/conditions.h"
#include "apiserver/crd/custom_endpoints.h"
#include "apiserver/crd/custom_resource.h"
#include "apiserver/crd/instances.h"
#include "apiserver/crd/naming.h"
#include "apiserver/limits.h"
#include "apiserver/local_transport.h"
#include "apiserver/watch/hub.h"
#include "base/log.h"
#include "client/client.h"
#include "gen/codec.h"
#include "object/time.h"
#include "storage/keys.h"
#include "storage/stored_object.h"

namespace apiserver {
namespace {

constexpr std::string_view kPrefix = "/registry/apiextensions.k8s.io/customresourcedefinitions";
// Compat: these writes are the server's own.
constexpr std::string_view kManager = "kube-apiserver";
constexpr std::chrono::milliseconds kRetryDelay{200};

User own_user() { return {"system:apiserver", "", {"system:masters"}}; }

}  // namespace

class CrdController::Impl final : public kv::WatchSink, public std::enable_shared_from_this<Impl> {
 public:
  explicit Impl(Core* core)
      : core_(core), transport_(core, own_user(), std::string(kManager)), instances_(core, own_user()) {}

  base::Result<void> start() {
    base::MutexLock working(work_mutex_);
    const std::string first = storage::range_start(kPrefix, "");
    const kv::SnapshotPtr snapshot = core_->store().snapshot();
    std::vector<kv::KeyValueRef> found;
    snapshot->range(first, kv::prefix_end(first), [&](const kv::KeyValueRef& kv) {
      found.push_back(kv);
      return kv::Visit::kContinue;
    });
    for (const kv::KeyValueRef& kv : found) {
      auto definition = decode(kv);
      if (!definition) continue;
      names_.put(definition->metadata.name, definition->spec.group, definition->status.accepted_names);
      if (is_condition(*definition, "Established", "True")) publish(*definition, kv);
      add(definition->metadata.name);
    }
    starting_ = false;
    TRY_ASSIGN(auto watch, core_->store().watch(first, kv::prefix_end(first), snapshot->revision() + 1, this));
    {
      base::MutexLock lock(mutex_);
      watch_ = std::move(watch);
    }
    return {};
  }

  void stop() {
    std::unique_ptr<kv::Watch> watch;
    {
      base::MutexLock lock(mutex_);
      stopped_ = true;
      watch = std::move(watch_);
      queue_.clear();
    }
    watch.reset();
    base::MutexLock working(work_mutex_);  // the one under way has ended
  }

  void on_events(std::span<const kv::Event> events, int64_t) override {
    for (const kv::Event& event : events) add(std::string(storage::split_key(kPrefix, event.kv->key.view()).name));
  }
  void on_progress(int64_t) override {}
  void on_cancelled(const base::Error& error) override {
    base::log::error("definitions are not followed any more", {{"error", error.message}});
  }

 private:
  void add(std::string name) {
    {
      base::MutexLock lock(mutex_);
      if (stopped_ || !queued_.insert(name).second) return;
      queue_.push_back(std::move(name));
    }
    schedule();
  }
  void add_after(std::string name, base::Duration delay) {
    core_->pool().post_after(delay, [weak = weak_from_this(), name = std::move(name)]() mutable {
      if (auto self = weak.lock()) self->add(std::move(name));
    });
  }

  void schedule() {
    {
      base::MutexLock lock(mutex_);
      if (running_ || queue_.empty() || stopped_) return;
      running_ = true;
    }
    core_->pool().post([weak = weak_from_this()] {
      if (auto self = weak.lock()) self->drain();
    });
  }

  void drain() {
    for (;;) {
      std::string name;
      base::MutexLock working(work_mutex_);
      {
        base::MutexLock lock(mutex_);
        if (queue_.empty() || stopped_) {
          running_ = false;
          return;
        }
        name = std::move(queue_.front());
        queue_.pop_front();
        queued_.erase(name);
      }
      reconcile(name);
    }
  }

  static std::optional<CustomResourceDefinition> decode(const kv::KeyValueRef& kv) {
    auto stored = storage::open_stored(kv);
    if (!stored) return std::nullopt;
    auto decoded = gen::decode<CustomResourceDefinition>(stored->raw);
    if (!decoded) return std::nullopt;
    decoded->metadata.resource_version = std::to_string(kv->mod_revision);
    return *std::move(decoded);
  }

  void reconcile(const std::string& name) REQUIRES(work_mutex_) {
    kv::KeyValueRef kv = core_->store().snapshot()->get_ref(storage::object_key(kPrefix, "", name));
    if (!kv) return forget(name);
    auto definition = decode(kv);
    if (!definition) return;
    if (definition->metadata.deletion_timestamp) return terminate(*definition, kv);
    const object::Time now = object::to_time(core_->clock().wall_now());
    NamingResult naming = accept_names(*definition, names_);
    const auto before = definition->status;
    const bool accepted = naming.names_accepted.status == "True";
    definition->status.accepted_names = std::move(naming.accepted);
    names_.put(name, definition->spec.group, definition->status.accepted_names);
    set_condition(*definition, naming.names_accepted, now);
    if (accepted) {
      set_condition(*definition,
                    {"Established", "True", "InitialNamesAccepted", "the initial names have been accepted"}, now);
    } else if (!is_condition(*definition, "Established", "True")) {
      set_condition(*definition, {"Established", "False", "NotAccepted", "not all names are accepted"}, now);
    }
    follow(*definition, "NonStructuralSchema", api::non_structural_condition(*definition), now);
    follow(*definition, "KubernetesAPIApprovalPolicyConformant", api::api_approval_condition(*definition), now);
    if (is_condition(*definition, "Established", "True")) publish(*definition, kv);
    if (definition->status != before) write_status(*definition);
    // Names that this one gave up may be another's.
    if (definition->status.accepted_names != before.accepted_names) wake_refused(definition->spec.group);
    if (accepted) {
      refused_[definition->spec.group].erase(name);
    } else {
      refused_[definition->spec.group].insert(name);
    }
  }

  // A condition as it should be; none = it should not be there.
  static void follow(CustomResourceDefinition& definition, std::string_view type,
                     std::optional<::api::apiextensions::v1::CustomResourceDefinitionCondition> wanted,
                     object::Time now) {
    if (wanted) {
      set_condition(definition, {type, wanted->status, std::move(wanted->reason), std::move(wanted->message)}, now);
    } else {
      remove_condition(definition, type);
    }
  }

  // Tries again later when it fails; a conflict means that there is something newer to look at anyway.
  void write(const CustomResourceDefinition& definition, std::string_view subresource) {
    client::Call call;
    call.verb = client::Verb::kUpdate;
    call.resource = gen::find_resource("apiextensions.k8s.io", "v1", "customresourcedefinitions", subresource);
    call.name = definition.metadata.name;
    call.body = client::encode_object(definition);
    auto written = transport_.call_and_wait(std::move(call));
    if (written || written.error().reason == base::Reason::kNotFound) return;
    if (written.error().reason != base::Reason::kConflict) {
      base::log::warning("a definition could not be updated",
                         {{"definition", definition.metadata.name}, {"error", written.error().message}});
    }
    add_after(definition.metadata.name, kRetryDelay);
  }
  void write_status(const CustomResourceDefinition& definition) { write(definition, "status"); }

  // Endpoints change with the definition's spec and names, not with each write of it.
  void publish(const CustomResourceDefinition& definition, const kv::KeyValueRef& kv) REQUIRES(work_mutex_) {
    CustomResourcePtr& known = published_[definition.metadata.name];
    if (known && known->fingerprint() == CustomResource::fingerprint_of(definition)) return;
    // Compat: a resource can be watched from when it was first served; after a restart, from wherever history begins.
    int64_t born = starting_ ? 0 : core_->store().accepted_revision();
    if (known && known->uid() == definition.metadata.uid) born = known->born();
    auto made = std::make_shared<const CustomResource>(definition, kv->value, core_, born);
    const bool renamed = known && known->plural() != made->plural();
    if (renamed) core_->endpoints().custom().withdraw(known->group(), known->plural());
    core_->endpoints().custom().publish(made);
    // Compat: whatever changes of the spec or the accepted names ends the watches: they show objects as the definition
    // was. Clients watch again from where they were. A request that still has the old endpoints sees for itself.
    if (known && !known->has_shape_of(*made)) core_->watches().end(known->key_prefix());
    api_services_.set(definition.metadata.name, made->group(), made->served_versions());
    known = std::move(made);
  }

  void forget(const std::string& name) REQUIRES(work_mutex_) {
    names_.remove(name);
    for (auto& [group, names] : refused_) names.erase(name);
    auto found = published_.find(name);
    if (found == published_.end()) return;
    const CustomResourcePtr resource = found->second;
    published_.erase(found);
    core_->endpoints().custom().withdraw(resource->group(), resource->plural());
    api_services_.set(name, resource->group(), {});
    core_->watches().end(resource->key_prefix());
    wake_refused(resource->group());
  }

  void wake_refused(const std::string& group) REQUIRES(work_mutex_) {
    auto found = refused_.find(group);
    if (found == refused_.end()) return;
    for (const std::string& name : found->second) add(name);
    if (found->second.empty()) refused_.erase(found);
  }

  // Compat: instances go first; the last of them takes the finalizer along.
  void terminate(CustomResourceDefinition& definition, const kv::KeyValueRef& kv) REQUIRES(work_mutex_) {
    auto& finalizers = definition.metadata.finalizers;
    const auto own = std::ranges::find(finalizers, kCleanupFinalizer);
    if (own == finalizers.end()) return;
    const object::Time now = object::to_time(core_->clock().wall_now());
    if (is_condition(definition, "Established", "True")) publish(definition, kv);
    auto found = published_.find(definition.metadata.name);
    if (found != published_.end()) {
      const Endpoint& endpoint = found->second->storage_endpoint();
      if (!instances_.gone(endpoint)) {
        const CrdCondition busy{"Terminating", "True", "InstanceDeletionInProgress",
                                "CustomResource deletion is in progress"};
        if (set_condition(definition, busy, now) == ConditionChange::kChanged) {
          write_status(definition);  // its event brings us back
          return;
        }
        instances_.remove_all(endpoint);
        if (!instances_.gone(endpoint)) return add_after(definition.metadata.name, kRetryDelay);
      }
    }
    finalizers.erase(own);
    write(definition, "");
  }

  Core* const core_;
  LocalTransport transport_;
  ApiServices api_services_ GUARDED_BY(work_mutex_){core_, &transport_};
  Instances instances_;
  base::Mutex work_mutex_;  // held while a definition is worked on
  bool starting_ GUARDED_BY(work_mutex_) = true;
  NameIndex names_ GUARDED_BY(work_mutex_);
  std::unordered_map<std::string, CustomResourcePtr> published_ GUARDED_BY(work_mutex_);
  std::map<std::string, std::set<std::string>> refused_
      GUARDED_BY(work_mutex_);  // by group: definitions that wait for names
  base::Mutex mutex_;
  std::unique_ptr<kv::Watch> watch_ GUARDED_BY(mutex_);
  std::deque<std::string> queue_ GUARDED_BY(mutex_);
  std::unordered_set<std::string> queued_ GUARDED_BY(mutex_);
  bool running_ GUARDED_BY(mutex_) = false;
  bool stopped_ GUARDED_BY(mutex_) = false;
};

CrdController::CrdController(Core* core) : impl_(std::make_shared<Impl>(core)) {}
CrdController::~CrdController() { stop(); }
base::Result<void> CrdController::start() { return impl_->start(); }
void CrdController::stop() { impl_->stop(); }

}  // namespace apiserver
