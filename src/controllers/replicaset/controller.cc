#include "controllers/replicaset/controller.h"

#include <algorithm>

#include "api/label_selector.h"
#include "client/events.h"
#include "controllers/replicaset/plan.h"
#include "controllers/runtime/call_batch.h"
#include "controllers/runtime/owners.h"
#include "controllers/runtime/pace.h"
#include "controllers/runtime/write_barrier.h"
#include "gen/core/v1.h"

namespace controllers::replicaset {
namespace {

using api::apps::v1::ReplicaSet;
using api::core::v1::Pod;
using client::RawObject;

constexpr int32_t kFirstBatch = 1;  // Compat: slow start: batches of 1, 2, 4, …

struct Failure {
  std::string_view reason;  // "" = none
  base::Error error;
};

class ReplicaSetController final : public Controller {
 public:
  explicit ReplicaSetController(const Dependencies& dependencies)
      : client_(dependencies.transport),
        clock_(dependencies.clock),
        events_(dependencies.transport, dependencies.clock, "replicaset-controller"),
        sets_(dependencies.informers->get<ReplicaSet>()),
        pods_(dependencies.informers->get<Pod>()) {
    index_by_owner(pods_);
    index_orphans(pods_);
    index_orphans(sets_);
  }

  std::string_view name() const override { return "replicaset-controller"; }
  int workers() const override { return 5; }
  std::vector<WatchSpec> watches() override {
    return {{&sets_, enqueue_self()},
            {&pods_, enqueue_controller_owner("apps", "ReplicaSet")},
            {&pods_, [this](const client::Change& change, const EnqueueKey& enqueue) { map_orphan(change, enqueue); }}};
  }

  base::Result<Requeue> reconcile(const std::string& key) override {
    if (!barrier_.passed(key, pods_)) return Requeue{WriteBarrier::kRetry};
    if (const auto wait = pace_.wait(key, clock_->mono_now())) return Requeue{*wait};
    auto found = sets_.get_as<ReplicaSet>(client::parse_key(key));
    if (!found) {
      pace_.forget(key);
      return Requeue{};
    }
    ReplicaSet& set = *found;
    TRY_ASSIGN(const object::LabelSelector selector, api::to_selector(set.spec.selector));
    TRY_ASSIGN(std::vector<PodView> pods, claim(set, selector));
    Observed observed{&set, std::move(pods), clock_->wall_now()};
    pace_.note(key, observed.pods.size(), clock_->mono_now());
    Plan todo = plan(observed);
    Failure failure;
    if (todo.create > 0) failure = create_pods(key, set, todo.create);
    if (!todo.remove.empty()) failure = remove_pods(set, observed.pods, todo.remove);
    set_failure(todo.status, failure.reason, failure.error.message, observed.now);
    TRY(write_status(set, todo));
    if (!failure.reason.empty()) return base::fail(failure.error);
    return Requeue{todo.look_again};
  }

 private:
  // An orphan concerns every set whose selector might match it.
  void map_orphan(const client::Change& change, const EnqueueKey& enqueue) {
    if (!change.after || controller_of(change.after)) return;
    for (const RawObject& raw : sets_.list(change.key.ns)) {
      const auto view = schema::view_metadata(raw.payload());
      if (view) enqueue(client::to_string({change.key.ns, std::string(view->name)}));
    }
  }

  static bool matches(const object::LabelSelector& selector, const PodView& pod) {
    struct Labels final : object::LabelSource {
      explicit Labels(const schema::StringPairs& given) : pairs(given) {}
      std::optional<std::string_view> find(std::string_view key) const override { return schema::find(pairs, key); }
      const schema::StringPairs& pairs;
    };
    return selector.matches(Labels(pod.metadata.labels));
  }

  // The pods that the set controls, after it took in matching orphans and let go of what does not match any more.
  base::Result<std::vector<PodView>> claim(const ReplicaSet& set, const object::LabelSelector& selector) {
    std::vector<PodView> owned;
    CallBatch patches(client_.transport());
    for (PodView& pod : view_pods(pods_.by_index(kOwnerIndex, set.metadata.uid))) {
      const auto owner = controller_of(pod.raw);
      if (!owner || owner->uid != set.metadata.uid) continue;
      if (matches(selector, pod) || set.metadata.deletion_timestamp)
        owned.push_back(std::move(pod));
      else
        patches.add(release_call(set, pod));
    }
    std::vector<PodView> adopted;
    if (!set.metadata.deletion_timestamp) {
      for (PodView& pod : view_pods(pods_.by_index(kOrphanIndex, set.metadata.namespace_))) {
        if (!pod.active() || !matches(selector, pod)) continue;
        patches.add(adopt_call(set, pod));
        owned.push_back(std::move(pod));
      }
    }
    for (const auto& result : patches.wait()) {
      if (!result && result.error().reason != base::Reason::kNotFound) return base::fail(result.error());
    }
    return owned;
  }

  static client::Call owner_call(const PodView& pod, const std::vector<api::meta::v1::OwnerReference>& owners) {
    client::Call call;
    call.verb = client::Verb::kPatch;
    call.resource = &client::resource_of<Pod>();
    call.ns = pod.metadata.namespace_;
    call.name = pod.metadata.name;
    call.body = owner_patch(pod.metadata, pod.raw.revision, owners);
    return call;
  }
  static client::Call adopt_call(const ReplicaSet& set, const PodView& pod) {
    auto owners = owners_of(pod.metadata);
    owners.push_back(controller_reference(client::resource_of<ReplicaSet>(), set.metadata));
    return owner_call(pod, owners);
  }
  static client::Call release_call(const ReplicaSet& set, const PodView& pod) {
    auto owners = owners_of(pod.metadata);
    std::erase_if(owners, [&](const auto& owner) { return owner.uid == set.metadata.uid; });
    return owner_call(pod, owners);
  }

  // Batches that double as long as all goes well, so that a template that cannot work costs few calls.
  Failure create_pods(const std::string& key, const ReplicaSet& set, int32_t count) {
    const std::string body = client::encode_object(make_pod(set));
    for (int32_t batch = kFirstBatch; count > 0; batch *= 2) {
      const int32_t now = std::min(batch, count);
      CallBatch calls(client_.transport());
      for (int32_t i = 0; i < now; ++i) {
        client::Call call;
        call.verb = client::Verb::kCreate;
        call.resource = &client::resource_of<Pod>();
        call.ns = set.metadata.namespace_;
        call.body = body;
        calls.add(std::move(call));
      }
      Failure failure;
      for (const auto& result : calls.wait()) note_created(key, set, result, failure);
      if (!failure.reason.empty()) return failure;
      count -= now;
    }
    return {};
  }

  void note_created(const std::string& key, const ReplicaSet& set, const base::Result<RawObject>& result,
                    Failure& failure) {
    if (result) {
      barrier_.note(key, result->revision);
      const auto view = schema::view_metadata(result->payload());
      if (view) {
        events_.event_on(set, client::EventType::kNormal, "SuccessfulCreate",
                         "Created pod: " + std::string(view->name));
      }
      return;
    }
    // A namespace that is going away takes no more pods: that is no failure of the set.
    const auto& details = result.error().details;
    const bool terminating = details && std::ranges::any_of(details->causes, [](const base::Cause& cause) {
                               return cause.reason == "NamespaceTerminating";
                             });
    if (terminating) return;
    events_.event_on(set, client::EventType::kWarning, "FailedCreate", "Error creating: " + result.error().message);
    failure = {"FailedCreate", result.error()};
  }

  Failure remove_pods(const ReplicaSet& set, const std::vector<PodView>& pods, const std::vector<size_t>& positions) {
    CallBatch calls(client_.transport());
    for (const size_t at : positions) {
      client::Call call;
      call.verb = client::Verb::kDelete;
      call.resource = &client::resource_of<Pod>();
      call.ns = pods[at].metadata.namespace_;
      call.name = pods[at].metadata.name;
      call.precondition_uid = pods[at].metadata.uid;
      calls.add(std::move(call));
    }
    Failure failure;
    const auto results = calls.wait();
    for (size_t i = 0; i < results.size(); ++i) {
      const std::string name(pods[positions[i]].metadata.name);
      if (results[i]) {
        events_.event_on(set, client::EventType::kNormal, "SuccessfulDelete", "Deleted pod: " + name);
      } else if (results[i].error().reason != base::Reason::kNotFound) {
        events_.event_on(set, client::EventType::kWarning, "FailedDelete",
                         "Error deleting: " + results[i].error().message);
        failure = {"FailedDelete", results[i].error()};
      }
    }
    return failure;
  }

  base::Result<void> write_status(ReplicaSet& set, Plan& todo) {
    if (set.status == todo.status) return {};
    set.status = std::move(todo.status);
    if (auto updated = client_.update_status(set); !updated && updated.error().reason != base::Reason::kNotFound) {
      return base::fail(updated.error());
    }
    return {};
  }

  const client::Client client_;
  base::Clock* const clock_;
  client::EventRecorder events_;
  client::Informer& sets_;
  client::Informer& pods_;
  WriteBarrier barrier_;
  Pace pace_;
};

}  // namespace

std::unique_ptr<Controller> make_controller(const Dependencies& dependencies) {
  return std::make_unique<ReplicaSetController>(dependencies);
}

}  // namespace controllers::replicaset
