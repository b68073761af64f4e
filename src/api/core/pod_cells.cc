#include "api/core/pod_cells.h"

#include <algorithm>
#include <ranges>

#include "api/core/pod.h"
#include "api/core/pod_resources.h"
#include "object/time.h"

namespace api {
namespace {

using core::v1::ContainerStatus;
using core::v1::Pod;

bool condition_true(const Pod& pod, std::string_view type) {
  return std::ranges::any_of(pod.status.conditions,
                             [&](const auto& each) { return each.type == type && each.status == "True"; });
}

bool is_sidecar(const Pod& pod, const std::string& name) {
  const auto found = std::ranges::find(pod.spec.init_containers, name, &core::v1::Container::name);
  return found != pod.spec.init_containers.end() && restartable_init_container(*found);
}

// Restarts with the time of the newest one.
struct Restarts {
  int64_t count = 0;
  object::Time last;
  void add(const ContainerStatus& status) {
    count += status.restart_count;
    if (status.last_state.terminated) last = std::max(last, status.last_state.terminated->finished_at);
  }
};

std::string exit_text(const core::v1::ContainerStateTerminated& terminated) {
  if (!terminated.reason.empty()) return terminated.reason;
  if (terminated.signal != 0) return "Signal:" + std::to_string(terminated.signal);
  return "ExitCode:" + std::to_string(terminated.exit_code);
}

struct Summary {
  std::string reason;
  Restarts restarts;
  int64_t ready = 0, total = 0;
};

// The steps of initialization in order, up to the first that isn't done. True while there is one.
bool summarize_init(const Pod& pod, Summary& summary, Restarts& sidecars) {
  const auto& statuses = pod.status.init_container_statuses;
  for (size_t i = 0; i < statuses.size(); ++i) {
    const ContainerStatus& status = statuses[i];
    const bool sidecar = is_sidecar(pod, status.name);
    summary.restarts.add(status);
    if (sidecar) sidecars.add(status);
    const auto& terminated = status.state.terminated;
    const auto& waiting = status.state.waiting;
    if (terminated && terminated->exit_code == 0) continue;
    if (sidecar && status.started.value_or(false)) {
      if (status.ready) ++summary.ready;
      continue;
    }
    if (terminated) {
      summary.reason = "Init:" + exit_text(*terminated);
    } else if (waiting && !waiting->reason.empty() && waiting->reason != "PodInitializing") {
      summary.reason = "Init:" + waiting->reason;
    } else {
      summary.reason = "Init:" + std::to_string(i) + "/" + std::to_string(pod.spec.init_containers.size());
    }
    return true;
  }
  return false;
}

// The containers from last to first: the first one's reason is shown.
void summarize_containers(const Pod& pod, Summary& summary) {
  bool running = false;
  std::string failure;
  for (const auto& status : pod.status.container_statuses | std::views::reverse) {
    summary.restarts.add(status);
    const auto& terminated = status.state.terminated;
    const auto& waiting = status.state.waiting;
    if (waiting && !waiting->reason.empty()) {
      summary.reason = waiting->reason;
    } else if (terminated) {
      summary.reason = exit_text(*terminated);
      if (terminated->exit_code != 0) failure = summary.reason;
    } else if (status.ready && status.state.running) {
      running = true;
      ++summary.ready;
    }
  }
  if (summary.reason != "Completed") return;
  if (running && condition_true(pod, "Ready")) {
    summary.reason = "Running";
  } else if (!failure.empty()) {
    summary.reason = failure;
  } else if (running) {
    summary.reason = "NotReady";
  }
}

Summary summarize(const Pod& pod) {
  Summary summary;
  summary.reason = pod.status.reason.empty() ? pod.status.phase : pod.status.reason;
  for (const auto& condition : pod.status.conditions) {
    if (condition.type == "PodScheduled" && condition.reason == "SchedulingGated") summary.reason = "SchedulingGated";
  }
  summary.total = static_cast<int64_t>(pod.spec.containers.size()) +
                  std::ranges::count_if(pod.spec.init_containers, restartable_init_container);
  Restarts sidecars;
  const bool initializing = summarize_init(pod, summary, sidecars);
  if (!initializing || condition_true(pod, "Initialized")) {
    summary.restarts = sidecars;
    summarize_containers(pod, summary);
  }
  if (pod.metadata.deletion_timestamp) {
    if (pod.status.reason == "NodeLost") {
      summary.reason = "Unknown";
    } else if (!pod_terminal(pod)) {
      summary.reason = "Terminating";
    }
  }
  return summary;
}

std::string or_none(const std::string& text) { return text.empty() ? "<none>" : text; }

std::string readiness_gates(const Pod& pod) {
  if (pod.spec.readiness_gates.empty()) return "<none>";
  const auto passed = std::ranges::count_if(pod.spec.readiness_gates,
                                            [&](const auto& gate) { return condition_true(pod, gate.condition_type); });
  return std::to_string(passed) + "/" + std::to_string(pod.spec.readiness_gates.size());
}

template <typename Member>
std::string joined(const core::v1::PodSpec& spec, Member member) {
  std::string out;
  for (const auto& container : spec.containers) {
    if (!out.empty()) out += ',';
    out += container.*member;
  }
  return out;
}

}  // namespace

std::string container_names(const core::v1::PodSpec& spec) { return joined(spec, &core::v1::Container::name); }
std::string container_images(const core::v1::PodSpec& spec) { return joined(spec, &core::v1::Container::image); }

void pod_cells(const Pod& pod, base::WallTime now, TableRow& row) {
  const Summary summary = summarize(pod);
  std::string restarts = std::to_string(summary.restarts.count);
  if (summary.restarts.count != 0 && !summary.restarts.last.zero()) {
    restarts += " (" + object::human_age(summary.restarts.last, now) + " ago)";
  }
  row.cells.emplace_back(pod.metadata.name);
  row.cells.emplace_back(std::to_string(summary.ready) + "/" + std::to_string(summary.total));
  row.cells.emplace_back(summary.reason);
  row.cells.emplace_back(restarts);
  row.cells.emplace_back(object::human_age(pod.metadata.creation_timestamp, now));
  row.cells.emplace_back(pod.status.pod_ips.empty() ? "<none>" : or_none(pod.status.pod_ips[0].ip));
  row.cells.emplace_back(or_none(pod.spec.node_name));
  row.cells.emplace_back(or_none(pod.status.nominated_node_name));
  row.cells.emplace_back(readiness_gates(pod));
  if (!pod_terminal(pod)) return;
  row.condition_type = "Completed";
  row.condition_status = "True";
  row.condition_reason = pod.status.phase;
  row.condition_message = pod.status.phase == "Failed" ? "The pod failed." : "The pod has completed successfully.";
}

}  // namespace api
