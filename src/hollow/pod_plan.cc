#include "hollow/pod_plan.h"

#include <algorithm>
#include <charconv>

#include "object/time.h"

namespace hollow {
namespace {

using api::core::v1::Container;
using api::core::v1::ContainerStatus;
using api::core::v1::Pod;
using api::core::v1::PodCondition;
using api::core::v1::PodStatus;

std::optional<int64_t> annotated(const Pod& pod, const char* name) {
  const auto found = pod.metadata.annotations.find(name);
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

std::string names_of(const Pod& pod) {
  std::string names;
  for (const Container& container : pod.spec.containers) names += (names.empty() ? "" : " ") + container.name;
  return names;
}

ContainerStatus base_status(const Container& container) {
  ContainerStatus status;
  status.name = container.name;
  status.image = container.image;
  status.started = false;
  return status;
}

ContainerStatus started_status(const Pod& pod, const Container& container, int32_t restarts) {
  ContainerStatus status = base_status(container);
  status.image_id = container.image + "@sha256:" + digest(container.image);
  status.container_id = "hollow://" + digest(pod.metadata.uid + container.name + std::to_string(restarts));
  status.restart_count = restarts;
  return status;
}

ContainerStatus running_status(const Pod& pod, const Container& container, int32_t restarts, base::WallTime now) {
  ContainerStatus status = started_status(pod, container, restarts);
  status.ready = true;
  status.started = true;
  status.state.running.ensure().started_at = object::to_time(now);
  return status;
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
    } else if (pod_.status.phase != "Running") {
      run_containers();
    } else {
      keep_running();
    }
    return std::move(plan_);
  }

 private:
  bool wait_until(base::WallTime due) {
    if (now_ >= due) return false;
    plan_.look_again = due - now_;
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
    const std::string unready = "containers with unready status: [" + names_of(pod_) + "]";
    set_condition(pod_, status, "PodReadyToStartContainers", false, now_);
    set_condition(pod_, status, "Initialized", pod_.spec.init_containers.empty(), now_);
    set_condition(pod_, status, "Ready", false, now_, "ContainersNotReady", unready);
    set_condition(pod_, status, "ContainersReady", false, now_, "ContainersNotReady", unready);
    set_condition(pod_, status, "PodScheduled", true, now_);
    status.container_statuses.clear();
    status.init_container_statuses.clear();
    const char* reason = pod_.spec.init_containers.empty() ? "ContainerCreating" : "PodInitializing";
    for (const Container& container : pod_.spec.init_containers) {
      status.init_container_statuses.push_back(base_status(container));
      status.init_container_statuses.back().state.waiting.ensure().reason = "PodInitializing";
    }
    for (const Container& container : pod_.spec.containers) {
      status.container_statuses.push_back(base_status(container));
      status.container_statuses.back().state.waiting.ensure().reason = reason;
    }
    report();
  }

  void run_containers() {
    if (wait_until(situation_.seen + options_.start_delay)) return;
    PodStatus& status = plan_.status;
    status.phase = "Running";
    status.pod_ip = pod_.spec.host_network ? situation_.host_ip : situation_.pod_ip;
    status.pod_ips.resize(1);
    status.pod_ips[0].ip = status.pod_ip;
    status.init_container_statuses.clear();
    for (const Container& container : pod_.spec.init_containers) {
      const bool sidecar = container.restart_policy == "Always";
      ContainerStatus started = running_status(pod_, container, 0, now_);
      if (!sidecar) {
        terminate(started, 0, now_);
        started.ready = true;
      }
      status.init_container_statuses.push_back(std::move(started));
    }
    status.container_statuses.clear();
    for (const Container& container : pod_.spec.containers) {
      status.container_statuses.push_back(running_status(pod_, container, 0, now_));
    }
    set_condition(pod_, status, "PodReadyToStartContainers", true, now_);
    set_condition(pod_, status, "Initialized", true, now_);
    set_condition(pod_, status, "ContainersReady", true, now_);
    set_ready(status);
    report();
    schedule_exit();
  }

  void set_ready(PodStatus& status) {
    if (gates_open(pod_, status)) return set_condition(pod_, status, "Ready", true, now_);
    set_condition(pod_, status, "Ready", false, now_, "ReadinessGatesNotReady",
                  "the status of a readiness gate is not True");
  }

  // How long containers run; nothing = for ever.
  std::optional<base::Duration> run_time() const {
    if (const auto seconds = annotated(pod_, kRunSeconds)) return std::chrono::seconds(*seconds);
    if (pod_.spec.restart_policy == "Always" || pod_.spec.restart_policy.empty()) return std::nullopt;
    return options_.run_time;
  }

  void schedule_exit() {
    if (const auto time = run_time()) plan_.look_again = *time;
  }

  void keep_running() {
    PodStatus& status = plan_.status;
    const auto time = run_time();
    if (time) {
      base::WallTime started = now_;
      for (const ContainerStatus& container : status.container_statuses) {
        if (container.state.running)
          started = std::min(started, object::to_wall_time(container.state.running->started_at));
      }
      if (!wait_until(started + *time)) return exit_containers();
    }
    set_ready(status);
    if (!(status.conditions == pod_.status.conditions)) report();
  }

  void exit_containers() {
    PodStatus& status = plan_.status;
    const auto code = static_cast<int32_t>(annotated(pod_, kExitCode).value_or(0));
    const bool restarts =
        pod_.spec.restart_policy == "Always" || (pod_.spec.restart_policy == "OnFailure" && code != 0);
    report();
    if (restarts) {
      for (size_t i = 0; i < status.container_statuses.size() && i < pod_.spec.containers.size(); ++i) {
        ContainerStatus before = status.container_statuses[i];
        terminate(before, code, now_);
        ContainerStatus& after = status.container_statuses[i];
        after = running_status(pod_, pod_.spec.containers[i], before.restart_count + 1, now_);
        after.last_state = before.state;
      }
      schedule_exit();
      return;
    }
    end_containers(code);
  }

  void end_containers(int32_t code) {
    PodStatus& status = plan_.status;
    for (size_t i = 0; i < status.container_statuses.size(); ++i) {
      if (!status.container_statuses[i].state.terminated) terminate(status.container_statuses[i], code, now_);
    }
    const bool succeeded = code == 0;
    status.phase = succeeded ? "Succeeded" : "Failed";
    const std::string reason = succeeded ? "PodCompleted" : "PodFailed";
    set_condition(pod_, status, "PodReadyToStartContainers", false, now_);
    set_condition(pod_, status, "Initialized", true, now_, succeeded ? reason : "");
    set_condition(pod_, status, "Ready", false, now_, reason);
    set_condition(pod_, status, "ContainersReady", false, now_, reason);
  }

  // Deleted: containers stop, at once or as late as an annotation says, but within the grace period.
  void stop() {
    const int64_t grace = pod_.metadata.deletion_grace_period_seconds.value_or(0);
    const base::WallTime deadline = object::to_wall_time(*pod_.metadata.deletion_timestamp);
    const int64_t takes = std::min(annotated(pod_, kStopSeconds).value_or(0), grace);
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
