#include "hollow/node_objects.h"

#include <algorithm>
#include <bit>

#include "object/json.h"
#include "object/time.h"
#include "object/value.h"

namespace hollow {
namespace {

using api::core::v1::Node;
using api::core::v1::NodeCondition;

constexpr uint32_t kHostBase = 0x0A00000A;  // 10.0.0.10
constexpr uint32_t kPodBase = 0x0AF40000;   // 10.244.0.0
constexpr uint32_t kSmallestBlock = 256;

struct ConditionText {
  const char* type;
  const char* status;
  const char* reason;
  const char* message;
};
constexpr ConditionText kConditions[] = {
    {"MemoryPressure", "False", "KubeletHasSufficientMemory", "kubelet has sufficient memory available"},
    {"DiskPressure", "False", "KubeletHasNoDiskPressure", "kubelet has no disk pressure"},
    {"PIDPressure", "False", "KubeletHasSufficientPID", "kubelet has sufficient PID available"},
    {"Ready", "True", "KubeletReady", "kubelet is posting ready status"}};

std::string dotted(uint32_t address) {
  return std::to_string(address >> 24) + "." + std::to_string(address >> 16 & 255) + "." +
         std::to_string(address >> 8 & 255) + "." + std::to_string(address & 255);
}

uint32_t block_size(const Options& options) {
  return std::max(kSmallestBlock, std::bit_ceil(static_cast<uint32_t>(options.pods) + 2));
}
uint32_t block_start(const Options& options, int index) {
  return kPodBase + static_cast<uint32_t>(index) * block_size(options);
}

}  // namespace

std::string node_name(const Options& options, int index) { return options.name_prefix + std::to_string(index); }
std::string host_address(int index) { return dotted(kHostBase + static_cast<uint32_t>(index)); }
std::string pod_address(const Options& options, int index, int slot) {
  return dotted(block_start(options, index) + 1 + static_cast<uint32_t>(slot));
}

Node make_node(const Options& options, int index, base::WallTime now) {
  Node node;
  node.metadata.name = node_name(options, index);
  node.metadata.labels = {{"beta.kubernetes.io/arch", "amd64"}, {"beta.kubernetes.io/os", "linux"},
                          {"kubernetes.io/arch", "amd64"},      {"kubernetes.io/hostname", node.metadata.name},
                          {"kubernetes.io/os", "linux"},        {"hollow.keelson.dev/simulated", "true"}};
  node.spec.pod_cidr =
      dotted(block_start(options, index)) + "/" + std::to_string(32 - std::countr_zero(block_size(options)));
  node.spec.pod_cidrs = {node.spec.pod_cidr};
  node.status.capacity = {{"cpu", {options.cpu}},
                          {"memory", {options.memory}},
                          {"pods", {std::to_string(options.pods)}},
                          {"ephemeral-storage", {"1Ti"}}};
  node.status.allocatable = node.status.capacity;
  for (const ConditionText& text : kConditions) {
    NodeCondition condition;
    condition.type = text.type;
    condition.status = text.status;
    condition.last_heartbeat_time = condition.last_transition_time = object::to_time(now);
    condition.reason = text.reason;
    condition.message = text.message;
    node.status.conditions.push_back(std::move(condition));
  }
  node.status.addresses.resize(2);
  node.status.addresses[0].type = "InternalIP";
  node.status.addresses[0].address = host_address(index);
  node.status.addresses[1].type = "Hostname";
  node.status.addresses[1].address = node.metadata.name;
  auto& info = node.status.node_info;
  info.machine_id = info.system_uuid = info.boot_id = node.metadata.name;
  info.kernel_version = "simulated";
  info.os_image = "Keelson simulated node";
  info.container_runtime_version = "hollow://1.0";
  info.kubelet_version = options.kubelet_version;
  info.operating_system = "linux";
  info.architecture = "amd64";
  return node;
}

api::coordination::v1::Lease make_lease(const Node& node, base::WallTime now) {
  api::coordination::v1::Lease lease;
  lease.metadata.name = node.metadata.name;
  lease.metadata.namespace_ = "kube-node-lease";
  if (!node.metadata.uid.empty()) {
    auto& owner = lease.metadata.owner_references.emplace_back();
    owner.api_version = "v1";
    owner.kind = "Node";
    owner.name = node.metadata.name;
    owner.uid = node.metadata.uid;
  }
  lease.spec.holder_identity = node.metadata.name;
  lease.spec.lease_duration_seconds = 40;
  lease.spec.renew_time = object::to_micro_time(now);
  return lease;
}

std::string renew_patch(base::WallTime now) {
  return R"({"spec":{"renewTime":")" + object::format_micro_time(object::to_micro_time(now)) + R"("}})";
}

std::string status_patch(const Options& options, base::WallTime now) {
  object::Array conditions;
  const std::string heartbeat = object::format_time(object::to_time(now));
  for (const ConditionText& text : kConditions) {
    object::Object condition;
    condition.set("type", text.type);
    condition.set("status", text.status);
    condition.set("reason", text.reason);
    condition.set("message", text.message);
    condition.set("lastHeartbeatTime", heartbeat);
    conditions.emplace_back(std::move(condition));
  }
  object::Object capacity;
  capacity.set("cpu", options.cpu);
  capacity.set("memory", options.memory);
  capacity.set("pods", std::to_string(options.pods));
  object::Object status, patch;
  status.set("capacity", object::Value(capacity));
  status.set("allocatable", object::Value(std::move(capacity)));
  status.set("conditions", object::Value(std::move(conditions)));
  patch.set("status", object::Value(std::move(status)));
  return object::to_json(object::Value(std::move(patch)));
}

}  // namespace hollow
