#include "controllers/tainteviction/controller.h"

#include <algorithm>

#include "client/events.h"
#include "controllers/runtime/pod_index.h"
#include "controllers/tainteviction/plan.h"
#include "object/time.h"
#include "schema/metadata_view.h"

namespace controllers::tainteviction {
namespace {

using api::core::v1::Node;
using api::core::v1::Pod;

class TaintEvictionController final : public Controller {
 public:
  explicit TaintEvictionController(const Dependencies& dependencies)
      : client_(dependencies.transport),
        clock_(dependencies.clock),
        events_(dependencies.transport, dependencies.clock, "taint-eviction-controller"),
        nodes_(dependencies.informers->get<Node>()),
        pods_(dependencies.informers->get<Pod>()) {
    index_by_node(pods_);
  }

  std::string_view name() const override { return "taint-eviction-controller"; }
  std::vector<WatchSpec> watches() override {
    return {{&pods_, [this](const client::Change& change, const EnqueueKey& enqueue) { map_pod(change, enqueue); }},
            {&nodes_, [this](const client::Change& change, const EnqueueKey& enqueue) { map_node(change, enqueue); }}};
  }

  base::Result<Requeue> reconcile(const std::string& key) override {
    auto pod = pods_.get_as<Pod>(client::parse_key(key));
    if (!pod || pod->metadata.deletion_timestamp || pod->spec.node_name.empty()) return Requeue{};
    auto node = nodes_.get_as<Node>({"", pod->spec.node_name});
    if (!node) return Requeue{};
    const base::WallTime now = clock_->wall_now();
    const auto due = eviction_time(pod->spec.tolerations, node->spec.taints, now);
    if (!due) return Requeue{};
    if (*due > now) return Requeue{*due - now};
    return evict(*pod);
  }

 private:
  bool is_tainted(const client::RawObject& raw) const {
    if (!raw) return false;
    auto node = client::decode_object<Node>(raw);
    return node && std::ranges::any_of(node->spec.taints, [](const auto& t) { return t.effect == "NoExecute"; });
  }

  void map_pod(const client::Change& change, const EnqueueKey& enqueue) {
    if (!change.after) return;
    const auto node = schema::find_bytes(change.after.payload(), {2, 10});
    if (node && !node->empty() && is_tainted(nodes_.get({"", std::string(*node)}))) {
      enqueue(client::to_string(change.key));
    }
  }

  void map_node(const client::Change& change, const EnqueueKey& enqueue) {
    if (!is_tainted(change.after)) return;
    for (const client::RawObject& pod : pods_.by_index(kNodeIndex, change.key.name)) {
      const auto view = schema::view_metadata(pod.payload());
      if (view) enqueue(client::to_string({std::string(view->namespace_), std::string(view->name)}));
    }
  }

  base::Result<Requeue> evict(Pod& pod) {
    events_.event_on(pod, client::EventType::kNormal, "TaintManagerEviction",
                     "Marking for deletion Pod " + pod.metadata.namespace_ + "/" + pod.metadata.name);
    auto found = std::ranges::find(pod.status.conditions, "DisruptionTarget", &api::core::v1::PodCondition::type);
    if (found == pod.status.conditions.end()) found = pod.status.conditions.emplace(pod.status.conditions.end());
    if (found->status != "True") found->last_transition_time = object::to_time(clock_->wall_now());
    found->type = "DisruptionTarget";
    found->status = "True";
    found->reason = "DeletionByTaintManager";
    found->message = "Taint manager: deleting due to NoExecute taint";
    found->observed_generation = pod.metadata.generation;
    if (auto written = client_.update_status(pod); !written) return outcome(written.error());
    client::DeleteOptions options;
    options.precondition_uid = pod.metadata.uid;
    if (auto removed = client_.remove<Pod>(pod.metadata.namespace_, pod.metadata.name, options); !removed) {
      return outcome(removed.error());
    }
    return Requeue{};
  }

  static base::Result<Requeue> outcome(const base::Error& error) {
    if (error.reason == base::Reason::kNotFound) return Requeue{};
    return base::fail(error);
  }

  const client::Client client_;
  base::Clock* const clock_;
  client::EventRecorder events_;
  client::Informer& nodes_;
  client::Informer& pods_;
};

}  // namespace

std::unique_ptr<Controller> make_controller(const Dependencies& dependencies) {
  return std::make_unique<TaintEvictionController>(dependencies);
}

}  // namespace controllers::tainteviction
