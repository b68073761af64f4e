#include "controllers/daemonset/controller.h"

#include <algorithm>
#include <unordered_map>

#include "api/label_selector.h"
#include "base/mutex.h"
#include "client/events.h"
#include "controllers/daemonset/plan.h"
#include "controllers/runtime/call_batch.h"
#include "controllers/runtime/owners.h"
#include "controllers/runtime/pod_claim.h"
#include "controllers/runtime/revisions.h"
#include "controllers/runtime/write_barrier.h"
#include "schema/proto_struct.h"

namespace controllers::daemonset {
namespace {

using api::apps::v1::ControllerRevision;
using api::apps::v1::DaemonSet;
using api::core::v1::Node;
using api::core::v1::Pod;
using client::EventType;
using client::RawObject;

// What of a node a DaemonSet looks at: its heartbeats change nothing.
bool same_for_daemons(const Node& a, const Node& b) {
  return a.metadata.labels == b.metadata.labels && a.spec.taints == b.spec.taints &&
         a.spec.unschedulable == b.spec.unschedulable;
}

constexpr base::Duration kFirstBackOff = std::chrono::seconds(1);
constexpr base::Duration kMaxBackOff = std::chrono::minutes(15);
constexpr size_t kMaxBackOffs = 10'000;  // beyond it all start anew

struct BackOff {
  std::string uid;  // of the failed Pod
  base::MonoTime until{};
  base::Duration delay{};
};

class DaemonSetController final : public Controller {
 public:
  explicit DaemonSetController(const Dependencies& dependencies)
      : client_(dependencies.transport),
        clock_(dependencies.clock),
        events_(dependencies.transport, dependencies.clock, "daemonset-controller"),
        sets_(dependencies.informers->get<DaemonSet>()),
        pods_(dependencies.informers->get<Pod>()),
        nodes_(dependencies.informers->get<Node>()),
        revisions_(dependencies.informers->get<ControllerRevision>()) {
    index_by_owner(pods_);
    index_orphans(pods_);
    index_by_owner(revisions_);
  }

  std::string_view name() const override { return "daemonset-controller"; }
  std::vector<WatchSpec> watches() override {
    const auto all_of = [this](const std::string& ns, const EnqueueKey& enqueue) {
      for (const RawObject& raw : sets_.list(ns)) {
        if (const auto view = schema::view_metadata(raw.payload()))
          enqueue(client::to_string({std::string(view->namespace_), std::string(view->name)}));
      }
    };
    return {{&sets_, enqueue_self()},
            {&pods_, enqueue_controller_owner("apps", "DaemonSet")},
            {&pods_,
             [all_of](const client::Change& change, const EnqueueKey& enqueue) {
               if (change.after && !controller_of(change.after)) all_of(change.key.ns, enqueue);
             }},
            {&revisions_, enqueue_controller_owner("apps", "DaemonSet")},
            {&nodes_, [all_of](const client::Change& change, const EnqueueKey& enqueue) {
               if (change.before && change.after) {
                 const auto before = client::decode_object<Node>(change.before);
                 const auto after = client::decode_object<Node>(change.after);
                 if (before && after && same_for_daemons(*before, *after)) return;
               }
               all_of("", enqueue);
             }}};
  }

  base::Result<Requeue> reconcile(const std::string& key) override {
    if (!barrier_.passed(key, pods_)) return Requeue{WriteBarrier::kRetry};
    auto found = sets_.get_as<DaemonSet>(client::parse_key(key));
    if (!found) return Requeue{};
    DaemonSet& set = *found;
    if (set.spec.selector && api::empty(*set.spec.selector)) {
      events_.event_on(set, EventType::kWarning, "SelectingAll",
                       "This daemon set is selecting all pods. A non-empty selector is required.");
      return Requeue{};
    }
    if (set.metadata.deletion_timestamp) return Requeue{};
    TRY_ASSIGN(const object::LabelSelector selector, api::to_selector(set.spec.selector));
    auto revisions = sync_revisions(client_, revisions_,
                                    {&client::resource_of<DaemonSet>(), &set.metadata, &set.spec.template_, kHashLabel,
                                     set.status.collision_count});
    if (!revisions) return collided(set, revisions.error());
    TRY_ASSIGN(Observed observed, observe(set, selector, revisions->newest()));
    Plan todo = plan(observed);
    for (const Message& message : todo.events) {
      events_.event_on(set, message.warning ? EventType::kWarning : EventType::kNormal, message.reason, message.text);
    }
    const base::Result<void> removed = remove_pods(set, observed, todo.remove);
    const base::Result<void> created = create_pods(key, set, observed.hash, todo.create);
    TRY(write_status(set, todo));
    TRY(removed);
    TRY(created);
    TRY(trim(set, observed, *revisions));
    return Requeue{todo.look_again};
  }

 private:
  base::Result<Observed> observe(const DaemonSet& set, const object::LabelSelector& selector,
                                 const ControllerRevision& newest) {
    Observed observed;
    observed.set = &set;
    observed.now = clock_->wall_now();
    const auto hash = newest.metadata.labels.find(kHashLabel);
    if (hash != newest.metadata.labels.end()) observed.hash = hash->second;
    observed.nodes = nodes_.list_as<Node>();
    TRY_ASSIGN(std::vector<PodView> pods,
               claim_pods(client_, pods_, {&client::resource_of<DaemonSet>(), &set.metadata, &selector, {}}));
    for (PodView& pod : pods) {
      std::string node(pod.node);
      if (node.empty()) {
        if (const auto decoded = client::decode_object<Pod>(pod.raw)) node = target_node(*decoded);
      }
      const auto wait =
          pod.phase == "Failed" && !pod.deleting() ? back_off(set.metadata.uid + "/" + node, pod) : std::nullopt;
      observed.pods.push_back({std::move(pod), std::move(node), wait});
    }
    return observed;
  }

  // Compat: failed Pods of one node are replaced after a second, then two, …, fifteen minutes.
  std::optional<base::Duration> back_off(const std::string& where, const PodView& pod) {
    const base::MonoTime now = clock_->mono_now();
    const base::MutexLock lock(mutex_);
    BackOff& entry = back_offs_[where];
    if (entry.uid != pod.metadata.uid) {
      if (now > entry.until + 2 * kMaxBackOff) entry.delay = {};
      entry.uid = pod.metadata.uid;
      const bool first = entry.delay == base::Duration::zero();
      entry.until = first ? now : now + entry.delay;
      entry.delay = first ? kFirstBackOff : std::min(entry.delay * 2, kMaxBackOff);
    }
    const auto left = entry.until - now;
    if (back_offs_.size() > kMaxBackOffs) back_offs_.clear();
    return left > base::Duration::zero() ? std::optional<base::Duration>(left) : std::nullopt;
  }

  // Another revision has the name: the next try hashes with a higher count.
  base::Result<Requeue> collided(DaemonSet& set, const base::Error& error) {
    if (error.reason != base::Reason::kAlreadyExists) return base::fail(error);
    set.status.collision_count = set.status.collision_count.value_or(0) + 1;
    if (auto written = client_.update_status(set); !written) return base::fail(written.error());
    return base::fail(error);
  }

  base::Result<void> create_pods(const std::string& key, const DaemonSet& set, const std::string& hash,
                                 const std::vector<std::string>& nodes) {
    base::Result<void> outcome;
    size_t batch = 1;
    for (size_t at = 0; at < nodes.size() && outcome; batch *= 2) {
      CallBatch calls(client_.transport());
      const size_t end = std::min(at + batch, nodes.size());
      for (; at < end; ++at) {
        client::Call call;
        call.verb = client::Verb::kCreate;
        call.resource = &client::resource_of<Pod>();
        call.ns = set.metadata.namespace_;
        call.body = client::encode_object(make_pod(set, hash, nodes[at]));
        calls.add(std::move(call));
      }
      for (const auto& created : calls.wait()) note_created(key, set, created, outcome);
    }
    return outcome;
  }

  void note_created(const std::string& key, const DaemonSet& set, const base::Result<RawObject>& created,
                    base::Result<void>& outcome) {
    if (!created) {
      // A namespace that is going away takes no more Pods: no failure of the set.
      const auto& details = created.error().details;
      const bool terminating = details && std::ranges::any_of(details->causes, [](const base::Cause& cause) {
                                 return cause.reason == "NamespaceTerminating";
                               });
      if (terminating) return;
      events_.event_on(set, EventType::kWarning, "FailedCreate", "Error creating: " + created.error().message);
      outcome = base::fail(created.error());
      return;
    }
    barrier_.note(key, created->revision);
    if (const auto view = schema::view_metadata(created->payload()))
      events_.event_on(set, EventType::kNormal, "SuccessfulCreate", "Created pod: " + std::string(view->name));
  }

  base::Result<void> remove_pods(const DaemonSet& set, const Observed& observed, const std::vector<size_t>& positions) {
    CallBatch calls(client_.transport());
    for (const size_t at : positions) {
      const auto& metadata = observed.pods[at].view.metadata;
      client::Call call;
      call.verb = client::Verb::kDelete;
      call.resource = &client::resource_of<Pod>();
      call.ns = metadata.namespace_;
      call.name = metadata.name;
      call.precondition_uid = metadata.uid;
      calls.add(std::move(call));
    }
    base::Result<void> outcome;
    const auto results = calls.wait();
    for (size_t i = 0; i < results.size(); ++i) {
      const std::string name(observed.pods[positions[i]].view.metadata.name);
      if (results[i]) {
        events_.event_on(set, EventType::kNormal, "SuccessfulDelete", "Deleted pod: " + name);
      } else if (results[i].error().reason != base::Reason::kNotFound) {
        events_.event_on(set, EventType::kWarning, "FailedDelete", "Error deleting: " + results[i].error().message);
        outcome = base::fail(results[i].error());
      }
    }
    return outcome;
  }

  base::Result<void> write_status(DaemonSet& set, Plan& todo) {
    if (set.status == todo.status) return {};
    set.status = std::move(todo.status);
    if (auto updated = client_.update_status(set); !updated && updated.error().reason != base::Reason::kNotFound)
      return base::fail(updated.error());
    return {};
  }

  base::Result<void> trim(const DaemonSet& set, const Observed& observed, const Revisions& revisions) {
    std::vector<std::string> live;
    for (const DaemonPod& pod : observed.pods) {
      const auto hash = schema::find(pod.view.metadata.labels, kHashLabel);
      if (hash) live.push_back(set.metadata.name + "-" + std::string(*hash));
    }
    return trim_revisions(client_, revisions, live, set.spec.revision_history_limit.value_or(10));
  }

  const client::Client client_;
  base::Clock* const clock_;
  client::EventRecorder events_;
  client::Informer& sets_;
  client::Informer& pods_;
  client::Informer& nodes_;
  client::Informer& revisions_;
  WriteBarrier barrier_;
  base::Mutex mutex_;
  std::unordered_map<std::string, BackOff> back_offs_ GUARDED_BY(mutex_);
};

}  // namespace

std::unique_ptr<Controller> make_controller(const Dependencies& dependencies) {
  return std::make_unique<DaemonSetController>(dependencies);
}

}  // namespace controllers::daemonset
