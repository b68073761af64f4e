#include "controllers/namespace/controller.h"

#include <algorithm>

#include "controllers/namespace/plan.h"
#include "gen/catalogue.h"
#include "schema/metadata_view.h"

namespace controllers::ns {
namespace {

using api::core::v1::Namespace;

constexpr const char* kFinalizer = "kubernetes";

bool has_verb(const schema::Resource& resource, std::string_view verb) {
  return std::ranges::find(resource.verbs, verb) != resource.verbs.end();
}

bool is_content(const schema::Resource& resource) {
  return resource.namespaced && resource.subresource.empty() && !resource.key_prefix.empty() &&
         has_verb(resource, "delete") && has_verb(resource, "list");
}

// Every namespaced kind of content once, Pods first, so that nothing that they use goes before them. Of kinds that are
// off by default every version: any of them may have been switched on.
std::vector<const schema::Resource*> content_resources() {
  std::vector<const schema::Resource*> resources, others;
  const auto known = [&](const schema::Resource& resource) {
    return std::ranges::any_of(resources, [&](const auto* other) { return other->key_prefix == resource.key_prefix; });
  };
  for (const schema::GroupVersion& version : gen::group_versions()) {
    for (const schema::Resource& resource : version.resources) {
      if (!is_content(resource)) continue;
      if (!version.served_by_default) {
        others.push_back(&resource);
      } else if (!known(resource)) {
        resources.push_back(&resource);
      }
    }
  }
  std::erase_if(others, [&](const auto* resource) { return known(*resource); });
  resources.insert(resources.end(), others.begin(), others.end());
  const auto pods = std::ranges::find_if(
      resources, [](const schema::Resource* resource) { return resource->group.empty() && resource->name == "pods"; });
  std::rotate(resources.begin(), pods, pods + 1);
  return resources;
}

class NamespaceController final : public Controller {
 public:
  explicit NamespaceController(const Dependencies& dependencies)
      : client_(dependencies.transport),
        clock_(dependencies.clock),
        namespaces_(dependencies.informers->get<Namespace>()),
        resources_(content_resources()) {}

  std::string_view name() const override { return "namespace-controller"; }
  int workers() const override { return 4; }
  std::vector<WatchSpec> watches() override {
    return {{&namespaces_, [](const client::Change& change, const EnqueueKey& enqueue) {
               if (!change.after) return;
               const auto view = schema::view_metadata(change.after.payload());
               if (view && view->deletion_seconds) enqueue(change.key.name);
             }}};
  }

  base::Result<Requeue> reconcile(const std::string& key) override {
    auto found = namespaces_.get_as<Namespace>({"", key});
    if (!found || !found->metadata.deletion_timestamp) return Requeue{};
    if (std::ranges::find(found->spec.finalizers, kFinalizer) == found->spec.finalizers.end()) return Requeue{};
    const Remaining remaining = sweep(key);
    if (remaining.empty()) return finalize(*found);
    const auto status = plan_status(found->status, remaining, clock_->wall_now());
    if (!(status == found->status)) {
      found->status = status;
      auto updated = client_.update_status(*found);
      if (!updated && updated.error().reason != base::Reason::kNotFound) return base::fail(updated.error());
    }
    return Requeue{look_again_after(remaining)};
  }

 private:
  Remaining sweep(const std::string& name) const {
    Remaining remaining;
    for (const schema::Resource* resource : resources_) {
      // Compat: ordered deletion: nothing else goes while Pods are left.
      if (sweep_resource(*resource, name, remaining) > 0 && resource->group.empty() && resource->name == "pods")
        return remaining;
    }
    const auto custom = client_.transport().custom_resources();
    if (!custom) {
      remaining.discovery_failure = custom.error().message;
      return remaining;
    }
    for (const auto& resource : *custom) {
      const bool sweepable = has_verb(*resource, "list") && has_verb(*resource, "delete");
      if (resource->namespaced && sweepable) sweep_resource(*resource, name, remaining);
    }
    return remaining;
  }

  // How many objects are left.
  size_t sweep_resource(const schema::Resource& resource, const std::string& name, Remaining& remaining) const {
    client::ListCall list{&resource, name, "", ""};
    auto before = client_.transport().list(list);
    if (before ? before->items.empty() : before.error().reason == base::Reason::kNotFound) return 0;
    if (!before) {
      remaining.failures.push_back(before.error().message);
      return 0;
    }
    remove(resource, name, before->items, remaining);
    auto left = client_.transport().list(list);
    if (!left) {
      remaining.failures.push_back(left.error().message);
      return 0;
    }
    count(resource, left->items, remaining);
    return left->items.size();
  }

  // Compat: one by one where a resource cannot delete a collection.
  void remove(const schema::Resource& resource, const std::string& name, const std::vector<client::RawObject>& items,
              Remaining& remaining) const {
    client::Call call;
    call.verb = client::Verb::kDeleteCollection;
    call.resource = &resource;
    call.ns = name;
    call.propagation = client::Propagation::kBackground;
    const auto run = [&](client::Call one) {
      auto deleted = client_.transport().call_and_wait(std::move(one));
      if (!deleted && deleted.error().reason != base::Reason::kNotFound)
        remaining.failures.push_back(deleted.error().message);
    };
    if (has_verb(resource, "deletecollection")) return run(std::move(call));
    call.verb = client::Verb::kDelete;
    for (const client::RawObject& item : items) {
      const auto view = schema::view_metadata(item.payload());
      if (!view || view->deletion_seconds) continue;
      call.name = view->name;
      run(call);
    }
  }

  static void count(const schema::Resource& resource, const std::vector<client::RawObject>& items,
                    Remaining& remaining) {
    if (items.empty()) return;
    remaining.instances[std::string(resource.name) + "." + std::string(resource.group)] =
        static_cast<int64_t>(items.size());
    const bool pods = resource.group.empty() && resource.name == "pods";
    for (const client::RawObject& item : items) {
      const auto view = schema::view_metadata(item.payload());
      if (!view) continue;
      for (const std::string_view finalizer : view->finalizers) ++remaining.finalizers[std::string(finalizer)];
      if (pods) {
        remaining.longest_grace_seconds =
            std::max(remaining.longest_grace_seconds, view->deletion_grace_period_seconds.value_or(0));
      }
    }
  }

  base::Result<Requeue> finalize(Namespace& object) const {
    std::erase(object.spec.finalizers, kFinalizer);
    auto written = client_.update(object, "finalize");
    if (!written && written.error().reason != base::Reason::kNotFound) return base::fail(written.error());
    return Requeue{};
  }

  const client::Client client_;
  base::Clock* const clock_;
  client::Informer& namespaces_;
  const std::vector<const schema::Resource*> resources_;
};

}  // namespace

std::unique_ptr<Controller> make_controller(const Dependencies& dependencies) {
  return std::make_unique<NamespaceController>(dependencies);
}

}  // namespace controllers::ns
