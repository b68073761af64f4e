#include "api/core/pod_cells.h"

#include <gtest/gtest.h>

#include "api/kinds.h"
#include "api/testing.h"

namespace api {
namespace {

using core::v1::ContainerStatus;
using core::v1::Pod;

// Two containers, one init container, created five minutes before `now`.
Pod base_pod() {
  Pod pod;
  pod.metadata.name = "p";
  pod.metadata.creation_timestamp = *object::parse_time("2026-01-01T00:00:00Z");
  pod.spec.init_containers.emplace_back().name = "i";
  for (const char* name : {"a", "b"}) pod.spec.containers.emplace_back().name = name;
  pod.status.phase = "Running";
  return pod;
}

ContainerStatus& status(Pod& pod, const char* name) {
  auto& out = pod.status.container_statuses.emplace_back();
  out.name = name;
  return out;
}
ContainerStatus& init_status(Pod& pod) {
  auto& out = pod.status.init_container_statuses.emplace_back();
  out.name = "i";
  return out;
}
void running(ContainerStatus& status) {
  status.ready = true;
  status.state.running.ensure();
}

struct Case {
  const char* name;
  void (*change)(Pod&);
  const char* ready;
  const char* state;
  const char* restarts;
};

TEST(PodCells, States) {
  const Case cases[] = {
      {"pending", [](Pod& p) { p.status.phase = "Pending"; }, "0/2", "Pending", "0"},
      {"gated",
       [](Pod& p) {
         auto& condition = p.status.conditions.emplace_back();
         condition.type = "PodScheduled", condition.reason = "SchedulingGated";
       },
       "0/2", "SchedulingGated", "0"},
      {"running",
       [](Pod& p) {
         running(status(p, "a"));
         running(status(p, "b"));
       },
       "2/2", "Running", "0"},
      {"crash",
       [](Pod& p) {
         auto& a = status(p, "a");
         a.restart_count = 3;
         a.state.waiting.ensure().reason = "CrashLoopBackOff";
         a.last_state.terminated.ensure().finished_at = *object::parse_time("2026-01-01T00:04:00Z");
         running(status(p, "b"));
       },
       "1/2", "CrashLoopBackOff", "3 (60s ago)"},
      {"evicted",
       [](Pod& p) {
         p.status.phase = "Failed";
         p.status.reason = "Evicted";
       },
       "0/2", "Evicted", "0"},
      {"completed",
       [](Pod& p) {
         p.status.phase = "Succeeded";
         status(p, "a").state.terminated.ensure().reason = "Completed";
       },
       "0/2", "Completed", "0"},
      {"one left",
       [](Pod& p) {
         status(p, "a").state.terminated.ensure().reason = "Completed";
         running(status(p, "b"));
       },
       "1/2", "NotReady", "0"},
      {"init failed", [](Pod& p) { init_status(p).state.terminated.ensure().exit_code = 3; }, "0/2", "Init:ExitCode:3",
       "0"},
      {"init waits", [](Pod& p) { init_status(p).state.waiting.ensure().reason = "ErrImagePull"; }, "0/2",
       "Init:ErrImagePull", "0"},
      {"init runs", [](Pod& p) { init_status(p).state.running.ensure(); }, "0/2", "Init:0/1", "0"},
      {"signal",
       [](Pod& p) {
         auto& terminated = status(p, "a").state.terminated.ensure();
         terminated.signal = 9, terminated.exit_code = 137;
       },
       "0/2", "Signal:9", "0"},
      {"sidecar",
       [](Pod& p) {
         p.spec.init_containers[0].restart_policy = "Always";
         auto& side = init_status(p);
         side.started = true, side.restart_count = 2;
         running(side);
         running(status(p, "a"));
       },
       "2/3", "Running", "2"},
      {"terminating", [](Pod& p) { p.metadata.deletion_timestamp.ensure(); }, "0/2", "Terminating", "0"},
      {"lost",
       [](Pod& p) {
         p.metadata.deletion_timestamp.ensure();
         p.status.reason = "NodeLost";
       },
       "0/2", "Unknown", "0"},
  };
  for (const Case& each : cases) {
    Pod pod = base_pod();
    each.change(pod);
    const std::string expected =
        std::string("p|") + each.ready + "|" + each.state + "|" + each.restarts + "|5m|<none>|<none>|<none>|<none>";
    EXPECT_EQ(testing::cells(*pod_rules(), pod, testing::at("2026-01-01T00:05:00Z")), expected) << each.name;
  }
}

TEST(PodCells, WideAndConditions) {
  Pod pod = base_pod();
  pod.status.pod_ips.emplace_back().ip = "10.1.1.1";
  pod.spec.node_name = "nodex";
  pod.status.nominated_node_name = "nn";
  for (const char* type : {"x.y/z", "x.y/w"}) pod.spec.readiness_gates.emplace_back().condition_type = type;
  auto& condition = pod.status.conditions.emplace_back();
  condition.type = "x.y/z", condition.status = "True";
  EXPECT_EQ(testing::cells(*pod_rules(), pod, testing::at("2026-01-01T00:05:00Z")),
            "p|0/2|Running|0|5m|10.1.1.1|nodex|nn|1/2");
  TableRow row;
  pod_cells(pod, {}, row);
  EXPECT_EQ(row.condition_type, "");
  pod.status.phase = "Failed";
  row = {};
  pod_cells(pod, {}, row);
  EXPECT_EQ(row.condition_type, "Completed");
  EXPECT_EQ(row.condition_reason, "Failed");
  EXPECT_EQ(row.condition_message, "The pod failed.");
}

}  // namespace
}  // namespace api
