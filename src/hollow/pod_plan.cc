#include "hollow/pod_plan.h"

#include <algorithm>
#include <charconv>

#include "hollow/container_fate.h"
#include "object/time.h"

namespace hollow {
namespace {

using api::core::v1::Container;
using api::core::v1::ContainerStatus;
using api::core::v1::Pod;
using api::core::v1::PodCondition;
using api::core::v1::PodStatus;

// Compat: how long a container that ended waits before it is started again, doubled each time.
constexpr base::Duration kFirstBackOff = std::chrono::seconds(10);
constexpr base::Duration kMaxBackOff = std::chrono::minutes(5);
constexpr base::Duration kLongRun = std::chrono::minutes(10);  // after which there is no wait

std::optional<int64_t> stop_seconds(const Pod& pod) {
  const auto found = pod.metadata.annotations.find(kStopSeconds);
  if (found == pod.metadata.annotations.end()) return std::nullopt;
  int64_t number = 0;
  const std::string& text = found->second;
  if (std::from_chars(text.data(), text.data() + text.size(), number).ec != std::errc()) return std::nullopt;
  return number;
}

// 64 hexadecimal digits that follow from the text.
std::string digest(std::string_view text) {
  std::string hex;
  uint64_t hash = 14695981039346656037ull;
  for (int round = 0; round < 4; ++round) {
    for (const char c : text) hash = (hash ^ static_cast<uint8_t>(c)) * 1099511628211ull;
    for (int shift = 60; shift >= 0; shift -= 4) hex += "0123456789abcdef"[(hash >> shift) & 15];
  }
  return hex;
}

void set_condition(const Pod& pod, PodStatus& status, const char* type, bool value, base::WallTime now,
                   std::string reason = "", std::string message = "") {
  auto found = std::ranges::find(status.conditions, std::string_view(type), &PodCondition::type);
  if (found == status.conditions.end()) found = status.conditions.emplace(status.conditions.end());
  const std::string text = value ? "True" : "False";
  if (found->status != text) found->last_transition_time = object::to_time(now);
  found->type = type;
  found->status = text;
  found->reason = std::move(reason);
  found->message = std::move(message);
  found->observed_generation = pod.metadata.generation;
}

bool gates_open(const Pod& pod, const PodStatus& status) {
  return std::ranges::all_of(pod.spec.readiness_gates, [&](const auto& gate) {
    const auto found = std::ranges::find(status.conditions, gate.condition_type, &PodCondition::type);
    return found != status.conditions.end() && found->status == "True";
  });
}

ContainerStatus waiting_status(const Container& container, const char* reason) {
  ContainerStatus status;
  status.name = container.name;
  status.image = container.image;
  status.started = false;
  status.state.waiting.ensure().reason = reason;
  return status;
}

void wait(ContainerStatus& status, const char* reason, std::string message) {
  auto& waiting = status.state.waiting.ensure();
  waiting.reason = reason;
  waiting.message = std::move(message);
}

void start(const Pod& pod, const std::string& image, ContainerStatus& status, base::WallTime now) {
  status.image = image;
  status.image_id = image + "@sha256:" + digest(image);
  status.container_id = "hollow://" + digest(pod.metadata.uid + status.name + std::to_string(status.restart_count));
  status.state.waiting.reset();
  status.state.terminated.reset();
  status.state.running.ensure().started_at = object::to_time(now);
}

void terminate(ContainerStatus& status, int32_t exit_code, base::WallTime now) {
  auto& terminated = status.state.terminated.ensure();
  if (status.state.running) terminated.started_at = status.state.running->started_at;
  terminated.exit_code = exit_code;
  terminated.reason = exit_code == 0 ? "Completed" : "Error";
  terminated.finished_at = object::to_time(now);
  terminated.container_id = status.container_id;
  status.state.running.reset();
  status.state.waiting.reset();
  status.ready = false;
  status.started = false;
}

bool is_sidecar(const Container& container) { return container.restart_policy == "Always"; }

bool is_terminal(const Pod& pod) { return pod.status.phase == "Succeeded" || pod.status.phase == "Failed"; }

class PodPlanner {
 public:
  PodPlanner(const PodSituation& situation, const Options& options)
      : situation_(situation), options_(options), pod_(*situation.pod), now_(situation.now) {
    plan_.status = pod_.status;
    plan_.status.observed_generation = pod_.metadata.generation;
  }

  PodPlan run() {
    if (pod_.metadata.deletion_timestamp) {
      stop();
    } else if (is_terminal(pod_)) {
      return {};
    } else if (!pod_.status.start_time) {
      create_containers();
    } else if (pod_.status.phase == "Running" || !wait_until(situation_.seen + options_.start_delay)) {
      advance();
    }
    return std::move(plan_);
  }

 private:
  // True: `due` is yet to come, and the pod is looked at again then.
  bool wait_until(base::WallTime due) {
    if (now_ >= due) return false;
    if (!plan_.look_again || due - now_ < *plan_.look_again) plan_.look_again = due - now_;
    return true;
  }

  void report() { plan_.action = PodAction::kReport; }

  void create_containers() {
    PodStatus& status = plan_.status;
    status.phase = "Pending";
    status.start_time = object::to_time(now_);
    status.host_ip = situation_.host_ip;
    status.host_ips.resize(1);
    status.host_ips[0].ip = situation_.host_ip;
    status.container_statuses.clear();
    status.init_container_statuses.clear();
    const char* reason = pod_.spec.init_containers.empty() ? "ContainerCreating" : "PodInitializing";
    for (const Container& container : pod_.spec.init_containers) {
      status.init_container_statuses.push_back(waiting_status(container, "PodInitializing"));
    }
    for (const Container& container : pod_.spec.containers) {
      status.container_statuses.push_back(waiting_status(container, reason));
    }
    set_condition(pod_, status, "PodReadyToStartContainers", false, now_);
    set_conditions();
    set_condition(pod_, status, "PodScheduled", true, now_);
    report();
  }

  // Brings every container as far as it has got by now.
  void advance() {
    PodStatus& status = plan_.status;
    if (is_overdue()) return;
    if (status.pod_ip.empty()) {
      status.pod_ip = pod_.spec.host_network ? situation_.host_ip : situation_.pod_ip;
      status.pod_ips.resize(1);
      status.pod_ips[0].ip = status.pod_ip;
    }
    set_condition(pod_, status, "PodReadyToStartContainers", true, now_);
    set_condition(pod_, status, "PodScheduled", true, now_);
    if (run_init_containers()) {
      for (size_t i = 0; i < status.container_statuses.size() && i < pod_.spec.containers.size(); ++i) {
        run_container(pod_.spec.containers[i], Role::kMain, status.container_statuses[i]);
      }
      set_phase();
    }
    run_ephemeral_containers();
    if (status.phase != "Failed" && status.phase != "Succeeded") set_conditions();
    if (!(status == pod_.status)) report();
  }

  bool is_overdue() {
    if (!pod_.spec.active_deadline_seconds) return false;
    const base::WallTime end =
        object::to_wall_time(*pod_.status.start_time) + std::chrono::seconds(*pod_.spec.active_deadline_seconds);
    if (wait_until(end)) return false;
    end_containers(137);
    plan_.status.phase = "Failed";
    plan_.status.reason = "DeadlineExceeded";
    plan_.status.message = "Pod was active on the node longer than the specified deadline";
    report();
    return true;
  }

  // True when all have done their part.
  bool run_init_containers() {
    PodStatus& status = plan_.status;
    for (size_t i = 0; i < status.init_container_statuses.size() && i < pod_.spec.init_containers.size(); ++i) {
      const Container& container = pod_.spec.init_containers[i];
      ContainerStatus& init = status.init_container_statuses[i];
      if (init.state.terminated && init.state.terminated->exit_code == 0 && !is_sidecar(container)) continue;
      run_container(container, is_sidecar(container) ? Role::kMain : Role::kInit, init);
      if (is_sidecar(container) && init.state.running) continue;
      if (!init.state.terminated) return false;
      if (init.state.terminated->exit_code == 0) {
        init.ready = true;
        continue;
      }
      end_pod(false);
      return false;
    }
    return true;
  }

  void run_container(const Container& container, Role role, ContainerStatus& status) {
    if (status.state.terminated) return;
    const Fate fate = foresee(pod_, container, role, status.restart_count, options_);
    if (status.state.waiting && !leave_waiting(container, status)) return;
    if (status.state.running && status.image != container.image && pod_.spec.restart_policy != "Never") {
      return restart(container, status, 0);
    }
    if (fate.lasts && is_over(*fate.lasts, role, status)) return end_container(container, fate.exit_code, status);
    set_ready(container, status);
  }

  // False: it waits on.
  bool leave_waiting(const Container& container, ContainerStatus& status) {
    if (!can_be_pulled(container.image)) {
      status.image = container.image;
      wait(status, "ImagePullBackOff", "Back-off pulling image \"" + container.image + "\": not found");
      return false;
    }
    if (const auto& last = status.last_state.terminated) {
      if (wait_until(object::to_wall_time(last->finished_at) + back_off(status.restart_count))) return false;
      ++status.restart_count;
    }
    start(pod_, container.image, status, now_);
    return true;
  }

  // Compat: init containers that end at once are never seen running; others are.
  bool is_over(base::Duration lasts, Role role, const ContainerStatus& status) {
    const base::WallTime started = object::to_wall_time(status.state.running->started_at);
    if (wait_until(started + lasts)) return false;
    if (role == Role::kInit || was_running(status)) return true;
    plan_.look_again = base::Duration(1);
    return false;
  }

  // Whether the last report showed this run.
  bool was_running(const ContainerStatus& status) const {
    for (const auto* list : {&pod_.status.container_statuses, &pod_.status.init_container_statuses}) {
      for (const ContainerStatus& before : *list) {
        if (before.name == status.name && before.state.running) return before.container_id == status.container_id;
      }
    }
    return false;
  }

  void end_container(const Container& container, int32_t code, ContainerStatus& status) {
    const bool again = is_sidecar(container) || pod_.spec.restart_policy == "Always" ||
                       pod_.spec.restart_policy.empty() || (pod_.spec.restart_policy == "OnFailure" && code != 0);
    const bool is_init = std::ranges::find(pod_.spec.init_containers, container.name, &Container::name) !=
                         pod_.spec.init_containers.end();
    if (again && !(is_init && code == 0 && !is_sidecar(container))) return restart(container, status, code);
    terminate(status, code, now_);
  }

  void restart(const Container& container, ContainerStatus& status, int32_t code) {
    const base::WallTime started = object::to_wall_time(status.state.running->started_at);
    terminate(status, code, now_);
    status.last_state = status.state;
    status.state.terminated.reset();
    if (status.restart_count == 0 || now_ - started >= kLongRun) {
      ++status.restart_count;
      start(pod_, container.image, status, now_);
      plan_.look_again = base::Duration(1);
      return set_ready(container, status);
    }
    const base::Duration delay = back_off(status.restart_count);
    wait(status, "CrashLoopBackOff",
         "back-off " + object::format_duration(delay) + " restarting failed container=" + container.name +
             " pod=" + pod_.metadata.name + "_" + pod_.metadata.namespace_ + "(" + pod_.metadata.uid + ")");
    wait_until(now_ + delay);
  }

  static base::Duration back_off(int32_t restarts) {
    base::Duration delay = kFirstBackOff;
    for (int32_t i = 1; i < restarts && delay < kMaxBackOff; ++i) delay *= 2;
    return std::min(delay, kMaxBackOff);
  }

  void set_ready(const Container& container, ContainerStatus& status) {
    if (!status.state.running) return;
    const base::WallTime started = object::to_wall_time(status.state.running->started_at);
    status.started = !container.startup_probe || has_succeeded(*container.startup_probe, started);
    status.ready =
        *status.started && (!container.readiness_probe || has_succeeded(*container.readiness_probe, started));
  }

  bool has_succeeded(const api::core::v1::Probe& probe, base::WallTime started) {
    const auto after = first_success(probe);
    return after && !wait_until(started + *after);
  }

  void run_ephemeral_containers() {
    auto& statuses = plan_.status.ephemeral_container_statuses;
    for (const auto& container : pod_.spec.ephemeral_containers) {
      const auto& common = container.ephemeral_container_common;
      if (std::ranges::find(statuses, common.name, &ContainerStatus::name) != statuses.end()) continue;
      ContainerStatus& status = statuses.emplace_back();
      status.name = common.name;
      start(pod_, common.image, status, now_);
    }
  }

  void set_phase() {
    PodStatus& status = plan_.status;
    const auto ended = [](const ContainerStatus& c) { return static_cast<bool>(c.state.terminated); };
    const auto has_run = [](const ContainerStatus& c) { return c.state.running || c.last_state.terminated; };
    if (!status.container_statuses.empty() && std::ranges::all_of(status.container_statuses, ended)) {
      return end_pod(std::ranges::all_of(status.container_statuses,
                                         [](const ContainerStatus& c) { return c.state.terminated->exit_code == 0; }));
    }
    status.phase =
        std::ranges::any_of(status.container_statuses, has_run) || std::ranges::any_of(status.container_statuses, ended)
            ? "Running"
            : "Pending";
  }

  void end_containers(int32_t code) {
    for (ContainerStatus& status : plan_.status.container_statuses) {
      if (!status.state.terminated) terminate(status, code, now_);
    }
    for (ContainerStatus& status : plan_.status.init_container_statuses) {
      if (status.state.running) terminate(status, code, now_);
    }
    end_pod(code == 0);
  }

  void end_pod(bool succeeded) {
    PodStatus& status = plan_.status;
    status.phase = succeeded ? "Succeeded" : "Failed";
    // Sidecars stop when the others have ended.
    for (ContainerStatus& init : status.init_container_statuses) {
      if (init.state.running) terminate(init, 0, now_);
    }
    const std::string reason = succeeded ? "PodCompleted" : "PodFailed";
    const std::string incomplete = incomplete_init_containers();
    set_condition(pod_, status, "PodReadyToStartContainers", false, now_);
    if (incomplete.empty()) {
      set_condition(pod_, status, "Initialized", true, now_, succeeded ? reason : "");
    } else {
      set_condition(pod_, status, "Initialized", false, now_, "ContainersNotInitialized",
                    "containers with incomplete status: [" + incomplete + "]");
    }
    set_condition(pod_, status, "Ready", false, now_, reason);
    set_condition(pod_, status, "ContainersReady", false, now_, reason);
  }

  std::string incomplete_init_containers() const {
    std::string names;
    for (const ContainerStatus& init : plan_.status.init_container_statuses) {
      const bool complete = init.state.running ? init.started.value_or(false)
                                               : init.state.terminated && init.state.terminated->exit_code == 0;
      if (!complete) names.append(names.empty() ? "" : " ").append(init.name);
    }
    return names;
  }

  void set_conditions() {
    PodStatus& status = plan_.status;
    const std::string incomplete = incomplete_init_containers();
    std::string unready;
    for (const ContainerStatus& container : status.container_statuses) {
      if (!container.ready && !(container.state.terminated && container.state.terminated->exit_code == 0))
        unready.append(unready.empty() ? "" : " ").append(container.name);
    }
    if (incomplete.empty()) {
      set_condition(pod_, status, "Initialized", true, now_);
    } else {
      set_condition(pod_, status, "Initialized", false, now_, "ContainersNotInitialized",
                    "containers with incomplete status: [" + incomplete + "]");
    }
    if (!unready.empty()) {
      const std::string message = "containers with unready status: [" + unready + "]";
      set_condition(pod_, status, "Ready", false, now_, "ContainersNotReady", message);
      set_condition(pod_, status, "ContainersReady", false, now_, "ContainersNotReady", message);
      return;
    }
    if (gates_open(pod_, status)) {
      set_condition(pod_, status, "Ready", true, now_);
    } else {
      set_condition(pod_, status, "Ready", false, now_, "ReadinessGatesNotReady",
                    "the status of a readiness gate is not True");
    }
    set_condition(pod_, status, "ContainersReady", true, now_);
  }

  // Deleted: containers stop, at once or as late as an annotation says, but within the grace period.
  void stop() {
    const int64_t grace = pod_.metadata.deletion_grace_period_seconds.value_or(0);
    const base::WallTime deadline = object::to_wall_time(*pod_.metadata.deletion_timestamp);
    const int64_t takes = std::min(stop_seconds(pod_).value_or(0), grace);
    const bool running = pod_.status.phase == "Running";
    if (running && takes > 0 && wait_until(deadline - std::chrono::seconds(grace - takes))) return;
    // Whoever holds the Pod with a finalizer wants to know how it ended.
    if (!pod_.metadata.finalizers.empty() && !is_terminal(pod_)) {
      report();
      return end_containers(running ? 137 : 0);
    }
    if (grace > 0 || pod_.metadata.finalizers.empty()) plan_.action = PodAction::kDelete;
  }

  const PodSituation& situation_;
  const Options& options_;
  const Pod& pod_;
  const base::WallTime now_;
  PodPlan plan_;
};

}  // namespace

PodPlan plan_pod(const PodSituation& situation, const Options& options) { return PodPlanner(situation, options).run(); }

}  // namespace hollow
