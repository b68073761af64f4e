#include "controllers/job/controller.h"

#include <algorithm>

#include "api/label_selector.h"
#include "client/events.h"
#include "controllers/job/plan.h"
#include "controllers/runtime/call_batch.h"
#include "controllers/runtime/owners.h"
#include "controllers/runtime/pod_claim.h"
#include "controllers/runtime/write_barrier.h"
#include "object/json.h"
#include "object/value.h"
#include "schema/metadata_view.h"

namespace controllers::job {
namespace {

using api::batch::v1::Job;
using api::core::v1::Pod;
using client::EventType;

constexpr std::string_view kJobNameLabel = "batch.kubernetes.io/job-name";

class JobController final : public Controller {
 public:
  explicit JobController(const Dependencies& dependencies)
      : client_(dependencies.transport),
        clock_(dependencies.clock),
        events_(dependencies.transport, dependencies.clock, "job-controller"),
        jobs_(dependencies.informers->get<Job>()),
        pods_(dependencies.informers->get<Pod>()) {
    index_by_owner(pods_);
    index_orphans(pods_);
  }

  std::string_view name() const override { return "job-controller"; }
  int workers() const override { return 5; }
  std::vector<WatchSpec> watches() override {
    return {{&jobs_, enqueue_self()}, {&pods_, enqueue_controller_owner("batch", "Job")}, {&pods_, map_orphan}};
  }

  base::Result<Requeue> reconcile(const std::string& key) override {
    if (!barrier_.passed(key, pods_)) return Requeue{WriteBarrier::kRetry};
    auto job = jobs_.get_as<Job>(client::parse_key(key));
    if (!job) return release_orphans(client::parse_key(key));
    if (job->spec.managed_by && *job->spec.managed_by != "kubernetes.io/job-controller") return Requeue{};
    TRY(claim(*job));
    Observed observed{std::move(*job), {}, clock_->wall_now()};
    for (Pod& pod : pods_.by_index_as<Pod>(kOwnerIndex, observed.job.metadata.uid)) {
      const auto* owner = controller_of(pod.metadata);
      if (owner && owner->uid == observed.job.metadata.uid) observed.pods.push_back(std::move(pod));
    }
    Plan todo = plan(observed);
    // Pods are made before the status tells of them: a status that could not be kept would be worse than a late one.
    const base::Result<void> managed = manage(key, observed, todo);
    if (!managed)
      todo.status.active = static_cast<int32_t>(
          std::ranges::count_if(pods_.by_index_as<Pod>(kOwnerIndex, observed.job.metadata.uid), [](const Pod& pod) {
            return !pod.metadata.deletion_timestamp && pod.status.phase != "Succeeded" && pod.status.phase != "Failed";
          }));
    TRY(write_status(observed.job, todo));
    TRY(release(observed.pods, todo.release));
    TRY(managed);
    return Requeue{todo.look_again};
  }

 private:
  // An orphan concerns the Job that it is labelled with. (Of Jobs with selectors of their own, the next change counts.)
  static void map_orphan(const client::Change& change, const EnqueueKey& enqueue) {
    if (!change.after || controller_of(change.after)) return;
    const auto view = schema::view_metadata(change.after.payload());
    if (!view) return;
    const auto name = schema::find(view->labels, kJobNameLabel);
    if (name) enqueue(client::to_string({change.key.ns, std::string(*name)}));
  }

  // Takes in Pods that it lost, lets go of those that it selects no more. What changes is seen in the next turn.
  base::Result<void> claim(const Job& job) {
    if (is_finished(job) || !job.spec.selector) return {};
    TRY_ASSIGN(const object::LabelSelector selector, api::to_selector(*job.spec.selector));
    PodOwner owner{&client::resource_of<Job>(), &job.metadata, &selector, {}, kTrackingFinalizer};
    TRY(claim_pods(client_, pods_, owner));
    return {};
  }

  base::Result<void> manage(const std::string& key, const Observed& observed, const Plan& todo) {
    CallBatch calls(client_.transport());
    for (const size_t at : todo.remove) calls.add(delete_call(observed.pods[at]));
    base::Result<void> outcome;
    const auto removed = calls.wait();
    for (size_t i = 0; i < removed.size(); ++i) {
      const std::string& name = observed.pods[todo.remove[i]].metadata.name;
      if (removed[i]) {
        events_.event_on(observed.job, EventType::kNormal, "SuccessfulDelete", "Deleted pod: " + name);
      } else if (removed[i].error().reason != base::Reason::kNotFound) {
        outcome = base::fail(removed[i].error());
      }
    }
    // Slow start, as for a ReplicaSet: a template that cannot work costs few calls.
    size_t batch = 1;
    for (size_t at = 0; at < todo.create.size() && outcome; batch *= 2) {
      const size_t end = std::min(at + batch, todo.create.size());
      for (; at < end; ++at) calls.add(create_call(observed.job, todo, todo.create[at]));
      for (const auto& created : calls.wait()) note_created(key, observed.job, created, outcome);
    }
    return outcome;
  }

  static client::Call delete_call(const Pod& pod) {
    client::Call call;
    call.verb = client::Verb::kDelete;
    call.resource = &client::resource_of<Pod>();
    call.ns = pod.metadata.namespace_;
    call.name = pod.metadata.name;
    call.precondition_uid = pod.metadata.uid;
    return call;
  }

  static client::Call create_call(const Job& job, const Plan& todo, std::optional<int32_t> index) {
    const auto failures = index ? todo.failures.find(*index) : todo.failures.end();
    const int32_t failed = failures == todo.failures.end() ? 0 : failures->second;
    client::Call call;
    call.verb = client::Verb::kCreate;
    call.resource = &client::resource_of<Pod>();
    call.ns = job.metadata.namespace_;
    call.body = client::encode_object(make_pod(job, index, failed));
    return call;
  }

  void note_created(const std::string& key, const Job& job, const base::Result<client::RawObject>& created,
                    base::Result<void>& outcome) {
    if (!created) {
      events_.event_on(job, EventType::kWarning, "FailedCreate", "Error creating: " + created.error().message);
      outcome = base::fail(created.error());
      return;
    }
    barrier_.note(key, created->revision);
    if (const auto view = schema::view_metadata(created->payload())) {
      events_.event_on(job, EventType::kNormal, "SuccessfulCreate", "Created pod: " + std::string(view->name));
    }
  }

  base::Result<void> write_status(Job& job, Plan& todo) {
    if (job.status == todo.status) return {};
    job.status = std::move(todo.status);
    if (auto written = client_.update_status(job); !written) {
      if (written.error().reason == base::Reason::kNotFound) return {};
      return base::fail(written.error());
    }
    for (const Message& message : todo.events) {
      events_.event_on(job, message.warning ? EventType::kWarning : EventType::kNormal, message.reason, message.text);
    }
    return {};
  }

  base::Result<void> release(const std::vector<Pod>& pods, const std::vector<size_t>& positions) {
    CallBatch calls(client_.transport());
    for (const size_t at : positions) calls.add(release_call(pods[at].metadata));
    for (const auto& result : calls.wait()) {
      if (!result && result.error().reason != base::Reason::kNotFound) return base::fail(result.error());
    }
    return {};
  }

  static client::Call release_call(const api::meta::v1::ObjectMeta& pod) {
    object::Array kept;
    for (const std::string& finalizer : pod.finalizers) {
      if (finalizer != kTrackingFinalizer) kept.emplace_back(finalizer);
    }
    object::Object fields, patch;
    fields.set("uid", pod.uid);
    fields.set("resourceVersion", pod.resource_version);
    fields.set("finalizers", kept.empty() ? object::Value() : object::Value(std::move(kept)));
    patch.set("metadata", object::Value(std::move(fields)));
    client::Call call;
    call.verb = client::Verb::kPatch;
    call.resource = &client::resource_of<Pod>();
    call.ns = pod.namespace_;
    call.name = pod.name;
    call.body = object::to_json(object::Value(std::move(patch)));
    return call;
  }

  // Pods of a Job that is gone wait for nobody.
  base::Result<Requeue> release_orphans(const client::ObjectKey& job) {
    std::vector<Pod> pods;
    std::vector<size_t> positions;
    for (const client::RawObject& raw : pods_.list(job.ns)) {
      const auto owner = controller_of(raw);
      if (!owner || owner->kind != "Job" || owner->name != job.name) continue;
      auto pod = client::decode_object<Pod>(raw);
      if (!pod || std::ranges::find(pod->metadata.finalizers, kTrackingFinalizer) == pod->metadata.finalizers.end()) {
        continue;
      }
      positions.push_back(pods.size());
      pods.push_back(std::move(*pod));
    }
    TRY(release(pods, positions));
    return Requeue{};
  }

  const client::Client client_;
  base::Clock* const clock_;
  client::EventRecorder events_;
  client::Informer& jobs_;
  client::Informer& pods_;
  WriteBarrier barrier_;
};

}  // namespace

std::unique_ptr<Controller> make_controller(const Dependencies& dependencies) {
  return std::make_unique<JobController>(dependencies);
}

}  // namespace controllers::job
