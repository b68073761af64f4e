#include "controllers/job/plan.h"

#include <algorithm>
#include <charconv>
#include <map>
#include <set>
#include <tuple>

#include "client/client.h"
#include "controllers/job/index_set.h"
#include "controllers/job/policies.h"
#include "controllers/runtime/owners.h"
#include "object/time.h"

namespace controllers::job {
namespace {

using api::batch::v1::Job;
using api::batch::v1::JobCondition;
using api::batch::v1::JobStatus;
using api::core::v1::Pod;

constexpr base::Duration kFirstBackoff = std::chrono::seconds(10);
constexpr base::Duration kMaxBackoff = std::chrono::minutes(10);

bool has_finalizer(const Pod& pod) {
  return std::ranges::find(pod.metadata.finalizers, kTrackingFinalizer) != pod.metadata.finalizers.end();
}
bool is_deleting(const Pod& pod) { return pod.metadata.deletion_timestamp.get() != nullptr; }
bool is_terminal(const Pod& pod) { return pod.status.phase == "Succeeded" || pod.status.phase == "Failed"; }

bool is_ready(const Pod& pod) {
  return std::ranges::any_of(pod.status.conditions,
                             [](const auto& c) { return c.type == "Ready" && c.status == "True"; });
}

std::optional<int32_t> index_of(const Pod& pod) {
  const auto found = pod.metadata.annotations.find(kIndexAnnotation);
  if (found == pod.metadata.annotations.end()) return std::nullopt;
  int32_t index = 0;
  const std::string& text = found->second;
  if (std::from_chars(text.data(), text.data() + text.size(), index).ec != std::errc()) return std::nullopt;
  return index;
}

bool is_true(const JobStatus& status, std::string_view type) {
  return std::ranges::any_of(status.conditions,
                             [&](const JobCondition& c) { return c.type == type && c.status == "True"; });
}

// Compat: when the last container ended; else when the Pod stopped being ready, was deleted or was made.
base::WallTime finish_time(const Pod& pod) {
  base::WallTime latest = base::WallTime::min();
  for (const auto& container : pod.status.container_statuses) {
    if (container.state.terminated) {
      latest = std::max(latest, object::to_wall_time(container.state.terminated->finished_at));
    }
  }
  if (latest != base::WallTime::min()) return latest;
  for (const auto& condition : pod.status.conditions) {
    if (condition.type == "Ready" && condition.status == "False" && !condition.last_transition_time.zero()) {
      return object::to_wall_time(condition.last_transition_time);
    }
  }
  if (pod.metadata.deletion_timestamp) return object::to_wall_time(*pod.metadata.deletion_timestamp);
  return object::to_wall_time(pod.metadata.creation_timestamp);
}

class Planner {
 public:
  explicit Planner(const Observed& observed) : job_(observed.job), pods_(observed.pods), now_(observed.now) {
    plan_.status = job_.status;
  }

  Plan run() {
    if (is_finished(job_) || job_.metadata.deletion_timestamp) {
      release_ended();
      return std::move(plan_);
    }
    note_suspension();
    count_pods();
    judge();
    if (is_true(plan_.status, "FailureTarget") || is_true(plan_.status, "SuccessCriteriaMet")) {
      for (const size_t at : active_) plan_.remove.push_back(at);
      finish_when_quiet();
    } else if (suspended()) {
      for (const size_t at : active_) plan_.remove.push_back(at);
    } else {
      manage();
    }
    if (plan_.remove.size() > kMaxPodsPerSync) plan_.remove.resize(kMaxPodsPerSync);
    plan_.status.active = static_cast<int32_t>(active_.size() - plan_.remove.size() + plan_.create.size());
    return std::move(plan_);
  }

 private:
  bool indexed() const { return job_.spec.completion_mode == "Indexed"; }
  bool suspended() const { return job_.spec.suspend.value_or(false); }
  // Compat: with the policy Failed a Pod counts, and is replaced, only when it has ended.
  bool replaces_terminating() const { return job_.spec.pod_replacement_policy != "Failed"; }

  // A finished or deleted Job counts no more: its Pods are free to go.
  void release_ended() {
    for (size_t i = 0; i < pods_.size(); ++i) {
      const bool ended = is_terminal(pods_[i]) || is_deleting(pods_[i]) || is_finished(job_);
      if (has_finalizer(pods_[i]) && ended) plan_.release.push_back(i);
    }
  }

  void note_suspension() {
    JobStatus& status = plan_.status;
    if (suspended()) {
      status.start_time.reset();
      if (is_true(status, "Suspended")) return;
      set_condition("Suspended", "True", "JobSuspended", "Job suspended");
      plan_.events.push_back({false, "Suspended", "Job suspended"});
      return;
    }
    if (is_true(status, "Suspended")) {
      set_condition("Suspended", "False", "JobResumed", "Job resumed");
      plan_.events.push_back({false, "Resumed", "Job resumed"});
      status.start_time = object::to_time(now_);
    }
    if (!status.start_time) status.start_time = object::to_time(now_);
  }

  void set_condition(const char* type, const char* value, std::string reason, std::string message) {
    auto& conditions = plan_.status.conditions;
    auto found = std::ranges::find(conditions, std::string_view(type), &JobCondition::type);
    if (found == conditions.end()) found = conditions.emplace(conditions.end());
    found->type = type;
    found->status = value;
    found->reason = std::move(reason);
    found->message = std::move(message);
    found->last_probe_time = found->last_transition_time = object::to_time(now_);
  }

  void count_pods() {
    JobStatus& status = plan_.status;
    auto& uncounted = status.uncounted_terminated_pods.ensure();
    flush(uncounted.succeeded, status.succeeded);
    flush(uncounted.failed, status.failed);
    if (indexed()) completed_ = parse_indexes(status.completed_indexes, completions());
    if (limits_indexes()) failed_indexes_ = parse_indexes(status.failed_indexes.value_or(""), completions());
    status.ready = 0;
    status.terminating = 0;
    for (size_t i = 0; i < pods_.size(); ++i) count_pod(i, uncounted.succeeded, uncounted.failed);
    if (indexed()) {
      status.completed_indexes = format_indexes(completed_);
      status.succeeded = static_cast<int32_t>(completed_.size());
    }
    for (const int32_t index : completed_) failed_indexes_.erase(index);
    if (limits_indexes()) status.failed_indexes = format_indexes(failed_indexes_);
    succeeded_ = status.succeeded + static_cast<int32_t>(uncounted.succeeded.size());
    failed_ = status.failed + static_cast<int32_t>(uncounted.failed.size());
  }

  // Uids whose Pod has lost its finalizer are in the counter from now on.
  void flush(std::vector<std::string>& uids, int32_t& counter) {
    const auto gone = std::erase_if(uids, [&](const std::string& uid) {
      const auto pod = std::ranges::find(pods_, uid, [](const Pod& p) { return p.metadata.uid; });
      return pod == pods_.end() || !has_finalizer(*pod);
    });
    counter += static_cast<int32_t>(gone);
  }

  void count_pod(size_t at, std::vector<std::string>& succeeded, std::vector<std::string>& failed) {
    const Pod& pod = pods_[at];
    if (is_deleting(pod) && !is_terminal(pod)) ++*plan_.status.terminating;
    if (!is_terminal(pod) && !is_deleting(pod)) {
      active_.push_back(at);
      if (is_ready(pod)) ++*plan_.status.ready;
      return;
    }
    const bool success = pod.status.phase == "Succeeded";
    if (!success && !is_terminal(pod) && !replaces_terminating()) return;
    const Failure failure = judge_failure(job_, pod);
    if (!success) note_failure(pod, failure);
    if (success) last_success_ = std::max(last_success_, finish_time(pod));
    if (!has_finalizer(pod)) return;
    plan_.release.push_back(at);
    if (success && indexed()) {
      const auto index = index_of(pod);
      if (index && *index >= 0 && *index < completions()) completed_.insert(*index);
      return;
    }
    if (!success && failure.action == FailureAction::kIgnore) return;
    auto& list = success ? succeeded : failed;
    if (std::ranges::find(list, pod.metadata.uid) == list.end()) list.push_back(pod.metadata.uid);
  }

  // What a failed Pod means for its index, for the Job, and for how long the next one waits.
  void note_failure(const Pod& pod, const Failure& failure) {
    if (failure.action == FailureAction::kFailJob && fatal_.empty()) fatal_ = failure.message;
    const bool counts = failure.action != FailureAction::kIgnore;
    if (pod.status.phase == "Failed" && counts) last_failure_ = std::max(last_failure_, finish_time(pod));
    const auto index = index_of(pod);
    if (!limits_indexes() || !index || *index < 0 || *index >= completions()) return;
    const int32_t before = failure_count(pod);
    if (failure.action == FailureAction::kFailIndex || (counts && before >= *job_.spec.backoff_limit_per_index)) {
      failed_indexes_.insert(*index);
    }
    auto& [count, last] = index_failures_[*index];
    count = std::max(count, before + (counts ? 1 : 0));
    last = std::max(last, finish_time(pod));
  }

  bool limits_indexes() const { return indexed() && job_.spec.backoff_limit_per_index; }
  int32_t completions() const { return job_.spec.completions.value_or(0); }

  // Decides whether the Job is to end, and how.
  void judge() {
    if (is_true(plan_.status, "FailureTarget") || is_true(plan_.status, "SuccessCriteriaMet")) return;
    if (!fatal_.empty()) return fail("PodFailurePolicy", fatal_);
    const int32_t limit = job_.spec.backoff_limit.value_or(6);
    if (failed_ > limit || past_restart_limit(limit)) {
      return fail("BackoffLimitExceeded", "Job has reached the specified backoff limit");
    }
    if (past_deadline()) return fail("DeadlineExceeded", "Job was active longer than specified deadline");
    if (job_.spec.max_failed_indexes && static_cast<int64_t>(failed_indexes_.size()) > *job_.spec.max_failed_indexes) {
      return fail("MaxFailedIndexesExceeded", "Job has exceeded the specified maximal number of failed indexes");
    }
    if (!failed_indexes_.empty() && std::cmp_greater_equal(failed_indexes_.size() + completed_.size(), completions())) {
      return fail("FailedIndexes", "Job has failed indexes");
    }
    if (auto met = success_by_policy(job_, completed_)) {
      return set_condition("SuccessCriteriaMet", "True", "SuccessPolicy", std::move(*met));
    }
    const bool complete =
        job_.spec.completions ? succeeded_ >= *job_.spec.completions : succeeded_ > 0 && active_.empty();
    if (complete && !suspended()) {
      set_condition("SuccessCriteriaMet", "True", "CompletionsReached", "Reached expected number of succeeded pods");
    }
  }

  void fail(std::string reason, std::string message) {
    set_condition("FailureTarget", "True", std::move(reason), std::move(message));
  }

  // Compat: with restartPolicy OnFailure the restarts of running Pods count.
  bool past_restart_limit(int32_t limit) const {
    if (job_.spec.template_.spec.restart_policy != "OnFailure") return false;
    int32_t restarts = 0;
    for (const size_t at : active_) {
      for (const auto& container : pods_[at].status.container_statuses) restarts += container.restart_count;
      for (const auto& container : pods_[at].status.init_container_statuses) restarts += container.restart_count;
    }
    return limit == 0 ? restarts > 0 : restarts >= limit;
  }

  bool past_deadline() {
    if (!job_.spec.active_deadline_seconds || suspended() || !plan_.status.start_time) return false;
    const base::WallTime due =
        object::to_wall_time(*plan_.status.start_time) + std::chrono::seconds(*job_.spec.active_deadline_seconds);
    if (now_ < due) plan_.look_again = due - now_;
    return now_ >= due;
  }

  // The final condition follows when no Pod runs any more and every one is counted.
  void finish_when_quiet() {
    const auto& uncounted = *plan_.status.uncounted_terminated_pods;
    const bool quiet = active_.empty() && *plan_.status.terminating == 0 && uncounted.succeeded.empty() &&
                       uncounted.failed.empty() && plan_.release.empty();
    if (!quiet) return;
    const bool success = is_true(plan_.status, "SuccessCriteriaMet");
    const auto target =
        std::ranges::find(plan_.status.conditions, std::string_view(success ? "SuccessCriteriaMet" : "FailureTarget"),
                          &JobCondition::type);
    const std::string reason = target->reason, message = target->message;
    set_condition(success ? "Complete" : "Failed", "True", reason, message);
    if (success) {
      plan_.status.completion_time = object::to_time(now_);
      plan_.events.push_back({false, "Completed", "Job completed"});
    } else {
      plan_.events.push_back({true, reason, message});
    }
  }

  void manage() {
    const auto active = static_cast<int32_t>(active_.size());
    const int32_t parallelism = job_.spec.parallelism.value_or(1);
    int32_t wanted = parallelism;
    if (job_.spec.completions)
      wanted =
          std::min(*job_.spec.completions - succeeded_ - static_cast<int32_t>(failed_indexes_.size()), parallelism);
    else if (succeeded_ > 0)
      wanted = std::min(active, parallelism);
    wanted = std::max(wanted, 0);
    if (active > wanted) return remove_surplus(active - wanted);
    int32_t missing = wanted - active;
    // Compat: with the policy Failed a Pod that ends still holds its place.
    if (!replaces_terminating()) missing -= *plan_.status.terminating;
    if (missing <= 0 || (!limits_indexes() && must_wait(failed_, last_failure_))) return;
    add_missing(std::min(missing, kMaxPodsPerSync));
  }

  void remove_surplus(int32_t count) {
    // Not yet running ones first.
    std::vector<size_t> order = active_;
    std::ranges::sort(
        order, {}, [&](size_t at) { return std::tuple(is_ready(pods_[at]), pods_[at].status.phase == "Running", at); });
    order.resize(static_cast<size_t>(count));
    plan_.remove = std::move(order);
  }

  // Compat: after failures new Pods wait: 10 s, doubling up to 10 min, from the last failure.
  bool must_wait(int32_t failures, base::WallTime last_failure) {
    if (failures == 0 || last_failure == base::WallTime::min()) return false;
    if (!limits_indexes() && last_success_ > last_failure) return false;
    base::Duration delay = kFirstBackoff;
    for (int32_t i = 1; i < failures && delay < kMaxBackoff; ++i) delay *= 2;
    const base::WallTime due = last_failure + std::min(delay, kMaxBackoff);
    if (now_ >= due) return false;
    const base::Duration wait = due - now_;
    plan_.look_again = std::min(plan_.look_again.value_or(wait), wait);
    return true;
  }

  void add_missing(int32_t count) {
    if (!indexed()) {
      plan_.create.assign(static_cast<size_t>(count), std::nullopt);
      return;
    }
    std::set<int32_t> taken = completed_;
    taken.insert(failed_indexes_.begin(), failed_indexes_.end());
    for (const Pod& pod : pods_) {
      const bool holds = !is_terminal(pod) && (!is_deleting(pod) || !replaces_terminating());
      if (const auto index = index_of(pod); holds && index) taken.insert(*index);
    }
    for (int32_t i = 0; i < completions() && count > 0; ++i) {
      if (taken.contains(i)) continue;
      if (const auto failure = index_failures_.find(i); failure != index_failures_.end()) {
        if (must_wait(failure->second.first, failure->second.second)) continue;
        plan_.failures[i] = failure->second.first;
      }
      plan_.create.emplace_back(i);
      --count;
    }
  }

  const Job& job_;
  const std::vector<Pod>& pods_;
  const base::WallTime now_;
  Plan plan_;
  std::vector<size_t> active_;
  std::set<int32_t> completed_;
  std::set<int32_t> failed_indexes_;
  std::map<int32_t, std::pair<int32_t, base::WallTime>> index_failures_;  // how often, and the latest
  std::string fatal_;                                                     // why a Pod's failure ends the Job
  int32_t succeeded_ = 0;                                                 // with those not counted yet
  int32_t failed_ = 0;
  base::WallTime last_failure_ = base::WallTime::min();
  base::WallTime last_success_ = base::WallTime::min();
};

void add_index(Pod& pod, const Job& job, int32_t index) {
  const std::string text = std::to_string(index);
  pod.metadata.generate_name = job.metadata.name + "-" + text + "-";
  pod.metadata.annotations[kIndexAnnotation] = text;
  pod.metadata.labels[kIndexAnnotation] = text;
  if (pod.spec.hostname.empty()) pod.spec.hostname = job.metadata.name + "-" + text;
  api::core::v1::EnvVar variable;
  variable.name = "JOB_COMPLETION_INDEX";
  variable.value_from.ensure().field_ref.ensure().field_path =
      "metadata.labels['" + std::string(kIndexAnnotation) + "']";
  for (auto* containers : {&pod.spec.init_containers, &pod.spec.containers}) {
    for (auto& container : *containers) {
      const bool known = std::ranges::any_of(container.env, [&](const auto& e) { return e.name == variable.name; });
      if (!known) container.env.push_back(variable);
    }
  }
}

}  // namespace

Plan plan(const Observed& observed) { return Planner(observed).run(); }

bool is_finished(const Job& job) { return is_true(job.status, "Complete") || is_true(job.status, "Failed"); }

Pod make_pod(const Job& job, std::optional<int32_t> index, int32_t failures) {
  Pod pod;
  const auto& metadata = job.spec.template_.metadata;
  pod.metadata.generate_name = job.metadata.name + "-";
  pod.metadata.namespace_ = job.metadata.namespace_;
  pod.metadata.labels = metadata.labels;
  pod.metadata.annotations = metadata.annotations;
  pod.metadata.finalizers = metadata.finalizers;
  pod.metadata.finalizers.emplace_back(kTrackingFinalizer);
  pod.metadata.owner_references = {controller_reference(client::resource_of<Job>(), job.metadata)};
  pod.spec = job.spec.template_.spec;
  if (index) add_index(pod, job, *index);
  if (job.spec.backoff_limit_per_index) pod.metadata.annotations[kFailureCountAnnotation] = std::to_string(failures);
  return pod;
}

}  // namespace controllers::job
