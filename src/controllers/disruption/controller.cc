#include "controllers/disruption/controller.h"

#include <algorithm>
#include <map>
#include <unordered_map>

#include "api/label_selector.h"
#include "base/mutex.h"
#include "client/events.h"
#include "codec/json_text.h"
#include "controllers/disruption/plan.h"
#include "controllers/runtime/owners.h"
#include "controllers/runtime/pace.h"
#include "controllers/runtime/write_barrier.h"
#include "gen/apps/v1.h"
#include "gen/catalogue.h"
#include "gen/core/v1.h"
#include "object/time.h"

namespace controllers::disruption {
namespace {

using api::apps::v1::Deployment;
using api::apps::v1::ReplicaSet;
using api::apps::v1::StatefulSet;
using api::core::v1::Pod;
using api::core::v1::ReplicationController;
using api::policy::v1::PodDisruptionBudget;
using base::Reason;
using client::EventType;

// Keys: "budget/<namespace>/<name>", and "pod/<namespace>/<name>" of Pods that are marked as to be disrupted.
constexpr std::string_view kBudgetKey = "budget/", kPodKey = "pod/";
// A Pod that was marked and is still there after this is not disrupted any more.
constexpr base::Duration kStaleTimeout = std::chrono::minutes(2);

using Labels = object::MapLabels<schema::StringPairs>;

bool same(const schema::StringPairs& a, const schema::StringPairs& b) {
  std::map<std::string_view, std::string_view> first, second;
  for (const auto [key, value] : a) first.emplace(key, value);
  for (const auto [key, value] : b) second.emplace(key, value);
  return first == second;
}

bool is_marked(const client::RawObject& pod) {
  constexpr uint32_t kStatus = 3, kConditions = 2, kType = 1, kValue = 2;
  const auto status = schema::find_bytes(pod.payload(), {kStatus});
  if (!status) return false;
  for (const std::string_view condition : schema::Strings(*status, kConditions)) {
    if (schema::find_bytes(condition, {kType}) == "DisruptionTarget")
      return schema::find_bytes(condition, {kValue}) == "True";
  }
  return false;
}

// "name.group does not implement the scale subresource" and the like name the resource of a kind.
std::string resource_text(const schema::OwnerView& owner) {
  const std::string group(group_of(owner.api_version));
  std::string name(owner.kind);
  for (const schema::GroupVersion& version : gen::group_versions()) {
    for (const schema::Resource& resource : version.resources) {
      if (resource.kind == owner.kind && resource.group == group && resource.subresource.empty()) name = resource.name;
    }
  }
  return group.empty() ? name : name + "." + group;
}

class DisruptionController final : public Controller {
 public:
  explicit DisruptionController(const Dependencies& dependencies)
      : client_(dependencies.transport),
        clock_(dependencies.clock),
        events_(dependencies.transport, dependencies.clock, "controllermanager"),
        budgets_(dependencies.informers->get<PodDisruptionBudget>()),
        pods_(dependencies.informers->get<Pod>()),
        deployments_(dependencies.informers->get<Deployment>()),
        replica_sets_(dependencies.informers->get<ReplicaSet>()),
        stateful_sets_(dependencies.informers->get<StatefulSet>()),
        controllers_(dependencies.informers->get<ReplicationController>()) {}

  std::string_view name() const override { return "disruption-controller"; }
  std::vector<WatchSpec> watches() override {
    const MapFunction looked_up_only = [](const client::Change&, const EnqueueKey&) {};
    return {{&budgets_,
             [this](const client::Change& change, const EnqueueKey& enqueue) { budget_changed(change, enqueue); }},
            {&pods_, [this](const client::Change& change, const EnqueueKey& enqueue) { pod_changed(change, enqueue); }},
            {&deployments_, looked_up_only},
            {&replica_sets_, looked_up_only},
            {&stateful_sets_, looked_up_only},
            {&controllers_, looked_up_only}};
  }

  base::Result<Requeue> reconcile(const std::string& key) override {
    if (key.starts_with(kPodKey)) return reconcile_pod(client::parse_key(std::string_view(key).substr(kPodKey.size())));
    return reconcile_budget(key, client::parse_key(std::string_view(key).substr(kBudgetKey.size())));
  }

 private:
  // ---- what changes concern ----

  void budget_changed(const client::Change& change, const EnqueueKey& enqueue) {
    {
      base::MutexLock lock(mutex_);
      auto& of = selectors_[change.key.ns];
      of.erase(change.key.name);
      if (change.after) {
        const auto budget = client::decode_object<PodDisruptionBudget>(change.after);
        if (budget) of.emplace(change.key.name, selector_of(*budget));
      }
      if (of.empty()) selectors_.erase(change.key.ns);
    }
    if (change.after) enqueue(std::string(kBudgetKey) + client::to_string(change.key));
  }

  static object::LabelSelector selector_of(const PodDisruptionBudget& budget) {
    auto selector = api::to_selector(budget.spec.selector);
    return selector ? *std::move(selector) : object::LabelSelector::nothing();
  }

  void pod_changed(const client::Change& change, const EnqueueKey& enqueue) {
    if (change.after && is_marked(change.after)) enqueue(std::string(kPodKey) + client::to_string(change.key));
    std::vector<std::string> concerned;
    {
      base::MutexLock lock(mutex_);
      const auto of = selectors_.find(change.key.ns);
      if (of == selectors_.end()) return;
      const auto before = change.before ? view_pod(change.before) : std::nullopt;
      const auto after = change.after ? view_pod(change.after) : std::nullopt;
      if (before && after && before->ready == after->ready && before->deleting() == after->deleting() &&
          before->metadata.uid == after->metadata.uid && same(before->metadata.labels, after->metadata.labels)) {
        return;
      }
      for (const auto& [name, selector] : of->second) {
        const bool concerns = (before && selector.matches(Labels(before->metadata.labels))) ||
                              (after && selector.matches(Labels(after->metadata.labels)));
        if (concerns) concerned.push_back(name);
      }
    }
    for (const std::string& name : concerned) enqueue(std::string(kBudgetKey) + change.key.ns + "/" + name);
    if (!change.before && concerned.size() > 1) warn_of_several(change, concerned);
  }

  void warn_of_several(const client::Change& change, const std::vector<std::string>& names) {
    const auto pod = client::decode_object<Pod>(change.after);
    if (!pod) return;
    events_.event_on(*pod, EventType::kWarning, "MultiplePodDisruptionBudgets",
                     "Pod " + codec::go_quoted(change.key.ns) + "/" + codec::go_quoted(change.key.name) +
                         " matches multiple PodDisruptionBudgets.  Chose " + codec::go_quoted(names.front()) +
                         " arbitrarily.");
  }

  // ---- budgets ----

  base::Result<Requeue> reconcile_budget(const std::string& key, const client::ObjectKey& name) {
    if (!barrier_.passed(key, budgets_)) return Requeue{WriteBarrier::kRetry};
    if (const auto wait = pace_.wait(key, clock_->mono_now())) return Requeue{*wait};
    auto found = budgets_.get_as<PodDisruptionBudget>(name);
    if (!found) {
      pace_.forget(key);
      return Requeue{};
    }
    PodDisruptionBudget& budget = *found;
    auto todo = observe_and_plan(key, budget);
    if (!todo) {
      if (todo.error().reason == Reason::kConflict) return base::fail(todo.error());
      auto status = failed_status(budget, todo.error().message, clock_->wall_now());
      TRY(write(key, budget, std::move(status)));
      return Requeue{};
    }
    TRY(write(key, budget, std::move(todo->status)));
    return Requeue{todo->look_again};
  }

  base::Result<Plan> observe_and_plan(const std::string& key, const PodDisruptionBudget& budget) {
    const object::LabelSelector selector = selector_of(budget);
    Observed observed{&budget, {}, {}, clock_->wall_now()};
    const std::vector<client::RawObject> all = pods_.list(budget.metadata.namespace_);
    for (const client::RawObject& raw : all) {
      const auto metadata = schema::view_metadata(raw.payload());
      if (!metadata || !selector.matches(Labels(metadata->labels))) continue;
      if (auto pod = view_pod(raw)) observed.pods.push_back(std::move(*pod));
    }
    pace_.note(key, all.size(), clock_->mono_now());
    if (observed.pods.empty()) events_.event_on(budget, EventType::kNormal, "NoPods", "No matching pods found");
    auto todo = plan_with_scale(observed);
    if (!todo) {
      events_.event_on(budget, EventType::kWarning, "CalculateExpectedPodCountFailed",
                       "Failed to calculate the number of expected pods: " + todo.error().message);
      return todo;
    }
    if (observed.scale && !observed.scale->unmanaged.empty()) {
      events_.event_on(
          budget, EventType::kWarning, "UnmanagedPods",
          "Pods selected by this PodDisruptionBudget (selector: " + api::format_label_selector(budget.spec.selector) +
              ") were found to be unmanaged. As a result, the status of the PDB cannot be calculated "
              "correctly, which may result in undefined behavior. To account for these pods please set "
              "\".spec.minAvailable\" field of the PDB to an integer value.");
    }
    for (const size_t at : todo->not_deleted) {
      if (const auto pod = client::decode_object<Pod>(observed.pods[at].raw)) {
        // Compat: upstream names the namespace twice.
        events_.event_on(*pod, EventType::kWarning, "NotDeleted",
                         "Pod was expected by PDB " + budget.metadata.namespace_ + "/" + budget.metadata.namespace_ +
                             " to be deleted but it wasn't");
      }
    }
    return todo;
  }

  base::Result<Plan> plan_with_scale(Observed& observed) const {
    if (needs_scale(*observed.budget)) {
      TRY_ASSIGN(observed.scale, scale_of(observed.pods));
    }
    return plan(observed);
  }

  base::Result<Scale> scale_of(const std::vector<PodView>& pods) const {
    Scale scale;
    std::unordered_map<std::string, int32_t> wanted;  // by the controller's uid
    std::map<std::string, std::string> known;         // direct owner's uid → the controller's
    for (const PodView& pod : pods) {
      const auto owner = controller_of(pod.raw);
      if (!owner) {
        scale.unmanaged.emplace_back(pod.metadata.name);
        continue;
      }
      if (!known.try_emplace(std::string(owner->uid)).second) continue;
      TRY_ASSIGN(const auto one, scale_of_owner(pod, *owner));
      wanted[one.first] = one.second;
    }
    for (const auto& [uid, count] : wanted) scale.pods += count;
    return scale;
  }

  // The controller that decides the number, by uid, and the number.
  base::Result<std::pair<std::string, int32_t>> scale_of_owner(const PodView& pod,
                                                               const schema::OwnerView& owner) const {
    const client::ObjectKey key{std::string(pod.metadata.namespace_), std::string(owner.name)};
    const std::string_view group = group_of(owner.api_version);
    if (owner.kind == "ReplicaSet" && group == "apps") {
      if (const auto set = replica_sets_.get_as<ReplicaSet>(key); set && set->metadata.uid == owner.uid) {
        const auto* above = controller_of(set->metadata);
        if (!above || above->kind != "Deployment") return std::pair(set->metadata.uid, set->spec.replicas.value_or(1));
        const auto deployment = deployments_.get_as<Deployment>({key.ns, above->name});
        if (deployment && deployment->metadata.uid == above->uid)
          return std::pair(deployment->metadata.uid, deployment->spec.replicas.value_or(1));
      }
    } else if (owner.kind == "StatefulSet" && group == "apps") {
      if (const auto set = stateful_sets_.get_as<StatefulSet>(key); set && set->metadata.uid == owner.uid)
        return std::pair(set->metadata.uid, set->spec.replicas.value_or(1));
    } else if (owner.kind == "ReplicationController" && group.empty()) {
      const auto one = controllers_.get_as<ReplicationController>(key);
      if (one && one->metadata.uid == owner.uid) return std::pair(one->metadata.uid, one->spec.replicas.value_or(1));
    } else {
      return base::fail(Reason::kNotFound, resource_text(owner) + " does not implement the scale subresource");
    }
    return base::fail(Reason::kNotFound,
                      "found no controllers for pod " + codec::go_quoted(std::string(pod.metadata.name)));
  }

  base::Result<void> write(const std::string& key, PodDisruptionBudget& budget,
                           api::policy::v1::PodDisruptionBudgetStatus status) {
    if (budget.status == status) return {};
    budget.status = std::move(status);
    auto written = client_.update_status(budget);
    if (written) {
      barrier_.note(key, std::stoll(written->metadata.resource_version));
      return {};
    }
    return written.error().reason == Reason::kNotFound ? base::Result<void>() : base::fail(written.error());
  }

  // ---- Pods that were to be disrupted ----

  base::Result<Requeue> reconcile_pod(const client::ObjectKey& name) {
    auto pod = pods_.get_as<Pod>(name);
    if (!pod || pod->metadata.deletion_timestamp) return Requeue{};
    if (pod->status.phase == "Succeeded" || pod->status.phase == "Failed") return Requeue{};
    for (auto& condition : pod->status.conditions) {
      if (condition.type != "DisruptionTarget" || condition.status != "True") continue;
      if (condition.reason == "TerminationByKubelet") return Requeue{};
      const base::WallTime now = clock_->wall_now();
      const base::WallTime due = object::to_wall_time(condition.last_transition_time) + kStaleTimeout;
      if (now < due) return Requeue{due - now};
      condition = {};
      condition.type = "DisruptionTarget";
      condition.status = "False";
      condition.last_transition_time = object::to_time(now);
      condition.last_transition_time.nanos = 0;
      auto written = client_.update_status(*pod);
      if (!written && written.error().reason != Reason::kNotFound) return base::fail(written.error());
      return Requeue{};
    }
    return Requeue{};
  }

  const client::Client client_;
  base::Clock* const clock_;
  client::EventRecorder events_;
  client::Informer& budgets_;
  client::Informer& pods_;
  client::Informer& deployments_;
  client::Informer& replica_sets_;
  client::Informer& stateful_sets_;
  client::Informer& controllers_;
  WriteBarrier barrier_;
  Pace pace_;
  base::Mutex mutex_;
  // By namespace and name.
  std::map<std::string, std::map<std::string, object::LabelSelector>> selectors_ GUARDED_BY(mutex_);
};

}  // namespace

std::unique_ptr<Controller> make_controller(const Dependencies& dependencies) {
  return std::make_unique<DisruptionController>(dependencies);
}

}  // namespace controllers::disruption
