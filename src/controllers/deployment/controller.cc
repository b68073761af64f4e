#include "controllers/deployment/controller.h"

#include <algorithm>

#include "api/label_selector.h"
#include "client/events.h"
#include "controllers/deployment/plan.h"
#include "controllers/deployment/replica_sets.h"
#include "controllers/runtime/owners.h"
#include "controllers/runtime/pod_view.h"
#include "controllers/runtime/write_barrier.h"

namespace controllers::deployment {
namespace {

using client::EventType;

std::string scaled_message(std::string_view direction, const std::string& name, int32_t from, int32_t to) {
  return "Scaled " + std::string(direction) + " replica set " + name + " from " + std::to_string(from) + " to " +
         std::to_string(to);
}

class DeploymentController final : public Controller {
 public:
  explicit DeploymentController(const Dependencies& dependencies)
      : client_(dependencies.transport),
        clock_(dependencies.clock),
        events_(dependencies.transport, dependencies.clock, "deployment-controller"),
        deployments_(dependencies.informers->get<Deployment>()),
        sets_(dependencies.informers->get<ReplicaSet>()),
        pods_(dependencies.informers->get<api::core::v1::Pod>()) {
    index_by_owner(sets_);
    index_orphans(sets_);
    index_by_owner(pods_);
  }

  std::string_view name() const override { return "deployment-controller"; }
  int workers() const override { return 5; }
  std::vector<WatchSpec> watches() override {
    return {{&deployments_, enqueue_self()},
            {&sets_, enqueue_controller_owner("apps", "Deployment")},
            {&sets_, [this](const client::Change& change, const EnqueueKey& enqueue) { map_orphan(change, enqueue); }},
            {&pods_, [this](const client::Change& change, const EnqueueKey& enqueue) { map_pod(change, enqueue); }}};
  }

  base::Result<Requeue> reconcile(const std::string& key) override {
    if (!barrier_.passed(key, sets_)) return Requeue{WriteBarrier::kRetry};
    auto found = deployments_.get_as<Deployment>(client::parse_key(key));
    if (!found) return Requeue{};
    Observed observed;
    observed.deployment = std::move(*found);
    observed.now = clock_->wall_now();
    if (!observed.deployment.spec.selector || api::empty(*observed.deployment.spec.selector)) {
      events_.event_on(observed.deployment, EventType::kWarning, "SelectingAll",
                       "This deployment is selecting all pods. A non-empty selector is required.");
      return Requeue{};
    }
    TRY(claim(observed.deployment, observed.sets));
    if (!is_rolling(observed.deployment)) observed.old_pods = count_old_pods(observed);
    const Deployment before = observed.deployment;
    Plan todo = plan(std::move(observed));
    TRY(execute(key, before, todo));
    TRY(write_status(before, todo));
    return Requeue{todo.look_again};
  }

 private:
  void map_orphan(const client::Change& change, const EnqueueKey& enqueue) {
    if (!change.after || controller_of(change.after)) return;
    for (const client::RawObject& raw : deployments_.list(change.key.ns)) {
      const auto view = schema::view_metadata(raw.payload());
      if (view) enqueue(client::to_string({change.key.ns, std::string(view->name)}));
    }
  }

  // A Recreate rollout waits for the last old Pod to go.
  void map_pod(const client::Change& change, const EnqueueKey& enqueue) {
    if (change.after) return;
    const auto owner = controller_of(change.before);
    if (!owner || owner->kind != "ReplicaSet") return;
    const client::RawObject set = sets_.get({change.key.ns, std::string(owner->name)});
    if (!set) return;
    const auto deployment = controller_of(set);
    if (deployment && deployment->kind == "Deployment") {
      enqueue(client::to_string({change.key.ns, std::string(deployment->name)}));
    }
  }

  // The sets that the Deployment controls, with matching orphans taken in and others let go.
  base::Result<void> claim(const Deployment& deployment, std::vector<ReplicaSet>& sets) {
    TRY_ASSIGN(const object::LabelSelector selector, api::to_selector(deployment.spec.selector));
    for (ReplicaSet& set : sets_.by_index_as<ReplicaSet>(kOwnerIndex, deployment.metadata.uid)) {
      const auto* owner = controller_of(set.metadata);
      if (!owner || owner->uid != deployment.metadata.uid) continue;
      if (deployment.metadata.deletion_timestamp || api::selects(selector, set.metadata.labels)) {
        sets.push_back(std::move(set));
      } else {
        std::erase_if(set.metadata.owner_references, [&](const auto& o) { return o.uid == deployment.metadata.uid; });
        TRY(write_set(set));
      }
    }
    if (deployment.metadata.deletion_timestamp) return {};
    for (ReplicaSet& set : sets_.by_index_as<ReplicaSet>(kOrphanIndex, deployment.metadata.namespace_)) {
      if (set.metadata.deletion_timestamp || !api::selects(selector, set.metadata.labels)) continue;
      set.metadata.owner_references.push_back(
          controller_reference(client::resource_of<Deployment>(), deployment.metadata));
      TRY_ASSIGN(ReplicaSet adopted, client_.update(set));
      sets.push_back(std::move(adopted));
    }
    return {};
  }

  int32_t count_old_pods(const Observed& observed) const {
    const ReplicaSet* current = new_set_of(observed);
    int32_t count = 0;
    for (const ReplicaSet& set : observed.sets) {
      if (&set == current) continue;
      for (const PodView& pod : view_pods(pods_.by_index(kOwnerIndex, set.metadata.uid)))
        count += pod.terminal() ? 0 : 1;
    }
    return count;
  }

  base::Result<void> write_set(const ReplicaSet& set) {
    if (auto written = client_.update(set); !written && written.error().reason != base::Reason::kNotFound) {
      return base::fail(written.error());
    }
    return {};
  }

  base::Result<void> execute(const std::string& key, const Deployment& deployment, Plan& todo) {
    if (todo.create) TRY(create_set(key, deployment, *todo.create, todo.status));
    for (const Update& update : todo.updates) {
      TRY_ASSIGN(const ReplicaSet written, client_.update(update.set));
      barrier_.note(key, std::stoll(written.metadata.resource_version));
      if (!update.scaling) continue;
      const auto [from, to] = *update.scaling;
      events_.event_on(deployment, EventType::kNormal, "ScalingReplicaSet",
                       scaled_message(to > from ? "up" : "down", update.set.metadata.name, from, to));
    }
    for (const ReplicaSet& set : todo.remove) {
      client::DeleteOptions options;
      options.precondition_uid = set.metadata.uid;
      auto removed = client_.remove<ReplicaSet>(set.metadata.namespace_, set.metadata.name, options);
      if (!removed && removed.error().reason != base::Reason::kNotFound) return removed;
    }
    return {};
  }

  base::Result<void> create_set(const std::string& key, const Deployment& deployment, const ReplicaSet& set,
                                api::apps::v1::DeploymentStatus& status) {
    auto created = client_.create(set);
    if (created) {
      barrier_.note(key, std::stoll(created->metadata.resource_version));
      const int32_t replicas = replicas_of(set);
      if (replicas > 0) {
        events_.event_on(deployment, EventType::kNormal, "ScalingReplicaSet",
                         scaled_message("up", set.metadata.name, 0, replicas));
      }
      return {};
    }
    if (created.error().reason == base::Reason::kAlreadyExists) return resolve_collision(deployment, set, status);
    const std::string message =
        "Failed to create new replica set \"" + set.metadata.name + "\": " + created.error().message;
    set_condition(status, make_condition("Progressing", "False", "ReplicaSetCreateError", created.error().message,
                                         clock_->wall_now()));
    events_.event_on(deployment, EventType::kWarning, "ReplicaSetCreateError", message);
    Plan failed;
    failed.status = status;
    (void)write_status(deployment, failed);
    return base::fail(created.error());
  }

  // The name is taken: by our own set that the cache does not show yet, or by another template with the same hash.
  base::Result<void> resolve_collision(const Deployment& deployment, const ReplicaSet& set,
                                       api::apps::v1::DeploymentStatus& status) {
    TRY_ASSIGN(const ReplicaSet other, client_.get<ReplicaSet>(set.metadata.namespace_, set.metadata.name));
    const auto* owner = controller_of(other.metadata);
    const bool ours = owner && owner->uid == deployment.metadata.uid;
    if (!ours || !same_template(other.spec.template_, set.spec.template_)) {
      status = deployment.status;
      status.collision_count = status.collision_count.value_or(0) + 1;
    }
    return {};
  }

  // Compat: the revision goes with the status: through the object itself the annotation would raise the generation.
  base::Result<void> write_status(const Deployment& deployment, const Plan& todo) {
    if (deployment.status == todo.status && todo.revision.empty()) return {};
    Deployment newer = deployment;
    newer.status = todo.status;
    if (!todo.revision.empty()) newer.metadata.annotations[kRevision] = todo.revision;
    if (auto updated = client_.update_status(newer); !updated && updated.error().reason != base::Reason::kNotFound) {
      return base::fail(updated.error());
    }
    return {};
  }

  const client::Client client_;
  base::Clock* const clock_;
  client::EventRecorder events_;
  client::Informer& deployments_;
  client::Informer& sets_;
  client::Informer& pods_;
  WriteBarrier barrier_;
};

}  // namespace

std::unique_ptr<Controller> make_controller(const Dependencies& dependencies) {
  return std::make_unique<DeploymentController>(dependencies);
}

}  // namespace controllers::deployment
