#include "controllers/nodelifecycle/controller.h"

#include <algorithm>
#include <unordered_map>

#include "base/mutex.h"
#include "client/events.h"
#include "controllers/nodelifecycle/plan.h"
#include "controllers/runtime/call_batch.h"
#include "controllers/runtime/pod_index.h"
#include "gen/coordination/v1.h"
#include "object/time.h"

namespace controllers::nodelifecycle {
namespace {

using api::coordination::v1::Lease;
using api::core::v1::Node;
using api::core::v1::Pod;

class NodeLifecycleController final : public Controller {
 public:
  explicit NodeLifecycleController(const Dependencies& dependencies)
      : client_(dependencies.transport),
        clock_(dependencies.clock),
        events_(dependencies.transport, dependencies.clock, "node-controller"),
        nodes_(dependencies.informers->get<Node>()),
        leases_(dependencies.informers->get<Lease>()),
        pods_(dependencies.informers->get<Pod>()) {
    index_by_node(pods_);
  }

  std::string_view name() const override { return "node-lifecycle-controller"; }
  int workers() const override { return 2; }
  std::vector<WatchSpec> watches() override {
    // Leases are read when a node is looked at; only that they are there is waited for.
    return {{&nodes_, enqueue_self()},
            {&leases_, [](const client::Change&, const EnqueueKey&) {}},
            {&pods_, [](const client::Change&, const EnqueueKey&) {}}};
  }

  base::Result<Requeue> reconcile(const std::string& key) override {
    auto found = nodes_.get_as<Node>({"", key});
    if (!found) {
      removed(key);
      return Requeue{};
    }
    Node& node = *found;
    const base::MonoTime mono_now = clock_->mono_now();
    Heartbeat heartbeat;
    {
      base::MutexLock lock(mutex_);
      std::optional<Heartbeat>& known = heartbeats_[key];
      if (!known) registered(node);
      observe(known, node, renewed(key), mono_now);
      heartbeat = *known;
    }
    const Plan todo = plan(node, heartbeat, mono_now, clock_->wall_now());
    if (todo.write_status) {
      node.status.conditions = todo.conditions;
      TRY_ASSIGN(node, client_.update_status(node));
    }
    if (todo.write_taints) {
      node.spec.taints = todo.taints;
      if (auto written = client_.update(node); !written) return base::fail(written.error());
    }
    if (todo.became_not_ready) {
      events_.event_on(node, client::EventType::kNormal, "NodeNotReady",
                       "Node " + key + " status is now: NodeNotReady");
    }
    TRY(mark_pods(node));
    return Requeue{kMonitorPeriod};
  }

 private:
  std::optional<object::MicroTime> renewed(const std::string& node) const {
    auto lease = leases_.get_as<Lease>({"kube-node-lease", node});
    if (!lease || !lease->spec.renew_time) return std::nullopt;
    return *lease->spec.renew_time;
  }

  void registered(const Node& node) {
    events_.event_on(node, client::EventType::kNormal, "RegisteredNode",
                     "Node " + node.metadata.name + " event: Registered Node " + node.metadata.name + " in Controller");
  }

  void removed(const std::string& name) {
    {
      base::MutexLock lock(mutex_);
      if (heartbeats_.erase(name) == 0) return;
    }
    Node node;
    node.metadata.name = name;
    events_.event_on(node, client::EventType::kNormal, "RemovingNode",
                     "Node " + name + " event: Removing Node " + name + " from Controller");
  }

  // Pods of a node that is not ready are not ready either.
  base::Result<void> mark_pods(const Node& node) {
    const bool ready = std::ranges::any_of(node.status.conditions, [](const auto& condition) {
      return condition.type == "Ready" && condition.status == "True";
    });
    if (ready) return {};
    CallBatch calls(client_.transport());
    for (Pod& pod : pods_.by_index_as<Pod>(kNodeIndex, node.metadata.name)) {
      const auto condition = std::ranges::find(pod.status.conditions, "Ready", &api::core::v1::PodCondition::type);
      if (condition == pod.status.conditions.end() || condition->status != "True") continue;
      condition->status = "False";
      condition->last_transition_time = object::to_time(clock_->wall_now());
      events_.event_on(pod, client::EventType::kWarning, "NodeNotReady", "Node is not ready");
      client::Call call;
      call.verb = client::Verb::kUpdate;
      call.resource = &client::resource_of<Pod>("status");
      call.ns = pod.metadata.namespace_;
      call.name = pod.metadata.name;
      call.body = client::encode_object(pod);
      calls.add(std::move(call));
    }
    for (const auto& result : calls.wait()) {
      if (!result && result.error().reason != base::Reason::kNotFound) return base::fail(result.error());
    }
    return {};
  }

  const client::Client client_;
  base::Clock* const clock_;
  client::EventRecorder events_;
  client::Informer& nodes_;
  client::Informer& leases_;
  client::Informer& pods_;
  base::Mutex mutex_;
  std::unordered_map<std::string, std::optional<Heartbeat>> heartbeats_ GUARDED_BY(mutex_);
};

}  // namespace

std::unique_ptr<Controller> make_controller(const Dependencies& dependencies) {
  return std::make_unique<NodeLifecycleController>(dependencies);
}

}  // namespace controllers::nodelifecycle
