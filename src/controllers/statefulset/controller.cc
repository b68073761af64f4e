#include "controllers/statefulset/controller.h"

#include <algorithm>

#include "api/label_selector.h"
#include "client/events.h"
#include "controllers/runtime/owners.h"
#include "controllers/runtime/pod_claim.h"
#include "controllers/runtime/revisions.h"
#include "controllers/runtime/write_barrier.h"
#include "controllers/statefulset/plan.h"

namespace controllers::statefulset {
namespace {

using api::apps::v1::ControllerRevision;
using api::apps::v1::StatefulSet;
using api::core::v1::PersistentVolumeClaim;
using api::core::v1::Pod;
using client::EventType;
using client::RawObject;

class StatefulSetController final : public Controller {
 public:
  explicit StatefulSetController(const Dependencies& dependencies)
      : client_(dependencies.transport),
        clock_(dependencies.clock),
        events_(dependencies.transport, dependencies.clock, "statefulset-controller"),
        sets_(dependencies.informers->get<StatefulSet>()),
        pods_(dependencies.informers->get<Pod>()),
        claims_(dependencies.informers->get<PersistentVolumeClaim>()),
        revisions_(dependencies.informers->get<ControllerRevision>()) {
    index_by_owner(pods_);
    index_orphans(pods_);
    index_by_owner(revisions_);
  }

  std::string_view name() const override { return "statefulset-controller"; }
  int workers() const override { return 5; }
  std::vector<WatchSpec> watches() override {
    return {{&sets_, enqueue_self()},
            {&pods_, enqueue_controller_owner("apps", "StatefulSet")},
            {&revisions_, enqueue_controller_owner("apps", "StatefulSet")},
            {&claims_, [](const client::Change&, const EnqueueKey&) {}},  // looked up only; synced before the first key
            {&pods_, [this](const client::Change& change, const EnqueueKey& enqueue) {
               if (!change.after || controller_of(change.after)) return;
               for (const RawObject& raw : sets_.list(change.key.ns)) {
                 const auto view = schema::view_metadata(raw.payload());
                 if (view && ordinal_of(view->name, change.key.name) >= 0)
                   enqueue(client::to_string({change.key.ns, std::string(view->name)}));
               }
             }}};
  }

  base::Result<Requeue> reconcile(const std::string& key) override {
    if (!barrier_.passed(key, pods_)) return Requeue{WriteBarrier::kRetry};
    auto found = sets_.get_as<StatefulSet>(client::parse_key(key));
    if (!found) return Requeue{};
    StatefulSet& set = *found;
    TRY_ASSIGN(const object::LabelSelector selector, api::to_selector(set.spec.selector));
    auto revisions = sync_revisions(client_, revisions_,
                                    {&client::resource_of<StatefulSet>(), &set.metadata, &set.spec.template_,
                                     kHashLabel, set.status.collision_count});
    if (!revisions) return collided(set, revisions.error());
    const ControllerRevision* current = revisions->find(set.status.current_revision);
    if (!current) current = &revisions->newest();
    TRY_ASSIGN(Observed observed, observe(set, selector));
    observed.current_revision = current->metadata.name;
    observed.update_revision = revisions->newest().metadata.name;
    Plan todo = plan(observed);
    const base::Result<void> done = carry_out(key, observed, todo.steps, *current);
    TRY(write_status(set, todo));
    TRY(done);
    std::vector<std::string> live = {observed.current_revision};
    for (const Pod& pod : observed.pods) {
      const auto revision = pod.metadata.labels.find(kRevisionLabel);
      if (revision != pod.metadata.labels.end()) live.push_back(revision->second);
    }
    TRY(trim_revisions(client_, *revisions, live, set.spec.revision_history_limit.value_or(10)));
    return Requeue{todo.look_again};
  }

 private:
  base::Result<Observed> observe(const StatefulSet& set, const object::LabelSelector& selector) {
    Observed observed;
    observed.set = &set;
    observed.now = clock_->wall_now();
    PodOwner owner{&client::resource_of<StatefulSet>(), &set.metadata, &selector, {}};
    owner.accepts = [&](const PodView& pod) { return ordinal_of(set.metadata.name, pod.metadata.name) >= 0; };
    TRY_ASSIGN(const std::vector<PodView> pods, claim_pods(client_, pods_, owner));
    for (const PodView& view : pods) {
      if (auto pod = client::decode_object<Pod>(view.raw)) observed.pods.push_back(std::move(*pod));
    }
    return observed;
  }

  base::Result<Requeue> collided(StatefulSet& set, const base::Error& error) {
    if (error.reason != base::Reason::kAlreadyExists) return base::fail(error);
    set.status.collision_count = set.status.collision_count.value_or(0) + 1;
    if (auto written = client_.update_status(set); !written) return base::fail(written.error());
    return base::fail(error);
  }

  base::Result<void> carry_out(const std::string& key, const Observed& observed, const std::vector<Step>& steps,
                               const ControllerRevision& current) {
    const StatefulSet& set = *observed.set;
    for (const Step& step : steps) {
      switch (step.kind) {
        case Step::Kind::kClaims:
          TRY(make_missing_claims(set, step.ordinal));
          break;
        case Step::Kind::kDelete:
          TRY(remove_pod(set, observed.pods[step.pod], step));
          break;
        case Step::Kind::kCreate:
          TRY(make_missing_claims(set, step.ordinal));
          TRY(create_pod(key, observed, step, current));
      }
    }
    return {};
  }

  base::Result<void> create_pod(const std::string& key, const Observed& observed, const Step& step,
                                const ControllerRevision& current) {
    const StatefulSet& set = *observed.set;
    api::core::v1::PodTemplateSpec pod_template = set.spec.template_;
    const bool from_current = step.from == Template::kCurrent;
    if (from_current) {
      TRY_ASSIGN(pod_template, template_of(current));
    }
    const Pod pod =
        make_pod(set, pod_template, from_current ? observed.current_revision : observed.update_revision, step.ordinal);
    auto created = client_.create(pod);
    if (!created && created.error().reason == base::Reason::kAlreadyExists) return base::fail(created.error());
    say(set, "Create", "Pod " + pod.metadata.name + " in StatefulSet " + set.metadata.name, created, "successful");
    if (!created) return base::fail(created.error());
    barrier_.note(key, std::stoll(created->metadata.resource_version));
    return {};
  }

  base::Result<void> make_missing_claims(const StatefulSet& set, int32_t ordinal) {
    for (const PersistentVolumeClaim& claim : make_claims(set, ordinal)) {
      if (claims_.get({claim.metadata.namespace_, claim.metadata.name})) continue;
      const auto created = client_.create(claim);
      if (!created && created.error().reason == base::Reason::kAlreadyExists) continue;
      say(set, "Create",
          "Claim " + claim.metadata.name + " Pod " + set.metadata.name + "-" + std::to_string(ordinal) +
              " in StatefulSet " + set.metadata.name,
          created, "success");
      if (!created) return base::fail(created.error());
    }
    return {};
  }

  base::Result<void> remove_pod(const StatefulSet& set, const Pod& pod, const Step& step) {
    if (!step.event_reason.empty()) {
      const bool failed = step.event_reason == "RecreatingFailedPod";
      events_.event_on(set, failed ? EventType::kWarning : EventType::kNormal, step.event_reason, step.event_text);
    }
    client::DeleteOptions options;
    options.precondition_uid = pod.metadata.uid;
    auto removed = client_.remove<Pod>(pod.metadata.namespace_, pod.metadata.name, options);
    if (!removed && removed.error().reason == base::Reason::kNotFound) return {};
    say(set, "Delete", "Pod " + pod.metadata.name + " in StatefulSet " + set.metadata.name, removed, "successful");
    return removed;
  }

  // Compat: `create Pod web-0 in StatefulSet web successful`, reason SuccessfulCreate; or FailedCreate.
  template <typename T>
  void say(const StatefulSet& set, const std::string& verb, const std::string& what, const base::Result<T>& outcome,
           const std::string& success) {
    const std::string lower = verb == "Create" ? "create " : "delete ";
    if (outcome) {
      events_.event_on(set, EventType::kNormal, "Successful" + verb, lower + what + " " + success);
    } else {
      events_.event_on(set, EventType::kWarning, "Failed" + verb,
                       lower + what + " failed error: " + outcome.error().message);
    }
  }

  base::Result<void> write_status(StatefulSet& set, Plan& todo) {
    if (set.status == todo.status) return {};
    set.status = std::move(todo.status);
    if (auto updated = client_.update_status(set); !updated && updated.error().reason != base::Reason::kNotFound)
      return base::fail(updated.error());
    return {};
  }

  const client::Client client_;
  base::Clock* const clock_;
  client::EventRecorder events_;
  client::Informer& sets_;
  client::Informer& pods_;
  client::Informer& claims_;
  client::Informer& revisions_;
  WriteBarrier barrier_;
};

}  // namespace

std::unique_ptr<Controller> make_controller(const Dependencies& dependencies) {
  return std::make_unique<StatefulSetController>(dependencies);
}

}  // namespace controllers::statefulset
