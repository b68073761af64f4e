#include "controllers/replicaset/controller.h"

#include <algorithm>

#include "api/label_selector.h"
#include "client/events.h"
#include "controllers/replicaset/plan.h"
#include "controllers/runtime/call_batch.h"
#include "controllers/runtime/owners.h"
#include "controllers/runtime/pace.h"
#include "controllers/runtime/pod_claim.h"
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
  ReplicaSetController(const Dependencies& dependencies, const Kind& kind)
      : kind_(kind),
        client_(dependencies.transport),
        clock_(dependencies.clock),
        events_(dependencies.transport, dependencies.clock, kind.component),
        sets_(dependencies.informers->get(*kind.resource)),
        pods_(dependencies.informers->get<Pod>()) {
    index_by_owner(pods_);
    index_orphans(pods_);
    index_orphans(sets_);
  }

  std::string_view name() const override { return kind_.controller; }
  int workers() const override { return 5; }
  std::vector<WatchSpec> watches() override {
    return {{&sets_, enqueue_self()},
            {&pods_, enqueue_controller_owner(kind_.resource->group, kind_.resource->kind)},
            {&pods_, [this](const client::Change& change, const EnqueueKey& enqueue) { map_orphan(change, enqueue); }}};
  }

  base::Result<Requeue> reconcile(const std::string& key) override {
    if (!barrier_.passed(key, pods_)) return Requeue{WriteBarrier::kRetry};
    if (const auto wait = pace_.wait(key, clock_->mono_now())) return Requeue{*wait};
    const RawObject raw = sets_.get(client::parse_key(key));
    if (!raw) {
      pace_.forget(key);
      return Requeue{};
    }
    TRY_ASSIGN(ReplicaSet set, kind_.read(raw));
    TRY_ASSIGN(const object::LabelSelector selector, api::to_selector(set.spec.selector));
    TRY_ASSIGN(std::vector<PodView> pods, claim_pods(client_, pods_, {kind_.resource, &set.metadata, &selector, {}}));
    Observed observed{&set, std::move(pods), clock_->wall_now()};
    pace_.note(key, observed.pods.size(), clock_->mono_now());
    Plan todo = plan(observed);
    Failure failure;
    if (todo.create > 0) failure = create_pods(key, set, todo.create);
    if (!todo.remove.empty()) failure = remove_pods(set, observed.pods, todo.remove);
    set_failure(todo.status, failure.reason, failure.error.message, observed.now);
    TRY(write_status(raw, set, todo));
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

  // Batches that double as long as all goes well, so that a template that cannot work costs few calls.
  Failure create_pods(const std::string& key, const ReplicaSet& set, int32_t count) {
    const std::string body = client::encode_object(make_pod(set, *kind_.resource));
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
        say(set, client::EventType::kNormal, "SuccessfulCreate", "Created pod: " + std::string(view->name));
      }
      return;
    }
    // A namespace that is going away takes no more pods: that is no failure of the set.
    const auto& details = result.error().details;
    const bool terminating = details && std::ranges::any_of(details->causes, [](const base::Cause& cause) {
                               return cause.reason == "NamespaceTerminating";
                             });
    if (terminating) return;
    say(set, client::EventType::kWarning, "FailedCreate", "Error creating: " + result.error().message);
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
        say(set, client::EventType::kNormal, "SuccessfulDelete", "Deleted pod: " + name);
      } else if (results[i].error().reason != base::Reason::kNotFound) {
        say(set, client::EventType::kWarning, "FailedDelete", "Error deleting: " + results[i].error().message);
        failure = {"FailedDelete", results[i].error()};
      }
    }
    return failure;
  }

  base::Result<void> write_status(const RawObject& raw, ReplicaSet& set, Plan& todo) {
    if (set.status == todo.status) return {};
    set.status = std::move(todo.status);
    if (auto updated = kind_.write_status(client_, raw, set);
        !updated && updated.error().reason != base::Reason::kNotFound) {
      return base::fail(updated.error());
    }
    return {};
  }

  void say(const ReplicaSet& set, client::EventType type, std::string_view reason, std::string message) {
    events_.event(client::make_reference(*kind_.resource, set.metadata), type, reason, std::move(message));
  }

  const Kind kind_;
  const client::Client client_;
  base::Clock* const clock_;
  client::EventRecorder events_;
  client::Informer& sets_;
  client::Informer& pods_;
  WriteBarrier barrier_;
  Pace pace_;
};

}  // namespace

std::unique_ptr<Controller> make_controller(const Dependencies& dependencies, const Kind& kind) {
  return std::make_unique<ReplicaSetController>(dependencies, kind);
}

std::unique_ptr<Controller> make_controller(const Dependencies& dependencies) {
  const auto write = [](const client::Client& client, const RawObject&, const ReplicaSet& changed) {
    auto written = client.update_status(changed);
    return written ? base::Result<void>() : base::fail(written.error());
  };
  return make_controller(dependencies, {"replicaset-controller", "replicaset-controller",
                                        &client::resource_of<ReplicaSet>(), &client::decode_object<ReplicaSet>, write});
}

}  // namespace controllers::replicaset
