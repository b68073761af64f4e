#include "controllers/resourcequota/controller.h"

#include <algorithm>
#include <map>
#include <set>

#include "api/core/quota_usage.h"
#include "base/mutex.h"
#include "controllers/runtime/pace.h"
#include "controllers/runtime/pod_view.h"
#include "controllers/runtime/write_barrier.h"
#include "gen/catalogue.h"
#include "gen/core/v1.h"

namespace controllers::resourcequota {
namespace {

using api::core::v1::PersistentVolumeClaim;
using api::core::v1::Pod;
using api::core::v1::ResourceQuota;
using api::core::v1::ResourceQuotaSpec;
using api::core::v1::Service;
using api::quota::Usage;
using object::QuantityValue;

constexpr base::Duration kResync = std::chrono::minutes(5);  // Compat: resource-quota-sync-period
constexpr base::Duration kSyncRetry = std::chrono::milliseconds(100);
constexpr base::Duration kCustomResync = std::chrono::seconds(15);  // of quotas that count custom resources

bool has_verb(const schema::Resource& resource, std::string_view verb) {
  return std::ranges::find(resource.verbs, verb) != resource.verbs.end();
}

// Kinds that quotas can count: namespaced, stored, listed in their stored version. Compat: not events.
bool countable(const schema::Resource& resource) {
  return resource.subresource.empty() && resource.namespaced && !resource.key_prefix.empty() &&
         has_verb(resource, "list") && has_verb(resource, "watch") && has_verb(resource, "create") &&
         resource.name != "events" && resource.group == resource.stored_group &&
         resource.version == resource.stored_version;
}

void add(Usage& total, const Usage& more) {
  for (const auto& [name, amount] : more) {
    if (const auto at = total.find(name); at != total.end()) at->second += amount;
  }
}

// A change of a Pod that changes what it uses: of its spec (a resize), of being over, of being deleted.
bool pod_usage_changed(const client::Change& change) {
  const auto before = view_pod(change.before), after = view_pod(change.after);
  return !before || !after || before->metadata.generation != after->metadata.generation ||
         before->terminal() != after->terminal() || before->deleting() != after->deleting();
}

class QuotaController final : public Controller {
 public:
  explicit QuotaController(const Dependencies& dependencies)
      : client_(dependencies.transport),
        clock_(dependencies.clock),
        quotas_(dependencies.informers->get<ResourceQuota>()) {
    for (const schema::GroupVersion& version : gen::group_versions()) {
      if (!version.served_by_default) continue;
      for (const schema::Resource& resource : version.resources) {
        if (countable(resource)) sources_.push_back(&dependencies.informers->get(resource));
      }
    }
  }

  std::string_view name() const override { return "resourcequota-controller"; }
  int workers() const override { return 5; }
  void attach(const EnqueueKey& enqueue) override { enqueue_ = enqueue; }
  std::vector<WatchSpec> watches() override {
    // A kind that never syncs (a server that does not have it) is waited for only by the quotas that count it.
    for (client::Informer* source : sources_) {
      const bool pods = source->resource().name == "pods" && source->resource().group.empty();
      const bool measured = source->resource().group.empty() && (source->resource().name == "services" ||
                                                                 source->resource().name == "persistentvolumeclaims");
      source->add_handler([this, pods, measured](const client::Change& change) {
        if (!watched(change.key.ns)) return;
        const bool came_or_went = !change.before || !change.after;
        if (came_or_went || measured || (pods && pod_usage_changed(change))) wake(change.key.ns, enqueue_);
      });
    }
    return {{&quotas_,
             [this](const client::Change& change, const EnqueueKey& enqueue) { quota_changed(change, enqueue); }}};
  }

  base::Result<Requeue> reconcile(const std::string& key) override {
    if (!barrier_.passed(key, quotas_)) return Requeue{WriteBarrier::kRetry};
    if (const auto wait = pace_.wait(key, clock_->mono_now())) return Requeue{*wait};
    auto found = quotas_.get_as<ResourceQuota>(client::parse_key(key));
    if (!found) {
      pace_.forget(key);
      return Requeue{};
    }
    ResourceQuota& quota = *found;
    base::Duration again = kResync;
    size_t objects = 0;
    if (!synced_for(quota)) return Requeue{kSyncRetry};
    Usage used;
    for (const auto& [name, limit] : quota.spec.hard)
      used[name] = QuantityValue::from_int(0, QuantityValue::of(limit).form());
    std::set<std::string> uncounted;
    for (const auto& [name, limit] : quota.spec.hard) uncounted.insert(name);
    for (client::Informer* source : sources_) objects += count(quota, *source, used, uncounted);
    if (std::ranges::any_of(uncounted, [](const std::string& name) { return name.starts_with("count/"); })) {
      again = kCustomResync;
      TRY(count_custom(quota, used, uncounted));
    }
    // Compat: what nothing measures is not in the status.
    for (const std::string& name : uncounted) used.erase(name);
    pace_.note(key, objects, clock_->mono_now());
    TRY(write(key, quota, used));
    return Requeue{again};
  }

 private:
  void quota_changed(const client::Change& change, const EnqueueKey& enqueue) {
    {
      base::MutexLock lock(mutex_);
      auto& of = quotas_of_[change.key.ns];
      if (change.after) {
        of.insert(change.key.name);
      } else {
        of.erase(change.key.name);
      }
      if (of.empty()) quotas_of_.erase(change.key.ns);
    }
    if (change.after) enqueue(client::to_string(change.key));
  }
  bool watched(const std::string& ns) const {
    base::MutexLock lock(mutex_);
    return quotas_of_.contains(ns);
  }
  void wake(const std::string& ns, const EnqueueKey& enqueue) const {
    std::set<std::string> names;
    {
      base::MutexLock lock(mutex_);
      if (const auto of = quotas_of_.find(ns); of != quotas_of_.end()) names = of->second;
    }
    for (const std::string& name : names) enqueue(client::to_string({ns, name}));
  }

  // The first lists of all that the quota measures are there.
  bool synced_for(const ResourceQuota& quota) const {
    return std::ranges::all_of(sources_, [&](const client::Informer* source) {
      const schema::Resource& resource = source->resource();
      return source->has_synced() || std::ranges::none_of(quota.spec.hard, [&](const auto& limit) {
               return api::quota::measures(limit.first, resource.group, resource.name);
             });
    });
  }

  // Adds what the objects of one resource use; the number of objects looked at.
  size_t count(const ResourceQuota& quota, const client::Informer& source, Usage& used,
               std::set<std::string>& uncounted) const {
    const schema::Resource& resource = source.resource();
    const size_t measured = std::erase_if(
        uncounted, [&](const std::string& name) { return api::quota::measures(name, resource.group, resource.name); });
    // A name may be measured by one resource alone, so that nothing is left when another has taken it.
    if (measured == 0) return 0;
    const std::vector<client::RawObject> objects = source.list(quota.metadata.namespace_);
    for (const client::RawObject& raw : objects) add_object(quota.spec, resource, raw, used);
    return objects.size();
  }

  void add_object(const ResourceQuotaSpec& spec, const schema::Resource& resource, const client::RawObject& raw,
                  Usage& used) const {
    const bool core = resource.group.empty();
    if (core && resource.name == "pods") {
      const auto pod = client::decode_object<Pod>(raw);
      if (pod && api::quota::in_scopes(spec, *pod)) add(used, api::quota::usage_of(*pod, clock_->wall_now()));
    } else if (core && resource.name == "persistentvolumeclaims") {
      const auto claim = client::decode_object<PersistentVolumeClaim>(raw);
      if (claim && api::quota::in_scopes(spec, *claim)) add(used, api::quota::usage_of(*claim));
    } else if (api::quota::has_scopes(spec)) {
      return;  // other kinds are in no scope
    } else if (core && resource.name == "services") {
      if (const auto service = client::decode_object<Service>(raw)) add(used, api::quota::usage_of(*service));
    } else {
      add(used, api::quota::usage_of_other(resource.group, resource.name));
    }
  }

  base::Result<void> count_custom(const ResourceQuota& quota, Usage& used, std::set<std::string>& uncounted) const {
    TRY_ASSIGN(const auto resources, client_.transport().custom_resources());
    for (const auto& resource : resources) {
      const std::string name = api::quota::count_name(resource->group, resource->name);
      if (!resource->namespaced || uncounted.erase(name) == 0 || api::quota::has_scopes(quota.spec)) continue;
      client::ListCall call;
      call.resource = resource.get();
      call.ns = quota.metadata.namespace_;
      TRY_ASSIGN(const client::ListResult live, client_.transport().list(call));
      used[name] = QuantityValue::from_int(static_cast<int64_t>(live.items.size()));
    }
    return {};
  }

  base::Result<void> write(const std::string& key, ResourceQuota& quota, const Usage& used) {
    auto status = quota.status;
    status.hard = quota.spec.hard;
    status.used.clear();
    for (const auto& [name, amount] : used) {
      // The same amount in another form is no change.
      const auto before = quota.status.used.find(name);
      const bool same = before != quota.status.used.end() && QuantityValue::of(before->second) == amount;
      status.used[name] = same ? before->second : amount.to_quantity();
    }
    if (status == quota.status) return {};
    quota.status = std::move(status);
    auto written = client_.update_status(quota);
    if (written) {
      barrier_.note(key, std::stoll(written->metadata.resource_version));
      return {};
    }
    return written.error().reason == base::Reason::kNotFound ? base::Result<void>() : base::fail(written.error());
  }

  const client::Client client_;
  base::Clock* const clock_;
  client::Informer& quotas_;
  std::vector<client::Informer*> sources_;
  EnqueueKey enqueue_;
  WriteBarrier barrier_;
  Pace pace_;
  mutable base::Mutex mutex_;
  std::map<std::string, std::set<std::string>> quotas_of_ GUARDED_BY(mutex_);  // by namespace
};

}  // namespace

std::unique_ptr<Controller> make_controller(const Dependencies& dependencies) {
  return std::make_unique<QuotaController>(dependencies);
}

}  // namespace controllers::resourcequota
